import { faultRule, UNNAMED } from './fault.ts';

/** F30. */
export const usesPresentEntries = faultRule(
  {
    id: 'F30',
    names: ['INV-PRESENT'],
    title: 'Message for an entry that is not present',
    meaning: 'A device sends messages only for table entries that are present.',
    reference:
      'VT-d 5.1.4.1 (fault 0x22), AMD IOMMU 2.2.5.2 (RemapEn); drivers/iommu/intel/dmar.c irq_remap_fault_reasons',
    confirm:
      'irq_vectors:vector_activate and vector_deactivate of the irq, and a kprobe on modify_irte: was the device quiet before free_irq()?',
  },
  [0x22],
  /RemapEn|not present|no interrupt table|IntCtl/i,
  {
    did: (entry, index) =>
      `used ${index === undefined && entry === UNNAMED ? 'an entry' : entry}, which is not present`,
  },
);
