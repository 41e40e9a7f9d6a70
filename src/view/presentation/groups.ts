import { counted } from '../../base/counted.ts';
import { lastSegment, PathTable } from '../../base/path-pattern.ts';
import { withoutSystem } from '../../model/namespace.ts';
import { type GroupPattern, typeOfPath } from '../../model/paths.ts';
import { mention } from '../../model/things/pci.ts';
import { vfioIndexTitle } from '../../model/vfio-index.ts';
import { presentationOf } from './types.ts';

/** How a step on the way to objects is shown that is no object itself, such as `device/<bdf>/msix`. */
export interface Group {
  /** `segment`: the last segment of the path of the group. */
  readonly title: (segment: string) => string;
  /** One of several groups side by side: its title belongs to the name of what is in it. */
  readonly oneOfMany: boolean;
  readonly icon: string;
  /** Its objects are listed in its place. */
  readonly inline?: true;
}

/** The first segments of paths: what they hold stands together on every screen. */
export type Section = Exclude<GroupPattern, `${string}/${string}`>;

const group = (title: string | ((segment: string) => string), icon = 'list-tree'): Group => ({
  title: typeof title === 'string' ? () => title : title,
  oneOfMany: typeof title !== 'string',
  icon,
});
const inline = (title: string): Group => ({ ...group(title), inline: true });

/** The groups below the sections. The compiler asks for all that the path patterns of the model lead through. */
const groups: Readonly<Record<Exclude<GroupPattern, Section>, Group>> = {
  'device/*/bar': group('BARs', 'symbol-structure'),
  'device/*/msix': group('MSI-X table', 'table'),
  'device/*/ims': group('Interrupt message storage', 'table'),
  'device/*/perm': group('MSI-X permission table', 'key'),
  'device/*/queue': group('Queues', 'list-ordered'),
  'device/*/queue/*/user': group('Users'),
  'device/*/pasid': group('PASIDs'),
  'device/*/handle': group('Interrupt handles'),
  'ntb/*': group((segment) => `NTB ${segment}`),
  'ntb/*/peer': group('Peers'),
  'ntb/*/peer/*': group((segment) => `peer ${segment}`),
  'ntb/*/peer/*/desc': group('Descriptors'),
  'table/*/msix': inline('MSI-X table'),
  'irq/*/thread': inline('Threads'),
  'guest/*': group((segment) => `Guest ${segment}`, 'vm'),
  'guest/*/irq': group('Interrupts', 'zap'),
  'guest/*/domain': group('Domains'),
  'cpu/*/vector': inline('Vectors'),
  'cpu/*/intid': inline('LPIs'),
  'cpu/*/softirq': inline('Softirqs'),
  'aplic/*/source': inline('Sources'),
  'ioapic/*': group((segment) => `I/O APIC ${segment}`, 'plug'),
  'ioapic/*/pin': inline('Pins'),
  'gic/*': group((segment) => `GIC ${segment}`, 'plug'),
  'gic/*/spi': inline('SPIs'),
  'gic/*/redist': inline('Redistributors'),
  'gic/*/redist/*': group((segment) => `redistributor ${segment}`, 'plug'),
  'gic/*/redist/*/ppi': inline('PPIs'),
  'gic/*/frame': group('GICv2m frames', 'inbox'),
  'gic/*/lpi': group('LPI configuration'),
  'its/*/device': group('Devices', 'circuit-board'),
  'its/*/device/*/event': inline('Events'),
  'its/*/collection': group('Collections', 'symbol-array'),
  'its/*/vpe': group('vPEs', 'vm'),
  'smmu/*': group((segment) => `SMMU ${segment}`, 'shield'),
  'smmu/*/stream': inline('Streams'),
  'smmu/*/stream/*/s1': group('Stage 1 mappings'),
  'vfio/*/*': group(vfioIndexTitle),
  'kvm/*/route': group('GSI routes', 'list-tree'),
  'kvm/*/irqfd': group('irqfds', 'plug'),
  'kvm/*/gsi': group('Interrupt lines', 'plug'),
  'kvm/*/msix': group('MSI-X tables', 'table'),
  'kvm/*/msix/*/entry': group('Entries', 'table'),
  'vcpu/*/vector': inline('Vectors'),
  'apic/vector': inline('Vectors of unknown CPUs'),
  'vcpu/*/intid': inline('INTIDs'),
  'iommufd/*': group((segment) => `iommufd ${segment}`, 'map'),
  'iommufd/*/ioas': inline('I/O address spaces'),
  'iommufd/*/ioas/*/map': inline('Mappings'),
  'iommufd/*/hwpt': group('Stage 2 page tables'),
  'iommufd/*/hwpt/*': group((segment) => `page table ${segment}`),
  'iommufd/*/hwpt/*/map': inline('Mappings'),
  'iommufd/*/viommu': group('Virtual IOMMUs', 'shield'),
  'iommufd/*/viommu/*/vdevice': inline('Virtual devices'),
  'iommufd/*/viommu/*/stream': inline('Streams of the guest'),
  'iommufd/*/viommu/*/hwqueue': inline('HW queues'),
  'iommufd/*/vmsi': group('vMSI addresses'),
  'iommufd/*/vmsi/*': group((segment) => segment),
  'hypervisor/grant': group('Granted messages', 'key'),
  'xen/*': group((segment) => `domain ${segment}`, 'vm'),
  'xen/*/pirq': inline('PIRQs'),
  'xen/*/evtchn': inline('Event channels'),
};

const table = new PathTable<Group>(Object.entries(groups));

/** The group at a path, a section not included; undefined when there is none. */
export const groupAt = (path: string): Group | undefined => table.find(withoutSystem(path));

/** How many objects a group has, in words; the empty text where the number says nothing. */
export function groupCount(path: string, n: number): string {
  const type = typeOfPath(`${path}/0`);
  if (type === mention) return '';
  const [one, many] = presentationOf(type).unit;
  return counted(n, one, many);
}

/** The name of a node that is no object, below the node that holds it. */
export function groupTitle(path: string): string {
  const segment = lastSegment(path);
  return groupAt(path)?.title(segment) ?? presentationOf(typeOfPath(path)).label(segment, '');
}

/** The codicon of a node that is no object. */
export const groupIcon = (path: string): string => groupAt(path)?.icon ?? presentationOf(typeOfPath(path)).icon;

/**
 * The name of the object at a path in a list below the object of another path. Groups on the way that are one of many are
 * a part of the name: `I/O APIC 0 pin 4`.
 */
export function titleBelow(path: string, parent: string): string {
  const segments = path.split('/');
  const last = segments.at(-1)!;
  const above = segments.at(-2) ?? '';
  const type = typeOfPath(path);
  const { alone, label } = presentationOf(type);
  const first = parent.split('/').length;
  // Where the model knows no pattern for a path, all of it is its name.
  if (type === mention) return [...segments.slice(first, -1), label(last, above)].join(' ');
  const titles: string[] = [];
  for (let n = first + 1; n < segments.length; n++) {
    const on = groupAt(segments.slice(0, n).join('/'));
    if (on?.oneOfMany) titles.push(on.title(segments[n - 1]!));
  }
  return [...titles, (alone ?? label)(last, above)].join(' ');
}
