import { hexText } from '../../base/hex.ts';
import type { ObjectId } from '../../base/ids.ts';
import { iommuFault } from '../../model/events/remap.ts';
import { smmuBypass, smmuConfig, smmuFault, smmuMap, smmuTrans, smmuUnmap } from '../../model/events/smmu.ts';
import { ioasMap } from '../../model/things/ims.ts';
import { smmuStream } from '../../model/things/remap.ts';
import type { Message, MessagePort } from '../device/message.ts';
import { drop, NEVER_PROGRAMMED } from '../drop.ts';
import { errno } from '../irq/domain.ts';
import type { Actor, Machine } from '../machine.ts';

/** Bytes of a page. */
export const PAGE = 0x1000;

/** Start of the page that holds an address below 2^53. */
export const pageOf = (address: number): number => address - (address % PAGE);

/** A mapping: first address, bytes, and where it leads. */
interface PageMapping {
  readonly start: number;
  readonly size: number;
  readonly output: number;
}

/** The mappings in a folder that exist in the state. */
function* mappings({ world, state }: Machine, under: string): Generator<PageMapping> {
  for (const { object, segment } of world.find(under)?.children.values() ?? []) {
    if (!state.present(object)) continue;
    const wide = (cell: number): number => state.get(object, cell) + state.get(object, cell + 1) * 0x100000000;
    yield { start: Number(segment), size: wide(ioasMap.at.size), output: wide(ioasMap.at.output) };
  }
}

/** What the mapping at an input address leads to; undefined when nothing covers it. `under`: the folder of the mappings. */
export function mapped(machine: Machine, under: string, input: number): number | undefined {
  for (const { start, size, output } of mappings(machine, under))
    if (input >= start && input < start + size) return output + (input - start);
  return undefined;
}

/** Whether any part of a range is mapped already. */
export function overlaps(machine: Machine, under: string, input: number, bytes: number): boolean {
  for (const { start, size } of mappings(machine, under))
    if (start < input + bytes && input < start + size) return true;
  return false;
}

/** Stages that translate a stream: which folders of mappings stage 2 has, and whether stage 1 comes first. */
export interface Stages {
  readonly stage1: boolean;
  /** Folders of the stage 2 mappings; empty: no stage 2. */
  readonly stage2: readonly string[];
}

/** Who takes an event of stage 1 of a stream: true when it reached the owner of that stage, so that the host need not tell it. */
export type EventTaker = (requester: number, event: string) => boolean;

/**
 * An SMMUv3 with both stages (Arm IHI 0070): stage 1 of the owner of the device's addresses, stage 2 of the owner
 * of the machine. A write that a stage does not map ends in F_TRANSLATION of that stage; the device is not informed.
 */
export class Smmu {
  readonly machine: Machine;
  readonly number: number;
  readonly actor: Actor;
  readonly #kernel: Actor = { layer: 'irq-core', name: 'smmu', cpu: 0 };
  /** Takes the events of stage 1 of guests (iommufd). */
  events: EventTaker | undefined;
  readonly #streams = new Map<number, Stages>();

  constructor(machine: Machine, number: number) {
    this.machine = machine;
    this.number = number;
    this.actor = { layer: 'remap-unit', name: `smmu${number}`, cpu: -1 };
  }

  /** Object of a stream. On PCI the StreamID is the requester ID. */
  stream(id: number): number {
    return this.machine.world.object(smmuStream, `smmu/${this.number}/stream/${hexText(id)}`);
  }

