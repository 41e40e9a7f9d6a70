import { eventKind } from '../../event.ts';
import { imsicDelivery } from '../../registers/riscv.ts';
import type { State } from '../../state.ts';
import { irq } from '../../things/irq.ts';
import { imsic, imsicId } from '../../things/riscv.ts';

const F = imsic.at;
const N = imsicId.at;
const I = irq.at;

/** The object of the interrupt file of a hart. */
export const imsicObject = (state: State, hart: number): number =>
  state.here.byNumbers(imsic, hart, 0, (a) => `cpu/${a}/imsic`);

/** The object of an identity at a hart. */
export const imsicIdObject = (state: State, hart: number, identity: number): number =>
  state.here.byNumbers(imsicId, hart, identity, (a, b) => `cpu/${a}/imsic/${b}`);

/** Keeps nonsense in a damaged trace from making objects. */
const isIdentity = (hart: number, identity: number): boolean => hart < 0x10000 && identity > 0 && identity < 2048;

/** Object: the file. */
export const imsicFile = eventKind(
  'imsic.file',
  'configure',
  [imsic],
  'Software set an interrupt file up, or changed its eidelivery or eithreshold.',
  { address: 'xx?', identities: 'u?', delivery: 'x?', threshold: 'u?' },
  (state, e, a) => {
    if (a.address !== undefined) {
      state.set(e.object, F.address, a.address(0));
      state.set(e.object, F.address + 1, a.address(1));
    }
    if (a.identities !== undefined) state.set(e.object, F.identities, a.identities);
    if (a.delivery !== undefined) state.set(e.object, F.delivery, imsicDelivery.f.delivery.of(a.delivery));
    if (a.threshold !== undefined) state.set(e.object, F.threshold, a.threshold);
  },
);

/** Object: the identity at the hart. */
export const imsicEnable = eventKind(
  'imsic.enable',
  'mask',
  [imsicId],
  'The bit of an identity in eie was set or cleared: the hart may take it, or it waits in eip.',
  { enabled: 'flag' },
  (state, e, a) => state.setFlag(e.object, N.enabled, a.enabled),
);

/** Object: the identity at the hart. */
export const imsicPend = eventKind(
  'imsic.pend',
  'deliver',
  [imsicId],
  'A message made an identity pending in the interrupt file of a hart, or (`pending` false) software took the bit back.',
  { pending: 'flag', cause: 'u?' },
  (state, e, a) => {
    state.setFlag(e.object, N.requested, a.pending);
    if (a.pending) state.count(e.object, N.accepts);
  },
);

/** Object: the identity at the hart. */
export const imsicClaim = eventKind(
  'imsic.claim',
  'deliver',
  [imsicId],
  'A hart claimed an identity by a write of topei: its bit in eip is cleared.',
  {},
  (state, e) => {
    state.setFlag(e.object, N.requested, false);
    state.count(e.object, N.taken);
  },
);

/** Object: the irq. */
export const imsicVector = eventKind(
  'imsic.vector',
  'allocate',
  [irq],
  'An irq got an identity at a hart. `prevCpu`, `prevId`: the one that it moves away from, which is its own until it is freed.',
  { cpu: 'u', identity: 'u', prevCpu: 'u?', prevId: 'u?' },
  (state, e, a) => {
    state.set(e.object, I.cpu, a.cpu);
    if (a.prevCpu !== undefined) {
      state.set(e.object, I.prevCpu, a.prevCpu);
      state.setFlag(e.object, I.moving, true);
    }
    if (!isIdentity(a.cpu, a.identity)) return;
    const virq = Number(state.world.node(e.object)?.segment);
    if (Number.isSafeInteger(virq)) state.set(imsicIdObject(state, a.cpu, a.identity), N.irq, virq);
  },
);

/** Object: the irq. */
export const imsicFree = eventKind(
  'imsic.free',
  'allocate',
  [irq],
  'An identity at a hart is no longer that of an irq. `moved`: the irq has another one, and the move is over.',
  { cpu: 'u', identity: 'u', moved: 'flag' },
  (state, e, a) => {
    if (a.moved) state.setFlag(e.object, I.moving, false);
    if (isIdentity(a.cpu, a.identity)) state.forget(imsicIdObject(state, a.cpu, a.identity), N.irq);
  },
);

export const imsicEvents = [imsicFile, imsicEnable, imsicPend, imsicClaim, imsicVector, imsicFree];
