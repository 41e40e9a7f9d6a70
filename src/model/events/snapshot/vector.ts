// What debugfs shows of the place of an irq: its state in the irq core, its vector, its message, and the matrix of vectors.

import { numbersOf } from '../../../base/cpu-list.ts';
import type { ObjectId } from '../../../base/ids.ts';
import { eventKind } from '../../event.ts';
import type { State } from '../../state.ts';
import { cpu, domain, irq, irqDescriptor, vector } from '../../things/irq.ts';
import { doubtPlace, leavePlace, setAllocated } from '../doubt.ts';
import { cpuObject, isVector, SHUTDOWN_VECTOR, vectorDomain, vectorObject } from '../places.ts';
import { setEffective } from './irq.ts';

const I = irq.at;
const D = irqDescriptor.at;
const C = cpu.at;
const V = vector.at;

/** State of an irq in the irq core, by the names that the kernel prints. Object: the irq. */
export const snapState = eventKind(
  'snap.state',
  'look',
  [irq],
  'A snapshot shows the state of an irq in the irq core: effective affinity, activated, disabled, masked at its chip, managed, managed and shut down, an interrupt latched.',
  {
    activated: 'flag?',
    disabled: 'flag?',
    masked: 'flag?',
    managed: 'flag?',
    shutdown: 'flag?',
    latched: 'flag?',
    level: 'flag?',
    effective: 's?',
  },
  (state, e, a) => {
    state.touch(e.object);
    if (a.effective !== undefined) setEffective(state, e.object, a.effective);
    for (const [cell, value] of [
      [I.activated, a.activated],
      [I.disabled, a.disabled],
      [I.masked, a.masked],
      [I.managed, a.managed],
      [I.shutdown, a.shutdown],
      [I.latched, a.latched],
      [I.level, a.level],
    ] as const)
      if (value !== undefined) state.setFlag(e.object, cell, value);
  },
);

/** A vector belongs to an irq; what held it before is elsewhere. */
function assign(state: State, n: number, v: number, virq: number): void {
  if (!isVector(n, v) || v === SHUTDOWN_VECTOR) return;
  const object = vectorObject(state, n, v);
  const held = state.num(object, V.irq);
  if (held >= 0 && held !== virq) leavePlace(state, held, n, v);
  state.set(object, V.irq, virq);
  setAllocated(state, n, object, true);
}

const virqOf = (state: State, object: ObjectId): number => Number(state.world.node(object)?.segment ?? -1);

/** The vector domain's view of an irq (x86_vector_debug_show, arch/x86/kernel/apic/vector.c). Object: the irq. */
export const snapVector = eventKind(
  'snap.vector',
  'look',
  [irq],
  'A snapshot shows the vector of an irq; vector 0: none. Without `prevVector` there is no move source that was not cleaned up.',
  {
    vector: 'u',
    cpu: 'u?',
    prevVector: 'u?',
    prevCpu: 'u?',
    moving: 'flag?',
    managed: 'flag?',
    canReserve: 'flag?',
    reserved: 'flag?',
    cleanup: 'flag?',
  },
  (state, e, a) => {
    const { object } = e;
    // Where it has none, events tell the placeholder that is programmed.
    const v = a.vector === 0 && state.num(object, I.vector) === SHUTDOWN_VECTOR ? SHUTDOWN_VECTOR : a.vector;
    if (a.cpu !== state.num(object, I.cpu) || v !== state.num(object, I.vector)) doubtPlace(state, object);
    state.set(object, I.vector, v);
    if (a.cpu !== undefined) {
      state.set(object, I.cpu, a.cpu);
      assign(state, a.cpu, v, virqOf(state, object));
    }
    if (a.prevVector === undefined) {
      state.forget(object, I.prevVector);
      state.forget(object, I.prevCpu);
    } else {
      state.set(object, I.prevVector, a.prevVector);
      if (a.prevCpu !== undefined) {
        state.set(object, I.prevCpu, a.prevCpu);
        assign(state, a.prevCpu, a.prevVector, virqOf(state, object));
      }
    }
    for (const [cell, value] of [
      [I.moving, a.moving],
      [I.managed, a.managed],
      [I.reserved, a.reserved],
    ] as const)
      if (value !== undefined) state.setFlag(object, cell, value);
    if (a.canReserve === undefined && a.cleanup === undefined) return;
    const below = state.world.child(irqDescriptor, object, 'descriptor');
    if (a.canReserve !== undefined) state.setFlag(below, D.canReserve, a.canReserve);
    if (a.cleanup !== undefined) state.setFlag(below, D.cleanupPending, a.cleanup);
  },
);

