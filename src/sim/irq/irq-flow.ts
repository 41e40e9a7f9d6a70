import type { ObjectId } from '../../base/ids.ts';
import { irqEntry, irqExit, irqStatus } from '../../model/events/irq.ts';
import { merged } from '../../model/events/outcome.ts';
import { irq as irqType } from '../../model/things/irq.ts';
import { drop, dropTaken } from '../drop.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import type { Domain, Irq } from './domain.ts';
import { unlocked, whileIt } from './irq-lock.ts';
import type { IrqMover } from './irq-mover.ts';

/** Times of the flow in nanoseconds: rough figures of a current server, the same for every design. */
const COST = { entry: 300, handler: 1200 };

/** What a flow needs of its irq core. */
export interface FlowHost {
  readonly machine: Machine;
  readonly prefix: string;
  readonly mover: IrqMover;
  readonly irqs: ReadonlyMap<number, Irq>;
  readonly processor: (cpu: number) => number;
  readonly actor: Actor;
  locked<T>(irq: Irq, what: Actions<T>, actor?: Actor): Actions<T>;
  setMask(irq: Irq, masked: boolean): Actions;
}

/** Whether desc->lock is held: a flow holds it, except while the action runs. */
const held = (irq: Irq): boolean => irq.locked || (irq.inProgress !== undefined && !irq.acting);

/** Runs the handlers of the irqs of a kernel (kernel/irq/chip.c). An irq is never handled on two processors at a time. */
export class IrqFlow {
  readonly #core: FlowHost;
  readonly #kernels: Actor[] = [];
  /** What comes while the handler runs elsewhere is masked (mask_ack_irq); an LPI is not (IRQD_RESEND_WHEN_IN_PROGRESS). */
  masks = true;

  constructor(core: FlowHost) {
    this.#core = core;
  }

  /**
   * The flow of one interrupt. An edge-triggered one (handle_edge_irq) is acknowledged down the hierarchy, moved when a move waits for that, and
   * ended, then its action runs, and again for what came meanwhile on another CPU; a level-triggered one (handle_fasteoi_irq) is ended behind the
   * action, and what comes meanwhile on another CPU is ended alone: its line is still up. `eoi` ends it at the processor. The flow holds desc->lock
   * except while the action runs: others wait.
   */
  *handle(virq: number, cpu: number, eoi: () => void): Actions {
    const { machine } = this.#core;
    const irq = this.#core.irqs.get(virq);
    if (irq === undefined) {
      eoi();
      yield* this.#action(undefined, machine.world.object(irqType, `${this.#core.prefix}irq/${virq}`));
      return;
    }
    const { object } = irq;
    const wired = irq.domain.wired === true;
    if (held(irq)) yield* whileIt(() => held(irq));
    if (irq.inProgress !== undefined) {
      if (wired) {
        dropTaken(machine, this.#core.processor(cpu), object, `its handler runs on CPU ${irq.inProgress}`);
        if (irq.domain.end) yield* this.#core.locked(irq, irq.domain.end(irq), this.#kernel(cpu));
      } else yield* this.#core.locked(irq, this.#latch(irq, cpu, eoi), this.#kernel(cpu));
      return;
    }
    irq.inProgress = cpu;
    irq.running++;
    try {
      this.#acknowledge(irq, cpu);
      if (irq.pendingAffinity !== undefined && irq.started)
        yield* this.#core.locked(irq, this.#core.mover.movePending(irq), this.#kernel(cpu));
      if (!wired) eoi();
      if (irq.action === undefined || !irq.started) {
        irq.lazyPending = true;
        irq.inProgress = undefined;
        dropTaken(machine, this.#core.processor(cpu), object, 'the irq has no action: it was freed or never requested');
        return;
      }
      // As #action does; this is what happens by the million.
      yield COST.entry;
      this.#enter(irq, object);
      let handled: unknown;
      if (irq.handler) handled = yield* irq.handler();
      else yield COST.handler;
      this.#leave(irq, object, handled);
      if (irq.locked) yield* unlocked(irq);
      while (irq.latched.length > 0) {
        yield* this.#again(irq, cpu);
        yield* unlocked(irq);
      }
      irq.inProgress = undefined;
      if (irq.domain.end) yield* this.#core.locked(irq, irq.domain.end(irq), this.#kernel(cpu));
    } finally {
      irq.running--;
      // Where an INIT resets the processor, the action never ends, and the flow stays at work: the irq is never handled again.
      if (irq.inProgress !== undefined) irq.acting = true;
    }
  }

  /** The kernel at work in an interrupt: on the processor that took it. Guest code on a virtual CPU is an actor of its own already. */
  #kernel(cpu: number): Actor {
    const { machine, prefix, actor } = this.#core;
    if (prefix !== '') return machine.actor;
    let kernel = this.#kernels[cpu];
    if (kernel === undefined) this.#kernels[cpu] = kernel = { ...actor, cpu };
    return kernel;
  }

  /** irq_ack of each domain. */
  #acknowledge(irq: Irq, cpu: number): void {
    for (let at: Domain | undefined = irq.domain; at; at = at.parent) at.ack?.(irq, cpu);
  }

