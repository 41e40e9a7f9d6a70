import { eventKind } from '../event.ts';
import type { State } from '../state.ts';
import { intid } from '../things/irq.ts';
import { vcpu, vcpuVector } from '../things/virt.ts';

const C = vcpu.at;

const V = vcpuVector.at;

const L = intid.at;

/** Adds one to a counter of the virtual CPU that a vector object belongs to. */
function countVcpu(state: State, object: number, cell: number): void {
  const path = state.world.node(object)?.parent?.parent?.path;
  if (path !== undefined) state.count(state.world.object(vcpu, path), cell);
}

/** Interrupts at a local APIC or CPU interface. Object: the vector of the virtual CPU. */
export const apicAccept = eventKind(
  'apic.accept',
  'deliver',
  [vcpuVector],
  'The local APIC of a virtual CPU accepted an interrupt.',
  { mode: 's', posted: 'flag' },
  (state, e) => {
    state.setFlag(e.object, V.requested, true);
    state.count(e.object, V.accepts);
    countVcpu(state, e.object, C.accepts);
  },
);

export const apicInject = eventKind(
  'apic.inj',
  'deliver',
  [vcpuVector],
  'An interrupt was injected into a virtual CPU.',
  { reinjected: 'flag' },
  (state, e) => {
    state.setFlag(e.object, V.requested, false);
    state.setFlag(e.object, V.inService, true);
    state.count(e.object, V.taken);
    countVcpu(state, e.object, C.injections);
  },
);

export const apicEoi = eventKind(
  'apic.eoi',
  'eoi',
  [vcpuVector, vcpu],
  'The guest ended an interrupt.',
  {},
  (state, e) => {
    if (state.world.type(e.object) === vcpu) {
      state.count(e.object, C.eois);
      return;
    }
    state.setFlag(e.object, V.inService, false);
    state.count(e.object, V.eois);
    countVcpu(state, e.object, C.eois);
  },
);

/** The emulated bus delivers an interrupt to local APICs. Object: the vector of the virtual CPU, or the virtual CPU. */
export const apicDeliver = eventKind(
  'apic.deliver',
  'deliver',
  [vcpuVector],
  'An interrupt message reached the local APICs.',
  { dest: 'u', destMode: 'u', deliveryMode: 'u', vector: 'u', trigger: 'u' },
  (state, e) => {
    if (state.world.type(e.object) !== vcpuVector) return;
    // No record tells when the CPU takes it, so the request bit stays unknown.
    state.count(e.object, V.accepts);
    countVcpu(state, e.object, C.accepts);
  },
);

export const apicLocal = eventKind(
  'apic.local',
  'raise',
  [vcpu],
  'A local APIC source fired: entry of the local vector table.',
  { lvt: 'u', deliveryMode: 'u' },
  (state, e) => {
    state.touch(e.object);
  },
);

export const gicAck = eventKind(
  'gic.ack',
  'deliver',
  [vcpuVector, intid],
  'A CPU acknowledged an interrupt at its GIC interface.',
  {},
  (state, e) => {
    if (state.world.type(e.object) === intid) {
      state.setFlag(e.object, L.requested, false);
      state.setFlag(e.object, L.inService, true);
      state.count(e.object, L.taken);
      return;
    }
    state.setFlag(e.object, V.requested, false);
    state.setFlag(e.object, V.inService, true);
    state.count(e.object, V.taken);
    countVcpu(state, e.object, C.acknowledges);
  },
);

export const gicEoi = eventKind(
  'gic.eoi',
  'eoi',
  [vcpuVector, intid],
  'A CPU ended an interrupt at its GIC interface.',
  {},
  (state, e) => {
    if (state.world.type(e.object) === intid) {
      state.setFlag(e.object, L.inService, false);
      state.count(e.object, L.eois);
      return;
    }
    state.setFlag(e.object, V.inService, false);
    state.count(e.object, V.eois);
    countVcpu(state, e.object, C.eois);
  },
);

export const kvmIpi = eventKind('apic.ipi', 'message', [vcpu], 'A virtual CPU sends an inter-processor interrupt.', {
  dest: 'x',
  vector: 'u',
  mode: 's',
});

export const apicEvents = [apicAccept, apicInject, apicEoi, apicDeliver, apicLocal, gicAck, gicEoi, kvmIpi];
