import type { ObjectId } from '../../base/ids.ts';

/** The parts of an interrupt; of each it has one at most. */
export const PARTS = ['entry', 'guestEntry', 'irq', 'guestIrq', 'vfio', 'guestVfio', 'route', 'irqfd', 'line'] as const;
export type Part = (typeof PARTS)[number];

/** What belongs to one interrupt. */
export type Group = Record<Part, ObjectId>;

/**
 * Parts of interrupts, put together pair by pair. Two groups that both have some part, but not the same, are two interrupts: they
 * stay apart, whatever names one from the other. So no object is ever in two groups.
 */
export class Groups {
  /** The group of each object; several steps may lead there. */
  readonly #groups = new Map<ObjectId, { group: Group; into: ObjectId }>();

  /** Adds an object as a part; it stands alone until it is joined. */
  add(object: ObjectId, part: Part): void {
    const group = {
      ...{ entry: -1, guestEntry: -1, irq: -1, guestIrq: -1 },
      ...{ vfio: -1, guestVfio: -1, route: -1, irqfd: -1, line: -1 },
    };
    group[part] = object;
    this.#groups.set(object, { group, into: object });
  }

  /** The group of an object; undefined when it was not added. */
  of(object: ObjectId): Group | undefined {
    const root = this.#root(object);
    return root < 0 ? undefined : this.#groups.get(root)!.group;
  }

  /** Makes the groups of two objects one, if they can be; says whether the two are in one group now. */
  join(a: ObjectId, b: ObjectId): boolean {
    const into = this.#root(a);
    const from = this.#root(b);
    if (into < 0 || from < 0) return false;
    if (into === from) return true;
    const { group } = this.#groups.get(into)!;
    const other = this.#groups.get(from)!;
    for (const part of PARTS) if (group[part] >= 0 && other.group[part] >= 0) return false;
    for (const part of PARTS) if (other.group[part] >= 0) group[part] = other.group[part];
    other.into = into;
    return true;
  }

  /** All groups, in the order in which their first objects were added. */
  all(): Group[] {
    const found: Group[] = [];
    for (const [object, { group, into }] of this.#groups) if (into === object) found.push(group);
    return found;
  }

  #root(object: ObjectId): ObjectId {
    let at = object;
    for (let found = this.#groups.get(at); ; found = this.#groups.get(at)) {
      if (found === undefined) return -1;
      if (found.into === at) break;
      at = found.into;
    }
    // Those on the way lead there at once from now on.
    for (let next = object; next !== at; ) {
      const found = this.#groups.get(next)!;
      next = found.into;
      found.into = at;
    }
    return at;
  }
}
