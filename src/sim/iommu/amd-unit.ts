import type { ObjectId } from '../../base/ids.ts';
import { dropped } from '../../model/events/outcome.ts';
import { amdWideWrite } from '../../model/events/platform/avic.ts';
import {
  amdInvalidate,
  amdRead,
  amdWrite,
  iecQueue,
  irEnable,
  irFault,
  irMessage,
  irRemap,
  irRequest,
  irSeen,
} from '../../model/events/remap.ts';
import { decodersById } from '../../model/message.ts';
import { packRegister } from '../../model/register.ts';
import { amdAddress, amdData, amdGuestIrte, amdIrte32, amdIrte128 } from '../../model/registers/amd.ts';
import { X86_BASE, x86AddressWords, x86Data } from '../../model/registers/x86.ts';
import { amdIrte, remapUnit } from '../../model/things/remap.ts';
import type { Message } from '../device/message.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Translator } from '../device/root-complex.ts';
import { type Composed, type Destination, errno } from '../irq/domain.ts';
import type { Actor, Machine } from '../machine.ts';
import { QUEUED } from './invalidation-queue.ts';
import { blockSize, freeBlock, type RemapTable } from './remap-table.ts';

/** Where a guest entry leads, as the unit finds it for a message. */
export interface GuestEntry {
  /** Address of the APIC backing page. */
  readonly page: number;
  readonly vector: number;
  readonly isRun: boolean;
  readonly dest: number;
  readonly logs: boolean;
  readonly tag: number;
}

/** What of a guest entry changes when its virtual CPU comes and goes. */
export type GuestState = Pick<GuestEntry, 'isRun' | 'dest' | 'logs' | 'tag'>;

/** What stands behind guest entries: AVIC. */
export interface GuestPages {
  /** What an entry that leads to a page says of its virtual CPU now; undefined: there is no such page. */
  stateOf(page: number): GuestState | undefined;
  /** The unit posts. */
  post(entry: GuestEntry, message: Message): void;
}

/**
 * AMD-Vi interrupt remapping with 32-bit entries, or 128-bit ones that may lead to the APIC backing pages of guests: every function has a table of its own, so a message can name no
 * entries except those of its sender. Functions without a table are aborted (IntCtl 0), as Linux sets the device table up.
 */
export class AmdUnit implements Translator, RemapTable {
  readonly machine: Machine;
  /** Entries of each table: 512, or 2048. */
  readonly entries: number;
  readonly perDevice = true;
  readonly actor: Actor = { layer: 'remap-unit', name: 'amdvi', cpu: -1 };
  /** Called when a message was let through, with the entry that it used. */
  onUse: ((message: Message, device: number, index: number, entry: number) => void) | undefined;
  /** AVIC, where entries are of the 128-bit kind and may lead to guests; entries are of the 32-bit kind without it. */
  pages: GuestPages | undefined;
  readonly #taken = new Map<number, Set<number>>();
  /** Guest entries, with the page that each leads to. */
  readonly #guests = new Map<ObjectId, { readonly page: number; readonly vector: number }>();

  constructor(machine: Machine, entries: number) {
    this.machine = machine;
    this.entries = entries;
  }

  /** Tables are made function by function; nothing is set up at boot. */
  announce(): void {}

