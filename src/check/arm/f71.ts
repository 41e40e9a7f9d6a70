import { hex64 } from '../../base/hex.ts';
import type { ObjectId } from '../../base/ids.ts';
import { vmsiSet } from '../../model/events/iommufd.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { vmsi } from '../../model/things/ims.ts';
import { LastEvents, steps } from '../history.ts';
import type { Rule } from '../rule.ts';
import { pageOf } from './doorbell.ts';
import { vectorKey, vectorName, vmsiKey } from './vmsi.ts';

/** F71. */
export const writesGivenAddress: Rule<'F71'> = {
  id: 'F71',
  names: ['INV-VMSI'],
  title: 'Message with another address than user space gave',
  meaning: 'Where user space gave a message address for a vector, the device is programmed with it.',
  severity: 'error',
  reference: 'drivers/iommu/iommufd (software MSI); proposal of per-vector addresses, 2024-11 to 2025-10',
  kinds: [vmsiSet, msgWrite],
  needs: [[vmsiSet], [msgWrite]],
  needsAll: false,
  confirm: 'a kprobe on __pci_write_msi_msg, and the address that the guest maps for its doorbell in stage 1',
  watch(report) {
    const given = new Map<string, ObjectId>();
    const sets = new LastEvents();
    /** The wrong page that was told of, by irq. */
    const told = new Map<ObjectId, number>();
    let judged = 0;
    return {
      event(step, { kind, object, words, at, time }, state) {
        if (kind === vmsiSet) {
          given.set(vmsiKey(state.world, object), object);
          sets.note(object, step, time);
          return;
        }
        if (given.size === 0) return;
        const { address } = msgWrite.read(words, at);
        const [lo, hi] = [address(0), address(1)];
        if (lo === 0 && hi === 0) return;
        const key = vectorKey(state, object);
        const target = given.get(key) ?? -1;
        if (target < 0 || !state.present(target)) return;
        const wanted = [state.num(target, vmsi.at.iova), state.num(target, vmsi.at.iova + 1)] as const;
        judged++;
        if (pageOf(...wanted) === pageOf(lo, hi)) {
          told.delete(object);
          return;
        }
        // What was composed once is written again from what the kernel remembers.
        if (told.get(object) === pageOf(lo, hi)) return;
        told.set(object, pageOf(lo, hi));
        report({
          step,
          object,
          title: `${vectorName(key)} was programmed with ${hex64(hi, lo)} instead of the address that user space gave`,
          text: `The kernel wrote a message with address ${hex64(hi, lo)} for ${vectorName(key)}; user space gave ${hex64(wanted[1], wanted[0])} for it. What the device sends goes to an address that stage 1 of the guest does not map, or maps to something else.`,
          evidence: steps(sets.step(target)),
        });
      },
      lost() {},
      get judged() {
        return judged;
      },
    };
  },
};