/** The message of an irq, as the kernel keeps it (msi_domain_debug_show, kernel/irq/msi.c). Object: the irq. */
export const snapMessage = eventKind(
  'snap.message',
  'look',
  [irq],
  'A snapshot shows the message that the kernel composed for an irq.',
  { address: 'xx', data: 'x' },
  (state, e, a) => {
    state.set(e.object, I.address, a.address(0));
    state.set(e.object, I.address + 1, a.address(1));
    state.set(e.object, I.data, a.data);
  },
);

/** An irq domain. Object: the domain. */
export const snapDomain = eventKind(
  'snap.domain',
  'look',
  [domain],
  'A snapshot shows an irq domain; `flagNames` are the names of its flags that the kernel prints, joined by ", ".',
  { parent: 's?', size: 'u?', mapped: 'u?', flags: 'x?', flagNames: 's?' },
  (state, e, a) => {
    state.touch(e.object);
    for (const [cell, value] of [
      [domain.at.parent, a.parent],
      [domain.at.size, a.size],
      [domain.at.mapped, a.mapped],
      [domain.at.flags, a.flags],
      [domain.at.flagNames, a.flagNames],
    ] as const)
      if (value !== undefined) state.set(e.object, cell, value);
  },
);

/** The numbers of the vector matrix (irq_matrix_debug_show, kernel/irq/matrix.c). Object: the vector domain. */
export const snapMatrix = eventKind(
  'snap.matrix',
  'look',
  [domain],
  'A snapshot shows the numbers of the vector matrix; `system` lists the vectors that are set aside on all CPUs.',
  { onlineMaps: 'u?', available: 'u?', reserved: 'u?', total: 'u?', system: 's?' },
  (state, e, a) => {
    state.touch(e.object);
    for (const [cell, value] of [
      [domain.at.onlineMaps, a.onlineMaps],
      [domain.at.available, a.available],
      [domain.at.reserved, a.reserved],
      [domain.at.allocated, a.total],
      [domain.at.system, a.system],
    ] as const)
      if (value !== undefined) state.set(e.object, cell, value);
  },
);

/** One row of the vector matrix. Object: the CPU. */
export const snapCpu = eventKind(
  'snap.cpu',
  'look',
  [cpu],
  'A snapshot shows how many vectors of a CPU are free, managed, managed and allocated, allocated; `vectors` lists the allocated ones.',
  { available: 'u', managed: 'u', managedAllocated: 'u?', allocated: 'u', vectors: 's' },
  (state, e, a) => {
    const { object } = e;
    const n = Number(state.world.node(object)?.segment ?? -1);
    state.setFlag(object, C.online, true);
    state.set(object, C.available, a.available);
    state.set(object, C.managed, a.managed);
    if (a.managedAllocated !== undefined) state.set(object, C.managedAllocated, a.managedAllocated);
    state.set(object, C.allocated, a.allocated);
    const listed = new Set(numbersOf(state.world.strings.text(a.vectors)) ?? []);
    state.touch(vectorDomain(state));
    for (const v of listed) if (isVector(n, v)) setAllocated(state, n, vectorObject(state, n, v), true);
    for (const { object: other, segment } of state.world
      .node(cpuObject(state, n))
      ?.children.get('vector')
      ?.children.values() ?? [])
      if (other >= 0 && !listed.has(Number(segment)) && state.flag(other, V.allocated) === true) {
        setAllocated(state, n, other, false);
        const held = state.num(other, V.irq);
        if (held < 0) continue;
        state.forget(other, V.irq);
        leavePlace(state, held, n, Number(segment));
      }
  },
);
