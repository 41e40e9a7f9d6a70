/**
 * Text in which records of any text format stand: as the tools print it, or as people paste it into mails, issues and chats and as
 * loggers pass it on. Each line goes to the reader of the source at hand if it is a record exactly as the format prints it.
 * From every other line what stands around a record is taken off (see clean.ts, peel.ts, find.ts), lines that a mail
 * program broke are joined, and `undone` of the source tells what was done. Excerpts and formats beside one another become sources of their own.
 */
import { bytesAt, bytesOf, CR, EQUALS, LF, textOf } from '../../base/bytes.ts';
import { BOM, FOREIGN, type Importer, PART_OF_RECORD, TAKEN, UNKNOWN_RECORD, WHOLE_RECORD } from '../importer.ts';
import { type Block, LineSplitter } from '../lines.ts';
import { clean, Watch } from './clean.ts';
import { exactLines, isBehindUsual, isBeside, isExact } from './exact.ts';
import { Finder, type Found, withTabs } from './find.ts';
import type { Held, Kept } from './held.ts';
import { asBroken, asMarked, BEGINNING, joined, marksOf, NAMED, unbroken, WITH_TASK } from './join.ts';
import { JsonLines, withoutNesting } from './json-lines.ts';
import { noteMoment } from './moments.ts';
import { PlainLines } from './plain-lines.ts';
import { decodeLine, encodingHeader, lineEnd } from './quoted-printable.ts';
import type { Stream, Streams } from './streams.ts';
import { survey } from './survey.ts';
import type { Undone } from './undone.ts';

