// Everything that a scenario can be made of: parts, operations, policies. New ones are entered here.

import type { OperationSpec } from './operation.ts';
import { functionOperations } from './operations/function.ts';
import { irqOperations } from './operations/irq.ts';
import { remapOperations } from './operations/remap.ts';
import { affinityStrategy } from './parts/affinity.ts';
import { installHost } from './parts/host.ts';
import { installIms } from './parts/ims-domain.ts';
import { installRemap } from './parts/remap-domain.ts';
import { installVms } from './parts/vm.ts';
import { hypervisorPolicies } from './policies/hypervisor.ts';
import { vectorCleanup } from './parts/vector.ts';
import type { Policy } from './policy.ts';
import type { System } from './system.ts';

/** Puts the parts of a scenario together, in this order. */
export const installers: readonly ((system: System) => void)[] = [installHost, installRemap, installIms, installVms];

/** Operations by name. */
export const operations: ReadonlyMap<string, OperationSpec> = new Map(
  [...functionOperations, ...irqOperations, ...remapOperations].map((spec) => [spec.name, spec]),
);

/** Policies by name. */
export const policies: ReadonlyMap<string, Policy> = new Map(
  ([affinityStrategy, vectorCleanup, ...hypervisorPolicies] as Policy[]).map((p) => [p.name, p]),
);
