import { ownerOf, tblRead, tblWrite } from '../model/events/msix.ts';
import { pciCommand } from '../model/registers/pci.ts';
import { device, msixEntry } from '../model/things/pci.ts';
import { LastWrites } from './last-writes.ts';
import type { Rule } from './rule.ts';

/** INV-DECODE. */
export const answersOnlyDecoded: Rule<'INV-DECODE'> = {
  id: 'INV-DECODE',
  meaning: 'Nobody answers accesses of a table while Memory Space Enable of its function is 0.',
  reference: 'PCIe 7.5.1.1.3',
  needsAll: false,
  watch(report) {
    const writes = new LastWrites();
    let judged = 0;
    return {
      event(step, happened, state) {
        const { kind, object } = happened;
        if ((kind === tblRead || kind === tblWrite) && state.world.type(object) === msixEntry) {
          const fn = ownerOf(state, object);
          const decodes =
            state.world.type(fn) === device ? pciCommand.f.memory.flag(state, fn, device.at.command) : undefined;
          if (decodes !== undefined && writes.trustsObject(fn)) {
            judged++;
            if (!decodes)
              report(step, object, 'the table answered while Memory Space Enable is 0', writes.evidenceOf(fn));
          }
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
