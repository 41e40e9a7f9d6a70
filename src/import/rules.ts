import { textOf } from '../base/bytes.ts';
import type { Written } from '../model/event-args.ts';
import type { TraceBuilder } from '../trace/builder.ts';
import { objectAt } from './objects.ts';
import { type CaptureNames, type Captures, captures, NameTable, Pattern } from './pattern.ts';

/** What the rules of an importer share: the builder and the bytes of the line at hand. Importers add what they remember. */
export class RuleContext {
  readonly out: TraceBuilder;
  /** The bytes of the line at hand. */
  buf: Uint8Array = new Uint8Array(0);

  constructor(out: TraceBuilder) {
    this.out = out;
  }

  /** A captured text. */
  text(slot: number): string {
    return textOf(this.buf, captures.start[slot]!, captures.end[slot]!);
  }

  /** The number of a captured text in the string table. */
  str(slot: number): number {
    return this.out.world.strings.internBytes(this.buf, captures.start[slot]!, captures.end[slot]!);
  }

  /** The number of a text in the string table. */
  intern(text: string): number {
    return this.out.world.strings.intern(text);
  }

  /** The object at a path, of the type that the path has. */
  object(path: string): number {
    return objectAt(this.out.world, path);
  }

  /** Emits an event about an object. */
  emit(event: Written, object: number): void {
    this.out.emit(event, object);
  }
}

/** One event of a log: its name, its print formats, and what it means. */
export interface RecordRule<C> {
  readonly name: string;
  /**
   * Reads the arguments (bytes `start` to `end` of the line). True: the record became events; false: it is known and
   * without effect; null: its arguments have none of the known forms.
   */
  readonly take: (context: C, start: number, end: number) => boolean | null;
}

/** The capture number of each name of a print format. */
export type Slots<F extends string> = { readonly [K in CaptureNames<F>]: number };

/** What a record means, given its captures. Returns false when it turns out to be without effect. */
export type Use<C, F extends string> = (context: C, c: Captures, s: Slots<F>) => unknown;

/**
 * Makes the rule of one event. Print formats are tried in order; versions of a program differ. `otherwise` reads
 * arguments that have none of them: it fills the captures of the first format, or returns false.
 */
export function rule<C extends RuleContext, const F extends string>(
  name: string,
  formats: F | readonly F[],
  use: Use<C, F>,
  otherwise?: (context: C, start: number, end: number) => boolean,
): RecordRule<C> {
  const patterns = patternsOf(formats);
  const { slot } = patterns[0]!;
  return {
    name,
    take: (context, start, end) => {
      for (const pattern of patterns)
        if (pattern.match(context.buf, start, end)) return use(context, captures, pattern.slot) !== false;
      if (otherwise === undefined || !otherwise(context, start, end)) return null;
      return use(context, captures, slot) !== false;
    },
  };
}

/** The compiled print formats of a rule. */
export function patternsOf<const F extends string>(formats: F | readonly F[]): Pattern<F>[] {
  return (typeof formats === 'string' ? [formats] : formats).map((f) => new Pattern<F>(f));
}

/** A rule whose print formats capture different things: the first that reads the arguments takes them. */
export function either<C>(first: RecordRule<C>, second: RecordRule<C>): RecordRule<C> {
  return {
    name: first.name,
    take: (context, start, end) => first.take(context, start, end) ?? second.take(context, start, end),
  };
}

/** The events that an importer knows: those that have a rule, and names of those that are known and without effect. */
export class RuleSet<C extends RuleContext> {
  readonly rules: readonly RecordRule<C>[];
  /** All names: those of the rules first, in their order. */
  readonly names: readonly string[];
  readonly #table: NameTable;

  constructor(rules: readonly RecordRule<C>[], withoutEffect: readonly string[]) {
    const ruled = new Set(rules.map((r) => r.name));
    this.rules = rules;
    this.names = [...rules.map((r) => r.name), ...withoutEffect.filter((name) => !ruled.has(name))];
    this.#table = new NameTable(this.names);
  }

  /** The number of the event whose name stands in bytes `start` to `end`, or -1 when it is not known. */
  find(buf: Uint8Array, start: number, end: number): number {
    return this.#table.find(buf, start, end);
  }
}

/**
 * Gives the records of one source to the rules and counts how each was read. Records without effect come by the
 * million: they are counted by number and go into the accounting with `settle`.
 */
export class Dispatcher<C extends RuleContext> {
  readonly #context: C;
  readonly #set: RuleSet<C>;
  readonly #quiet: Uint32Array;

  constructor(context: C, set: RuleSet<C>) {
    this.#context = context;
    this.#set = set;
    this.#quiet = new Uint32Array(set.names.length);
  }

  /**
   * Takes the record of event `id` with its arguments in bytes `start` to `end` of the line of the context. `open`: the
   * source ended within the record.
   */
  take(id: number, start: number, end: number, open: boolean): void {
    const { rules } = this.#set;
    const result = id < rules.length ? rules[id]!.take(this.#context, start, end) : false;
    if (result === false) this.#quiet[id]!++;
    else if (result) this.#context.out.understood();
    else
      this.#context.out.skipped(
        open ? 'cut off at the end of the file' : `${rules[id]!.name}: arguments not as expected`,
      );
  }

  /** Brings the accounting up to date; may be called at any moment and any number of times. */
  settle(): void {
    const { accounting } = this.#context.out;
    for (const [id, count] of this.#quiet.entries()) {
      if (count === 0) continue;
      const name = this.#set.names[id]!;
      accounting.records += count;
      accounting.understood += count;
      accounting.withoutEffect.set(name, (accounting.withoutEffect.get(name) ?? 0) + count);
    }
    this.#quiet.fill(0);
  }
}
