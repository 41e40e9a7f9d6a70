import type { State } from '../../model/state.ts';
import type { PathNode } from '../../model/world.ts';
import type { Summary } from './describe.ts';
import { imsDescribers } from './describe-ims.ts';
import { irqDescribers } from './describe-irq.ts';
import { pciDescribers } from './describe-pci.ts';
import { remapDescribers } from './describe-remap.ts';
import { virtDescribers } from './describe-virt.ts';

const describers = new Map([
  ...pciDescribers,
  ...irqDescribers,
  ...remapDescribers,
  ...virtDescribers,
  ...imsDescribers,
]);

/** An object in one line. */
export function summaryOf(state: State, object: number): Summary {
  const node = state.world.node(object);
  const type = state.world.type(object);
  const segment = node?.segment ?? '';
  const describe = type && describers.get(type);
  return describe ? describe(state, object, segment) : { label: segment, description: '', icon: 'symbol-misc' };
}

const VFIO_INDEXES: Readonly<Record<string, string>> = { 0: 'INTx', 1: 'MSI', 2: 'MSI-X', 3: 'error', 4: 'request' };
const GROUPS: Readonly<Record<string, string>> = {
  bar: 'BARs',
  msix: 'MSI-X table',
  device: 'Devices',
  collection: 'Collections',
  route: 'GSI routes',
  irqfd: 'irqfds',
  ims: 'Interrupt message storage',
  perm: 'MSI-X permission table',
  queue: 'Queues',
  pasid: 'PASIDs',
  user: 'Users',
  peer: 'Peers',
  desc: 'Descriptors',
  map: 'Mappings',
  s1: 'Stage 1 mappings',
  lpi: 'LPI configuration',
  hwpt: 'Stage 2 page tables',
  vmsi: 'vMSI addresses',
  grant: 'Granted messages',
  gsi: 'Interrupt lines',
  irq: 'Interrupts',
  domain: 'Domains',
  table: 'Tables without a device',
};

/** What a node that is no object, only a step on the way to some, is called. */
export function groupLabel(node: PathNode): string {
  const parent = node.parent?.path ?? '';
  if (parent.startsWith('vfio/')) return VFIO_INDEXES[node.segment] ?? node.segment;
  if (parent === 'smmu') return `SMMU ${node.segment}`;
  if (parent === 'ioapic') return `I/O APIC ${node.segment}`;
  if (parent === 'gic') return `GIC ${node.segment}`;
  if (parent === 'kvm') return `KVM VM ${node.segment}`;
  if (parent === 'vfio') return `VFIO ${node.segment}`;
  if (parent === 'iommufd') return `iommufd ${node.segment}`;
  if (parent === 'guest') return `Guest ${node.segment}`;
  if (parent === 'ntb') return `NTB ${node.segment}`;
  if (parent === 'its') return `ITS ${node.segment}`;
  if (parent === 'irte') return `Interrupt remapping ${node.segment}`;
  if (parent === 'cpu') return `CPU ${node.segment}`;
  if (parent === 'vcpu') return `vCPU ${node.segment}`;
  return GROUPS[node.segment] ?? node.segment;
}

const ICONS: Readonly<Record<string, string>> = {
  bar: 'symbol-structure',
  msix: 'table',
  ims: 'table',
  perm: 'key',
  queue: 'list-ordered',
  grant: 'key',
  device: 'circuit-board',
  collection: 'symbol-array',
  route: 'list-tree',
  irqfd: 'plug',
  gsi: 'plug',
  irq: 'zap',
  table: 'question',
};
const TOP_ICONS: Readonly<Record<string, string>> = {
  smmu: 'shield',
  ioapic: 'plug',
  gic: 'plug',
  kvm: 'vm',
  guest: 'vm',
  vfio: 'plug',
  iommufd: 'map',
  its: 'shield',
  irte: 'shield',
  cpu: 'chip',
  vcpu: 'chip',
};

/** The codicon of a group. */
export function groupIcon(node: PathNode): string {
  return TOP_ICONS[node.parent?.path ?? ''] ?? ICONS[node.segment] ?? 'list-tree';
}

const UNITS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  msix: ['entry', 'entries'],
  ims: ['entry', 'entries'],
  perm: ['entry', 'entries'],
  queue: ['queue', 'queues'],
  pasid: ['PASID', 'PASIDs'],
  grant: ['message', 'messages'],
  irq: ['irq', 'irqs'],
  table: ['table', 'tables'],
  device: ['device', 'devices'],
  route: ['route', 'routes'],
  irqfd: ['irqfd', 'irqfds'],
};

/** How many entries a group has, in words; the empty text where the number says nothing. */
export function groupCount(node: PathNode, count: number): string {
  const unit = UNITS[node.segment];
  return unit === undefined ? '' : `${count} ${count === 1 ? unit[0] : unit[1]}`;
}
