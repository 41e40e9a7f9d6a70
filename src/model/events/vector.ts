import type { ObjectId } from '../../base/ids.ts';
import { eventKind } from '../event.ts';
import { restartCounts } from '../percpu.ts';
import { processorsOf } from '../reference.ts';
import type { State } from '../state.ts';
import { cpu, irq, vector } from '../things/irq.ts';
import { leavePlace } from './doubt.ts';
import { cpuObject, isVector, SHUTDOWN_VECTOR, vectorDomain, vectorObject } from './places.ts';

const I = irq.at;

const V = vector.at;

function assign(state: State, n: number, v: number, virq: number): void {
  if (!isVector(n, v) || v === SHUTDOWN_VECTOR) return;
  const object = vectorObject(state, n, v);
  const held = state.num(object, V.irq);
  if (held >= 0 && held !== virq) leavePlace(state, held, n, v);
  state.set(object, V.irq, virq);
}

/** Takes an irq off a vector, when it is (or may be) the one that the vector is assigned to. */
function release(state: State, n: number, v: number, virq: number): void {
  if (!isVector(n, v) || v === SHUTDOWN_VECTOR) return;
  const object = vectorObject(state, n, v);
  const held = state.num(object, V.irq);
  if (held < 0 || held === virq) state.forget(object, V.irq);
}

/**
 * Takes an irq off the vectors that it was last seen on, except `n`, `v` and `prevN`, `prevV`, which the record at hand
 * names. Tracepoints are silent on a dying CPU, so a change may have no record; but the irq is on no other vectors now.
 */
function leaveOthers(state: State, object: ObjectId, n: number, v: number, prevN: number, prevV: number): void {
  const virq = virqOf(state, object);
  for (const [cpuCell, vectorCell] of [
    [I.cpu, I.vector],
    [I.prevCpu, I.prevVector],
  ] as const) {
    const oldN = state.num(object, cpuCell);
    const oldV = state.num(object, vectorCell);
    if (oldN < 0 || oldV <= 0 || (oldN === n && oldV === v) || (oldN === prevN && oldV === prevV)) continue;
    release(state, oldN, oldV, virq);
  }
}

/** The previous vector of an irq; the kernel prints 0 for none. */
function setPrevious(state: State, object: ObjectId, v: number): void {
  if (v === 0) state.forget(object, I.prevVector);
  else state.set(object, I.prevVector, v);
}

const virqOf = (state: State, object: ObjectId): number => Number(state.world.node(object)?.segment ?? -1);

/** What an irq holds of its place in the vector domain. */
const PLACE = [
  ...[I.cpu, I.vector, I.prevCpu, I.prevVector, I.moving, I.managed, I.reserved, I.apicDest],
  ...[I.affinity, I.effectiveAffinity],
];

/**
 * The vector domain reserves or assigns before it reports the set-up (x86_vector_alloc_irqs). So records about an irq
 * that is not known to be set up belong to the next set-up.
 */
function beginLife(state: State, object: ObjectId): void {
  const allocated = state.flag(object, I.allocated);
  if (allocated === true || state.flag(object, I.beginning) === true) return;
  if (allocated === false) {
    for (const cell of PLACE) state.forget(object, cell);
    state.forget(object, I.activated);
  }
  state.setFlag(object, I.beginning, true);
}

/** The vector domain's view of an irq. Object of all: the irq. Source: arch/x86/kernel/apic/vector.c. */
export const vecSetup = eventKind(
  'vec.setup',
  'allocate',
  [irq],
  'The vector domain set up the irq descriptor. What was known of this irq number before no longer holds.',
  { legacy: 'flag', ret: 'i' },
  (state, e, a) => {
    state.touch(vectorDomain(state));
    if (a.ret !== 0) return;
    if (state.flag(e.object, I.beginning) === true) {
      state.setFlag(e.object, I.beginning, false);
    } else {
      leaveOthers(state, e.object, -1, 0, -1, 0);
      for (const cell of PLACE) state.forget(e.object, cell);
    }
    for (const cell of [
      I.name,
      I.action,
      I.device,
      I.hwirq,
      I.domain,
      I.owner,
      I.address,
      I.address + 1,
      I.data,
      I.lpi,
      I.masked,
      I.activated,
      I.again,
    ])
      state.forget(e.object, cell);
    state.setFlag(e.object, I.allocated, true);
    state.set(e.object, I.handledSinceSetup, 0);
    restartCounts(state, e.object);
  },
);

export const vecTeardown = eventKind(
  'vec.teardown',
  'allocate',
  [irq],
  'The vector domain freed the irq descriptor.',
  { managed: 'flag', reserved: 'flag' },
  (state, e) => {
    leaveOthers(state, e.object, -1, 0, -1, 0);
    state.setFlag(e.object, I.beginning, false);
    state.setFlag(e.object, I.allocated, false);
    state.setFlag(e.object, I.activated, false);
    state.setFlag(e.object, I.reserved, false);
    state.setFlag(e.object, I.moving, false);
    state.set(e.object, I.vector, 0);
  },
);

export const vecReserve = eventKind(
  'vec.reserve',
  'allocate',
  [irq],
  'A vector was promised, not allocated.',
  { ret: 'i' },
  (state, e, a) => {
    beginLife(state, e.object);
    if (a.ret === 0) state.setFlag(e.object, I.reserved, true);
    else state.touch(e.object);
  },
);

