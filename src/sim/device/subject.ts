import type { Subject } from '../subject.ts';
import { functionOperations } from './function-operations.ts';
import { installNtb } from './ntb.ts';
import { ntbOperations } from './ntb-operations.ts';

/** Functions, their MSI-X tables, and bridges. */
export const deviceSubject: Subject = {
  operations: [...functionOperations, ...ntbOperations],
  install: { functions: installNtb },
};
