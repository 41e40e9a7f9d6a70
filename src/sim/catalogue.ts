// Everything that a scenario can be made of: parts, operations, policies. New ones are entered here.

import type { OperationSpec } from './operation.ts';
import { functionOperations } from './operations/function.ts';
import { hypervisorOperations } from './operations/hypervisor.ts';
import { imsOperations } from './operations/ims.ts';
import { iommufdOperations } from './operations/iommufd.ts';
import { irqOperations } from './operations/irq.ts';
import { itsOperations } from './operations/its.ts';
import { kvmOperations } from './operations/kvm.ts';
import { msiOperations } from './operations/msi.ts';
import { ntbOperations } from './operations/ntb.ts';
import { postedOperations } from './operations/posted.ts';
import { queueOperations } from './operations/queue.ts';
import { remapOperations } from './operations/remap.ts';
import { vfioOperations } from './operations/vfio.ts';
import { guestAffinity, guestOperations, vmOperations } from './operations/vm.ts';
import { affinityStrategy } from './parts/affinity.ts';
import { installArmHost } from './parts/arm-host.ts';
import { installHost } from './parts/host.ts';
import { installConsumers } from './parts/hypervisor-guest.ts';
import { installIms } from './parts/ims-domain.ts';
import { installNtb } from './parts/ntb.ts';
import { installPosted } from './parts/posted.ts';
import { installQueues } from './parts/queue-fronts.ts';
import { installRemap } from './parts/remap-domain.ts';
import { vectorCleanup } from './parts/vector.ts';
import { installVfio } from './parts/vfio-install.ts';
import { installVms } from './parts/vm.ts';
import { hypervisorPolicies } from './policies/hypervisor.ts';
import { iommufdPolicies } from './policies/iommufd.ts';
import { kvmPolicies } from './policies/kvm.ts';
import { queuePolicies } from './policies/queue.ts';
import { vfioPolicies } from './policies/vfio.ts';
import type { Policy } from './policy.ts';
import type { System } from './system.ts';

/** Puts the parts of a scenario together, in this order. */
export const installers: readonly ((system: System) => void)[] = [
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
