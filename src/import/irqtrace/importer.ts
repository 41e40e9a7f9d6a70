/**
 * `.irqtrace`, the trace file of this project: UTF-8 text, a header, then one event a line. docs/trace-format.md defines
 * it. Kinds and arguments that this version does not know are kept as `other` events and written back as they were.
 */
import { textOf } from '../../base/bytes.ts';
import { other } from '../../model/events/notes.ts';
import { kindNamed } from '../../model/vocabulary.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { MAGIC, VERSION } from '../../trace/irqtrace.ts';
import { objectOf, type PlainEvent, packArguments } from '../../trace/plain.ts';
import type { LineReader } from '../importer.ts';

const NANO = 1_000_000_000;
const LINE =
  /^(\d+(?:\.\d{1,9})?|-) (cpu\d{1,5}|-) (-|"(?:[^"\\]|\\.)*"|[^\s"#=\\]+) (\S+) ("(?:[^"\\]|\\.)*"|\S+)((?: [^\s=]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]*))*)$/;
const ARGUMENT = / ([^\s=]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)/g;

const unquoted = (text: string): string => (text.startsWith('"') ? String(JSON.parse(text)) : text);

export class IrqtraceImporter implements LineReader {
  readonly #out: TraceBuilder;
  #base: bigint | undefined;
  #version = 0;
  readonly #lines: string[] = [];

  constructor(out: TraceBuilder) {
    this.#out = out;
    out.source.format = 'irqtrace';
    out.source.clock = 'not told';
  }

  line(buf: Uint8Array, start: number, end: number, cut: boolean, open: boolean): void {
    const out = this.#out;
    const text = textOf(buf, start, end);
    if (text.trim() === '') {
      out.other('blank');
    } else if (text.startsWith('#')) {
      this.#header(text);
      out.other('header');
    } else if (cut) {
      out.skipped('line longer than 1 MiB');
    } else {
      const problem = this.#event(text);
      if (problem !== undefined) out.skipped(open ? 'cut off at the end of the file' : problem);
      else out.understood();
    }
  }

  settle(): void {
    const meta = this.#out.source;
    meta.variant = `version ${this.#version}${this.#version > VERSION ? ` (this program knows version ${VERSION})` : ''}`;
    meta.cpus = this.#out.world.find('cpu')?.children.size ?? 0;
  }

  #header(text: string): void {
    const meta = this.#out.source;
    const version = new RegExp(`^${MAGIC} (\\d+)$`).exec(text);
    if (version) this.#version = Number(version[1]);
    const clock = /^#clock (seconds|ticks) digits=(\d) (.+)$/.exec(text);
    if (clock) {
      meta.time = { base: 0n, ticks: clock[1] === 'ticks', digits: Number(clock[2]) };
      meta.clock = safely(() => unquoted(clock[3]!)) ?? clock[3]!;
    }
    if (version || clock) return;
    this.#lines.push(text.slice(1));
    meta.header = this.#lines;
  }

  /** Reads one event; returns what is wrong with it. */
  #event(text: string): string | undefined {
    const m = LINE.exec(text);
    if (!m) return 'not an event line: expected time, cpu, task, kind, object, arguments';
    const task = safely(() => unquoted(m[3]!));
    const path = safely(() => unquoted(m[5]!));
    if (task === undefined || path === undefined) return 'a quoted text is not closed or not in JSON notation';
    const out = this.#out;
    this.#time(m[1]!);
    out.cpu = m[2] === '-' ? -1 : Number(m[2]!.slice(3));
    if (m[3] !== '-') out.setTaskText(task);
    const fields: Record<string, string> = {};
    for (const argument of m[6]!.matchAll(ARGUMENT)) {
      const value = safely(() => unquoted(argument[2]!));
      if (value === undefined) return `${argument[1]}: a quoted text is not in JSON notation`;
      fields[argument[1]!] = value;
    }
    const object = objectOf(out.world, path);
    const kind = kindNamed(m[4]!);
    if (kind === undefined || kind === other) {
      this.#keep(object, m[4]!, m[6]!);
      return undefined;
    }
    const known: Record<string, string> = {};
    let strange = '';
    for (const [name, value] of Object.entries(fields)) {
      if (kind.args.some((a) => a.name === name)) known[name] = value;
      else strange += ` ${name}=${value}`;
    }
    const wrong = packArguments(out.world, kind, known as PlainEvent['fields']);
    if (wrong) return wrong.problem;
    out.emit(kind.written, object);
    if (strange !== '') this.#keep(object, m[4]!, strange);
    return undefined;
  }

  #keep(object: number, name: string, text: string): void {
    const { strings } = this.#out.world;
    this.#out.emit(other.put().name(strings.intern(name)).text(strings.intern(text.trim())), object);
  }

  #time(text: string): void {
    const out = this.#out;
    if (text === '-') return;
    const meta = out.source;
    const [whole, fraction = ''] = text.split('.') as [string, string?];
    if (this.#base === undefined) {
      this.#base = BigInt(whole);
      meta.time = { ...meta.time, base: this.#base };
    }
    const units = Number(BigInt(whole) - this.#base);
    out.time = meta.time.ticks ? units : units * NANO + Number(fraction.padEnd(9, '0'));
  }
}

function safely<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
