import { imsRefused, imsStore } from '../../model/events/ims.ts';
import { each } from '../history.ts';
import type { Rule } from '../rule.ts';

/** F65. */
export const hasFreeImsEntries: Rule<'F65'> = {
  id: 'F65',
  names: [],
  title: 'No entry of the interrupt message storage is free',
  meaning: 'A queue that asks for an interrupt of its own gets an entry of the interrupt message storage.',
  severity: 'warning',
  reference:
    'kernel/irq/msi.c pci_ims_alloc_irq (6.2 to 6.9): -ENOSPC, -ENOMEM; DSA GENCAP max_ims_mult (entries = 256 times that)',
  kinds: [imsRefused, imsStore],
  needs: [[imsRefused, imsStore]],
  needsAll: false,
  confirm: 'GENCAP of the device, and who holds its entries (/sys/kernel/debug/irq/domains)',
  watch(report) {
    return each((step, { kind, object, words, at }, state) => {
      if (kind === imsStore) return true;
      const { owner, ret } = imsRefused.read(words, at);
      const who = state.world.strings.text(owner);
      const held = [...(state.world.node(object)?.children.get('ims')?.children.values() ?? [])].filter((n) =>
        state.present(n.object),
      ).length;
      report({
        step,
        object,
        title: `${who} got no interrupt of its own from ${state.world.path(object)} (${ret})`,
        text: `The allocation of an entry of the interrupt message storage for ${who} failed with ${ret}; ${held} entries are in use. The queue works without an interrupt, or its creation fails.`,
        evidence: [],
      });
      return true;
    });
  },
};
