import type { ObjectId } from '../../base/ids.ts';
import { lineSet } from '../../model/events/cpu.ts';
import { ioapicEoi, ioapicIrr, ioapicWrite } from '../../model/events/ioapic.ts';
import { packRegister } from '../../model/register.ts';
import {
  ioApicEntry,
  ioApicHandle,
  vtdAddressFor,
  x86AddressWords,
  x86Data,
  x86Destination,
} from '../../model/registers/x86.ts';
import { domain as domainType, pin as pinType } from '../../model/things/irq.ts';
import type { MessagePort } from '../device/message.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import type { Composed, Domain, Irq } from './domain.ts';

/** Requester ID of the I/O APIC: the one of QEMU's Q35 platform. */
export const IO_APIC_REQUESTER = 0xff00;
/** Nanoseconds of an access of the redirection table, which goes through index and data window. */
const ACCESS = 900;
const HIGH = 0x100000000;
const { vector, trigger, mask, remoteIrr, dest, destMode, deliveryMode } = ioApicEntry.f;

/** What a pin is to send. */
export interface PinProgram {
  readonly vector: number;
  readonly level: boolean;
  readonly masked: boolean;
  /** CPU that it goes to. */
  readonly cpu: number;
  /** Entry of the remapping table that its message names instead. */
  readonly entry?: number;
}

/** The redirection table that a kernel writes: of the host's I/O APIC, or of the one that KVM has for a guest. */
export interface PinTable {
  readonly machine: Machine;
  program(pin: number, program: PinProgram): void;
}

/**
 * The I/O APIC of the host (82093AA 3.2.4): turns the wires of its pins into messages. A level-triggered pin sends once, and
 * again after the end of that interrupt while its wire is still asserted.
 */
export class IoApic implements PinTable {
  readonly machine: Machine;
  readonly actor: Actor = { layer: 'bus', name: 'ioapic0', cpu: -1 };
  readonly #port: MessagePort;
  readonly #pins = new Map<number, ObjectId>();
  /** Table entries that the messages of pins name. In hardware the upper half of the redirection entry holds them. */
  readonly #entries = new Map<ObjectId, number>();

  constructor(machine: Machine, port: MessagePort) {
    this.machine = machine;
    this.#port = port;
  }

  /** Object of a pin. */
  pin(n: number): ObjectId {
    let object = this.#pins.get(n);
    if (object === undefined) {
      object = this.machine.world.object(pinType, `ioapic/0/pin/${n}`);
      this.#pins.set(n, object);
    }
    return object;
  }

  /** Software writes the redirection entry of a pin, the upper half first. */
  program(n: number, { vector: number, level, masked, cpu, entry }: PinProgram): void {
    const { machine } = this;
    const at = this.pin(n);
    const [low, high] = packRegister(ioApicEntry, {
      vector: number,
      trigger: level ? 1 : 0,
      mask: masked ? 1 : 0,
      dest: entry === undefined ? cpu : 0,
    }) as [number, number];
    if (entry === undefined) this.#entries.delete(at);
    else this.#entries.set(at, entry);
    const [handleLow, handleHigh] = entry === undefined ? [0, 0] : ioApicHandle(entry);
    machine.emit(ioapicWrite, at, { high: true, value: (high | handleHigh) >>> 0 });
    machine.emit(ioapicWrite, at, { high: false, value: (low | handleLow) >>> 0 });
    if (level && machine.state.flag(at, pinType.at.level) === true) this.#send(at);
  }

  /** The wire of a pin is driven. */
  line(n: number, level: boolean): void {
    const { machine } = this;
    const { state } = machine;
    const at = this.pin(n);
    const rises = level && state.flag(at, pinType.at.level) !== true;
    machine.as(this.actor, () => {
      machine.emit(lineSet, at, { level });
      if (rises) this.#send(at);
    });
  }

  /** The end of an interrupt is broadcast by a local APIC: pins with that vector send again while they are asserted. */
  eoi(ended: number): void {
    const { machine } = this;
    const { state } = machine;
    for (const at of this.#pins.values()) {
      const low = state.get(at, pinType.at.entry);
      if (vector.of(low) !== ended || !trigger.in(low) || !remoteIrr.in(low)) continue;
      machine.as(this.actor, () => {
        machine.emit(ioapicEoi, at, { vector: ended });
        if (state.flag(at, pinType.at.level) === true) this.#send(at);
      });
    }
  }

  #send(at: ObjectId): void {
    const { machine } = this;
    const [low, high] = [machine.state.get(at, pinType.at.entry), machine.state.get(at, pinType.at.entry + 1)];
    if (low === 0 || mask.in(low) || remoteIrr.in(low)) return;
    const level = trigger.in(low);
    if (level) machine.emit(ioapicIrr, at, { set: true });
    const entry = this.#entries.get(at);
    this.#port.accept({
      address: entry === undefined ? x86AddressWords(dest.of(high), destMode.of(low))[0] : vtdAddressFor(entry, false),
      data: packRegister(x86Data, {
        vector: vector.of(low),
        deliveryMode: deliveryMode.of(low),
        trigger: level ? 1 : 0,
      })[0]!,
      requester: IO_APIC_REQUESTER,
      cause: 0,
      from: at,
    });
  }
}

/** The domain of the I/O APIC: stores messages as redirection entries of level-triggered pins, and masks there. */
export class IoApicDomain implements Domain {
  readonly name = 'IO-APIC-0';
  readonly wired = true;
  readonly object: ObjectId;
  readonly parent: Domain;
  readonly #apic: PinTable;
  readonly #stored = new Map<Irq, Composed>();

  constructor(apic: PinTable, parent: Domain, prefix = '') {
    this.#apic = apic;
    this.parent = parent;
    this.object = apic.machine.world.object(domainType, `${prefix}domain/${this.name}`);
  }

  *alloc(): Actions<number> {
    return 0;
  }

  *free(irq: Irq): Actions {
    this.#stored.delete(irq);
  }

  *activate(): Actions<number> {
    return 0;
  }

  *deactivate(irq: Irq): Actions {
    yield* this.#write(irq, true);
  }

  *store(irq: Irq, message: Composed): Actions {
    this.#stored.set(irq, message);
    yield* this.#write(irq, irq.masked);
  }

  *mask(irq: Irq, masked: boolean): Actions {
    yield* this.#write(irq, masked);
  }

  *#write(irq: Irq, masked: boolean): Actions {
    const message = this.#stored.get(irq);
    if (message === undefined) return;
    yield ACCESS;
    this.#apic.program(irq.hwirq, {
      vector: x86Data.f.vector.of(message.data),
      cpu: x86Destination(message.address % HIGH, Math.floor(message.address / HIGH)),
      level: true,
      masked,
    });
  }
}
