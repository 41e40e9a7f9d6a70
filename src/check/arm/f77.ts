import type { ObjectId } from '../../base/ids.ts';
import { gicAck } from '../../model/events/apic.ts';
import { gicPend } from '../../model/events/cpu.ts';
import { itsDiscard, itsIteAccess, itsMapd, itsMapti } from '../../model/events/its.ts';
import type { State } from '../../model/state.ts';
import { itsEvent } from '../../model/things/remap.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import type { Rule } from '../rule.ts';
import { eventName } from './its-names.ts';

/** F77. */
export const forgetsDiscarded: Rule<'F77'> = {
  id: 'F77',
  names: ['INV-CACHE'],
  title: 'Interrupt of an event that was discarded',
  meaning: 'After DISCARD, or MAPD with V = 0, the LPI of an EventID is delivered no more.',
  severity: 'error',
  reference: 'Arm GIC (IHI 0069) 5.3.4: DISCARD removes the mapping and clears the pending state',
  kinds: [itsMapti, itsIteAccess, itsDiscard, itsMapd, gicPend, gicAck],
  needs: [
    [itsDiscard, itsMapd],
    [gicPend, gicAck],
  ],
  needsAll: false,
  confirm: 'the SYNC behind the DISCARD, and the pending table of the redistributor (LPI pending bit)',
  watch(report, scene) {
    /** LPI of each EventID that is mapped. */
    const lpis = new Map<ObjectId, number>();
    /** EventIDs that were discarded, by their LPI. */
    const dead = new Map<number, ObjectId>();
    const discards = new LastEvents();
    const now = new Now();
    let judged = 0;
    const drop = (event: ObjectId, step: number, time: number): void => {
      const lpi = lpis.get(event);
      lpis.delete(event);
      if (lpi === undefined) return;
      judged++;
      dead.set(lpi, event);
      discards.note(event, step, time);
    };
    const live = (event: ObjectId, lpi: number): void => {
      lpis.set(event, lpi);
      dead.delete(lpi);
    };
    const arrived = (step: number, object: ObjectId, time: number, state: State): void => {
      const lpi = Number(state.world.node(object)?.segment);
      const event = dead.get(lpi);
      if (event === undefined) return;
      dead.delete(lpi);
      const ago = before(scene, discards.ago(event, time), discards.step(event), step);
      const { event: name, device } = eventName(state.world, event);
      report({
        step,
        object: event,
        title: `LPI ${lpi} arrived after ${name} of ${device} was discarded`,
        text: `${name} of ${device} was unmapped${ago === '' ? '' : ` ${ago}`}, and its LPI ${lpi} arrived all the same: a cache of translations kept the old entry, or pending state was not cleared. The handler that it had may be gone.`,
        evidence: steps(discards.step(event)),
      });
    };
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        const time = now.at(happened);
        if (kind === gicAck) {
          if (dead.size > 0) arrived(step, object, time, state);
        } else if (kind === gicPend) {
          if (dead.size > 0 && gicPend.read(words, at).pending) arrived(step, object, time, state);
        } else if (kind === itsMapti) live(object, itsMapti.read(words, at).lpi);
        else if (kind === itsIteAccess) {
          const { valid, lpi } = itsIteAccess.read(words, at);
          if (valid) live(object, lpi);
          else if (lpis.has(object)) drop(object, step, time);
        } else if (kind === itsDiscard) drop(object, step, time);
        else if (!itsMapd.read(words, at).valid)
          for (const { object: event } of state.world.node(object)?.children.get('event')?.children.values() ?? [])
            if (state.world.type(event) === itsEvent) drop(event, step, time);
      },
      lost() {
        dead.clear();
        lpis.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
