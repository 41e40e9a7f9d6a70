import { EQUALS, PAREN_CLOSE, PAREN_OPEN, Scanner, SPACE, textOf } from '../../base/bytes.ts';
import type { EventKind } from '../../model/event.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { objectAt } from '../objects.ts';
import { type Captures, captures, isNameByte, type Names, Pattern } from '../pattern.ts';

/** What the rules of the ftrace text share: the builder, the line at hand, and who runs which virtual CPU. */
export class Ftrace {
  readonly out: TraceBuilder;
  /** The bytes of the line at hand. */
  buf: Uint8Array = new Uint8Array(0);
  /** Some payload was printed by the `fields` option. */
  fields = false;
  /** Virtual CPU by task (text number of `comm-pid`), learnt from entries and exits. */
  readonly #vcpus = new Map<number, number>();
  readonly #strings: TraceBuilder['world']['strings'];

  constructor(out: TraceBuilder) {
    this.out = out;
    this.#strings = out.world.strings;
  }

  /** A captured text. */
  text(slot: number): string {
    return textOf(this.buf, captures.start[slot]!, captures.end[slot]!);
  }

  /** The number of a captured text in the string table. */
  str(slot: number): number {
    return this.#strings.internBytes(this.buf, captures.start[slot]!, captures.end[slot]!);
  }

  emit(kind: EventKind, object: number): void {
    this.out.emit(kind, object);
  }

  object(path: string): number {
    return objectAt(this.out.world, path);
  }

  /** The task at hand runs this virtual CPU. */
  runs(vcpu: number): void {
    this.#vcpus.set(this.out.task, vcpu);
  }

  /** The virtual CPU that the task at hand runs, or -1. */
  get vcpu(): number {
    return this.#vcpus.get(this.out.task) ?? -1;
  }
}

/** One event of the text: its name, its print formats, and what it means. */
export interface FtraceRule {
  readonly name: string;
  /** Reads the payload (bytes `start` to `end` of the line). Null: it has none of the known forms. */
  readonly take: (f: Ftrace, start: number, end: number) => boolean | null;
}

export type Use<F extends string> = (
  f: Ftrace,
  c: Captures,
  s: { readonly [K in Names<F>]: number },
  w: Uint32Array,
) => unknown;

/**
 * Makes the rule of one event. Print formats are tried in order. When none fits, the payload is read as the `fields`
 * option prints it (` name=value` pairs): names are those of the captures, or given by `fields` as {field: capture}.
 * `ready` may turn what the fields said into what the captures mean; it returns false when something is missing.
 */
export function rule<const F extends string>(
  name: string,
  formats: F | readonly F[],
  use: Use<F>,
  fields: Readonly<Record<string, string>> = {},
  ready?: (c: Captures, s: { readonly [K in Names<F>]: number }, named: ReadonlyMap<string, number>) => boolean,
): FtraceRule {
  const patterns = (typeof formats === 'string' ? [formats] : formats).map((f) => new Pattern<F>(f));
  const { slot, numbers } = patterns[0]!;
  const reader = new FieldsReader(slot, fields, numbers);
  return {
    name,
    take: (f, start, end) => {
      for (const pattern of patterns) {
        if (pattern.match(f.buf, start, end)) return use(f, captures, pattern.slot, f.out.words) !== false;
      }
      const named = reader.read(f.buf, start, end);
      if (named === undefined) return null;
      f.fields = true;
      if (ready ? !ready(captures, slot, named) : !Object.values<number>(slot).every((i) => captures.got[i]))
        return null;
      return use(f, captures, slot, f.out.words) !== false;
    },
  };
}

/** A rule whose forms capture different things: the first that reads the payload takes it. */
export function either(first: FtraceRule, second: FtraceRule): FtraceRule {
  return { name: first.name, take: (f, start, end) => first.take(f, start, end) ?? second.take(f, start, end) };
}

/** Captures above this number hold fields that no print format has. */
const EXTRA = 12;
const scanner = new Scanner();

/** Reads ` name=value` pairs as the `fields` option prints them: `0xhex (dec)`, `'c'(dec)`, `symbol (dec)`, or text. */
class FieldsReader {
  readonly #slots: Readonly<Record<string, number>>;
  readonly #renamed: Readonly<Record<string, string>>;
  readonly #numbers: ReadonlySet<number>;

  constructor(
    slots: Readonly<Record<string, number>>,
    renamed: Readonly<Record<string, string>>,
    numbers: ReadonlySet<number>,
  ) {
    this.#slots = slots;
    this.#renamed = renamed;
    this.#numbers = numbers;
  }

  /** The capture number of each field that was there; undefined when the payload is no list of fields as expected. */
  read(buf: Uint8Array, start: number, end: number): Map<string, number> | undefined {
    const named = new Map<string, number>();
    let extra = EXTRA;
    let at = start;
    captures.got.fill(0);
    while (at < end) {
      while (at < end && buf[at] === SPACE) at++;
      const nameStart = at;
      while (at < end && isNameByte(buf[at]!)) at++;
      if (at === nameStart || buf[at] !== EQUALS) break;
      const name = textOf(buf, nameStart, at);
      const valueStart = at + 1;
      at = this.#valueEnd(buf, valueStart, end);
      const slot = this.#slots[this.#renamed[name] ?? name] ?? (extra < captures.got.length ? extra++ : -1);
      if (slot >= 0) {
        const isNumber = this.#value(buf, valueStart, at, slot);
        if (!isNumber && this.#numbers.has(slot)) return undefined;
        named.set(name, slot);
      }
    }
    return named.size > 0 ? named : undefined;
  }

  /** A value ends where the next ` name=` begins. */
  #valueEnd(buf: Uint8Array, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      if (buf[at] !== SPACE) continue;
      let next = at + 1;
      while (next < end && isNameByte(buf[next]!)) next++;
      if (next > at + 1 && buf[next] === EQUALS) return at;
    }
    return end;
  }

  /** Takes a value over into a capture; says whether it is a number. */
  #value(buf: Uint8Array, start: number, end: number, slot: number): boolean {
    captures.start[slot] = start;
    captures.end[slot] = end;
    captures.got[slot] = 1;
    captures.lo[slot] = 0;
    captures.hi[slot] = 0;
    if (buf[end - 1] === PAREN_CLOSE) {
      let open = end - 1;
      while (open > start && buf[open] !== PAREN_OPEN) open--;
      if (scanner.on(buf, open + 1, end - 1).dec() && scanner.pos === end - 1) {
        captures.lo[slot] = scanner.lo;
        captures.hi[slot] = scanner.hi;
        captures.end[slot] = buf[open - 1] === SPACE ? open - 1 : open;
        return true;
      }
    }
    if (!scanner.on(buf, start, end).number() || scanner.pos !== end) return false;
    captures.lo[slot] = scanner.lo;
    captures.hi[slot] = scanner.hi;
    return true;
  }
}
