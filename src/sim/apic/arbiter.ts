/**
 * Chooses who takes a message of lowest priority: of the processors that it may go to, those with the lowest priority, in turn. Which one a
 * chipset takes is up to it (SDM vol. 3 "Lowest Priority Delivery Mode"); KVM counts what it gave to each (kvm_apic_compare_prio), or hashes.
 */
export class Arbiter {
  readonly #given = new Map<number, number>();

  choose(candidates: readonly number[], priority: (n: number) => number): number {
    let chosen = -1;
    for (const n of candidates) {
      const less = chosen < 0 ? -1 : priority(n) - priority(chosen) || this.#of(n) - this.#of(chosen);
      if (less < 0) chosen = n;
    }
    if (candidates.length > 1) this.#given.set(chosen, this.#of(chosen) + 1);
    return chosen;
  }

  #of(n: number): number {
    return this.#given.get(n) ?? 0;
  }
}
