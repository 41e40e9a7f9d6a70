import { hex64, hexText } from '../../base/hex.ts';
import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { hcallGrant, hcallReturn } from '../../model/events/hypervisor.ts';
import { imsFree, imsStore } from '../../model/events/ims.ts';
import type { State } from '../../model/state.ts';
import { imsEntry } from '../../model/things/ims.ts';
import type { World } from '../../model/world.ts';
import type { Happened } from '../rule.ts';

/** Kinds that tell which messages a hypervisor granted, and which ones guests stored. */
export const grantKinds: readonly EventKind[] = [hcallGrant, hcallReturn, imsStore, imsFree];

/** Where an entry lies that a guest writes without any trap. */
const UNTRAPPED = 'queue memory';

/** A message that a hypervisor granted. */
export interface Granted {
  readonly step: Step;
  readonly object: ObjectId;
  /** Virtual machine that asked for it: its number, or -1 until its hypercall returned. */
  vm: number;
  /** The function that may send it. */
  readonly device: string;
}

/** A message that a guest stored. */
export interface Stored {
  readonly step: Step;
  /** Virtual machine whose software stored it: its number, or -1. */
  readonly vm: number;
  readonly message: string;
  readonly device: string;
}

/** Which messages are granted to whom, and which ones lie in queue memory. */
export class Grants {
  readonly #granted = new Map<string, Granted>();
  readonly #stored = new Map<ObjectId, Stored>();
  readonly #vms = new Map<number, number>();
  /** The grant whose hypercall has not returned yet. */
  #asked: Granted | undefined;

  /** Notes an event of `grantKinds`; the state is the one after it. */
  note(step: Step, { kind, object, words, at, task }: Happened, state: State): void {
    const { world } = state;
    if (kind === hcallReturn) {
      if (this.#asked !== undefined) this.#asked.vm = Number(world.node(object)?.segment ?? -1);
      this.#asked = undefined;
    } else if (kind === hcallGrant) {
      const { device, address, data, release } = hcallGrant.read(words, at);
      const key = `${hex64(address(1), address(0))}/${hexText(data)}`;
      if (release) this.#granted.delete(key);
      else {
        this.#asked = { step, object, vm: -1, device: world.strings.text(device) };
        this.#granted.set(key, this.#asked);
      }
    } else if (kind === imsFree) this.#stored.delete(object);
    else if (inQueueMemory(state, object)) {
      const message = messageOf(state, object);
      if (message !== '')
        this.#stored.set(object, { step, vm: this.#vmOf(world, task), message, device: deviceOf(world, object) });
    }
  }

  /** The grant of a message, by its text. */
  granted(message: string): Granted | undefined {
    return this.#granted.get(message);
  }

  /** What an entry in queue memory holds. */
  stored(entry: ObjectId): Stored | undefined {
    return this.#stored.get(entry);
  }

  /** Entries in queue memory that hold a message. */
  *holding(message: string): Generator<readonly [ObjectId, Stored]> {
    for (const pair of this.#stored) if (pair[1].message === message) yield pair;
  }

  /** The virtual machine whose software recorded an event, by the name of who did: `guest-kernel/vm0.vcpu0`. */
  #vmOf(world: World, task: number): number {
    let vm = this.#vms.get(task);
    if (vm === undefined) {
      const m = /vm(\d+)\b/.exec(world.strings.text(task));
      this.#vms.set(task, (vm = m ? Number(m[1]) : -1));
    }
    return vm;
  }
}

/** Whether an entry lies where the guest writes it without a trap. */
export const inQueueMemory = (state: State, entry: ObjectId): boolean =>
  state.text(entry, imsEntry.at.store) === UNTRAPPED;

/** The message of an entry as text; empty while a part of it is not known, or it is all zero. */
export function messageOf(state: State, entry: ObjectId): string {
  const A = imsEntry.at;
  const [lo, hi, data] = [state.num(entry, A.address), state.num(entry, A.address + 1), state.num(entry, A.data)];
  if (lo < 0 || hi < 0 || data < 0 || (lo === 0 && hi === 0 && data === 0)) return '';
  return `${hex64(hi, lo)}/${hexText(data)}`;
}

/** The function that an entry belongs to: `0000:03:00.0`. */
export const deviceOf = (world: World, entry: ObjectId): string => world.node(entry)?.parent?.parent?.segment ?? '?';

/** `vm0`, or `a guest`. */
export const vmName = (vm: number): string => (vm < 0 ? 'a guest' : `vm${vm}`);
