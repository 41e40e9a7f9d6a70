import type { ObjectId, Step } from '../../base/ids.ts';
import { requesterId } from '../../model/bdf.ts';
import { devReset } from '../../model/events/function.ts';
import {
  devRaise,
  devWithdraw,
  msgSend,
  pbaRead,
  pbaWrite,
  tableSize,
  tblRead,
  tblWrite,
} from '../../model/events/msix.ts';
import { illegal, merged, untold } from '../../model/events/outcome.ts';
import { cfgRead, cfgWrite } from '../../model/events/pci.ts';
import { effectivelyMasked } from '../../model/masking.ts';
import type { Field } from '../../model/register.ts';
import { msixControl, msixControlBits, pciCommand } from '../../model/registers/pci.ts';
import { device, msixCap, msixEntry } from '../../model/things/pci.ts';
import { drop } from '../drop.ts';
import type { Actor, Machine } from '../machine.ts';
import type { BarRange } from './bars.ts';
import type { IntxPin } from './intx-pin.ts';
import type { Message, MessagePort } from './message.ts';
import { BOTH_ON, bothOn, changesMessage, changesReserved, exposed, messageOf, pendingEntries } from './msix-rules.ts';
import { MSIX_AT } from './offsets.ts';
import { pendingWords } from './pending-bits.ts';
import { TableMemory } from './table-memory.ts';
import { Wire } from './wire.ts';

/** What answered an access of the guest, and how many exits it cost. Absent on accesses that no guest made. */
export interface Served {
  readonly served: 'kernel' | 'user' | 'hardware';
  readonly exits: number;
}

const { memory, busMaster } = pciCommand.f;

/**
 * A PCI function with MSI-X as the specification defines it (PCIe 7.7.2, 6.1.4), emulated or hardware. What its
 * registers hold is the fold of the events; this class is what it does. Where the fold does not know a bit that decides, an event says so.
 */
export class PciFunction {
  readonly machine: Machine;
  readonly bdf: string;
  readonly requester: number;
  /** Object of the function in the world. */
  readonly object: ObjectId;
  readonly actor: Actor;
  /** Where its messages go. */
  port: MessagePort;
  /** Its messages on their way. */
  readonly #wire: Wire;
  /** Objects of the entries and of the capability, once asked for; they keep their numbers. */
  readonly #entries: number[] = [];
  #cap = -1;
  /** The cause that waits behind the pending bit of each entry, by object. */
  readonly #waiting = new Map<number, number>();
  /** The message of an entry from before it was written while unmasked. */
  readonly #latched = new Map<number, { address: number; data: number }>();
  /** Whether the function uses the message as it was when the entry was unmasked last (rule 8 allows both). */
  latches = false;
  #sends = false;
  readonly afterConfig: (() => void)[] = []; // called behind every write of config space
  /** Its INTx pin, where it has one. */
  pin: IntxPin | undefined;
  /** Its messages stop when INTx is disabled (PCI_DEV_FLAGS_MSI_INTX_DISABLE_BUG). */
  keepsPin = false;
  /** Its BAR, where another one is in its way: no driver can enable the function then. */
  unclaimed: BarRange | undefined;
  /** Called when a cause arises, before its message leaves. */
  onCause: ((index: number) => void) | undefined;
  /** A planted fault: the entry of which it sends nothing any more, -1 none. */
  #mute = -1;
  /** A planted fault: entries whose pending bit it does not keep, once. */
  readonly forgets: Set<ObjectId> = new Set();
  /** Where its table lies. */
  readonly memory: TableMemory = new TableMemory(this);
  /** Called after an entry's mask, address or data may have changed; the part that emulates or watches the function sets it. */
  onEntry: ((index: number) => void) | undefined;

  constructor(machine: Machine, bdf: string, port: MessagePort) {
    this.machine = machine;
    this.bdf = bdf;
    this.requester = requesterId(bdf);
    this.object = machine.world.object(device, `device/${bdf}`);
    this.actor = { layer: 'device', name: bdf, cpu: -1 };
    this.#wire = new Wire(machine, { layer: 'bus', name: bdf, cpu: -1 }, (message) => this.port.accept(message));
    this.port = port;
  }

