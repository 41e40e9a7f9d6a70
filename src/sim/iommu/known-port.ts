import type { ObjectId } from '../../base/ids.ts';
import {
  type Delivery,
  deliveryOf,
  destinationText,
  FIRST_LEGAL_VECTOR,
  isBroadcast,
  pends,
} from '../../model/apic/local-apics.ts';
import { dropped, untold } from '../../model/events/outcome.ts';
import { irFault, isOutdated } from '../../model/events/remap.ts';
import { decodersById, type MessageKind } from '../../model/message.ts';
import { isInterruptAddress } from '../../model/registers/x86.ts';
import { vector as vectorType } from '../../model/things/irq.ts';
import { irte, remapUnit } from '../../model/things/remap.ts';
import { messageKind } from '../../model/translate.ts';
import { type Faulted, faultOf, readEntry, readMessage, type VtdConfiguration } from '../../model/vtd.ts';
import type { Message, MessagePort } from '../device/message.ts';
import type { RootComplex } from '../device/root-complex.ts';
import type { Machine } from '../machine.ts';
import { refusalText } from './vtd-unit.ts';

/**
 * The way of messages in a system that is known only from a trace: through the remapping entries that the trace showed, to
 * the vectors that it showed. Where it showed nothing, an event says what one would have to know.
 */
export class KnownPort implements MessagePort {
  readonly machine: Machine;
  readonly #root: RootComplex;
  readonly #emulated: boolean;

  /** `emulated`: the trace is a log of QEMU, whose units let messages in compatibility format pass, remapping on or off. */
  constructor(machine: Machine, root: RootComplex, emulated: boolean) {
    this.machine = machine;
    this.#root = root;
    this.#emulated = emulated;
  }

  accept(message: Message): void {
    const { state } = this.machine;
    const kind = messageKind(state, -1);
    if (kind === 'vtd' && isInterruptAddress(message.address)) {
      this.#remap(message);
      return;
    }
    this.#direct(message, kind);
  }

