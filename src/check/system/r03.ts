import type { ObjectId, Step } from '../../base/ids.ts';
import { devRaise, devWithdraw, msgSend } from '../../model/events/msix.ts';
import { dropped } from '../../model/events/outcome.ts';
import { effectivelyMasked } from '../../model/masking.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** Nanoseconds that a cause waits before only a time-out explains that it was served. */
const LONG = 100e6;

/** A cause that no message told yet. */
interface Cause {
  readonly step: Step;
  readonly time: number;
  /** Its message ended here; -1 while no event says so. */
  drop: Step;
  reason: string;
}

/** R03. */
export const servedByInterrupt: Rule<'R03'> = {
  id: 'R03',
  names: [],
  title: 'Cause that only a poll served',
  meaning:
    'A cause of an entry that nothing masks is served because its message arrived, not because a time-out found it.',
  severity: 'error',
  reference: 'PCIe 6.1.4.5: the cause may be taken back when software has served it',
  kinds: [devRaise, devWithdraw, msgSend, dropped],
  needs: [[devRaise], [devWithdraw]],
  needsAll: false,
  needsTime: true,
  confirm:
    'the message of the entry on the bus, its mask and pending bit, and /proc/interrupts before and after the time-out',
  watch(report, scene) {
    const { world } = scene;
    /** The first cause of each entry that no message told. */
    const raised = new Map<ObjectId, Cause>();
    let judged = 0;
    return {
      event(step, { kind, object, time, words, at }, state) {
        if (world.type(object) !== msixEntry) return;
        if (kind === devRaise) {
          if (!raised.has(object)) raised.set(object, { step, time, drop: -1, reason: '' });
        } else if (kind === msgSend) raised.delete(object);
        else if (kind === dropped) {
          const cause = raised.get(object);
          if (cause === undefined) return;
          cause.drop = step;
          cause.reason = world.strings.text(dropped.read(words, at).reason);
        } else {
          const cause = raised.get(object);
          raised.delete(object);
          // A driver may poll with the vector masked; then no message was due.
          if (cause === undefined || effectivelyMasked(state, object) !== false) return;
          judged++;
          if (!(time - cause.time > LONG)) return;
          const name = entryName(world, object);
          const span = scene.span(time - cause.time, cause.step, step);
          const lost = cause.drop >= 0;
          report({
            step,
            object,
            title: `${name} was served by a poll after ${span}: its message ${lost ? 'was lost' : 'never came'}`,
            text: `${name} was raised while nothing masked it, and ${lost ? `its message ended there: ${cause.reason}` : 'no message of it arrived'}. ${span} later the device took the cause back because software had served it.`,
            evidence: lost ? [cause.step, cause.drop] : [cause.step],
            lost: true,
            ...(lost ? {} : { absent: { since: cause.step, kinds: [msgSend] } }),
          });
        }
      },
      lost: () => raised.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
