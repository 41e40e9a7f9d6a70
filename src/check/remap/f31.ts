import type { ObjectId, Step } from '../../base/ids.ts';
import { holdsNone, iecInvalidate, iecQueue, irRemap, irRequest, irteWrite } from '../../model/events/remap.ts';
import { covers } from '../../model/registers/vtd.ts';
import type { State } from '../../model/state.ts';
import { irte, remapUnit } from '../../model/things/remap.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import type { Rule } from '../rule.ts';
import { irteName } from './names.ts';

const R = irte.at;
/** Writer and unit need no longer than this to invalidate what was written: one lock covers both (modify_irte). */
const SOON = 1e6;

/** Whether the unit may go on with an older copy: what it read differs from the table, or it is not known what it read. */
function outdated(state: State, entry: ObjectId): boolean {
  if (holdsNone(state, entry)) return false;
  for (let i = 0; i < 4; i++) if (state.num(entry, R.value + i) !== state.num(entry, R.table + i)) return true;
  return false;
}

/** F31. */
export const invalidatesCache: Rule<'F31'> = {
  id: 'F31',
  names: ['INV-IEC'],
  title: 'Stale entry in the interrupt entry cache',
  meaning:
    'Each write of a table entry is followed by an invalidation of its cached copy before the entry is used again.',
  severity: 'error',
  reference:
    'VT-d 6.5.2.5, 6.7; drivers/iommu/intel/irq_remapping.c modify_irte: write, cache flush and qi_flush_iec under one lock',
  kinds: [irteWrite, iecInvalidate, iecQueue, irRemap, irRequest],
  needs: [[irteWrite], [iecInvalidate]],
  needsAll: false,
  confirm: 'a kprobe on qi_submit_sync (descriptor type 4, its IIDX and IM) beside the one on modify_irte',
  watch(report, scene) {
    const open = new LastEvents();
    const now = new Now();
    /** Entries whose invalidation is in the queue of a unit for which the kernel waits: it keeps the old vector until that is done. */
    const awaited = new Set<ObjectId>();
    let judged = 0;
    const tell = (step: Step, entry: ObjectId, time: number, what: string): void => {
      const name = irteName(scene.world, entry);
      const ago = before(scene, open.ago(entry, time), open.step(entry), step);
      const since = open.step(entry)!;
      open.forget(entry);
      report({
        step,
        object: entry,
        title: `${name} was written and not invalidated, ${what}`,
        text: `${name} was written in memory ${ago === '' ? 'before' : ago} and no invalidation of the interrupt entry cache covered it since: ${what}. The unit may go on with the older copy, and send the interrupt to the CPU and vector that it had.`,
        evidence: steps(since),
        absent: { since, kinds: [iecInvalidate] },
      });
    };
    const unitOf = (object: ObjectId): ObjectId | undefined =>
      scene.world.type(object) === remapUnit ? object : scene.world.node(object)?.parent?.object;
    /** The entries that were written, of those that an invalidation covers. */
    const covered = (
      object: ObjectId,
      what: { readonly global: boolean; readonly index: number; readonly mask: number },
    ): ObjectId[] => {
      const unit = unitOf(object);
      return [...open.objects()].filter((entry) => {
        const node = scene.world.node(entry)!;
        return node.parent?.object === unit && (what.global || covers(what.index, what.mask, Number(node.segment)));
      });
    };
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        const time = now.at(happened);
        if (kind === irteWrite) {
          if (outdated(state, object)) {
            if (!open.has(object)) open.note(object, step, time);
          } else open.forget(object);
          awaited.delete(object);
          judged++;
        } else if (kind === iecInvalidate) {
          for (const entry of covered(object, iecInvalidate.read(words, at))) {
            awaited.delete(entry);
            open.forget(entry);
          }
        } else if (kind === iecQueue) {
          // Ends of invalidations are in the trace, so the kernel waits for them.
          const unit = unitOf(object);
          if (unit === undefined || state.num(unit, remapUnit.at.waits) <= 0) return;
          for (const entry of covered(object, iecQueue.read(words, at))) awaited.add(entry);
        } else if (open.has(object) && !awaited.has(object))
          tell(step, object, time, kind === irRemap ? 'and it was used' : 'and a message came for it');
      },
      lost() {
        open.clear();
        awaited.clear();
      },
      end() {
        for (const entry of [...open.objects()])
          if (open.ago(entry, now.last) > SOON) tell(open.step(entry)!, entry, now.last, 'up to the end of the trace');
      },
      get judged() {
        return judged;
      },
    };
  },
};
