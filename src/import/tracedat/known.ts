/** What is known of the events that a file describes: how a record of each is read. */

import { byName } from '../../base/by-name.ts';
import type { Ftrace } from '../ftrace/context.ts';
import { events } from '../ftrace/events.ts';
import type { RecordRule } from '../rules.ts';
import { Binding } from './bind.ts';
import { binaryText } from './bprint.ts';
import type { Contents } from './contents.ts';
import { parsePrint } from './expression.ts';
import { EventFormat, type Field } from './format.ts';
import { Printer } from './print.ts';
import { ProbeReader } from './probe.ts';
import type { RecordBytes } from './record.ts';
import { kernelTexts, Symbols, textsOf } from './symbols.ts';

/** How the records of an event are read. */
export type Reading =
  /** Known and without effect; counted under this name. */
  | { readonly how: 'quiet'; readonly name: string }
  /** Not known. */
  | { readonly how: 'unknown'; readonly name: string }
  /** Known, but its fields are none that the rule can use. */
  | { readonly how: 'odd'; readonly name: string }
  | { readonly how: 'rule'; readonly name: string; readonly binding: Binding }
  | { readonly how: 'probe'; readonly name: string; readonly probe: ProbeReader };

/** One event: its reading, and where its records name the process. */
export interface KnownEvent {
  /** Its place in the order in which events were met. */
  readonly index: number;
  readonly reading: Reading;
  /** Its records are only counted. */
  readonly isQuiet: boolean;
  readonly pid: Field | undefined;
  /** Where they tell in which context they were made. */
  readonly flags: Field | undefined;
  /** Of an event whose records mean something else where this field holds certain addresses: that event, and whether it is meant. */
  readonly instead: ((record: RecordBytes) => KnownEvent | undefined) | undefined;
}

/** Events of ftrace itself that the text of the kernel shows without their names. */
const UNNAMED: Readonly<Record<string, string>> = byName({
  function: 'function',
  func_repeats: 'function',
  funcgraph_entry: 'function graph',
  funcgraph_exit: 'function graph',
});
const FTRACE = 'ftrace';
const PRINT = 'print';
const BINARY_PRINT = 'bprint';
/** The function that programs reach by writing into trace_marker, and the name of what they wrote. */
const MARKER = 'tracing_mark_write';

/** Largest number of an event (the type of a record has 16 bits). */
const MOST_EVENTS = 1 << 16;

/** The events of a file by their numbers. Each is looked at when its first record comes. */
export class KnownEvents {
  readonly #formats = new Map<number, EventFormat>();
  readonly #known = new Array<KnownEvent | undefined>(MOST_EVENTS).fill(undefined);
  #met = 0;
  readonly #texts;
  readonly #symbols: Symbols;
  readonly #long: number;
  readonly #ruleAt = new Map(events.names.map((name, i) => [name, events.rules[i]]));
  /** Where a record tells of which event it is. */
  readonly type: Pick<Field, 'offset' | 'size'>;

  constructor(contents: Contents, long: number) {
    this.#long = long;
    this.#symbols = new Symbols(() => contents.kallsyms?.() ?? new Uint8Array(0));
    this.#texts = textsOf(this.#symbols, kernelTexts(contents.printk));
    for (const text of contents.formats) {
      const format = EventFormat.of(text);
      if (format !== undefined && format.id < MOST_EVENTS) this.#formats.set(format.id, format);
    }
    const [first] = this.#formats.values();
    this.type = first?.fields.get('common_type') ?? { offset: 0, size: 2 };
  }

  /** Has the names of addresses brought into order elsewhere (see Symbols.prepare), where records of probes may ask for them. */
  prepare(make: Parameters<Symbols['prepare']>[0]): void {
    for (const format of this.#formats.values())
      if (format.isProbe) {
        this.#symbols.prepare(make);
        return;
      }
  }

  /** The event of a number; undefined when the file does not describe it. */
  of(id: number): KnownEvent | undefined {
    const known = this.#known[id];
    if (known !== undefined) return known;
    const format = this.#formats.get(id);
    return format === undefined ? undefined : (this.#known[id] = this.#look(format));
  }

  #look(format: EventFormat): KnownEvent {
    const isPrint = format.system === FTRACE && format.name === PRINT;
    return this.#meet(format, format.name, isPrint ? this.#marker(format) : undefined);
  }

  #meet(format: EventFormat, name: string, instead: KnownEvent['instead']): KnownEvent {
    const number = (field: string): Field | undefined => {
      const found = format.fields.get(field);
      return found?.shape === 'number' ? found : undefined;
    };
    const reading = this.#reading(format, name);
    return {
      index: this.#met++,
      reading,
      isQuiet: reading.how === 'quiet' || reading.how === 'unknown',
      pid: number('common_pid'),
      flags: number('common_flags'),
      instead,
    };
  }

  /** What a program wrote is a record of trace_printk() whose call stands in one certain function. */
  #marker(format: EventFormat): KnownEvent['instead'] {
    const ip = format.fields.get('ip');
    const mark = this.#meet(format, MARKER, undefined);
    return (record) => {
      const address = ip === undefined ? undefined : record.wide(ip);
      const name = address === undefined ? undefined : this.#symbols.find(address, false);
      // Without names of addresses nothing is known of the call.
      return name === undefined || name === MARKER ? mark : undefined;
    };
  }

  #reading(format: EventFormat, name: string): Reading {
    const unnamed = format.system === FTRACE ? UNNAMED[name] : undefined;
    if (unnamed !== undefined) return { how: 'quiet', name: unnamed };
    const print = parsePrint(format.print);
    const printer = new Printer(format.fields, this.#texts, this.#specialOf(format));
    const probe = ProbeReader.of(format, print, printer, this.#texts, this.#long);
    if (probe !== undefined) return { how: 'probe', name, probe };
    if (!this.#ruleAt.has(name)) return { how: 'unknown', name };
    const rule: RecordRule<Ftrace> | undefined = this.#ruleAt.get(name);
    if (rule === undefined) return { how: 'quiet', name };
    const binding = Binding.of(rule, format, print, printer, this.#long);
    return binding === undefined ? { how: 'odd', name } : { how: 'rule', name, binding };
  }

  /** The format of trace_printk() in binary stands for its text. */
  #specialOf(format: EventFormat): ((name: string, record: RecordBytes) => string | undefined) | undefined {
    if (format.system !== FTRACE || format.name !== BINARY_PRINT) return undefined;
    const at = format.fields.get('fmt');
    const buf = format.fields.get('buf');
    if (at === undefined || buf === undefined) return undefined;
    return (name, record) => {
      if (name !== 'fmt') return undefined;
      const address = record.wide(at);
      const text = address === undefined ? undefined : this.#texts.kernelText(BigInt.asUintN(64, address));
      return text === undefined ? undefined : binaryText(text, record, buf, this.#texts);
    };
  }
}
