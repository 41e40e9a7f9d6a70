import { refused } from '../../model/event.ts';
import { domActivate, domAlloc, msiPrepare } from '../../model/events/domain.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { LastEvents, steps } from '../history.ts';
import { numbered } from '../remap/names.ts';
import type { Rule } from '../rule.ts';

/** F72. */
export const refusesMissingAddress: Rule<'F72'> = {
  id: 'F72',
  names: ['INV-PROV'],
  title: 'Interrupt set up without a message address',
  meaning: 'Where user space owns the translation of a device and gave no address for a vector, its allocation fails.',
  severity: 'error',
  reference:
    'drivers/iommu/dma-iommu.c, iommufd_sw_msi; proposal of per-vector addresses: an index without an address is an error',
  kinds: [msiPrepare, domAlloc, domActivate, msgWrite],
  needs: [[msiPrepare]],
  needsAll: false,
  confirm: 'kprobes on iommu_dma_prepare_msi (return value) and __pci_write_msi_msg',
  watch(report) {
    /** Irqs whose preparation failed, until their allocation fails too. */
    const failed = new LastEvents();
    let judged = 0;
    return {
      event(step, { kind, object, words, at, time }, state) {
        if (kind === msiPrepare) {
          const { ret } = msiPrepare.read(words, at);
          judged++;
          if (ret !== undefined && ret < 0) {
            failed.note(object, step, time);
          } else failed.forget(object);
          return;
        }
        if (!failed.has(object)) return;
        if (kind === domAlloc) {
          const { free, ret } = domAlloc.read(words, at);
          if (free || refused(ret)) {
            failed.forget(object);
            return;
          }
        }
        if (kind === domActivate) {
          const { activate, ret } = domActivate.read(words, at);
          if (!activate || refused(ret)) return;
        }
        if (kind === msgWrite) {
          const { address } = msgWrite.read(words, at);
          if (address(0) === 0 && address(1) === 0) return;
        }
        const since = failed.step(object);
        failed.forget(object);
        const name = numbered('irq', state.world, object);
        report({
          step,
          object,
          title: `${name} goes on although there is no message address for it`,
          text: `The owner of the translation has no address at which the device behind ${name} reaches its doorbell, and refused; ${name} was set up all the same (${kind.name}). Its device will write to an address that is not mapped.`,
          evidence: steps(since),
        });
      },
      lost: () => failed.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