  #unit(requester: number): number {
    return this.machine.world.object(remapUnit, `irte/amdvi-0x${requester.toString(16)}`);
  }

  /** Object of an entry. */
  entry(requester: number, index: number): number {
    return this.machine.world.child(amdIrte, this.#unit(requester), index);
  }

  take(device: PciFunction, count = 1): number {
    let taken = this.#taken.get(device.requester);
    if (taken === undefined) {
      this.#taken.set(device.requester, (taken = new Set()));
      const unit = this.#unit(device.requester);
      this.machine.emit(irSeen, unit, { kind: 'AMD-Vi' });
      this.machine.emit(irEnable, unit, { enable: true });
    }
    const at = freeBlock(taken, 0, this.entries, count);
    if (at === undefined) return errno.ENOSPC;
    for (let i = 0; i < blockSize(count); i++) taken.add(at + i);
    return at;
  }

  give(device: PciFunction, index: number, count = 1): void {
    for (let i = 0; i < blockSize(count); i++) this.#taken.get(device.requester)?.delete(index + i);
  }

  /** The data is the index: blocks are aligned, so the low bits that the function replaces are zero in the first. */
  compose(index: number, sub = 0): Composed {
    return {
      address: packRegister(amdAddress, { base: X86_BASE, destMode: 1 })[0]!,
      data: packRegister(amdData, { index: index + sub })[0]!,
    };
  }

  program(device: PciFunction, index: number, target: Destination | undefined): void {
    const entry = this.entry(device.requester, index);
    this.#guests.delete(entry);
    const fields = target ? { present: 1, dest: target.cpu, vector: target.vector } : {};
    if (this.pages === undefined)
      this.machine.emit(amdWrite, entry, { value: target ? packRegister(amdIrte32, fields)[0]! : 0 });
    else this.#write(entry, packRegister(amdIrte128, fields));
  }

  #write(entry: ObjectId, words: readonly number[]): void {
    this.machine.emit(amdWideWrite, entry, { low: words.slice(0, 2), high: words.slice(2) });
  }

  /** Writes a guest entry, which leads to the APIC backing page at an address. 32-bit entries cannot post. */
  post(device: PciFunction, index: number, page: number, vector: number): number {
    if (this.pages === undefined) return errno.EOPNOTSUPP;
    const entry = this.entry(device.requester, index);
    this.#guests.set(entry, { page, vector });
    return this.#guest(entry, page, vector) ? 0 : errno.EINVAL;
  }

  #guest(entry: ObjectId, page: number, vector: number): boolean {
    const state = this.pages?.stateOf(page);
    if (state === undefined) return false;
    const { isRun, dest, logs, tag } = state;
    const fields = { present: 1, guestMode: 1, isRun: isRun ? 1 : 0, gaLogIntr: logs ? 1 : 0, dest, gaTag: tag };
    this.#write(entry, packRegister(amdGuestIrte, { ...fields, vector, gaRoot: Math.floor(page / 0x1000) }));
    return true;
  }

  /** amd_iommu_update_ga: rewrites the guest entries that lead to a page, without an invalidation. */
  update(page: number): void {
    for (const [entry, held] of this.#guests) if (held.page === page) this.#guest(entry, page, held.vector);
  }

  /** Words of an entry: as the unit has them in its cache, or as they lie in the table. */
  #words(entry: ObjectId, table: boolean): number[] {
    const { state } = this.machine;
    const first = table ? (this.pages ? amdIrte.at.wide : amdIrte.at.table) : amdIrte.at.value;
    return [0, 1, 2, 3].map((i) => state.get(entry, first + i));
  }

  queue(device: PciFunction): void {
    const { machine } = this;
    const unit = this.#unit(device.requester);
    machine.emit(iecQueue, unit, { global: true, index: 0, mask: 0 });
    machine.at(machine.now + QUEUED, this.actor, () => machine.emit(amdInvalidate, unit, {}));
  }

  /** INVALIDATE_INTERRUPT_TABLE of the function, and the end of it (COMPLETION_WAIT). */
  invalidate(device: PciFunction): void {
    this.machine.emit(amdInvalidate, this.#unit(device.requester), {});
  }

  translate(message: Message): Message | undefined {
    return this.machine.as(this.actor, () => this.#translate(message));
  }

  #translate(message: Message): Message | undefined {
    const { machine } = this;
    const { address, data, requester } = message;
    const unit = this.#unit(requester);
    const view = decodersById.amd.decode(address >>> 0, Math.floor(address / 0x100000000), data)!;
    const index = view.index!;
    const named = this.#taken.has(requester) && index < this.entries;
    const entry = named ? this.entry(requester, index) : unit;
    machine.emit(irRequest, entry, { address, data, sid: requester });
    if (!this.#taken.has(requester))
      return this.#abort(message, unit, 'the function has no interrupt table (IntCtl 0)');
    if (view.reservedSet) return this.#abort(message, entry, 'reserved bits of the message are set', index);
    if (!named) return this.#abort(message, unit, `the table has ${this.entries} entries`, index);
    const { present, noFault, vector: vectorField, dest: destField } = amdIrte32.f;
    const cached = machine.state.flag(entry, amdIrte.at.cached) === true;
    if (!cached || !present.in(machine.state.get(entry, amdIrte.at.value))) this.#read(entry);
    const words = this.#words(entry, false);
    const [value] = words as [number];
    if (!present.in(value)) {
      if (noFault.in(value)) return this.#end(message, entry, 'RemapEn of the entry is 0, not logged (SupIOPF)');
      return this.#abort(message, entry, 'RemapEn of the entry is 0', index);
    }
    this.onUse?.(message, requester, index, entry);
    const { pages } = this;
    if (pages !== undefined && amdIrte128.f.guestMode.in(value)) {
      const bits = { words, known: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff] };
      const { isRun, gaLogIntr, dest, gaTag, vector, gaRoot } = amdGuestIrte.f;
      pages.post(
        {
          page: gaRoot.read(bits)! * 0x1000,
          vector: vector.read(bits)!,
          isRun: isRun.in(value),
          dest: dest.read(bits)!,
          logs: gaLogIntr.in(value),
          tag: gaTag.read(bits)!,
        },
        message,
      );
      return undefined;
    }
    const wide = pages !== undefined;
    const fields = wide ? amdIrte128.f : amdIrte32.f;
    const vector = wide ? amdIrte128.f.vector.of(words[2]!) : vectorField.of(value);
    const dest = wide ? amdIrte128.f.dest.of(value) : destField.of(value);
    const destMode = fields.destMode.of(value);
    const deliveryMode = fields.intType.of(value);
    const plain = destMode === 0 && deliveryMode === 0;
    machine.emit(irRemap, entry, plain ? { vector, dest } : { vector, dest, destMode, deliveryMode });
    const [newAddress] = x86AddressWords(dest, destMode);
    const newData = packRegister(x86Data, { vector, deliveryMode })[0]!;
    machine.emit(irMessage, entry, { address, data, newAddress, newData });
    return { ...message, address: newAddress, data: newData };
  }

  #read(entry: ObjectId): void {
    const words = this.#words(entry, true);
    const wide = this.pages !== undefined;
    this.machine.emit(amdRead, entry, wide ? { low: words.slice(0, 2), high: words.slice(2) } : { low: [words[0]!] });
  }

  /** Aborts a message and logs an IO_PAGE_FAULT event with the interrupt flag. */
  #abort(message: Message, object: ObjectId, why: string, index?: number): undefined {
    this.machine.emit(irFault, object, {
      sid: message.requester,
      text: `IO_PAGE_FAULT (I): ${why}`,
      ...(index === undefined ? {} : { index }),
    });
    return this.#end(message, object, why);
  }

  #end({ cause }: Message, object: ObjectId, why: string): undefined {
    const { machine } = this;
    machine.emit(dropped, object, { reason: `aborted by AMD-Vi: ${why}`, ...(cause === 0 ? {} : { cause }) });
    machine.ledger.note(cause, 'dropped', machine.now);
    return undefined;
  }
}
