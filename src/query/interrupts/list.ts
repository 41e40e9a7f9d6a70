import type { ObjectId, Step } from '../../base/ids.ts';
import { mapOf, type Slices, sortedOf, whole } from '../../base/slices.ts';
import type { State } from '../../model/state.ts';
import { intid, irq, pin, vector } from '../../model/things/irq.ts';
import { itsEvent } from '../../model/things/remap.ts';
import { imsicId } from '../../model/things/riscv.ts';
import type { Trace } from '../../trace/trace.ts';
import { timeOf } from '../events.ts';
import { compareSegments } from '../paths.ts';
import { Recorded } from './counts.ts';
import { delivered } from './delivered.ts';
import { joinParts } from './join.ts';
import { kindsWhere, lastEvents } from './last.ts';
import { placed } from './places.ts';
import { type InterruptRow, type Joined, ownObjects } from './row.ts';
import type { Scene } from './scene.ts';
import { isMove, type Standing, standingOf } from './status.ts';
import { takenUnseen } from './taken.ts';
import { toldEntries } from './told.ts';

/** What rules found, by the object that it is about. */
export interface Found {
  /** Id of the rule. */
  readonly rule: string;
  /** An interrupt did not reach its handler. */
  readonly lost: boolean;
  /** The user does not want to be told of it: it says what happened to the interrupt, and is listed nowhere. */
  readonly suppressed?: boolean;
}
export type FoundAt = ReadonlyMap<ObjectId, readonly Found[]>;

/** What a list of interrupts is made with, beside the trace. */
export interface ListOptions {
  /** Findings up to the step; none when left out. */
  readonly findings?: FoundAt;
  /** The trace shows every cause, message and handler, as simulated traces do. */
  readonly complete?: boolean;
}

/** An interrupt of the list: the row as answers print it, its objects, and how it is ordered. */
export interface Interrupt {
  readonly row: InterruptRow;
  readonly joined: Joined;
  /** A cause waits: in a pending bit, or behind a mask. */
  readonly waiting: boolean;
  /** It is lost, and the user suppressed all that says so. */
  readonly suppressed: boolean;
  /** No cause, no message, no handler so far, as far as the trace shows, and nothing is wrong with it. */
  readonly neverUsed: boolean;
}

/** What traces record, at the length that they had; another length is another trace. */
const known = new WeakMap<
  Trace,
  { readonly length: number; readonly complete: boolean; readonly recorded: Recorded }
>();

function recordedIn(trace: Trace, complete: boolean): Recorded {
  const before = known.get(trace);
  if (before?.length === trace.length && before.complete === complete) return before.recorded;
  const recorded = new Recorded(trace, complete);
  known.set(trace, { length: trace.length, complete, recorded });
  return recorded;
}

/** All interrupts in a state, `state` being that after `step`, the worst first: lost, pending, masked with causes waiting; then the busiest. */
export const interruptsAt = (trace: Trace, state: State, step: Step, options?: ListOptions): Interrupt[] =>
  whole(listing(trace, state, step, options));

/** The same in slices. The state must stay as it is. */
export function* listing(trace: Trace, state: State, step: Step, options: ListOptions = {}): Slices<Interrupt[]> {
  const { findings, complete = false } = options;
  const scene = yield* joinParts(state);
  const recorded = recordedIn(trace, complete);
  const joinedRows = yield* mapOf(scene.groups.all(), (group) => placed(scene, group));
  const rows = yield* delivered(trace, state, step, joinedRows);
  const entries = yield* toldEntries(scene, rows);
  const objects = yield* mapOf(rows, (row) => ownObjects(row, lpisOf(scene, row)));
  const last = yield* lastEvents(trace, objects, step);
  const moves = yield* lastMoves(trace, objects, last);
  // Where every event is shown, what no event takes was not taken.
  const taken = complete ? new Set<ObjectId>() : yield* takenUnseen(trace, state, step, rows);
  const all = yield* mapOf(rows, (joined, i): Interrupt => {
    const at = last[i]!;
    const counts = recorded.counts(state, joined);
    const found = findings === undefined ? [] : objects[i]!.flatMap((object) => findings.get(object) ?? []);
    const told = found.filter((one) => one.suppressed !== true);
    const lost = found.some(({ lost: is }) => is);
    const suppressed = lost && !told.some(({ lost: is }) => is);
    const move = moves[i]!;
    const kind = move < 0 ? undefined : trace.table.kind(move);
    const ends = recorded.ends(state, joined, move < 0 ? -1 : trace.table.object(move), move);
    const standing = standingOf(state, joined, kind, ends, taken, lost);
    const row: InterruptRow = {
      ...pathsOf(state, joined, entries.get(joined.irq >= 0 ? joined.irq : joined.guestIrq)),
      action: actionOf(state, joined),
      ...counts,
      last: at < 0 ? null : { step: at, time: timeOf(trace, at) },
      status: standing.status,
      findings: [...new Set(told.map(({ rule }) => rule))].sort(),
    };
    const { waiting } = standing;
    const signs = [...Object.values(counts), recorded.used(state, joined)];
    return { row, joined, waiting, suppressed, neverUsed: isNeverUsed(signs, standing) };
  });
  return yield* sorted(all);
}

