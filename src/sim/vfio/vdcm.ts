import { permWrite } from '../../model/events/ims.ts';
import { layoutLint, vfioMeta, vfioRegion, vfioSparse, vfioTrap } from '../../model/events/vfio.ts';
import { permission } from '../../model/things/ims.ts';
import { VFIO_INDEX } from '../../model/vfio-index.ts';
import { HANDLE_ERROR, permissionEntry, permissionOf, submitDescriptor } from '../device/completion-handles.ts';
import {
  lintLayout,
  ownerOf,
  PAGE,
  type RegionMap,
  type RegionRegister,
  sparseAreas,
  trappedPages,
} from '../device/regions.ts';
import type { ImsCookie, ImsFunction } from '../irq/ims-domain.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import type { ImsBackend } from './ims-backend.ts';
import type { VfioDevice } from './vfio-device.ts';

/** What the driver does with the PASID in a guest write of the permission table (policy pasidCopy). */
export type PasidCopy = 'translate' | 'untranslated' | 'once' | 'never';

/** What the driver of an IDXD device for guests is made of. */
export interface VdcmSpec {
  /** BAR 0 as the guest sees it. */
  readonly map: RegionMap;
  /** Vectors that the guest sees. */
  readonly vectors: number;
  /** PASID of the host for what the guest submits without a PASID of its own; undefined: requests carry none. */
  readonly defaultPasid: number | undefined;
  readonly copy: PasidCopy;
  /** Whether the page of the permission table is left out of what is mapped. */
  readonly hole: boolean;
  /** The object of the function as the guest sees it. */
  readonly guest: number;
  /** The guest's processor, as an actor. */
  readonly cpu: Actor;
  /** Takes an access out of the guest and back, when there is a virtual machine. */
  readonly exit: ((serve: () => Actions) => Actions) | undefined;
}

/** Nanoseconds of a trapped access: out of the guest, to the VMM, to the driver, and back. */
export const TRAP = 4200;

/** How often one register was hit by trapped accesses. */
export interface TrapCount {
  readonly register: RegionRegister;
  readonly count: number;
}

/**
 * The driver that gives a guest (a part of) an IDXD device: the VDCM of a virtual device, or the variant driver of a
 * whole function. The vectors of the guest are IMS entries; what the guest writes into its permission table is
 * trapped and reaches the IMS entry of the vector with the PASID of the host.
 */
export class Vdcm {
  readonly machine: Machine;
  readonly device: VfioDevice;
  readonly ims: ImsFunction;
  readonly spec: VdcmSpec;
  readonly #backend: () => ImsBackend;
  /** Permission entries as the guest wrote them, by vector. */
  readonly #written = new Map<number, number>();
  /** PASIDs of the guest and what stands for them in the host. */
  readonly #pasids = new Map<number, number>();
  readonly #traps = new Map<RegionRegister, number>();
  /** When the last report was made, and what each register had then. */
  #reported: { readonly time: number; readonly traps: ReadonlyMap<RegionRegister, number> } | undefined;
  readonly #trapped: ReadonlySet<number>;

  constructor(device: VfioDevice, ims: ImsFunction, spec: VdcmSpec, backend: () => ImsBackend) {
    this.machine = device.machine;
    this.device = device;
    this.ims = ims;
    this.spec = spec;
    this.#backend = backend;
    this.#trapped = new Set(trappedPages(spec.map, (r) => this.#wanted(r)));
  }

