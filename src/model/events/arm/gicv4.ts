import { eventKind } from '../../event.ts';
import { irq } from '../../things/irq.ts';
import { its, itsEvent, itsVpe } from '../../things/remap.ts';
import { counted, unmap } from '../its.ts';

const E = itsEvent.at;

const P = itsVpe.at;

/** Commands of an ITS with GICv4 (Arm IHI 0069, chapter 5). Object: what the command works on. Only simulated traces tell these. */
export const itsVmapp = eventKind(
  'its.vmapp',
  'configure',
  [itsVpe],
  'VMAPP: a vPE is mapped to a redistributor, or unmapped (valid 0). `doorbell`: the default doorbell of GICv4.1, 1023 for none.',
  { target: 'u', valid: 'flag', doorbell: 'u?', pending: 'xx?' },
  (state, e, a) => {
    counted(state, e.object, its.at.commands);
    state.setFlag(e.object, P.valid, a.valid);
    if (!a.valid) {
      state.forget(e.object, P.target);
      return;
    }
    state.set(e.object, P.target, a.target);
    if (a.doorbell !== undefined) state.set(e.object, P.doorbell, a.doorbell);
  },
);

export const itsVmapti = eventKind(
  'its.vmapti',
  'configure',
  [itsEvent],
  'VMAPTI or VMAPI: an EventID is mapped to a virtual LPI of a vPE. `doorbell`: the LPI for while the vPE is not resident (GICv4.0), 1023 for none.',
  { vpe: 'u', vlpi: 'u', doorbell: 'u' },
  (state, e, a) => {
    counted(state, e.object, its.at.commands);
    unmap(state, e.object);
    state.setFlag(e.object, E.valid, true);
    state.set(e.object, E.vpe, a.vpe);
    state.set(e.object, E.vlpi, a.vlpi);
    state.set(e.object, E.vdoorbell, a.doorbell);
  },
);

export const itsVmovi = eventKind(
  'its.vmovi',
  'move',
  [itsEvent],
  'VMOVI: an EventID is moved to another vPE. `doorbell` is there when the doorbell is replaced too.',
  { vpe: 'u', doorbell: 'u?' },
  (state, e, a) => {
    counted(state, e.object, its.at.commands);
    state.set(e.object, E.vpe, a.vpe);
    if (a.doorbell !== undefined) state.set(e.object, E.vdoorbell, a.doorbell);
  },
);

export const itsVmovp = eventKind(
  'its.vmovp',
  'move',
  [itsVpe],
  'VMOVP: a vPE is moved to another redistributor. `sequence` and `list`: its number in the order that the ITSs of the list keep, and those ITSs, a bit each; absent where one ITS tells the others (GITS_TYPER.VMOVP).',
  { target: 'u', sequence: 'u?', list: 'x?' },
  (state, e, a) => {
    counted(state, e.object, its.at.commands);
    state.set(e.object, P.target, a.target);
  },
);

/** KVM and the interrupt of a device (kvm_vgic_v4_set_forwarding). Object: the irq of the host. */
export const irqForward = eventKind(
  'irq.forward',
  'configure',
  [irq],
  'KVM hands an irq of the host to a virtual CPU as an LPI of its guest, or no longer does; a negative errno: refused.',
  { forward: 'flag', vcpu: 'u?', vlpi: 'u?', ret: 'i' },
);

/** Software writes GICR_VPENDBASER. Object: the vPE. */
export const vpeResident = eventKind(
  'vpe.resident',
  'configure',
  [itsVpe],
  'A vPE became resident at the redistributor of a processor, or left it. `doorbell`: its default doorbell is wanted (GICv4.1). `pendingLast`: something pended when it left.',
  { cpu: 'u', resident: 'flag', doorbell: 'flag?', pendingLast: 'flag?' },
  (state, e, a) => {
    state.setFlag(e.object, P.resident, a.resident);
    state.set(e.object, P.cpu, a.cpu);
    state.setFlag(e.object, P.armed, a.doorbell === true);
    if (a.pendingLast === undefined) state.forget(e.object, P.pendingLast);
    else state.setFlag(e.object, P.pendingLast, a.pendingLast);
  },
);

export const gicv4Events = [itsVmapp, itsVmapti, itsVmovi, itsVmovp, irqForward, vpeResident];
