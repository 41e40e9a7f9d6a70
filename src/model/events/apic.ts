import type { ObjectId } from '../../base/ids.ts';
import { eventKind } from '../event.ts';
import { writableMask } from '../register.ts';
import { FIRST_LPI, gicRoute } from '../registers/its.ts';
import { apicLvt } from '../registers/x86.ts';
import type { State } from '../state.ts';
import { intid, pin } from '../things/irq.ts';
import { vcpu, vcpuVector } from '../things/virt.ts';

const C = vcpu.at;

const V = vcpuVector.at;

const L = intid.at;

/** Adds one to a counter of the virtual CPU that a vector object belongs to; of a vector of no known CPU there is none. */
function countVcpu(state: State, object: ObjectId, cell: number): void {
  const node = state.world.node(object)?.parent?.parent;
  if (node?.parent !== undefined && node.parent.path !== '') state.count(state.world.object(vcpu, node.path), cell);
}

/** Whether a delivery mode puts a vector into the IRR; the text begins with its name. Others reset, start or kick the processor. */
export const setsRequest = (mode: string): boolean => /^(fixed|lowprio)/i.test(mode);

/** Interrupts at a local APIC or CPU interface. Object: the vector of the virtual CPU. */
export const apicAccept = eventKind(
  'apic.accept',
  'deliver',
  [vcpuVector],
  'The local APIC of a virtual CPU accepted an interrupt. Only the modes Fixed and LowPrio make a vector pend. `vector` is there when the virtual CPU is not known.',
  { mode: 's', posted: 'flag', vector: 'u?' },
  (state, e, a) => {
    if (!setsRequest(state.world.strings.text(a.mode))) {
      state.touch(e.object);
      return;
    }
    state.setFlag(e.object, V.requested, true);
    state.set(e.object, V.open, Math.min(2, state.get(e.object, V.open) + 1));
    state.count(e.object, V.accepts);
    countVcpu(state, e.object, C.accepts);
  },
);

export const apicInject = eventKind(
  'apic.inj',
  'deliver',
  [vcpuVector],
  'An interrupt was injected into a virtual CPU. `reinjected`: the same one again, because an exit came while it was delivered. `extint`: it came from the PIC, the local APIC does not hold it. `vector` is there when the virtual CPU is not known.',
  { reinjected: 'flag', extint: 'flag?', vector: 'u?' },
  (state, e, a) => {
    state.touch(e.object);
    if (a.reinjected) return;
    if (a.extint !== true) {
      state.setFlag(e.object, V.requested, false);
      state.setFlag(e.object, V.inService, true);
      state.set(e.object, V.open, 0);
    }
    state.count(e.object, V.taken);
    countVcpu(state, e.object, C.injections);
  },
);

/** Object: the vector; `apic/vector/<n>` where the record does not tell the virtual CPU. */
export const vcpuTake = eventKind(
  'vcpu.take',
  'deliver',
  [vcpuVector],
  'A virtual CPU takes an interrupt: it goes to the handler of that vector (Arm: of that exception; RISC-V: of that cause). Whether a local APIC holds it is not told.',
  { name: 's?' },
  (state, e) => {
    state.touch(e.object);
    state.count(e.object, V.taken);
    countVcpu(state, e.object, C.injections);
  },
);

/**
 * With posted delivery the processor takes a vector from the IRR on its own, and no record tells it; an end of interrupt
 * proves it. What was accepted once is then no longer requested; of what was accepted more often, one may be.
 */
function endPosted(state: State, object: ObjectId): void {
  const open = state.get(object, V.open);
  if (open === 0 || state.flag(object, V.inService) === true) return;
  if (open === 1) state.setFlag(object, V.requested, false);
  else state.forget(object, V.requested);
  state.set(object, V.open, open - 1);
}

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
    endPosted(state, e.object);
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

/**
 * ICC_EOIR. An LPI has no active state, so that this ends it. Any other INTID is deactivated with EOImode 0 only; with
 * EOImode 1 its priority drops and ICC_DIR deactivates it (IHI 0069 4.1.1).
 */
