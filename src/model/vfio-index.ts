/** An interrupt index of a VFIO PCI device: the interrupts that VFIO_DEVICE_SET_IRQS names together. */
export interface VfioIndex {
  /** Its name in paths that people write (`vfio/<device>/msix/0`); the path itself has the number. */
  readonly name: string;
  /** Its name on screen. */
  readonly title: string;
}

/**
 * The interrupt indexes in the order of their numbers: VFIO_PCI_INTX_IRQ_INDEX to VFIO_PCI_REQ_IRQ_INDEX of
 * include/uapi/linux/vfio.h.
 */
export const vfioIndexes = [
  { name: 'intx', title: 'INTx' },
  { name: 'msi', title: 'MSI' },
  { name: 'msix', title: 'MSI-X' },
  { name: 'err', title: 'error' },
  { name: 'req', title: 'request' },
] as const satisfies readonly VfioIndex[];

/** The number of each interrupt index. */
export const VFIO_INDEX = { intx: 0, msi: 1, msix: 2, err: 3, req: 4 } as const satisfies Readonly<
  Record<(typeof vfioIndexes)[number]['name'], number>
>;

/** The name on screen of an interrupt index, by its number in a path. */
export const vfioIndexTitle = (number: string): string => vfioIndexes[Number(number)]?.title ?? `index ${number}`;
