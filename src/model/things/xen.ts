import { objectType } from '../objects.ts';
import { byNumber, byText } from '../reference.ts';

/** A physical interrupt of a domain of Xen: `xen/<domain>/pirq/<n>`. */
export const pirq = objectType('pirq', 'A PIRQ: the number under which a domain of Xen knows a physical interrupt.', {
  device: { kind: 'text', meaning: 'Function that raises it.', ref: byText('the function that raises it', 'device') },
  entry: { kind: 'num', meaning: 'Entry of the MSI-X table of that function; 0 with MSI.' },
  irq: { kind: 'num', meaning: 'Interrupt of Xen behind it.', ref: byNumber('the interrupt of Xen behind it', 'irq') },
  needsEoi: {
    kind: 'flag',
    meaning:
      'The domain has to end each of its interrupts by hypercall (XENIRQSTAT_needs_eoi, or its bit in the EOI map).',
  },
  held: {
    kind: 'flag',
    meaning:
      'Xen masked the interrupt, because one came while its event still waited: until the domain ends it, or 1 ms.',
  },
  eois: { kind: 'count', meaning: 'PHYSDEVOP_eoi of the domain so far.' },
  holds: { kind: 'count', meaning: 'How often Xen masked it so far.' },
});

/** An event channel of a domain: `xen/<domain>/evtchn/<port>`. */
export const evtchn = objectType('evtchn', 'An event channel of a domain of Xen, named by its port.', {
  pirq: { kind: 'num', meaning: 'PIRQ that it is bound to.' },
  vcpu: {
    kind: 'num',
    meaning: 'Virtual CPU that is told of its events.',
    ref: byNumber('the virtual CPU that is told of its events', 'vcpu'),
  },
  bound: { kind: 'flag', meaning: 'It is bound, and not closed.' },
  masked: { kind: 'flag', meaning: 'Its bit in evtchn_mask: events wait.' },
  pending: { kind: 'flag', meaning: 'Its bit in evtchn_pending: an event came that was not acknowledged.' },
  events: { kind: 'count', meaning: 'Events so far.' },
  taken: { kind: 'count', meaning: 'Events that the kernel acknowledged so far.' },
});
