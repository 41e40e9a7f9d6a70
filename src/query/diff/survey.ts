import type { ObjectId, Step } from '../../base/ids.ts';
import { msgSend, tblBind } from '../../model/events/msix.ts';
import { irRemap } from '../../model/events/remap.ts';
import { kvmMsi } from '../../model/events/virt.ts';
import { entryOfIrq } from '../../model/joins.ts';
import type { ObjectType } from '../../model/objects.ts';
import { irqOfVector, linksOf } from '../../model/references.ts';
import { ENTRY_BYTES } from '../../model/registers/pci.ts';
import type { State } from '../../model/state.ts';
import { imsEntry } from '../../model/things/ims.ts';
import { irq, vector } from '../../model/things/irq.ts';
import { bar, mention, msi, msixCap, msixEntry, table } from '../../model/things/pci.ts';
import { ntbCopy } from '../../model/things/queue.ts';
import { amdIrte, irte, itsEvent, lpiConfig } from '../../model/things/remap.ts';
import { kvmEntrySource, kvmIrqfd, kvmRoute, vcpuVector, vfioVector } from '../../model/things/virt.ts';
import { translationOf } from '../../model/translation.ts';
import { argumentOf, type EventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';
import { type Observer, Walk } from '../../trace/walk.ts';
import { Carriers } from './carriers.ts';
import { lifeBegins, lifeEnds } from './lifetimes.ts';
import { nameThing } from './names.ts';
import { claims, countedBy, isGlobal, isNumber, spaceOfArgument } from './numbers.ts';
import { Selected } from './selected.ts';
import { ShownCounts } from './shown.ts';
import { type ThingId, Things } from './things.ts';

/** Types of the objects that make up one interrupt, from the entry that sends to the vector that is taken. */
const PARTS: ReadonlySet<ObjectType | undefined> = new Set<ObjectType | undefined>([
  msixEntry,
  msi,
  imsEntry,
  irq,
  irte,
  amdIrte,
  itsEvent,
  lpiConfig,
  kvmRoute,
  kvmIrqfd,
  kvmEntrySource,
  vfioVector,
  ntbCopy,
]);

/** Types whose declared references are all cheap to follow. */
const FOLLOWED: ReadonlySet<ObjectType> = new Set<ObjectType>([kvmRoute, kvmIrqfd, kvmEntrySource, vfioVector]);

/** Events of a first-16 signature. */
const SIGNED = 16;

/** Events of which no new link between objects comes: interrupts that are on their way. */
const TRAFFIC: ReadonlySet<string> = new Set(['raise', 'message', 'translate', 'deliver', 'handle', 'eoi', 'note']);

/** What a pass over a trace finds of its things, and the thing that each event is about. */
export interface Survey {
  readonly trace: Trace;
  readonly things: Things;
  /** The thing of each event. */
  readonly ofStep: Int32Array;
  /** What the records of the trace can show. */
  readonly shown: ShownCounts;
  /** The entries that messages on the bus select. */
  readonly selected: Selected;
}

/** Events between two slices of a survey. */
const SLICE = 1 << 15;

/** Offset of the data in an MSI-X or IMS entry. */
const DATA_AT = 8;

/**
 * Whether an event can complete the message of an entry. Software writes the address first: then the entry holds the data of
 * an older message.
 */
function completes(row: EventRow): boolean {
  const offset = argumentOf(row, 'offset');
  return offset === undefined || (offset % ENTRY_BYTES) + (argumentOf(row, 'size') ?? 0) > DATA_AT;
}

/** Surveys a trace in slices. */
export function* surveying(trace: Trace): Generator<void, Survey> {
  const surveyor = new Surveyor(trace);
  const walk = new Walk(trace, [surveyor]);
  while (walk.advance(SLICE)) yield;
  return surveyor;
}

class Surveyor implements Observer, Survey {
  readonly trace: Trace;
  readonly things: Things;
  readonly ofStep: Int32Array;
  readonly shown: ShownCounts;
  readonly selected: Selected;
  readonly #carriers = new Carriers();

  constructor(trace: Trace) {
    this.trace = trace;
    this.things = new Things(trace.world);
    this.ofStep = new Int32Array(trace.length);
    this.shown = new ShownCounts(trace.world);
    this.selected = new Selected(trace.world);
  }

  event(step: Step, row: EventRow, state: State): void {
    const { kind, object } = row;
    this.shown.event(row);
    const thing = this.#thingOf(step, row, state);
    this.ofStep[step] = thing;
    const about = this.things.all[thing]!;
    if (about.events === 0) about.firstKind = kind.number;
    if (about.events++ < SIGNED) about.signature = (Math.imul(about.signature, 31) + kind.number + 1) | 0;
    this.#arguments(step, row, thing);
    if (kind.role !== 'raise' || about.names.size === 0) nameThing(state, about, row);
    if (!TRAFFIC.has(kind.role)) this.#links(step, row, state, thing);
    if (kind === tblBind) this.#bound(step, row, object);
  }

  #thingOf(step: Step, row: EventRow, state: State): ThingId {
    const { things } = this;
    const { object, kind } = row;
    const type = state.world.type(object);
    if (type === vector) {
      const of = irqOfVector(state, object);
      return of >= 0 ? things.of(of, step) : things.fixed(object, step);
    }
    const slot = things.numbered(object);
    if (slot !== null) {
      let thing = things.of(object, step);
      const life = things.all[thing]!;
      if (lifeBegins(life, row, state)) thing = things.begin(thing, step);
      lifeEnds(things.all[thing]!, row);
      if (kind === irRemap) this.#carriers.remapped(irRemap.read(row.words, row.at).vector, thing);
      return thing;
    }
    const thing = things.fixed(object, step);
    if (type === vcpuVector) return this.#atVcpu(row, thing);
    if (kind === msgSend) {
      this.#carriers.sent(row, thing);
      const entry = type === mention ? this.selected.of(row) : -1;
      if (entry >= 0) return things.of(entry, step);
    }
    if (kind === kvmMsi) return this.#carriers.decoded(row) ?? thing;
    return thing;
  }

  /** The interrupt that an event about a vector of a virtual CPU belongs to. */
  #atVcpu(row: EventRow, own: ThingId): ThingId {
    const node = this.trace.world.node(row.object);
    return this.#carriers.atVcpu(row, Number(node?.parent?.parent?.segment), Number(node?.segment), own);
  }

  /** The things that arguments name by numbers belong to the interrupt of the event. */
  #arguments(step: Step, row: EventRow, thing: ThingId): void {
    const { kind, object } = row;
    for (const { name } of kind.args) {
      const what = countedBy(kind.name, name);
      if (what === undefined || isGlobal(row)) continue;
      const value = argumentOf(row, name);
      if (value === undefined || !isNumber(what, value)) continue;
      const path = this.trace.world.path(object);
      const { things } = this;
      const space = spaceOfArgument(what, path);
      let named = things.life(space, value, step);
      if (claims(kind.name)) {
        const owner = [path, argumentOf(row, 'index'), argumentOf(row, 'start')].join(' ').trimEnd();
        const before = things.all[named]!;
        if (before.owner !== '' && before.owner !== owner) named = things.begin(named, step);
        things.all[named]!.owner = owner;
        things.all[named]!.names.add(`${name} of ${owner}`);
      }
      if (PARTS.has(this.trace.world.type(object)) || things.all[thing]!.space !== undefined) things.link(thing, named);
    }
  }

  /** The objects that an object refers to, as far as they are parts of the same interrupt. */
  #links(step: Step, row: EventRow, state: State, thing: ThingId): void {
    const { things } = this;
    const { object } = row;
    const { world } = state;
    const type = world.type(object);
    if (type === undefined) return;
    const join = (other: ObjectId): void => {
      if (other >= 0 && PARTS.has(world.type(other))) things.link(thing, things.of(other, step));
    };
    if (FOLLOWED.has(type)) for (const { target } of linksOf(state, object)) join(target);
    if (type === irq) join(entryOfIrq(state, object));
    if (type === irq || type === msi || ((type === msixEntry || type === imsEntry) && completes(row))) {
      this.#translated(step, state, object, thing);
      if (type !== irq) this.#carriers.stored(state, object, type.at['address']!, type.at['data']!, thing);
    }
    if (type === kvmRoute) this.#carriers.stored(state, object, kvmRoute.at.address, kvmRoute.at.data, thing);
    if (type === bar || type === msixCap) {
      // What belongs to the function as a whole.
      const node = world.node(object);
      const owner = (type === bar ? node?.parent?.parent : node?.parent)?.object ?? -1;
      if (owner >= 0) things.link(thing, things.of(owner, step));
    }
  }

  /** The table entry that translates a message belongs to whose message it is, until another message leads there. */
  #translated(step: Step, state: State, object: ObjectId, thing: ThingId): void {
    const { things } = this;
    const { address, data } = state.world.type(object)!.at;
    const entry = translationOf(state, object, address!, data!);
    if (entry < 0) return;
    const path = state.world.path(object);
    const root = state.world.type(object) === irq ? entryOfIrq(state, object) : object;
    const owner = root >= 0 ? state.world.path(root) : path;
    let target = things.of(entry, step);
    const life = things.all[target]!;
    const others = life.owner !== '' && life.owner !== owner && root >= 0;
    if (life.space === undefined) {
      // An event of an ITS is what its path says: it stays with the entry whose message led there first.
      if (others) return;
      life.owner = owner;
    } else {
      if (others) target = things.begin(target, step);
      if (root >= 0) {
        things.all[target]!.owner = owner;
        things.all[target]!.names.add(`entry of ${owner}`);
      }
    }
    things.link(thing, target);
  }

  /** A table that was known by its address gets its function. */
  #bound(step: Step, row: EventRow, object: ObjectId): void {
    const { world } = this.trace;
    const { device, first } = tblBind.read(row.words, row.at);
    const { things } = this;
    const own = world.node(object);
    if (world.type(object) !== table || own === undefined) return;
    things.all[things.of(object, step)]!.names.add(`table of ${world.path(device)}`);
    for (const node of own.children.get('msix')?.children.values() ?? []) {
      if (node.object < 0) continue;
      const index = Number(node.segment) - first;
      const entry = world.node(device)?.children.get('msix')?.children.get(String(index))?.object ?? -1;
      const there = things.of(node.object, step);
      things.all[there]!.names.add(`entry ${index} of ${world.path(device)}`);
      if (entry < 0) continue;
      things.link(there, things.of(entry, step));
      things.turnsOut(node.object, entry);
    }
  }
}
