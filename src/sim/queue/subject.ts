import type { Subject } from '../subject.ts';
import { installQueues } from './front-ends.ts';
import { queueOperations } from './operations.ts';

/** Queues of functions, their front ends and PASIDs. */
export const queueSubject: Subject = {
  operations: [...queueOperations],
  install: { functions: installQueues },
};
