// References of whole objects: those that a message makes, and those that several cells make together. References of single
// cells are declared with the cells, in things/.

import type { ObjectId } from '../base/ids.ts';
import { requesterIn } from './bdf.ts';
import { decodersById } from './message.ts';
import type { Namespace } from './namespace.ts';
import type { ObjectType } from './objects.ts';
import { processorsOf } from './reference.ts';
import { vtdIrte } from './registers/vtd.ts';
import type { State } from './state.ts';
import { imsEntry } from './things/ims.ts';
import { irq, vector } from './things/irq.ts';
import { msi, msixEntry } from './things/pci.ts';
import { irte } from './things/remap.ts';
import { kvmIrqfd, kvmRoute, vcpu, vfioVector } from './things/virt.ts';
import { irteDestination, messageKind } from './translate.ts';

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

/**
 * The number of the CPU with an APIC id, as some irq shows it that was configured for both (vector_config); -1 while none
 * does. The two are different numbers: the kernel counts CPUs, the firmware gives APIC ids.
 */
function cpuWithApicId(state: State, object: ObjectId, apicId: number): number {
  // Irqs of a guest's kernel are not listed beside those of the host.
  if (processorsOf(state.world, object) === 'vcpu') return -1;
  for (const { object: other } of namesOf(state, object).find('irq')?.children.values() ?? [])
    if (state.present(other) && state.num(other, irq.at.apicDest) === apicId) return state.num(other, irq.at.cpu);
  return -1;
}

/** The vector of a CPU. */
const vectorAt = (state: State, object: ObjectId, cpu: number, v: number): ObjectId =>
  cpu < 0 || v <= 0 ? -1 : namesOf(state, object).objectAt(`${processorsOf(state.world, object)}/${cpu}/vector/${v}`);

/** The requester ID of the function that an object belongs to, or -1. */
function requesterOf(state: State, object: ObjectId): number {
  for (let node = state.world.node(object); node; node = node.parent) {
    const requester = requesterIn(node.segment);
    if (requester >= 0) return requester;
  }
  return -1;
}

/** The only remapping unit whose entry with that index is present, or the only one that has such an entry at all. */
function irteAt(state: State, object: ObjectId, index: number): ObjectId {
  const units = namesOf(state, object).find('irte')?.children.values() ?? [];
  const entries = [...units]
    .filter((unit) => !unit.segment.startsWith('amdvi-'))
    .map((unit) => unit.children.get(String(index))?.object ?? -1)
    .filter((entry) => entry >= 0);
  const present = entries.filter((entry) => state.present(entry));
  return present.length === 1 ? present[0]! : entries.length === 1 ? entries[0]! : -1;
}

/** What a message leads to under the state at hand: a table entry, an ITS event, an SPI, or a vector. */
function messageTarget(state: State, object: ObjectId, address: number, data: number): ObjectId {
  const lo = state.num(object, address);
  const hi = state.num(object, address + 1);
  const word = state.num(object, data);
  if (lo < 0 || hi < 0 || word < 0) return -1;
  const message = decodersById[messageKind(state, object)].decode(lo, hi, word);
  if (message === undefined) return -1;
  const names = namesOf(state, object);
  const requester = requesterOf(state, object);
  switch (message.format) {
    case 'remappable':
      return irteAt(state, object, message.index!);
    case 'irte-index':
      return requester < 0 ? -1 : names.objectAt(`irte/amdvi-0x${requester.toString(16)}/${message.index}`);
    case 'event':
      return requester < 0 ? -1 : names.objectAt(`its/0/device/0x${requester.toString(16)}/event/${message.index}`);
    case 'spi':
      return names.objectAt(`gic/0/spi/${message.index}`);
    case 'compatibility':
    case 'x2apic':
      return message.fields['destMode'] === false
        ? vectorAt(state, object, cpuWithApicId(state, object, message.destination!), message.vector!)
        : -1;
    case 'none':
    case 'xen-pirq':
      return -1;
  }
}

const byMessage = (address: number, data: number): ObjectReference => ({
  name: 'message',
  what: 'what its message leads to',
  find: (state, object) => messageTarget(state, object, address, data),
});

/**
 * The MSI-X entry that an irq is for: hwirq is the table index where the domain is one of PCI/MSI-X. Kernels name such domains
 * with MSI-X or MSIX in them; an irq whose domain is known and named otherwise (MSI, IMS) has none.
 */
function entryOfIrq(state: State, object: ObjectId): ObjectId {
  const dev = state.num(object, irq.at.device);
  const index = state.num(object, irq.at.hwirq);
  const domain = state.num(object, irq.at.domain);
  if (dev < 0 || index < 0) return -1;
  if (domain >= 0 && !/msi-?x/i.test(state.world.strings.text(domain))) return -1;
  return namesOf(state, object).objectAt(`device/${state.world.strings.text(dev)}/msix/${index}`);
}

/** The vector that a VT-d entry of the remapped kind delivers to. */
function targetOfIrte(state: State, object: ObjectId): ObjectId {
  const { present, posted, destMode, vector: field } = vtdIrte.f;
  const at = irte.at.value;
  if (present.flag(state, object, at) !== true || posted.flag(state, object, at) !== false) return -1;
  // A logical destination names a set of CPUs.
  if (destMode.flag(state, object, at) !== false) return -1;
  const dest = irteDestination(state, object);
  if (dest === null) return -1;
  return vectorAt(state, object, cpuWithApicId(state, object, dest), field.get(state, object, at));
}

