import { byName } from '../../base/by-name.ts';
import { segmentsOf } from '../../base/path-pattern.ts';
import { iecInvalidate } from '../../model/events/remap.ts';
import { withoutSystem } from '../../model/namespace.ts';
import { FIRST_LPI } from '../../model/registers/its.ts';
import type { EventRow } from '../../trace/row.ts';

/**
 * What a number counts that the system gives out by itself in each run: Linux irqs, remapping entries, GSIs, LPIs, MSI-X tables by
 * address, file descriptors, objects that QEMU names by a pointer. Such a number says which thing is meant; that it differs between two runs says nothing.
 */
export type Counted = 'irq' | 'irte' | 'gsi' | 'lpi' | 'table' | 'fd' | 'pointer';

/** A number in a path, and in which space it counts. */
export interface NumberedPath {
  readonly what: Counted;
  /** Numbers of one space are given out together: `irq`, `guest/0/irq`, `irte/dmar0`, `kvm/0/gsi`. */
  readonly space: string;
  readonly number: number;
  /** The path with a star for the number. */
  readonly pattern: string;
}

/** Which segment of a path is such a number: the path up to it, with stars for any segment, and the space of the number. */
const PATHS: readonly (readonly [pattern: string, what: Counted, space: (before: string) => string])[] = [
  ['irq/*', 'irq', (before) => before],
  ['guest/*/irq/*', 'irq', (before) => before],
  ['irte/*/*', 'irte', (before) => before],
  ['kvm/*/route/*', 'gsi', (before) => before.replace(/route$/, 'gsi')],
  ['kvm/*/irqfd/*', 'gsi', (before) => before.replace(/irqfd$/, 'gsi')],
  ['gic/*/lpi/*', 'lpi', () => 'lpi'],
  ['cpu/*/intid/*', 'lpi', () => 'lpi'],
  ['vcpu/*/intid/*', 'lpi', () => 'lpi'],
  ['table/*', 'table', (before) => before],
  ['virtio/*/*', 'pointer', (before) => before],
  ['virtio/*', 'pointer', (before) => before],
  ['pba/*', 'pointer', (before) => before],
];

const isPointer = (segment: string): boolean => /^0x[0-9a-f]+$/.test(segment);

/** The number in a path that differs harmlessly between runs; undefined when there is none. */
export function numberIn(path: string): NumberedPath | undefined {
  const own = withoutSystem(path);
  const system = path.slice(0, path.length - own.length);
  const segments = segmentsOf(own);
  for (const [pattern, what, space] of PATHS) {
    const wanted = segmentsOf(pattern);
    if (segments.length < wanted.length || wanted.some((w, i) => w !== '*' && w !== segments[i])) continue;
    const text = segments[wanted.length - 1]!;
    const number = Number(text);
    if (!Number.isSafeInteger(number) || (what === 'lpi' && number < FIRST_LPI)) return undefined;
    // A pointer below another one: both differ.
    const before = segments
      .slice(0, wanted.length - 1)
      .map((one) => (what === 'pointer' && isPointer(one) ? '*' : one));
    const behind = segments.slice(wanted.length);
    // What lies below a table is found by its place in the table.
    const rest = behind.length > 0 ? `/${behind.join('/')}` : '';
    return {
      what,
      space: `${system}${space(before.join('/'))}${rest}`,
      number,
      pattern: `${system}${[...before, '*'].join('/')}${rest}`,
    };
  }
  return undefined;
}

/**
 * The path by which an object is known again in another trace. A message without a known sender is named by its address and data,
 * which its event tells too; they can hold the number of a remapping entry.
 */
export const fixedPath = (path: string): string => path.replace(/(^|:)message\/.*$/, '$1message');

/** The arguments of events that are such numbers, by kind. Those of `claims` say to whom the number belongs from now on. */
const ARGUMENTS: Readonly<Record<string, Readonly<Record<string, Counted>>>> = byName({
  'its.mapti': { lpi: 'lpi' },
  'irq.affinity': { lpi: 'lpi' },
  'irq.identify': { lpi: 'lpi' },
  'vfio.bind': { irq: 'irq', eventfd: 'fd' },
  'vfio.set': { fd: 'fd' },
  'vfio.fire': { irq: 'irq' },
  'vfio.route': { virq: 'gsi' },
  'pi.update': { hostIrq: 'irq' },
  'irqfd.assign': { fd: 'fd' },
  'kvm.table.entry': { gsi: 'gsi' },
  ioctl: { gsi: 'gsi' },
  'ims.store': { virq: 'irq' },
  'ntb.publish': { virq: 'irq' },
  'iec.inv': { index: 'irte' },
  'ir.fault': { index: 'irte' },
});

