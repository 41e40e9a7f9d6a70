import type { ObjectId } from '../../base/ids.ts';
import { gicAck } from '../../model/events/apic.ts';
import { itsVmapti } from '../../model/events/arm/gicv4.ts';
import { gicPend } from '../../model/events/cpu.ts';
import { itsDiscard, itsIteAccess, itsMapd, itsMapti, itsTrans } from '../../model/events/its.ts';
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
  meaning:
    'After DISCARD, or MAPD with V = 0, the LPI of an EventID is delivered no more; messages of an EventID that was mapped again make its new LPI pend.',
  severity: 'error',
  reference: 'Arm GIC (IHI 0069) 5.3.4: DISCARD removes the mapping and clears the pending state',
  kinds: [itsMapti, itsVmapti, itsIteAccess, itsDiscard, itsMapd, itsTrans, gicPend, gicAck],
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
    /** The LPI that each EventID had before it was discarded, until it gets that one again. */
    const former = new Map<ObjectId, number>();
    const discards = new LastEvents();
    /** What was told, by EventID. */
    const told = new Map<ObjectId, Set<number>>();
    /** LPIs that pend by a message whose EventID is known: the acknowledge tells nothing more. */
    const known = new Set<number>();
    /** The EventID that the ITS looked up in the event before, or -1: what pends next came by it. */
    let asked: ObjectId = -1;
    const now = new Now();
    let judged = 0;
    const drop = (event: ObjectId, step: number, time: number): void => {
      const lpi = lpis.get(event);
      lpis.delete(event);
      if (lpi === undefined) return;
      judged++;
      dead.set(lpi, event);
      former.set(event, lpi);
      discards.note(event, step, time);
    };
    const live = (event: ObjectId, lpi: number): void => {
      lpis.set(event, lpi);
      dead.delete(lpi);
      if (former.get(event) === lpi) former.delete(event);
    };
    const arrived = (step: number, lpi: number, event: ObjectId, time: number, state: State): void => {
      if (dead.get(lpi) === event) dead.delete(lpi);
      // A cache that keeps an entry shows that again and again.
      const of = told.get(event) ?? new Set();
      if (of.has(lpi)) return;
      told.set(event, of.add(lpi));
      const ago = before(scene, discards.ago(event, time), discards.step(event), step);
      const { event: name, device } = eventName(state.world, event);
      const other = lpis.get(event);
      const [then, old, runs] =
        other === undefined
          ? ['', '', '']
          : [` and then mapped to LPI ${other}`, 'old ', ', or that of another device runs'];
      report({
        step,
        object: event,
        title: `LPI ${lpi} arrived after ${name} of ${device} was discarded`,
        text: `${name} of ${device} was unmapped${ago === '' ? '' : ` ${ago}`}${then}, and its ${old}LPI ${lpi} arrived all the same: a cache of translations kept the old entry, or pending state was not cleared. The handler that it had may be gone${runs}.`,
        evidence: steps(discards.step(event)),
      });
    };
    /** The EventID whose LPI must not come: that of the message at hand where it is known, else the one that had the LPI last. */
    const discarded = (lpi: number, by: ObjectId): ObjectId | undefined => {
      if (by < 0 || (!lpis.has(by) && !former.has(by))) return dead.get(lpi);
      return lpis.get(by) !== lpi && former.get(by) === lpi ? by : undefined;
    };
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        const time = now.at(happened);
        const by = asked;
        asked = kind === itsTrans && state.world.type(object) === itsEvent ? object : -1;
        if (kind === gicAck || kind === gicPend) {
          if (kind === gicPend && !gicPend.read(words, at).pending) return;
          const lpi = Number(state.world.node(object)?.segment);
          const message = kind === gicPend ? by : -1;
          if (message >= 0) known.add(lpi);
          else if (known.delete(lpi) && kind === gicAck) return;
          const event = discarded(lpi, message);
          if (event !== undefined) arrived(step, lpi, event, time, state);
        } else if (kind === itsTrans) return;
        else if (kind === itsMapti) live(object, itsMapti.read(words, at).lpi);
        else if (kind === itsVmapti) live(object, itsVmapti.read(words, at).vlpi);
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
        former.clear();
        known.clear();
        asked = -1;
      },
      get judged() {
        return judged;
      },
    };
  },
};
