/** Binds the rule of an event to the fields that a file tells of it: each capture of the rule gets its value from a field. */
import { bytesOf, SPACE } from '../../base/bytes.ts';
import type { Ftrace } from '../ftrace/context.ts';
import { captures, type Pattern } from '../pattern.ts';
import type { FieldUse, RecordRule } from '../rules.ts';
import { type Alignment, align, type Found } from './align.ts';
import { type Expression, fieldsIn, type PrintFormat } from './expression.ts';
import type { EventFormat, Field } from './format.ts';
import type { Part, Printer } from './print.ts';
import type { RecordBytes } from './record.ts';
import { SCRATCH } from './ring.ts';

/** Different printed texts of one part of an event that are remembered. */
const MOST_TEXTS = 4096;
const LF = 10;

/** One capture and where its value comes from. */
interface Step {
  readonly slot: number;
  /** A text ends at the first blank (see Pattern). */
  readonly word: boolean;
  /** The field of a number, or of a text. */
  readonly field: Field | undefined;
  /** The text is not in the record: it is what the kernel prints of these parts. */
  readonly printed: Printed | undefined;
  /** The number is that of an expression. */
  readonly number: Expression | undefined;
}

/** Reads records of one event with its rule. */
export class Binding {
  readonly #use: FieldUse<Ftrace>;
  readonly #pattern: number;
  /** The captures that numbers of the record fill, and where those stand: offset, size, signed. */
  readonly #numbers: Int32Array;
  readonly #steps: readonly Step[];
  /** Of each capture: whether a step fills it. */
  readonly #filled: Uint8Array;
  readonly #printer: Printer;

  private constructor(use: FieldUse<Ftrace>, pattern: number, steps: readonly Step[], printer: Printer) {
    this.#use = use;
    this.#pattern = pattern;
    const plain = steps.filter(({ field }) => field?.shape === 'number');
    this.#numbers = Int32Array.from(
      plain.flatMap(({ slot, field }) => [slot, field!.offset, field!.size, field!.signed ? 1 : 0]),
    );
    this.#steps = steps.filter((step) => step.printed !== undefined || !plain.includes(step));
    this.#filled = new Uint8Array(Object.keys(use.patterns[pattern]!.slot).length);
    for (const { slot } of steps) this.#filled[slot] = 1;
    this.#printer = printer;
  }

  /**
   * The binding of a rule to an event: by the names of fields where they are enough, else by what the event prints; undefined when its fields
   * are none that the rule knows.
   */
  static of(
    rule: RecordRule<Ftrace>,
    format: EventFormat,
    print: PrintFormat | undefined,
    printer: Printer,
    long: number,
  ): Binding | undefined {
    const aligned = (rule.fieldUses ?? []).map((use) => ({
      use,
      alignment: print === undefined ? undefined : align(use.patterns, print, long),
    }));
    for (const { use, alignment } of aligned) {
      const steps = stepsByName(use, format.fields, alignment, printer);
      if (steps !== undefined) return new Binding(use, 0, steps, printer);
    }
    for (const { use, alignment } of aligned) {
      if (alignment === undefined) continue;
      const pattern = use.patterns[alignment.pattern]!;
      const steps = [...alignment.found].map(([name, found]) =>
        stepOf(pattern, slotOf(pattern, name)!, found, format.fields, printer),
      );
      return new Binding(use, alignment.pattern, steps, printer);
    }
    return undefined;
  }

  /** Says what a record means; false: it is known and without effect; null: a field is not in it. */
  take(record: RecordBytes, f: Ftrace): boolean | null {
    const { got, lo, hi } = captures;
    const filled = this.#filled;
    for (let i = 0; i < filled.length; i++) got[i] = filled[i]!;
    f.buf = record.buf;
    const numbers = this.#numbers;
    for (let i = 0; i < numbers.length; i += 4)
      if (!record.numberInto(lo, hi, numbers[i]!, numbers[i + 1]!, numbers[i + 2]!, numbers[i + 3] === 1)) return null;
    if (this.#steps.length > 0 && !this.#others(record)) return null;
    return this.#use.use(f, this.#pattern);
  }

  /** Fills the captures of texts, and of what is computed; false where a field is not in the record. */
  #others(record: RecordBytes): boolean {
    let scratch = record.buf.length - SCRATCH;
    for (const step of this.#steps) {
      const { slot, field, printed } = step;
      if (field?.shape !== 'number') captures.lo[slot] = captures.hi[slot] = 0;
      if (field !== undefined) {
        if (printed === undefined) {
          if (!record.text(field)) return false;
          this.#text(step, record.buf, record.start, record.stop);
        }
      } else if (step.number !== undefined) {
        const n = this.#printer.number(step.number, record);
        if (n === undefined) return false;
        captures.lo[slot] = Number(BigInt.asUintN(32, n));
        captures.hi[slot] = Number(BigInt.asUintN(32, n >> 32n));
      }
      if (printed !== undefined) {
        const bytes = printed.bytes(record);
        const end = Math.min(record.buf.length, scratch + bytes.length);
        record.buf.set(end - scratch === bytes.length ? bytes : bytes.subarray(0, end - scratch), scratch);
        this.#text(step, record.buf, scratch, end);
        scratch = end;
      }
    }
    return true;
  }

  /** A text without the line end behind it; a word ends at the first blank. */
  #text({ slot, word }: Step, buf: Uint8Array, start: number, stop: number): void {
    let end = stop;
    while (end > start && (buf[end - 1] === LF || buf[end - 1] === SPACE)) end--;
    if (word)
      for (let at = start; at < end; at++)
        if (buf[at] === SPACE) {
          end = at;
          break;
        }
    captures.start[slot] = start;
    captures.end[slot] = end;
  }
}

