import { byName } from '../../base/by-name.ts';
import type { ObjectId, Step } from '../../base/ids.ts';
import { refused } from '../../model/event.ts';
import { queueState, queueSubmit } from '../../model/events/queue.ts';
import type { State } from '../../model/state.ts';
import { queue } from '../../model/things/ims.ts';
import type { Rule } from '../rule.ts';

/** What a queue must be before it becomes another thing; what is not named here may come at any time. */
const BEFORE: Readonly<Record<string, readonly string[]>> = byName({
  created: ['destroyed'],
  bound: ['created', 'bound', 'enabled'],
  enabled: ['bound'],
});

/** The state of a queue, in words; undefined while it is not known. */
function stateOf(state: State, object: ObjectId): string | undefined {
  const text = state.num(object, queue.at.state);
  return text < 0 ? undefined : state.world.strings.text(text);
}

/** INV-QLIFE. */
export const livesInOrder: Rule<'INV-QLIFE'> = {
  id: 'INV-QLIFE',
  names: [],
  title: 'Queue used in the wrong order',
  meaning: 'A queue is created, bound to a PASID, enabled, and only then takes descriptors.',
  severity: 'error',
  reference: 'DSA 3.12, 9.2.19 (WQCFG); drivers/dma/idxd/cdev.c',
  kinds: [queueState, queueSubmit],
  needs: [[queueState]],
  needsAll: false,
  confirm:
    'WQCFG of the queue and the commands of the driver (trace events of idxd, or its debugfs) around that moment',
  watch(report) {
    /** The state that each queue was seen to take, and at which step. */
    const seen = new Map<ObjectId, { readonly is: string; readonly step: Step }>();
    let judged = 0;
    return {
      event(step, { kind, object, words, at }, state) {
        const name = state.world.path(object);
        const before = seen.get(object);
        if (kind === queueSubmit) {
          const { ret } = queueSubmit.read(words, at);
          const is = stateOf(state, object);
          if (refused(ret) || before === undefined || is === undefined) return;
          judged++;
          if (is === 'enabled') return;
          // What follows in the wrong order follows from this: it is told once.
          seen.delete(object);
          report({
            step,
            object,
            title: `${name} took a descriptor while it was ${is}`,
            text: `${name} took a descriptor although it was ${is}, not enabled.`,
            evidence: [before.step],
          });
          return;
        }
        const args = queueState.read(words, at);
        if (refused(args.ret) || state.world.type(object) !== queue) return;
        const is = state.world.strings.text(args.state);
        // Another PASID or interrupt handle of a queue in use, which keeps its state: a shared queue has several.
        if (is === 'enabled' && before?.is === is && (args.pasid !== undefined || args.handle !== undefined)) return;
        seen.set(object, { is, step });
        const fits = BEFORE[is];
        if (before === undefined || fits === undefined) return;
        judged++;
        if (fits.includes(before.is)) return;
        seen.delete(object);
        report({
          step,
          object,
          title: `${name} was ${is} after it was ${before.is}`,
          text: `${name} was ${is} although it was ${before.is} before; it must have been ${fits.join(' or ')}.`,
          evidence: [before.step],
        });
      },
      lost: () => seen.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
