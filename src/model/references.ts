// References of whole objects: those that a message makes, and those that several cells make together. References of single
// cells are declared with the cells, in things/.

import type { ObjectId } from '../base/ids.ts';
import { apicIdIn, type Destinations, destinationsOf } from './apic-ids.ts';
import { cellTarget } from './cell-target.ts';
import {
  emulatedProcessor,
  entryOfIrq,
  entryOfRoute,
  guestEntryOfVfio,
  intidOfEvent,
  placeOfIrqfd,
  placeOfRoute,
  processorOf,
  processorOfEvent,
  vectorAt,
  vfioOfIrq,
} from './joins.ts';
import { decodersById } from './message.ts';
import type { Namespace } from './namespace.ts';
import type { ObjectType } from './objects.ts';
import { processorsOf } from './reference.ts';
import { amdIrte128 } from './registers/amd.ts';
import { vtdIrte } from './registers/vtd.ts';
import type { State } from './state.ts';
import { imsEntry } from './things/ims.ts';
import { irq, vector } from './things/irq.ts';
import { device, msi, msixEntry } from './things/pci.ts';
import { amdIrte, irte, itsEvent, remapUnit } from './things/remap.ts';
import { kvmGsi, kvmIrqfd, kvmRoute, vcpu, vfioVector } from './things/virt.ts';
import { irteDestination, messageKind } from './translate.ts';
import { translationOfMessage } from './translation.ts';

export { cellTarget } from './cell-target.ts';

/** A reference that an object makes as a whole. */
export interface ObjectReference {
  readonly name: string;
  readonly what: string;
  /** The object, or -1: unknown, none, or never named by the trace. */
  readonly find: (state: State, object: ObjectId) => ObjectId;
}

/** Where a reference leads, and under which name. */
export interface Link {
  /** The key of the cell, or the name of the reference. */
  readonly name: string;
  readonly what: string;
  readonly target: ObjectId;
}

/** The names of the system that an object belongs to. */
const namesOf = (state: State, object: ObjectId): Namespace => state.world.spaceOf(object);

/** Gives the destinations of the kernel of an object; who asks for many entries keeps them. */
export type DestinationsOf = (state: State, object: ObjectId) => Destinations;

/** The message of an object: the low and the high half of its address, and its data. */
export type MessageWords = readonly [lo: number, hi: number, data: number];

/** The vector of the processor that a destination names: a CPU of the kernel, or a virtual CPU in a log of the emulated machine. */
function vectorAtDestination(
  state: State,
  object: ObjectId,
  of: DestinationsOf,
  dest: number,
  logical: boolean,
  v: number,
): ObjectId {
  const n = of(state, object).cpuOf(dest, logical, undefined);
  if (n >= 0) return vectorAt(state, object, n, v);
  const apicId = apicIdIn(dest, logical, undefined);
  const processor = apicId < 0 ? undefined : state.world.node(emulatedProcessor(state, object, apicId));
  return processor?.children.get('vector')?.children.get(String(v))?.object ?? -1;
}

/** What a message of an object leads to under the state at hand: a table entry, an ITS event, an SPI, or a vector. */
function messageTarget(
  state: State,
  object: ObjectId,
  [lo, hi, word]: MessageWords,
  of: DestinationsOf = destinationsOf,
): ObjectId {
  if (lo < 0 || hi < 0 || word < 0) return -1;
  const message = decodersById[messageKind(state, object)].decode(lo, hi, word);
  if (message === undefined) return -1;
  switch (message.format) {
    case 'remappable':
    case 'irte-index':
    case 'event':
    case 'spi':
      return translationOfMessage(state, object, lo, hi, word);
    case 'compatibility':
    case 'x2apic':
      if (message.vector === null) return -1;
      return vectorAtDestination(
        state,
        object,
        of,
        message.destination!,
        message.fields['destMode'] === true,
        message.vector,
      );
    case 'none':
    case 'xen-pirq':
      return -1;
  }
}

const byMessage = (address: number, data: number): ObjectReference => ({
  name: 'message',
  what: 'what its message leads to',
  find: (state, object) =>
    messageTarget(state, object, [state.num(object, address), state.num(object, address + 1), state.num(object, data)]),
});

/**
 * The processor that a VT-d entry of the remapped kind names: a CPU of the kernel, or a virtual CPU in a log of the emulated machine.
 * A logical destination may name several: then none.
 */
