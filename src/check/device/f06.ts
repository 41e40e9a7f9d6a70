import type { ObjectId } from '../../base/ids.ts';
import { tblWrite } from '../../model/events/msix.ts';
import { effectivelyMasked } from '../../model/masking.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { tableKinds } from '../kinds.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';
import { ADDRESS } from './held.ts';
import { LiveChanges } from './updates.ts';

/** F06. */
export const writesOnlyMasked: Rule<'F06'> = {
  id: 'F06',
  names: ['INV-UPD'],
  title: 'Message stored while unmasked',
  meaning: 'Address and data of an MSI-X entry are written only while the entry is effectively masked.',
  reference:
    'PCIe 7.7.2.6 (undefined otherwise); Linux since 5.14: PCI/MSI: Enforce that MSI-X table entry is masked for update',
  severity: 'error',
  kinds: tableKinds,
  needs: [[tblWrite]],
  needsAll: false,
  confirm: 'which message the function sends afterwards: it may use the old one until it is unmasked again',
  watch(report, scene) {
    const live = new LiveChanges();
    /** Entries of which it was told since they were masked last. */
    const told = new Set<ObjectId>();
    return {
      event(step, happened, state) {
        const { object } = happened;
        if (told.size > 0 && told.has(object) && effectivelyMasked(state, object) !== false) told.delete(object);
        const change = live.look(step, happened, state);
        if (change === undefined || state.world.type(object) !== msixEntry || told.has(object)) return;
        told.add(object);
        const name = entryName(scene.world, object);
        const part = change.parts === ADDRESS ? 'address' : 'data';
        report({
          step,
          object,
          title: `the ${part} of ${name} was written while nothing masked it`,
          text: `MSI-X is on and neither the function nor ${name} is masked; its message was ${change.before} when its ${part} was written. The function may send the old message, the new one, or a mixture.`,
          evidence: [],
        });
      },
      lost() {
        live.lose();
        told.clear();
      },
      get judged() {
        return live.judged;
      },
    };
  },
};
