import type { Subject } from '../subject.ts';
import { installArmHost } from './arm-host.ts';
import { iommufdOperations } from './iommufd-operations.ts';
import { itsOperations } from './its-operations.ts';

/** GIC, ITS and SMMU of Arm hosts, and iommufd. */
export const armSubject: Subject = {
  operations: [...itsOperations, ...iommufdOperations],
  install: { architecture: installArmHost },
};
