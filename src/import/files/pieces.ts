// Files into which one recording was cut: a log that was rotated, or split. What the first ones tell (which function a table belongs to, what an entry
// holds, which thread is which virtual CPU) holds in those behind, so that they are read again as one text, in order.
import { LF } from '../../base/bytes.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import { type EventRow, eventRow } from '../../trace/row.ts';
import { Source } from '../../trace/source.ts';
import { Trace } from '../../trace/trace.ts';
import { Unpacker } from '../decompress.ts';
import { ImportRun } from '../run.ts';
import { Utf16 } from '../utf16.ts';
import type { FileRead, Piece } from './file-read.ts';

/** Formats whose files are cut into pieces, and nanoseconds by which stamps go back in them. */
const CUT: ReadonlyMap<string, number> = new Map([
  ['qemu-log', 1e9],
  ['ftrace-text', 1e8],
  ['trace-cmd-report', 1e8],
  ['perf-script', 1e8],
]);
/** Nanoseconds between two pieces, where only time tells that one goes on where the other ends. */
const SOON = 1e9;
/** The same where both were written by the same threads. */
const SAME_RUN = 3600e9;
const NANO = 1_000_000_000n;

type Read = FileRead & { readonly trace: Trace; readonly system?: string | undefined };

const startOf = ({ first }: Trace): bigint => first.time.base * NANO + BigInt(Math.round(first.start));
const endOf = ({ first }: Trace): bigint => first.time.base * NANO + BigInt(Math.round(first.end));

/** The recordings that were cut into several of these files, each with its pieces in order. */
export function cutRecordings<F extends FileRead & { readonly system?: string | undefined }>(
  files: readonly F[],
): (F & { readonly trace: Trace })[][] {
  const all = files
    .filter((file): file is F & { readonly trace: Trace } => file.trace !== undefined && isCuttable(file.trace))
    .sort((a, b) => Number(startOf(a.trace) - startOf(b.trace)));
  const chains: (F & { readonly trace: Trace })[][] = [];
  for (const file of all) {
    const before = chains
      .filter((chain) => goesOn(chain.at(-1)!, file))
      .sort((a, b) => Number(endOf(b.at(-1)!.trace) - endOf(a.at(-1)!.trace)))[0];
    if (before === undefined) chains.push([file]);
    else before.push(file);
  }
  return [...chains.filter(({ length }) => length > 1), ...rotated(files)];
}

/** Logs of QEMU without stamps: only the names that a rotation gives tell their order (`qemu.log.2`, `qemu.log.1`, `qemu.log`). */
function rotated<F extends FileRead & { readonly system?: string | undefined }>(
  files: readonly F[],
): (F & { readonly trace: Trace })[][] {
  const byName = new Map<string, Map<number, F & { readonly trace: Trace }>>();
  for (const file of files) {
    const { trace } = file;
    if (trace?.sources.length !== 1 || trace.first.format !== 'qemu-log' || !Number.isNaN(trace.first.start)) continue;
    const [, name, number = '0'] = /^(.*?)(?:\.(\d{1,4}))?(?:\.(?:gz|zst))?$/s.exec(file.file)!;
    const key = `${file.system ?? ''} ${name}`;
    byName.set(key, (byName.get(key) ?? new Map()).set(Number(number), file));
  }
  return [...byName.values()].flatMap((numbered) => {
    const numbers = [...numbered.keys()].sort((a, b) => b - a);
    // One that is missing in between may have told anything.
    const whole = numbers.every((number, i) => i === 0 || numbers[i - 1] === number + 1);
    return numbers.length > 1 && whole ? [numbers.map((number) => numbered.get(number)!)] : [];
  });
}

const isCuttable = ({ sources, first, length }: Trace): boolean =>
  sources.length === 1 && CUT.has(first.format) && !first.time.ticks && !Number.isNaN(first.start) && length > 0;

