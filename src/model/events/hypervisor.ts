import { eventKind } from '../event.ts';
import { grant } from '../things/ims.ts';

/** A hypervisor grants or takes back a message. Object: the grant. */
export const hcallGrant = eventKind(
  'hcall.grant',
  'allocate',
  [grant],
  'A hypervisor composed a message for a function of a guest, or took it back.',
  { device: 's', address: 'xx', data: 'x', release: 'flag' },
  (state, e, a) => {
    if (a.release) {
      state.remove(e.object);
      return;
    }
    state.set(e.object, grant.at.device, a.device);
    state.set(e.object, grant.at.address, a.address(0));
    state.set(e.object, grant.at.address + 1, a.address(1));
    state.set(e.object, grant.at.data, a.data);
  },
);

export const kvmHypercall = eventKind('hcall', 'call', [], 'A hypercall.', {
  number: 'xx',
  input: 'xx?',
  output: 'xx?',
});

export const hcallReturn = eventKind('hcall.return', 'call', [], 'A hypercall returned: 0, or a negative errno.', {
  number: 'xx',
  ret: 'i',
  output: 'xx?',
});

/** A message of a Hyper-V guest to the virtual PCI bus of its host. Object: the guest. */
export const vpciMessage = eventKind(
  'vpci.message',
  'call',
  [],
  'A guest of Hyper-V asks over VMBus for the message of an interrupt (0x42490014), or gives it back (0x42490015).',
  { message: 'x', device: 's', index: 'u', vector: 'u?', vcpu: 'u?' },
);

/** Object: the guest. */
export const vpciAnswer = eventKind(
  'vpci.answer',
  'call',
  [],
  'The host answers over VMBus: an NTSTATUS, and the message for the device where there is one.',
  { message: 'x', status: 'x', address: 'xx?', data: 'x?' },
);

export const hypervisorEvents = [kvmHypercall, hcallReturn, hcallGrant, vpciMessage, vpciAnswer];