/** The LPI of a row at all processors. */
const lpisOf = ({ state, lpis }: Scene, { translation }: Joined): readonly ObjectId[] =>
  state.world.type(translation) === itsEvent ? lpis(translation) : [];

const MOVES = kindsWhere(isMove);

/** For each row the last event that brought the interrupt nearer to its handler or ended it; `last`: the last event of any kind. */
function* lastMoves(trace: Trace, objects: readonly (readonly ObjectId[])[], last: Int32Array): Slices<Int32Array> {
  const moves = last.slice();
  const others: number[] = [];
  for (const [i, at] of last.entries()) if (at >= 0 && MOVES[trace.table.kindNumber(at)] === 0) others.push(i);
  const step = others.reduce((latest, i) => Math.max(latest, last[i]!), -1);
  const sets = others.map((i) => objects[i]!);
  for (const [n, found] of (yield* lastEvents(trace, sets, step, MOVES)).entries()) moves[others[n]!] = found;
  return moves;
}

/** All interrupts after a step of a trace. */
export const interrupts = (trace: Trace, step: Step, options?: ListOptions): Interrupt[] =>
  interruptsAt(trace, trace.stateAt(step), step, options);

/** `told`: the path of the entry where no event is about it. */
function pathsOf(state: State, joined: Joined, told: string | undefined) {
  const { world } = state;
  const path = (object: ObjectId): string | null => (object < 0 ? null : world.path(object));
  const { entry, guestEntry, route, irqfd, line, vector: place, vcpuVector } = joined;
  return {
    entry: path(entry >= 0 ? entry : guestEntry) ?? told ?? null,
    guestEntry: path(entry >= 0 ? guestEntry : -1),
    irq: path(joined.irq),
    domain: path(joined.domain),
    irte: world.type(joined.translation) === pin ? null : path(joined.translation),
    cpu: path(joined.cpu) ?? cpuPath(state, place),
    vector: path(place >= 0 ? place : vcpuVector),
    vfio: path(joined.vfio),
    gsi: path(route >= 0 ? route : irqfd >= 0 ? irqfd : line),
    vcpu: path(joined.vcpu),
    guestIrq: path(joined.guestIrq),
  };
}

/** The path of the CPU of a vector, also where no event was about the CPU itself. */
function cpuPath({ world }: State, place: ObjectId): string | null {
  const type = world.type(place);
  return type === vector || type === intid || type === imsicId
    ? (world.node(place)?.parent?.parent?.path ?? null)
    : null;
}

/** Names of the actions: of the irq, or of that of the guest. */
function actionOf(state: State, { irq: host, guestIrq }: Joined): string | null {
  for (const object of [host, guestIrq]) {
    const name = object < 0 ? '' : state.text(object, irq.at.name);
    if (name !== '') return name;
  }
  return null;
}

function isNeverUsed(signs: readonly (number | null | undefined)[], { status, waiting }: Standing): boolean {
  if (waiting || (status !== 'idle' && status !== 'masked' && status !== 'unknown')) return false;
  const counts = signs.filter((sign) => typeof sign === 'number');
  // Where nothing counts it, nothing says that it was not used.
  return counts.length > 0 && counts.every((count) => count === 0);
}

function* sorted(all: readonly Interrupt[]): Slices<Interrupt[]> {
  const keyed = yield* mapOf(all, (interrupt) => ({
    interrupt,
    rank: rankOf(interrupt),
    busy: busyness(interrupt.row),
    segments: undefined as readonly string[] | undefined,
  }));
  // Few are compared by their paths.
  const segmentsOf = (key: (typeof keyed)[number]): readonly string[] =>
    (key.segments ??= identityOf(key.interrupt).split('/'));
  const inOrder = yield* sortedOf(
    keyed,
    (a, b) => a.rank - b.rank || b.busy - a.busy || compareSegmentLists(segmentsOf(a), segmentsOf(b)),
  );
  return inOrder.map(({ interrupt }) => interrupt);
}

/** The path of the first part that a row has and the trace names: no two rows have the same. */
export function identityOf({ row, joined }: Interrupt): string {
  const { entry, irq: host, guestIrq, vfio, gsi } = row;
  const named = joined.entry >= 0 || joined.guestEntry >= 0;
  return (named ? entry : null) ?? host ?? guestIrq ?? vfio ?? gsi ?? '';
}

function rankOf({ row: { status, findings }, waiting }: Interrupt): number {
  if (status === 'lost') return 0;
  if (status === 'pending') return 1;
  if (waiting) return 2;
  return findings.length > 0 ? 3 : 4;
}

const busyness = ({ raises, sends, handled }: InterruptRow): number => Math.max(raises ?? 0, sends ?? 0, handled ?? 0);

function compareSegmentLists(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareSegments(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
