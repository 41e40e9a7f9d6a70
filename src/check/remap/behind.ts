import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { domActivate } from '../../model/events/domain.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { vecActivate, vecDeactivate } from '../../model/events/vector.ts';
import { linksOf } from '../../model/references.ts';
import type { State } from '../../model/state.ts';
import { amdIrte, irte } from '../../model/things/remap.ts';
import { LastEvents } from '../history.ts';
import type { Happened } from '../rule.ts';

/** Kinds that tell which irq a table entry serves, and whether that irq is set up. */
export const behindKinds: readonly EventKind[] = [msgWrite, domActivate, vecActivate, vecDeactivate];

/** The irqs behind the entries of remapping tables, by the messages that the kernel wrote for them, and when each was last taken down. */
export class IrqsBehind {
  readonly #irqs = new Map<ObjectId, ObjectId>();
  readonly #down = new LastEvents();

  /** Notes an event of `behindKinds`. */
  note(step: Step, { kind, object, words, at }: Happened, state: State, time: number): void {
    if (kind === msgWrite) {
      for (const { name, target } of linksOf(state, object)) {
        const type = name === 'message' ? state.world.type(target) : undefined;
        if (type === irte || type === amdIrte) this.#irqs.set(target, object);
      }
    } else if (kind === vecDeactivate || (kind === domActivate && !domActivate.read(words, at).activate)) {
      if (!this.#down.has(object)) this.#down.note(object, step, time);
    } else if (kind === vecActivate || kind === domActivate) this.#down.forget(object);
  }

  /** The irq that an entry was last set up for, or -1. */
  irq(entry: ObjectId): ObjectId {
    return this.#irqs.get(entry) ?? -1;
  }

  /** The event that took an irq down, while it is down. */
  down(irq: ObjectId): Step | undefined {
    return this.#down.step(irq);
  }

  /** Nanoseconds since an irq was taken down. */
  downFor(irq: ObjectId, now: number): number {
    return this.#down.ago(irq, now);
  }
}
