import { objectType } from '../objects.ts';
import { byNumber, byText } from '../reference.ts';
import { idxdMsixPermission, imsControl } from '../registers/ims.ts';
import { msixAddress, msixData } from '../registers/pci.ts';
import { postedControl } from '../registers/posted.ts';

/** An IMS entry: `device/<bdf>/ims/<i>`. */
export const imsEntry = objectType('ims', 'An entry of the interrupt message storage of a function.', {
  address: { kind: 'reg', register: msixAddress, meaning: 'Message Address.' },
  data: { kind: 'reg', register: msixData, meaning: 'Message Data.' },
  control: { kind: 'reg', register: imsControl, meaning: 'Control: mask and PASID.' },
  pending: { kind: 'flag', meaning: 'A cause waits for the mask to be cleared.' },
  store: { kind: 'text', meaning: 'Where the entry lies: device memory, or queue memory (which the guest can write).' },
  owner: { kind: 'text', meaning: 'Who allocated it.' },
  virq: { kind: 'num', meaning: 'Linux irq of the host behind it.', ref: byNumber('the irq behind it', 'irq') },
  writes: { kind: 'count', meaning: 'Writes so far.' },
  raises: { kind: 'count', meaning: 'Causes so far.' },
  sends: { kind: 'count', meaning: 'Messages so far.' },
});

/** An entry of the MSI-X permission table: `device/<bdf>/perm/<i>`. */
export const permission = objectType('perm', 'An entry of the MSI-X permission table of a function.', {
  value: { kind: 'reg', register: idxdMsixPermission, meaning: 'Which PASID may name the vector.' },
});

/** A queue of a function: `device/<bdf>/queue/<n>`. */
export const queue = objectType('queue', 'A queue of a function. It is no device, but interrupts can belong to it.', {
  front: { kind: 'text', meaning: 'Through which interface it was created, such as cdev or VFIO.' },
  state: { kind: 'text', meaning: 'created, bound, enabled, draining or destroyed.' },
  pasid: { kind: 'num', meaning: 'PASID that it is bound to.' },
  handle: { kind: 'num', meaning: 'Interrupt handle that its descriptors name.' },
  submitted: { kind: 'count', meaning: 'Descriptors submitted so far.' },
  completed: { kind: 'count', meaning: 'Descriptors completed so far.' },
  failed: { kind: 'count', meaning: 'Descriptors completed with an error so far.' },
  owner: { kind: 'text', meaning: 'Who it was created for.' },
});

/** A posted-interrupt descriptor: of a virtual CPU, `vcpu/<n>/pi`, or of a CPU of a host with posted MSI, `cpu/<n>/pi`. */
export const piDescriptor = objectType('pi', 'The posted-interrupt descriptor of a CPU or a virtual CPU.', {
  pir: { kind: 'hex', words: 8, meaning: 'Posted-interrupt requests: bit n is vector n.' },
  control: { kind: 'reg', register: postedControl, meaning: 'Notification state.' },
});

/** An I/O address space of iommufd: `iommufd/<id>/ioas/<n>`. */
export const ioas = objectType('ioas', 'An I/O address space of iommufd.', {
  maps: { kind: 'count', meaning: 'Mappings made so far.' },
});

/** A mapping of an address space that matters for messages: `iommufd/<id>/ioas/<n>/map/<hex iova>`. */
export const ioasMap = objectType('ioasmap', 'A mapping of an I/O address space.', {
  output: { kind: 'hex', words: 2, meaning: 'Where it leads.' },
  size: { kind: 'hex', words: 2, meaning: 'Bytes that it covers.' },
});

/** A vMSI address that user space gave: `iommufd/<id>/vmsi/<device>/<index>`. */
export const vmsi = objectType('vmsi', 'The message address that user space gave for one vector of one device.', {
  iova: { kind: 'hex', words: 2, meaning: 'I/O virtual address that the device must write to.' },
  window: {
    kind: 'flag',
    meaning:
      'The device still holds a message with another address: the address changed and no message was written since.',
  },
});

/** A message that a hypervisor granted: `hypervisor/grant/<n>`. */
export const grant = objectType('grant', 'A message that a hypervisor composed for a guest.', {
  device: {
    kind: 'text',
    meaning: 'Function that may send it.',
    ref: byText('the function that may send it', 'device'),
  },
  address: { kind: 'hex', words: 2, meaning: 'Message address.' },
  data: { kind: 'hex', meaning: 'Message data.' },
});
