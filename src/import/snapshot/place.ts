/** Which files of /proc, /sys and debugfs hold interrupts, and of which irq, function or domain a path tells. */

/** Formats whose files are told by their path. */
export type SnapshotFormat =
  | 'proc-interrupts'
  | 'proc-softirqs'
  | 'proc-irq'
  | 'irq-sysfs'
  | 'msi-irqs'
  | 'irq-debugfs'
  | 'iommu-debugfs'
  | 'vgic-debugfs'
  | 'lspci'
  | 'config-space';

/** What a path says of the file. */
export interface Place {
  readonly format: SnapshotFormat;
  /** Linux irq. */
  readonly irq?: number;
  /** Last part of the path, where it says what the value is. */
  readonly file?: string;
  /** PCI function. */
  readonly device?: string;
}

const BDF = String.raw`([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])`;
const RULES: readonly (readonly [RegExp, (m: RegExpExecArray) => Place])[] = [
  [/(?:^|\/)proc\/interrupts$/, () => ({ format: 'proc-interrupts' })],
  [/(?:^|\/)proc\/softirqs$/, () => ({ format: 'proc-softirqs' })],
  [/(?:^|\/)proc\/irq\/(\d{1,7})\/(.*)$/, (m) => ({ format: 'proc-irq', irq: Number(m[1]), file: m[2]! })],
  [/(?:^|\/)proc\/irq\/default_smp_affinity$/, () => ({ format: 'proc-irq', file: 'default_smp_affinity' })],
  [/(?:^|\/)kernel\/irq\/(\d{1,7})\/(\w+)$/, (m) => ({ format: 'irq-sysfs', irq: Number(m[1]), file: m[2]! })],
  [
    new RegExp(String.raw`(?:^|\/)${BDF}\/msi_irqs\/(\d{1,7})$`),
    (m) => ({ format: 'msi-irqs', device: m[1]!, irq: Number(m[2]) }),
  ],
  [new RegExp(String.raw`(?:^|\/)${BDF}$`), (m) => ({ format: 'msi-irqs', device: m[1]! })],
  [new RegExp(String.raw`(?:^|\/)${BDF}\/config$`), (m) => ({ format: 'config-space', device: m[1]! })],
  [/(?:^|[/_])irq\/irqs\/(\d{1,7})$/, (m) => ({ format: 'irq-debugfs', irq: Number(m[1]) })],
  [/(?:^|[/_])irq\/domains\/([^/]+)$/, (m) => ({ format: 'irq-debugfs', file: m[1]! })],
  [/(?:^|\/)intel\/(\w+)$/, (m) => ({ format: 'iommu-debugfs', file: m[1]! })],
  [/(?:^|\/)(vgic-(?:its-)?state(?:@\w+)?)$/, (m) => ({ format: 'vgic-debugfs', file: m[1]! })],
];

/** What a path says; undefined where nothing of interrupts is known to lie there. */
export function placeOfPath(path: string): Place | undefined {
  for (const [form, place] of RULES) {
    const m = form.exec(path);
    if (m !== null) return place(m);
  }
  return undefined;
}
