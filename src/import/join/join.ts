import { type Slices, whole } from '../../base/slices.ts';
import type { TimeBase } from '../../base/time.ts';
import type { EventKind } from '../../model/event.ts';
import { kvmEntry } from '../../model/events/virt.ts';
import { World } from '../../model/world.ts';
import { isSnapshots } from '../../query/snapshot.ts';
import { adopting } from '../../trace/adopt.ts';
import { clockMap, onClock } from '../../trace/merge.ts';
import type { Alignment, Evidence, Source, Vantage } from '../../trace/source.ts';
import { Trace } from '../../trace/trace.ts';
import { dayOf, daysApart, type Edge, type Way, waysTo } from './clocks.ts';
import { Derived } from './derived.ts';
import { folderOf, momentOf } from './folders.ts';
import { type Instants, instantsOf, TRAITS } from './instants.ts';
import { along, type Line, STILL } from './line.ts';
import { placeSnapshots, type TakenAt } from './place.ts';
import { type Connection, connectionOf } from './relations.ts';
import { resynchronised } from './resync.ts';
import { functionTies, regionsOf } from './same-functions.ts';
import { irqsOf, snapshotTies } from './same-irqs.ts';
import { SameKernels } from './same-kernel.ts';
import { type Member, systemsOf } from './systems.ts';
import { withBoundTables } from './tables.ts';
import type { Taken } from './taken.ts';
import { aboutApart, logConnection, toldConnection } from './told.ts';
import { withoutToldLines } from './told-lines.ts';

/** A file that was read alone. */
export interface JoinPart {
  readonly trace: Trace;
  /** The name that the user gave to its system. */
  readonly system?: string | undefined;
  /** From where the user says that it was recorded. */
  readonly vantage?: Vantage | undefined;
  /** What the user says must be added to its own times to get those of the first file, in nanoseconds. */
  readonly offset?: bigint | undefined;
  /** When it was taken, as something beside it tells, if it is a snapshot. */
  readonly taken?: Taken | undefined;
}

const NANO = 1_000_000_000n;
/** Among many files, of several boots perhaps, fewer bursts of instants may agree by chance. */
const FEWEST_BURSTS = 3;
/** The same among recordings that may be of one kernel. */
const FEWEST_HOSTING = 8;
/** Sources that end within that time of one another end together: nanoseconds. */
const SOON = 1e6;
/** Stamps of two files that lie no farther apart than that are taken as those of one clock, when nothing else is known: nanoseconds. */
const ONE_CLOCK = 3_600_000_000_000n;

/**
 * Joins files that were read alone into one trace: finds which system each tells of, brings the clocks to that of the first, and
 * folds all events in one order. The traces of the parts stay as they are.
 */
export const joinTraces = (parts: readonly JoinPart[]): Trace => whole(joiningTraces(parts));