/** Most lines that a mail program makes of one record, without the first. */
const MOST_CONTINUATIONS = 4;
/** Lines of events with unknown names that are kept until a known one shows the format. */
const MOST_PENDING = 2000;
/** Most bytes that quoted-printable joins to one line. */
const LONGEST_SOFT = 65_536;
const FENCE = /^ {0,3}(?:```|~~~)/;
const BACKSLASH = 92;

/** A line that may be the record of an unknown event, or the rest of the record before it. */
const isDoubtful = ({ form, by, buf, start }: Found<Stream>): boolean =>
  form === UNKNOWN_RECORD && !by.format.evident(buf, start);

export class TextImporter implements Importer {
  readonly #streams: Streams;
  readonly #lines: LineSplitter | JsonLines;
  readonly #finder = new Finder<Stream>();
  readonly #html: boolean;
  readonly #watch: Watch;
  readonly #plain = new PlainLines();
  /** Words that hold for the whole file. */
  readonly #fileWords = new Set<Undone>();
  #encoded: boolean;
  #wrapped: boolean;
  readonly #columns: number;
  readonly #hardBreaks: boolean;
  /** A line that is the beginning of a record if the next one continues it. */
  #beginning: Kept | undefined;
  #held: Held | undefined;
  /** The beginning of a line that quoted-printable continues. */
  #soft: { bytes: Uint8Array; line: number; offset: number } | undefined;
  readonly #pending: (Kept & { readonly found: Found<Stream> })[] = [];
  #fences = 0;

  /**
   * `head`: the first bytes of the file; they are pushed too. `path`: where the file lies in a folder or an archive; files of /proc and /sys
   * are told by that.
   */
  constructor(streams: Streams, head: Uint8Array, path?: string) {
    this.#streams = streams;
    if (path !== undefined) streams.hear({ path, line: 0 });
    const seen = survey(head);
    if (seen.kernelLog !== undefined) streams.hear({ kernelLog: seen.kernelLog, line: 0 });
    this.#encoded = seen.quotedPrintable;
    this.#wrapped = seen.wrapped;
    this.#columns = seen.columns;
    this.#hardBreaks = seen.hardBreaks;
    this.#html = seen.html;
    this.#watch = new Watch(seen.html);
    const take = this.#take.bind(this);
    const plain = seen.html ? undefined : (block: Block) => this.#takeBlock(block);
    this.#lines = seen.json ? new JsonLines(take) : new LineSplitter(take, (count) => this.#blanks(count), plain);
    if (seen.json) this.#fileWords.add('json-escaped');
    if (seen.html) this.#fileWords.add('html');
    if (bytesAt(head, 0, head.length, BOM)) this.#fileWords.add('bom');
  }

  push(chunk: Uint8Array): void {
    this.#lines.push(chunk);
  }

  settle(): void {
    if (this.#lines instanceof LineSplitter && this.#lines.crlf) this.#fileWords.add('crlf');
    if (this.#fences > 0) this.#fileWords.add('code-fence');
    this.#streams.settle(this.#fileWords);
  }

  end(): void {
    this.#lines.end();
    if (this.#soft !== undefined) this.#soften(new Uint8Array(0), 0, 0, this.#soft.line, this.#soft.offset, true);
    this.#release(false);
    this.#streams.end();
    this.settle();
  }

  /** Takes plain lines. Almost every line is a record of the source at hand, exactly as its format prints it. */
  #takeBlock(block: Block): void {
    for (;;) {
      const stream = this.#direct();
      if (stream === undefined) {
        if (!block.next()) return;
      } else {
        const outcome = stream.reader.block?.(block) ?? exactLines(stream, block);
        if (outcome === TAKEN) return;
        if (outcome === FOREIGN && isBeside(stream, block.buf, block.start, block.end)) continue;
      }
      this.#around(block.buf, block.start, block.end, block.line, block.offset, false, false);
    }
  }

  /** Takes a line of any kind. */
  #take(buf: Uint8Array, start: number, end: number, line: number, offset: number, cut: boolean, open: boolean): void {
    const stream =
      cut || open || this.#watch.inLine(buf, start, end) || buf[end - 1] === CR ? undefined : this.#direct();
    if (stream === undefined || !isExact(stream, buf, start, end, line, offset))
      this.#around(buf, start, end, line, offset, cut, open);
  }

  /** The source whose records are read as they stand: nothing keeps the line at hand from being one. */
  #direct(): Stream | undefined {
    const { current } = this.#streams;
    if (current === undefined || current.afterText || current.ended) return undefined;
    if (this.#wrapped || this.#encoded || this.#hardBreaks) return undefined;
    return this.#beginning === undefined && this.#held === undefined ? current : undefined;
  }

  #around(buf: Uint8Array, from: number, end: number, line: number, offset: number, cut: boolean, open: boolean): void {
    let start = line === 1 && bytesAt(buf, from, end, BOM) ? from + BOM.length : from;
    const nul = start;
    while (start < end && buf[start] === 0) start++;
    if (this.#encoded && !cut) this.#soften(buf, start, end, line, offset, open);
    else if (start === end) this.#blank(start > nul);
    else if (cut) this.#tooLong(buf, start, line, offset);
    else if (!(this.#held ?? this.#beginning) && !this.#streams.inFile && this.#plain.has(buf, start, end))
      this.#streams.text();
    else if (open || !this.#behindUsual(buf, start, end, line, offset)) this.#odd(buf, start, end, line, offset, open);
  }

  /** Takes a record of the source at hand behind what usually stands in front of records. */
  #behindUsual(buf: Uint8Array, start: number, end: number, line: number, offset: number): boolean {
    if (this.#html || this.#lines instanceof JsonLines) return false;
    const stream = this.#direct();
    return stream !== undefined && isBehindUsual(stream, this.#finder, buf, start, end, line, offset);
  }

  /** Takes a line of quoted-printable text. */
  #soften(buf: Uint8Array, start: number, end: number, line: number, offset: number, open: boolean): void {
    const stop = lineEnd(buf, start, end);
    const continues = !open && stop > start && buf[stop - 1] === EQUALS;
    const part = buf.slice(start, continues ? stop - 1 : stop);
    const before = this.#soft;
    const bytes = new Uint8Array((before?.bytes.length ?? 0) + part.length);
    if (before) bytes.set(before.bytes);
    bytes.set(part, bytes.length - part.length);
    const at = before ?? { line, offset };
    if (continues && bytes.length < LONGEST_SOFT) {
      this.#soft = { bytes, line: at.line, offset: at.offset };
      this.#streams.other('continuation');
      return;
    }
    this.#soft = undefined;
    const decoded = decodeLine(bytes, 0, bytes.length);
    if (decoded.length < bytes.length || before) this.#fileWords.add('quoted-printable');
    if (lineEnd(decoded, 0, decoded.length) === 0) this.#blank(false);
    else this.#odd(decoded, 0, decoded.length, at.line, at.offset, open);
  }

  /** Takes empty lines. The first one ends a line that quoted-printable continues. */
  #blanks(count: number): void {
    const soft = this.#soft;
    if (soft !== undefined) this.#soften(new Uint8Array(0), 0, 0, soft.line, soft.offset, false);
    const rest = soft === undefined ? count : count - 1;
    if (rest > 0) this.#blank(false, rest);
  }

  #blank(nul: boolean, count = 1): void {
    this.#release(false);
    this.#streams.other(nul ? 'NUL bytes' : 'blank', count);
  }

  /** A line that is too long to be a record is one that went wrong, if it begins like one. */
  #tooLong(buf: Uint8Array, start: number, line: number, offset: number): void {
    this.#release(false);
    const found = this.#finder.find(this.#streams.seekers(), buf, start, start + 1000);
    if (found === undefined) this.#streams.other('text');
    else {
      const stream = this.#streams.use(found.by, Number.NaN);
      stream.out.begin(line, offset);
      stream.out.skipped('line longer than 1 MiB');
    }
  }

  /** Takes a line that is not exactly what a format prints. */
  #odd(
    buf: Uint8Array,
    from: number,
    to: number,
    line: number,
    offset: number,
    open: boolean,
    before?: Iterable<Undone>,
  ): void {
    const words = new Set<Undone>(before);
    const stop = this.#hardBreaks && buf[to - 1] === BACKSLASH ? to - 1 : to;
    if (stop < to) words.add('tail');
    const exact = withTabs(this.#streams.seekers(), buf, from, stop);
    if (exact !== undefined) {
      this.#release(false);
      this.#found(exact, words, line, offset, to - from, open);
      return;
    }
    let cleaned = clean(buf, from, stop, words, this.#html);
    if (this.#lines instanceof JsonLines && buf.subarray(from, stop).includes(BACKSLASH))
      cleaned = withoutNesting(cleaned ?? buf.subarray(from, stop));
    if (cleaned?.includes(LF)) {
      // A page ends lines where the file does not.
      const parts = textOf(cleaned).split('\n').map(bytesOf);
      for (const [i, part] of parts.entries())
        this.#odd(part, 0, part.length, line, offset, open && i === parts.length - 1, words);
      return;
    }
    const [bytes, start, end] = cleaned === undefined ? [buf, from, stop] : [cleaned, 0, cleaned.length];
    if (lineEnd(bytes, start, end) === start) {
      this.#blank(false);
      return;
    }
    const length = to - from;
    const line1 = this.#beginning;
    if (line1 !== undefined) {
      this.#beginning = undefined;
      if (this.#begins(line1, { bytes: bytes.slice(start, end), line, offset, length })) return;
      this.#other(line1);
    }
    const sought = this.#finder.find(this.#streams.seekers(), bytes, start, end);
    // Words behind the stamp of a kernel log look like the name of an event easily.
    const named = sought?.form === UNKNOWN_RECORD && !this.#accepts(sought);
    const found = named && this.#streams.inLog(bytes, start, end) ? undefined : sought;
    if (found === undefined || (this.#held !== undefined && isDoubtful(found))) {
      const rest = { bytes: bytes.slice(start, end), line, offset, length };
      if (this.#held !== undefined && this.#continues(this.#held, rest)) return;
      this.#release(false);
      if (found === undefined) {
        if (!open && BEGINNING.test(textOf(rest.bytes, Math.max(0, rest.bytes.length - 100)))) this.#beginning = rest;
        else if (!open || !this.#isFragment(rest)) this.#other(rest);
        return;
      }
    }
    this.#release(false);
    this.#found(found, words, line, offset, length, open);
    if (found.peeled.length > 0) noteMoment(found.by.out, bytes, start, end);
  }

  /** Takes a record that was found in a line. */
  #found(found: Found<Stream>, words: Set<Undone>, line: number, offset: number, length: number, open: boolean): void {
    for (const { word } of found.peeled) words.add(word);
    if (found.form === UNKNOWN_RECORD && !this.#accepts(found)) {
      this.#keepPending(found, line, offset, length);
      return;
    }
    if (found.form === UNKNOWN_RECORD || (!this.#wrapped && found.form === WHOLE_RECORD)) {
      this.#record(found.by, found, words, line, offset, open);
      return;
    }
    const alone = { bytes: found.buf.slice(found.start, found.end), line, offset, length };
    const { form, by } = found;
    this.#held = { ...alone, alone, stream: by, form, evidence: by.reader.evidence, words: [...words], trial: [] };
    if (open) this.#release(true);
  }

  /** An event with an unknown name is a record where the source is known and its records stand like that. */
  #accepts(found: Found<Stream>): boolean {
    const { by, buf, start, peeled } = found;
    return by.format.evident(buf, start) || (by.records > 0 && this.#finder.isUsual(peeled));
  }

  #keepPending(found: Found<Stream>, line: number, offset: number, length: number): void {
    if (this.#pending.length < MOST_PENDING)
      this.#pending.push({ bytes: found.buf.slice(found.start, found.end), line, offset, length, found });
    this.#streams.text();
  }

  /** Reads a record into the source it belongs to. */
  #record(
    by: Stream,
    { buf, start, end }: { readonly buf: Uint8Array; readonly start: number; readonly end: number },
    words: Iterable<Undone>,
    line: number,
    offset: number,
    open: boolean,
  ): void {
    const first = by.records === 0;
    const stream = this.#streams.use(by, by.reader.form(buf, start, end) === 0 ? Number.NaN : by.reader.stamp);
    if (first) this.#adopt(stream);
    stream.out.begin(line, offset);
    if (stream.reader.record(buf, start, end, open)) stream.undone.add('tail');
    for (const word of words) stream.undone.add(word);
  }

  /** Lines of unknown events that came before the first known one, and stand as it does, are records too. */
  #adopt(stream: Stream): void {
    const mine = this.#pending.filter(({ found }) => found.by === stream && this.#finder.isUsual(found.peeled));
    for (const { bytes, line, offset } of mine) {
      this.#streams.noText();
      stream.out.begin(line, offset);
      stream.reader.record(bytes, 0, bytes.length, false);
    }
  }

  /** Joins a line to the record that is held; false when it does not continue it. */
  #continues(held: Held, rest: Kept): boolean {
    if (held.trial.length >= MOST_CONTINUATIONS) return false;
    const { reader } = held.stream;
    const marked = asMarked(rest.bytes, held.words);
    const full = this.#columns > 0 && held.length === this.#columns;
    const exact = full ? unbroken(held.bytes, asBroken(rest.bytes, held.words)) : undefined;
    const joints = [joined(held.bytes, ' ', marked), joined(held.bytes, '', marked)];
    for (const bytes of exact === undefined ? joints : [exact, ...joints]) {
      const form = reader.form(bytes, 0, bytes.length);
      const named = form === UNKNOWN_RECORD && held.form === PART_OF_RECORD && NAMED.test(textOf(bytes));
      if (form !== WHOLE_RECORD && !named) continue;
      if (bytes !== exact && held.form === WHOLE_RECORD && reader.evidence <= held.evidence) continue;
      for (const _ of [...held.trial, rest]) this.#streams.other('continuation');
      this.#wrapped = true;
      const words: Undone[] = [...held.words, 'wrapped'];
      const alone = { ...held.alone, bytes, length: rest.length };
      const { evidence } = reader;
      this.#held = { ...held, bytes, length: rest.length, alone, form: WHOLE_RECORD, evidence, words, trial: [] };
      return true;
    }
    if (held.form === WHOLE_RECORD) return false;
    const bytes = exact ?? joined(held.bytes, ' ', marked);
    this.#held = { ...held, bytes, length: rest.length, trial: [...held.trial, rest] };
    return true;
  }

  /** Joins a line to the beginning of a record before it; false when that makes no record. */
  #begins(begun: Kept, rest: Kept): boolean {
    if (WITH_TASK.test(textOf(rest.bytes, 0, Math.min(rest.bytes.length, 200)))) return false;
    const bytes = joined(begun.bytes, ' ', asMarked(rest.bytes, marksOf(begun.bytes)));
    const found = this.#finder.find(this.#streams.seekers(), bytes, 0, bytes.length);
    if (found === undefined) return false;
    if (found.form < PART_OF_RECORD && !found.by.evident(found.buf, found.start)) return false;
    this.#wrapped = true;
    this.#streams.other('continuation');
    this.#found(found, new Set(['wrapped']), begun.line, begun.offset, rest.length, false);
    return true;
  }

  /** Reads the record that is held: no more lines belong to it. Lines that were joined to it in vain are looked at again. */
  #release(open: boolean): void {
    this.#abandon();
    for (let held = this.#held; held !== undefined; held = this.#held) {
      this.#held = undefined;
      const { alone, trial, stream, words } = held;
      const { bytes, line, offset } = alone;
      this.#record(
        stream,
        { buf: bytes, start: 0, end: bytes.length },
        words,
        line,
        offset,
        open && trial.length === 0,
      );
      for (const rest of trial) this.#odd(rest.bytes, 0, rest.bytes.length, rest.line, rest.offset, false);
    }
    this.#abandon();
  }

  /** Nothing continues the beginning of a record: it is a line like others. */
  #abandon(): void {
    const begun = this.#beginning;
    this.#beginning = undefined;
    if (begun !== undefined) this.#other(begun);
  }

  /** Whether the end of the file is the beginning of a record, which is counted then. */
  #isFragment({ bytes, line, offset }: Kept): boolean {
    const { current } = this.#streams;
    if (current === undefined || current.afterText || !current.format.fragment.test(textOf(bytes))) return false;
    current.out.begin(line, offset);
    current.out.skipped('cut off at the end of the file');
    return true;
  }

  /** Takes a line that is no record. */
  #other({ bytes: whole, line, offset }: Kept): void {
    const bytes = whole.subarray(this.#finder.usualStart(whole));
    const text = textOf(bytes, 0, Math.min(bytes.length, 300));
    const encoding = encodingHeader(text);
    if (encoding !== undefined) this.#encoded = encoding;
    if (FENCE.test(text)) {
      this.#fences++;
      this.#streams.other('code fence');
    } else if (this.#streams.note(bytes, text, line, offset)) this.#plain.add(whole);
  }
}
