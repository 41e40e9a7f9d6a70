import { devRaise } from '../../model/events/msix.ts';
import { untold } from '../../model/events/outcome.ts';
import { imsControl } from '../../model/registers/ims.ts';
import { msiAddress, msiControl, msiData, vectorControl } from '../../model/registers/pci.ts';
import { msi, msixEntry } from '../../model/things/pci.ts';
import { allowIntx } from '../device/legacy-interrupts.ts';
import { msiOffset } from '../device/msi-messages.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Composed } from '../irq/domain.ts';
import { ImsCells } from '../irq/ims-cells.ts';
import type { Machine } from '../machine.ts';

/** Where a bus domain stores messages. */
export type StoreKind = 'msixTable' | 'config' | 'deviceMemory' | 'queueMemory';

/** One access of software. */
export type Store = () => void;

/** One storage of messages of a function: what writing it does, and what the device does with what is there. */
export interface MessagePlace {
  readonly kind: StoreKind;
  /** As events name it. */
  readonly where: string;
  /** Start of the name of the bus domain that stores there. */
  readonly domain: string;
  /** Whether stores can be trapped. They cannot where they are writes to memory of the guest. */
  readonly trappable: boolean;
  /** Whether entries can be masked. */
  readonly maskable: boolean;
  /** Entries at most. */
  readonly size: number;
  /** Object of an entry. */
  object(index: number): number;
  /** Switches the kind of interrupt on: before entries are set up (`ready` false) and after. */
  enable(ready: boolean): void;
  /** The stores that write a message into an entry, in order: each is one access, and one exit where stores are trapped. */
  stores(index: number, message: Composed, virq?: number): readonly Store[];
  setMask(index: number, masked: boolean): void;
  /** What an entry holds; undefined while that is not known. */
  message(index: number): Composed | undefined;
  /** A cause arises in the function for an entry. */
  raise(index: number): number;
}

const HIGH = 0x100000000;

function msixPlace(machine: Machine, fn: PciFunction): MessagePlace {
  return {
    kind: 'msixTable',
    where: 'MSI-X table',
    domain: 'PCI-MSIX',
    trappable: true,
    maskable: true,
    size: 2048,
    object: (index) => fn.entry(index),
    enable(ready) {
      if (ready) allowIntx(fn, false);
      fn.control(true, !ready);
    },
    stores: (index, { address, data }) =>
      [address >>> 0, Math.floor(address / HIGH), data].map((word, i) => () => void fn.table(index, 4 * i, 4, [word])),
    setMask: (index, masked) => void fn.table(index, 12, 4, [vectorControl(masked)]),
    message(index) {
      const { state } = machine;
      const entry = fn.entry(index);
      const { address, data } = msixEntry.at;
      if ([address, address + 1, data].some((cell) => state.known(entry, cell) !== 0xffffffff)) return undefined;
      return {
        address: state.get(entry, address) + state.get(entry, address + 1) * HIGH,
        data: state.get(entry, data),
      };
    },
    raise: (index) => fn.raise(index),
  };
}

/** Message Control of the MSI capability: 64-bit address, enabled. */
const MSI_ON = msiControl.f.address64.mask | msiControl.f.enable.mask;

/** The MSI capability: one message in config space, which takes 16 bits of data and has no mask here. */
function configPlace(machine: Machine, fn: PciFunction): MessagePlace {
  const object = machine.world.child(msi, fn.object, 'msi');
  const read = (): Composed | undefined => {
    const { state } = machine;
    const { address, data } = msi.at;
    // Bits 1:0 of the address are read-only zero.
    const { lower, upper } = msiAddress.f;
    const word = msiData.f.data.get(state, object, data);
    if (lower.get(state, object, address) < 0 || upper.get(state, object, address) < 0 || word < 0) return undefined;
    return {
      address: state.get(object, address) + state.get(object, address + 1) * HIGH,
      data: word,
    };
  };
  return {
    kind: 'config',
    where: 'MSI capability',
    domain: 'PCI-MSI',
    trappable: true,
    maskable: false,
    size: 1,
    object: () => object,
    enable(ready) {
      if (!ready) return;
      allowIntx(fn, false);
      fn.configWrite(msiOffset(fn) + 2, 2, MSI_ON);
    },
    stores: (_index, { address, data }) => [
      () => fn.configWrite(msiOffset(fn) + 4, 4, address >>> 0),
      () => fn.configWrite(msiOffset(fn) + 8, 4, Math.floor(address / HIGH)),
      () => fn.configWrite(msiOffset(fn) + 12, 2, msiData.f.data.of(data)),
    ],
    setMask() {},
    message: read,
    raise: () =>
      machine.as(fn.actor, () => {
        const cause = machine.ledger.open(machine.now);
        machine.emit(devRaise, object, { vector: 0, cause });
        const message = read();
        if (!msiControl.f.enable.in(machine.state.get(object, msi.at.control)))
          fn.drop(object, cause, 'MSI is not enabled');
        else if (message) fn.send(object, message.address, message.data, cause);
        else {
          machine.emit(untold, object, { what: 'the message in the MSI capability', cause });
          machine.ledger.note(cause, 'untold', machine.now);
        }
        return cause;
      }),
  };
}

function imsPlace(machine: Machine, fn: PciFunction, queue: boolean): MessagePlace {
  const cells = new ImsCells(machine, fn, Number.POSITIVE_INFINITY, queue ? 'queue memory' : 'device memory', !queue);
  return {
    kind: queue ? 'queueMemory' : 'deviceMemory',
    where: cells.place,
    domain: queue ? 'QUEUE-IMS' : 'DEV-IMS',
    trappable: !queue,
    maskable: !queue,
    size: 2048,
    object: (index) => cells.entry(index),
    enable() {},
    stores: (index, { address, data }, virq) => [
      () => void cells.write(index, 0, 8, [address >>> 0, Math.floor(address / HIGH)], virq),
      () => void cells.write(index, 8, 4, [data], virq),
    ],
    setMask(index, masked) {
      if (!queue) cells.write(index, 12, 4, [masked ? imsControl.f.mask.mask : 0]);
    },
    message: (index) => cells.message(index),
    raise: (index) => cells.raise(index),
  };
}

/** Writes a message into an entry, all stores of it. */
export function writeMessage(place: MessagePlace, index: number, message: Composed, virq?: number): void {
  for (const store of place.stores(index, message, virq)) store();
}

/** The storage of one kind of a function. */
export function placeOf(machine: Machine, fn: PciFunction, kind: StoreKind): MessagePlace {
  switch (kind) {
    case 'msixTable':
      return msixPlace(machine, fn);
    case 'config':
      return configPlace(machine, fn);
    case 'deviceMemory':
      return imsPlace(machine, fn, false);
    case 'queueMemory':
      return imsPlace(machine, fn, true);
  }
}
