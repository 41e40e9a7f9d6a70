import type { ObjectId } from '../../base/ids.ts';
import { domCompose } from '../../model/events/domain.ts';
import { message as said } from '../../model/events/notes.ts';
import { imsicFree, imsicVector } from '../../model/events/platform/imsic.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import { type AffinityResult, type Composed, type Domain, errno, type Irq } from '../irq/domain.ts';
import type { Actions, Machine } from '../machine.ts';
import { IDENTITIES, type Imsic, type Pending, pageOfHart } from './imsic.ts';

/** Nanoseconds until the timer of another hart settles a move (one jiffy at HZ=1000). */
const JIFFY = 1_000_000;
/** The identity of interrupts between harts. */
const IPI = 1;

/** An identity at a hart (struct imsic_vector). */
interface Place {
  readonly cpu: number;
  readonly id: number;
}

/** What the domain holds for an irq. */
interface Held {
  at: Place;
  /** What it moves away from, until nothing can be pending there any more (move_prev, move_next). */
  previous: Place | undefined;
  /** Enabled in eie: not masked. */
  enabled: boolean;
}

const composed = ({ cpu, id }: Place): Composed => ({ address: pageOfHart(cpu), data: id });

/**
 * The base domain of the IMSIC (Linux drivers/irqchip/irq-riscv-imsic-platform.c, irq-riscv-imsic-state.c): an identity at a hart for each irq. A
 * message names both, so a move changes address and data. `stepwise` (6.15 and newer): the move waits for the next interrupt and is made on the old
 * hart, over a temporary identity there: the old page with the new identity. `direct`: the message changes at once, in one pass.
 */
export class ImsicDomain implements Domain {
  readonly name = 'IMSIC-BASE';
  readonly parent = undefined;
  readonly object: ObjectId;
  readonly machine: Machine;
  readonly imsic: Imsic;
  readonly #stepwise: boolean;
  readonly #held = new Map<Irq, Held>();
  /** Identities in use, as hart and identity; that of interrupts between harts is nobody's. */
  readonly #owners = new Map<string, Irq>();

  constructor(imsic: Imsic, stepwise: boolean) {
    this.machine = imsic.machine;
    this.imsic = imsic;
    this.#stepwise = stepwise;
    this.object = this.machine.world.object(domainType, `domain/${this.name}`);
  }

  get movesDeferred(): boolean {
    return this.#stepwise;
  }

  /** The irq that has an identity at a hart. */
  owner(cpu: number, id: number): Irq | undefined {
    return this.#owners.get(`${cpu}/${id}`);
  }

