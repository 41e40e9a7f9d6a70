import type { ObjectType } from './objects.ts';
import { grant, imsEntry, ioas, ioasMap, permission, piDescriptor, queue, vmsi } from './things/ims.ts';
import { cpu, domain, irq, pin, vector } from './things/irq.ts';
import { bar, device, mention, msi, msixCap, msixEntry, table } from './things/pci.ts';
import { amdIrte, irte, its, itsCollection, itsDevice, itsEvent, remapUnit, smmuStream } from './things/remap.ts';
import { kvmGsi, kvmIrqfd, kvmRoute, kvmVm, vcpu, vcpuVector, vfioDevice, vfioVector } from './things/virt.ts';

/** Path patterns with the type of the object that stands there; `*` is any one segment. First match wins. */
export const pathTypes: readonly (readonly [string, ObjectType])[] = [
  ['device/*', device],
  ['device/*/bar/*', bar],
  ['device/*/msixcap', msixCap],
  ['device/*/msix/*', msixEntry],
  ['device/*/msi', msi],
  ['device/*/ims/*', imsEntry],
  ['device/*/perm/*', permission],
  ['device/*/queue/*', queue],
  ['table/*', table],
  ['table/*/msix/*', msixEntry],
  ['irq/*', irq],
  ['guest/*/irq/*', irq],
  ['guest/*/domain/*', domain],
  ['cpu/*', cpu],
  ['cpu/*/vector/*', vector],
  ['domain/*', domain],
  ['ioapic/*/pin/*', pin],
  ['gic/*/spi/*', pin],
  ['irte/*', remapUnit],
  ['irte/amdvi-*/*', amdIrte],
  ['irte/*/*', irte],
  ['its/*', its],
  ['its/*/device/*', itsDevice],
  ['its/*/device/*/event/*', itsEvent],
  ['its/*/collection/*', itsCollection],
  ['smmu/*/stream/*', smmuStream],
  ['vfio/*', vfioDevice],
  ['vfio/*/*/*', vfioVector],
  ['kvm/*', kvmVm],
  ['kvm/*/route/*', kvmRoute],
  ['kvm/*/irqfd/*', kvmIrqfd],
  ['kvm/*/gsi/*', kvmGsi],
  ['vcpu/*', vcpu],
  ['vcpu/*/vector/*', vcpuVector],
  ['vcpu/*/pi', piDescriptor],
  ['vcpu/*/intid/*', vcpuVector],
  ['iommufd/*/ioas/*', ioas],
  ['iommufd/*/ioas/*/map/*', ioasMap],
  ['iommufd/*/vmsi/*/*', vmsi],
  ['hypervisor/grant/*', grant],
];

const matchers = pathTypes.map(([pattern, type]) => ({
  regex: new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]+')}$`),
  type,
}));

/** The type of the object at a path; `mention` for paths that name nothing with a state of its own. */
export function typeOfPath(path: string): ObjectType {
  return matchers.find((m) => m.regex.test(path))?.type ?? mention;
}