const slotOf = (pattern: Pattern<string>, name: string): number | undefined =>
  Object.entries<number>(pattern.slot).find(([own]) => own === name)?.[1];

/** The steps of a rule whose captures are filled by the names of fields; undefined when there are not enough of them. */
function stepsByName(
  use: FieldUse<Ftrace>,
  fields: ReadonlyMap<string, Field>,
  alignment: Alignment | undefined,
  printer: Printer,
): Step[] | undefined {
  const [pattern] = use.patterns;
  if (use.named === undefined || pattern === undefined) return undefined;
  const named = new Map<string, number>();
  const bySlot = new Map<number, Field>();
  for (const field of fields.values()) {
    if (field.name.startsWith('common_')) continue;
    const slot = use.named.slotOf(field.name);
    if (slot === undefined) continue;
    if (pattern.numbers.has(slot) && field.shape !== 'number') return undefined;
    named.set(field.name, slot);
    bySlot.set(slot, field);
  }
  if (named.size === 0) return undefined;
  captures.got.fill(0);
  for (const slot of bySlot.keys()) captures.got[slot] = 1;
  if (!use.named.enough(named)) return undefined;
  const steps: Step[] = [];
  for (const [name, slot] of Object.entries<number>(pattern.slot)) {
    const field = bySlot.get(slot);
    const found = alignment?.found.get(name);
    if (field === undefined) {
      if (found !== undefined) steps.push(stepOf(pattern, slot, found, fields, printer));
      continue;
    }
    const step = { slot, word: pattern.words.has(slot), field, printed: undefined, number: undefined };
    if (pattern.numbers.has(slot) || field.shape === 'text' || field.shape === 'chars') steps.push(step);
    else {
      const parts =
        found !== undefined && 'parts' in found && tells(found.parts, field) ? found.parts : partsOfField(field);
      steps.push({ ...step, printed: new Printed(parts, printer) });
    }
  }
  return steps;
}