  /** The hart that an irq goes to, -1 while it goes to none. */
  target(irq: Irq): number {
    return irq.activated ? (this.#held.get(irq)?.at.cpu ?? -1) : -1;
  }

  /** A hart comes up: its file is set up, with the identity of interrupts between harts. */
  comes(cpu: number): void {
    this.imsic.boot(cpu);
    this.imsic.enable(cpu, IPI, true);
    for (const { at, enabled } of this.#held.values()) if (at.cpu === cpu) this.imsic.enable(cpu, at.id, enabled);
  }

  /** A free identity at the hart of the mask that has most of them; the first of several (imsic_vector_alloc, irq_matrix_alloc). */
  #slot(cpus: readonly number[]): Place | undefined {
    const used = (cpu: number): number => [...this.#owners.keys()].filter((key) => key.startsWith(`${cpu}/`)).length;
    const online = cpus.filter((cpu) => this.imsic.cpus.online(cpu));
    const [cpu] = online.sort((a, b) => used(a) - used(b) || a - b);
    if (cpu === undefined) return undefined;
    for (let id = IPI + 1; id <= IDENTITIES; id++) if (!this.owner(cpu, id)) return { cpu, id };
    return undefined;
  }

  *alloc(irq: Irq): Actions<number> {
    const all = this.imsic.cpus.onlineCpus();
    const at = this.#slot(irq.affinity.length > 0 ? irq.affinity : all) ?? this.#slot(all);
    if (at === undefined) return errno.ENOSPC;
    this.#held.set(irq, { at, previous: undefined, enabled: false });
    this.#owners.set(`${at.cpu}/${at.id}`, irq);
    this.machine.emit(imsicVector, irq.object, { cpu: at.cpu, identity: at.id });
    return 0;
  }

  *free(irq: Irq): Actions {
    const held = this.#held.get(irq);
    if (!held) return;
    if (held.previous) this.#settle(irq, held);
    this.imsic.enable(held.at.cpu, held.at.id, false);
    this.#release(irq, held.at, false);
    this.#held.delete(irq);
  }

  #release(irq: Irq, { cpu, id }: Place, moved: boolean): void {
    this.#owners.delete(`${cpu}/${id}`);
    this.machine.emit(imsicFree, irq.object, { cpu, identity: id, moved });
  }

  *activate(): Actions<number> {
    return 0;
  }

  *deactivate(): Actions {}

  compose(irq: Irq): Composed | number {
    const held = this.#held.get(irq);
    return held ? composed(held.at) : errno.EINVAL;
  }

  /** imsic_vector_mask, imsic_vector_unmask. */
  *mask(irq: Irq, masked: boolean): Actions {
    const held = this.#held.get(irq);
    if (!held) return;
    held.enabled = !masked;
    this.imsic.enable(held.at.cpu, held.at.id, !masked);
  }

  /** imsic_irq_set_affinity: it writes the message itself. */
  *setAffinity(irq: Irq, cpus: readonly number[]): Actions<AffinityResult> {
    const held = this.#held.get(irq);
    if (!held) return errno.EINVAL;
    const { at: old, enabled } = held;
    if (cpus.includes(old.cpu) && this.imsic.cpus.online(old.cpu)) return 'done';
    if (held.previous) return errno.EBUSY;
    const next = this.#slot(cpus);
    if (next === undefined) return errno.ENOSPC;
    this.#owners.set(`${next.cpu}/${next.id}`, irq);
    held.previous = old;
    held.at = next;
    this.machine.emit(imsicVector, irq.object, { cpu: next.cpu, identity: next.id, prevCpu: old.cpu, prevId: old.id });
    const stepwise = this.#steps(irq);
    if (stepwise && next.id !== old.id) yield* this.#point(irq, { cpu: old.cpu, id: next.id });
    yield* this.#point(irq, next);
    // imsic_vector_move: the new identity takes the place of the old one in eie.
    this.imsic.enable(next.cpu, next.id, enabled);
    this.imsic.enable(old.cpu, old.id, false);
    if (stepwise || !this.imsic.cpus.online(old.cpu)) this.#settle(irq, held);
    else this.machine.after(JIFFY, this.imsic.cpus.actor(old.cpu), () => this.#settle(irq, held));
    return 'done';
  }

  /** Whether a move of the irq has a step in between: a message that is stored with one write needs none (irq_can_move_in_process_context). */
  #steps(irq: Irq): boolean {
    return this.#stepwise && irq.domain.atomic !== true;
  }

  /** Lets the device send another message (imsic_msi_update_msg). */
  *#point(irq: Irq, to: Place): Actions {
    const message = composed(to);
    this.machine.emit(domCompose, irq.object, { domain: this.name, ...message });
    if (irq.domain.store) yield* irq.domain.store(irq, message, 'move');
  }

  /**
   * __imsic_local_sync on the old hart: what pends there for the temporary or for the old identity is taken back and written to the new hart; where
   * the temporary identity is that of another irq, it is raised for that one as well. Then the old identity is free.
   */
  #settle(irq: Irq, held: Held): void {
    const { imsic } = this;
    const { at, previous } = held;
    if (!previous) return;
    const { cpu } = previous;
    const temporary = this.#steps(irq) && at.id !== previous.id ? this.#takeBack(irq, cpu, at.id) : undefined;
    if (temporary !== undefined) {
      // The kernel cannot tell whose it is, and raises both: one of them finds nothing to do.
      const other = imsic.enabled(cpu, at.id) ? this.owner(cpu, at.id) : undefined;
      const theirs = other !== undefined && other.device.requester === temporary.requester;
      if (other) imsic.accept(cpu, at.id, theirs ? temporary : undefined);
      imsic.accept(at.cpu, at.id, theirs ? undefined : temporary);
    }
    const left = this.#takeBack(irq, cpu, previous.id);
    if (left !== undefined) imsic.accept(at.cpu, at.id, left);
    held.previous = undefined;
    this.#release(irq, previous, true);
  }

  /** What pends at the old hart of a move. A planted fault: the kernel does not look, and it pends there for ever. */
  #takeBack({ device, hwirq, domain }: Irq, cpu: number, id: number): Pending | undefined {
    const { imsic } = this;
    const since = imsic.pendsSince(cpu, id);
    const { tamper, world } = this.machine;
    if (since !== undefined && domain.wired !== true && !imsic.enabled(cpu, id) && tamper?.strikes('R26', undefined)) {
      const msi = world.objectAt(`${world.path(device.object)}/msi`);
      tamper.tell(msi < 0 ? device.entry(hwirq) : msi, since);
      return undefined;
    }
    return imsic.takeBack(cpu, id);
  }

  /** A hart goes offline: moves that it takes part in end at once (imsic_irq_force_complete_move). */
  leaves(cpu: number): void {
    for (const [irq, held] of this.#held) {
      const { previous } = held;
      if (!previous || (previous.cpu !== cpu && held.at.cpu !== cpu)) continue;
      const text = `IRQ fixup: irq ${irq.virq} move in progress, old vector cpu ${previous.cpu} local_id ${previous.id}`;
      this.machine.emit(said, this.object, { text });
      this.#settle(irq, held);
    }
  }
}
