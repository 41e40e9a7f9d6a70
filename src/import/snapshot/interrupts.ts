/**
 * /proc/interrupts of all kernels: a header with the online CPUs, a line for each irq, a line for each interrupt of the architecture.
 * Source of the format: kernel/irq/proc.c show_interrupts (padding, blanks and the place of the chip differ between versions, so lines are
 * read by their words), arch_show_interrupts of arch/x86/kernel/irq.c, arch/arm64/kernel/smp.c, arch/powerpc/kernel/irq.c.
 * What it cannot tell: its time; the vector, domain and affinity of an irq; counts of CPUs that are offline; irqs without an action that
 * were never handled.
 */
import { isDigit } from '../../base/bytes.ts';
import { listOf } from '../../base/cpu-list.ts';
import { snapIrq } from '../../model/events/snapshot/irq.ts';
import { snapCount, snapListing } from '../../model/events/snapshot/listing.ts';
import { kernelCount, listing } from '../../model/things/snapshot.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { irqObject } from '../objects.ts';
import type { Heard } from '../text/headings.ts';
import { placeOfChip } from './chips.ts';
import { BROKEN_OFF, isLabelled, SnapshotReader } from './reader.ts';
import { SOFTIRQS } from './softirqs.ts';

/** What stands behind the counts of an irq. */
interface Tail {
  readonly chip: string;
  readonly hwirq: string | undefined;
  readonly flow: string | undefined;
  readonly level: boolean | undefined;
  readonly actions: string;
  /** Its form is like no other: chip, hwirq and flow handler. */
  readonly sure: boolean;
}

interface Row {
  /** Linux irq, or the label of an interrupt of the architecture. */
  readonly label: string;
  readonly counts: readonly number[];
  /** Of an irq. */
  readonly tail: Tail | undefined;
  /** Of an interrupt of the architecture. */
  readonly text: string;
}

const ROW = /^ *(\d{1,7}|[A-Z][A-Z0-9]{1,7}|Err):((?: +\d{1,10})+)(?: +(\D.*|\d+[^\d ].*))?$/;
/** Chip, hwirq, and flow handler or trigger: `IR-PCI-MSIX-0000:00:03.0   0-edge`, `GICv3  27 Level`, `Hyper-V PCIe MSI 1073741824-edge`. */
const WITH_HWIRQ = /^(\S+(?: +(?!-)\S+)*?) +(\d{1,19})(?:-(\S+)| +(Level|Edge)(?: *-(\S+))?)(?: +(.*))?$/;
/** A chip whose irqs are in no domain: `xen-pirq    -msi-x`. */
const WITHOUT_HWIRQ = /^(\S+(?: +(?!-)\S+)*?) +-(\S+)(?: +(.*))?$/;
/** Kernels before 3.16 do not print the hwirq: `IO-APIC-edge`. */
const OLD = /^(\S+)-(edge|level|fasteoi|percpu|simple|demux|msi)(?: +(.*))?$/;
/** Architectures without names of flow handlers: `MIPS   7  timer`. */
const PLAIN = /^(\S+(?: +\S+)*?)(?: +(\d{1,19}))?(?: {2,}(.*))?$/;
/** A chip of which kernels print the hwirq, and none behind it, or a part of its name: a mail program broke the row there. */
const CHIP_ALONE =
  /^(?:(?:IR-|ITS-)*PCI-MSIX?(?:-(?:[\da-f]{4,8}:[\da-f]{2}:[\da-f]{2}\.[0-7])?)?|(?:IR-)?(?:IO-APIC|DMAR-MSI|HPET-MSI)|ITS-MSI|ITS-pMSI|GICv[23]|GICv3-\d+|Hyper-V PCIe MSI)$/;
/** A mail program broke the name of a chip behind the last dash. */
const BROKEN_NAME = /^((?:IR-)?PCI-MSIX?-) (?=[\da-f]{4,8}:)/;
/** Labels that kernels print without a header that tells how many counts follow, with a text in words. */
const LABELS =
  /^(?:NMI|LOC|SPU|PMI|IWI|RTR|PLT|RES|CAL|TLB|TRM|THR|DFR|MCE|MCP|HYP|HRE|HVS|PIN|NPI|PIW|PMN|VPMI|IPI\d+|BCT|CNT|HMI|DBL)$/;
/** The first line behind the irqs (x86, Arm and RISC-V, POWER, s390): the list of irqs is whole when it follows the last of them. */
const FIRST_LABELS = /^(?:(?:NMI|IPI0|FIQ|TAU|EXT)\b|LOC .* for timer event device)/;
/** A header counts for lines that follow it closely. */
const MOST_BETWEEN = 8;
const MOST_COUNT = 0xffffffff;

/** What stands behind the counts of an irq; undefined for nothing. */
export function tailOf(text: string): Tail | undefined {
  const a = WITH_HWIRQ.exec(text);
  if (a) {
    const [, chip, hwirq, flow, trigger, name, actions = ''] = a;
    const level = trigger === undefined ? levelOf(flow) : trigger === 'Level';
    return { chip: chip!, hwirq, flow: flow ?? name, level, actions, sure: true };
  }
  const b = WITHOUT_HWIRQ.exec(text) ?? OLD.exec(text);
  if (b) {
    const [, chip, flow, actions = ''] = b;
    return { chip: chip!, hwirq: undefined, flow, level: levelOf(flow), actions, sure: true };
  }
  const c = PLAIN.exec(text);
  if (c === null) return undefined;
  const [, chip, hwirq, actions = ''] = c;
  return { chip: chip!, hwirq, flow: undefined, level: undefined, actions, sure: false };
}

