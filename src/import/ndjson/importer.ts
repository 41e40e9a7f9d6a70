/**
 * What `irqscope events --json` and `convert --to ndjson` print: one JSON object a line, an event each (docs/cli.md). Kinds and arguments
 * that this version does not know are kept. What the text cannot tell: the clock and what was skipped in the file that it was made from.
 */
import { textOf } from '../../base/bytes.ts';
import { other } from '../../model/events/notes.ts';
import { kindNamed } from '../../model/vocabulary.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { quoted } from '../../trace/line-writer.ts';
import { LONGEST_PATH, objectOf, type PlainEvent, packArguments } from '../../trace/plain.ts';
import { MOST_CPU } from '../../trace/row.ts';
import type { LineReader } from '../importer.ts';
import { Stamps } from '../stamps.ts';

const TIME = /^-?\d+(?:\.\d{1,9})?$/;

/** An event as a line says it. */
interface Told {
  readonly time: string | null;
  readonly cpu: number | null;
  readonly kind: string;
  readonly object: string;
  readonly task: string | undefined;
  readonly fields: PlainEvent['fields'];
}

export class NdjsonImporter implements LineReader {
  readonly #out: TraceBuilder;
  readonly #stamps: Stamps;

  constructor(out: TraceBuilder) {
    this.#out = out;
    this.#stamps = new Stamps(out);
    out.source.format = 'ndjson';
    out.source.clock = 'not told';
  }

  line(buf: Uint8Array, start: number, end: number, cut: boolean, open: boolean): void {
    const out = this.#out;
    const text = textOf(buf, start, end).trim();
    if (text === '') out.other('blank');
    else if (cut) out.skipped('line longer than 1 MiB');
    else {
      const told = toldBy(text);
      const problem = typeof told === 'string' ? told : this.#event(told);
      if (problem !== undefined) out.skipped(open ? 'cut off at the end of the file' : problem);
    }
  }

  settle(): void {
    this.#out.source.cpus = this.#out.world.find('cpu')?.children.size ?? 0;
  }

  /** Reads one event and counts it; returns what is wrong with it instead. */
  #event({ time, cpu, kind: name, object: path, task, fields }: Told): string | undefined {
    const out = this.#out;
    const { strings } = out.world;
    const named = kindNamed(name);
    const kind = named === other ? undefined : named;
    const [known, extra] = divided(fields, (argument) => kind?.args.some((a) => a.name === argument) === true);
    const wrong = kind === undefined ? undefined : packArguments(out.world, kind, known)?.problem;
    const problem = wrong ?? this.#stamps.take(time ?? '-');
    if (problem !== undefined) return problem;
    out.cpu = cpu ?? -1;
    if (task !== undefined) out.setTaskText(task);
    const object = objectOf(out.world, path);
    if (kind === undefined) {
      out.emit(other.put().name(strings.intern(name)).text(strings.intern(extra)), object);
      out.unknown(name);
      return undefined;
    }
    if (extra !== '') out.row.extra = strings.intern(extra);
    out.emit(kind.written, object);
    out.understood();
    return undefined;
  }
}

/** What a line says; a text where it says no event. */
function toldBy(text: string): Told | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not a JSON object';
  const { time = null, cpu = null, kind, object, task, fields = {} } = value as Record<string, unknown>;
  if (typeof kind !== 'string' || !/^\S+$/.test(kind)) return 'an event has a kind';
  if (typeof object !== 'string' || object === '') return 'an event has an object';
  if (object.length > LONGEST_PATH) return `a path of more than ${LONGEST_PATH} characters`;
  if (time !== null && (typeof time !== 'string' || !TIME.test(time))) return 'a time is a decimal text or null';
  if (cpu !== null && !(Number.isInteger(cpu) && (cpu as number) >= 0)) return 'a CPU is a number or null';
  if (cpu !== null && (cpu as number) > MOST_CPU) return `CPU number beyond ${MOST_CPU}`;
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return 'the fields are an object';
  return {
    time: time as string | null,
    cpu: cpu as number | null,
    kind,
    object,
    task: typeof task === 'string' ? task : undefined,
    fields: fields as Told['fields'],
  };
}

/** The arguments that a kind has, and the others as they stand in a trace file. */
function divided(
  fields: Told['fields'],
  isKnown: (name: string) => boolean,
): readonly [known: Told['fields'], extra: string] {
  const known: Record<string, number | string | boolean | null | undefined> = {};
  const extra: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (isKnown(name)) known[name] = value;
    else if (value !== null && value !== undefined && /^[^\s=]+$/.test(name))
      extra.push(`${name}=${quoted(typeof value === 'object' ? JSON.stringify(value) : String(value))}`);
  }
  return [known, extra.join(' ')];
}