/** The same in slices, so that an editor can do other work in between. */
export function* joiningTraces(given: readonly JoinPart[]): Slices<Trace> {
  const [only] = given;
  if (given.length === 1 && only!.system === undefined && only!.vantage === undefined) return only!.trace;
  const parts = toldOnce(given.map((part) => ({ ...part, offset: offsetOf(part, given) })));
  const instants: Instants[] = [];
  for (const { trace } of parts) {
    instants.push(instantsOf(trace));
    yield;
  }
  const shots = parts.map(({ trace }) => isSnapshots(trace));
  const logs = parts.map(({ trace }) => isLog(trace));
  const timed = shots.filter((shot, i) => !shot && !logs[i]).length;
  const edges: Edge[] = [];
  const kernels = new SameKernels();
  const days = parts.map(({ trace }) => dayOf(trace));
  for (let a = 0; a < parts.length; a++)
    for (let b = a + 1; b < parts.length; b++) {
      // A snapshot has no clock.
      if (shots[a] || shots[b]) continue;
      yield;
      const [x, y] = [parts[a]!.trace.first, parts[b]!.trace.first];
      const ownLog = (logs[a] && kernelOf(parts, a) === b) || (logs[b] && kernelOf(parts, b) === a);
      const apart = daysApart(days[a], days[b]) ?? (ownLog ? aboutApart(x, y) : undefined);
      const shown = toldConnection(x, y) ?? connectionOf(instants[a]!, instants[b]!, apart);
      const connection = isWeak(shown) ? (kernels.connection(parts[a]!.trace, parts[b]!.trace) ?? shown) : shown;
      const sure = ownLog || connection?.assumed === true || connection?.told === true || connection?.dated === true;
      const enough = timed <= 2 || sure || (connection?.fit.bursts ?? 0) >= FEWEST_BURSTS;
      if (connection !== undefined && enough) edges.push({ a, b, connection });
    }
  for (const log of parts.keys()) {
    const other = kernelOf(parts, log);
    const connection = other < 0 ? undefined : logConnection(parts[log]!.trace.first, parts[other]!.trace.first);
    if (connection !== undefined) edges.push({ a: other, b: log, connection });
  }
  // A snapshot has no clock: that of the trace is the first one.
  const root = Math.max(0, shots.indexOf(false));
  const ways = waysTo(root, edges, days);
  const spans = parts.map(({ trace }, i) => spanOf(trace, i === root ? STILL : ways.get(i)?.line));
  const functions = shots.includes(true)
    ? functionTies(
        parts.map(({ trace }) => regionsOf(trace)),
        shots,
      )
    : [];
  const names = systemsOf(
    parts.map((part, i) => memberOf(part, spans[i])),
    [
      ...functions,
      ...edges.map(({ a, b, connection: { relation, fit } }) => ({ a, b, relation, support: fit.pairs.length })),
      ...(shots.includes(true)
        ? snapshotTies(
            parts.map(({ trace }, i) => ({
              irqs: irqsOf(trace),
              snapshot: shots[i]!,
              kernel: (trace.first.vantage ?? vantageOf(trace.first)) === 'kernel',
              folder: folderOf(trace.first.file),
              tied: functions.some((tie) => tie.a === i),
            })),
          )
        : []),
    ],
  );
  const world = new World();
  const groups: Source[][] = [];
  for (const [i, { trace, vantage }] of parts.entries()) {
    const group: Source[] = [];
    groups.push(group);
    for (const source of trace.sources) {
      const copy = yield* adopting(source, trace.world, world.space(names[i] === names[0] ? '' : names[i]!));
      copy.system = names[i]!;
      copy.vantage = vantage ?? copy.vantage ?? vantageOf(source);
      group.push(copy);
    }
  }
  for (const [i, part] of parts.entries()) align(groups[i]!, part, parts[root]!.trace, i === root, ways.get(i));
  // Evidence names sources by their place in the joined trace.
  const places = groups.map((_, i) => groups.slice(0, i).reduce((sum, g) => sum + g.length, 0));
  parts.forEach(({ offset }, i) => {
    if (i === root) return;
    const alignment = alignmentOf(i, offset === undefined ? ways.get(i) : undefined, parts, places);
    for (const source of groups[i]!) source.alignment = { ...alignment, given: offset !== undefined };
  });
  const [first, ...others] = groups.flat();
  if (root > 0) first!.time = parts[root]!.trace.time;
  yield;
  others.push(...derivedOf(parts, groups, names, edges, world, spans));
  if (shots.includes(true)) {
    const all = [first!, ...others];
    placeSnapshots(all, world, first!.time, takenAt(parts, groups, shots, days, first!.time));
  }
  const joined = new Trace(world, first!);
  yield* joined.joining(...others);
  return shots.includes(true) ? resynchronised(withBoundTables(joined)) : joined;
}

/** What the user says must be added to the times of a part; of one that goes on from another one, of that. */
function offsetOf({ offset, trace }: JoinPart, parts: readonly JoinPart[]): bigint | undefined {
  const { continues, time } = trace.first;
  if (offset !== undefined || continues === undefined) return offset;
  const before = parts.find((part) => part.trace.first.file === continues.file);
  return before === undefined || before.trace.time.base !== time.base ? undefined : offsetOf(before, parts);
}

/** Whether few instants say that one source hosts the other: so many may agree by chance. */
const isWeak = (connection: Connection | undefined): boolean =>
  connection === undefined ||
  (connection.told !== true && connection.relation !== 'same' && connection.fit.pairs.length < FEWEST_HOSTING);

/** The parts, with each line of a kernel's log told once where the trace of that kernel holds it, too. */
function toldOnce(given: readonly JoinPart[]): readonly JoinPart[] {
  let parts = given;
  for (const log of given.keys()) {
    const other = kernelOf(parts, log);
    if (other < 0) continue;
    const whole = parts[other]!.trace;
    const trace = withoutToldLines(parts[log]!.trace, whole);
    if (trace === undefined) continue;
    const on = (taken: Taken | undefined): Taken | undefined =>
      taken?.clock === whole ? { ...taken, clock: trace } : taken;
    parts = parts.map((part, i) => ({ ...part, trace: i === other ? trace : part.trace, taken: on(part.taken) }));
  }
  return parts;
}

/** Whether a file is the log of a kernel. */
const isLog = ({ first }: Trace): boolean => first.format === 'dmesg';

/**
 * The recording of the kernel whose log a part is, by its number: of the same system where the user named it, else the first of
 * those that lie nearest; -1 where there is none.
 */
