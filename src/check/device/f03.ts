import { msgSend } from '../../model/events/msix.ts';
import { effectivelyMasked } from '../../model/masking.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { tableKinds } from '../kinds.ts';
import { LastWrites } from '../last-writes.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** F03. */
export const sendsNothingMasked: Rule<'F03'> = {
  id: 'F03',
  names: ['INV-MASK', 'I-P1'],
  title: 'Message of a masked entry',
  meaning: 'A function sends no message of an entry that is effectively masked.',
  severity: 'error',
  reference: 'PCIe 6.1.4.5, 7.7.2',
  kinds: [msgSend, ...tableKinds],
  needs: [[msgSend]],
  needsAll: false,
  confirm:
    'the accesses of the MSI-X table and of config space around the message (QEMU: memory_region_ops_*, pci_cfg_*)',
  watch(report) {
    const writes = new LastWrites();
    let judged = 0;
    return {
      event(step, happened, state) {
        const { kind, object } = happened;
        if (kind === msgSend && state.world.type(object) === msixEntry && writes.trusts(state, object)) {
          judged++;
          if (effectivelyMasked(state, object) === true)
            report({
              step,
              object,
              title: `${entryName(state.world, object)} sent a message while it was masked`,
              text: `${entryName(state.world, object)} sent a message although it was effectively masked at that moment.`,
              evidence: writes.evidence(state, object),
            });
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
