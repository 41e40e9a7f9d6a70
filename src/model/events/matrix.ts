import { eventKind, type Role } from '../event.ts';
import type { State } from '../state.ts';
import { cpu, domain } from '../things/irq.ts';
import { checkCounts, checkTotal, doubtOnline, doubtVectors, setAllocated } from './doubt.ts';
import { cpuObject, isVector, vectorDomain, vectorObject } from './places.ts';

const globals = { onlineMaps: 'i', available: 'u', reserved: 'u', total: 'u' } as const;

/**
 * Takes the numbers of the whole matrix over. `recorder`: the CPU that prints them; a map less, and no record that tells of it, is
 * another CPU that went offline. -1 where the record tells of it.
 */
function matrixGlobals(
  state: State,
  recorder: number,
  onlineMaps: number,
  available: number,
  reserved: number,
  total: number,
): void {
  const object = vectorDomain(state);
  if (recorder >= 0 && onlineMaps < state.num(object, domain.at.onlineMaps)) doubtOnline(state, recorder);
  state.set(object, domain.at.onlineMaps, onlineMaps);
  state.set(object, domain.at.available, available);
  state.set(object, domain.at.reserved, reserved);
  state.set(object, domain.at.allocated, total);
}

/** The vector matrix (kernel/irq/matrix.c); all numbers are those after the operation. */
const matrixGlobal = (name: string, role: Role, meaning: string, online?: boolean) =>
  eventKind(name, role, [domain], meaning, globals, (state, e, a) => {
    matrixGlobals(state, online === false ? -1 : e.cpu, a.onlineMaps, a.available, a.reserved, a.total);
    if (online !== undefined && e.cpu >= 0) state.setFlag(cpuObject(state, e.cpu), cpu.at.online, online);
    checkTotal(state, a.total, -1, -1);
  });

export const mtxOnline = matrixGlobal(
  'mtx.online',
  'configure',
  'The recording CPU brought its vector map online.',
  true,
);
export const mtxOffline = matrixGlobal(
  'mtx.offline',
  'configure',
  'The recording CPU took its vector map offline.',
  false,
);
export const mtxReserve = matrixGlobal('mtx.reserve', 'allocate', 'One vector more was promised.');
export const mtxRemoveReserved = matrixGlobal('mtx.removeReserved', 'allocate', 'A promised vector was given back.');

export const mtxAssignSystem = eventKind(
  'mtx.assignSystem',
  'allocate',
  [domain],
  'A vector was set aside for the system on all CPUs.',
  { vector: 'u', ...globals },
  (state, e, a) => {
    matrixGlobals(state, e.cpu, a.onlineMaps, a.available, a.reserved, a.total);
    checkTotal(state, a.total, -1, -1);
  },
);

const perCpu = {
  vector: 'u',
  cpu: 'u',
  online: 'flag',
  available: 'u',
  allocated: 'u',
  managed: 'u',
  onlineMaps: 'i',
  globalAvailable: 'u',
  reserved: 'u',
  total: 'u',
} as const;

/** `owns`: whether the vector is allocated after the operation; undefined when the operation says nothing of that. */
const matrixCpu = (name: string, role: Role, meaning: string, owns?: boolean) =>
  eventKind(name, role, [domain], meaning, perCpu, (state, e, a) => {
    const n = a.cpu;
    matrixGlobals(state, e.cpu, a.onlineMaps, a.globalAvailable, a.reserved, a.total);
    if (n >= 0x10000) return;
    const object = cpuObject(state, n);
    state.setFlag(object, cpu.at.online, a.online);
    state.set(object, cpu.at.available, a.available);
    state.set(object, cpu.at.allocated, a.allocated);
    state.set(object, cpu.at.managed, a.managed);
    const v = a.vector;
    if (owns !== undefined && isVector(n, v)) setAllocated(state, n, vectorObject(state, n, v), owns);
    checkCounts(state, n, a.allocated, a.total, owns === true ? v : -1);
  });

export const mtxReserveManaged = matrixCpu(
  'mtx.reserveManaged',
  'allocate',
  'A vector was set aside for managed interrupts on a CPU.',
);
export const mtxRemoveManaged = matrixCpu(
  'mtx.removeManaged',
  'allocate',
  'A vector set aside for managed interrupts was given back.',
);
export const mtxAllocManaged = matrixCpu('mtx.allocManaged', 'allocate', 'A managed vector was allocated.', true);
export const mtxAllocReserved = matrixCpu('mtx.allocReserved', 'allocate', 'A reserved vector was allocated.', true);
export const mtxAssign = matrixCpu('mtx.assign', 'allocate', 'A preassigned vector was taken.', true);
export const mtxAlloc = matrixCpu('mtx.alloc', 'allocate', 'A vector was allocated.', true);
export const mtxFree = matrixCpu('mtx.free', 'allocate', 'A vector was freed.', false);

/** Object: the CPU. */
export const mtxUnsure = eventKind(
  'mtx.unsure',
  'allocate',
  [cpu],
  'A CPU went offline, or was offline in between: its irqs were moved and its vectors freed, and no record tells how. They are unknown.',
  {},
  (state, e) => {
    const n = Number(state.world.node(e.object)?.segment ?? -1);
    doubtVectors(state, n, -1);
    for (const cell of [cpu.at.available, cpu.at.allocated, cpu.at.managed]) state.forget(e.object, cell);
  },
);

export const matrixEvents = [
  mtxUnsure,
  mtxOnline,
  mtxOffline,
  mtxReserve,
  mtxRemoveReserved,
  mtxAssignSystem,
  mtxReserveManaged,
  mtxRemoveManaged,
  mtxAllocManaged,
  mtxAllocReserved,
  mtxAssign,
  mtxAlloc,
  mtxFree,
];
