import { dropped, untold } from '../../model/events/outcome.ts';
import { irFault } from '../../model/events/remap.ts';
import { decodersById } from '../../model/message.ts';
import { vtdIrte } from '../../model/registers/vtd.ts';
import { vector as vectorType } from '../../model/things/irq.ts';
import { irte } from '../../model/things/remap.ts';
import { irteDestination, messageKind } from '../../model/translate.ts';
import type { Message, MessagePort } from '../device/message.ts';
import type { RootComplex } from '../device/root-complex.ts';
import type { Machine } from '../machine.ts';

/** Fault reasons of VT-d: no present entry, and a requester that the entry does not let through. */
const NOT_PRESENT = 0x22;
const WRONG_SOURCE = 0x26;

const F = vtdIrte.f;

/**
 * The way of messages in a system that is known only from a trace: through the remapping entries that the trace showed, to
 * the vectors that it showed. Where it showed nothing, an event says what one would have to know.
 */
export class KnownPort implements MessagePort {
  readonly machine: Machine;
  readonly #root: RootComplex;

  constructor(machine: Machine, root: RootComplex) {
    this.machine = machine;
    this.#root = root;
  }

  accept(message: Message): void {
    const { state } = this.machine;
    const kind = messageKind(state, -1);
    const high = Math.floor(message.address / 0x100000000);
    const view = decodersById[kind].decode(message.address >>> 0, high, message.data);
    if (view === undefined || view.format === 'none') {
      // On Arm any address can be a doorbell: the translation decides what answers there.
      if (kind === 'its' || kind === 'gicv2m')
        this.#untold(message, `what answers at 0x${message.address.toString(16)}`);
      else this.#root.accept(message);
    } else if (view.format === 'remappable') this.#remap(message, view.index!);
    else if (view.vector !== null && view.destination !== null) this.#deliver(message, view.destination, view.vector);
    else this.#untold(message, `where this leads: ${view.text}`);
  }

  /** Through the entry of the VT-d table that a message names. */
  #remap(message: Message, index: number): void {
    const { machine } = this;
    const { state, world } = machine;
    const entries = [...(world.find('irte')?.children.values() ?? [])]
      .map((unit) => unit.children.get(String(index))?.object ?? -1)
      .filter((object) => state.present(object));
    const [entry] = entries;
    if (entry === undefined || entries.length > 1) {
      const which = entries.length > 1 ? 'which remapping unit serves the function' : `remapping entry ${index}`;
      this.#untold(message, which);
      return;
    }
    const cell = irte.at.value;
    if (state.flag(entry, irte.at.stale) === true) {
      this.#untold(
        message,
        'what the remapping entry holds: it was written or invalidated since the unit read it',
        entry,
      );
      return;
    }
    const present = F.present.flag(state, entry, cell);
    if (present === false) {
      this.#refuse(message, entry, index, NOT_PRESENT, 'the remapping entry is not present');
      return;
    }
    const sid = F.sid.get(state, entry, cell);
    // SVT 1 with SQ 0: all 16 bits of the requester are compared.
    const compares = F.svt.get(state, entry, cell) === 1 && F.sq.get(state, entry, cell) === 0;
    if (compares && sid >= 0 && sid !== message.requester) {
      this.#refuse(
        message,
        entry,
        index,
        WRONG_SOURCE,
        'the requester is not the one that the remapping entry lets through',
      );
      return;
    }
    const vector = F.vector.get(state, entry, cell);
    const posted = F.posted.flag(state, entry, cell);
    const destination = irteDestination(state, entry);
    if (present === undefined || posted !== false || vector < 0 || destination === null)
      this.#untold(message, 'where the remapping entry leads', entry);
    else this.#deliver(message, destination, vector);
  }

  #refuse(message: Message, entry: number, index: number, reason: number, text: string): void {
    const { machine } = this;
    machine.emit(irFault, entry, { reason, sid: message.requester, index, text });
    machine.emit(dropped, entry, message.cause === 0 ? { reason: text } : { reason: text, cause: message.cause });
    machine.ledger.note(message.cause, 'dropped', machine.now);
  }

  /** To a vector of a CPU, as far as the trace shows what that vector is for. */
  #deliver(message: Message, destination: number, vector: number): void {
    const { state, world } = this.machine;
    const object = world.objectAt(`cpu/${destination}/vector/${vector}`);
    if (state.present(object) && state.num(object, vectorType.at.irq) >= 0)
      this.#root.cpus.accept(destination, vector, message.cause, message.requester);
    else this.#untold(message, `what vector ${vector} is for at the CPU with APIC id ${destination}`);
  }

  #untold(message: Message, what: string, object = message.from): void {
    const { machine } = this;
    machine.emit(untold, object, message.cause === 0 ? { what } : { what, cause: message.cause });
    machine.ledger.note(message.cause, 'untold', machine.now);
  }
}