export const vecReserveManaged = eventKind(
  'vec.reserveManaged',
  'allocate',
  [irq],
  'One vector was set aside on every CPU of the managed mask.',
  { ret: 'i' },
  (state, e) => {
    beginLife(state, e.object);
    state.setFlag(e.object, I.managed, true);
  },
);

export const vecAlloc = eventKind(
  'vec.alloc',
  'allocate',
  [irq],
  'A vector was allocated, or could not be: vector 0 and a negative errno in `ret`.',
  { vector: 'u', reserved: 'flag', ret: 'i' },
  (state, e, a) => {
    beginLife(state, e.object);
    state.touch(e.object);
    if (a.ret === 0) state.setFlag(e.object, I.reserved, false);
  },
);

export const vecAllocManaged = eventKind(
  'vec.allocManaged',
  'allocate',
  [irq],
  'A vector was allocated to a managed irq.',
  { vector: 'u', ret: 'i' },
  (state, e) => state.setFlag(e.object, I.managed, true),
);

export const vecUpdate = eventKind(
  'vec.update',
  'move',
  [irq],
  'The irq got a new vector. `prevVector` and `prevCpu` are the values before; 0 means none. `interrupt`: whether it happened in an interrupt, whose task is only the one that it interrupted.',
  { vector: 'u', cpu: 'u', prevVector: 'u', prevCpu: 'u', interrupt: 'flag?' },
  (state, e, a) => {
    const v = a.vector;
    const n = a.cpu;
    const prevV = a.prevVector;
    const prevN = a.prevCpu;
    beginLife(state, e.object);
    leaveOthers(state, e.object, n, v, prevN, prevV);
    state.setFlag(e.object, I.allocated, true);
    state.set(e.object, I.vector, v);
    state.set(e.object, I.cpu, n);
    setPrevious(state, e.object, prevV);
    state.set(e.object, I.prevCpu, prevN);
    const live = prevV !== 0 && prevV !== SHUTDOWN_VECTOR;
    const offline = live && isVector(prevN, prevV) && state.flag(cpuObject(state, prevN), cpu.at.online) === false;
    state.setFlag(e.object, I.moving, live && !offline);
    const virq = virqOf(state, e.object);
    assign(state, n, v, virq);
    if (offline) release(state, prevN, prevV, virq);
    else if (live) assign(state, prevN, prevV, virq);
  },
);

export const vecConfig = eventKind(
  'vec.config',
  'configure',
  [irq],
  'The target of the irq as the software holds it from now on. Vector 239 is the placeholder of reserved interrupts.',
  { vector: 'u', cpu: 'u', apicDest: 'x' },
  (state, e, a) => {
    beginLife(state, e.object);
    state.set(e.object, I.vector, a.vector);
    state.set(e.object, I.cpu, a.cpu);
    state.set(e.object, I.apicDest, a.apicDest);
    // apic_update_irq_cfg() sets the effective affinity beside the record.
    state.set(e.object, I.effectiveAffinity, state.world.strings.intern(String(a.cpu)));
    // Numbers beyond those of CPUs are nonsense of a damaged trace.
    if (processorsOf(state.world, e.object) === 'cpu' && isVector(a.cpu, a.vector))
      state.set(cpuObject(state, a.cpu), cpu.at.apicDest, a.apicDest);
  },
);

export const vecActivate = eventKind(
  'vec.activate',
  'configure',
  [irq],
  'The irq is being activated. With `reserve` only the placeholder is programmed.',
  { managed: 'flag', canReserve: 'flag', reserve: 'flag' },
  (state, e, a) => {
    state.setFlag(e.object, I.beginning, false);
    state.setFlag(e.object, I.managed, a.managed);
    state.setFlag(e.object, I.activated, !a.reserve);
  },
);

export const vecDeactivate = eventKind(
  'vec.deactivate',
  'configure',
  [irq],
  'The irq is being deactivated.',
  { managed: 'flag', canReserve: 'flag', reserve: 'flag' },
  (state, e, a) => {
    state.setFlag(e.object, I.managed, a.managed);
    state.setFlag(e.object, I.activated, false);
  },
);

export const vecClear = eventKind(
  'vec.clear',
  'allocate',
  [irq],
  'The vector was taken from the irq. `prevVector` is a move source that was not cleaned up yet; 0 means none.',
  { vector: 'u', cpu: 'u', prevVector: 'u', prevCpu: 'u' },
  (state, e, a) => {
    const virq = virqOf(state, e.object);
    leaveOthers(state, e.object, -1, 0, -1, 0);
    release(state, a.cpu, a.vector, virq);
    release(state, a.prevCpu, a.prevVector, virq);
    state.set(e.object, I.vector, 0);
    state.set(e.object, I.cpu, a.cpu);
    setPrevious(state, e.object, 0);
    state.set(e.object, I.prevCpu, a.prevCpu);
    state.setFlag(e.object, I.moving, false);
  },
);

export const vecFreeMoved = eventKind(
  'vec.freeMoved',
  'allocate',
  [irq],
  'The previous vector was released: the move is finished.',
  { cpu: 'u', vector: 'u', managed: 'flag' },
  (state, e, a) => {
    release(state, a.cpu, a.vector, virqOf(state, e.object));
    setPrevious(state, e.object, 0);
    state.setFlag(e.object, I.moving, false);
  },
);

export const vectorEvents = [
  vecSetup,
  vecTeardown,
  vecReserve,
  vecReserveManaged,
  vecAlloc,
  vecAllocManaged,
  vecUpdate,
  vecConfig,
  vecActivate,
  vecDeactivate,
  vecClear,
  vecFreeMoved,
];