/** The step of a capture that the print format tells. */
function stepOf(
  pattern: Pattern,
  slot: number,
  found: Found,
  fields: ReadonlyMap<string, Field>,
  printer: Printer,
): Step {
  const step = { slot, word: pattern.words.has(slot), field: undefined, printed: undefined, number: undefined };
  if ('number' in found) {
    const field = found.number.is === 'field' ? fields.get(found.number.name) : undefined;
    return field?.shape === 'number' ? { ...step, field } : { ...step, number: found.number };
  }
  // The text of a field alone lies in the record.
  const [only, more] = found.parts;
  if (only?.argument !== undefined && more === undefined && only.letter === 's') {
    const { argument } = only;
    const name =
      argument.is === 'field'
        ? argument.name
        : argument.is === 'call' && /^__get_(?:rel_)?str$/.test(argument.name) && argument.args[0]?.is === 'name'
          ? argument.args[0].name
          : undefined;
    const field = name === undefined ? undefined : fields.get(name);
    if ((field?.shape === 'text' || field?.shape === 'chars') && !printer.isSpecial) return { ...step, field };
  }
  return { ...step, printed: new Printed(found.parts, printer) };
}

/** Whether parts say a field in words. */
const tells = (parts: readonly Part[], field: Field): boolean =>
  parts.some(
    ({ letter, argument }) => /^[sp]/.test(letter) && argument !== undefined && fieldsIn(argument).has(field.name),
  );

/** How a field is printed that is no text: as the `fields` option prints numbers, or as a mask of CPUs. */
function partsOfField(field: Field): Part[] {
  const isNumber = field.shape === 'number';
  const name: Expression = { is: 'name', name: field.name };
  return [
    {
      literal: '',
      flags: isNumber ? '#' : '',
      width: undefined,
      precision: undefined,
      bytes: field.size,
      letter: isNumber ? 'x' : 's',
      argument: isNumber ? { is: 'field', name: field.name } : { is: 'call', name: '__get_bitmask', args: [name] },
    },
  ];
}

/** Texts by the numbers that they depend on, one number after the other. */
interface Texts extends Map<number, Texts | Uint8Array> {}

/** What the kernel prints of some parts; where that depends on numbers alone, it is made once for the same numbers. */
class Printed {
  readonly #parts: readonly Part[];
  readonly #printer: Printer;
  readonly #fields: readonly Field[];
  #known: Texts = new Map();
  #count = 0;

  constructor(parts: readonly Part[], printer: Printer) {
    this.#parts = parts;
    this.#printer = printer;
    this.#fields = printer.numbersIn(parts) ?? [];
  }

  bytes(record: RecordBytes): Uint8Array {
    const fields = this.#fields;
    let texts = this.#known;
    for (let i = 0; i < fields.length; i++) {
      // Large numbers are addresses: they do not come again and again.
      if (!record.number(fields[i]!) || record.hi !== 0) return this.#print(record);
      const key = record.lo;
      const next = texts.get(key);
      if (next === undefined) return this.#keep(texts, i, record);
      if (next instanceof Uint8Array) return next;
      texts = next;
    }
    return this.#print(record);
  }

  #print = (record: RecordBytes): Uint8Array => bytesOf(this.#printer.print(this.#parts, record));

  /** Makes a text and keeps it below what is known of the first numbers. */
  #keep(from: Texts, first: number, record: RecordBytes): Uint8Array {
    const fields = this.#fields;
    const keys: number[] = [];
    for (let i = first; i < fields.length; i++) {
      if (!record.number(fields[i]!) || record.hi !== 0) return this.#print(record);
      keys.push(record.lo);
    }
    const bytes = this.#print(record);
    if (++this.#count > MOST_TEXTS) {
      this.#known = new Map();
      this.#count = 0;
      return bytes;
    }
    let texts = from;
    for (const key of keys.slice(0, -1)) {
      const next: Texts = new Map();
      texts.set(key, next);
      texts = next;
    }
    texts.set(keys.at(-1)!, bytes);
    return bytes;
  }
}