  /** Object of an MSI-X entry. */
  entry(index: number): number {
    let entry = this.#entries[index];
    if (entry === undefined) {
      entry = this.machine.world.child(msixEntry, this.object, 'msix', index);
      this.#entries[index] = entry;
    }
    return entry;
  }

  #capability(): number {
    if (this.#cap < 0) this.#cap = this.machine.world.node(this.object)?.children.get('msixcap')?.object ?? -1;
    return this.#cap;
  }

  #command(bit: Field): boolean | undefined {
    return bit.flag(this.machine.state, this.object, device.at.command);
  }

  /** Whether the function answers memory accesses (Command bit 1); unknown counts as yes for the caller to decide. */
  get decodes(): boolean | undefined {
    return this.#command(memory);
  }

  /** Whether MSI-X is enabled; undefined while unknown. */
  get enabled(): boolean | undefined {
    return msixControl.f.enable.flag(this.machine.state, this.#capability(), msixCap.at.control);
  }

  /** Number of entries, -1 while unknown. */
  get size(): number {
    return tableSize(this.machine.state, this.object);
  }

  /** Software writes config space (aligned, 1, 2 or 4 bytes). Entries that become unmasked by it send what is pending. */
  configWrite(offset: number, size: number, value: number): void {
    const { machine } = this;
    const waiting = pendingEntries(this.machine.state, this.object);
    const before = exposed(machine.state, this.object);
    const both = bothOn(machine.state, this.object);
    machine.emit(cfgWrite, this.object, { offset, size, value });
    const step = machine.recorder.length - 1;
    if (!both && bothOn(machine.state, this.object)) machine.emit(illegal, this.object, BOTH_ON);
    for (const index of exposed(machine.state, this.object))
      if (!before.has(index)) this.#programmed(this.entry(index));
    for (const index of waiting) this.#release(index, step);
    this.pin?.update();
    for (const then of this.afterConfig) then();
    this.onEntry?.(-1);
  }

  /** Software reads config space; `value` is what the function returns. */
  configRead(offset: number, size: number, value: number): void {
    this.machine.emit(cfgRead, this.object, { offset, size, value });
  }

  /** Writes MSI-X Message Control (enable and function mask). A planted fault writes what was read before it was enabled. */
  control(enable: boolean, fmask: boolean): void {
    const size = Math.max(this.size, 1) - 1;
    const used = enable && this.enabled === true && this.#sends && this.pin !== undefined;
    const stale = used && this.machine.tamper?.spoils('R11', this.object) === true;
    this.configWrite(MSIX_AT + 2, 2, size | msixControlBits(enable && !stale, fmask));
  }

  /** Sends what an entry keeps pending, when nothing masks it any more since step `unmasked`. The fold has cleared the bit. */
  #release(index: number, unmasked: Step): void {
    const { machine } = this;
    const entry = this.entry(index);
    if (machine.state.flag(entry, msixEntry.at.pending) === true) return;
    const cause = this.#waiting.get(entry) ?? 0;
    this.#waiting.delete(entry);
    if (this.forgets.delete(entry) || machine.tamper?.strikes('F01', entry, unmasked)) {
      machine.ledger.note(cause, 'dropped', machine.now);
      return;
    }
    machine.ledger.note(cause, 'inFlight', machine.now);
    machine.as(this.actor, () => this.#send(entry, cause));
  }

  /**
   * Software accesses the table; `value` is what is written (below 2^53 or words). Returns the value read as words,
   * lowest first, undefined for a write. The rules of PCIe 6.1.4.2: aligned 4 or 8 bytes, else undefined.
   */
  table(
    index: number,
    offset: number,
    size: number,
    value: readonly number[] | undefined,
    served?: Served,
  ): number[] | undefined {
    const { machine, size: count } = this;
    const { state } = machine;
    const entry = this.entry(index);
    const write = value !== undefined;
    const ones = size > 4 ? [0xffffffff, 0xffffffff] : [0xffffffff];
    if (this.decodes === false && !machine.tamper?.strikes('F11', undefined)) {
      machine.emit(illegal, entry, {
        rule: 'memory-disabled',
        text: `${write ? 'write' : 'read'} while Memory Space Enable is 0: not claimed${write ? '' : ', reads all ones'}`,
      });
      return write ? undefined : ones;
    }
    if (count >= 0 && index >= count) {
      machine.emit(illegal, this.object, { rule: 'U5', text: `entry ${index} of a table of ${count}` });
      return write ? undefined : ones;
    }
    if ((size !== 4 && size !== 8) || offset % size !== 0) {
      machine.emit(illegal, entry, {
        rule: 'U1',
        text: `${size}-byte ${write ? 'write' : 'read'} at entry offset ${offset}: not an aligned dword or qword; discarded`,
      });
      return write ? undefined : ones;
    }
    if (!write) return this.#read(entry, offset, size, served);
    const unmasked = effectivelyMasked(state, entry) === false;
    if (unmasked && offset < 12 && changesMessage(state, entry, offset, value)) {
      machine.emit(illegal, entry, { rule: 'U2', text: 'address or data written while the entry is not masked' });
      if (this.latches && !this.#latched.has(entry)) {
        const message = messageOf(machine.state, entry);
        if (message) this.#latched.set(entry, message);
      }
    }
    if (changesReserved(state, entry, offset, value))
      machine.emit(illegal, entry, { rule: 'U6', text: 'reserved bits 15:1 of Vector Control were changed' });
    const waiting = state.flag(entry, msixEntry.at.pending) === true;
    this.memory.write(entry, offset, size);
    machine.emit(tblWrite, entry, { offset, size, value, served: served?.served, exits: served?.exits });
    const step = machine.recorder.length - 1;
    const nowMasked = effectivelyMasked(state, entry);
    if (nowMasked === true) this.#latched.delete(entry);
    if (!unmasked && nowMasked === false) this.#programmed(entry);
    if (waiting) this.#release(index, step);
    this.onEntry?.(index);
    return undefined;
  }

  /** A read of the function pushes every message that it sent before ahead of the completion (PCI ordering). */
  #read(entry: number, offset: number, size: number, served?: Served): number[] {
    const { machine } = this;
    const { state, tamper } = machine;
    const late = this.#wire.some((from) => effectivelyMasked(state, from) === true);
    if (!late || !tamper?.strikes('F04', undefined)) this.flush();
    const words = this.memory.read(entry, offset, size);
    machine.emit(tblRead, entry, { offset, size, value: words, served: served?.served, exits: served?.exits });
    return words;
  }

  /** Lands every message in flight: what a completed read of the function guarantees. */
  flush(): void {
    this.#wire.flush();
  }

  /** Software reads pending bits, from a vector (a multiple of 32) on. */
  readPba(first: number, size: number, served?: Served): number[] {
    const { machine } = this;
    if (this.decodes === false) {
      machine.emit(illegal, this.object, {
        rule: 'memory-disabled',
        text: 'read of the PBA while Memory Space Enable is 0',
      });
      return size > 4 ? [0xffffffff, 0xffffffff] : [0xffffffff];
    }
    this.flush();
    const words = pendingWords(machine, this.object, first, size);
    machine.emit(pbaRead, this.object, { first, size, value: words, served: served?.served, exits: served?.exits });
    return words;
  }

  /** Software writes the PBA, which is read-only (U3): nothing changes. */
  writePba(first: number, size: number, value: readonly number[]): void {
    this.machine.emit(pbaWrite, this.object, { first, size, value });
    this.machine.emit(illegal, this.object, { rule: 'U3', text: 'write to the pending bit array, which is read-only' });
  }

  /** A cause arises inside the function; `from`: the cause that goes on as this one, 0 none. Returns its number in the ledger. */
  raise(index: number, from = 0): number {
    const { machine } = this;
    const caller = machine.become(this.actor);
    try {
      const entry = this.entry(index);
      const cause = machine.ledger.open(machine.now, from);
      const before = machine.state.flag(entry, msixEntry.at.pending) === true;
      machine.fire(devRaise.put().vector(index).cause(cause), entry);
      this.onCause?.(index);
      const { enabled, size } = this;
      const masked = enabled ? effectivelyMasked(machine.state, entry) : undefined;
      if (size >= 0 && index >= size) this.drop(entry, cause, `the MSI-X table has ${size} entries`);
      else if (enabled === false) {
        if (this.pin) this.pin.hold(cause);
        else this.drop(entry, cause, 'MSI-X is not enabled');
      } else if (masked === undefined) {
        this.#untold(entry, cause, enabled === undefined ? 'whether MSI-X is enabled' : 'its mask bit');
      } else if (masked && !machine.tamper?.strikes('F03', entry)) {
        this.#keep(entry, cause, before);
      } else if (this.#muted(entry)) {
        this.#keep(entry, cause, this.#waiting.has(entry));
      } else if (this.#sends && machine.tamper?.strikes('I-P5', entry, machine.recorder.length - 1)) {
        machine.ledger.note(cause, 'dropped', machine.now);
      } else this.#send(entry, cause);
      return cause;
    } finally {
      machine.become(caller);
    }
  }

  /** A cause waits in the function; it merges with one that waits already. */
  #keep(entry: number, cause: number, merges: boolean): void {
    const { machine } = this;
    if (merges) machine.emit(merged, entry, { cause, into: this.#waiting.get(entry) });
    else this.#waiting.set(entry, cause);
    machine.ledger.note(cause, merges ? 'merged' : 'pending', machine.now);
  }

  /** Whether it sends nothing of an entry although nothing masks it. */
  #muted(entry: number): boolean {
    if (this.#mute < 0 && this.onCause && this.machine.tamper?.spoils('R03', entry)) this.#mute = entry;
    return this.#mute === entry;
  }

  /** Whether a cause waits in the function whose message it has not sent. */
  waits(index: number): boolean {
    return this.#waiting.has(this.entry(index));
  }

  /** The cause behind a pending bit goes away: software served it by polling (rule 3). */
  withdraw(index: number): void {
    const { machine } = this;
    machine.as(this.actor, () => {
      const entry = this.entry(index);
      const cause = this.#waiting.get(entry);
      this.#waiting.delete(entry);
      machine.emit(devWithdraw, entry, { cause });
      if (cause !== undefined) machine.ledger.note(cause, 'withdrawn', machine.now);
    });
  }

  /** U7: an entry was unmasked; it should hold a message. */
  #programmed(entry: number): void {
    const { machine } = this;
    if (messageOf(machine.state, entry)?.address === 0)
      machine.emit(illegal, entry, { rule: 'U7', text: 'unmasked while its address is 0: it was never programmed' });
  }

  #untold(object: ObjectId, cause: number, what: string): void {
    this.machine.emit(untold, object, { what, cause });
    this.machine.ledger.note(cause, 'untold', this.machine.now);
  }

  /** Ends a cause with the reason why. */
  drop(object: ObjectId, cause: number, reason: string): void {
    drop(this.machine, object, reason, cause);
  }

  #send(entry: number, cause: number): void {
    const message = this.#latched.get(entry) ?? this.memory.message(entry);
    if (message === undefined) this.#untold(entry, cause, 'the message in the entry');
    else this.send(entry, message.address, message.data, cause);
  }

  /** Sends a message write from an object of the function: it arrives after its flight. */
  send(from: number, address: number, data: number, cause: number, pasid?: number): void {
    const { machine, requester } = this;
    const master = this.#command(busMaster);
    if (master === false) {
      this.drop(from, cause, 'Bus Master Enable is 0: the function must not send');
      return;
    }
    const sent = msgSend
      .put()
      .address(address, Math.floor(address / 0x100000000))
      .data(data)
      .size(4)
      .requester(requester);
    if (pasid !== undefined) sent.pasid(pasid);
    if (cause !== 0) sent.cause(cause);
    machine.fire(sent, from);
    this.#sends = true;
    const message: Message = { address, data, requester, cause, from, ...(pasid === undefined ? {} : { pasid }) };
    this.#wire.send(message);
  }

  /** Function level reset: MSI-X off, Command 0, every entry masked with no message; what was pending is gone. */
  reset(reason = 'the function was reset'): void {
    const pending = pendingEntries(this.machine.state, this.object);
    this.machine.emit(devReset, this.object, {});
    this.#latched.clear();
    this.giveUp(pending, reason);
    this.onEntry?.(-1);
  }

  /** The causes behind pending bits that were cleared are lost, for a reason. */
  giveUp(pending: readonly number[], reason: string): void {
    for (const index of pending) {
      const entry = this.entry(index);
      const cause = this.#waiting.get(entry) ?? 0;
      this.#waiting.delete(entry);
      this.drop(entry, cause, reason);
    }
  }
}