/** Whether the second of two files goes on where the first one ends. */
function goesOn(a: Read, b: Read): boolean {
  const [x, y] = [a.trace.first, b.trace.first];
  // What tells these stands at the beginning of a recording: later pieces may say less.
  const format = x.format === y.format || (x.format === 'trace-cmd-report' && y.format === 'ftrace-text');
  const clock = x.clock === y.clock || y.clock === 'not told';
  if (!format || !clock || a.system !== b.system || (y.kernel ?? x.kernel) !== x.kernel) return false;
  const gap = Number(startOf(b.trace) - endOf(a.trace));
  if (gap < -CUT.get(x.format)! || gap > SAME_RUN || (gap <= 0 && overlap(a.trace, b.trace))) return false;
  return x.format === 'qemu-log' && hasThreads(b.trace) ? sameThreads(a.trace, b.trace) : gap <= SOON;
}

/** Whether two files tell the same events where they meet: then they were recorded beside one another. */
function overlap(a: Trace, b: Trace): boolean {
  const apart = Number((b.time.base - a.time.base) * NANO);
  const from = b.first.start + apart;
  const told = new Set<string>();
  const key = (t: Trace, step: number, time: number): string =>
    `${time} ${t.table.kindNumber(step)} ${t.table.cpu(step)} ${t.world.path(t.table.object(step))}`;
  for (let step = a.length - 1; step >= 0 && step > a.length - MOST_AT_JOINT; step--)
    if (a.table.time(step) >= from) told.add(key(a, step, a.table.time(step)));
  for (let step = 0; step < Math.min(b.length, MOST_AT_JOINT); step++)
    if (told.has(key(b, step, b.table.time(step) + apart))) return true;
  return false;
}

/** Events at a joint that are compared. */
const MOST_AT_JOINT = 20_000;

const threadsOf = ({ table, length, world }: Trace): Set<string> => {
  const numbers = new Set<number>();
  for (let step = 0; step < length; step++) numbers.add(table.task(step));
  numbers.delete(0);
  return new Set([...numbers].map((task) => world.strings.text(task)));
};

const hasThreads = (trace: Trace): boolean => threadsOf(trace).size > 0;

/** Whether half of the threads of the second file, at least, write in the first one, too: one process wrote both. */
function sameThreads(a: Trace, b: Trace): boolean {
  const [x, y] = [threadsOf(a), threadsOf(b)];
  const both = [...y].filter((thread) => x.has(thread)).length;
  return both > 0 && both * 2 >= y.size;
}

/** Where a piece begins in the text of the whole. */
interface Start {
  /** Lines and bytes before it. */
  readonly lines: number;
  readonly bytes: number;
}

/** Reads the pieces of a recording as one text. */
export class WholeRecording {
  readonly #run = new ImportRun('');
  readonly #starts: Start[] = [];
  #lines = 0;
  #bytes = 0;
  #last: number = LF;
  #utf16: Utf16 | undefined;
  #unpacker: Unpacker | undefined;

  /** The bytes of the next piece follow. */
  next(): void {
    this.#close();
    if (this.#last !== LF) this.#text(new Uint8Array([LF]));
    this.#starts.push({ lines: this.#lines, bytes: this.#bytes });
    const utf16 = new Utf16((chunk) => this.#text(chunk));
    this.#utf16 = utf16;
    this.#unpacker = new Unpacker((chunk) => utf16.push(chunk));
  }

  push(chunk: Uint8Array): void {
    this.#unpacker?.push(chunk);
  }

  /** Brings the trace up to date with the bytes so far. */
  settle(): void {
    this.#run.settle();
  }

  /** The last piece has ended. */
  end(): void {
    this.#close();
    this.#run.end();
  }

  #close(): void {
    this.#unpacker?.end();
    this.#utf16?.end();
  }

  #text(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) this.#lines++;
    this.#bytes += chunk.length;
    this.#last = chunk.at(-1)!;
    this.#run.push(chunk);
  }

