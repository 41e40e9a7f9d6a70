import type { EventKind } from '../../model/event.ts';
import {
  mtxAlloc,
  mtxAllocManaged,
  mtxAssign,
  mtxAssignSystem,
  mtxFree,
  mtxOffline,
  mtxOnline,
  mtxRemoveManaged,
  mtxRemoveReserved,
  mtxReserve,
  mtxReserveManaged,
} from '../../model/events/matrix.ts';
import { vectorDomain } from '../../model/events/places.ts';
import type { Machine } from '../machine.ts';
import { errno } from './domain.ts';

/**
 * First vector that devices may get, and the one after the last (FIRST_EXTERNAL_VECTOR, FIRST_SYSTEM_VECTOR). Kernels with
 * posted MSIs end at 0xeb; those that clean moves up by IPI keep 0x20 for that.
 */
export const FIRST_VECTOR = 0x20;
export const END_VECTOR = 0xec;

/** The vector of system calls: no device gets it. */
export const SYSTEM_CALL = 0x80;

/** The vector behind the last one that a device may get, where each CPU has so many for them. */
export function endOf(first: number, vectors: number | undefined): number {
  if (vectors === undefined) return END_VECTOR;
  return Math.min(END_VECTOR, first + vectors + (first + vectors > SYSTEM_CALL ? 1 : 0));
}

/** The vector map of one CPU (struct cpumap). */
interface CpuMap {
  available: number;
  allocated: number;
  managed: number;
  managedAllocated: number;
  online: boolean;
  initialised: boolean;
  readonly allocMap: Uint8Array;
  readonly managedMap: Uint8Array;
}

/** A vector of a CPU, or a negative errno. */
export interface VectorSlot {
  readonly cpu: number;
  readonly vector: number;
}

/**
 * The x86 vector matrix: which vector of which CPU is allocated, reserved or set aside for managed interrupts, with the
 * counts that kernel/irq/matrix.c keeps and prints after every operation.
 */
export class VectorMatrix {
  readonly machine: Machine;
  readonly #maps: CpuMap[];
  readonly #setup: Uint8Array;
  readonly #first: number;
  readonly #end: number;
  onlineMaps = 0;
  globalAvailable = 0;
  globalReserved = 0;
  totalAllocated = 0;

