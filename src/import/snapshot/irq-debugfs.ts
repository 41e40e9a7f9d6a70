/**
 * /sys/kernel/debug/irq: irqs/<n> and domains/<name>, one file or many behind one another (`==> PATH <==`, `grep -r .`).
 * Source of the format: kernel/irq/debugfs.c irq_debug_show, kernel/irq/irqdomain.c irq_domain_debug_show, kernel/irq/msi.c
 * msi_domain_debug_show, arch/x86/kernel/apic/vector.c x86_vector_debug_show, kernel/irq/matrix.c irq_matrix_debug_show (the column `mac`
 * since 5.0). The numbers of flags differ between versions, so flags are read by their names.
 * What it cannot tell: its time; the number of the irq where neither a path nor the level of the x86 vector domain names it; actions and
 * counts; what IRTEs and ITS tables hold.
 */
import { textOf } from '../../base/bytes.ts';
import { tally } from '../../trace/accounting.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import type { Heard } from '../text/headings.ts';
import { DomainBlock, IrqBlock } from './debugfs-blocks.ts';
import { isLabelled, isPath, SnapshotReader } from './reader.ts';

interface Item {
  /** Label of the line, or `flag`, `matrix row`, `title`. */
  readonly label: string;
  readonly value: string;
  /** Linux irq of a path in front of the line. */
  readonly irq: number | undefined;
  /** A path in front of the line says that it belongs to a domain. */
  readonly ofDomain: boolean;
}

const FIRST = /^ *handler: {1,2}((?:handle_\w+|\w*irq\w*|dummy_\w+|\(null\))(?: \[\w+\])?)$/;
const NAME = /^ *name: {1,3}(\S+)$/;
const SIZE = /^ *size: {1,3}(\d{1,10})$/;
const LABELLED =
  /^ *(device|status|istate|ddepth|wdepth|dstate|node|affinity|effectiv|pending|domain|hwirq|chip|flags|parent|name|size|mapped|address_hi|address_lo|msg_data|Vector|Target|Previous vector|Previous target|move_in_progress|is_managed|can_reserve|has_reserved|cleanup_pending|Online bitmaps|Global available|Global reserved|Total allocated|System): *(.*)$/;
const KIND = /^ *(msix?):$/;
const FLAG = /^ {2,}(_?IRQ[A-Z]*_[A-Z0-9_]+)$/;
const TITLE = /^ *\| *CPU *\| *avl *\| *man *\|(?: *(mac) *\|)? *act *\| *vectors *$/;
const MATRIX_ROW = /^ +(\d{1,5} +\d+ +\d+(?: +\d+)? +\d+(?: +[\d,-]+)?)$/;
const BELOW_IRQ = /^\S*irq\/irqs\/(\d{1,7})[:-](.*)$/;
const BELOW_DOMAIN =
  /^\S*irq\/domains\/\S+?[:-]( *(?:name|size|mapped|flags|parent|System|[A-Z][a-z]+ [a-z]+): .*| +IRQ_DOMAIN\w+| *\| *CPU.*| +\d.*)$/;

/** The first letter of `handler`. */
const H = 104;

export class IrqDebugfsReader extends SnapshotReader<Item> {
  #block: IrqBlock | DomainBlock | undefined;
  /** The name of a domain on the line before, which the next line confirms. */
  #name: { readonly text: string; readonly line: number; readonly offset: number } | undefined;
  readonly #domains = new Set<string>();
  #irqs = 0;

  constructor(out: TraceBuilder) {
    super(out, 'irq-debugfs');
  }

  protected may(buf: Uint8Array, start: number): boolean {
    if (this.place !== undefined || this.#block !== undefined || this.#name !== undefined) return true;
    return isPath(buf, start) || (isLabelled(buf, start) && buf.subarray(start, start + 40).includes(H));
  }

  protected parse(line: string): Item | undefined {
    const m = BELOW_IRQ.exec(line);
    if (m !== null) return this.#item(m[2]!, true, Number(m[1]));
    const domain = BELOW_DOMAIN.exec(line);
    if (domain !== null) return this.#item(domain[1]!, true, undefined, true);
    const { place } = this;
    return this.#item(line, place !== undefined || this.#block !== undefined, place?.irq, place?.file !== undefined);
  }

  /** `inside`: a path or the lines before say that the line is one of a dump. */
  #item(line: string, inside: boolean, irq: number | undefined, ofDomain = false): Item | undefined {
    const item = (label: string, value: string): Item => ({ label, value, irq, ofDomain });
    const first = FIRST.exec(line);
    if (first !== null) return item('handler', first[1]!);
    const size = SIZE.exec(line);
    if (size !== null && (inside || this.#name !== undefined)) return item('size', size[1]!);
    const name = NAME.exec(line);
    if (name !== null) return ofDomain || this.#block instanceof DomainBlock ? item('name', name[1]!) : undefined;
    if (!inside) return undefined;
    const m = LABELLED.exec(line);
    if (m !== null) return item(m[1]!, m[2]!.trim());
    const kind = KIND.exec(line);
    if (kind !== null) return item('msi', kind[1]!);
    const flag = FLAG.exec(line);
    if (flag !== null) return item('flag', flag[1]!);
    const title = TITLE.exec(line);
    if (title !== null) return item('title', title[1] ?? '');
    const row = this.#block instanceof DomainBlock ? MATRIX_ROW.exec(line) : null;
    return row === null ? undefined : item('row', row[1]!);
  }

  protected take({ label, value, irq, ofDomain }: Item): undefined {
    const { line, offset } = this.out;
    const place = { line, offset };
    if (label === 'handler') this.#begin(new IrqBlock(place, irq));
    else if (this.#block instanceof IrqBlock && irq !== undefined && this.#block.path !== irq)
      this.#begin(new IrqBlock(place, irq));
    else if (label === 'name' && (!(this.#block instanceof DomainBlock) || this.#block.isComplete))
      this.#begin(new DomainBlock(place));
    else if (label === 'size' && !(this.#block instanceof DomainBlock)) {
      this.#begin(new DomainBlock(this.#name ?? place));
      if (this.#name !== undefined) this.#block!.take('name', this.#name.text);
    } else if (this.#block === undefined) this.#begin(ofDomain ? new DomainBlock(place) : new IrqBlock(place, irq));
    this.#name = undefined;
    this.out.begin(line, offset);
    this.#block!.lines++;
    this.#block!.take(label, value);
  }

  #begin(block: IrqBlock | DomainBlock): void {
    this.#flush();
    this.#block = block;
  }

  #flush(): void {
    const block = this.#block;
    this.#block = undefined;
    if (block === undefined) return;
    this.out.begin(block.place.line, block.place.offset);
    if (block instanceof IrqBlock) this.#irqs++;
    if (block.emit(this.out, this.#domains)) return;
    tally(this.out.accounting.withoutEffect, 'an irq whose number is not told', block.lines);
  }

  override note(buf: Uint8Array, start: number, end: number): string | undefined {
    super.note(buf, start, end);
    // What is no line of a dump ends it.
    this.#flush();
    const name = NAME.exec(textOf(buf, start, Math.min(end, start + 300)).trimEnd());
    const { line, offset } = this.out;
    this.#name = name === null ? undefined : { text: name[1]!, line, offset };
    return name === null ? undefined : 'header';
  }

  override hear(heard: Heard): void {
    if (heard.path !== undefined) this.#flush();
    super.hear(heard);
  }

  end(): void {
    this.#flush();
  }

  protected variant(): string {
    return `${this.#irqs} irqs, ${this.#domains.size} domains`;
  }
}
