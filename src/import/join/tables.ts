// MSI-X tables of which only the address is known: the dump of a function in another source (lspci, config space) tells whose BAR holds
// it. From the moment on at which both are known, the entries are those of the function.
import type { ObjectId, SourceId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { tableSize, tblBind, tblSeen } from '../../model/events/msix.ts';
import { snapBar, snapConfig, snapMsix } from '../../model/events/snapshot/function.ts';
import { ENTRY_BYTES, MSIX_ENTRIES, msixTable, offsetBytes } from '../../model/registers/pci.ts';
import type { State } from '../../model/state.ts';
import { bar, device, msixCap, msixEntry, table } from '../../model/things/pci.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import type { World } from '../../model/world.ts';
import { type EventRow, eventRow, MOST_WORDS } from '../../trace/row.ts';
import { Source } from '../../trace/source.ts';
import { Trace } from '../../trace/trace.ts';

/** Events behind which a BAR or a table may be known that was not before. */
const TELLS: ReadonlySet<EventKind> = new Set<EventKind>([snapBar, snapMsix, snapConfig]);
const TWO32 = 0x100000000;
const PAGE = 4096;

/** Where a table belongs: its function, and which of its entries (by number from its page on) is the first of the table. */
interface Place {
  readonly device: ObjectId;
  readonly first: number;
}

/** A table whose function became known behind an event. */
interface Bound extends Place {
  readonly table: ObjectId;
  readonly step: Step;
}

/** The trace with the entries of such tables moved to their functions; the same trace where nothing tells of one. */
export function withBoundTables(trace: Trace): Trace {
  const bound = boundTables(trace);
  if (bound.length === 0) return trace;
  const sources = trace.sources.map((source, id) => rewritten(source, id, trace, bound));
  const joined = new Trace(trace.world, sources[0]!);
  joined.join(...sources.slice(1));
  return joined;
}

/** Finds the tables whose function becomes known, with the event behind which both are. */
function boundTables(trace: Trace): Bound[] {
  const { table: events } = trace;
  const bound: Bound[] = [];
  /** Tables that were seen, and whose function is not known. */
  const open = new Set<ObjectId>();
  if (!tells(trace)) return bound;
  /** The function whose dump is at hand, once it told of a BAR or a table; what tells where the table starts may stand at its end. */
  let told: ObjectId = -1;
  for (let step = 0; step < trace.length; step++) {
    const kind = events.kind(step);
    const about = events.object(step);
    const seen = kind === tblSeen && trace.world.type(about) === table;
    if (kind === tblBind) open.delete(about);
    if (seen) open.add(about);
    if (TELLS.has(kind)) told = about;
    const ends = about === told && (step + 1 === trace.length || events.object(step + 1) !== about);
    if (ends) told = -1;
    if (open.size === 0 || !(seen || ends)) continue;
    const state = trace.stateAt(step);
    for (const object of seen ? [about] : [...open]) {
      const place = placeOf(state, object);
      if (place === undefined) continue;
      open.delete(object);
      bound.push({ ...place, table: object, step });
    }
  }
  return bound;
}

/** Whether a trace holds what tells of BARs at all. */
function tells({ table: events, length }: Trace): boolean {
  for (let step = 0; step < length; step++) if (TELLS.has(events.kind(step))) return true;
  return false;
}

/** Two cells as a number; -1 while one is not known. */
function wide(state: State, object: ObjectId, cell: number): number {
  const [lo, hi] = [state.num(object, cell), state.num(object, cell + 1)];
  return lo < 0 || hi < 0 ? -1 : hi * TWO32 + lo;
}

/** The only function of the system of a table whose BAR holds it; undefined where none or several do. */
function placeOf(state: State, object: ObjectId): Place | undefined {
  const { world } = state;
  const page = wide(state, object, table.at.address);
  if (page < 0) return undefined;
  const space = world.spaceOf(object);
  const functions = space.find('device')?.children.values() ?? [];
  let found: Place | undefined;
  for (const { object: dev } of functions) {
    if (dev < 0 || world.type(dev) !== device || !state.present(dev)) continue;
    const first = firstIn(state, dev, page);
    if (first === undefined) continue;
    if (found !== undefined) return undefined;
    found = { device: dev, first };
  }
  return found;
}

/** Which entry of the table at a page is the first of a function's table; undefined when that lies elsewhere. */
function firstIn(state: State, dev: ObjectId, page: number): number | undefined {
  const children = state.world.node(dev)?.children;
  const cap = children?.get('msixcap')?.object ?? -1;
  const word = cap < 0 ? -1 : state.num(cap, msixCap.at.table);
  for (const { object, segment } of children?.get('bar')?.children.values() ?? []) {
    if (state.world.type(object) !== bar || !state.present(object) || state.flag(object, bar.at.io) === true) continue;
    const base = wide(state, object, bar.at.address);
    if (base <= 0) continue;
    const size = wide(state, object, bar.at.size);
    if (word < 0) {
      // Where the table starts is not told: the only page of it that was accessed is taken for its beginning.
      if (size > 0 && page >= base && page < base + size && tablesIn(state, dev, base, size) === 1) return 0;
      continue;
    }
    if (Number(segment) !== msixTable.f.bir.of(word)) continue;
    const start = base + offsetBytes(word);
    const entries = tableSize(state, dev);
    const end = start + (entries > 0 ? entries : MSIX_ENTRIES) * ENTRY_BYTES;
    // A table may start at half an entry (PCIe 7.7.2.3): its accesses were taken for those of other fields, and stay where they are.
    if (page + PAGE > start && page < end && (start - page) % ENTRY_BYTES === 0) return (start - page) / ENTRY_BYTES;
  }
  return undefined;
}

/** How many tables that are known by their address lie in a region. */
function tablesIn(state: State, dev: ObjectId, base: number, size: number): number {
  let count = 0;
  for (const { object } of state.world.spaceOf(dev).find('table')?.children.values() ?? []) {
    const page = state.world.type(object) === table ? wide(state, object, table.at.address) : -1;
    if (page >= base && page < base + size) count++;
  }
  return count;
}

/** A source whose events name the entries of functions instead of those of their tables, once it is known whose they are. */
function rewritten(source: Source, id: SourceId, trace: Trace, bound: readonly Bound[]): Source {
  const { world } = trace;
  const moved = new Map<ObjectId, Bound>();
  for (const one of bound)
    for (const { object } of world.node(one.table)?.children.get('msix')?.children.values() ?? [])
      if (object >= 0) moved.set(object, one);
  const at = new Map<Step, Bound[]>();
  for (const one of bound) at.set(one.step, [...(at.get(one.step) ?? []), one]);
  const copy = new Source(source.facts, source.accounting);
  const row = eventRow(vocabulary[0]!);
  const told = eventRow(tblBind);
  const words = new Uint32Array(MOST_WORDS);
  const objects = vocabulary.map(({ args }) => args.filter(({ type }) => type === 'o'));
  for (let i = 0; i < source.events.length; i++) {
    source.events.read(i, row);
    const step = trace.stepOf(id, i);
    const here = at.get(step) ?? [];
    if (row.kind === tblSeen && here.length > 0) {
      // The table is seen for the first time, and known: it never stands under its address.
      copy.events.push(bindRow(told, row, here[0]!));
      continue;
    }
    const rename = (object: ObjectId): ObjectId => {
      const one = moved.get(object);
      return one === undefined || step <= one.step ? object : entryOf(world, object, one);
    };
    row.object = rename(row.object);
    const named = objects[row.kind.number]!;
    if (named.length > 0) {
      for (let word = 0; word < row.kind.size; word++) words[word] = row.words[row.at + word]!;
      for (const { at: word, bit } of named)
        if (bit === 0 || (words[0]! & bit) !== 0) words[word] = rename(words[word]!);
      row.words = words;
      row.at = 0;
    }
    copy.events.push(row);
    for (const one of here) copy.events.push(bindRow(told, row, one));
  }
  return copy;
}

/** The entry of a function that an entry of its table is; one that lies in front of the table stays. */
function entryOf(world: World, object: ObjectId, { device: dev, first }: Bound): ObjectId {
  const index = Number(world.node(object)!.segment) - first;
  return index >= 0 && index < MSIX_ENTRIES ? world.child(msixEntry, dev, 'msix', index) : object;
}

/** The event that says whose a table is, beside another event. */
function bindRow(told: EventRow, { time, cpu, line, offset }: EventRow, one: Bound): EventRow {
  tblBind.put().device(one.device).first(one.first);
  return Object.assign(told, {
    kind: tblBind,
    words: tblBind.words,
    at: 0,
    time,
    cpu,
    line,
    offset,
    object: one.table,
  });
}
