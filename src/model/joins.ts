// Where one interrupt is in the tables of different subjects: what a message, an action name, a GSI leads to. All of it holds for the
// state at hand only: numbers are used again.

import type { ObjectId } from '../base/ids.ts';
import { requesterIn } from './bdf.ts';
import { cellTarget } from './cell-target.ts';
import type { MessageKind } from './message.ts';
import { processorsOf } from './reference.ts';
import { amdData, amdIrte128 } from './registers/amd.ts';
import { gicv2mSetSpi, itsTranslater } from './registers/its.ts';
import {
  isInterruptAddress,
  vtdAddress,
  vtdData,
  vtdHandle,
  x86Address,
  x86Data,
  x86Destination,
} from './registers/x86.ts';
import type { State } from './state.ts';
import { irq } from './things/irq.ts';
import { amdIrte, itsCollection, itsEvent } from './things/remap.ts';
import { kvmIrqfd, kvmRoute, vcpu, vfioDevice, vfioVector } from './things/virt.ts';
import { messageKind } from './translate.ts';
import { VFIO_INDEX } from './vfio-index.ts';

/** The requester ID of the function that an object belongs to, or that raises an irq; -1 unknown. */
export function requesterOf(state: State, object: ObjectId): number {
  for (let node = state.world.node(object); node; node = node.parent) {
    const requester = requesterIn(node.segment);
    if (requester >= 0) return requester;
  }
  return state.world.type(object) === irq ? requesterIn(state.text(object, irq.at.device)) : -1;
}

/** The unit of a log of the emulated machine, which has one. The kernel that runs in it calls that unit by another name. */
const EMULATED_UNIT = '0';

/**
 * The entry with an index, in the only remapping unit in which it is present, or the only one that has such an entry at all. Where a
 * log of the emulated machine and its kernel both tell of it, it is that of the log.
 */
export function irteAt(state: State, object: ObjectId, index: number): ObjectId {
  const units = state.world.spaceOf(object).find('irte')?.children.values() ?? [];
  let only = -1;
  let entries = 0;
  let here = -1;
  let emulated = -1;
  let present = 0;
  for (const unit of units) {
    if (unit.segment.startsWith('amdvi-')) continue;
    const entry = unit.children.get(String(index))?.object ?? -1;
    if (entry < 0) continue;
    only = entry;
    entries++;
    if (!state.present(entry)) continue;
    if (unit.segment === EMULATED_UNIT) emulated = entry;
    here = entry;
    present++;
  }
  if (present === 2 && emulated >= 0) return emulated;
  return present === 1 ? here : entries === 1 ? only : -1;
}

/** The IRTE of an irq, where the dump of its remapping domain tells the index; -1 otherwise. */
export function irteOfIrq(state: State, object: ObjectId): ObjectId {
  const index = state.num(object, irq.at.irteIndex);
  return index < 0 ? -1 : irteAt(state, object, index);
}

/**
 * The entry of a translation table that a message selects, or the SPI that it raises: `irte/<unit>/<index>`,
 * `its/0/device/<id>/event/<id>`, `gic/0/spi/<INTID>`; -1 when it selects none, such as a message that holds the vector itself.
 * The message is address (two words) and data of an object. `kind`: how messages of its system read.
 */
export function translationOf(
  state: State,
  object: ObjectId,
  address: number,
  data: number,
  kind: MessageKind = messageKind(state, object),
): ObjectId {
  const lo = state.num(object, address);
  const hi = state.num(object, address + 1);
  const word = state.num(object, data);
  if (lo < 0 || hi < 0 || word < 0 || (lo === 0 && hi === 0)) return -1;
  const names = state.world.spaceOf(object);
  switch (kind) {
    case 'vtd': {
      if (!isInterruptAddress(lo) || !vtdAddress.f.format.in(lo)) return -1;
      return irteAt(state, object, vtdHandle(lo) + (vtdAddress.f.shv.in(lo) ? vtdData.f.subhandle.of(word) : 0));
    }
    case 'amd': {
      const requester = isInterruptAddress(lo) ? requesterOf(state, object) : -1;
      if (requester < 0) return -1;
      return names.objectAt(`irte/amdvi-0x${requester.toString(16)}/${amdData.f.index.of(word)}`);
    }
    case 'its': {
      const requester = (lo & 3) === 0 ? requesterOf(state, object) : -1;
      if (requester < 0) return -1;
      return names.objectAt(`its/0/device/0x${requester.toString(16)}/event/${itsTranslater.f.eventId.of(word)}`);
    }
    case 'gicv2m':
      return (lo & 3) === 0 ? names.objectAt(`gic/0/spi/${gicv2mSetSpi.f.intid.of(word)}`) : -1;
    case 'x86':
      return -1;
  }
}

