// A snapshot that says another thing than what followed from the events until then: the change was not observed. It becomes an event of
// its own before that of the snapshot, so that both values stay in the history.
import type { ObjectId, SourceId, Step } from '../../base/ids.ts';
import { timeText } from '../../base/time.ts';
import { snapResync } from '../../model/events/snapshot/resync.ts';
import type { CellSpec, ObjectType } from '../../model/objects.ts';
import type { RegisterView } from '../../model/register.ts';
import { State } from '../../model/state.ts';
import { cpu, irq, vector } from '../../model/things/irq.ts';
import { bar, device, msi, msixCap } from '../../model/things/pci.ts';
import { irte, itsCollection, itsEvent } from '../../model/things/remap.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import { isAssertion } from '../../query/snapshot.ts';
import { keyValue, type Value, valueText } from '../../query/view.ts';
import { eventRow } from '../../trace/row.ts';
import { Source } from '../../trace/source.ts';
import { Trace } from '../../trace/trace.ts';

/** Keys that events tell, too: a snapshot that says something else contradicts them. Other keys only snapshots tell. */
const KEYS: ReadonlyMap<ObjectType | undefined, ReadonlySet<string>> = new Map<
  ObjectType | undefined,
  ReadonlySet<string>
>([
  [
    irq,
    new Set([
      ...[
        'name',
        'device',
        'hwirq',
        'domain',
        'lpi',
        'address',
        'data',
        'allocated',
        'activated',
        'reserved',
        'managed',
      ],
      ...['cpu', 'vector', 'prevCpu', 'prevVector', 'moving', 'masked', 'shutdown', 'disabled'],
    ]),
  ],
  [cpu, new Set(['online'])],
  [vector, new Set(['irq'])],
  [irte, new Set(['value'])],
  [itsEvent, new Set(['lpi', 'collection'])],
  [itsCollection, new Set(['target'])],
  [device, new Set(['command'])],
  [bar, new Set(['address'])],
  [msixCap, new Set(['control', 'table', 'pba'])],
  [msi, new Set(['control', 'address', 'data', 'mask'])],
]);

/** One value that a snapshot contradicts. */
interface Contradiction {
  readonly object: ObjectId;
  readonly key: string;
  readonly old: string;
  readonly now: string;
  /** When it was last told; null where that event has no time. */
  readonly since: string | null;
}

/** The trace with an event for each value that a snapshot contradicts; the same trace when there is none. */
export function resynchronised(trace: Trace): Trace {
  const found = contradictions(trace);
  if (found.size === 0) return trace;
  const sources = trace.sources.map((source, id) => withEvents(source, found, id, trace));
  const joined = new Trace(trace.world, sources[0]!);
  joined.join(...sources.slice(1));
  return joined;
}

/** What snapshots contradict, by the step of the event of the snapshot. */
function contradictions(trace: Trace): Map<Step, Contradiction[]> {
  const { world, table, log } = trace;
  const found = new Map<Step, Contradiction[]>();
  const told = new Int32Array(world.cells).fill(-1);
  const state = new State(world);
  const cursor = log.read(0, trace.length - 1);
  let more = cursor.next();
  for (let step = 0; step < trace.length; step++) {
    const isSnapshot = isAssertion(table.kind(step));
    /** What the keys held before the event. */
    const before = new Map<string, { object: ObjectId; spec: CellSpec; old: Value; since: Step }>();
    for (; more && cursor.step === step; more = cursor.next()) {
      const { cell } = cursor;
      if (isSnapshot && cursor.changes) {
        const object = world.objectOfCell(cell);
        const type = world.type(object)!;
        const spec = specAt(type, cell - world.base(object));
        const id = `${object} ${spec?.name}`;
        if (spec !== undefined && KEYS.get(type)?.has(spec.name) && !before.has(id) && !isStale(state, object, type)) {
          const old = keyValue(state, object, spec.name) ?? null;
          if (old !== null) before.set(id, { object, spec, old, since: told[cell]! });
        }
      }
      told[cell] = step;
      if (cursor.changes) state.restore(cell, cursor.value, cursor.known);
    }
    for (const { object, spec, old, since } of before.values()) {
      const differs = difference(old, keyValue(state, object, spec.name) ?? null);
      if (differs === undefined || (spec.name === 'name' && adds(differs.old, differs.now))) continue;
      const list = found.get(step) ?? [];
      found.set(step, list);
      const time = since < 0 ? null : timeText(table.time(since), trace.time);
      list.push({ object, key: spec.name, ...differs, since: time });
    }
  }
  return found;
}

/** Two values as texts where they differ; of registers the fields that do. What one of both does not know is no difference. */
function difference(old: Value, now: Value): { readonly old: string; readonly now: string } | undefined {
  if (old === null || now === null) return undefined;
  const [a, b] = [fieldsOf(old), fieldsOf(now)];
  if (a === undefined || b === undefined)
    return JSON.stringify(now) === JSON.stringify(old) ? undefined : { old: valueText(old), now: valueText(now) };
  const names = Object.keys(a).filter((name) => a[name] !== null && (b[name] ?? null) !== null && a[name] !== b[name]);
  if (names.length === 0) return undefined;
  const [was, is] = [valueText(old), valueText(now)];
  // A register of one or two fields (an address) says more as a whole.
  if (Object.keys(a).length <= 2 && was !== '?' && is !== '?') return { old: was, now: is };
  const text = (fields: Fields): string => names.map((name) => `${name}=${valueText(fields[name])}`).join(' ');
  return { old: text(a), now: text(b) };
}

type Fields = RegisterView['fields'];

/** The fields of a value that is a register. */
const fieldsOf = (value: Value): Fields | undefined =>
  typeof value === 'object' && value !== null && 'fields' in value ? (value.fields as Fields) : undefined;

/** The key that lies in a cell of an object. */
const specAt = (type: ObjectType, cell: number): CellSpec | undefined =>
  type.cells.find((spec) => cell >= type.at[spec.name]! && cell < type.at[spec.name]! + spec.words);

/** What is known to be outdated is no contradiction. */
const isStale = (state: State, object: ObjectId, type: ObjectType): boolean =>
  type === irte && state.flag(object, irte.at.stale) === true;

/** Whether a list of actions has all of an older one: events show the actions one by one. */
function adds(old: string, now: string): boolean {
  const names = now.split(', ');
  return old.split(', ').every((name) => names.includes(name));
}

/** A source with an event before each of its events that contradicts what was known. */
function withEvents(
  source: Source,
  found: ReadonlyMap<Step, readonly Contradiction[]>,
  id: SourceId,
  trace: Trace,
): Source {
  const steps = [...found.keys()].filter((step) => trace.sourceOf(step) === id);
  if (steps.length === 0) return source;
  const byRow = new Map(steps.map((step) => [trace.rowOf(step), found.get(step)!]));
  const { strings } = trace.world;
  const copy = new Source(source.facts, source.accounting);
  const row = eventRow(vocabulary[0]!);
  const told = eventRow(snapResync);
  for (let i = 0; i < source.events.length; i++) {
    source.events.read(i, row);
    for (const { object, key, old, now, since } of byRow.get(i) ?? []) {
      const event = snapResync.put().key(strings.intern(key)).old(strings.intern(old)).new(strings.intern(now));
      if (since !== null) event.since(strings.intern(since));
      told.words = snapResync.words;
      told.object = object;
      told.line = row.line;
      told.offset = row.offset;
      copy.events.push(told);
    }
    copy.events.push(row);
  }
  return copy;
}
