import type { ObjectId } from '../../base/ids.ts';
import { pbaRead } from '../../model/events/msix.ts';
import { illegal } from '../../model/events/outcome.ts';
import { kvmMmio } from '../../model/events/virt.ts';
import { msixTable, offsetBytes } from '../../model/registers/pci.ts';
import { bar as barType, msixCap, msixEntry } from '../../model/things/pci.ts';
import type { PciFunction, Served } from '../device/pci-function.ts';
import type { TableAccess } from '../irq/msix-domain.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import { EmulatedFunction } from './emulated-function.ts';
import type { Vcpus } from './vcpus.ts';

/** The machine whose guest makes the accesses. */
export interface MmioMachine {
  readonly machine: Machine;
  readonly object: ObjectId;
  readonly vcpus: Vcpus;
  readonly vmm: Actor;
}

/** A part of an access that lies in one entry: byte offset in the entry, bytes, and where it begins in the access. */
export interface EntryPart {
  readonly index: number;
  readonly offset: number;
  readonly size: number;
  readonly begin: number;
}

/** An access of the guest to the table or the pending bits of a function, by byte offset in that structure. */
export interface GuestAccess {
  readonly fn: PciFunction;
  readonly region: 'table' | 'pba';
  readonly offset: number;
  readonly size: number;
  /** What is written, lowest word first; absent for a read. */
  readonly value?: readonly number[];
}

/** Serves part of the guest's accesses in the kernel, without a return to the VMM. */
export interface KernelServer {
  /** Serves an access as far as the design says; undefined: the VMM has to serve all of it. Called outside of the guest. */
  serve(access: GuestAccess, vcpu: number): Actions<number[] | undefined>;
}

/** Cuts an access at the borders of entries. */
export function entryParts(offset: number, size: number): EntryPart[] {
  const parts: EntryPart[] = [];
  for (let at = offset; at < offset + size; ) {
    const end = Math.min(offset + size, (Math.floor(at / 16) + 1) * 16);
    parts.push({ index: Math.floor(at / 16), offset: at % 16, size: end - at, begin: at - offset });
    at = end;
  }
  return parts;
}

/** Marks an access that the VMM serves and that costs one return to user space. */
export const BY_USER: Served = { served: 'user', exits: 1 };

/** All ones: the result of a read that no part claims. */
export const allOnes = (size: number): number[] =>
  size > 4 ? [0xffffffff, 0xffffffff] : [size === 4 ? 0xffffffff : 2 ** (8 * size) - 1];

/**
 * How the guest reaches tables and pending bits of emulated functions: the access exits, KVM serves it or returns to
 * the VMM, the virtual CPU enters the guest again.
 */
export class GuestMmio implements TableAccess {
  readonly vm: MmioMachine;
  readonly machine: Machine;
  /** The part that serves accesses in the kernel. */
  kernel: KernelServer | undefined;
  /** The VMM shows no pending bits (a bug to study). */
  pbaZero = false;
  /** What the VMM has to finish before the virtual CPU goes on: ioctls for assigned devices. */
  settle: (() => Actions) | undefined;

  constructor(vm: MmioMachine) {
    this.vm = vm;
    this.machine = vm.machine;
  }

  *write(device: PciFunction, index: number, offset: number, size: number, value: readonly number[]): Actions {
    yield* this.access({ fn: device, region: 'table', offset: index * 16 + offset, size, value });
  }

  *read(device: PciFunction, index: number, offset: number, size: number): Actions<number[]> {
    return yield* this.access({ fn: device, region: 'table', offset: index * 16 + offset, size });
  }

  /** Guest-physical address of a byte of the table or the pending bits; undefined while the BAR is not known. */
  address({ fn, region, offset }: Pick<GuestAccess, 'fn' | 'region' | 'offset'>): number | undefined {
    const { state, world } = this.machine;
    const cap = world.node(fn.object)?.children.get('msixcap')?.object ?? -1;
    const where = region === 'table' ? msixCap.at.table : msixCap.at.pba;
    if (cap < 0 || state.known(cap, where) !== 0xffffffff) return undefined;
    const word = state.get(cap, where);
    const at = world.child(barType, fn.object, 'bar', msixTable.f.bir.of(word));
    if (state.known(at, barType.at.address) !== 0xffffffff) return undefined;
    const high = state.get(at, barType.at.address + 1) * 0x100000000;
    return high + state.get(at, barType.at.address) + offsetBytes(word) + offset;
  }

  /** An access of the virtual CPU that the actor at work stands for; what was read, lowest word first. */
  *access(access: GuestAccess): Actions<number[]> {
    const { machine, vm } = this;
    const n = vm.vcpus.current;
    yield* vm.vcpus.ask(n, 'EPT_MISCONFIG');
    const address = this.address(access) ?? 0;
    const { size, value } = access;
    const tell = (words: readonly number[]): void =>
      machine.as(vm.vcpus.kvm(n), () =>
        machine.emit(kvmMmio, vm.object, { write: value !== undefined, size, address, value: words }),
      );
    if (value) tell(value);
    let read = this.kernel ? yield* machine.within(vm.vcpus.kvm(n), this.kernel.serve(access, n)) : undefined;
    if (read === undefined) {
      yield* vm.vcpus.toUser(n, 'KVM_EXIT_MMIO');
      read = machine.as(vm.vmm, () => this.user(access));
      if (this.settle) yield* machine.within(vm.vmm, this.settle());
    }
    if (!value) tell(read);
    yield* vm.vcpus.enter(n);
    return read;
  }

  /** The VMM serves an access: the device model has the rules of PCI. */
  user(access: GuestAccess): number[] {
    const { fn, region, offset, size, value } = access;
    if (region === 'pba') {
      if (value) fn.writePba(offset * 8, size, value);
      else return this.#pending(access);
      return [];
    }
    const parts = entryParts(offset, size);
    if (parts.length === 1 && parts[0]) return fn.table(parts[0].index, parts[0].offset, size, value, BY_USER) ?? [];
    this.straddles(access, parts);
    return value ? [] : allOnes(size);
  }

  /** The VMM asks the device model, which clears what is no longer asserted, and reads. */
  #pending({ fn, offset, size }: GuestAccess): number[] {
    const first = offset * 8;
    if (size !== 4 && size !== 8) return allOnes(size);
    if (!this.pbaZero) {
      if (fn instanceof EmulatedFunction) fn.settle();
      return fn.readPba(first, size, BY_USER);
    }
    const value = size === 8 ? [0, 0] : [0];
    const { machine } = this;
    const set = Array.from({ length: size * 8 }, (_, i) => first + i).filter((i) => {
      const at = machine.world.objectAt(`${machine.world.path(fn.object)}/msix/${i}`);
      return at >= 0 && machine.state.flag(at, msixEntry.at.pending) === true;
    });
    machine.emit(pbaRead, fn.object, { first, size, value, ...BY_USER, stale: true });
    if (set.length > 0)
      machine.emit(illegal, fn.object, { rule: 'INV-PBA', text: `reads 0 while pending: ${set.join(', ')}` });
    return value;
  }

  /** An access that hits two entries is never aligned: every part of it is discarded (U1). */
  straddles({ fn, size, value }: GuestAccess, parts: readonly EntryPart[]): void {
    for (const part of parts)
      this.machine.emit(illegal, fn.entry(part.index), {
        rule: 'U1',
        text: `${part.size} bytes at offset ${part.offset} of a ${value ? 'write' : 'read'} of ${size} that hits two entries: discarded`,
      });
  }
}
