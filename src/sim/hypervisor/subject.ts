import type { Subject } from '../subject.ts';
import { installConsumers } from './consumers.ts';
import { hypervisorOperations } from './operations.ts';

/** Consumers of messages in guests, and who grants them. */
export const hypervisorSubject: Subject = {
  operations: [...hypervisorOperations],
  install: { consumers: installConsumers },
};
