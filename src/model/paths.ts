import { PathTable } from '../base/path-pattern.ts';
import { withoutSystem } from './namespace.ts';
import type { ObjectType } from './objects.ts';
import { avic, gaLog } from './things/avic.ts';
import { grant, imsEntry, ioas, ioasMap, permission, piDescriptor, queue, vmsi } from './things/ims.ts';
import { cpu, domain, intid, irq, irqDescriptor, irqThread, pin, softirq, vector } from './things/irq.ts';
import { guestStream, hwQueue, vdevice, veventq, viommu } from './things/nested.ts';
import { bar, device, mention, msi, msixCap, msixEntry, table } from './things/pci.ts';
import { interruptHandle, ntbCopy, pasidEntry, queueUser } from './things/queue.ts';
import {
  amdIrte,
  gicFrame,
  irte,
  its,
  itsCollection,
  itsDevice,
  itsEvent,
  itsVpe,
  lpiConfig,
  remapUnit,
  smmuStream,
} from './things/remap.ts';
import { aplic, aplicSource, imsic, imsicId } from './things/riscv.ts';
import { kernelCount, listing } from './things/snapshot.ts';
import {
  kvmEntrySource,
  kvmGsi,
  kvmIrqfd,
  kvmRoute,
  kvmTable,
  kvmVm,
  vcpu,
  vcpuVector,
  vfioDevice,
  vfioVector,
} from './things/virt.ts';
import { evtchn, pirq } from './things/xen.ts';

/** Path patterns with the type of the object that stands there; `*` is any one segment. First match wins. */
export const pathTypes = [
  ['device/*', device],
  ['device/*/bar/*', bar],
  ['device/*/msixcap', msixCap],
  ['device/*/msix/*', msixEntry],
  ['device/*/msi', msi],
  ['device/*/ims/*', imsEntry],
  ['device/*/perm/*', permission],
  ['device/*/queue/*', queue],
  ['device/*/queue/*/user/*', queueUser],
  ['device/*/pasid/*', pasidEntry],
  ['device/*/handle/*', interruptHandle],
  ['ntb/*/peer/*/desc/*', ntbCopy],
  ['table/*', table],
  ['table/*/msix/*', msixEntry],
  ['irq/*', irq],
  ['irq/*/descriptor', irqDescriptor],
  ['irq/*/thread/*', irqThread],
  ['guest/*/irq/*', irq],
  ['guest/*/domain/*', domain],
  ['cpu/*', cpu],
  ['cpu/*/vector/*', vector],
  ['cpu/*/intid/*', intid],
  ['cpu/*/imsic', imsic],
  ['cpu/*/imsic/*', imsicId],
  ['cpu/*/softirq/*', softirq],
  ['domain/*', domain],
  ['ioapic/*/pin/*', pin],
  ['aplic/*', aplic],
  ['aplic/*/source/*', aplicSource],
  ['gic/*/spi/*', pin],
  ['gic/*/redist/*/ppi/*', pin],
  ['gic/*/frame/*', gicFrame],
  ['gic/*/lpi/*', lpiConfig],
  ['irte/*', remapUnit],
  ['irte/amdvi-*/*', amdIrte],
  ['irte/*/*', irte],
  ['its/*', its],
  ['its/*/device/*', itsDevice],
  ['its/*/device/*/event/*', itsEvent],
  ['its/*/collection/*', itsCollection],
  ['its/*/vpe/*', itsVpe],
  ['smmu/*/stream/*', smmuStream],
  ['smmu/*/stream/*/s1/*', ioasMap],
  ['vfio/*', vfioDevice],
  ['vfio/*/msixcap', msixCap],
  ['vfio/*/msicap', msi],
  ['vfio/*/*/*', vfioVector],
  ['kvm/*', kvmVm],
  ['kvm/*/route/*', kvmRoute],
  ['kvm/*/irqfd/*', kvmIrqfd],
  ['kvm/*/gsi/*', kvmGsi],
  ['kvm/*/msix/*', kvmTable],
  ['kvm/*/msix/*/entry/*', kvmEntrySource],
  ['apic/vector/*', vcpuVector],
  ['vcpu/*', vcpu],
  ['vcpu/*/vector/*', vcpuVector],
  ['vcpu/*/pi', piDescriptor],
  ['cpu/*/pi', piDescriptor],
  ['vcpu/*/avic', avic],
  ['galog/*', gaLog],
  ['vcpu/*/intid/*', vcpuVector],
  ['iommufd/*/ioas/*', ioas],
  ['iommufd/*/ioas/*/map/*', ioasMap],
  ['iommufd/*/hwpt/*/map/*', ioasMap],
  ['iommufd/*/vmsi/*/*', vmsi],
  ['iommufd/*/viommu/*', viommu],
  ['iommufd/*/viommu/*/vdevice/*', vdevice],
  ['iommufd/*/viommu/*/stream/*', guestStream],
  ['iommufd/*/viommu/*/veventq', veventq],
  ['iommufd/*/viommu/*/hwqueue/*', hwQueue],
  ['hypervisor/grant/*', grant],
  ['xen/*/pirq/*', pirq],
  ['xen/*/evtchn/*', evtchn],
  ['snapshot/*', listing],
  ['arch/*', kernelCount],
  ['softirq/*', kernelCount],
] as const satisfies readonly (readonly [string, ObjectType])[];

type PathPattern = (typeof pathTypes)[number][0];

/** All that a pattern leads through. */
type Above<Pattern extends string> = Pattern extends `${infer First}/${infer Rest}`
  ? First | `${First}/${Above<Rest>}`
  : never;

/** The patterns of nodes that lead to objects and are none themselves. `irte/amdvi-*` is an object as `irte/*` is. */
export type GroupPattern = Exclude<Above<PathPattern>, PathPattern | 'irte/amdvi-*'>;

/** First segments of paths of things that traces only mention: nothing with that beginning has a state of its own. */
export const mentionedRoots = [
  'apic',
  'buffer',
  'iommu',
  'log',
  'marker',
  'message',
  'pba',
  'probe',
  'virtio',
] as const;
export type MentionedRoot = (typeof mentionedRoots)[number];

const typeTable = new PathTable<ObjectType>(pathTypes);

/** The type of the object at a path; `mention` for paths that name nothing with a state of its own. */
export function typeOfPath(path: string): ObjectType {
  return typeTable.find(withoutSystem(path)) ?? mention;
}