  /** The pieces as traces of their own, `alone` as each was read by itself; undefined where the whole is no single recording. */
  traces(alone: readonly Trace[]): Trace[] | undefined {
    const { trace } = this.#run;
    const { first: whole, world } = trace;
    if (trace.sources.length > 1 || this.#run.further > 0 || whole.format !== alone[0]!.first.format) return undefined;
    const rows = this.#firstRows(whole);
    const found: Trace[] = [];
    let until = Number.NEGATIVE_INFINITY;
    for (const [i, { first }] of alone.entries()) {
      const [from, to] = [rows[i]!, rows[i + 1]!];
      const source = new Source(this.#factsOf(whole, alone, i, from, until), first.accounting);
      const row: EventRow = eventRow(vocabulary[0]!);
      const { lines, bytes } = this.#starts[i]!;
      for (let at = from; at < to; at++) {
        whole.events.read(at, row);
        row.line = Math.max(1, row.line - lines);
        row.offset = Math.max(0, row.offset - bytes);
        if (row.time > until) until = row.time;
        source.events.push(row);
      }
      const piece = new Trace(world, source);
      piece.join();
      found.push(piece);
    }
    return found;
  }

  /** The first event of each piece, by its row, and the end. */
  #firstRows({ events }: Source): number[] {
    const rows: number[] = [];
    let at = 0;
    for (const { lines } of this.#starts) {
      while (at < events.length && events.line(at) <= lines) at++;
      rows.push(at);
    }
    return [...rows, events.length];
  }

  /** What is known of a piece: as it was read alone, with the times of the whole. `until`: the latest time of an event before it. */
  #factsOf(whole: Source, alone: readonly Trace[], i: number, from: number, until: number): Source['facts'] {
    const { first } = alone[i]!;
    const apart = Number((first.time.base - whole.time.base) * NANO);
    const own = <T extends { readonly row: number }>(of: (source: Source) => readonly T[] | undefined): T[] => {
      const skip = alone.slice(0, i).reduce((sum, trace) => sum + (of(trace.first)?.length ?? 0), 0);
      const list = of(whole)?.slice(skip, skip + (of(first)?.length ?? 0)) ?? [];
      return list.map((one) => ({ ...one, row: Math.max(-1, one.row - from) }));
    };
    return {
      ...first.facts,
      time: whole.time,
      start: first.start + apart,
      end: first.end + apart,
      moments: first.moments?.map(({ own: time, day }) => ({ own: time + apart, day })),
      markBytes: first.markBytes && own(({ markBytes }) => markBytes),
      logLines: first.logLines && own(({ logLines }) => logLines),
      continues: i === 0 ? undefined : { file: alone[i - 1]!.first.file, until },
    };
  }
}

/** Of a file the bytes, once more; undefined where they cannot be had. */
export type Again<F> = (file: F) => AsyncIterable<Uint8Array> | undefined;

/** The files, those that are pieces of one recording with what they are as such. What is known of pieces already stays. */
export async function withPieces<F extends FileRead & { readonly system?: string | undefined }>(
  files: readonly F[],
  again: Again<F>,
  rest: () => Promise<void> = async () => undefined,
): Promise<F[]> {
  const pieces = new Map<F, Piece | undefined>();
  for (const chain of cutRecordings(files)) {
    const [{ piece }] = chain as [F];
    const known = piece !== undefined && piece.count === chain.length && chain.every((f) => f.piece?.of === piece.of);
    // A file that is gone by now, or another one, was read all the same.
    const traces = known ? undefined : await readAgain(chain, again, rest).catch(() => undefined);
    const of = {};
    for (const [at, file] of chain.entries())
      pieces.set(file, known ? file.piece : traces && { of, at, count: chain.length, trace: traces[at]! });
  }
  return files.map((file) => (file.piece === pieces.get(file) ? file : { ...file, piece: pieces.get(file) }));
}

async function readAgain<F extends Read>(
  chain: readonly F[],
  again: Again<F>,
  rest: () => Promise<void>,
): Promise<Trace[] | undefined> {
  const whole = new WholeRecording();
  for (const file of chain) {
    const bytes = again(file);
    if (bytes === undefined) return undefined;
    whole.next();
    for await (const chunk of bytes) {
      whole.push(chunk);
      await rest();
    }
  }
  whole.end();
  return whole.traces(chain.map(({ trace }) => trace));
}

/** The files as the pieces that they are, where all pieces of a recording are among them; the others as they were read alone. */
export function asPieces<F extends FileRead & { readonly system?: string | undefined }>(files: readonly F[]): F[] {
  return files.map((file) => {
    const { piece } = file;
    if (piece === undefined) return file;
    const others = files.filter((one) => one.piece?.of === piece.of && one.system === file.system);
    return others.length === piece.count ? { ...file, trace: piece.trace } : file;
  });
}