/** The emulated processor with an APIC id: a log of the machine names its processors by these. */
export function emulatedProcessor(state: State, object: ObjectId, apicId: number): ObjectId {
  const names = state.world.spaceOf(object);
  // Where a kernel tells of CPUs, virtual CPUs are those of its guests.
  return names.find('cpu') === undefined ? names.objectAt(`vcpu/${apicId}`) : -1;
}

/** The processor that an event of an ITS goes to: the target of its collection. */
export function processorOfEvent(state: State, event: ObjectId): ObjectId {
  const collection = cellTarget(state, event, itsEvent, 'collection');
  return collection < 0 ? -1 : cellTarget(state, collection, itsCollection, 'target');
}

/** The vector of a virtual CPU that a GSI route sends: the message of a guest in compatibility format, with a physical destination. */
export function placeOfRoute(state: State, route: ObjectId): ObjectId {
  const { address, data } = kvmRoute.at;
  const lo = state.num(route, address);
  const hi = state.num(route, address + 1);
  const word = state.num(route, data);
  if (lo < 0 || hi < 0 || word < 0 || !isInterruptAddress(lo)) return -1;
  if (x86Address.f.format.in(lo) || x86Address.f.destMode.in(lo)) return -1;
  const v = x86Data.f.vector.of(word);
  return state.world.spaceOf(route).objectAt(`vcpu/${x86Destination(lo, hi)}/vector/${v}`);
}

/** The vector of a virtual CPU that a posted interrupt is posted to. */
export function placeOfIrqfd(state: State, irqfd: ObjectId): ObjectId {
  const n = state.num(irqfd, kvmIrqfd.at.vcpu);
  const v = state.num(irqfd, kvmIrqfd.at.guestVector);
  if (n < 0 || v < 0 || state.flag(irqfd, kvmIrqfd.at.posted) !== true) return -1;
  return state.world.spaceOf(irqfd).objectAt(`vcpu/${n}/vector/${v}`);
}

/** The processor that an AMD entry names, in a log of the emulated machine. */
export function processorOfAmd(state: State, entry: ObjectId): ObjectId {
  const { present, destMode, dest } = amdIrte128.f;
  const at = amdIrte.at.value;
  // The layout of 32-bit entries is another one.
  if (state.flag(entry, amdIrte.at.ga) !== true) return -1;
  if (present.flag(state, entry, at) !== true || destMode.flag(state, entry, at) !== false) return -1;
  const apicId = dest.get(state, entry, at);
  return apicId < 0 ? -1 : emulatedProcessor(state, entry, apicId);
}

/** Names that vfio-pci gives to its actions (drivers/vfio/pci/vfio_pci_intrs.c), also among those of a shared irq. */
const VFIO_ACTION = /(?:^|, )vfio-(?:(msix|msi)\[(\d+)\]|intx)\(([^()/,]+)\)/;

/** The vector of an assigned device that an irq signals, by the name of its action: `vfio-msix[2](0000:00:03.0)`. */
export function vfioOfIrq(state: State, object: ObjectId): ObjectId {
  const name = state.text(object, irq.at.name);
  if (!name.includes('vfio-')) return -1;
  const [, kind, number = '0', device] = VFIO_ACTION.exec(name) ?? [];
  if (device === undefined) return -1;
  const index = kind === undefined ? VFIO_INDEX.intx : VFIO_INDEX[kind as 'msi' | 'msix'];
  return state.world.spaceOf(object).objectAt(`vfio/${device}/${index}/${Number(number)}`);
}

/** The irq of the host behind a vector of an assigned device. An irq that got another action since is not that of the vector any more. */
export function irqOfVfio(state: State, vector: ObjectId): ObjectId {
  const number = state.num(vector, vfioVector.at.irq);
  const object = number < 0 ? -1 : state.world.spaceOf(vector).objectAt(`irq/${number}`);
  if (object < 0 || state.text(object, irq.at.name) === '') return object;
  const named = vfioOfIrq(state, object);
  // Actions of other drivers than vfio-pci have names of their own.
  if (named < 0) return isPci(state, vector) && !state.text(object, irq.at.name).includes('vfio-') ? -1 : object;
  return named === vector ? object : -1;
}

