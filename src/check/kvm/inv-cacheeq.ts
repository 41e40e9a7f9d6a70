import type { ObjectId, Step } from '../../base/ids.ts';
import { tblRead, tblWrite } from '../../model/events/msix.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** INV-CACHEEQ. */
export const cacheShowsTable: Rule<'INV-CACHEEQ'> = {
  id: 'INV-CACHEEQ',
  names: [],
  title: 'Read of a table answered with something else than it holds',
  meaning: 'Who answers reads of an MSI-X table from a cache answers what was written last.',
  severity: 'error',
  reference: 'PCIe 7.7.2: a read of a table entry returns what software wrote',
  kinds: [tblRead, tblWrite],
  needs: [[tblRead], [tblWrite]],
  needsAll: true,
  confirm: 'the table of the device model beside the routing table of KVM, at the moment of the read',
  watch(report, scene) {
    /** The last write of each entry. */
    const written = new Map<ObjectId, Step>();
    let judged = 0;
    return {
      event(step, { kind, object, words, at }) {
        if (kind === tblWrite) {
          written.set(object, step);
          return;
        }
        judged++;
        const { stale, offset, value } = tblRead.read(words, at);
        if (stale !== true) return;
        const last = written.get(object);
        report({
          step,
          object,
          title: `a read of ${entryName(scene.world, object)} was answered with something else than it holds`,
          text: `A read at offset ${offset} of ${entryName(scene.world, object)} was answered with 0x${value(0).toString(16)}, which is not what the table holds: the cache that answered is out of date.`,
          evidence: last === undefined ? [] : [last],
        });
      },
      lost: () => written.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
