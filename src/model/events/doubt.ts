/**
 * What a trace contradicts becomes unknown again. Tracepoints are silent on a CPU that is marked offline, so irqs leave a dying CPU
 * without a record (fixup_irqs of arch/x86/kernel/irq.c); what was known of its vectors is then no longer so.
 */
import type { ObjectId } from '../../base/ids.ts';
import type { State } from '../state.ts';
import { cpu, domain, irq, vector } from '../things/irq.ts';
import { cpuObject, vectorDomain, vectorObject } from './places.ts';

const C = cpu.at;
const I = irq.at;
const V = vector.at;

/** Adds to a count of vectors that are known to be allocated; nothing is known at first. */
function add(state: State, object: ObjectId, cell: number, change: number): void {
  state.set(object, cell, Math.max(0, state.get(object, cell) + change));
}

/** Says whether a vector is allocated; undefined: not known. Keeps the counts of known ones of the CPU and of the domain. */
export function setAllocated(state: State, n: number, object: ObjectId, allocated: boolean | undefined): void {
  const was = state.flag(object, V.allocated) === true;
  if (was !== (allocated === true)) {
    add(state, cpuObject(state, n), C.owned, was ? -1 : 1);
    add(state, vectorDomain(state), domain.at.owned, was ? -1 : 1);
  }
  if (allocated === undefined) state.forget(object, V.allocated);
  else state.setFlag(object, V.allocated, allocated);
}

/** An irq is no longer on a vector; where it is instead is not known. */
export function leavePlace(state: State, virq: number, n: number, v: number): void {
  const object = state.here.byNumbers(irq, virq, 0, (a) => `irq/${a}`);
  if (state.num(object, I.cpu) === n && state.num(object, I.vector) === v) {
    for (const cell of [I.cpu, I.vector, I.apicDest, I.effectiveAffinity, I.moving]) state.forget(object, cell);
    // The kernel shuts a managed irq down when no CPU of its mask is left, and starts it again: no record of it either.
    if (state.flag(object, I.managed) === true) state.forget(object, I.activated);
  }
  if (state.num(object, I.prevCpu) === n && state.num(object, I.prevVector) === v)
    for (const cell of [I.prevCpu, I.prevVector, I.moving]) state.forget(object, cell);
}

/** Vectors and irqs of a CPU are not known any more, except for one vector of which the record at hand tells (-1 for none). */
export function doubtVectors(state: State, n: number, except: number): void {
  const vectors = state.here.find('cpu')?.children.get(String(n))?.children.get('vector')?.children;
  if (vectors === undefined) return;
  for (const { object, segment } of vectors.values()) {
    const v = Number(segment);
    if (object < 0 || v === except) continue;
    setAllocated(state, n, object, undefined);
    const virq = state.num(object, V.irq);
    if (virq < 0) continue;
    state.forget(object, V.irq);
    leavePlace(state, virq, n, v);
  }
}

/**
 * Holds what is known of vectors against the numbers that the kernel printed with the record at hand: of the CPU `n` and of the
 * whole matrix (`total`). More than the kernel counts cannot be allocated; which ones are not is unknown.
 */
export function checkCounts(state: State, n: number, allocated: number, total: number, except: number): void {
  if (state.get(cpuObject(state, n), C.owned) > allocated) doubtVectors(state, n, except);
  checkTotal(state, total, n, except);
}

/** The same for the whole matrix: first CPUs that are not known to be online are in doubt, then all. */
export function checkTotal(state: State, total: number, n: number, except: number): void {
  const D = vectorDomain(state);
  if (state.get(D, domain.at.owned) <= total) return;
  for (const all of [false, true]) {
    for (const { object, segment } of state.here.find('cpu')?.children.values() ?? []) {
      // A CPU that no event was about, only its vectors, is one of which nothing is known.
      if (!all && object >= 0 && state.flag(object, C.online) === true) continue;
      const other = Number(segment);
      doubtVectors(state, other, other === n ? except : -1);
    }
    if (state.get(D, domain.at.owned) <= total) return;
  }
}

/** Some CPU went offline; it is not the one that prints the record. */
export function doubtOnline(state: State, recorder: number): void {
  for (const { object, segment } of state.here.find('cpu')?.children.values() ?? [])
    if (object >= 0 && Number(segment) !== recorder) state.forget(object, C.online);
}

/** A handler of an irq runs on a CPU that its vector is not on: it was moved, and no record told it. */
export function checkHandler(state: State, object: ObjectId, n: number): void {
  const on = state.num(object, I.cpu);
  if (n < 0 || on < 0 || on === n) return;
  if (state.num(object, I.prevCpu) === n && state.flag(object, I.moving) === true) return;
  // It runs once more for an interrupt that came where the irq is now: that tells nothing of its place.
  if (state.num(object, I.again) === n) return;
  // An IMSIC gives no vectors, and its move is over before the handler that made it begins, on the old hart.
  if (state.num(object, I.prevCpu) === n && state.num(object, I.vector) < 0) return;
  doubtPlace(state, object);
}

/** An irq is no longer on the vectors that it was last seen on; where it is instead is not known. */
export function doubtPlace(state: State, object: ObjectId): void {
  const virq = Number(state.world.node(object)?.segment ?? -1);
  for (const [cpuCell, vectorCell] of [
    [I.cpu, I.vector],
    [I.prevCpu, I.prevVector],
  ] as const) {
    const oldN = state.num(object, cpuCell);
    const oldV = state.num(object, vectorCell);
    if (oldN >= 0 && oldV > 0) forgetPlace(state, virq, oldN, oldV);
    state.forget(object, cpuCell);
    state.forget(object, vectorCell);
  }
  for (const cell of [I.apicDest, I.effectiveAffinity, I.moving]) state.forget(object, cell);
}

/** Whether a vector is allocated, and for which irq, is not known, if it was `virq`. */
function forgetPlace(state: State, virq: number, n: number, v: number): void {
  const object = vectorObject(state, n, v);
  if (state.num(object, V.irq) !== virq) return;
  state.forget(object, V.irq);
  setAllocated(state, n, object, undefined);
}
