import type { Step } from '../../base/ids.ts';
import { effectivelyMasked } from '../../model/masking.ts';
import type { State } from '../../model/state.ts';
import { device, msixEntry } from '../../model/things/pci.ts';
import { causeKinds, tableKinds } from '../kinds.ts';
import { LastWrites } from '../last-writes.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** I-P2. */
export const pendsOnlyMasked: Rule<'I-P2'> = {
  id: 'I-P2',
  names: [],
  title: 'Pending while unmasked',
  meaning: 'A pending bit stands only while its entry is effectively masked.',
  reference: 'PCIe 6.1.4.5, 7.7.2',
  severity: 'error',
  kinds: [...tableKinds, ...causeKinds],
  needs: [],
  needsAll: false,
  confirm: 'reads of the pending bit array and of the table entry, one after the other',
  watch(report) {
    const writes = new LastWrites();
    /** Entries that break the rule now: each breach is told once. */
    const broken = new Set<number>();
    let judged = 0;
    const judge = (step: Step, state: State, entry: number): void => {
      const pending = state.flag(entry, msixEntry.at.pending) === true;
      if (!pending || effectivelyMasked(state, entry) !== false || !writes.trusts(state, entry)) {
        if (pending) judged++;
        broken.delete(entry);
        return;
      }
      judged++;
      if (broken.has(entry)) return;
      broken.add(entry);
      report({
        step,
        object: entry,
        title: `${entryName(state.world, entry)} is pending while nothing masks it`,
        text: `The pending bit of ${entryName(state.world, entry)} is set although MSI-X is on and neither the function nor the entry is masked: the message was never sent, or the bit never cleared.`,
        evidence: writes.evidence(state, entry),
      });
    };
    return {
      event(step, happened, state) {
        const { object } = happened;
        const { world } = state;
        const type = world.type(object);
        writes.note(step, happened);
        if (type === msixEntry) judge(step, state, object);
        else if (type === device)
          for (const { object: entry } of world.node(object)?.children.get('msix')?.children.values() ?? [])
            if (entry >= 0) judge(step, state, entry);
      },
      lost() {
        writes.lose();
        broken.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
