import { messageOf, type Numeral, numeralsIn, type Pasted } from './paste.ts';

/** A record of a log or a row of a dump in which a value stands, and how it is read. */
interface Shape {
  readonly pattern: RegExp;
  readonly read: (groups: readonly Numeral[]) => Pasted | string;
  /** The kind of value that it holds, where the record holds no other. */
  readonly kind: string | undefined;
}

const inOrder =
  (order: 'high first' | 'low first') =>
  (numbers: readonly Numeral[]): Pasted => ({ shape: 'numbers', numbers, order });

const message = (numbers: readonly Numeral[]): Pasted | string => messageOf(numbers.slice(0, -1), numbers.at(-1)!);

/** The one number of a record. */
const single = (numbers: readonly Numeral[]): Pasted => ({ shape: 'numbers', numbers, order: undefined });

const HEX = '(0x[0-9a-f]+|[0-9a-f]+)';

const shape = (pattern: string, read: Shape['read'], kind?: string): Shape => ({
  pattern: new RegExp(pattern, 'i'),
  read,
  kind,
});

/**
 * What is recognised within a whole line. QEMU's vtd_ir_irte_get calls the upper half low. Sources: hw/i386/trace-events and
 * hw/vfio/trace-events (QEMU); drivers/iommu/intel/debugfs.c ir_tbl_*_entry_show, drivers/iommu/intel/dmar.c dmar_fault_do_one,
 * drivers/iommu/intel/trace.h qi_submit, kernel/irq/debugfs.c.
 */
const SHAPES: readonly Shape[] = [
  shape(`index \\d+ low ${HEX} high ${HEX}`, inOrder('high first'), 'irte'),
  shape(`vtd_ir_remap_msi_req addr ${HEX} data ${HEX}`, message, 'vtd'),
  shape(`vfio_msi_interrupt .*? vector \\d+ ${HEX}/${HEX}`, message),
  shape(`qi_submit: \\S+ \\S+: ${HEX} ${HEX} ${HEX} ${HEX}`, inOrder('low first')),
  // Entry, source, destination or descriptor, vector, then the two halves.
  shape(
    '^\\s*\\d+\\s+[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]\\s+.*\\s([0-9a-f]{16})\\s+([0-9a-f]{16})\\s*$',
    inOrder('high first'),
    'irte',
  ),
  shape('\\[?fault reason (0x[0-9a-f]+|\\d+)\\]?', single, 'fault'),
  shape('^\\s*hwirq:\\s+(0x[0-9a-f]+)\\s*$', single, 'hwirq'),
];

/** The value in a record of a log or in a row of a dump, and its kind where the record tells; undefined when the text is none that is known. */
export function readRecord(
  text: string,
): { readonly pasted: Pasted | string; readonly kind: string | undefined } | undefined {
  for (const { pattern, read, kind } of SHAPES) {
    const found = pattern.exec(text);
    const numbers = found && numeralsIn(found.slice(1));
    if (numbers) return { pasted: read(numbers), kind };
  }
  return undefined;
}
