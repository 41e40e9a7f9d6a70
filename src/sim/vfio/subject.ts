import type { Subject } from '../subject.ts';
import { installVfio } from './assigned-devices.ts';
import { vfioOperations } from './operations.ts';
import { resetOperations } from './reset-operations.ts';

/** Devices that are assigned to guests. */
export const vfioSubject: Subject = {
  operations: [...vfioOperations, ...resetOperations],
  install: { assignment: installVfio },
};