  /** Without remapping: as the message itself says. */
  #direct(message: Message, kind: MessageKind = 'x86'): void {
    const high = Math.floor(message.address / 0x100000000);
    const view = decodersById[kind].decode(message.address >>> 0, high, message.data);
    if (view === undefined || view.format === 'none') {
      // On Arm any address can be a doorbell: the translation decides what answers there.
      if (kind === 'its' || kind === 'gicv2m')
        this.#untold(message, `what answers at 0x${message.address.toString(16)}`);
      else this.#root.accept(message);
    } else if (view.destination !== null)
      this.#deliver(message, { ...deliveryOf(message.address, message.data), destination: view.destination });
    else this.#untold(message, `where this leads: ${view.text}`);
  }

  /** Through the remapping unit, as far as the trace shows how it is set up and what its table holds. */
  #remap(message: Message): void {
    const unit = this.#unit();
    const reading = readMessage(this.#configuration(unit), message);
    switch (reading.kind) {
      case 'through':
        this.#direct(message);
        return;
      case 'untold':
        this.#untold(message, reading.what);
        return;
      case 'fault':
        this.#refuse(message, unit < 0 ? message.from : unit, reading, reading.index);
        return;
      case 'entry':
        this.#use(message, reading.index, reading.reserved);
    }
  }

  /** The VT-d unit of the system, -1 when the trace shows none or several. */
  #unit(): number {
    const { state, world } = this.machine;
    const units = [...(world.find('irte')?.children.values() ?? [])]
      .map(({ object }) => object)
      .filter((object) => state.present(object) && world.type(object) === remapUnit);
    return units.length === 1 ? units[0]! : -1;
  }

  /** How a unit is set up, as far as the trace shows that. */
  #configuration(unit: number): VtdConfiguration {
    const { state } = this.machine;
    const flag = (cell: number): boolean | null => (unit < 0 ? null : (state.flag(unit, cell) ?? null));
    const eim = flag(remapUnit.at.eim);
    const entries = unit < 0 ? -1 : state.num(unit, remapUnit.at.entries);
    return {
      enabled: flag(remapUnit.at.enabled),
      eim,
      passes: this.#emulated ? true : eim === true ? false : null,
      entries: entries < 0 ? null : entries,
    };
  }

  /** Through the entry that a message names. */
  #use(message: Message, index: number, reserved: boolean): void {
    const { state, world } = this.machine;
    const entries = [...(world.find('irte')?.children.values() ?? [])]
      .map((unit) => unit.children.get(String(index))?.object ?? -1)
      .filter((object) => state.present(object));
    const [entry] = entries;
    if (entry === undefined || entries.length > 1) {
      const which = entries.length > 1 ? 'which remapping unit serves the function' : `remapping entry ${index}`;
      this.#untold(message, which);
      return;
    }
    if (state.flag(entry, irte.at.stale) === true || isOutdated(state, entry)) {
      const what = 'what the remapping entry holds: it was written or invalidated since the unit read it';
      this.#untold(message, what, entry);
      return;
    }
    const cells = [0, 1, 2, 3].map((i) => irte.at.value + i);
    const bits = { words: cells.map((c) => state.get(entry, c)), known: cells.map((c) => state.known(entry, c)) };
    const unit = this.#configuration(world.node(entry)?.parent?.object ?? -1);
    const used = readEntry(unit, bits, message.requester, reserved);
    switch (used.kind) {
      case 'untold':
        this.#untold(message, used.what, entry);
        return;
      case 'fault':
        this.#refuse(message, entry, used, index);
        return;
      case 'posted': {
        const where = `0x${used.descriptor.toString(16)}`;
        this.#untold(message, `which virtual CPU has the posted-interrupt descriptor at ${where}`, entry);
        return;
      }
      case 'remapped':
        this.#deliver(
          message,
          {
            destination: used.dest,
            logical: used.destMode === 1,
            mode: used.deliveryMode,
            vector: used.vector,
            level: used.trigger === 1,
            hint: false,
          },
          entry,
        );
    }
  }

  #refuse(message: Message, object: ObjectId, fault: Faulted, index?: number): void {
    const { machine } = this;
    const { cause, requester } = message;
    const { reason, quiet } = fault;
    // The bus knows no object for a unit that the trace does not show: the sender stands for it.
    if (!quiet && object !== message.from)
      machine.emit(irFault, object, {
        reason,
        sid: requester,
        text: faultOf(reason).text,
        ...(index === undefined ? {} : { index }),
      });
    machine.emit(dropped, object, { reason: refusalText(fault), ...(cause === 0 ? {} : { cause }) });
    machine.ledger.note(cause, 'dropped', machine.now);
  }

  /** To a CPU, as far as the trace shows which one it is and what the vector is for. `object`: what would have to be known otherwise. */
  #deliver(message: Message, to: Delivery, object = message.from): void {
    const { state, world } = this.machine;
    const { destination, logical, mode, vector } = to;
    // How the local APICs are set up, which no trace tells, decides who takes what is for several.
    if (logical || isBroadcast('flat', destination)) {
      this.#untold(message, `which CPUs the ${destinationText(to)} names`, object);
      return;
    }
    const usesVector = pends(mode) && vector >= FIRST_LEGAL_VECTOR;
    const at = world.objectAt(usesVector ? `cpu/${destination}/vector/${vector}` : `cpu/${destination}`);
    const known = state.present(at) && (!usesVector || state.num(at, vectorType.at.irq) >= 0);
    if (known) this.#root.apics.deliver(to, message);
    else if (usesVector) this.#untold(message, `what vector ${vector} is for at the CPU with APIC id ${destination}`);
    else this.#untold(message, `which CPU has APIC id ${destination}`);
  }

  #untold(message: Message, what: string, object = message.from): void {
    const { machine } = this;
    machine.emit(untold, object, message.cause === 0 ? { what } : { what, cause: message.cause });
    machine.ledger.note(message.cause, 'untold', machine.now);
  }
}
