/** The descriptions of events, as the kernel gives them (events/SYSTEM/EVENT/format; f_show of kernel/trace/trace_events.c). */
import { textOf } from '../../base/bytes.ts';
import type { FormatText } from './contents.ts';

/** How the value of a field lies in a record. */
export type Shape =
  /** A number of `size` bytes. */
  | 'number'
  /** A text in the field itself, which a NUL ends. */
  | 'chars'
  /** A text in the record behind the field: `__data_loc` and `__rel_loc` tell where, and `buf[]` goes on to the end of the record. */
  | 'text'
  /** Bytes that are no text, in the field itself or where it tells. */
  | 'bytes';

/** Where the bytes of a value begin that does not lie in its field. */
export type Place = 'here' | 'data-loc' | 'rel-loc' | 'rest';

/** One field of the records of an event. */
export interface Field {
  readonly name: string;
  /** Its type in C, without the name. */
  readonly type: string;
  readonly offset: number;
  readonly size: number;
  readonly signed: boolean;
  readonly shape: Shape;
  readonly place: Place;
  /** Bytes of one element of an array; of another field its size. */
  readonly element: number;
}

/** Longest description that is read: those of the kernel have some hundred to some ten thousand bytes. */
const LONGEST = 1 << 20;

/** Fields of an event that are read; the kernel's have some dozen. */
const MOST_FIELDS = 256;

/** One event. Its fields are read when a record of it comes. */
export class EventFormat {
  readonly id: number;
  readonly system: string;
  readonly name: string;
  readonly #text: string;
  #fields: ReadonlyMap<string, Field> | undefined;

  /** The event that a text describes; undefined when it names none. */
  static of({ system, text }: FormatText): EventFormat | undefined {
    if (text.length > LONGEST) return undefined;
    const whole = textOf(text);
    const name = /^name: *(\S{1,200})/m.exec(whole)?.[1];
    const id = /^ID: *(\d{1,9})/m.exec(whole)?.[1];
    return name === undefined || id === undefined ? undefined : new EventFormat(Number(id), system, name, whole);
  }

  private constructor(id: number, system: string, name: string, text: string) {
    this.id = id;
    this.system = system;
    this.name = name;
    this.#text = text;
  }

  /** It tells where a probe stands (see probe.ts). */
  get isProbe(): boolean {
    return this.#text.includes(' __probe_');
  }

  /** The fields by their names. */
  get fields(): ReadonlyMap<string, Field> {
    this.#fields ??= new Map(fieldsOf(this.#text).map((field) => [field.name, field]));
    return this.#fields;
  }

  /** What the kernel prints of a record: a format and its arguments, in C. */
  get print(): string {
    return /^print fmt: *([\s\S]*)$/m.exec(this.#text)?.[1]?.trim() ?? '';
  }
}

const FIELD =
  /^[ \t]*field(?: special)?:([^;\n]{1,200});[ \t]*offset:(\d{1,6});[ \t]*size:(\d{1,6});(?:[ \t]*signed:(\d);)?/gm;
/** A declaration: a type, a name, and perhaps how many elements there are. */
const DECLARATION = /^(.*?[\s*\]])(\w+)\s*(\[[^\]]*\])?$/;

function fieldsOf(text: string): Field[] {
  const fields: Field[] = [];
  for (const [, declared, offset, size, signed] of text.matchAll(FIELD)) {
    const m = DECLARATION.exec(declared!.trim());
    if (m === null) continue;
    if (fields.length === MOST_FIELDS) break;
    const type = m[1]!.trim();
    fields.push(fieldOf(m[2]!, type, m[3], Number(offset), Number(size), signed === '1'));
  }
  return fields;
}

function fieldOf(
  name: string,
  type: string,
  brackets: string | undefined,
  offset: number,
  size: number,
  signed: boolean,
): Field {
  const isText = /\bchar\b/.test(type) && !/\bunsigned\b/.test(type);
  const field = { name, type, offset, size, signed };
  const located = /^__(data|rel)_loc\b/.exec(type);
  if (located)
    return {
      ...field,
      shape: isText ? 'text' : 'bytes',
      place: located[1] === 'data' ? 'data-loc' : 'rel-loc',
      element: /\blong\b|cpumask/.test(type) ? 0 : 1,
    };
  if (brackets === undefined) {
    const isNumber = size === 1 || size === 2 || size === 4 || size === 8;
    return { ...field, shape: isNumber ? 'number' : 'bytes', place: 'here', element: size };
  }
  if (size === 0) return { ...field, shape: isText ? 'text' : 'bytes', place: 'rest', element: 1 };
  const count = Number(/\d+/.exec(brackets)?.[0] ?? 0);
  return {
    ...field,
    shape: isText ? 'chars' : 'bytes',
    place: 'here',
    element: count > 0 && size % count === 0 ? size / count : 1,
  };
}
