// Joins what the folders bring, one subject each. Operations are added in a folder, not here; policies are joined in design.ts.

import { armSubject } from './arm/subject.ts';
import { deviceSubject } from './device/subject.ts';
import { hypervisorSubject } from './hypervisor/subject.ts';
import { iommuSubject } from './iommu/subject.ts';
import { irqSubject } from './irq/subject.ts';
import { kvmSubject } from './kvm/subject.ts';
import type { OperationSpec } from './operation.ts';
import { queueSubject } from './queue/subject.ts';
import { riscvSubject } from './riscv/subject.ts';
import type { Setup } from './setup.ts';
import { STAGES, type Subject } from './subject.ts';
import { vfioSubject } from './vfio/subject.ts';

/** All subjects. Within a stage their parts are put in in this order: bridges stand on queues, queues on IMS. */
const subjects: readonly Subject[] = [
  irqSubject,
  queueSubject,
  deviceSubject,
  iommuSubject,
  armSubject,
  riscvSubject,
  kvmSubject,
  vfioSubject,
  hypervisorSubject,
];

/** Puts the parts of a scenario together. */
export function install(setup: Setup): void {
  for (const stage of STAGES) for (const subject of subjects) subject.install[stage]?.(setup);
}

/** Operations by name. */
export const operations: ReadonlyMap<string, OperationSpec> = new Map(
  subjects.flatMap((subject) => subject.operations).map((spec) => [spec.name, spec]),
);