function kernelOf(parts: readonly JoinPart[], log: number): number {
  const { trace, system } = parts[log]!;
  if (!isLog(trace)) return -1;
  const folders = (file: string): readonly string[] => file.split('/').slice(0, -1);
  const own = folders(trace.first.file);
  const near = parts.map(({ trace: other, system: name }) => {
    if (isLog(other) || isSnapshots(other) || vantageOf(other.first) !== 'kernel' || name !== system) return -1;
    const there = folders(other.first.file);
    let common = 0;
    while (common < own.length && own[common] === there[common]) common++;
    return common;
  });
  const best = Math.max(...near);
  return best < 0 ? -1 : near.indexOf(best);
}

/** What sources show together, and where those end that end before the others. */
function derivedOf(
  parts: readonly JoinPart[],
  groups: readonly (readonly Source[])[],
  names: readonly string[],
  edges: readonly Edge[],
  world: World,
  spans: readonly (Span | undefined)[],
): Source[] {
  const all = parts.map(({ trace }, i) => {
    const space = world.space(names[i] === names[0] ? '' : names[i]!);
    return new Derived(trace, groups[i]![0]!, world, space.prefix);
  });
  const isKernel = (i: number): boolean => groups[i]![0]!.vantage === 'kernel';
  for (const { a, b, connection } of edges) {
    if (connection.relation !== 'same' || names[a] !== names[b] || isKernel(a) === isKernel(b)) continue;
    const [kernel, machine] = isKernel(a) ? [a, b] : [b, a];
    const stored = connection.fit.pairs.filter(({ trait }) => trait === 'message');
    all[kernel]!.identities(
      parts[machine]!.trace,
      stored.map(({ alone, rowA, rowB }) => ({
        alone,
        own: kernel === a ? rowA : rowB,
        other: kernel === a ? rowB : rowA,
      })),
    );
  }
  // What a kernel says in words goes on when it has something to say.
  const recorded = spans.map((span, i) => (isLog(parts[i]!.trace) ? undefined : span));
  const last = Math.max(...recorded.map((span) => span?.[1] ?? Number.NEGATIVE_INFINITY));
  for (const [i, span] of recorded.entries()) {
    const { file } = parts[i]!.trace.first;
    const goesOn = parts.some(({ trace }) => trace.first.continues?.file === file);
    if (span !== undefined && span[1] < last - SOON && !goesOn) all[i]!.end();
  }
  return all.map(({ source }) => source).filter(({ events }) => events.length > 0);
}

/** When snapshots were taken, on the clock of the trace, as far as something beside them tells. */
function takenAt(
  parts: readonly JoinPart[],
  groups: readonly (readonly Source[])[],
  shots: readonly boolean[],
  days: readonly (bigint | undefined)[],
  clock: TimeBase,
): Map<Source, TakenAt> {
  const found = new Map<Source, TakenAt>();
  // The time of day on the clock of the trace.
  const dated = days.findIndex((day) => day !== undefined);
  for (const [i, part] of parts.entries()) {
    if (!shots[i]) continue;
    const taken = part.taken?.by === 'kit.json' ? part.taken : (dmesgOf(parts, i) ?? part.taken);
    if (taken === undefined) continue;
    const on = taken.clock === 'day' ? dated : parts.findIndex(({ trace }) => trace === taken.clock);
    if (on < 0) continue;
    const map = clockMap(clock, groups[on]![0]!);
    const own = (time: number): number =>
      taken.clock === 'day' ? Number(BigInt(Math.round(time)) * MILLI - days[on]!) : time;
    const [from, to] = [taken.from, taken.to].map((time) => (Number.isFinite(time) ? onClock(map, own(time)) : time));
    const at = { from: from!, to: to!, by: taken.by };
    if (!Number.isNaN(at.from)) for (const source of groups[i]!) found.set(source, at);
  }
  return found;
}

/** The last stamp of the only kernel log that was kept together with a snapshot: it was taken then or later. */
function dmesgOf(parts: readonly JoinPart[], snapshot: number): Taken | undefined {
  const moment = momentOf(parts[snapshot]!.trace.first.file);
  const logs = parts.filter(({ trace: { first } }) => first.format === 'dmesg' && momentOf(first.file) === moment);
  const [log] = logs;
  if (moment === '' || logs.length !== 1 || Number.isNaN(log!.trace.first.end)) return undefined;
  const { trace } = log!;
  return { from: trace.first.end, to: Number.POSITIVE_INFINITY, clock: trace, by: 'the last stamp of its dmesg' };
}

const MILLI = 1_000_000n;