function processorOfIrte(state: State, object: ObjectId, of: DestinationsOf): ObjectId {
  const { present, posted, destMode } = vtdIrte.f;
  const at = irte.at.value;
  if (present.flag(state, object, at) !== true || posted.flag(state, object, at) !== false) return -1;
  const logical = destMode.flag(state, object, at);
  const dest = irteDestination(state, object);
  if (logical === undefined || dest === null) return -1;
  const unit = state.world.node(object)?.parent?.object ?? -1;
  const x2apic = unit < 0 ? undefined : state.flag(unit, remapUnit.at.eim);
  const n = of(state, object).cpuOf(dest, logical, x2apic);
  if (n >= 0) return namesOf(state, object).objectAt(`${processorsOf(state.world, object)}/${n}`);
  const apicId = apicIdIn(dest, logical, x2apic);
  return apicId < 0 ? -1 : emulatedProcessor(state, object, apicId);
}

/** The processor that an entry of 128 bits of an AMD unit names, as `processorOfIrte`. Its unit does not tell the mode of the local APICs. */
function processorOfAmd(state: State, entry: ObjectId, of: DestinationsOf): ObjectId {
  const { present, destMode, dest } = amdIrte128.f;
  const at = amdIrte.at.value;
  // The layout of 32-bit entries is another one.
  if (state.flag(entry, amdIrte.at.ga) !== true || present.flag(state, entry, at) !== true) return -1;
  const logical = destMode.flag(state, entry, at);
  const target = dest.get(state, entry, at);
  if (logical === undefined || target < 0) return -1;
  const n = of(state, entry).cpuOf(target, logical, undefined);
  if (n >= 0) return namesOf(state, entry).objectAt(`${processorsOf(state.world, entry)}/${n}`);
  const apicId = apicIdIn(target, logical, undefined);
  return apicId < 0 ? -1 : emulatedProcessor(state, entry, apicId);
}

/** The processor that a translation table entry names; -1 unknown. */
export function processorOfEntry(state: State, entry: ObjectId, of: DestinationsOf = destinationsOf): ObjectId {
  const type = state.world.type(entry);
  if (type === irte) return processorOfIrte(state, entry, of);
  if (type === amdIrte) return processorOfAmd(state, entry, of);
  return type === itsEvent ? processorOfEvent(state, entry) : -1;
}

/** Where a translation table entry delivers to: the vector or LPI of a processor, or a virtual LPI of a virtual CPU; -1 unknown. */
export function placeOfEntry(state: State, entry: ObjectId, of: DestinationsOf = destinationsOf): ObjectId {
  const type = state.world.type(entry);
  const [kind, number] =
    type === itsEvent
      ? ['intid', intidOfEvent(state, entry)]
      : [
          'vector',
          (type === amdIrte ? amdIrte128 : vtdIrte).f.vector.get(
            state,
            entry,
            type === amdIrte ? amdIrte.at.value : irte.at.value,
          ),
        ];
  const processor = number < 0 ? undefined : state.world.node(processorOfEntry(state, entry, of));
  return processor?.children.get(kind)?.children.get(String(number))?.object ?? -1;
}

/** What KVM holds under the same GSI: `route` or `irqfd`. */
const sameGsi =
  (kind: 'route' | 'irqfd') =>
  (state: State, object: ObjectId): ObjectId => {
    const node = state.world.node(object);
    return node?.parent?.parent?.children.get(kind)?.children.get(node.segment)?.object ?? -1;
  };

const ofObjects: ReadonlyMap<ObjectType, readonly ObjectReference[]> = new Map<ObjectType, readonly ObjectReference[]>([
  [msixEntry, [byMessage(msixEntry.at.address, msixEntry.at.data)]],
  [msi, [byMessage(msi.at.address, msi.at.data)]],
  [imsEntry, [byMessage(imsEntry.at.address, imsEntry.at.data)]],
  [
    irq,
    [
      { name: 'entry', what: 'the entry of the function that raises it', find: entryOfIrq },
      { name: 'vfio', what: 'the vector of an assigned device that it signals', find: vfioOfIrq },
      {
        name: 'place',
        what: 'the vector that it is assigned to',
        find: (state, object) =>
          vectorAt(state, object, state.num(object, irq.at.cpu), state.num(object, irq.at.vector)),
      },
      {
        name: 'previous',
        what: 'the vector that it had before the last move',
        // The kernel prints prev_vector 0 when there is none.
        find: (state, object) =>
          vectorAt(state, object, state.num(object, irq.at.prevCpu), state.num(object, irq.at.prevVector)),
      },
      byMessage(irq.at.address, irq.at.data),
    ],
  ],
  [irte, [{ name: 'target', what: 'the vector that it delivers to', find: (s, o) => placeOfEntry(s, o) }]],
  [amdIrte, [{ name: 'target', what: 'the vector that it delivers to', find: (s, o) => placeOfEntry(s, o) }]],
  [itsEvent, [{ name: 'target', what: 'its LPI at the processor that gets it', find: (s, o) => placeOfEntry(s, o) }]],
  [vfioVector, [{ name: 'guest', what: 'its entry as the guest sees it', find: guestEntryOfVfio }]],
  [
    kvmRoute,
    [
      { name: 'source', what: 'the entry whose message it carries', find: entryOfRoute },
      { name: 'target', what: 'the vector of the virtual CPU that it sends', find: placeOfRoute },
    ],
  ],
  [
    kvmIrqfd,
    [
      { name: 'route', what: 'the route of the same GSI', find: sameGsi('route') },
      { name: 'target', what: 'the vector of the virtual CPU that it is posted to', find: placeOfIrqfd },
    ],
  ],
  [kvmGsi, [{ name: 'route', what: 'the route of the same GSI', find: sameGsi('route') }]],
  [vcpu, [{ name: 'cpu', what: 'the same processor, as the kernel inside sees it', find: processorOf }]],
]);

