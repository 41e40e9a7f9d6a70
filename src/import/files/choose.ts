// Which of the files that were given together make a trace: one clock comes first, copies and texts that only quote records stay out.
import type { Slices } from '../../base/slices.ts';
import type { EventKind } from '../../model/event.ts';
import { softirqEntry, softirqExit, softirqRaise } from '../../model/events/cpu.ts';
import { isSnapshots } from '../../query/snapshot.ts';
import type { Source, Vantage } from '../../trace/source.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Taken } from '../join/taken.ts';
import { findDuplicates, fuller } from './duplicates.ts';
import type { FileRead } from './file-read.ts';
import { type Kit, kitTimes } from './kit.ts';
import { asPieces } from './pieces.ts';
import { withoutRepeats } from './repeats.ts';

/** A file that was read, and what the user says of it. */
export interface GivenFile extends FileRead {
  /** The name of the machine whose interrupts it tells; undefined: found from its content. */
  readonly system: string | undefined;
  /** What is added to its own times to get those of the first file, in nanoseconds; undefined: found from its content. */
  readonly offset: bigint | undefined;
  /** From where it was recorded; undefined: found from its format. */
  readonly vantage: Vantage | undefined;
  /** Number of the source that it was read from, in the order given: files of one folder or archive have the same. */
  readonly from: number;
  /** The user named this file, not a folder or archive that holds it. */
  readonly asked: boolean;
}

/** The same, of a file that is a trace. */
export type TraceFile = GivenFile & { readonly trace: Trace; readonly taken?: Taken | undefined };

/** What was made of files that were given together. */
export interface Chosen {
  /** The files of the trace; the clock of the first one is that of the trace. */
  readonly parts: readonly TraceFile[];
  /** Files whose records another one holds, too. */
  readonly duplicates: readonly { readonly file: TraceFile; readonly of: string }[];
  /** What kit.json of recordings tell. */
  readonly kits: readonly Kit[];
  /** Other files that are no trace, with the reason. */
  readonly unread: readonly GivenFile[];
}

/**
 * Chooses the files of a trace, in slices; undefined where none is a trace. The file whose clock is that of the trace comes first: `firstFile` if it is
 * among them, else that of the first source; of a folder or an archive, its fullest file.
 */
export function* chooseFiles(given: readonly GivenFile[], firstFile?: string): Slices<Chosen | undefined> {
  const read = asPieces(given);
  const alone = read.length === 1;
  const traces = read.filter(
    (file): file is TraceFile => file.trace !== undefined && (alone || file.asked || !isProse(file.trace)),
  );
  if (traces.length === 0) return undefined;
  const duplicates = yield* findDuplicates(traces.map(({ trace }) => trace));
  const kept = yield* toldOnce(traces.filter((_, i) => duplicates[i] === undefined));
  const leading = kept.filter(({ from }) => from === kept[0]!.from);
  const named = kept.findIndex(({ file }) => file === firstFile);
  const first = named >= 0 ? named : kept.indexOf(leading[fullest(leading)]!);
  const taken = takenOf(read, kept);
  return {
    parts: [kept[first]!, ...kept.filter((_, i) => i !== first)].map((file) => ({ ...file, taken: taken(file) })),
    duplicates: traces.flatMap((file, i) => {
      const of = duplicates[i];
      return of === undefined ? [] : [{ file, of: traces[of]!.file }];
    }),
    kits: read.flatMap(({ kit }) => (kit === undefined ? [] : [kit])),
    unread: read
      .filter((file) => file.kit === undefined && !traces.some((one) => one === file))
      .map((file) =>
        file.trace === undefined ? file : { ...file, problem: 'a text in which only some lines are records' },
      ),
  };
}

/** The files, each without what a fuller one recorded, too. */
function* toldOnce(files: readonly TraceFile[]): Slices<TraceFile[]> {
  const order = files.map((_, i) => i).sort((a, b) => fuller(files[a]!.trace, files[b]!.trace) || a - b);
  const traces = yield* withoutRepeats(order.map((i) => files[i]!.trace));
  return files.map((file, i) => ({ ...file, trace: traces[order.indexOf(i)]! }));
}

/** When files were taken, if they are snapshots: as a kit.json above them tells, else as the archive tells when they were written. */
function takenOf(read: readonly GivenFile[], files: readonly TraceFile[]): (file: TraceFile) => Taken | undefined {
  const told = new Map<TraceFile, Taken>();
  for (const { file, kit } of read) {
    if (kit === undefined) continue;
    const folder = file.slice(0, Math.max(0, file.lastIndexOf('/')));
    for (const [one, taken] of kitTimes(folder, kit, files)) told.set(one, taken);
  }
  return (file) => told.get(file) ?? archiveTime(file);
}

/** Archives keep whole seconds. */
const SECOND = 1000;

const archiveTime = ({ modified }: TraceFile): Taken | undefined =>
  modified === undefined
    ? undefined
    : { from: modified, to: modified + SECOND, clock: 'day', by: 'the time in the archive' };

/** Formats that do not give the trace its clock where another one can: an emulator's log, and what a kernel says in words. */
const NOT_FIRST = ['qemu-log', 'dmesg'];

/** Kinds that no other source shows: how many of them a file has says nothing of how much it shares with others. */
const OWN_KINDS: ReadonlySet<EventKind> = new Set<EventKind>([softirqRaise, softirqEntry, softirqExit]);

/** The file with the most events, a recording before snapshots and that of a kernel before others: its clock is that of the trace. */
function fullest(files: readonly { readonly trace: Trace }[]): number {
  const weight = ({ trace }: { readonly trace: Trace }): number =>
    countOf(trace) * (isSnapshots(trace) ? 1e-6 : NOT_FIRST.includes(trace.first.format) ? 1 : 1e6);
  // Counting reads all events.
  if (files.length === 1) return 0;
  return files.reduce((best, file, i) => (weight(file) > weight(files[best]!) ? i : best), 0);
}

function countOf({ table, length }: Trace): number {
  let count = 0;
  for (let step = 0; step < length; step++) if (!OWN_KINDS.has(table.kind(step))) count++;
  return count;
}

/** Lines of text to each record, above which a file may be one that quotes records. */
const TEXT = 0.3;
/** Fewer records than that in a file, or to each of many sources, are quotes. */
const FEW_RECORDS = 8;
const FEW_EACH = 50;
const MANY_SOURCES = 2;

/** Whether a file that nobody asked for by name is a text that quotes records here and there, such as notes, or a list of events. */
function isProse({ sources, length }: Trace): boolean {
  const sum = (of: (source: Source) => number): number => sources.reduce((all, source) => all + of(source), 0);
  const records = sum(({ accounting }) => accounting.records);
  const text = sum(({ accounting }) => accounting.others.get('text') ?? 0);
  const many = sources.length > MANY_SOURCES;
  const quoted =
    (text > records * TEXT && (records < FEW_RECORDS || many)) || (many && records < sources.length * FEW_EACH);
  return length === 0 || quoted || sum(({ accounting }) => accounting.understood) * 2 < records;
}

/** Whether a name that the user gives means a file: its whole name, or the end of it. */
export const isCalled = (file: string, name: string): boolean => file === name || file.endsWith(`/${name}`);
