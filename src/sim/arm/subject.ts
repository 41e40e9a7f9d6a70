import type { Subject } from '../subject.ts';
import { installArmHost } from './arm-host.ts';
import { installGicv4 } from './gicv4/forwarding.ts';
import { gicv4Operations } from './gicv4/operations.ts';
import { iommufdOperations } from './iommufd-operations.ts';
import { itsOperations } from './its-operations.ts';
import { installNested, nestedOperations } from './nested/operations.ts';

/** GIC, ITS and SMMU of Arm hosts, and iommufd. */
export const armSubject: Subject = {
  operations: [...itsOperations, ...gicv4Operations, ...iommufdOperations, ...nestedOperations],
  install: { architecture: installArmHost, assignment: installNested, posting: installGicv4 },
};