  /** `system`: vectors set aside for the kernel on every CPU, as if by `assignSystem` before there was a trace. */
  constructor(
    machine: Machine,
    cpus: number,
    setup: readonly number[] = [SYSTEM_CALL],
    first = FIRST_VECTOR,
    end = END_VECTOR,
  ) {
    this.machine = machine;
    this.#first = first;
    this.#end = end;
    this.#setup = new Uint8Array(256);
    for (const vector of setup) this.#setup[vector] = 1;
    this.#maps = Array.from({ length: cpus }, () => ({
      available: 0,
      allocated: 0,
      managed: 0,
      managedAllocated: 0,
      online: false,
      initialised: false,
      allocMap: new Uint8Array(256),
      managedMap: new Uint8Array(256),
    }));
  }

  map(cpu: number): Readonly<Pick<CpuMap, 'available' | 'allocated' | 'managed' | 'managedAllocated' | 'online'>> {
    return this.#maps[cpu]!;
  }

  #systemBits(): number {
    let bits = 0;
    for (let v = this.#first; v < this.#end; v++) bits += this.#setup[v]!;
    return bits;
  }

  #tellGlobal(kind: typeof mtxReserve): void {
    this.machine.emit(kind, vectorDomain(this.machine.state), {
      onlineMaps: this.onlineMaps,
      available: this.globalAvailable,
      reserved: this.globalReserved,
      total: this.totalAllocated,
    });
  }

  #tell(kind: typeof mtxAlloc & EventKind, cpu: number, vector: number): void {
    const map = this.#maps[cpu]!;
    this.machine.emit(kind, vectorDomain(this.machine.state), {
      vector,
      cpu,
      online: map.online,
      available: map.available,
      allocated: map.allocated,
      managed: map.managed,
      onlineMaps: this.onlineMaps,
      globalAvailable: this.globalAvailable,
      reserved: this.globalReserved,
      total: this.totalAllocated,
    });
  }

  /** irq_matrix_assign_system: a vector of all CPUs for the kernel; before the first CPU comes online. */
  assignSystem(vector: number): void {
    this.#setup[vector] = 1;
    this.machine.emit(mtxAssignSystem, vectorDomain(this.machine.state), {
      vector,
      onlineMaps: this.onlineMaps,
      available: this.globalAvailable,
      reserved: this.globalReserved,
      total: this.totalAllocated,
    });
  }

  /** irq_matrix_available: vectors free on all online CPUs but this one. */
  availableBeside(cpu: number): number {
    const map = this.#maps[cpu]!;
    return this.globalAvailable - (map.online ? map.available : 0);
  }

  /** irq_matrix_allocated: vectors of a CPU that would have to move when it goes offline; managed ones need not. */
  movable(cpu: number): number {
    const map = this.#maps[cpu]!;
    return map.allocated - map.managedAllocated;
  }

  /** irq_matrix_online; call it as an actor on that CPU. */
  online(cpu: number): void {
    const map = this.#maps[cpu]!;
    if (!map.initialised) {
      map.available = this.#end - this.#first - map.managed - this.#systemBits();
      map.initialised = true;
    }
    map.online = true;
    this.onlineMaps++;
    this.globalAvailable += map.available;
    this.#tellGlobal(mtxOnline);
  }

  /** irq_matrix_offline; call it as an actor on that CPU. */
  offline(cpu: number): void {
    const map = this.#maps[cpu]!;
    this.globalAvailable -= map.available;
    map.online = false;
    this.onlineMaps--;
    this.#tellGlobal(mtxOffline);
  }

  /** irq_matrix_reserve: promises one vector. */
  reserve(): void {
    this.globalReserved++;
    this.#tellGlobal(mtxReserve);
  }

  /** irq_matrix_remove_reserved. */
  removeReserved(): void {
    this.globalReserved--;
    this.#tellGlobal(mtxRemoveReserved);
  }

  /** irq_matrix_reserve_managed: one vector on each CPU of the mask; -ENOSPC takes back what was set aside. */
  reserveManaged(cpus: readonly number[]): number {
    for (const [i, cpu] of cpus.entries()) {
      const map = this.#maps[cpu]!;
      const vector = this.#free(map);
      if (vector < 0) {
        this.removeManaged(cpus.slice(0, i));
        return errno.ENOSPC;
      }
      map.managedMap[vector] = 1;
      map.managed++;
      if (map.online) {
        map.available--;
        this.globalAvailable--;
      }
      this.#tell(mtxReserveManaged, cpu, vector);
    }
    return 0;
  }

  /** irq_matrix_remove_managed: gives back one managed vector that is not allocated on each CPU of the mask. */
  removeManaged(cpus: readonly number[]): void {
    for (const cpu of cpus) {
      const map = this.#maps[cpu]!;
      const vector = map.managedMap.findIndex((on, v) => on === 1 && map.allocMap[v] === 0);
      if (vector < 0) continue;
      map.managedMap[vector] = 0;
      map.managed--;
      if (map.online) {
        map.available++;
        this.globalAvailable++;
      }
      this.#tell(mtxRemoveManaged, cpu, vector);
    }
  }

  /** irq_matrix_alloc_managed: the online CPU with the fewest managed vectors allocated; ties: the last. */
  allocManaged(cpus: readonly number[]): VectorSlot | number {
    if (cpus.length === 0) return errno.EINVAL;
    let best = -1;
    let fewest = Number.POSITIVE_INFINITY;
    for (const cpu of cpus) {
      const map = this.#maps[cpu];
      if (!map?.online || map.managedAllocated > fewest) continue;
      best = cpu;
      fewest = map.managedAllocated;
    }
    if (best < 0) return errno.ENOSPC;
    const map = this.#maps[best]!;
    const vector = map.managedMap.findIndex((on, v) => on === 1 && map.allocMap[v] === 0);
    if (vector < 0) return errno.ENOSPC;
    map.allocMap[vector] = 1;
    map.allocated++;
    map.managedAllocated++;
    this.totalAllocated++;
    this.#tell(mtxAllocManaged, best, vector);
    return { cpu: best, vector };
  }

  /** irq_matrix_alloc: the online CPU of the mask with the most vectors available; ties: the first. */
  alloc(cpus: readonly number[], reserved: boolean): VectorSlot | number {
    if (cpus.length === 0) return errno.EINVAL;
    let best = -1;
    let most = 0;
    for (const cpu of cpus) {
      const map = this.#maps[cpu];
      if (!map?.online || map.available <= most) continue;
      best = cpu;
      most = map.available;
    }
    if (best < 0) return errno.ENOSPC;
    const map = this.#maps[best]!;
    const vector = this.#free(map);
    if (vector < 0) return errno.ENOSPC;
    map.allocMap[vector] = 1;
    map.allocated++;
    map.available--;
    this.globalAvailable--;
    this.totalAllocated++;
    if (reserved) this.globalReserved--;
    this.#tell(mtxAlloc, best, vector);
    return { cpu: best, vector };
  }

  /** irq_matrix_assign: takes a vector that was given from outside, such as one of the legacy interrupts. */
  assign(cpu: number, vector: number): void {
    const map = this.#maps[cpu]!;
    if (map.allocMap[vector] === 1) return;
    map.allocMap[vector] = 1;
    map.allocated++;
    map.available--;
    this.totalAllocated++;
    this.globalAvailable--;
    this.#tell(mtxAssign, cpu, vector);
  }

  /** irq_matrix_free. */
  free(cpu: number, vector: number, managed: boolean): void {
    const map = this.#maps[cpu]!;
    if (map.allocMap[vector] === 0) return;
    map.allocMap[vector] = 0;
    map.allocated--;
    if (managed) map.managedAllocated--;
    if (map.online) this.totalAllocated--;
    if (!managed) {
      map.available++;
      if (map.online) this.globalAvailable++;
    }
    this.#tell(mtxFree, cpu, vector);
  }

  #free(map: CpuMap): number {
    for (let v = this.#first; v < this.#end; v++)
      if (!this.#setup[v] && !map.managedMap[v] && !map.allocMap[v]) return v;
    return -1;
  }
}
