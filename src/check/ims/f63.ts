import type { ObjectId } from '../../base/ids.ts';
import { queueComplete } from '../../model/events/queue.ts';
import { each } from '../history.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';
import { completionOf, HANDLE_INVALID, pasidText } from './handles.ts';

/** F63. */
export const matchesPasid: Rule<'F63'> = {
  id: 'F63',
  names: ['INV-PASID'],
  title: 'PASID of the descriptor is not that of the entry',
  meaning:
    'An entry with PASID enable lets only descriptors of its own PASID raise its interrupt; both are PASIDs of the host.',
  severity: 'error',
  reference: 'DSA 3.7.2 and 9.2.6: completion status 0x19; drivers/dma/idxd/registers.h union msix_perm',
  kinds: [queueComplete],
  needs: [[queueComplete]],
  needsAll: false,
  confirm:
    'the MSI-X permission table or the control dword of the entry, and the PASID of the descriptor (event log record)',
  watch(report) {
    /** What each entry wanted when it was told of it: descriptors of one program come in numbers. */
    const told = new Map<ObjectId, string>();
    return each((step, happened, state) => {
      const done = completionOf(happened, state);
      if (done?.wants === undefined) return false;
      if (done.wants === done.pasid) return true;
      const pair = `${done.wants} ${done.pasid}`;
      if (told.get(done.entry) === pair) return true;
      told.set(done.entry, pair);
      const { world } = state;
      const name = entryName(world, done.entry);
      const refused = done.status === HANDLE_INVALID;
      report({
        step,
        object: done.entry,
        title: `${name} is for ${pasidText(done.wants)}, and a descriptor of ${pasidText(done.pasid)} named it`,
        text: `A descriptor with ${pasidText(done.pasid)} named interrupt handle ${done.handle}; ${name} lets only ${pasidText(done.wants)} raise it. ${refused ? 'The descriptor completed with status 0x19 and no interrupt' : 'The device raised it all the same'}. Usual causes: the PASID of the guest was copied without translation, or the entry was written before the PASID was known.`,
        evidence: [],
        lost: refused,
      });
      return true;
    });
  },
};
