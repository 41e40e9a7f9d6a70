/** Finds the record in a line: what stands in front of it is taken off until a reader knows what is left. */
import { bytesOf, isDigit, LESS, MINUS } from '../../base/bytes.ts';
import { type Form, PART_OF_RECORD, type RecordReader, UNKNOWN_RECORD, WHOLE_RECORD } from '../importer.ts';
import { isNameByte } from '../names.ts';
import { closingOf, type Peeler, POSSIBLE, SURE } from './peel.ts';
import type { Undone } from './undone.ts';

/** A record in a line. */
export interface Found<R> {
  readonly by: R;
  readonly form: Form;
  readonly buf: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** What stood in front of it, from left to right. */
  readonly peeled: readonly Peeler[];
}

/** A format whose records are looked for. */
export interface Seeker {
  readonly reader: RecordReader;
  /** Whether a line begins exactly as the format prints a record, so that nothing is in front of it. */
  readonly native: (buf: Uint8Array, start: number) => boolean;
  /** Whether a record of an unknown event is one of this format all the same: its form is like no other. */
  readonly evident: (buf: Uint8Array, start: number) => boolean;
  /** Whether a record may begin with the name of its event. */
  readonly named: boolean;
  /** Its records hold tabs. */
  readonly tabs: boolean;
  /** Its reader knows the stamps that loggers put in front. */
  readonly stamps: boolean;
}

/** So many bytes of a line are looked at for what stands in front. */
const REACH = 300;
/** What a mark closes is looked for in so many bytes. */
const LONGEST_ENCLOSED = 1 << 14;
/** So many things may stand one before the other. */
const MOST_PEELED = 8;
const TAB = 9;

const decoder = new TextDecoder('latin1');
/** The decoder follows browsers, in which latin1 is windows-1252: some bytes become characters beyond it. */
const BEYOND = /[\u0100-\uffff]/;

/** One character for each byte. */
function latin(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  return BEYOND.test(text) ? Array.from(bytes, (byte) => String.fromCharCode(byte)).join('') : text;
}

/** Bytes as a text of one character each, so that places in it are places in the bytes. */
function characters(buf: Uint8Array, start: number, end: number): string {
  return latin(buf.subarray(start, Math.min(end, start + REACH)));
}

/** A line from which something was taken off. */
interface Rest {
  readonly buf: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function peel(rest: Rest, peeler: Peeler): Rest | undefined {
  const match = peeler.form.exec(rest.text);
  if (match === null || match[0].length === 0) return undefined;
  const at = rest.start + match[0].length;
  if (peeler.closing !== undefined) return enclosedRest(rest, at, peeler.closing);
  if (peeler.instead === undefined) return { ...rest, start: at, text: rest.text.slice(match[0].length) };
  const head = bytesOf(peeler.instead(match));
  const buf = new Uint8Array(head.length + rest.end - at);
  buf.set(head);
  buf.set(rest.buf.subarray(at, rest.end), head.length);
  return { buf, start: 0, end: buf.length, text: characters(buf, 0, buf.length) };
}

/** What is enclosed by a mark in front of `at`, without what closes it. */
function enclosedRest(rest: Rest, at: number, closing: NonNullable<Peeler['closing']>): Rest {
  const closed = closing(latin(rest.buf.subarray(at, Math.min(rest.end, at + LONGEST_ENCLOSED))));
  if (closed?.text !== undefined) {
    const buf = Uint8Array.from(closed.text, (char) => char.charCodeAt(0));
    return { buf, start: 0, end: buf.length, text: characters(buf, 0, buf.length) };
  }
  const end = closed === undefined ? rest.end : at + closed.end;
  return { buf: rest.buf, start: at, end, text: characters(rest.buf, at, end) };
}

/** The first of some peelers that takes something off. */
function first(rest: Rest, peelers: readonly Peeler[]): { rest: Rest; peeler: Peeler } | undefined {
  for (const peeler of peelers) {
    const next = peel(rest, peeler);
    if (next !== undefined) return { rest: next, peeler };
  }
  return undefined;
}

/** A record with tabs, exactly as its format prints it: they are not undone. */
export function withTabs<S extends Seeker>(
  seekers: readonly S[],
  buf: Uint8Array,
  start: number,
  end: number,
): Found<S> | undefined {
  if (!buf.subarray(start, end).includes(TAB)) return undefined;
  const by = seekers.find((seeker) => seeker.tabs && seeker.reader.form(buf, start, end) === WHOLE_RECORD);
  return by && { by, form: WHOLE_RECORD, buf, start, end, peeled: [] };
}

/** Times with more or fewer digits than QEMU prints, as CI systems and container engines stamp lines. */
const LOGGER_STAMPS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?!\.\d{6}Z)/;

