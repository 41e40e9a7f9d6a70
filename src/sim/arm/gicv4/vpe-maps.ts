import type { ObjectId } from '../../../base/ids.ts';
import { vpeResident } from '../../../model/events/arm/gicv4.ts';
import { itsVpe } from '../../../model/things/remap.ts';
import type { Vm } from '../../kvm/vm.ts';
import type { Machine } from '../../machine.ts';
import type { Gic } from '../gic.ts';
import type { Its } from '../its.ts';

/** No doorbell. */
export const NO_DOORBELL = 1023;
/** Where virtual pending tables lie, 64 KiB each. */
const PENDING_TABLES = 0x48000000;
/** VPT_size: 16 bits of INTIDs. */
export const PENDING_BITS = 15;

/** Who takes interrupts to the guest: the host with software (none), or the GIC. */
export type Gicv4 = 'none' | 'v4.0' | 'v4.1';

/** A virtual CPU as KVM and the GIC hold it (struct its_vpe). What the ITS knows is the fold of its commands. */
export interface Vpe {
  readonly id: number;
  readonly vm: Vm;
  /** Number in `vcpu/<n>`, and in its machine. */
  readonly vcpu: number;
  readonly n: number;
  /** The LPI that KVM has for its doorbell. */
  readonly doorbell: number;
  run: 'running' | 'preempted' | 'blocked';
  /** CPU of the host that it runs on, or ran on last. */
  cpu: number;
  /** Virtual LPIs that pend, each with the cause that made it pend; 0: none known. */
  readonly pending: Map<number, number>;
  /** It takes interrupts right now, or will do so soon. */
  busy: boolean;
}

/** What each ITS is told of vPEs, and knows of them. Without a list one ITS tells the others of moves. */
export class VpeMaps {
  readonly machine: Machine;
  readonly version: Gicv4;
  readonly its: readonly Its[];
  readonly #gic: Gic;
  /** All vPEs of the machine that has one. */
  readonly #siblings: (one: Vpe) => readonly Vpe[];
  /** Forwarded interrupts, by ITS and machine (vlpi_count). */
  readonly #forwarded = new Map<string, number>();
  /** Number of the next VMOVP for a list of ITSs (vmovp_seq_num). */
  #sequence = 0;

  constructor(its: readonly Its[], gic: Gic, version: Gicv4, siblings: (one: Vpe) => readonly Vpe[]) {
    this.machine = gic.machine;
    this.version = version;
    this.its = its;
    this.#gic = gic;
    this.#siblings = siblings;
  }

  /** What an ITS knows of a vPE. */
  object(one: Vpe, its: Its): ObjectId {
    return this.machine.world.child(itsVpe, its.object, 'vpe', one.id);
  }

  /** Whether an ITS has it mapped. */
  mapped(one: Vpe, its: Its): boolean {
    return this.machine.state.flag(this.object(one, its), itsVpe.at.valid) === true;
  }

  /** The ITSs that have it mapped. */
  having(one: Vpe): Its[] {
    return this.its.filter((its) => this.mapped(one, its));
  }

  /** A list of ITSs has to be told of each move; else one of them tells the others (GITS_TYPER.VMOVP). */
  get listed(): boolean {
    return this.version === 'v4.0' && this.its.length > 1;
  }

  /**
   * What has to be mapped before an interrupt of an ITS is forwarded. A list of ITSs (GICv4.0): all vPEs of the machine, at this ITS, when it
   * gets its first one (its_map_vm). Else the vPE at all ITSs (its_vpe_irq_domain_activate).
   */
  map(one: Vpe, its: Its): void {
    const vpes = this.listed ? this.#siblings(one) : [one];
    for (const each of vpes) for (const at of this.listed ? [its] : this.its) this.#map(each, at);
  }

  /** An interrupt of an ITS is forwarded to a machine, or no longer: behind the last one a listed ITS loses the vPEs (its_unmap_vm). */
  count(one: Vpe, its: Its, by: 1 | -1): void {
    const key = `${its.number}/${one.vm.id}`;
    const left = (this.#forwarded.get(key) ?? 0) + by;
    this.#forwarded.set(key, left);
    if (left > 0 || !this.listed) return;
    for (const { id, cpu } of this.#siblings(one))
      its.command(
        {
          op: 'VMAPP',
          vpe: id,
          target: cpu,
          valid: false,
          defaultDoorbell: NO_DOORBELL,
          pendingAddress: 0,
          pendingSize: 0,
        },
        { op: 'VSYNC', vpe: id },
      );
  }

  /** VMAPP and VINVALL, the doorbell of GICv4.1 enabled. */
  #map(one: Vpe, its: Its): void {
    if (this.mapped(one, its)) return;
    const { id, doorbell, cpu } = one;
    const late = this.version === 'v4.1';
    if (late) this.#gic.configure(doorbell, true);
    its.command(
      {
        op: 'VMAPP',
        vpe: id,
        target: cpu,
        valid: true,
        defaultDoorbell: late ? doorbell : NO_DOORBELL,
        pendingAddress: PENDING_TABLES + id * 0x10000,
        pendingSize: PENDING_BITS,
      },
      { op: 'VSYNC', vpe: id },
    );
    its.command({ op: 'VINVALL', vpe: id }, { op: 'VSYNC', vpe: id });
    if (late) its.command({ op: 'INVDB', vpe: id }, { op: 'VSYNC', vpe: id });
    const object = this.object(one, its);
    const resident = one.run === 'running';
    // A vPE that came and went while the ITS did not know it.
    if (resident || this.machine.state.flag(object, itsVpe.at.resident) === true)
      this.machine.emit(vpeResident, object, { cpu, resident });
  }

  /** VMOVP and VSYNC, to each ITS of the list with the same sequence number (its_send_vmovp), else to one. A planted fault leaves out both, or the VSYNC. */
  move(one: Vpe, cpu: number): void {
    const { machine } = this;
    const having = this.having(one);
    const sequence = this.listed ? this.#sequence++ % 0x10000 : 0;
    const itsList = this.listed ? having.reduce((bits, { number }) => bits | (1 << number), 0) : 0;
    const move = { op: 'VMOVP', vpe: one.id, target: cpu, sequence, itsList } as const;
    for (const its of this.listed ? having : this.its.slice(0, 1)) {
      const vpe = this.object(one, its);
      if (machine.tamper?.spoils('R31', vpe)) continue;
      if (machine.tamper?.spoils('R31-sync', vpe)) its.command(move);
      else its.command(move, { op: 'VSYNC', vpe: one.id });
    }
  }
}
