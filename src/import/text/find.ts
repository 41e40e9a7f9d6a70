/** Finds the record in a line: what stands in front of it is taken off until a reader knows what is left. */
import { bytesOf, isDigit, MINUS } from '../../base/bytes.ts';
import { type Form, PART_OF_RECORD, type RecordReader, UNKNOWN_RECORD, WHOLE_RECORD } from '../importer.ts';
import { isNameByte } from '../pattern.ts';
import { type Peeler, POSSIBLE, SURE } from './peel.ts';

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
}

/** So many bytes of a line are looked at for what stands in front. */
const REACH = 300;
/** So many things may stand one before the other. */
const MOST_PEELED = 8;

/** One character for each byte. */
const latin = new TextDecoder('latin1');

/** Bytes as a text of one character each, so that places in it are places in the bytes. */
function characters(buf: Uint8Array, start: number, end: number): string {
  return latin.decode(buf.subarray(start, Math.min(end, start + REACH)));
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
  if (peeler.instead === undefined) return { ...rest, start: at, text: rest.text.slice(match[0].length) };
  const head = bytesOf(peeler.instead(match));
  const buf = new Uint8Array(head.length + rest.end - at);
  buf.set(head);
  buf.set(rest.buf.subarray(at, rest.end), head.length);
  return { buf, start: 0, end: buf.length, text: characters(buf, 0, buf.length) };
}

/** The first of some peelers that takes something off. */
function first(rest: Rest, peelers: readonly Peeler[]): { rest: Rest; peeler: Peeler } | undefined {
  for (const peeler of peelers) {
    const next = peel(rest, peeler);
    if (next !== undefined) return { rest: next, peeler };
  }
  return undefined;
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
    const found = this.#asUsual(seekers, line) ?? this.#search(seekers, line);
    if (found !== undefined && found.form >= PART_OF_RECORD) this.#usual = found.peeled;
    return found;
  }

  /** Whether what stood in front of a record is what stood in front of the last one. */
  isUsual(peeled: readonly Peeler[]): boolean {
    return peeled.length === this.#usual.length && peeled.every((p, i) => p.word === this.#usual[i]!.word);
  }

  /** A line that is no record, without what usually stands in front of a record; where it starts in its bytes. */
  usualStart(buf: Uint8Array): number {
    let rest: Rest = { buf, start: 0, end: buf.length, text: characters(buf, 0, buf.length) };
    for (const peeler of this.#usual) {
      const next: Rest | undefined = peeler.instead === undefined ? peel(rest, peeler) : undefined;
      rest = next ?? rest;
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
    const found = known(seekers, rest, this.#usual, false);
    return found?.form === UNKNOWN_RECORD ? undefined : found;
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
        const stamped = sure !== undefined && LOGGER_STAMPS.test(rest.text);
        return stamped ? { ...found, peeled: [...peeled, sure.peeler] } : found;
      }
      unknown ??= found;
      const next = sure ?? first(rest, POSSIBLE);
      if (next === undefined) break;
      peeled.push(next.peeler);
      rest = next.rest;
    }
    return inside(seekers, line) ?? unknown;
  }
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

const SOME_TEXT: Peeler = { word: 'prefix:text', form: /^$/ };
/** What ends a prefix of any kind. */
const BORDER = /(?:[:\]|>)] |\t| {2})(?=\S)/g;

/** A whole record somewhere inside a line, behind a prefix of a kind that is not known. */
function inside<S extends Seeker>(seekers: readonly S[], { buf, start, end, text }: Rest): Found<S> | undefined {
  const starts = new Set<number>();
  // Where a task's name and pid stand before a CPU in brackets, the name begins behind the last border.
  for (const cpu of text.matchAll(/-\d+ +(?:\( *[\d-]+\) +)?\[\d+\]/g)) {
    const borders = [...text.slice(0, cpu.index).matchAll(BORDER)];
    const last = borders.at(-1);
    if (last !== undefined) starts.add(start + last.index + last[0].length);
  }
  // A stamp of QEMU, whole or shortened, or a name behind something that ends a prefix.
  for (const stamp of text.matchAll(/(?<![\w.])\d+@\d+\.\d+:/g)) starts.add(start + stamp.index);
  for (const name of text.matchAll(/(?<=[:\]|>] ?|\t)[a-z]\w*_\w+/g)) starts.add(start + name.index);
  for (const at of starts) {
    if (at === start || !(isNameByte(buf[at]!) || isDigit(buf[at]) || buf[at] === 60 || buf[at] === MINUS)) continue;
    for (const by of seekers) {
      const form = by.reader.form(buf, at, end);
      if (form === WHOLE_RECORD && by.reader.evidence > 0)
        return { by, form, buf, start: at, end, peeled: [SOME_TEXT] };
    }
  }
  return undefined;
}
