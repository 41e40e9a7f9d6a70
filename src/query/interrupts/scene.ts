import type { ObjectId } from '../../base/ids.ts';
import type { Slices } from '../../base/slices.ts';
import { type Destinations, destinationsOf } from '../../model/apic-ids.ts';
import { isOutdated } from '../../model/events/remap.ts';
import type { MessageKind } from '../../model/message.ts';
import type { Namespace } from '../../model/namespace.ts';
import type { ObjectType } from '../../model/objects.ts';
import { processorsOf } from '../../model/reference.ts';
import {
  cellTarget,
  type DestinationsOf,
  type MessageWords,
  messageOf,
  placeOfEntry,
  processorOfEntry,
} from '../../model/references.ts';
import { firstLpi } from '../../model/registers/its.ts';
import type { State } from '../../model/state.ts';
import { imsEntry } from '../../model/things/ims.ts';
import { intid, irq, vector } from '../../model/things/irq.ts';
import { msi, msixEntry } from '../../model/things/pci.ts';
import { itsEvent } from '../../model/things/remap.ts';
import { imsicId } from '../../model/things/riscv.ts';
import { kvmEntrySource, kvmGsi, kvmIrqfd, kvmRoute, vcpuVector, vfioVector } from '../../model/things/virt.ts';
import { messageKind } from '../../model/translate.ts';
import { irteOfIrq, translationOf } from '../../model/translation.ts';
import { Groups } from './groups.ts';

/** The parts of interrupts that are present in a state, by kind, and what is found of them once. */
export interface Scene {
  readonly state: State;
  readonly groups: Groups;
  /** MSI-X and IMS entries, and MSI capabilities. */
  readonly entries: readonly ObjectId[];
  readonly irqs: readonly ObjectId[];
  readonly vfios: readonly ObjectId[];
  readonly routes: readonly ObjectId[];
  readonly irqfds: readonly ObjectId[];
  readonly lines: readonly ObjectId[];
  /** Entries of MSI-X tables that KVM serves. */
  readonly served: readonly ObjectId[];
  /** Whether an irq was given back: what is known of it may be true of another one by now. */
  isFreed(irq: ObjectId): boolean;
  /** Whether an object belongs to the kernel of a guest. */
  ofGuest(object: ObjectId): boolean;
  /** The translation table entry, or the SPI, that the message of an entry or irq selects; -1 none. */
  translation(object: ObjectId): ObjectId;
  /** The vector of a processor that the message of an entry holds itself; -1 for a message that selects a table entry. */
  direct(entry: ObjectId): ObjectId;
  /** The message of an entry or irq, as a key; the empty text for none. */
  message(object: ObjectId): string;
  /** Where a translation table entry delivers to: a vector or LPI of a processor; -1 unknown. */
  place(translation: ObjectId): ObjectId;
  /** Where an entry delivered to, of which the unit will read the table again: what was sent before may be there; -1 none. */
  placeBefore(translation: ObjectId): ObjectId;
  /** The identities of an irq at interrupt files of harts (IMSIC): while it moves, it has more than one. */
  identities(irq: ObjectId): readonly ObjectId[];
  /** The processor that a translation table entry names; -1 unknown. */
  processor(translation: ObjectId): ObjectId;
  /** The LPI of an event at every processor of its system at which the trace shows it: it is moved from one to another. */
  lpis(event: ObjectId): readonly ObjectId[];
}

/** Objects that are looked at in one slice. */
const OBJECTS = 8192;

type Lists = Record<'entries' | 'irqs' | 'vfios' | 'routes' | 'irqfds' | 'lines' | 'served', ObjectId[]>;

const listOf: ReadonlyMap<ObjectType, keyof Lists> = new Map<ObjectType, keyof Lists>([
  [msixEntry, 'entries'],
  [msi, 'entries'],
  [imsEntry, 'entries'],
  [irq, 'irqs'],
  [vfioVector, 'vfios'],
  [kvmRoute, 'routes'],
  [kvmIrqfd, 'irqfds'],
  [kvmGsi, 'lines'],
  [kvmEntrySource, 'served'],
]);

/** Where an entry or irq holds its message. */
const messageCells: ReadonlyMap<ObjectType, { readonly address: number; readonly data: number }> = new Map<
  ObjectType,
  { readonly address: number; readonly data: number }
>([
  [msixEntry, msixEntry.at],
  [msi, msi.at],
  [imsEntry, imsEntry.at],
  [irq, irq.at],
]);