/** Whether any object of a type can have references. */
export const hasReferences = (type: ObjectType): boolean =>
  ofObjects.has(type) || type.cells.some((cell) => cell.ref !== undefined);

const NONE: ReadonlySet<string> = new Set();

/** Where the references of an object lead in a state; references that lead nowhere, and those named in `skip`, are left out. */
export function linksOf(state: State, object: ObjectId, skip: ReadonlySet<string> = NONE): Link[] {
  const type = state.world.type(object);
  const links: Link[] = [];
  if (type === undefined || !state.present(object)) return links;
  for (const cell of type.cells) {
    if (cell.ref === undefined || skip.has(cell.name)) continue;
    const target = cellTarget(state, object, type, cell.name);
    if (target >= 0) links.push({ name: cell.name, what: cell.ref.what, target });
  }
  for (const { name, what, find } of ofObjects.get(type) ?? []) {
    if (skip.has(name)) continue;
    const target = find(state, object);
    if (target >= 0) links.push({ name, what, target });
  }
  return links;
}

/**
 * What a message of an entry leads to: a table entry, an ITS event, an SPI, a vector; -1 when that is not known. `sent`: the message that
 * the entry sent; those of the vectors of an MSI function differ from the one that it holds.
 */
export function messageOf(state: State, object: ObjectId, sent: MessageWords, of?: DestinationsOf): ObjectId {
  const type = state.world.type(object);
  const isEntry = type === msixEntry || type === msi || type === imsEntry;
  // A frame of a GICv2m does not look who writes: a message that is of no entry raises its SPI, too.
  return isEntry || (type === device && messageKind(state, object) === 'gicv2m')
    ? messageTarget(state, object, sent, of)
    : -1;
}

/** The vector that a remapping table entry delivers to, or -1: unknown, posted, or not present. */
export const vectorOfIrte = (state: State, object: ObjectId): ObjectId =>
  state.world.type(object) === irte ? placeOfEntry(state, object) : -1;

/**
 * The entry whose interrupt an irqfd injects or a vector of VFIO signals: the one that its route was made from. -1: unknown.
 */
export function entryBehind(state: State, object: ObjectId): ObjectId {
  const type = state.world.type(object);
  if (type === kvmIrqfd) return entryOfRoute(state, sameGsi('route')(state, object));
  if (type !== vfioVector) return -1;
  const entry = cellTarget(state, object, vfioVector, 'entry');
  return entry >= 0 ? entry : entryOfRoute(state, cellTarget(state, object, vfioVector, 'virq'));
}

/** The vector of an MSI function that an irqfd injects or a vector of VFIO signals; -1: unknown. */
export function vectorBehind(state: State, object: ObjectId): number {
  const type = state.world.type(object);
  if (type === vfioVector) return Number(state.world.node(object)?.segment ?? -1);
  return type === kvmIrqfd ? state.num(sameGsi('route')(state, object), kvmRoute.at.vector) : -1;
}

/** The vector at which an irq reaches a CPU: that of its place, or the previous one while it moves; -1 when the trace shows neither there. */
export function vectorOfIrq(state: State, object: ObjectId, n: number): ObjectId {
  const { cpu, vector: v, prevCpu, prevVector } = irq.at;
  if (state.num(object, cpu) === n) return vectorAt(state, object, n, state.num(object, v));
  return state.num(object, prevCpu) === n ? vectorAt(state, object, n, state.num(object, prevVector)) : -1;
}

/** The irq that a vector is assigned to, or -1. */
export const irqOfVector = (state: State, object: ObjectId): ObjectId => cellTarget(state, object, vector, 'irq');
