import type { ObjectId, Step } from '../../base/ids.ts';
import { devReset } from '../../model/events/function.ts';
import { tblWrite } from '../../model/events/msix.ts';
import { msixVectorControl } from '../../model/registers/pci.ts';
import { device, msixEntry } from '../../model/things/pci.ts';
import { tableKinds } from '../kinds.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';
import { entriesOf } from './entries.ts';
import { Held } from './held.ts';

const { reserved1 } = msixVectorControl.f;
const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

/** F08. */
export const keepsReserved: Rule<'F08'> = {
  id: 'F08',
  names: ['INV-CTRL'],
  title: 'Reserved control bits changed',
  meaning: 'A write of Vector Control leaves bits 15:1, which are reserved, as they were read.',
  reference: 'PCIe 7.7.2.8; kernel bugzilla 204887 (a controller whose reserved bits are not 0)',
  severity: 'error',
  kinds: tableKinds,
  needs: [[tblWrite]],
  needsAll: false,
  confirm:
    'reads of Vector Control before and after; the mask that software believes in (irq debugfs, dmesg after resume)',
  watch(report, scene) {
    const held = new Held();
    const seen = new Map<ObjectId, Step>();
    let judged = 0;
    return {
      event(step, { kind, object }, state) {
        const type = state.world.type(object);
        if (type === device) {
          if (kind === devReset) for (const entry of entriesOf(state, object)) held.forget(entry);
          return;
        }
        if (type !== msixEntry) {
          held.clear();
          return;
        }
        const { bits, known } = held.control(object);
        const value = state.get(object, msixEntry.at.control);
        if (kind === tblWrite && known !== 0) {
          judged++;
          const changed = (bits ^ value) & known & state.known(object, msixEntry.at.control);
          if (reserved1.in(changed)) {
            const before = seen.get(object);
            const name = entryName(scene.world, object);
            report({
              step,
              object,
              title: `reserved bits of Vector Control of ${name} were changed`,
              text: `Vector Control of ${name} was ${hex(bits)} and is ${hex(value)} now: bits 15:1 are reserved and must be written as they were read. Software that takes the whole dword for the mask does this, and masks for good where a function has them set.`,
              evidence: before === undefined ? [] : [before],
            });
          }
        }
        held.keep(state, object, msixEntry.at.address, msixEntry.at.control);
        seen.set(object, step);
      },
      lost() {
        held.clear();
        seen.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