/** Kinds whose object owns the number in their arguments until another object claims it. */
const CLAIMS: ReadonlySet<string> = new Set(['its.mapti', 'vfio.bind', 'vfio.set', 'vfio.route']);

/** What an argument counts; undefined when it is no number of that kind. */
export const countedBy = (kind: string, argument: string): Counted | undefined => ARGUMENTS[kind]?.[argument];

/** Whether a value is a number of its kind: a negative one, and an INTID below those of LPIs, mean that there is none. */
export const isNumber = (what: Counted, value: number): boolean =>
  value <= 0x7fffffff && (what !== 'lpi' || value >= FIRST_LPI);

/** Whether events of a kind tell whose number it is from now on. */
export const claims = (kind: string): boolean => CLAIMS.has(kind);

/** Whether an event invalidates all entries of a unit: the index that it carries means none of them. */
export const isGlobal = ({ kind, words, at }: EventRow): boolean =>
  kind === iecInvalidate && iecInvalidate.read(words, at).global;

/** The space in which an argument of an event counts; `path`: of the object of the event. */
export function spaceOfArgument(what: Counted, path: string): string {
  const own = withoutSystem(path);
  const system = path.slice(0, path.length - own.length);
  const [root, second] = segmentsOf(own);
  switch (what) {
    case 'gsi':
      return `${system}kvm/${root === 'kvm' ? second : 0}/gsi`;
    case 'irte':
      return `${system}irte/${root === 'irte' ? second : 0}`;
    default:
      return `${system}${what}`;
  }
}

/** Arguments that are addresses in memory, or count causes and time: they differ between runs and are not compared. */
const NOT_COMPARED: Readonly<Record<string, readonly string[]>> = byName({
  'bar.map': ['address'],
  'bar.unmap': ['address'],
  'tbl.seen': ['address'],
  'ir.table': ['address'],
  'kvm.table': ['base', 'pendingBase'],
  'pi.update': ['descriptor'],
  'its.mapd': ['itt'],
  'queue.dma': ['address'],
  'vmsi.window': ['ns'],
  'iommufd.map': ['output'],
  'iommufd.swmsi': ['output'],
});

const COUNTERS = /^(?:onlineMaps|available|allocated|managed|globalAvailable|reserved|total)$/;

/** Whether an argument is compared at all. */
export function isCompared(kind: string, argument: string): boolean {
  if (argument === 'cause' || argument === 'into') return false;
  if (kind.startsWith('mtx.')) return !COUNTERS.test(argument);
  return NOT_COMPARED[kind]?.includes(argument) !== true;
}

/** Kinds that are not compared, beside those that only look, or that no interrupt is told by. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  // They tell what the log lets know of a table, and when: no change of it.
  'tbl.bind',
  'tbl.shift',
  'kvm.entry',
  'kvm.exit',
  'kvm.userspace',
  'kvm.mmio',
  'vfio.region',
  'vector.entry',
  'vector.exit',
  'ipi.send',
  'ipi.entry',
  'ipi.exit',
  'apic.local',
  'apic.ipi',
  'gic.sgi',
  'smmu.trans',
  'smmu.bypass',
  'iommu.map',
  'iommu.unmap',
]);

/** Kinds that only look and are compared all the same: what a unit reads of its table decides where a message goes. */
const LOOKED_AT: ReadonlySet<string> = new Set(['irte.read', 'irte.readAmd']);

/** What the scheduler does: it wakes, preempts and moves threads of irqs otherwise in each run, and gives them other numbers. */
const SCHEDULED: ReadonlySet<string> = new Set(['thread.wake', 'thread.entry', 'thread.exit']);

/** Why events of a kind are not compared; the empty text where they are. */
export function whyKindLeftOut(name: string, role: string): string {
  if (LOOKED_AT.has(name)) return '';
  if (role === 'look') return 'it only shows what is there';
  if (role === 'note' || role === 'loss' || role === 'begin') return 'it tells of the record, not of an interrupt';
  if (SCHEDULED.has(name)) return 'when threads run is up to the scheduler';
  return LEFT_OUT.has(name) ? 'it belongs to no single interrupt' : '';
}
