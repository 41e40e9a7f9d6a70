import type { EventKind } from '../model/event.ts';
import { devRaise, effectivelyMasked, msgSend, ownerOf, tblRead, tblWrite } from '../model/events/msix.ts';
import { dropped, illegal, untold } from '../model/events/outcome.ts';
import { device, msixEntry } from '../model/things/pci.ts';
import type { Machine } from './machine.ts';

/** Something that must hold after every event of a run. */
export interface Invariant {
  readonly id: string;
  /** What holds, in words. */
  readonly meaning: string;
}

const E = msixEntry.at;
const COMMAND_MEMORY = 2;

/** The invariants that a scenario can watch. Source: PCIe 6.1.4, 7.7.2; the MSI-X state machine of docs/simulator.md. */
export const invariants = [
  { id: 'I-P1', meaning: 'A function sends no message of an entry that is effectively masked.' },
  { id: 'I-P2', meaning: 'A pending bit is set only while its entry is effectively masked.' },
  {
    id: 'I-P3',
    meaning:
      'Clearing the mask of an entry with its pending bit set sends exactly one message, before all else of that entry.',
  },
  { id: 'I-P4', meaning: 'An entry never sends more messages than it had causes.' },
  { id: 'INV-DECODE', meaning: 'No part answers accesses of a table while Memory Space Enable of its function is 0.' },
] as const satisfies readonly Invariant[];

/** Name of an invariant. */
export type InvariantId = (typeof invariants)[number]['id'];

/**
 * Watches invariants while a machine runs: every breach is an `illegal` event with the invariant as its rule, right
 * after the event that broke it.
 */
export class Watch {
  readonly #machine: Machine;
  readonly #ids: ReadonlySet<string>;
  /** Entries whose pending bit was seen set. */
  readonly #pending = new Set<number>();
  /** Entries that were unmasked with their pending bit set and owe one message. */
  readonly #owing = new Set<number>();
  #telling = false;

  constructor(machine: Machine, ids: readonly string[]) {
    this.#machine = machine;
    this.#ids = new Set(ids);
    machine.observe = (kind, object) => this.#look(kind, object);
  }

  #broken(id: InvariantId, object: number, text: string): void {
    if (!this.#ids.has(id) || this.#telling) return;
    this.#telling = true;
    this.#machine.emit(illegal, object, { rule: id, text });
    this.#telling = false;
  }

  #look(kind: EventKind, object: number): void {
    if (this.#telling) return;
    const { world } = this.#machine;
    if (world.type(object) === msixEntry) {
      this.#owed(kind, object);
      if (kind === msgSend) this.#sent(object);
      if ((kind === tblRead || kind === tblWrite) && this.#undecoded(object))
        this.#broken('INV-DECODE', object, 'the table answered while Memory Space Enable is 0');
      this.#settle(kind, object);
    } else if (world.type(object) === device) {
      const entries = world.node(object)?.children.get('msix')?.children;
      if (entries) for (const node of entries.values()) if (node.object >= 0) this.#settle(kind, node.object);
    }
  }

  #undecoded(entry: number): boolean {
    const { state } = this.#machine;
    const fn = ownerOf(state, entry);
    if (fn < 0 || (state.known(fn, device.at.command) & COMMAND_MEMORY) === 0) return false;
    return (state.get(fn, device.at.command) & COMMAND_MEMORY) === 0;
  }

  /** What follows an unmask with a pending bit. */
  #owed(kind: EventKind, entry: number): void {
    if (!this.#owing.has(entry)) return;
    this.#owing.delete(entry);
    if (kind !== msgSend && kind !== dropped && kind !== untold)
      this.#broken('I-P3', entry, `unmasked while pending, and ${kind.name} came before the message`);
  }

  #sent(entry: number): void {
    const { state } = this.#machine;
    if (effectivelyMasked(state, entry) === true) this.#broken('I-P1', entry, 'sent while effectively masked');
    const sends = state.get(entry, E.sends);
    const raises = state.get(entry, E.raises);
    if (sends > raises) this.#broken('I-P4', entry, `${sends} messages for ${raises} causes`);
  }

  /** Follows the pending bit of an entry. */
  #settle(kind: EventKind, entry: number): void {
    const { state } = this.#machine;
    const pending = state.flag(entry, E.pending) === true;
    if (pending && effectivelyMasked(state, entry) === false)
      this.#broken('I-P2', entry, 'pending while nothing masks it');
    if (pending) this.#pending.add(entry);
    else if (
      this.#pending.delete(entry) &&
      kind !== msgSend &&
      kind !== devRaise &&
      effectivelyMasked(state, entry) === false
    )
      this.#owing.add(entry);
  }
}