/** Looks for records in lines, with what it learnt from the lines before. */
export class Finder<S extends Seeker> {
  /** What stood in front of the last record. */
  #usual: readonly Peeler[] = [];

  /** The record in bytes `start` to `end` for one of the seekers, the likeliest of which comes first. */
  find(seekers: readonly S[], buf: Uint8Array, start: number, end: number): Found<S> | undefined {
    const line: Rest = { buf, start, end, text: characters(buf, start, end) };
    const usual = this.#asUsual(seekers, line);
    const searched = usual !== undefined && usual.form !== UNKNOWN_RECORD ? usual : this.#search(seekers, line);
    const found = searched === undefined || searched.form === UNKNOWN_RECORD ? (usual ?? searched) : searched;
    if (found !== undefined && isFormat(found)) return undefined;
    if (found !== undefined && found.form >= PART_OF_RECORD) this.#usual = found.peeled;
    return found;
  }

  /** The words for what stood in front of the last record. */
  get usualWords(): readonly Undone[] {
    return this.#usual.map(({ word }) => word);
  }

  /** Where a line goes on behind what stood in front of the last record; -1 where something else stands there, or nothing did, or the rest must be written again. */
  usualRest(buf: Uint8Array, start: number, end: number): number {
    if (this.#usual.length === 0) return -1;
    let text = characters(buf, start, end);
    let at = start;
    for (const { form, closing, instead } of this.#usual) {
      const length = closing === undefined && instead === undefined ? (form.exec(text)?.[0].length ?? 0) : 0;
      if (length === 0) return -1;
      text = text.slice(length);
      at += length;
    }
    return at;
  }

  /** Whether what stood in front of a record is what stood in front of the last one. */
  isUsual(peeled: readonly Peeler[]): boolean {
    return peeled.length === this.#usual.length && peeled.every((p, i) => p.word === this.#usual[i]!.word);
  }

  /** A line that is no record, without what usually stands in front of a record; where it starts in its bytes. */
  usualStart(buf: Uint8Array): number {
    let rest: Rest = { buf, start: 0, end: buf.length, text: characters(buf, 0, buf.length) };
    for (const peeler of this.#usual) {
      const next: Rest | undefined = peel(rest, peeler);
      // Bytes that were written again have other places.
      if (next?.buf === buf) rest = next;
    }
    return rest.start;
  }

  #asUsual(seekers: readonly S[], line: Rest): Found<S> | undefined {
    if (this.#usual.length === 0) return undefined;
    let rest: Rest | undefined = line;
    for (const peeler of this.#usual) {
      rest = peel(rest, peeler);
      if (rest === undefined) return undefined;
    }
    return known(seekers, rest, this.#usual, false);
  }

  #search(seekers: readonly S[], line: Rest): Found<S> | undefined {
    const peeled: Peeler[] = [];
    let rest = line;
    let unknown: Found<S> | undefined;
    while (peeled.length < MOST_PEELED) {
      const sure = first(rest, SURE);
      const found = known(seekers, rest, peeled, sure !== undefined);
      if (found !== undefined && found.form !== UNKNOWN_RECORD) {
        // The reader took the stamp of a logger for the record's own: it is the only one there is.
        const stamped = sure !== undefined && !found.by.stamps && LOGGER_STAMPS.test(rest.text);
        return stamped ? { ...found, peeled: [...peeled, sure.peeler] } : found;
      }
      unknown ??= found;
      const next = sure ?? first(rest, POSSIBLE);
      if (next === undefined) break;
      peeled.push(next.peeler);
      rest = next.rest;
    }
    const deeper = inside(seekers, line);
    return deeper !== undefined && deeper.form !== UNKNOWN_RECORD ? deeper : (unknown ?? deeper);
  }
}

/** A conversion of printf. */
const CONVERSION = /(?<![\d%])%[-+#0]*\d*(?:hh?|ll?|z)?[diouxXscp](?![a-z])/;

/** Whether a record is the text that a program prints it with: source code, not a trace. */
function isFormat<S extends Seeker>({ by, buf, start, end }: Found<S>): boolean {
  return by.named && !by.evident(buf, start) && CONVERSION.test(characters(buf, start, end));
}

/** What the seekers say of a line. `fronted`: it begins with something that no format prints, unless it is native. */
function known<S extends Seeker>(
  seekers: readonly S[],
  rest: Rest,
  peeled: readonly Peeler[],
  fronted: boolean,
): Found<S> | undefined {
  const { buf, start, end } = rest;
  let unknown: Found<S> | undefined;
  for (const by of seekers) {
    if (fronted && !by.native(buf, start)) continue;
    const form = by.reader.form(buf, start, end);
    if (form === 0) continue;
    const found = { by, form, buf, start, end, peeled: [...peeled] };
    if (form !== UNKNOWN_RECORD) return found;
    unknown ??= found;
  }
  return unknown;
}

/** What ends a prefix of any kind. */
const BORDER = /(?:[:\]|>)] |\t| {2}|["'`,;=])(?=[^\s"'`,;=])/g;
/** A name that may be that of an event. */
const NAME = /[a-z]\w*_\w+/g;
/** What may stand in front of the name of an event; the mark that shows a border, if there is one. */
const FRONT = /(?:([:\]|>"'`]) ?|[\s,;=({-])$/;
/** So many values show that a name behind a mere blank is that of a record. */
const SURE_EVIDENCE = 3;

/** Where a record may begin inside a line. */
interface Start {
  readonly at: number;
  /** Its form is that of a record, whatever the name of the event. */
  readonly evident: boolean;
  readonly evidence: number;
}

function startsIn(text: string): Start[] {
  const starts: Start[] = [];
  // Where a task's name and pid stand before a CPU in brackets, the name begins behind the last border.
  for (const cpu of text.matchAll(/-\d+ +(?:\( *[\d-]+\) +)?\[\d+\]/g)) {
    const last = [...text.slice(0, cpu.index).matchAll(BORDER)].at(-1);
    if (last !== undefined) starts.push({ at: last.index + last[0].length, evident: true, evidence: 1 });
  }
  // A stamp of QEMU, whole or shortened, or a name behind something that ends a prefix.
  for (const stamp of text.matchAll(/(?<![\w.])\d+@\d+\.\d+:/g))
    starts.push({ at: stamp.index, evident: true, evidence: 1 });
  if (!text.includes('_')) return starts;
  for (const name of text.matchAll(NAME)) {
    const front = FRONT.exec(text.slice(Math.max(0, name.index - 2), name.index));
    if (front === null) continue;
    starts.push({ at: name.index, evident: false, evidence: front[1] === undefined ? SURE_EVIDENCE : 1 });
  }
  return starts;
}

/** A record somewhere inside a line, behind a prefix of a kind that is not known. */
function inside<S extends Seeker>(seekers: readonly S[], line: Rest): Found<S> | undefined {
  let unknown: Found<S> | undefined;
  for (const { at, evident, evidence } of startsIn(line.text)) {
    const first = line.buf[line.start + at]!;
    if (at === 0 || !(isNameByte(first) || isDigit(first) || first === LESS || first === MINUS)) continue;
    const prefix = line.text.slice(0, at);
    const closing = closingOf(prefix);
    const rest =
      closing === undefined ? { ...line, start: line.start + at } : enclosedRest(line, line.start + at, closing);
    for (const by of seekers) {
      if (!evident && !by.named) continue;
      const { buf, start, end } = rest;
      const form = by.reader.form(buf, start, end);
      if (form === WHOLE_RECORD && by.reader.evidence >= evidence)
        return { by, form, buf, start, end, peeled: [prefixLike(prefix, closing)] };
      if (evident && form === UNKNOWN_RECORD && by.evident(buf, start))
        unknown ??= { by, form, buf, start, end, peeled: [prefixLike(prefix, closing)] };
    }
  }
  return unknown;
}

/** Takes off what a line has in front that looks like a text: the same with other numbers. */
function prefixLike(prefix: string, closing: Peeler['closing']): Peeler {
  const form = prefix
    .trimEnd()
    .replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    .replace(/\d+/g, '\\d+')
    .replace(/\s+/g, '\\s+');
  const blanks = !/\s$/.test(prefix) ? '' : closing === undefined ? '\\s' : '\\s*';
  return {
    word: closing === undefined || form.length > 1 ? 'prefix:text' : 'enclosed',
    form: new RegExp(`^${form}${blanks}`),
    ...(closing === undefined ? {} : { closing }),
  };
}
