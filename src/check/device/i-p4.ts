import { noun } from '../../base/counted.ts';
import type { Step } from '../../base/ids.ts';
import { devRaise, msgSend } from '../../model/events/msix.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { causeKinds } from '../kinds.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';

const E = msixEntry.at;

/** I-P4. */
export const everyMessageHasCause: Rule<'I-P4'> = {
  id: 'I-P4',
  names: [],
  title: 'More messages than causes',
  meaning: 'An entry never sends more messages than it had causes.',
  reference: 'PCIe 6.1.4.5: at most one message for each pending cause',
  severity: 'error',
  kinds: causeKinds,
  needs: [],
  needsAll: true,
  confirm: 'the causes of the device model: what it counts itself',
  watch(report) {
    /** The last cause and the last message of each entry. */
    const raised = new Map<number, Step>();
    const sent = new Map<number, Step>();
    /** By how many messages each entry was told to be ahead. */
    const told = new Map<number, number>();
    let lost = false;
    let judged = 0;
    return {
      event(step, { kind, object }, state) {
        if (state.world.type(object) !== msixEntry) return;
        if (kind === devRaise) raised.set(object, step);
        if (kind !== msgSend || lost) return;
        judged++;
        const sends = state.get(object, E.sends);
        const raises = state.get(object, E.raises);
        const evidence = [raised.get(object), sent.get(object)].filter((s) => s !== undefined).sort((a, b) => a - b);
        const excess = sends - raises;
        if (excess > (told.get(object) ?? 0)) {
          told.set(object, excess);
          report({
            step,
            object,
            title: `${entryName(state.world, object)} sent more messages than it had causes`,
            text: `${entryName(state.world, object)} sent ${sends} ${noun(sends, 'message')} for ${raises} ${noun(raises, 'cause')}.`,
            evidence,
          });
        }
        sent.set(object, step);
      },
      lost() {
        lost = true;
      },
      get judged() {
        return judged;
      },
    };
  },
};