  /**
   * An interrupt comes while the handler runs on another CPU: noted (IRQS_PENDING), masked, acknowledged, moved where a move waits for that,
   * and ended (mask_ack_irq). The caller holds the lock of the irq.
   */
  *#latch(irq: Irq, cpu: number, eoi: () => void): Actions {
    const { machine } = this.#core;
    const cause = machine.ledger.takeBack(this.#core.processor(cpu));
    const [first] = irq.latched;
    if (first === undefined) {
      machine.emit(irqStatus, irq.object, { disabled: false, pending: true });
      machine.ledger.note(cause, 'pending', machine.now);
      irq.latched.push(cause);
    } else if (cause !== 0) {
      machine.emit(merged, irq.object, { cause, ...(first === 0 ? {} : { into: first }) });
      machine.ledger.note(cause, 'merged', machine.now);
    }
    if (this.masks && !irq.masked) {
      irq.flowMasked = true;
      yield* this.#core.setMask(irq, true);
    }
    this.#acknowledge(irq, cpu);
    if (irq.pendingAffinity !== undefined && irq.started) yield* this.#core.mover.movePending(irq);
    eoi();
  }

  /** The handler runs once more, for what came meanwhile (the loop of handle_edge_irq); without an action nothing does. */
  *#again(irq: Irq, cpu: number): Actions {
    const { machine } = this.#core;
    const gone = irq.action === undefined || !irq.started;
    if (irq.flowMasked && !gone) yield* this.#core.locked(irq, this.#core.setMask(irq, false), this.#kernel(cpu));
    irq.flowMasked = false;
    const cause = irq.latched.pop()!;
    machine.emit(irqStatus, irq.object, { disabled: false, pending: false });
    if (gone) {
      drop(machine, irq.object, 'the irq was freed while its handler ran', cause);
      return;
    }
    machine.ledger.take(cause, machine.now, this.#core.processor(cpu));
    yield* this.#action(irq, irq.object);
  }

  /** handle_irq_event(): the action runs. */
  *#action(irq: Irq | undefined, object: ObjectId): Actions {
    yield COST.entry;
    this.#enter(irq, object);
    let handled: unknown;
    if (irq?.handler) handled = yield* irq.handler();
    else yield COST.handler;
    this.#leave(irq, object, handled);
  }

  #enter(irq: Irq | undefined, object: ObjectId): void {
    const { machine } = this.#core;
    const { strings } = machine.world;
    const known = irq?.action ?? (strings.text(machine.state.num(object, irqType.at.name)) || 'unknown');
    if (irq) irq.acting = true;
    machine.fire(irqEntry.put().name(strings.intern(known)), object);
  }

  /** `handled`: what the handler returned; only false says that it had nothing to do. */
  #leave(irq: Irq | undefined, object: ObjectId, handled: unknown): void {
    this.#core.machine.fire(irqExit.put().handled(handled !== false), object);
    if (irq) irq.acting = false;
  }
}