/** What a part shows of the systems that it may belong to. */
function memberOf({ trace, system, vantage: given }: JoinPart, span: Span | undefined): Member {
  const { first } = trace;
  const kinds = new Set<EventKind>();
  for (let step = 0; step < trace.length; step++) kinds.add(trace.table.kind(step));
  const vantage = given ?? first.vantage ?? vantageOf(first);
  const names = (start: string): boolean => [...kinds].some(({ name }) => name.startsWith(start));
  return {
    named: system,
    span,
    folder: folderOf(first.file),
    vantage,
    emulated: first.format === 'qemu-log',
    snapshot: isSnapshots(trace),
    hosts: vantage === 'kernel' && (kinds.has(kvmEntry) || names('kvm.') || names('irqfd.')),
    hosted: vantage === 'hardware' && (names('vfio.') || names('route.')),
  };
}

/** First and last time. */
type Span = readonly [number, number];

/** First and last time of a part on the clock of the first one. */
function spanOf({ sources, time }: Trace, line: Line | undefined): Span | undefined {
  if (line === undefined) return undefined;
  const own = (source: Source, stamp: number): number =>
    along(line, Number((source.time.base - time.base) * NANO) + stamp);
  const stamped = sources.filter(({ start }) => !Number.isNaN(start));
  if (stamped.length === 0) return undefined;
  return [
    Math.min(...stamped.map((source) => own(source, source.start))),
    Math.max(...stamped.map((source) => own(source, source.end))),
  ];
}

/** From where files of a format are recorded. */
function vantageOf({ format }: Source): 'kernel' | 'hardware' | null {
  if (format === 'qemu-log' || format === 'lspci' || format === 'config-space') return 'hardware';
  return format === 'irqtrace' || format === 'ndjson' || format === '' ? null : 'kernel';
}

/** Sets offset and drift of the sources of a part. */
function align(sources: readonly Source[], part: JoinPart, first: Trace, isFirst: boolean, way: Way | undefined): void {
  for (const source of sources) {
    if (isFirst || source.time.ticks !== first.time.ticks) continue;
    if (part.offset !== undefined) {
      source.offset = part.offset;
      continue;
    }
    const bases = (source.time.base - first.time.base) * NANO;
    const { base } = part.trace.time;
    // Lines go by the clock of the part, whose base is that of its first source.
    const own = Number((source.time.base - base) * NANO) + (Number.isNaN(source.start) ? 0 : source.start);
    if (way !== undefined) {
      source.offset = BigInt(Math.round(along(way.line, own) - own)) - (base - first.time.base) * NANO;
      source.drift = way.line.rate * 1e6;
      continue;
    }
    const start = first.sources.reduce((min, s) => Math.min(min, s.start), Number.POSITIVE_INFINITY);
    if (!Number.isFinite(start) || Number.isNaN(source.start)) continue;
    const apart = bases + BigInt(Math.round(source.start - start));
    if (apart > ONE_CLOCK || apart < -ONE_CLOCK) source.offset = -apart;
  }
}

const SHARED = 'the same event stands in both';

function alignmentOf(
  part: number,
  way: Way | undefined,
  parts: readonly JoinPart[],
  places: readonly number[],
): Alignment {
  if (way === undefined) return { with: -1, uncertainty: undefined, given: false, evidence: [] };
  const { connection, uncertainty } = way;
  const [own, other] = way.with < part ? (['rowB', 'rowA'] as const) : (['rowA', 'rowB'] as const);
  const evidence: Evidence[] = (connection?.fit.pairs ?? []).map((pair) => ({
    ...ownPlace(parts[part]!.trace, pair[own], places[part]!),
    ...otherPlace(parts[way.with]!.trace, pair[other], places[way.with]!),
    what: TRAITS[pair.trait].what,
  }));
  const { file, lines = [] } = connection?.shared ?? {};
  const sharing = parts.findIndex(({ trace }) => trace.first.file === file);
  for (const line of lines) {
    // The event that both recorded is told once.
    const place = ownPlace(parts[sharing]!.trace, parts[sharing]!.trace.lastAtLine(line), places[sharing]!);
    evidence.push({ ...place, otherSource: place.source, other: place.row, what: SHARED });
  }
  return {
    with: places[way.with]!,
    uncertainty,
    given: false,
    told: connection?.told,
    why: connection?.why,
    assumed: connection?.assumed,
    day: connection === undefined,
    evidence,
  };
}

const ownPlace = (trace: Trace, step: number, place: number) => ({
  source: place + trace.sourceOf(step),
  row: trace.rowOf(step),
});

const otherPlace = (trace: Trace, step: number, place: number) => ({
  otherSource: place + trace.sourceOf(step),
  other: trace.rowOf(step),
});