/** Handlers of these names are those of one trigger; others serve both. */
const levelOf = (flow: string | undefined): boolean | undefined =>
  flow === 'edge' ? false : flow === 'level' ? true : undefined;

export class InterruptsReader extends SnapshotReader<Row> {
  /** The header was read, and no row since. */
  #fresh = false;
  /** Lines since the last row that belong to no format. */
  #between = 0;
  #listings = 0;
  #irqs: number[] = [];
  #lastLine = -1;
  /** No line is missing between the header and the last row. */
  #whole = false;
  #labels = new Map<string, number>();

  constructor(out: TraceBuilder) {
    super(out, 'proc-interrupts');
  }

  protected may(buf: Uint8Array, start: number): boolean {
    return isLabelled(buf, start);
  }

  protected parse(line: string): Row | typeof BROKEN_OFF | undefined {
    const m = ROW.exec(line);
    if (m === null) return undefined;
    const [, label, numbers, printed = ''] = m;
    const tail = printed.replace(BROKEN_NAME, '$1');
    if (SOFTIRQS.has(label!)) return undefined;
    const counts = numbers!.trim().split(/ +/).map(Number);
    if (counts.some((n) => n > MOST_COUNT)) return undefined;
    const isIrq = isDigit(label!.charCodeAt(0));
    const cpus = this.cpus?.length;
    if (cpus !== undefined && counts.length < cpus && tail === '' && (isIrq || counts.length > 1)) return BROKEN_OFF;
    const fits = counts.length === cpus || (!isIrq && counts.length === 1 && cpus !== undefined);
    if (!isIrq)
      return fits || (LABELS.test(label!) && /^[A-Z]/.test(tail))
        ? { label: label!, counts, tail: undefined, text: tail }
        : undefined;
    if (CHIP_ALONE.test(tail)) return BROKEN_OFF;
    const behind = tailOf(tail);
    if (behind === undefined || !(behind.sure || fits)) return undefined;
    return { label: label!, counts, tail: behind, text: '' };
  }

  protected take(row: Row): undefined {
    const { out } = this;
    this.#between = 0;
    this.#whole &&= out.line === this.#lastLine + 1;
    this.#lastLine = out.line;
    const cpus = this.cpus?.length === row.counts.length ? out.world.strings.intern(listOf(this.cpus)) : undefined;
    if (this.#fresh && cpus !== undefined) {
      this.#fresh = false;
      this.#listings++;
      out.emit(snapListing.put().cpus(cpus), out.world.object(listing, LISTING));
    }
    if (row.tail === undefined) this.#arch(row, cpus);
    else this.#irq(row, row.tail, cpus);
    return undefined;
  }

  #irq({ label, counts }: Row, { chip, hwirq, flow, level, actions }: Tail, cpus: number | undefined): void {
    const { out } = this;
    const { strings } = out.world;
    const number = Number(label);
    this.#irqs.push(number);
    const place = placeOfChip(chip, hwirq);
    const event = snapIrq
      .put()
      .chip(strings.intern(chip))
      .actions(strings.intern(actions))
      .counts(strings.intern(counts.join(' ')));
    if (place.index !== undefined) event.hwirq(place.index);
    if (place.device !== undefined) event.device(strings.intern(place.device));
    if (flow !== undefined) event.flow(strings.intern(flow));
    if (level !== undefined) event.level(level);
    if (cpus !== undefined) event.cpus(cpus);
    out.emit(event, irqObject(out.world, number));
  }

  #arch({ label, counts, text }: Row, cpus: number | undefined): void {
    const { out } = this;
    const { strings } = out.world;
    if (this.#whole && this.#irqs.length > 0 && FIRST_LABELS.test(text === '' ? label : `${label} ${text}`)) {
      const irqs = strings.intern(listOf([...new Set(this.#irqs)].sort((a, b) => a - b)));
      out.emit(snapListing.put().irqs(irqs), out.world.object(listing, LISTING));
    }
    this.#whole = false;
    // PowerPC prints LOC twice: of the timer, and of other causes.
    const times = (this.#labels.get(label) ?? 0) + 1;
    this.#labels.set(label, times);
    const event = snapCount.put().counts(strings.intern(counts.join(' ')));
    if (text !== '') event.text(strings.intern(text));
    if (cpus !== undefined) event.cpus(cpus);
    out.emit(event, out.world.object(kernelCount, `arch/${label}${times > 1 ? `.${times}` : ''}`));
  }

  override note(buf: Uint8Array, start: number, end: number): string | undefined {
    if (++this.#between > MOST_BETWEEN) this.cpus = undefined;
    return super.note(buf, start, end);
  }

  override hear(heard: Heard): void {
    super.hear(heard);
    if (heard.cpus === undefined) return;
    this.#fresh = true;
    this.#between = 0;
    this.#irqs = [];
    this.#labels = new Map();
    this.#whole = true;
    this.#lastLine = heard.line;
  }

  override follow(before: InterruptsReader): void {
    super.follow(before);
    this.#fresh = before.#fresh;
    this.#whole = before.#whole;
    this.#lastLine = before.#lastLine;
  }

  protected variant(): string {
    return this.#listings > 1 ? `${this.#listings} listings` : this.cpus === undefined ? 'without a header' : '';
  }
}

const LISTING = 'snapshot/interrupts';
