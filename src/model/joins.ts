// Where one interrupt is in the tables of different subjects: what a message, an action name, a GSI leads to. All of it holds for the
// state at hand only: numbers are used again.

import type { ObjectId } from '../base/ids.ts';
import { requesterIn } from './bdf.ts';
import { cellTarget } from './cell-target.ts';
import { descriptorOf, type IrqSource, type MessageTable, sourceOfIrq } from './irq-source.ts';
import { processorsOf } from './reference.ts';
import { msiControl, msixControl } from './registers/pci.ts';
import { isInterruptAddress, x86Address, x86Data, x86Destination } from './registers/x86.ts';
import type { State } from './state.ts';
import { irq, irqDescriptor } from './things/irq.ts';
import { msi, msixCap } from './things/pci.ts';
import { itsCollection, itsEvent } from './things/remap.ts';
import { kvmIrqfd, kvmRoute, vcpu, vfioDevice, vfioVector } from './things/virt.ts';
import { VFIO_INDEX } from './vfio-index.ts';

/** The emulated processor with an APIC id: a log of the machine names its processors by these. */
export function emulatedProcessor(state: State, object: ObjectId, apicId: number): ObjectId {
  const names = state.world.spaceOf(object);
  // Where a kernel tells of CPUs, virtual CPUs are those of its guests.
  return names.find('cpu') === undefined ? names.objectAt(`vcpu/${apicId}`) : -1;
}

/** The INTID that an event of an ITS raises: a virtual LPI (GICv4), or an LPI of the host; -1 unknown. */
export function intidOfEvent(state: State, event: ObjectId): number {
  return state.num(event, state.num(event, itsEvent.at.vpe) < 0 ? itsEvent.at.lpi : itsEvent.at.vlpi);
}

/**
 * The processor that an event of an ITS goes to: the target of its collection, or the virtual CPU of its vPE (GICv4). Only simulated
 * traces tell vPEs; KVM numbers them there as it does virtual CPUs.
 */
export function processorOfEvent(state: State, event: ObjectId): ObjectId {
  const vpe = state.num(event, itsEvent.at.vpe);
  if (vpe >= 0) return state.world.spaceOf(event).objectAt(`vcpu/${vpe}`);
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
  return device === '' || index < 0 ? -1 : entryOfEither(state, route, device, index);
}

function entryAt(state: State, object: ObjectId, device: string, index: number, number: number): ObjectId {
  const names = state.world.spaceOf(object);
  if (index === VFIO_INDEX.msix) return names.objectAt(`device/${device}/msix/${number}`);
  return index === VFIO_INDEX.msi ? names.objectAt(`device/${device}/msi`) : -1;
}

/**
 * The entry of the function that raises an irq. An MSI function has one capability for all of its vectors. Where the domain does not
 * tell MSI from MSI-X, it is the one that the function has enabled, or the only one of the two that the trace shows.
 */
export function entryOfIrq(state: State, object: ObjectId): ObjectId {
  const source = sourceOfIrq(state, object);
  if (source === undefined) return -1;
  const { device, index } = source;
  const below = (rest: string): ObjectId => state.world.spaceOf(object).objectAt(`device/${device}/${rest}`);
  const table = tableOfIrq(state, object, source);
  switch (table) {
    case 'msix':
    case 'ims':
      return below(`${table}/${index}`);
    case 'msi':
      return below('msi');
    case 'either':
      return entryOfEither(state, object, device, index);
    case undefined:
      return -1;
  }
}

/**
 * The path of the entry that raises an irq, also where no event is about that entry: domain and hwirq name it. Undefined where they do
 * not, or do not tell MSI from MSI-X. An MSI capability, which has one entry for all vectors, is that of the first.
 */
export function entryPathOfIrq(state: State, object: ObjectId): string | undefined {
  const source = sourceOfIrq(state, object);
  if (source === undefined) return undefined;
  const { device, index } = source;
  const table = tableOfIrq(state, object, source);
  const path = `${state.world.spaceOf(object).prefix}device/${device}`;
  if (table === 'msix' || table === 'ims') return `${path}/${table}/${index}`;
  return table === 'msi' && index === 0 ? `${path}/msi` : undefined;
}

/** Where the function of an irq stores its message. Where the domain serves MSI and MSI-X, the name of an action may tell, or `msi_irqs` of the function. */
function tableOfIrq(state: State, object: ObjectId, { table }: IrqSource): MessageTable | undefined {
  if (table !== 'either') return table;
  const [, name] = VFIO_ACTION.exec(state.text(object, irq.at.name)) ?? [];
  if (name === 'msi' || name === 'msix') return name;
  const descriptor = descriptorOf(state, object);
  const mode = state.present(descriptor) ? state.text(descriptor, irqDescriptor.at.msi) : '';
  return mode === 'msi' || mode === 'msix' ? mode : 'either';
}

/**
 * The entry of a function with an index, of MSI-X or MSI: of what is enabled, or of the one of the two that the trace shows. `near`: an
 * object of the same system.
 */
function entryOfEither(state: State, near: ObjectId, device: string, index: number): ObjectId {
  const below = (rest: string): ObjectId => state.world.spaceOf(near).objectAt(`device/${device}/${rest}`);
  const entry = below(`msix/${index}`);
  const capability = below('msi');
  if (!state.present(capability)) return entry;
  if (msiControl.f.enable.flag(state, capability, msi.at.control) === true) return capability;
  const cap = below('msixcap');
  if (state.present(cap) && msixControl.f.enable.flag(state, cap, msixCap.at.control) === true) return entry;
  return state.present(cap) || state.present(entry) ? -1 : capability;
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
