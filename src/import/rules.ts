import { SPACE, textOf } from '../base/bytes.ts';
import type { Written } from '../model/event-args.ts';
import type { TraceBuilder } from '../trace/builder.ts';
import { isNameByte, NameTable } from './names.ts';
import { objectAt } from './objects.ts';
import { type CaptureNames, type Captures, captures, Pattern } from './pattern.ts';

/** What the rules of an importer share: the builder and the bytes of the line at hand. Importers add what they remember. */
export class RuleContext {
  readonly out: TraceBuilder;
  /** The bytes of the line at hand. */
  buf: Uint8Array = new Uint8Array(0);
  /** The path that was asked for last, and its object: many records in a row are about one. */
  #path = '';
  #object = -1;

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
    if (path === this.#path && this.#object >= 0) return this.#object;
    this.#path = path;
    return (this.#object = objectAt(this.out.world, path));
  }

  /** Emits an event about an object. */
  emit(event: Written, object: number): void {
    this.out.emit(event, object);
  }
}

/**
 * How a rule reads a record that comes as fields instead of text: which captures a field fills, and what the captures mean then. Captures are
 * those of `patterns`, as they are when a text matches.
 */
export interface FieldUse<C> {
  readonly patterns: readonly Pattern[];
  /** The captures of the first pattern that fields fill, by the name of a field; undefined where fields are not enough for this rule. */
  readonly named?: NamedFields | undefined;
  /** Says what the captures of a pattern, by its number, mean; false: without effect. */
  readonly use: (context: C, pattern: number) => boolean;
}

/** Captures by the names of fields. */
export interface NamedFields {
  /** The capture that a field fills; undefined for a field that the rule does not know. */
  readonly slotOf: (field: string) => number | undefined;
  /** Whether the captures that are there are enough; `named` holds the capture of each field that is there. */
  readonly enough: (named: ReadonlyMap<string, number>) => boolean;
}

/** One event of a log: its name, its print formats, and what it means. */
export interface RecordRule<C> {
  readonly name: string;
  /**
   * Reads the arguments (bytes `start` to `end` of the line). True: the record became events; false: it is known and
   * without effect; null: its arguments have none of the known forms.
   */
  readonly take: (context: C, start: number, end: number) => boolean | null;
  /**
   * How well the arguments have a known form, without any effect: 0 not at all, else one more than the number of values
   * that the form names. A rule without it reads anything.
   */
  readonly reads?: (context: C, start: number, end: number) => number;
  /** How its records are read that come as fields, in the order in which that is tried. */
  readonly fieldUses?: readonly FieldUse<C>[];
}

/** What `reads` tells after a pattern matched. */
function capturedSlots({ slot: slots, numbers }: Pattern): number {
  let count = 1;
  for (const slot of Object.values<number>(slots)) {
    // A text without a character is nothing that was found.
    if (captures.got[slot] === 1 && (numbers.has(slot) || captures.end[slot]! > captures.start[slot]!)) count++;
  }
  return count;
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
  named?: NamedFields,
): RecordRule<C> {
  const patterns = patternsOf(formats);
  const { slot } = patterns[0]!;
  return {
    name,
    fieldUses: [
      {
        patterns: patterns as readonly Pattern<string>[],
        named,
        use: (context, pattern) => use(context, captures, patterns[pattern]!.slot) !== false,
      },
    ],
    take: (context, start, end) => {
      for (const pattern of patterns)
        if (pattern.match(context.buf, start, end)) return use(context, captures, pattern.slot) !== false;
      if (otherwise === undefined || !otherwise(context, start, end)) return null;
      return use(context, captures, slot) !== false;
    },
    reads: (context, start, end) => {
      for (const pattern of patterns) if (pattern.match(context.buf, start, end)) return capturedSlots(pattern);
      return otherwise?.(context, start, end) === true ? capturedSlots(patterns[0]!) : 0;
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
    reads: (context, start, end) =>
      Math.max(first.reads?.(context, start, end) ?? 1, second.reads?.(context, start, end) ?? 1),
    fieldUses: [...(first.fieldUses ?? []), ...(second.fieldUses ?? [])],
  };
}

/** The events that an importer knows: those that have a rule, and names of those that are known and without effect. */
export class RuleSet<C extends RuleContext> {
  readonly rules: readonly RecordRule<C>[];
  /** All names: those of the rules first, in their order. */
  readonly names: readonly string[];
  readonly table: NameTable;

  constructor(rules: readonly RecordRule<C>[], withoutEffect: readonly string[]) {
    const ruled = new Set(rules.map((r) => r.name));
    this.rules = rules;
    this.names = [...rules.map((r) => r.name), ...withoutEffect.filter((name) => !ruled.has(name))];
    this.table = new NameTable(this.names);
  }

  /** Whether an event, by its number, is known to have no effect. */
  isQuiet(id: number): boolean {
    return id >= this.rules.length;
  }

  /** The number of the event whose name stands in bytes `start` to `end`, or -1 when it is not known. */
  find(buf: Uint8Array, start: number, end: number): number {
    return this.table.find(buf, start, end);
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
   * Takes the record of event `id` with its arguments in bytes `start` to `end` of the line of the context, and counts it.
   * False, and nothing happened, when its arguments have none of the known forms.
   */
  take(id: number, start: number, end: number): boolean {
    const { rules } = this.#set;
    const result = id < rules.length ? rules[id]!.take(this.#context, start, end) : false;
    if (result === null) return false;
    if (result) this.#context.out.understood();
    else this.#quiet[id]!++;
    return true;
  }

  /** Counts a record of a quiet event, by its number. */
  takeQuiet(id: number): void {
    this.#quiet[id]!++;
  }

  /**
   * Takes a record whose arguments `take` refused. What stands behind arguments of a known form is the remark of a person: it
   * is left out, and the result is true. Where there is no known form at all, the record is counted as skipped.
   */
  takeHead(id: number, start: number, end: number, open: boolean): boolean {
    const { buf, out } = this.#context;
    const rule = this.#set.rules[id]!;
    for (let stop = end - 1; stop > start; stop--) {
      if (buf[stop] !== SPACE || buf[stop - 1] === SPACE) continue;
      if ((rule.reads?.(this.#context, start, stop) ?? 0) > 0 && this.take(id, start, stop)) return true;
    }
    // An event without arguments, with an arrow, a comment mark or the like behind its name.
    if (start < end && !isNameByte(buf[start]!) && this.take(id, start, start)) return true;
    out.skipped(open ? 'cut off at the end of the file' : `${rule.name}: arguments not as expected`);
    return false;
  }

  /** How well the arguments of event `id` have a known form: see `RecordRule.reads`. A quiet event needs some arguments. */
  reads(id: number, start: number, end: number): number {
    const { rules } = this.#set;
    if (id < rules.length) return rules[id]!.reads?.(this.#context, start, end) ?? 1;
    return end > start ? 1 : 0;
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
