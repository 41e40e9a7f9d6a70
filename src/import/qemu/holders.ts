import { effectivelyMasked, grantedVectors } from '../../model/masking.ts';
import { msi, msixEntry } from '../../model/things/pci.ts';
import type { TraceBuilder } from '../../trace/builder.ts';

/** Which MSI-X entry or MSI capability holds which message, to tell who sent one. */
export class Holders {
  readonly #out: TraceBuilder;
  readonly #messages = new Map<number, Map<number, Set<number>>>();
  readonly #held = new Map<number, { address: number; words: readonly number[] }>();

  constructor(out: TraceBuilder) {
    this.#out = out;
  }

  /** Notes which message an entry (or MSI capability) holds now. */
  note(entry: number, address?: number, data?: number): void {
    const { state, world } = this.#out;
    if (entry < 0) return;
    this.drop(entry);
    let lo = address ?? -1;
    let word = data ?? -1;
    if (address === undefined && world.type(entry) === msixEntry && state.present(entry)) {
      lo = state.num(entry, msixEntry.at.address);
      word = state.num(entry, msixEntry.at.data);
    }
    if (lo <= 0 || word < 0) return;
    let byData = this.#messages.get(lo);
    if (byData === undefined) this.#messages.set(lo, (byData = new Map()));
    const words = this.#wordsOf(entry, word);
    for (const one of words) {
      let holders = byData.get(one);
      if (holders === undefined) byData.set(one, (holders = new Set()));
      holders.add(entry);
    }
    this.#held.set(entry, { address: lo, words });
  }

  /** The data that an entry sends: the vectors of an MSI function differ in the low bits (PCIe 6.1.4.1). */
  #wordsOf(entry: number, word: number): readonly number[] {
    const { state, world } = this.#out;
    const granted = world.type(entry) === msi ? Math.max(1, grantedVectors(state, entry)) : 1;
    const first = word - (word & (granted - 1));
    return granted === 1 ? [word] : Array.from({ length: granted }, (_, vector) => first + vector);
  }

  /** Notes what all entries of a function hold now. */
  noteFunction(dev: number): void {
    const { world } = this.#out;
    for (const node of [...(world.node(dev)?.children.get('msix')?.children.values() ?? [])]) this.note(node.object);
  }

  /** Forgets what an entry held. */
  drop(entry: number): void {
    const old = this.#held.get(entry);
    for (const word of old?.words ?? []) this.#messages.get(old!.address)?.get(word)?.delete(entry);
    this.#held.delete(entry);
  }

  /** Forgets what the entries below an object held. */
  dropBelow(object: number): void {
    const { world } = this.#out;
    const prefix = `${world.path(object)}/`;
    for (const entry of [...this.#held.keys()]) if (world.path(entry).startsWith(prefix)) this.drop(entry);
  }

  /**
   * Who holds a message: `hint` if it does, else the only unmasked holder, else -1. Where the function that sent it is
   * known (`sender`, else -1), only what belongs to that counts.
   */
  of(address: number, data: number, hint: number, sender: number): number {
    const holders = this.#messages.get(address)?.get(data);
    if (holders === undefined) return -1;
    if (holders.has(hint) && (sender < 0 || this.#ownerOf(hint) === sender)) return hint;
    let found = -1;
    for (const entry of holders) {
      if (!this.#sends(entry, sender)) continue;
      if (found >= 0) return -1;
      found = entry;
    }
    return found;
  }

  /**
   * Who can have written to an address: the only unmasked holder of a message for it, else the function that holds several
   * (`sender`, or the only one that does), else -1: nobody, or it cannot be told.
   */
  at(address: number, sender: number): number {
    let entry = -1;
    let owner = -1;
    for (const holders of this.#messages.get(address)?.values() ?? [])
      for (const holder of holders) {
        if (!this.#sends(holder, sender)) continue;
        const of = this.#ownerOf(holder);
        if (owner >= 0 && of !== owner) return -1;
        entry = owner < 0 ? holder : -1;
        owner = of;
      }
    return entry >= 0 ? entry : owner;
  }

  /** The function of an entry or MSI capability. */
  #ownerOf(object: number): number {
    const { world } = this.#out;
    const parent = world.node(object)?.parent;
    return (world.type(object) === msixEntry ? parent?.parent : parent)?.object ?? -1;
  }

  /** Whether a holder can send: it belongs to the function that did, where that is known, and nothing masks it. */
  #sends(entry: number, sender: number): boolean {
    if (sender >= 0 && this.#ownerOf(entry) !== sender) return false;
    const { world, state } = this.#out;
    return world.type(entry) !== msixEntry || effectivelyMasked(state, entry) !== true;
  }
}
