import { effectivelyMasked } from '../../model/events/msix.ts';
import { msixEntry } from '../../model/things/pci.ts';
import type { TraceBuilder } from '../../trace/builder.ts';

/** Which MSI-X entry or MSI capability holds which message, to tell who sent one. */
export class Holders {
  readonly #out: TraceBuilder;
  readonly #messages = new Map<number, Map<number, Set<number>>>();
  readonly #held = new Map<number, { address: number; data: number }>();

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
    let holders = byData.get(word);
    if (holders === undefined) byData.set(word, (holders = new Set()));
    holders.add(entry);
    this.#held.set(entry, { address: lo, data: word });
  }

  /** Notes what all entries of a function hold now. */
  noteFunction(dev: number): void {
    const { world } = this.#out;
    for (const node of [...(world.node(dev)?.children.get('msix')?.children.values() ?? [])]) this.note(node.object);
  }

  /** Forgets what an entry held. */
  drop(entry: number): void {
    const old = this.#held.get(entry);
    if (old) this.#messages.get(old.address)?.get(old.data)?.delete(entry);
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
    const { world } = this.#out;
    const ownedBy = (object: number): number => {
      const parent = world.node(object)?.parent;
      return (world.type(object) === msixEntry ? parent?.parent : parent)?.object ?? -1;
    };
    if (holders.has(hint) && (sender < 0 || ownedBy(hint) === sender)) return hint;
    let found = -1;
    for (const entry of holders) {
      if (sender >= 0 && ownedBy(entry) !== sender) continue;
      if (world.type(entry) === msixEntry && effectivelyMasked(this.#out.state, entry) === true) continue;
      if (found >= 0) return -1;
      found = entry;
    }
    return found;
  }
}
