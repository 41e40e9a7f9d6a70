import { eventKind, type Role } from '../event.ts';
import type { State } from '../state.ts';
import { cpu, domain, vector } from '../things/irq.ts';
import { cpuObject, isVector, vectorDomain, vectorObject } from './places.ts';

const V = vector.at;

const globals = { onlineMaps: 'i', available: 'u', reserved: 'u', total: 'u' } as const;

/** Takes the numbers of the whole matrix over. */
function matrixGlobals(state: State, onlineMaps: number, available: number, reserved: number, total: number): void {
  const object = vectorDomain(state);
  state.set(object, domain.at.onlineMaps, onlineMaps);
  state.set(object, domain.at.available, available);
  state.set(object, domain.at.reserved, reserved);
  state.set(object, domain.at.allocated, total);
}

/** The vector matrix (kernel/irq/matrix.c); all numbers are those after the operation. */
const matrixGlobal = (name: string, role: Role, meaning: string, online?: boolean) =>
  eventKind(name, role, [domain], meaning, globals, (state, e, a) => {
    matrixGlobals(state, a.onlineMaps, a.available, a.reserved, a.total);
    if (online !== undefined && e.cpu >= 0) state.setFlag(cpuObject(state, e.cpu), cpu.at.online, online);
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
  (state, _e, a) => matrixGlobals(state, a.onlineMaps, a.available, a.reserved, a.total),
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
  eventKind(name, role, [domain], meaning, perCpu, (state, _e, a) => {
    const n = a.cpu;
    matrixGlobals(state, a.onlineMaps, a.globalAvailable, a.reserved, a.total);
    if (n >= 0x10000) return;
    const object = cpuObject(state, n);
    state.setFlag(object, cpu.at.online, a.online);
    state.set(object, cpu.at.available, a.available);
    state.set(object, cpu.at.allocated, a.allocated);
    state.set(object, cpu.at.managed, a.managed);
    const v = a.vector;
    if (owns !== undefined && isVector(n, v)) state.setFlag(vectorObject(state, n, v), V.allocated, owns);
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

export const matrixEvents = [
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
