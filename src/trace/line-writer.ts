import { bytesOf } from '../base/bytes.ts';
import type { ObjectId } from '../base/ids.ts';
import { type TimeBase, timeText } from '../base/time.ts';
import { shownJson } from '../base/visible.ts';
import type { EventKind } from '../model/event.ts';
import { other } from '../model/events/notes.ts';
import type { World } from '../model/world.ts';
import type { EventRow } from './row.ts';

/** A text as one word: as it is when it has no blanks, control characters, quotes, '=' or '#', else in JSON notation. */
export function quoted(text: string): string {
  return PLAIN.test(text) && text !== '-' ? text : shownJson(JSON.stringify(text));
}

const PLAIN = /^[^\s"#=\\\p{Cc}\p{Bidi_Control}]+$/u;

const SPACE = 32;
const ZERO = 48;
const DASH = 45;
const HEX = bytesOf('0123456789abcdef');
const TRUE = bytesOf('true');
const FALSE = bytesOf('false');
const START = 1 << 16;

/** The fixed parts of the lines of one kind. */
interface KindText {
  readonly name: Uint8Array;
  /** ` name=` of each argument. */
  readonly args: readonly Uint8Array[];
}

/** By the number of the kind. */
const kindTexts: KindText[] = [];

function kindText(kind: EventKind): KindText {
  let text = kindTexts[kind.number];
  if (text === undefined) {
    text = { name: bytesOf(kind.name), args: kind.args.map((arg) => bytesOf(` ${arg.name}=`)) };
    kindTexts[kind.number] = text;
  }
  return text;
}

/**
 * Writes events as lines of an `.irqtrace` file, as bytes: time, CPU, task, kind, object, arguments (docs/trace-format.md).
 * Each path and text is quoted once; writing a line makes no string.
 */
export class LineWriter {
  readonly #world: World;
  readonly #time: TimeBase;
  #buf: Uint8Array;
  #at = 0;
  readonly #paths: Uint8Array[] = [];
  readonly #texts: Uint8Array[] = [];
  /** The stamp without its last three digits; the same for all events of a microsecond. */
  #stampText: Uint8Array = new Uint8Array(0);
  #thousands = -1;

  /** `size`: bytes of room at first; the room grows when it is needed. */
  constructor(world: World, time: TimeBase, size = START) {
    this.#buf = new Uint8Array(size);
    this.#world = world;
    this.#time = time;
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#at;
  }

  /** What was written since the last `take`; valid until the next line is written. */
  take(): Uint8Array {
    const all = this.#buf.subarray(0, this.#at);
    this.#at = 0;
    return all;
  }

  /** Adds a line of any text. */
  line(text: string): void {
    this.#bytes(bytesOf(text));
    this.#byte(10);
  }

  /** Adds an event with its line feed. */
  event(row: EventRow): void {
    const { kind, time, cpu, object, task, words, at: from, extra } = row;
    this.#stamp(time);
    this.#byte(SPACE);
    if (cpu < 0) this.#byte(DASH);
    else {
      this.#room(3);
      this.#buf[this.#at++] = 99;
      this.#buf[this.#at++] = 112;
      this.#buf[this.#at++] = 117;
      this.#decimal(cpu);
    }
    this.#byte(SPACE);
    if (task === 0) this.#byte(DASH);
    else this.#text(task);
    this.#byte(SPACE);
    const strange = kind === other;
    if (strange) this.#bytes(bytesOf(this.#world.strings.text(words[from + other.at.name]!)));
    else this.#bytes(kindText(kind).name);
    this.#byte(SPACE);
    this.#path(object);
    if (strange) {
      const text = this.#world.strings.text(words[from + other.at.text]!);
      if (text !== '') {
        this.#byte(SPACE);
        this.#bytes(bytesOf(text));
      }
    } else this.#arguments(kind, words, from);
    if (extra !== 0) {
      this.#byte(SPACE);
      this.#bytes(bytesOf(this.#world.strings.text(extra)));
    }
    this.#byte(10);
  }

  #arguments(kind: EventKind, words: Uint32Array, from: number): void {
    const { args } = kind;
    const names = kindText(kind).args;
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!;
      if (arg.optional && (words[from]! & arg.bit) === 0) continue;
      this.#bytes(names[i]!);
      const at = from + arg.at;
      const word = words[at]!;
      switch (arg.type) {
        case 'u':
          this.#decimal(word);
          break;
        case 'i':
          if ((word | 0) < 0) this.#byte(DASH);
          this.#decimal(Math.abs(word | 0));
          break;
        case 'flag':
          this.#bytes(word === 0 ? FALSE : TRUE);
          break;
        case 's':
          this.#text(word);
          break;
        case 'o':
          this.#path(word);
          break;
        default:
          this.#hex(words, at, arg.words);
      }
    }
  }

  #stamp(time: number): void {
    const { base, ticks, digits } = this.#time;
    if (base !== 0n || ticks || digits !== 9 || !(time >= 0 && Number.isSafeInteger(time))) {
      this.#bytes(bytesOf(timeText(time, this.#time) ?? '-'));
      return;
    }
    const thousands = Math.floor(time / 1000);
    if (thousands !== this.#thousands) {
      this.#thousands = thousands;
      const seconds = Math.floor(thousands / 1e6);
      this.#stampText = bytesOf(`${seconds}.${String(thousands - seconds * 1e6).padStart(6, '0')}`);
    }
    this.#bytes(this.#stampText);
    this.#room(3);
    const rest = time - thousands * 1000;
    const tens = (rest / 10) | 0;
    const hundreds = (tens / 10) | 0;
    this.#buf[this.#at++] = ZERO + hundreds;
    this.#buf[this.#at++] = ZERO + tens - hundreds * 10;
    this.#buf[this.#at++] = ZERO + rest - tens * 10;
  }

  #path(object: ObjectId): void {
    let bytes = this.#paths[object];
    if (bytes === undefined) {
      bytes = bytesOf(quoted(this.#world.path(object)));
      this.#paths[object] = bytes;
    }
    this.#bytes(bytes);
  }

  #text(id: number): void {
    let bytes = this.#texts[id];
    if (bytes === undefined) {
      bytes = bytesOf(quoted(this.#world.strings.text(id)));
      this.#texts[id] = bytes;
    }
    this.#bytes(bytes);
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buf.length) return;
    const wider = new Uint8Array(Math.max(this.#buf.length * 2, this.#at + bytes));
    wider.set(this.#buf.subarray(0, this.#at));
    this.#buf = wider;
  }

  #byte(byte: number): void {
    if (this.#at === this.#buf.length) this.#room(1);
    this.#buf[this.#at++] = byte;
  }

  #bytes(bytes: Uint8Array): void {
    const { length } = bytes;
    this.#room(length);
    const buf = this.#buf;
    let at = this.#at;
    // Names are short: a loop is quicker than a call of set().
    for (let i = 0; i < length; i++) buf[at++] = bytes[i]!;
    this.#at = at;
  }

  #decimal(value: number): void {
    this.#room(16);
    let digits = 1;
    for (let limit = 10; value >= limit; limit *= 10) digits++;
    const start = this.#at;
    if (value <= 0x7fffffff) {
      let whole = value | 0;
      for (let i = digits - 1; i >= 0; i--) {
        const tenth = (whole / 10) | 0;
        this.#buf[start + i] = ZERO + whole - tenth * 10;
        whole = tenth;
      }
      this.#at = start + digits;
      return;
    }
    let rest = value;
    for (let i = digits - 1; i >= 0; i--) {
      const tenth = Math.floor(rest / 10);
      this.#buf[start + i] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.#at = start + digits;
  }

  #hex(words: Uint32Array, at: number, count: number): void {
    this.#room(2 + 8 * count);
    const buf = this.#buf;
    buf[this.#at++] = ZERO;
    buf[this.#at++] = 120;
    let started = false;
    for (let i = count - 1; i >= 0; i--) {
      const word = words[at + i]!;
      for (let shift = 28; shift >= 0; shift -= 4) {
        const nibble = (word >>> shift) & 15;
        if (!started && nibble === 0 && (shift > 0 || i > 0)) continue;
        started = true;
        buf[this.#at++] = HEX[nibble]!;
      }
    }
  }
}