/** Finds the parts of interrupts that are present in a state, in slices. */
export function* sceneOf(state: State): Slices<Scene> {
  const { world } = state;
  const identities = new Map<ObjectId, ObjectId[]>();
  const lists: Lists = { entries: [], irqs: [], vfios: [], routes: [], irqfds: [], lines: [], served: [] };
  for (let object = 0; object < world.objects; object++) {
    const list = listOf.get(world.type(object)!);
    if (list !== undefined && state.present(object)) lists[list].push(object);
    if (world.type(object) === imsicId) {
      const owner = cellTarget(state, object, imsicId, 'irq');
      if (owner >= 0) identities.set(owner, [...(identities.get(owner) ?? []), object]);
    }
    if (object % OBJECTS === OBJECTS - 1) yield;
  }
  const { host } = world;
  const isFreed = (object: ObjectId): boolean => state.flag(object, irq.at.allocated) === false;
  // An irq that was given back joins only what no other irq claims.
  lists.irqs.sort((a, b) => Number(isFreed(a)) - Number(isFreed(b)));
  const kinds = new Map<Namespace, MessageKind>();
  const translations = new Map<ObjectId, ObjectId>();
  const kernels = new Map<Namespace, Destinations>();
  let places: ReadonlyMap<string, readonly ObjectId[]> | undefined;
  /** Entries of remapping tables belong to the kernel of the system. */
  const destinations: DestinationsOf = (_state, entry) => {
    if (processorsOf(world, entry) === 'vcpu') return destinationsOf(state, entry);
    const space = world.spaceOf(entry);
    let known = kernels.get(space);
    if (known === undefined) kernels.set(space, (known = destinationsOf(state, entry)));
    return known;
  };
  const placeOf = (translation: ObjectId): ObjectId => {
    const found = placeOfEntry(state, translation, destinations);
    return state.present(found) ? found : -1;
  };
  return {
    ...lists,
    state,
    groups: new Groups(),
    isFreed,
    ofGuest: (object) => {
      const node = world.node(object)!;
      return node.space !== host || node.path.startsWith(`${host.prefix}guest/`);
    },
    translation: (object) => {
      const known = translations.get(object);
      if (known !== undefined) return known;
      const space = world.spaceOf(object);
      let kind = kinds.get(space);
      if (kind === undefined) kinds.set(space, (kind = messageKind(state, object)));
      const cells = messageCells.get(world.type(object)!);
      const message = cells === undefined ? -1 : translationOf(state, object, cells.address, cells.data, kind);
      const found = message < 0 && world.type(object) === irq ? irteOfIrq(state, object) : message;
      const there = state.present(found) ? found : -1;
      translations.set(object, there);
      return there;
    },
    place: (translation) => (isOutdated(state, translation) ? -1 : placeOf(translation)),
    placeBefore: (translation) => (isOutdated(state, translation) ? placeOf(translation) : -1),
    direct: (entry) => {
      const found = messageOf(state, entry, messageIn(state, entry), destinations);
      const type = world.type(found);
      return (type === vector || type === vcpuVector) && state.present(found) ? found : -1;
    },
    lpis: (event) => {
      places ??= lpiPlaces(state);
      return places.get(lpiKey(state, event, state.num(event, itsEvent.at.lpi))) ?? [];
    },
    identities: (object) => identities.get(object) ?? [],
    processor: (translation) => {
      if (isOutdated(state, translation)) return -1;
      const found = processorOfEntry(state, translation, destinations);
      return state.present(found) ? found : -1;
    },
    message: (object) => {
      const [lo, hi, word] = messageIn(state, object);
      if (lo < 0 || hi < 0 || word < 0 || (lo === 0 && hi === 0)) return '';
      return `${world.spaceOf(object).prefix}${hi} ${lo} ${word}`;
    },
  };
}

/** The message that an entry or irq holds. */
function messageIn(state: State, object: ObjectId): MessageWords {
  const { address, data } = messageCells.get(state.world.type(object)!)!;
  return [state.num(object, address), state.num(object, address + 1), state.num(object, data)];
}

/** An LPI of the system that an object belongs to. */
export const lpiKey = ({ world }: State, object: ObjectId, lpi: number): string =>
  `${world.spaceOf(object).prefix}${lpi}`;

/** The objects `…/intid/<LPI>` of all processors, by system and LPI. */
function lpiPlaces(state: State): Map<string, ObjectId[]> {
  const { world } = state;
  const found = new Map<string, ObjectId[]>();
  for (let object = 0; object < world.objects; object++) {
    const type = world.type(object);
    if ((type !== intid && type !== vcpuVector) || !state.present(object)) continue;
    const { segment, parent } = world.node(object)!;
    const lpi = Number(segment);
    if (parent?.segment !== 'intid' || lpi < firstLpi) continue;
    const key = lpiKey(state, object, lpi);
    const list = found.get(key);
    if (list) list.push(object);
    else found.set(key, [object]);
  }
  return found;
}
