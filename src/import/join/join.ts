import type { EventKind } from '../../model/event.ts';
import { kvmEntry } from '../../model/events/virt.ts';
import { World } from '../../model/world.ts';
import { isSnapshots } from '../../query/snapshot.ts';
import { adopt } from '../../trace/adopt.ts';
import type { Alignment, Source } from '../../trace/source.ts';
import { Trace } from '../../trace/trace.ts';
import { along, type Edge, type Line, type Way, waysTo } from './clocks.ts';
import { Derived } from './derived.ts';
import { instantsOf, TRAITS } from './instants.ts';
import { placeSnapshots } from './place.ts';
import { connectionOf } from './relations.ts';
import { resynchronised } from './resync.ts';
import { irqsOf, snapshotTies } from './same-irqs.ts';
import { type Member, systemsOf } from './systems.ts';
import { logConnection, toldConnection } from './told.ts';

/** A file that was read alone. */
export interface JoinPart {
  readonly trace: Trace;
  /** The name that the user gave to its system. */
  readonly system?: string | undefined;
  /** What the user says must be added to its own times to get those of the first file, in nanoseconds. */
  readonly offset?: bigint | undefined;
}

const NANO = 1_000_000_000n;
/** Among many files, of several boots perhaps, fewer bursts of instants may agree by chance. */
const FEWEST_BURSTS = 3;
/** Sources that end within that time of one another end together: nanoseconds. */
const SOON = 1e6;
/** Stamps of two files that lie no farther apart than that are taken as those of one clock, when nothing else is known: nanoseconds. */
const ONE_CLOCK = 3_600_000_000_000n;

/**
 * Joins files that were read alone into one trace: finds which system each tells of, brings the clocks to that of the first, and
 * folds all events in one order. The traces of the parts stay as they are.
 */
export function joinTraces(parts: readonly JoinPart[]): Trace {
  const [only] = parts;
  if (parts.length === 1 && only!.system === undefined) return only!.trace;
  const instants = parts.map(({ trace }) => instantsOf(trace));
  const shots = parts.map(({ trace }) => isSnapshots(trace));
  const logs = parts.map(({ trace }) => isLog(trace));
  const timed = shots.filter((shot, i) => !shot && !logs[i]).length;
  const edges: Edge[] = [];
  for (let a = 0; a < parts.length; a++)
    for (let b = a + 1; b < parts.length; b++) {
      const [x, y] = [parts[a]!.trace.first, parts[b]!.trace.first];
      const connection = toldConnection(x, y) ?? connectionOf(instants[a]!, instants[b]!);
      const enough = timed <= 2 || connection?.told === true || (connection?.fit.bursts ?? 0) >= FEWEST_BURSTS;
      if (connection !== undefined && enough) edges.push({ a, b, connection });
    }
  for (const log of parts.keys()) {
    const other = kernelOf(parts, log);
    const fit = other < 0 ? undefined : logConnection(parts[log]!.trace.first, parts[other]!.trace.first);
    if (fit !== undefined) edges.push({ a: other, b: log, connection: { relation: 'same', fit, told: true } });
  }
  // A snapshot has no clock: that of the trace is the first one.
  const root = Math.max(0, shots.indexOf(false));
  const ways = waysTo(root, edges);
  const spans = parts.map(({ trace }, i) => spanOf(trace, i === root ? STILL : ways.get(i)?.line));
  const names = systemsOf(
    parts.map((part, i) => memberOf(part, spans[i])),
    [
      ...edges.map(({ a, b, connection: { relation, fit } }) => ({ a, b, relation, support: fit.pairs.length })),
      ...(shots.includes(true)
        ? snapshotTies(
            parts.map(({ trace }) => irqsOf(trace)),
            shots,
          )
        : []),
    ],
  );
  const world = new World();
  const groups = parts.map(({ trace }, i) =>
    trace.sources.map((source) => {
      const copy = adopt(source, trace.world, world.space(names[i] === names[0] ? '' : names[i]!));
      copy.system = names[i]!;
      copy.vantage ??= vantageOf(source);
      return copy;
    }),
  );
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
  others.push(...derivedOf(parts, groups, names, edges, world, spans));
  if (shots.includes(true)) placeSnapshots([first!, ...others], world, first!.time);
  const joined = new Trace(world, first!);
  joined.join(...others);
  return shots.includes(true) ? resynchronised(joined) : joined;
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
  for (const [i, span] of recorded.entries()) if (span !== undefined && span[1] < last - SOON) all[i]!.end();
  return all.map(({ source }) => source).filter(({ events }) => events.length > 0);
}

/** What a part shows of the systems that it may belong to. */
function memberOf({ trace, system }: JoinPart, span: Span | undefined): Member {
  const { first } = trace;
  const kinds = new Set<EventKind>();
  for (let step = 0; step < trace.length; step++) kinds.add(trace.table.kind(step));
  const vantage = first.vantage ?? vantageOf(first);
  const names = (start: string): boolean => [...kinds].some(({ name }) => name.startsWith(start));
  return {
    named: system,
    span,
    folder: first.file.slice(0, Math.max(0, first.file.lastIndexOf('/'))),
    vantage,
    hosts: vantage === 'kernel' && (kinds.has(kvmEntry) || names('kvm.') || names('irqfd.')),
    hosted: vantage === 'hardware' && (names('vfio.') || names('route.')),
  };
}

/** First and last time. */
type Span = readonly [number, number];

/** The line of a clock to itself. */
const STILL: Line = { offset: 0, rate: 0, origin: 0 };

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

function alignmentOf(
  part: number,
  way: Way | undefined,
  parts: readonly JoinPart[],
  places: readonly number[],
): Alignment {
  if (way === undefined) return { with: -1, uncertainty: undefined, given: false, evidence: [] };
  const { connection, uncertainty } = way;
  const [own, other] = way.with < part ? (['rowB', 'rowA'] as const) : (['rowA', 'rowB'] as const);
  const evidence = connection.fit.pairs.map((pair) => ({
    ...ownPlace(parts[part]!.trace, pair[own], places[part]!),
    ...otherPlace(parts[way.with]!.trace, pair[other], places[way.with]!),
    what: TRAITS[pair.trait].what,
  }));
  return { with: places[way.with]!, uncertainty, given: false, told: connection.told, evidence };
}

const ownPlace = (trace: Trace, step: number, place: number) => ({
  source: place + trace.sourceOf(step),
  row: trace.rowOf(step),
});

const otherPlace = (trace: Trace, step: number, place: number) => ({
  otherSource: place + trace.sourceOf(step),
  other: trace.rowOf(step),
});
