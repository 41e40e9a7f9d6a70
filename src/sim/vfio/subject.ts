import type { Subject } from '../subject.ts';
import { installVfio } from './assigned-devices.ts';
import { vfioOperations } from './operations.ts';

/** Devices that are assigned to guests. */
export const vfioSubject: Subject = {
  operations: [...vfioOperations],
  install: { assignment: installVfio },
};
