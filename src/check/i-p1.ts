import { effectivelyMasked, msgSend } from '../model/events/msix.ts';
import { msixEntry } from '../model/things/pci.ts';
import { LastWrites } from './last-writes.ts';
import type { Rule } from './rule.ts';

/** I-P1. */
export const sendsNothingMasked: Rule<'I-P1'> = {
  id: 'I-P1',
  meaning: 'A function sends no message of an entry that is effectively masked.',
  reference: 'PCIe 6.1.4.5, 7.7.2',
  needsAll: false,
  watch(report) {
    const writes = new LastWrites();
    let judged = 0;
    return {
      event(step, happened, state) {
        const { kind, object } = happened;
        if (kind === msgSend && state.world.type(object) === msixEntry && writes.trusts(state, object)) {
          judged++;
          if (effectivelyMasked(state, object) === true)
            report(step, object, 'sent while effectively masked', writes.evidence(state, object));
        }
        writes.note(step, happened);
      },
      lost: () => writes.lose(),
      get judged() {
        return judged;
      },
    };
  },
};
