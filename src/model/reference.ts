import type { ObjectId, TextId } from '../base/ids.ts';

/** A node of the object tree, as far as references follow it. */
interface Place {
  readonly segment: string;
  readonly parent: Place | undefined;
  readonly children: ReadonlyMap<string, Place>;
  readonly object: ObjectId;
}

/** What references are followed in: the objects of a trace by their paths (a World). */
export interface Places {
  readonly strings: { text(id: TextId): string };
  /** The names of the system that an object belongs to. */
  spaceOf(object: ObjectId): { objectAt(path: string): ObjectId };
  node(object: ObjectId): Place | undefined;
}

/** How a value names another object. Trees, links, joins and paths follow references; no other code takes paths apart. */
export interface Reference {
  /** What the named object is to the one that names it, such as `the irq that the vector is assigned to`. */
  readonly what: string;
  /**
   * The object that `value` names, seen from `object`, which holds the value; -1 when the trace never names it. A text is
   * given by its number in the string table.
   */
  readonly find: (places: Places, object: ObjectId, value: number) => ObjectId;
}

/** A number that counts the children of a path: `byNumber('…', 'irq')` names `irq/<value>`. */
export const byNumber = (what: string, parent: string): Reference => ({
  what,
  find: (places, object, value) => places.spaceOf(object).objectAt(`${parent}/${value}`),
});

/**
 * The first segment of the paths of the processors that an object counts: a kernel inside a simulated guest (`guest/<n>/…`)
 * counts virtual CPUs, every other kernel its own CPUs.
 */
export function processorsOf(places: Places, object: ObjectId): 'cpu' | 'vcpu' {
  let node = places.node(object);
  while (node?.parent?.parent) node = node.parent;
  return node?.segment === 'guest' ? 'vcpu' : 'cpu';
}

/** The number of a processor, as the kernel that the object belongs to counts them. */
export const byProcessor = (what: string): Reference => ({
  what,
  find: (places, object, value) => places.spaceOf(object).objectAt(`${processorsOf(places, object)}/${value}`),
});

/** A text that is the last segment of a path: `byText('…', 'device')` names `device/<text>`. */
export const byText = (what: string, parent: string): Reference => ({
  what,
  find: (places, object, value) => places.spaceOf(object).objectAt(`${parent}/${places.strings.text(value)}`),
});

/** What the paths of the kernel of an object begin with, within its system: `guest/<n>/` of a simulated guest, else nothing. */
export function kernelOf(places: Pick<Places, 'node'>, object: ObjectId): string {
  let node = places.node(object);
  let last = '';
  while (node?.parent?.parent) {
    last = node.segment;
    node = node.parent;
  }
  return node?.segment === 'guest' ? `guest/${last}/` : '';
}

/** A text that is the last segment of a path of the same kernel: of a guest's kernel (`guest/<n>/…`), or of the system itself. */
export const byTextOfKernel = (what: string, parent: string): Reference => ({
  what,
  find: (places, object, value) =>
    places.spaceOf(object).objectAt(`${kernelOf(places, object)}${parent}/${places.strings.text(value)}`),
});

/** The first of several places at which an object with that number stands. */
export const byNumberAtFirst = (what: string, ...parents: readonly string[]): Reference => ({
  what,
  find: (places, object, value) => {
    const space = places.spaceOf(object);
    for (const parent of parents) {
      const found = space.objectAt(`${parent}/${value}`);
      if (found >= 0) return found;
    }
    return -1;
  },
});

/** The number of an object itself. */
export const byObject = (what: string): Reference => ({ what, find: (_places, _object, value) => value });

/** A number that counts the children of an object `up` levels above: with 2 and `collection`, `its/0/device/…` names `its/0/collection/<value>`. */
export const besides = (what: string, up: number, segment: string): Reference => ({
  what,
  find: (places, object, value) => {
    let node = places.node(object);
    for (let i = 0; i < up; i++) node = node?.parent;
    return node?.children.get(segment)?.children.get(String(value))?.object ?? -1;
  },
});
