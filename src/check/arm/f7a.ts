import { msiPrepare } from '../../model/events/domain.ts';
import { each } from '../history.ts';
import { numbered } from '../remap/names.ts';
import type { Rule } from '../rule.ts';

const WHY: Readonly<Record<number, string>> = {
  [-75]: 'no page is left in the window of software MSI addresses (EOVERFLOW)',
  [-95]: 'the domain of the device knows no way to map a doorbell (EOPNOTSUPP)',
};

/** F7A. */
export const mapsSoftwareMsi: Rule<'F7A'> = {
  id: 'F7A',
  names: [],
  title: 'No I/O virtual address for a doorbell',
  meaning: 'The owner of the translation of a device finds an address for each doorbell that the device needs.',
  severity: 'error',
  reference: 'drivers/iommu/iommufd/driver.c iommufd_sw_msi; drivers/iommu/dma-iommu.c iommu_dma_sw_msi',
  kinds: [msiPrepare],
  needs: [[msiPrepare]],
  needsAll: false,
  confirm:
    'the reserved regions of the group (/sys/kernel/iommu_groups/<n>/reserved_regions) and how many doorbells its devices use',
  watch(report) {
    return each((step, { object, words, at }, state) => {
      const { ret, device, index } = msiPrepare.read(words, at);
      const why = ret === undefined ? undefined : WHY[ret];
      if (why === undefined) return true;
      const vector = `vector ${index} of ${state.world.strings.text(device)}`;
      report({
        step,
        object,
        title: `There is no I/O virtual address for the doorbell of ${vector} (${ret})`,
        text: `${numbered('irq', state.world, object)}, ${vector}, got no address for its doorbell: ${why}. The allocation fails.`,
        evidence: [],
      });
      return true;
    });
  },
};
