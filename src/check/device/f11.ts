import type { ObjectId } from '../../base/ids.ts';
import { tblRead, tblWrite, unanswered } from '../../model/events/msix.ts';
import { cfgRead } from '../../model/events/pci.ts';
import { ownerOf } from '../../model/masking.ts';
import { pciCommand } from '../../model/registers/pci.ts';
import type { State } from '../../model/state.ts';
import { device, msixEntry } from '../../model/things/pci.ts';
import { tableKinds } from '../kinds.ts';
import { LastWrites } from '../last-writes.ts';
import { entryName } from '../names.ts';
import type { Happened, Rule } from '../rule.ts';

/** Whether an access is a read that nobody answered. */
const nobodyAnswered = (state: State, { kind, object, words, at }: Happened): boolean =>
  kind === tblRead && unanswered(state, object, tblRead.read(words, at));

/** F11. */
export const answersOnlyDecoded: Rule<'F11'> = {
  id: 'F11',
  names: ['INV-DECODE'],
  title: 'Table access while memory decode is off',
  meaning:
    'Nobody answers accesses of a table while Memory Space Enable of its function is 0, and all ones in an answer are no data.',
  reference: 'PCIe 7.5.1.1.3; 9.3.4.1.3 (a virtual function has no Memory Space Enable)',
  severity: 'error',
  kinds: tableKinds,
  needs: [[tblRead, tblWrite]],
  needsAll: false,
  confirm: 'the Command register of the function at that moment (QEMU: pci_cfg_*; lspci -vvv)',
  watch(report) {
    const writes = new LastWrites();
    /** Functions that do not answer, of which it was told. */
    const gone = new Set<ObjectId>();
    /** Functions whose Memory Space Enable can be 1. A virtual function has it hardwired to 0 and decodes all the same (PCIe 9.3.4.1.3). */
    const settable = new Set<ObjectId>();
    /** Those of which it is 1 after the last event. */
    const on = new Set<ObjectId>();
    let judged = 0;
    return {
      event(step, happened, state) {
        const { kind, object } = happened;
        if ((kind === tblRead || kind === tblWrite) && state.world.type(object) === msixEntry) {
          const fn = ownerOf(state, object);
          const decodes =
            state.world.type(fn) === device ? pciCommand.f.memory.flag(state, fn, device.at.command) : undefined;
          if (decodes !== undefined && (decodes || settable.has(fn)) && writes.trustsObject(fn)) {
            judged++;
            const ones = nobodyAnswered(state, happened);
            if (ones) {
              const name = entryName(state.world, object);
              const why = decodes
                ? 'The function is in D3, in reset or gone.'
                : 'Memory Space Enable of the function is 0, so that its table is not there.';
              if (!gone.has(fn))
                report({
                  step,
                  object,
                  severity: 'warning',
                  title: `${name} reads all ones ${decodes ? 'although' : 'while'} Memory Space Enable is ${decodes ? 1 : 0}`,
                  text: `A read of ${name} gives all ones, which no entry holds: nobody answered. ${why} The mask bit in this value means nothing.`,
                  evidence: writes.evidenceOf(fn),
                });
              gone.add(fn);
            } else if (kind === tblRead) gone.delete(fn);
            if (!decodes && !ones)
              report({
                step,
                object,
                title: `${entryName(state.world, object)} answered while Memory Space Enable is 0`,
                text: `The table answered an access of ${entryName(state.world, object)} while Memory Space Enable of the function is 0: nobody may claim the access, reads give all ones.`,
                evidence: writes.evidenceOf(fn),
              });
          }
        }
        if (state.world.type(object) === device) {
          const enabled = pciCommand.f.memory.flag(state, object, device.at.command);
          if (enabled) settable.add(object);
          // It was written as 1 and reads 0: the write changed nothing.
          else if (enabled === false && kind === cfgRead && on.has(object)) settable.delete(object);
          if (enabled) on.add(object);
          else on.delete(object);
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
