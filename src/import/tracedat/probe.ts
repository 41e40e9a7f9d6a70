/**
 * Records of probes that were set by hand: their arguments are fields of an event of their own (kernel/trace/trace_kprobe.c, trace_fprobe.c,
 * trace_eprobe.c).
 */

import { bytesOf, textOf } from '../../base/bytes.ts';
import type { Ftrace } from '../ftrace/context.ts';
import { functionNamed, MOST_NOTED, noteProbe, useProbe } from '../ftrace/probes.ts';
import type { PrintFormat } from './expression.ts';
import type { EventFormat, Field } from './format.ts';
import { type Part, type Printer, partsOf, type Texts } from './print.ts';
import type { RecordBytes } from './record.ts';

/** The fields that tell where a probe stands: at an instruction, or at the return of a function. */
const AT = '__probe_ip';
const FUNCTION = '__probe_func';
const RETURN = '__probe_ret_ip';
/** The system of probes at events, which have no such field. */
const EVENT_PROBES = 'eprobes';

/** Reads the records of one probe. */
export class ProbeReader {
  readonly #name: string;
  readonly #at: Field | undefined;
  readonly #function: Field | undefined;
  readonly #args: readonly Field[];
  readonly #parts: readonly Part[];
  readonly #printer: Printer;
  readonly #texts: Texts;

  /** The reader of an event, if it is a probe. */
  static of(
    format: EventFormat,
    print: PrintFormat | undefined,
    printer: Printer,
    texts: Texts,
    long: number,
  ): ProbeReader | undefined {
    const { fields } = format;
    const isProbe = fields.has(AT) || (fields.has(FUNCTION) && fields.has(RETURN)) || format.system === EVENT_PROBES;
    return isProbe ? new ProbeReader(format, print, printer, texts, long) : undefined;
  }

  private constructor(
    { name, fields }: EventFormat,
    print: PrintFormat | undefined,
    printer: Printer,
    texts: Texts,
    long: number,
  ) {
    this.#name = name;
    this.#at = fields.get(AT) ?? fields.get(RETURN);
    this.#function = fields.get(FUNCTION);
    this.#args = [...fields.values()].filter(({ name: n }) => !/^(?:common_|__probe_)/.test(n));
    const parts = print === undefined ? [] : partsOf(print, long);
    // The place of the probe stands in brackets at the beginning; it is printed by name here.
    const close = parts.findIndex(({ literal }) => literal.includes(')'));
    this.#parts = parts
      .slice(Math.max(0, close))
      .map((part, i) =>
        i === 0 && close >= 0 ? { ...part, literal: part.literal.slice(part.literal.indexOf(')') + 1) } : part,
      );
    this.#printer = printer;
    this.#texts = texts;
  }

  /** Turns a record into an event: what it means where its function is known, else a note of it. */
  take(record: RecordBytes, f: Ftrace): void {
    const func = this.#function === undefined ? undefined : record.wide(this.#function);
    const at = this.#at === undefined ? undefined : record.wide(this.#at);
    const called = func ?? at;
    // Without symbols the name of the probe is all that tells the function.
    const name = called === undefined ? undefined : (this.#texts.symbol(called, false) ?? functionNamed(this.#name));
    // At a return, `at` is the place that is returned to.
    const caller = func === undefined ? undefined : this.#symbol(at);
    if (name !== undefined && useProbe(f, name, caller, this.#arguments(record))) return;
    const { strings } = f.out.world;
    const text = bytesOf(`${this.#place(at, func)}${this.#printer.print(this.#parts, record)}`.trimStart());
    noteProbe(f, strings.intern(this.#name), strings.internBytes(text, 0, Math.min(text.length, MOST_NOTED)));
  }

  /** The function at an address; the empty text where it is not known. */
  #symbol(address: bigint | undefined): string {
    return (address === undefined ? undefined : this.#texts.symbol(address, false)) ?? '';
  }

  /** `(symbol+0x0/0x10)` or `(caller+0x1/0x10 <- callee)`, as print_kprobe_event and print_kretprobe_event write it. */
  #place(at: bigint | undefined, func: bigint | undefined): string {
    const named = (address: bigint, offset: boolean): string =>
      this.#texts.symbol(address, offset) ?? `0x${BigInt.asUintN(64, address).toString(16)}`;
    if (at === undefined) return '';
    return func === undefined ? `(${named(at, true)})` : `(${named(at, true)} <- ${named(func, false)})`;
  }

  #arguments(record: RecordBytes): Parameters<typeof useProbe>[3] {
    const numbers = new Map<string, { lo: number; hi: number }>();
    const texts = new Map<string, string>();
    for (const field of this.#args) {
      if (field.shape === 'number') {
        if (record.number(field)) numbers.set(field.name, { lo: record.lo, hi: record.hi });
      } else if (field.shape !== 'bytes' && record.text(field))
        texts.set(field.name, textOf(record.buf, record.start, record.stop));
    }
    return { numbers, texts };
  }
}