  #folder(id: number): string {
    return `smmu/${this.number}/stream/${hexText(id)}/s1`;
  }

  /** Sets which stages translate a stream; undefined: none. */
  configure(id: number, stages: Stages | undefined): void {
    if (stages) this.#streams.set(id, stages);
    else this.#streams.delete(id);
    const config =
      stages === undefined ? 'bypass' : stages.stage2.length === 0 ? 'stage 1' : stages.stage1 ? 'nested' : 'stage 2';
    this.machine.emit(smmuConfig, this.stream(id), { config });
  }

  /** How a stream is translated. */
  stages(id: number): Stages | undefined {
    return this.#streams.get(id);
  }

  /** Maps a range in stage 1 of a stream. 0 or a negative errno; ranges are whole pages. */
  map(id: number, input: number, output: number, size: number): number {
    const object = this.machine.world.object(ioasMap, `${this.#folder(id)}/${hexText(input)}`);
    const whole = input % PAGE === 0 && output % PAGE === 0 && size % PAGE === 0 && size > 0;
    const ret = !whole ? errno.EINVAL : overlaps(this.machine, this.#folder(id), input, size) ? errno.EEXIST : 0;
    this.machine.emit(smmuMap, object, { output, size, ...(ret < 0 ? { ret } : {}) });
    return ret;
  }

  /** Takes a mapping of stage 1 back, by its first address. */
  unmap(id: number, input: number): number {
    const object = this.machine.world.object(ioasMap, `${this.#folder(id)}/${hexText(input)}`);
    const ret = this.machine.state.present(object) ? 0 : errno.ENOENT;
    this.machine.emit(smmuUnmap, object, ret < 0 ? { ret } : {});
    return ret;
  }

  /** Translates the address of a write; undefined when it ended in a fault. */
  translate(message: Message): number | undefined {
    return this.machine.as(this.actor, () => {
      const { machine } = this;
      const object = this.stream(message.requester);
      const stages = this.#streams.get(message.requester);
      if (stages === undefined) {
        machine.emit(smmuBypass, object, {
          iova: message.address,
          write: true,
          reason: 'stream table entry says bypass',
        });
        return message.address;
      }
      let address = message.address;
      if (stages.stage1) {
        const output = mapped(machine, this.#folder(message.requester), address);
        if (output === undefined) return this.#fault(object, message, 1, address);
        machine.emit(smmuTrans, object, { iova: address, output, perm: 3, stage: 1 });
        address = output;
      }
      if (stages.stage2.length > 0) {
        const output = stages.stage2.map((under) => mapped(machine, under, address)).find((o) => o !== undefined);
        if (output === undefined) return this.#fault(object, message, 2, address);
        machine.emit(smmuTrans, object, { iova: address, output, perm: 3, stage: 2 });
        address = output;
      }
      return address;
    });
  }

  #fault(object: ObjectId, message: Message, stage: number, address: number): undefined {
    const { machine } = this;
    const { cause, requester } = message;
    const ipa = stage === 2 ? ` ipa ${hexText(address)}` : '';
    const event = `F_TRANSLATION s${stage} iova ${hexText(message.address)}${ipa}`;
    const why = `stage ${stage} does not map ${hexText(address)}`;
    machine.emit(smmuFault, object, { event, iova: message.address, reason: why });
    machine.as(this.#kernel, () => {
      if (stage === 1 && this.events?.(requester, event)) return;
      machine.emit(iommuFault, object, { device: hexText(requester), iova: message.address, flags: 1 });
    });
    const reason = `SMMU: ${why}`;
    drop(machine, message.from, reason, cause);
    return undefined;
  }
}

/** What takes messages of devices, and the address to which they are written. */
export interface Doorbell extends MessagePort {
  readonly doorbell: number;
}

/** The root complex of an Arm host: through the SMMU where there is one, to one of the doorbells, else a DMA write. */
export class ArmRoot implements MessagePort {
  readonly machine: Machine;
  readonly doorbells: readonly Doorbell[];
  readonly smmu: Smmu | undefined;
  /** Whose doorbells they are. */
  readonly #what: string;

  constructor(machine: Machine, doorbells: readonly Doorbell[], what: string, smmu: Smmu | undefined) {
    this.machine = machine;
    this.doorbells = doorbells;
    this.#what = what;
    this.smmu = smmu;
  }

  accept(message: Message): void {
    const { machine } = this;
    const { cause, from } = message;
    const address = message.address === 0 || !this.smmu ? message.address : this.smmu.translate(message);
    if (address === undefined) return;
    const taker = this.doorbells.find(({ doorbell }) => doorbell === address);
    if (taker) {
      taker.accept({ ...message, address });
      return;
    }
    const reason =
      address === 0 ? NEVER_PROGRAMMED : `${hexText(address)} is not the doorbell ${this.#what}: an ordinary DMA write`;
    drop(machine, from, reason, cause);
  }
}
