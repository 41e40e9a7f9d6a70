/**
 * `.irqtrace`, the trace file of this project: UTF-8 text, a header, then one event a line. docs/trace-format.md defines
 * it. Kinds and arguments that this version does not know are kept and written back as they were.
 */
import { textOf } from '../../base/bytes.ts';
import { other } from '../../model/events/notes.ts';
import { kindNamed } from '../../model/vocabulary.ts';
import { argumentsIn, unquoted } from '../../trace/arguments.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { MAGIC, VERSION } from '../../trace/irqtrace.ts';
import { LONGEST_PATH, objectOf, packArguments } from '../../trace/plain.ts';
import { MOST_CPU } from '../../trace/row.ts';
import type { LineReader } from '../importer.ts';
import { Stamps } from '../stamps.ts';

const VERSION_LINE = new RegExp(`^${MAGIC} (\\d+)$`);
const CLOCK_LINE = /^#clock (seconds|ticks) digits=(\d) (.+)$/;
const LINE =
  /^(-?\d+(?:\.\d{1,9})?|-) (cpu\d+|-) (-|"(?:[^"\\]|\\.)*"|[^\s"#=\\]+) (\S+) ("(?:[^"\\]|\\.)*"|\S+)((?: [^\s=]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]*))*)$/;

export class IrqtraceImporter implements LineReader {
  readonly #out: TraceBuilder;
  readonly #stamps: Stamps;
  #version = 0;
  readonly #lines: string[] = [];

  constructor(out: TraceBuilder) {
    this.#out = out;
    this.#stamps = new Stamps(out);
    out.source.format = 'irqtrace';
    out.source.clock = 'not told';
  }

  line(buf: Uint8Array, start: number, end: number, cut: boolean, open: boolean): void {
    const out = this.#out;
    const line = textOf(buf, start, end);
    const text = line.trimEnd();
    if (text === '') {
      out.other('blank');
    } else if (text.startsWith('#')) {
      this.#header(withoutReturns(line));
      out.other('header');
    } else if (cut) {
      out.skipped('line longer than 1 MiB');
    } else {
      const problem = this.#event(text);
      if (problem !== undefined) out.skipped(open ? 'cut off at the end of the file' : problem);
    }
  }

  settle(): void {
    const meta = this.#out.source;
    meta.variant = `version ${this.#version}${this.#version > VERSION ? ` (this program knows version ${VERSION})` : ''}`;
    meta.cpus = this.#out.world.find('cpu')?.children.size ?? 0;
  }

  #header(text: string): void {
    const meta = this.#out.source;
    const version = VERSION_LINE.exec(text);
    if (version) {
      this.#version = Number(version[1]);
      return;
    }
    const clock = CLOCK_LINE.exec(text);
    if (clock) {
      // The stamps that were read are in the unit that was told then.
      if (this.#stamps.begun) return;
      meta.time = { base: 0n, ticks: clock[1] === 'ticks', digits: clock[1] === 'ticks' ? 0 : Number(clock[2]) };
      meta.clock = unquoted(clock[3]!) ?? clock[3]!;
      return;
    }
    this.#lines.push(text.slice(1));
    meta.header = this.#lines;
  }

  /** Reads one event and counts it; returns what is wrong with it instead. */
  #event(text: string): string | undefined {
    const m = LINE.exec(text);
    if (!m) return 'not an event line: expected time, cpu, task, kind, object, arguments';
    const task = unquoted(m[3]!);
    const path = unquoted(m[5]!);
    if (task === undefined || path === undefined) return 'a quoted text is not closed or not in JSON notation';
    if (path.length > LONGEST_PATH) return `a path of more than ${LONGEST_PATH} characters`;
    const cpu = m[2] === '-' ? -1 : Number(m[2]!.slice(3));
    if (cpu > MOST_CPU) return `CPU number beyond ${MOST_CPU}`;
    const given = argumentsIn(m[6]!);
    if (typeof given === 'string') return `${given.slice(0, 40)}: a quoted text is not in JSON notation`;
    const out = this.#out;
    const name = m[4]!;
    const kind = kindNamed(name);
    if (kind === undefined || kind === other) {
      const wrongTime = this.#stamps.take(m[1]!);
      if (wrongTime !== undefined) return wrongTime;
      this.#stand(cpu, m[3] === '-' ? undefined : task);
      const { strings } = out.world;
      const object = objectOf(out.world, path);
      out.emit(
        other
          .put()
          .name(strings.intern(name))
          .text(strings.intern(m[6]!.slice(1))),
        object,
      );
      out.unknown(name);
      return undefined;
    }
    const known: Record<string, string> = {};
    let extra = '';
    for (const argument of given) {
      if (kind.args.some((a) => a.name === argument.name)) known[argument.name] = argument.value;
      else extra += argument.text;
    }
    const wrong = packArguments(out.world, kind, known)?.problem ?? this.#stamps.take(m[1]!);
    if (wrong !== undefined) return wrong;
    this.#stand(cpu, m[3] === '-' ? undefined : task);
    const object = objectOf(out.world, path);
    if (extra !== '') out.row.extra = out.world.strings.intern(extra.slice(1));
    out.emit(kind.written, object);
    out.understood();
    return undefined;
  }

  #stand(cpu: number, task: string | undefined): void {
    this.#out.cpu = cpu;
    if (task !== undefined) this.#out.setTaskText(task);
  }
}

/** A line without the carriage returns at its end. */
function withoutReturns(line: string): string {
  let end = line.length;
  while (line[end - 1] === '\r') end--;
  return line.slice(0, end);
}
