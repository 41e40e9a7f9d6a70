import { firstSegment } from '../../base/path-pattern.ts';
import { systemOfPath, withoutSystem } from '../../model/namespace.ts';
import type { MentionedRoot } from '../../model/paths.ts';
import type { Section } from './groups.ts';

/** The three outlines: irq domains with everything behind them, PCI functions, processors. */
export type OutlineName = 'domains' | 'devices' | 'cpus';

/** How all objects whose paths begin with one segment are shown together. */
export interface SectionView {
  readonly title: string;
  readonly icon: string;
  /** The outline that shows it, and its place there; absent where no outline does. */
  readonly outline?: readonly [name: OutlineName, place: number];
  /** The outline shows it as one row; otherwise the outline shows its content without a row above. */
  readonly grouped?: true;
}

/** The sections in the order of the timeline: what is closest to the device comes first. */
export const sections: Readonly<Record<Section | MentionedRoot, SectionView>> = {
  device: { title: 'Devices', icon: 'circuit-board', outline: ['devices', 0] },
  table: { title: 'MSI-X tables of unknown devices', icon: 'question', outline: ['devices', 1], grouped: true },
  pba: { title: 'Pending bits of unknown devices', icon: 'question' },
  irq: { title: 'Interrupts', icon: 'zap', outline: ['domains', 12], grouped: true },
  cpu: { title: 'CPUs', icon: 'chip', outline: ['cpus', 0] },
  arch: { title: 'Interrupts of the architecture', icon: 'zap', outline: ['cpus', 2], grouped: true },
  softirq: { title: 'Softirqs', icon: 'zap', outline: ['cpus', 3], grouped: true },
  irte: { title: 'Interrupt remapping', icon: 'shield', outline: ['domains', 1] },
  galog: { title: 'GA logs (AMD)', icon: 'list-ordered', outline: ['domains', 13], grouped: true },
  its: { title: 'Interrupt translation (ITS)', icon: 'shield', outline: ['domains', 2] },
  vcpu: { title: 'Virtual CPUs', icon: 'chip', outline: ['cpus', 1] },
  vfio: { title: 'VFIO', icon: 'plug', outline: ['domains', 8] },
  kvm: { title: 'KVM', icon: 'vm', outline: ['domains', 7] },
  guest: { title: 'Guests', icon: 'vm', outline: ['domains', 11] },
  aplic: { title: 'APLICs', icon: 'plug', outline: ['domains', 5] },
  ioapic: { title: 'I/O APICs', icon: 'plug', outline: ['domains', 5] },
  gic: { title: 'GIC', icon: 'plug', outline: ['domains', 4] },
  smmu: { title: 'SMMU', icon: 'shield', outline: ['domains', 3] },
  iommu: { title: 'IOMMU mappings', icon: 'map' },
  iommufd: { title: 'I/O address spaces (iommufd)', icon: 'map', outline: ['domains', 9] },
  hypervisor: { title: 'Hypervisor', icon: 'server', outline: ['domains', 10] },
  xen: { title: 'Domains of Xen', icon: 'server', outline: ['domains', 14] },
  domain: { title: 'Domains', icon: 'type-hierarchy', outline: ['domains', 0] },
  ntb: { title: 'Non-transparent bridges', icon: 'link-external', outline: ['domains', 6] },
  snapshot: { title: 'Listings of snapshots', icon: 'list-flat' },
  virtio: { title: 'virtio devices', icon: 'circuit-board' },
  apic: { title: 'APIC bus', icon: 'arrow-swap' },
  message: { title: 'Messages of unknown senders', icon: 'question' },
  probe: { title: 'Probes', icon: 'note' },
  marker: { title: 'Markers', icon: 'note' },
  buffer: { title: 'Trace buffers', icon: 'note' },
  log: { title: 'Log', icon: 'note' },
};

const names = Object.keys(sections);
const byName: ReadonlyMap<string, SectionView> = new Map(Object.entries(sections));

/** The section that a path belongs to; undefined for paths that begin with something else. */
export const sectionOf = (path: string): SectionView | undefined => byName.get(firstSegment(withoutSystem(path)));

/** The name of the section of a path, followed by the system where the path names one. */
export function sectionTitle(path: string): string {
  const title = sectionOf(path)?.title ?? firstSegment(withoutSystem(path));
  const system = systemOfPath(path);
  return system === '' ? title : `${title} (${system})`;
}

/** The place of the section of a path in the timeline. */
export function sectionRank(path: string): number {
  const index = names.indexOf(firstSegment(withoutSystem(path)));
  return index < 0 ? names.length : index;
}

/** The outline in which a path is shown. */
export const outlineOf = (path: string): OutlineName => sectionOf(path)?.outline?.[0] ?? 'domains';