/** The processor that the kernel inside sees, for a virtual CPU of the host: the only other system has one of that number. */
function processorOf(state: State, object: ObjectId): ObjectId {
  const { world } = state;
  const own = namesOf(state, object);
  const number = world.node(object)?.segment ?? '';
  const others = world.spaces().filter((space) => space !== own);
  return others.length === 1 ? others[0]!.objectAt(`cpu/${number}`) : -1;
}

const ofObjects: ReadonlyMap<ObjectType, readonly ObjectReference[]> = new Map<ObjectType, readonly ObjectReference[]>([
  [msixEntry, [byMessage(msixEntry.at.address, msixEntry.at.data)]],
  [msi, [byMessage(msi.at.address, msi.at.data)]],
  [imsEntry, [byMessage(imsEntry.at.address, imsEntry.at.data)]],
  [
    irq,
    [
      { name: 'entry', what: 'the entry of the function that raises it', find: entryOfIrq },
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
  [irte, [{ name: 'target', what: 'the vector that it delivers to', find: targetOfIrte }]],
  [
    kvmIrqfd,
    [
      {
        name: 'route',
        what: 'the route of the same GSI',
        find: (state, object) => {
          const node = state.world.node(object);
          return node?.parent?.parent?.children.get('route')?.children.get(node.segment)?.object ?? -1;
        },
      },
    ],
  ],
  [vcpu, [{ name: 'cpu', what: 'the same processor, as the kernel inside sees it', find: processorOf }]],
]);

/** Where the references of an object lead in a state; references that lead nowhere are left out. */
export function linksOf(state: State, object: ObjectId): Link[] {
  const type = state.world.type(object);
  const links: Link[] = [];
  if (type === undefined || !state.present(object)) return links;
  for (const cell of type.cells) {
    if (cell.ref === undefined) continue;
    const target = cellTarget(state, object, type, cell.name);
    if (target >= 0) links.push({ name: cell.name, what: cell.ref.what, target });
  }
  for (const { name, what, find } of ofObjects.get(type) ?? []) {
    const target = find(state, object);
    if (target >= 0) links.push({ name, what, target });
  }
  return links;
}

/** The object that a cell with a reference names; -1 for none. */
export function cellTarget(state: State, object: ObjectId, type: ObjectType, key: string): ObjectId {
  const cell = type.cells.find((c) => c.name === key);
  const value = cell?.ref ? state.num(object, type.at[key]!) : -1;
  return value < 0 ? -1 : (cell?.ref?.find(state.world, object, value) ?? -1);
}

/** What the message that an entry holds leads to: a table entry, an ITS event, an SPI, a vector; -1 when that is not known. */
export function messageOf(state: State, object: ObjectId): ObjectId {
  const type = state.world.type(object);
  if (type !== msixEntry && type !== msi && type !== imsEntry) return -1;
  return messageTarget(state, object, type.at['address']!, type.at['data']!);
}

/** The vector that a remapping table entry delivers to, or -1: unknown, posted, or not present. */
export const vectorOfIrte = (state: State, object: ObjectId): ObjectId =>
  state.world.type(object) === irte ? targetOfIrte(state, object) : -1;

/** The vector that an irq is assigned to, or -1. */
export const placeOfIrq = (state: State, object: ObjectId): ObjectId =>
  state.world.type(object) === irq
    ? vectorAt(state, object, state.num(object, irq.at.cpu), state.num(object, irq.at.vector))
    : -1;

/**
 * The entry whose interrupt an irqfd injects or a vector of VFIO signals: the one that its route was made from. -1: unknown.
 */
export function entryBehind(state: State, object: ObjectId): ObjectId {
  const type = state.world.type(object);
  if (type === kvmIrqfd)
    return entryOfRoute(state, linksOf(state, object).find((l) => l.name === 'route')?.target ?? -1);
  if (type !== vfioVector) return -1;
  const entry = cellTarget(state, object, vfioVector, 'entry');
  return entry >= 0 ? entry : entryOfRoute(state, cellTarget(state, object, vfioVector, 'virq'));
}

/** The entry that a route of KVM was made from, or -1. */
export function entryOfRoute(state: State, route: ObjectId): ObjectId {
  if (state.world.type(route) !== kvmRoute) return -1;
  const entry = cellTarget(state, route, kvmRoute, 'entry');
  if (entry >= 0) return entry;
  const fn = cellTarget(state, route, kvmRoute, 'device');
  const index = state.num(route, kvmRoute.at.vector);
  return state.world.node(fn)?.children.get('msix')?.children.get(String(index))?.object ?? -1;
}

/** The functions with a requester ID (an SMMU calls it StreamID), in the system that an object belongs to. */
export function functionsAt(state: State, object: ObjectId, requester: number): ObjectId[] {
  const functions = namesOf(state, object).find('device')?.children.values() ?? [];
  return [...functions].filter((node) => requesterIn(node.segment) === requester).map((node) => node.object);
}

/** The irq that a vector is assigned to, or -1. */
export const irqOfVector = (state: State, object: ObjectId): ObjectId => cellTarget(state, object, vector, 'irq');
