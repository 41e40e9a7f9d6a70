import { hex64 } from '../../base/hex.ts';
import type { ObjectId } from '../../base/ids.ts';
import { msiPrepare } from '../../model/events/domain.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { LastEvents, steps } from '../history.ts';
import { numbered } from '../remap/names.ts';
import type { Rule } from '../rule.ts';
import { pageOf } from './doorbell.ts';

/** F74. */
export const writesTranslatedAddress: Rule<'F74'> = {
  id: 'F74',
  names: ['INV-COMP'],
  title: 'Physical doorbell address in a device behind an SMMU',
  meaning:
    'Where the accesses of a device are translated, its messages carry the I/O virtual address of the doorbell, not the physical one.',
  severity: 'error',
  reference:
    'drivers/iommu/dma-iommu.c iommu_dma_prepare_msi; include/linux/msi.h msi_msg_set_addr: the address is put in when the message is composed',
  kinds: [msiPrepare, msgWrite],
  needs: [[msiPrepare], [msgWrite]],
  needsAll: false,
  confirm: 'kprobes on iommu_dma_prepare_msi and __pci_write_msi_msg: which path wrote the message?',
  watch(report) {
    /** Irqs whose doorbell has an I/O virtual address: the page of the doorbell and that of the address. */
    const prepared = new LastEvents();
    const doorbells = new Map<ObjectId, number>();
    const told = new Set<ObjectId>();
    let judged = 0;
    return {
      event(step, { kind, object, words, at, time }, state) {
        if (kind === msiPrepare) {
          const { doorbell, iova, has } = msiPrepare.read(words, at);
          const page = pageOf(doorbell(0), doorbell(1));
          if (!has.iova || pageOf(iova(0), iova(1)) === page) {
            prepared.forget(object);
            return;
          }
          prepared.note(object, step, time);
          doorbells.set(object, page);
          return;
        }
        if (!prepared.has(object)) return;
        const { address } = msgWrite.read(words, at);
        const [lo, hi] = [address(0), address(1)];
        if (lo === 0 && hi === 0) return;
        judged++;
        if (pageOf(lo, hi) !== doorbells.get(object)) {
          told.delete(object);
          return;
        }
        // What was composed once is written again from what the kernel remembers.
        if (told.has(object)) return;
        told.add(object);
        const name = numbered('irq', state.world, object);
        report({
          step,
          object,
          title: `${name} was programmed with the physical doorbell ${hex64(hi, lo)}`,
          text: `The message of ${name} was written with ${hex64(hi, lo)}, the physical address of the doorbell; its device reaches the doorbell only at the I/O virtual address that was prepared for it. The path that wrote it went past the translation.`,
          evidence: steps(prepared.step(object)),
        });
      },
      lost: () => prepared.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
