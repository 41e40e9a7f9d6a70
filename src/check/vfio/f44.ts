import type { ObjectId, Step } from '../../base/ids.ts';
import { devRaise, devUse } from '../../model/events/msix.ts';
import { vfioReset } from '../../model/events/vfio.ts';
import { ownerOf } from '../../model/masking.ts';
import { msixControl } from '../../model/registers/pci.ts';
import { msixCap, msixEntry } from '../../model/things/pci.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** F44. */
export const raisesOnlyUsed: Rule<'F44'> = {
  id: 'F44',
  names: ['INV-USE'],
  title: 'Vector raised that the device model does not use',
  meaning: 'A device model raises only vectors that it uses; msix_notify returns silently for all others.',
  severity: 'error',
  reference: 'hw/pci/msix.c msix_notify, msix_vector_use (msix_entry_used)',
  kinds: [devUse, devRaise, vfioReset],
  needs: [[devUse], [devRaise]],
  needsAll: false,
  confirm: 'a breakpoint in msix_notify at the return for msix_entry_used = 0',
  watch(report, { world }) {
    /** Entries that are not used, and the event that said so. */
    const unused = new Map<ObjectId, Step>();
    let judged = 0;
    return {
      event(step, { kind, object, words, at }, state) {
        if (world.type(object) !== msixEntry) return;
        if (kind === devUse) {
          if (devUse.read(words, at).used) unused.delete(object);
          else unused.set(object, step);
          return;
        }
        if (kind !== devRaise) return;
        judged++;
        const since = unused.get(object);
        if (since === undefined) return;
        const cap = world.node(ownerOf(state, object))?.children.get('msixcap')?.object ?? -1;
        // With MSI-X off the model raises its line instead.
        if (msixControl.f.enable.flag(state, cap, msixCap.at.control) === false) return;
        report({
          step,
          object,
          title: `${entryName(world, object)} was raised although the device model does not use it`,
          text: `The device model gave ${entryName(world, object)} up before; QEMU drops what it raises there without a word, and no pending bit keeps it.`,
          evidence: [since],
          lost: true,
        });
      },
      lost: () => unused.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