/** Whether vfio-pci serves a vector, as far as the name of the device tells: a BDF. Its actions have names of one form. */
const isPci = (state: State, vector: ObjectId): boolean =>
  requesterIn(state.world.node(vector)?.parent?.parent?.segment ?? '') >= 0;

/** The entry, as the guest sees it, of a vector of an assigned device. */
export function guestEntryOfVfio(state: State, vector: ObjectId): ObjectId {
  const node = state.world.node(vector);
  const host = node?.parent?.parent?.object ?? -1;
  if (host < 0 || state.world.type(host) !== vfioDevice) return -1;
  const guest = state.text(host, vfioDevice.at.guest);
  return guest === '' ? -1 : entryAt(state, vector, guest, Number(node?.parent?.segment), Number(node?.segment));
}

/** The entry behind a GSI route: the one that the route was made from, or that device and vector of the route name. */
export function entryOfRoute(state: State, route: ObjectId): ObjectId {
  if (state.world.type(route) !== kvmRoute) return -1;
  const entry = state.num(route, kvmRoute.at.entry);
  if (entry >= 0) return entry;
  const device = state.text(route, kvmRoute.at.device);
  const index = state.num(route, kvmRoute.at.vector);
  return device === '' || index < 0 ? -1 : entryAt(state, route, device, VFIO_INDEX.msix, index);
}

function entryAt(state: State, object: ObjectId, device: string, index: number, number: number): ObjectId {
  const names = state.world.spaceOf(object);
  if (index === VFIO_INDEX.msix) return names.objectAt(`device/${device}/msix/${number}`);
  return index === VFIO_INDEX.msi ? names.objectAt(`device/${device}/msi`) : -1;
}

/** Domains of one function, by the names that kernels since 6.2 give them: `IR-PCI-MSIX-0000:00:03.0`, `ITS-PCI-MSI-0000:00:09.0`. */
const DOMAIN_MSIX = /msi-?x/i;
const DOMAIN_MSI = /PCI-MSI-[0-9a-f]{4,8}:/i;
const DOMAIN_IMS = /IMS/;

/** The name of a chip where it says as much as that of a domain of one function; the empty text otherwise. */
const ofFunction = (chip: string): string => (/-[0-9a-f]{4,8}:[0-9a-f]{2}:/i.test(chip) ? chip : '');

/**
 * The entry of the function that raises an irq: hwirq is the index in the table where the domain is one of MSI-X or IMS; an MSI
 * function has one capability for all of its vectors. Where the domain is not known, an entry of that index in the MSI-X table.
 */
export function entryOfIrq(state: State, object: ObjectId): ObjectId {
  const device = state.num(object, irq.at.device);
  const index = state.num(object, irq.at.hwirq);
  if (device < 0 || index < 0) return -1;
  const { world } = state;
  const path = `device/${world.strings.text(device)}`;
  const domain = state.text(object, irq.at.domain) || ofFunction(state.text(object, irq.at.chip));
  const below = (rest: string): ObjectId => world.spaceOf(object).objectAt(`${path}/${rest}`);
  if (domain === '')
    return /(?:^|, )vfio-msi\[/.test(state.text(object, irq.at.name)) ? below('msi') : below(`msix/${index}`);
  if (DOMAIN_MSIX.test(domain)) return below(`msix/${index}`);
  if (DOMAIN_IMS.test(domain)) return below(`ims/${index}`);
  return DOMAIN_MSI.test(domain) ? below('msi') : -1;
}

/** The vector of a CPU of the kernel that an object belongs to. */
export const vectorAt = (state: State, object: ObjectId, cpu: number, v: number): ObjectId =>
  cpu < 0 || v <= 0
    ? -1
    : state.world.spaceOf(object).objectAt(`${processorsOf(state.world, object)}/${cpu}/vector/${v}`);

/**
 * The processor that a kernel sees, for a virtual CPU: that of the only other system, for a virtual CPU that KVM of the host runs; for
 * one of a log of the emulated machine, the CPU of the kernel that runs in it, which is the same system.
 */
export function processorOf(state: State, object: ObjectId): ObjectId {
  const { world } = state;
  const own = world.spaceOf(object);
  const number = world.node(object)?.segment ?? '';
  const others = world.spaces().filter((space) => space !== own);
  if (others.length === 1) {
    const there = others[0]!.objectAt(`cpu/${number}`);
    if (there >= 0) return there;
  }
  const byKvm = state.known(object, vcpu.at.inGuest) !== 0 || state.present(own.objectAt('kvm/0'));
  return byKvm ? -1 : own.objectAt(`cpu/${number}`);
}
