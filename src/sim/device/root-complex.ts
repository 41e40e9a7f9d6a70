import { type ApicModel, deliveryOf } from '../../model/apic/local-apics.ts';
import { isInterruptAddress } from '../../model/registers/x86.ts';
import { ApicBus } from '../apic/apic-bus.ts';
import { drop, NEVER_PROGRAMMED } from '../drop.ts';
import type { Cpus } from '../irq/cpus.ts';
import type { Machine } from '../machine.ts';
import type { Message, MessagePort } from './message.ts';

/**
 * What the CPU side of the bridge does with a message. Remapping units, an ITS or an SMMU put themselves in front; each
 * hands on what it lets through.
 */
export interface Translator {
  /** Returns the message to go on with, or undefined when it ended here (an event says why). */
  translate(message: Message): Message | undefined;
}

/** The root complex of an x86 host: messages to 0xFEEx_xxxx go to local APICs, all other writes are unexpected DMA writes. */
export class RootComplex implements MessagePort {
  readonly machine: Machine;
  readonly cpus: Cpus;
  /** The local APICs that messages reach. */
  readonly apics: ApicBus;
  /** The remapping unit, when there is one and it is on. */
  translator: Translator | undefined;
  /** Handles a write that is no interrupt message; returns the reason why it had no effect. The DMA side of the IOMMU. */
  memory: ((message: Message) => string) | undefined;

  /** Messages without remapping name APIC ids of 15 bits. */
  readonly #extended: boolean;

  constructor(machine: Machine, cpus: Cpus, model: ApicModel, extended = false) {
    this.machine = machine;
    this.cpus = cpus;
    this.apics = new ApicBus(cpus, model);
    this.#extended = extended;
  }

  accept(message: Message): void {
    const { machine } = this;
    if (!isInterruptAddress(message.address)) {
      const reason =
        message.address === 0
          ? NEVER_PROGRAMMED
          : (this.memory?.(message) ??
            `0x${message.address.toString(16)} is no interrupt address: an ordinary DMA write`);
      drop(machine, message.from, reason, message.cause);
      return;
    }
    const through = this.translator ? this.translator.translate(message) : message;
    if (through === undefined) return;
    this.deliver(through);
  }

  /** Hands a message in compatibility format to the local APICs that it names. */
  deliver(message: Message): void {
    this.apics.deliver(deliveryOf(message.address, message.data, this.#extended), message);
  }
}
