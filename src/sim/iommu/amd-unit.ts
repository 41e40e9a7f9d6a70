import type { ObjectId } from '../../base/ids.ts';
import { dropped } from '../../model/events/outcome.ts';
import {
  amdInvalidate,
  amdRead,
  amdWrite,
  irEnable,
  irFault,
  irMessage,
  irRemap,
  irRequest,
  irSeen,
} from '../../model/events/remap.ts';
import { decodersById } from '../../model/message.ts';
import { packRegister } from '../../model/register.ts';
import { amdAddress, amdData, amdIrte32 } from '../../model/registers/amd.ts';
import { X86_BASE, x86AddressWords, x86Data } from '../../model/registers/x86.ts';
import { amdIrte, remapUnit } from '../../model/things/remap.ts';
import type { Message } from '../device/message.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Translator } from '../device/root-complex.ts';
import { type Composed, type Destination, errno } from '../irq/domain.ts';
import type { Actor, Machine } from '../machine.ts';
import type { RemapTable } from './remap-table.ts';

/**
 * AMD-Vi interrupt remapping with 32-bit entries: every function has a table of its own, so a message can name no
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
  readonly #taken = new Map<number, Set<number>>();

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

  take(device: PciFunction): number {
    let taken = this.#taken.get(device.requester);
    if (taken === undefined) {
      this.#taken.set(device.requester, (taken = new Set()));
      const unit = this.#unit(device.requester);
      this.machine.emit(irSeen, unit, { kind: 'AMD-Vi' });
      this.machine.emit(irEnable, unit, { enable: true });
    }
    for (let i = 0; i < this.entries; i++) {
      if (taken.has(i)) continue;
      taken.add(i);
      return i;
    }
    return errno.ENOSPC;
  }

  give(device: PciFunction, index: number): void {
    this.#taken.get(device.requester)?.delete(index);
  }

  compose(index: number): Composed {
    return {
      address: packRegister(amdAddress, { base: X86_BASE, destMode: 1 })[0]!,
      data: packRegister(amdData, { index })[0]!,
    };
  }

  program(device: PciFunction, index: number, target: Destination | undefined): void {
    const [value] = target ? packRegister(amdIrte32, { present: 1, dest: target.cpu, vector: target.vector }) : [0];
    this.machine.emit(amdWrite, this.entry(device.requester, index), { value: value! });
  }

  /** 32-bit entries cannot post: that takes the guest virtual APIC format. */
  post(): number {
    return errno.EOPNOTSUPP;
  }

  /** INVALIDATE_INTERRUPT_TABLE of the function. */
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
    const { present, noFault, vector: vectorField, dest: destField, destMode: modeField, intType } = amdIrte32.f;
    const cached = machine.state.flag(entry, amdIrte.at.cached) === true;
    if (!cached || !present.in(machine.state.get(entry, amdIrte.at.value)))
      machine.emit(amdRead, entry, { low: [machine.state.get(entry, amdIrte.at.table)] });
    const value = machine.state.get(entry, amdIrte.at.value);
    if (!present.in(value)) {
      if (noFault.in(value)) return this.#end(message, entry, 'RemapEn of the entry is 0, not logged (SupIOPF)');
      return this.#abort(message, entry, 'RemapEn of the entry is 0', index);
    }
    this.onUse?.(message, requester, index, entry);
    const vector = vectorField.of(value);
    const dest = destField.of(value);
    const destMode = modeField.of(value);
    const deliveryMode = intType.of(value);
    const plain = destMode === 0 && deliveryMode === 0;
    machine.emit(irRemap, entry, plain ? { vector, dest } : { vector, dest, destMode, deliveryMode });
    const [newAddress] = x86AddressWords(dest, destMode);
    const newData = packRegister(x86Data, { vector, deliveryMode })[0]!;
    machine.emit(irMessage, entry, { address, data, newAddress, newData });
    return { ...message, address: newAddress, data: newData };
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