  #wanted(register: RegionRegister): boolean {
    return register.kind === 'trapped' ? this.spec.hole : register.kind !== undefined;
  }

  /** Shows what may be mapped, and what the layout mixes. */
  announce(): void {
    const { machine, device, spec } = this;
    for (const { rule, text } of lintLayout(spec.map)) machine.emit(layoutLint, device.object, { rule, text });
    for (const area of sparseAreas(spec.map, [...this.#trapped]))
      machine.emit(vfioSparse, device.object, { region: 0, ...area });
  }

  /** The PASID to check for a vector, as far as it is known when the vector gets its entry. */
  cookie(vector: number): ImsCookie {
    const { copy } = this.spec;
    return copy === 'translate' || copy === 'untranslated' ? this.#asked(vector) : { pasid: this.spec.defaultPasid };
  }

  /** The request of the guest as the device has to see it. The guest cannot turn the check off. */
  #asked(vector: number): ImsCookie {
    const { copy, defaultPasid } = this.spec;
    const { pasidEnable, pasid } = permissionOf(this.#written.get(vector) ?? 0);
    if (pasidEnable !== 1 || pasid === null) return { pasid: defaultPasid };
    return { pasid: copy === 'untranslated' ? pasid : (this.#pasids.get(pasid) ?? defaultPasid) };
  }

  /** The guest accesses BAR 0 (aligned, 4 or 8 bytes); `value` is what it writes, absent for a read. */
  *access(offset: number, size: number, value?: number): Actions {
    const { spec } = this;
    const register = ownerOf(spec.map, offset);
    const trapped = this.#trapped.has(Math.floor(offset / PAGE) * PAGE);
    if (!trapped) {
      // Mapped: the function itself answers; no other part sees the access.
      if (register?.kind === 'trapped' && value !== undefined) this.#native(register, offset, value);
      return;
    }
    if (spec.exit) yield* spec.exit(() => this.#serve(register, offset, size, value));
    else {
      yield TRAP;
      yield* this.#serve(register, offset, size, value);
    }
  }

  #native(register: RegionRegister, offset: number, value: number): void {
    const { machine, ims } = this;
    const entry = permissionEntry(machine, ims.fn, (offset - register.offset) >>> 3);
    machine.as(this.spec.cpu, () => machine.emit(permWrite, entry, { value }));
  }

  *#serve(register: RegionRegister | undefined, offset: number, size: number, value: number | undefined): Actions {
    yield* this.machine.within(this.device.actor, this.#served(register, offset, size, value));
  }

  *#served(register: RegionRegister | undefined, offset: number, size: number, value: number | undefined): Actions {
    const { machine, device } = this;
    const write = value !== undefined;
    // What a read returns is not modelled: only writes have a value to show.
    if (write) machine.emit(vfioRegion, device.object, { write, region: 0, offset, value, size });
    if (register) this.#traps.set(register, (this.#traps.get(register) ?? 0) + 1);
    machine.emit(vfioTrap, device.object, {
      register: register?.name ?? 'reserved',
      latency: register?.latency ?? 'admin',
      wanted: register?.kind === 'trapped',
      cost: TRAP,
      write,
      offset,
    });
    if (register?.kind !== 'trapped' || value === undefined || (offset - register.offset) % 8 !== 0) return;
    yield* this.#permission((offset - register.offset) >>> 3, value);
  }

  *#permission(vector: number, value: number): Actions {
    const { machine, spec } = this;
    machine.emit(permWrite, machine.world.child(permission, spec.guest, 'perm', vector), { value });
    this.#written.set(vector, value >>> 0);
    this.#meta(vector, 'permission table');
    if (spec.copy !== 'never') yield* this.#copy(vector);
  }

  /** What is known about a vector besides its message. */
  #meta(vector: number, by: string): void {
    const { pasidEnable, pasid } = permissionOf(this.#written.get(vector) ?? 0);
    const guestPasid = pasidEnable === 1 && pasid !== null ? pasid : undefined;
    this.machine.emit(vfioMeta, this.device.vector(VFIO_INDEX.msix, vector), {
      guestPasid,
      pasid: guestPasid === undefined ? this.spec.defaultPasid : this.#pasids.get(guestPasid),
      by,
    });
  }

  *#copy(vector: number): Actions {
    const index = this.#backend().index(vector);
    if (index !== undefined) yield* this.ims.setCookie(index, this.#asked(vector));
  }

  /** A PASID of the guest gets one of the host; entries that waited for it are written. */
  *bindPasid(guest: number, host: number): Actions {
    yield* this.machine.within(this.device.actor, this.#bindPasid(guest, host));
  }

  *#bindPasid(guest: number, host: number): Actions {
    this.#pasids.set(guest, host);
    for (const [vector, value] of this.#written) {
      const { pasidEnable, pasid } = permissionOf(value);
      if (pasidEnable !== 1 || pasid !== guest) continue;
      this.#meta(vector, 'PASID table');
      if (this.spec.copy === 'translate') yield* this.#copy(vector);
    }
  }

  /** The PASID of the host for one of the guest; undefined while there is none. */
  hostPasid(guest: number): number | undefined {
    return this.#pasids.get(guest);
  }

  /**
   * The guest's command Request Interrupt Handle: the IMS entry behind the vector. Vector 0 and vectors that there are none
   * of are invalid (0x41); a handle for IMS of the guest does not exist, nor one for a vector without entry (0x42).
   */
  requestHandle(vector: number, ims: boolean): { readonly handle: number } | { readonly error: number } {
    if (ims) return { error: HANDLE_ERROR.none };
    if (vector === 0 || vector >= this.spec.vectors) return { error: HANDLE_ERROR.index };
    const handle = this.#backend().index(vector);
    return handle === undefined ? { error: HANDLE_ERROR.none } : { handle };
  }

  /** A process of the guest submits a descriptor; its PASID is translated on the way. False: there is no PASID for it. */
  submit(queue: number, guestPasid: number | undefined, handle: number | undefined): boolean {
    const pasid = guestPasid === undefined ? this.spec.defaultPasid : this.#pasids.get(guestPasid);
    if (pasid === undefined) return false;
    submitDescriptor(this.machine, queue, { kind: 'ims', ims: this.ims }, { pasid, handle });
    return true;
  }

  /** Trapped accesses by register, most first. */
  traps(): TrapCount[] {
    const all = [...this.#traps].map(([register, count]) => ({ register, count }));
    return all.sort((a, b) => b.count - a.count || a.register.offset - b.register.offset);
  }

  /**
   * A line for each register: how often trapped accesses hit it, and from the second report on how many of these came since the one before,
   * and their rate. The registers of start-up are at rest then.
   */
  report(): string[] {
    const { now } = this.machine;
    const before = this.#reported;
    this.#reported = { time: now, traps: new Map(this.#traps) };
    return this.traps().map(({ register, count }) => {
      const cost = register.latency === 'hot' ? '; used for every piece of work: this trap costs' : '';
      return `${register.name} (${register.latency}): ${count} trapped accesses${before ? rate(count - (before.traps.get(register) ?? 0), now - before.time) : ''}${cost}`;
    });
  }

  /** Registers that every piece of work uses and that were trapped: they make trapping the page expensive. */
  hot(): TrapCount[] {
    return this.traps().filter(({ register }) => register.latency === 'hot');
  }
}

/** How many accesses came in a time of nanoseconds. */
function rate(count: number, ns: number): string {
  const each = ns > 0 ? Math.round((count * 1e8) / ns) / 100 : 0;
  return `, ${count} since the last report (${each} per ms)`;
}
