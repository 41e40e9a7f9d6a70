import { objectType } from '../objects.ts';
import {
  msiAddress,
  msiControl,
  msiData,
  msiMask,
  msiPending,
  msixAddress,
  msixControl,
  msixData,
  msixPba,
  msixTable,
  msixVectorControl,
  pciCommand,
} from '../registers/pci.ts';

/** A PCI function: `device/<segment:bus:device.function>`, or its name where the trace does not tell the BDF. */
export const device = objectType('device', 'A PCI function.', {
  name: { kind: 'text', meaning: 'Driver or device model, as the trace names it.' },
  command: { kind: 'reg', register: pciCommand, meaning: 'PCI Command register.' },
  vendor: { kind: 'hex', meaning: 'Vendor ID (bits 15:0) and Device ID (bits 31:16), config offset 0.' },
  msixAt: { kind: 'hex', meaning: 'Config offset of the MSI-X capability.' },
  msiAt: { kind: 'hex', meaning: 'Config offset of the MSI capability.' },
  raises: { kind: 'count', meaning: 'Interrupt causes that the device model reported without naming a vector.' },
  group: { kind: 'num', meaning: 'IOMMU group that the kernel put it in.' },
  class: { kind: 'text', meaning: 'Class of the function, in words or as a number of four hexadecimal digits.' },
  model: { kind: 'text', meaning: 'Vendor and device in words, as lspci prints them.' },
  driver: { kind: 'text', meaning: 'Driver that is bound to it.' },
  node: { kind: 'int', meaning: 'NUMA node that it is near to.' },
  pin: { kind: 'num', meaning: 'INTx pin that it uses: 1 (INTA) to 4 (INTD).' },
  irq: { kind: 'num', meaning: 'Linux irq of its INTx pin, or of its first MSI vector while MSI is enabled.' },
  atsEnabled: { kind: 'flag', meaning: 'Address Translation Service is enabled.' },
  priEnabled: { kind: 'flag', meaning: 'Page requests are enabled.' },
  pasidEnabled: { kind: 'flag', meaning: 'Requests may carry a PASID.' },
  vfs: { kind: 'num', meaning: 'Virtual functions that are there (SR-IOV); 0 while they are off.' },
  totalVfs: { kind: 'num', meaning: 'Virtual functions that it can have.' },
  hasIms: {
    kind: 'flag',
    meaning: 'It says that it has an Interrupt Message Store (capability of Scalable I/O Virtualization).',
  },
  vfio: { kind: 'text', meaning: 'BDF of the host function behind this one, for a device assigned through VFIO.' },
  config: {
    kind: 'hex',
    words: 64,
    hidden: true,
    meaning: 'Config space bytes 0 to 0xff as far as reads showed them.',
  },
});

/** A base address register as mapped: `device/<bdf>/bar/<n>`. */
export const bar = objectType('bar', 'A base address register as the host maps it; number 6 is the expansion ROM.', {
  address: { kind: 'hex', words: 2, meaning: 'Guest-physical address where the region starts.' },
  size: { kind: 'hex', words: 2, meaning: 'Bytes that it covers.' },
  mapped: { kind: 'flag', meaning: 'Whether the region answers at that address now.' },
  io: { kind: 'flag', meaning: 'It is one of I/O ports, not of memory.' },
});

/** The MSI-X capability: `device/<bdf>/msixcap`. */
export const msixCap = objectType('msixcap', 'The MSI-X capability of a function.', {
  control: { kind: 'reg', register: msixControl, meaning: 'Message Control.' },
  table: { kind: 'reg', register: msixTable, meaning: 'Where the table lies.' },
  pba: { kind: 'reg', register: msixPba, meaning: 'Where the pending bit array lies.' },
});

/** One MSI-X table entry: `device/<bdf>/msix/<i>`, or `table/<address>/msix/<i>` while its device is not known. */
export const msixEntry = objectType('msix', 'One entry of an MSI-X table.', {
  address: { kind: 'reg', register: msixAddress, meaning: 'Message Address.' },
  data: { kind: 'reg', register: msixData, meaning: 'Message Data.' },
  control: { kind: 'reg', register: msixVectorControl, meaning: 'Vector Control.' },
  pending: { kind: 'flag', meaning: 'Pending bit: a cause waits for the mask to be cleared.' },
  writes: { kind: 'count', meaning: 'Writes to this entry so far.' },
  reads: { kind: 'count', meaning: 'Reads of this entry so far.' },
  raises: { kind: 'count', meaning: 'Causes that the device model reported for this vector so far.' },
  sends: { kind: 'count', meaning: 'Messages seen on the bus so far that carry the address and data of this entry.' },
});

/** The MSI capability: `device/<bdf>/msi`. */
export const msi = objectType('msi', 'The MSI capability of a function.', {
  control: { kind: 'reg', register: msiControl, meaning: 'Message Control.' },
  address: { kind: 'reg', register: msiAddress, meaning: 'Message Address.' },
  data: { kind: 'reg', register: msiData, meaning: 'Message Data.' },
  mask: { kind: 'reg', register: msiMask, meaning: 'Mask bits, one per vector.' },
  pending: { kind: 'reg', register: msiPending, meaning: 'Pending bits, one per vector.' },
  raises: { kind: 'count', meaning: 'Causes that the device model reported so far.' },
  sends: { kind: 'count', meaning: 'Messages seen on the bus so far that carry this address and data.' },
});

/** An MSI-X table of which only the address is known: `table/<hex address>`. */
export const table = objectType('table', 'An MSI-X table whose device the trace has not shown yet.', {
  address: { kind: 'hex', words: 2, meaning: 'Guest-physical address of the page in which the first access fell.' },
});

/** An object without state of its own: events name it, but no tree shows it. */
export const mention = objectType('mention', 'An object that the trace names without telling any state of it.', {});
