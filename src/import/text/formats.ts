/** The formats whose records stand in lines of text, wherever in a file they are. */
import { AT, isDigit } from '../../base/bytes.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { DmesgReader, isDmesgLine } from '../dmesg/reader.ts';
import { FtraceImporter } from '../ftrace/importer.ts';
import { isNative } from '../ftrace/record.ts';
import type { RecordReader } from '../importer.ts';
import { ConfigSpaceReader } from '../pci/config-text.ts';
import { LspciReader } from '../pci/lspci.ts';
import { isPerfRecord, PerfImporter } from '../perf/importer.ts';
import { QemuImporter } from '../qemu/importer.ts';
import { InterruptsReader } from '../snapshot/interrupts.ts';
import { IommuDebugfsReader } from '../snapshot/iommu-debugfs.ts';
import { IrqDebugfsReader } from '../snapshot/irq-debugfs.ts';
import { IrqSysfsReader } from '../snapshot/irq-sysfs.ts';
import { MsiIrqsReader } from '../snapshot/msi-irqs.ts';
import type { SnapshotFormat } from '../snapshot/place.ts';
import { ProcIrqReader } from '../snapshot/proc-irq.ts';
import { isLabelled } from '../snapshot/reader.ts';
import { SoftirqsReader } from '../snapshot/softirqs.ts';
import { VgicDebugfsReader } from '../snapshot/vgic-debugfs.ts';

export interface TextFormat {
  readonly name: 'qemu-log' | 'ftrace-text' | 'perf-script' | 'dmesg' | SnapshotFormat;
  /** What the user calls it. */
  readonly title: string;
  readonly open: (out: TraceBuilder) => RecordReader;
  /** Whether a line begins exactly as the format prints a record. */
  readonly native: (buf: Uint8Array, start: number) => boolean;
  /** Whether a record of an unknown event is one of this format all the same: its form is like no other. */
  readonly evident: (buf: Uint8Array, start: number) => boolean;
  /** Whether a record may begin with the name of its event. */
  readonly named: boolean;
  /** The beginning of a record, at the end of a file that is cut off. */
  readonly fragment: RegExp;
  /** Begins a buffer that is printed from its start: a second one in a file is another source. */
  readonly heading: RegExp | undefined;
  /** Its records hold tabs. */
  readonly tabs?: true;
  /** Its reader knows the stamps that loggers put in front of a line. */
  readonly stamps?: true;
  /** A row of CPUs begins another listing, which was made at another time. */
  readonly listings?: true;
  /** Seconds by which a stamp is older than the ones before only where another excerpt begins: the order within one is that exact. */
  readonly disorder: number;
}

/** Whether a line begins with `TID@`. */
function hasThreadStamp(buf: Uint8Array, start: number): boolean {
  let at = start;
  while (isDigit(buf[at])) at++;
  return at > start && buf[at] === AT;
}

/** No text fits. */
const NOTHING = /(?!)/;

/** A file of /proc, /sys or debugfs. Its records have no stamps, and forms of their own. */
const snapshot = (
  name: TextFormat['name'],
  open: TextFormat['open'],
  native: TextFormat['native'] = () => true,
): TextFormat => ({
  name,
  title: 'a file of /proc, /sys or debugfs that shows interrupts',
  open,
  native,
  evident: () => true,
  named: false,
  fragment: NOTHING,
  heading: undefined,
  disorder: Number.POSITIVE_INFINITY,
});

/** The log of a kernel. Its lines also stand between the records of other formats: see Streams. */
export const DMESG: TextFormat = {
  name: 'dmesg',
  title: 'a kernel log',
  open: (out) => new DmesgReader(out),
  native: isDmesgLine,
  evident: () => false,
  named: false,
  fragment: NOTHING,
  heading: undefined,
  stamps: true,
  // A log of several boots stays one: their order is that of its lines.
  disorder: Number.POSITIVE_INFINITY,
};

export const TEXT_FORMATS: readonly TextFormat[] = [
  {
    name: 'ftrace-text',
    title: 'ftrace text',
    open: (out) => new FtraceImporter(out),
    native: isNative,
    evident: () => true,
    named: false,
    fragment: /^ *\S.{0,15}-\d+ *(?:\(|\[|$)|^ {2,}\S{0,15}$/,
    heading: /^# tracer: /,
    // CPUs have clocks that differ a little, above all at boot.
    disorder: 0.1,
  },
  {
    name: 'perf-script',
    title: 'what perf script prints',
    open: (out) => new PerfImporter(out),
    native: isPerfRecord,
    evident: () => true,
    named: false,
    fragment: /^ *\S.{0,15} +\d+(?:\/\d+)? *(?:\[|$)/,
    heading: undefined,
    disorder: 0.1,
  },
  {
    name: 'qemu-log',
    title: 'QEMU trace log',
    open: (out) => new QemuImporter(out),
    // Its own stamp may look like that of a logger; a name that it knows decides.
    native: () => true,
    evident: hasThreadStamp,
    named: true,
    fragment: /^\d+(?:@[\d.]*)?$/,
    heading: undefined,
    // Threads print side by side.
    disorder: 1,
  },
  DMESG,
  { ...snapshot('proc-interrupts', (out) => new InterruptsReader(out), isLabelled), listings: true },
  snapshot('proc-softirqs', (out) => new SoftirqsReader(out), isLabelled),
  snapshot('proc-irq', (out) => new ProcIrqReader(out)),
  snapshot('irq-sysfs', (out) => new IrqSysfsReader(out)),
  snapshot('irq-debugfs', (out) => new IrqDebugfsReader(out)),
  snapshot('msi-irqs', (out) => new MsiIrqsReader(out)),
  { ...snapshot('iommu-debugfs', (out) => new IommuDebugfsReader(out)), tabs: true },
  snapshot('vgic-debugfs', (out) => new VgicDebugfsReader(out)),
  { ...snapshot('lspci', (out) => new LspciReader(out)), title: 'what lspci prints', tabs: true },
  { ...snapshot('config-space', (out) => new ConfigSpaceReader(out)), title: 'config space of PCI functions' },
];
