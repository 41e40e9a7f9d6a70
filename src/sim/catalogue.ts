// Everything that a scenario can be made of: parts, operations, policies. New ones are entered here.

import type { OperationSpec } from './operation.ts';
import { functionOperations } from './operations/function.ts';
import { installHost } from './parts/host.ts';
import { installIms } from './parts/ims-domain.ts';
import { installVms } from './parts/vm.ts';
import type { Policy } from './policy.ts';
import type { System } from './system.ts';

/** Puts the parts of a scenario together, in this order. */
export const installers: readonly ((system: System) => void)[] = [installHost, installIms, installVms];

/** Operations by name. */
export const operations: ReadonlyMap<string, OperationSpec> = new Map(
  [...functionOperations].map((spec) => [spec.name, spec]),
);

/** Policies by name. */
export const policies: ReadonlyMap<string, Policy> = new Map(([] as Policy[]).map((p) => [p.name, p]));