export const gicEoi = eventKind(
  'gic.eoi',
  'eoi',
  [vcpuVector, intid],
  'A CPU ended an interrupt at its GIC interface. `mode` is EOImode where the trace has shown it: with 1 only the priority drops, the interrupt stays active.',
  { mode: 'u?' },
  (state, e, a) => {
    if (state.world.type(e.object) === intid) {
      state.setFlag(e.object, L.inService, false);
      state.count(e.object, L.eois);
      return;
    }
    const isLpi = Number(state.world.node(e.object)?.segment) >= FIRST_LPI;
    if (isLpi || a.mode === 0) state.setFlag(e.object, V.inService, false);
    else if (a.mode === undefined) state.forget(e.object, V.inService);
    state.count(e.object, V.eois);
    countVcpu(state, e.object, C.eois);
  },
);

export const gicDeactivate = eventKind(
  'gic.deactivate',
  'eoi',
  [vcpuVector],
  'A CPU deactivated an interrupt (ICC_DIR, or GICR_ICACTIVER): it is no longer active.',
  {},
  (state, e) => state.setFlag(e.object, V.inService, false),
);

export const gicActive = eventKind(
  'gic.active',
  'configure',
  [vcpuVector],
  'Software made an interrupt active (GICR_ISACTIVER).',
  {},
  (state, e) => state.setFlag(e.object, V.inService, true),
);

export const gicPending = eventKind(
  'gic.pending',
  'look',
  [vcpuVector],
  'The GIC shows that an interrupt is pending at a CPU, or no longer. Without `pending`: the CPU has nothing to take any more, and the trace does not tell whether this one is only disabled.',
  { pending: 'flag?' },
  (state, e, a) => {
    if (a.pending !== undefined) state.setFlag(e.object, V.requested, a.pending);
    else state.forget(e.object, V.requested);
  },
);

export const gicSgi = eventKind(
  'gic.sgi',
  'deliver',
  [vcpuVector],
  'An SGI that a CPU sent became pending at another.',
  {},
  (state, e) => {
    state.setFlag(e.object, V.requested, true);
    state.count(e.object, V.accepts);
    countVcpu(state, e.object, C.accepts);
  },
);

/** Object: the SPI. */
export const gicRouted = eventKind(
  'gic.route',
  'move',
  [pin],
  'Software wrote where an SPI goes (GICD_IROUTER, lower half).',
  { value: 'x' },
  (state, e, a) => {
    state.touch(e.object);
    state.setBits(e.object, pin.at.route, a.value, writableMask(gicRoute)[0]!);
    state.setBits(e.object, pin.at.route, 0, ~writableMask(gicRoute)[0]!);
  },
);

/** Registers of the local vector table, by their offset in the page of the local APIC. */
const LVT: ReadonlyMap<number, number> = new Map([
  [0x2f0, C.lvtCmci],
  [0x320, C.lvtTimer],
  [0x330, C.lvtThermal],
  [0x340, C.lvtPerformance],
  [0x350, C.lvtLint0],
  [0x360, C.lvtLint1],
  [0x370, C.lvtError],
]);

/** Whether the register at that offset is an entry of the local vector table. */
export const isLvt = (offset: number): boolean => LVT.has(offset);

const LVT_RW = writableMask(apicLvt)[0]!;
const LVT_HARDWARE = apicLvt.f.status.mask | apicLvt.f.remoteIrr.mask;

/** Object: the virtual CPU. */
export const apicLvtWrite = eventKind(
  'apic.lvt',
  'store',
  [vcpu],
  'Software wrote an entry of the local vector table; `register` is its offset in the page of the local APIC.',
  { register: 'x', value: 'x' },
  (state, e, a) => {
    const cell = LVT.get(a.register);
    state.touch(e.object);
    // Reserved bits read 0; delivery status and Remote IRR are of the hardware.
    if (cell !== undefined) state.setBits(e.object, cell, a.value & LVT_RW, ~LVT_HARDWARE);
  },
);

export const kvmIpi = eventKind('apic.ipi', 'message', [vcpu], 'A virtual CPU sends an inter-processor interrupt.', {
  dest: 'x?',
  vector: 'u',
  mode: 's',
});

export const apicEvents = [
  apicAccept,
  apicInject,
  vcpuTake,
  apicEoi,
  apicDeliver,
  apicLocal,
  gicAck,
  gicEoi,
  gicDeactivate,
  gicActive,
  gicPending,
  gicSgi,
  gicRouted,
  apicLvtWrite,
  kvmIpi,
];
