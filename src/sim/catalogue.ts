// Everything that a scenario can contain: parts, operations, policies. New ones are added here.

import { installArmHost } from './arm/arm-host.ts';
import { iommufdOperations } from './arm/iommufd-operations.ts';
import { iommufdPolicies } from './arm/iommufd-policies.ts';
import { itsOperations } from './arm/its-operations.ts';
import { functionOperations } from './device/function-operations.ts';
import { installNtb } from './device/ntb.ts';
import { ntbOperations } from './device/ntb-operations.ts';
import { installConsumers } from './hypervisor/guest.ts';
import { hypervisorOperations } from './hypervisor/operations.ts';
import { hypervisorPolicies } from './hypervisor/policies.ts';
import { installPosted } from './iommu/posted-interrupts.ts';
import { postedOperations } from './iommu/posted-operations.ts';
import { installRemap } from './iommu/remap-domain.ts';
import { remapOperations } from './iommu/remap-operations.ts';
import { installHost } from './irq/host.ts';
import { installIms } from './irq/ims-domain.ts';
import { imsOperations } from './irq/ims-operations.ts';
import { affinityStrategy } from './irq/irq-mover.ts';
import { irqOperations } from './irq/irq-operations.ts';
import { msiOperations } from './irq/msi-operations.ts';
import { vectorCleanup } from './irq/vector-domain.ts';
import { kvmPolicies } from './kvm/policies.ts';
import { kvmOperations } from './kvm/table-operations.ts';
import { installVms } from './kvm/vm.ts';
import { guestAffinity, guestOperations, vmOperations } from './kvm/vm-operations.ts';
import type { OperationSpec } from './operation.ts';
import type { Policy } from './policy.ts';
import { installQueues } from './queue/front-ends.ts';
import { queueOperations } from './queue/operations.ts';
import { queuePolicies } from './queue/policies.ts';
import type { Setup } from './setup.ts';
import { installVfio } from './vfio/assigned-devices.ts';
import { vfioOperations } from './vfio/operations.ts';
import { vfioPolicies } from './vfio/policies.ts';

/** Puts the parts of a scenario together, in this order. */
export const installers: readonly ((setup: Setup) => void)[] = [
  installHost,
  installArmHost,
  installRemap,
  installIms,
  installQueues,
  installNtb,
  installVms,
  installVfio,
  installPosted,
  installConsumers,
];

/** Operations by name. */
export const operations: ReadonlyMap<string, OperationSpec> = new Map(
  [
    ...queueOperations,
    ...ntbOperations,
    ...msiOperations,
    ...functionOperations,
    ...imsOperations,
    ...vfioOperations,
    ...irqOperations,
    ...remapOperations,
    ...postedOperations,
    ...hypervisorOperations,
    ...itsOperations,
    ...iommufdOperations,
    ...guestOperations,
    guestAffinity,
    ...vmOperations,
    ...kvmOperations,
  ].map((spec) => [spec.name, spec]),
);

/** Policies by name. */
export const policies: ReadonlyMap<string, Policy> = new Map(
  (
    [
      affinityStrategy,
      vectorCleanup,
      ...queuePolicies,
      ...vfioPolicies,
      ...hypervisorPolicies,
      ...iommufdPolicies,
      ...kvmPolicies,
    ] as Policy[]
  ).map((p) => [p.name, p]),
);
