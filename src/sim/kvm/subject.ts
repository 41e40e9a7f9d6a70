import type { Subject } from '../subject.ts';
import { apicOperations } from './apic-operations.ts';
import { guestAffinity, guestOperations } from './guest-operations.ts';
import { installVms } from './install.ts';
import { kvmOperations } from './table-operations.ts';
import { vmOperations } from './vm-operations.ts';

/** Virtual machines of KVM, their VMM and guests. */
export const kvmSubject: Subject = {
  operations: [...guestOperations, guestAffinity, ...vmOperations, ...kvmOperations, ...apicOperations],
  install: { machines: installVms },
};
