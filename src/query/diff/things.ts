import type { ObjectId, Step } from '../../base/ids.ts';
import { lastAtMost } from '../../base/search.ts';
import type { World } from '../../model/world.ts';
import { fixedPath, type NumberedPath, numberIn } from './numbers.ts';

/** Number of a thing in its trace, from 0. */
export type ThingId = number;

/**
 * A thing that events are about, as it can be known again in another trace: an object whose path says what it is, or one life of a
 * number that the system gave out (a Linux irq from its set-up to its teardown).
 */
export interface Thing {
  /** The space of its number; undefined where the path says what it is. */
  readonly space: string | undefined;
  readonly number: number;
  /** Path of the object by which it was met first. */
  path: string;
  /** Name of the type of that object; the empty text while only arguments name the thing. */
  type: string;
  readonly first: Step;
  /** What tells that a thing of another trace is the same one: `entry …`, `action …`. */
  readonly names: Set<string>;
  /** Grows with its first events; likely to be equal for the same thing in two traces. */
  signature: number;
  events: number;
  /** Number of the kind of its first event; -1 while only arguments name it. */
  firstKind: number;
  /** Whose number it is, as the last event that claims it says. */
  owner: string;
  /** It was set up; it was torn down, and the next set-up begins another life. */
  setUp: boolean;
  ended: boolean;
  /** Domains that hold something for it. */
  held: number;
}

interface Lives {
  readonly from: Step[];
  readonly things: ThingId[];
}

/** The things of one trace, and which of them belong to one interrupt. */
export class Things {
  readonly all: Thing[] = [];
  /** Pairs of things that belong to the same interrupt. */
  readonly links: (readonly [ThingId, ThingId])[] = [];
  readonly #linked = new Set<number>();
  readonly #world: World;
  readonly #fixed = new Map<string, ThingId>();
  readonly #ofObject: (ThingId | undefined)[] = [];
  readonly #numbered: (NumberedPath | null | undefined)[] = [];
  readonly #lives = new Map<string, Map<number, Lives>>();
  /** Entries of tables that were known by their address, with the entry of a function that each turned out to be; -1: several. */
  readonly #turned = new Map<ObjectId, ObjectId>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The number in the path of an object; null when the path says what it is. */
  numbered(object: ObjectId): NumberedPath | null {
    let known = this.#numbered[object];
    if (known === undefined) this.#numbered[object] = known = numberIn(this.#world.path(object)) ?? null;
    return known;
  }

  /** The thing that an object with a fixed path is. */
  fixed(object: ObjectId, step: Step): ThingId {
    let thing = this.#ofObject[object];
    if (thing !== undefined) return thing;
    const path = fixedPath(this.#world.path(object));
    thing = this.#fixed.get(path);
    if (thing === undefined) {
      thing = this.#make(undefined, -1, path, this.#world.type(object)?.name ?? '', step);
      this.#fixed.set(path, thing);
    }
    this.#ofObject[object] = thing;
    return thing;
  }

  /** The thing that an object with a fixed path is; -1 when it was never met. */
  fixedAt(object: ObjectId): ThingId {
    return this.#ofObject[object] ?? this.#fixed.get(fixedPath(this.#world.path(object))) ?? -1;
  }

  /** The thing that an object is at a step; made when it is new. */
  of(object: ObjectId, step: Step): ThingId {
    const slot = this.numbered(object);
    if (slot === null) return this.fixed(object, step);
    return this.life(slot.space, slot.number, step, this.#world.path(object), this.#world.type(object)?.name);
  }

  /** The last life of a number so far; made when it is new. `path`, `type`: of the object that has the number. */
  life(space: string, number: number, step: Step, path = `${space}/${number}`, type = ''): ThingId {
    const lives = this.#livesOf(space, number);
    const last = lives.things.at(-1);
    if (last === undefined) {
      const made = this.#make(space, number, path, type, step);
      lives.from.push(step);
      lives.things.push(made);
      return made;
    }
    const thing = this.all[last]!;
    if (thing.type === '' && type !== '') {
      thing.path = path;
      thing.type = type;
    }
    return last;
  }

  /** Begins another life of a number, whose last life is `before`. */
  begin(before: ThingId, step: Step): ThingId {
    const { space, number, path, type } = this.all[before]!;
    const lives = this.#livesOf(space!, number);
    const thing = this.#make(space, number, path, type, step);
    lives.from.push(step);
    lives.things.push(thing);
    return thing;
  }

  /** The thing that a number means at a step, -1 when none has that number; the first life also before it began. */
  at(space: string, number: number, step: Step): ThingId {
    const lives = this.#lives.get(space)?.get(number);
    return lives === undefined ? -1 : lives.things[Math.max(0, lastAtMost(lives.from, step))]!;
  }

  /** The numbers of a space that were met, with their things. */
  *spaces(): Generator<readonly [space: string, numbers: ReadonlyMap<number, Lives>]> {
    yield* this.#lives;
  }

  /** Says that two things belong to the same interrupt. */
  link(a: ThingId, b: ThingId): void {
    if (a === b || a < 0 || b < 0) return;
    const key = Math.min(a, b) * 0x4000000 + Math.max(a, b);
    if (this.#linked.has(key)) return;
    this.#linked.add(key);
    this.links.push([a, b]);
  }

  /** An entry of a table that was known by its address is that of a function. */
  turnsOut(object: ObjectId, entry: ObjectId): void {
    const before = this.#turned.get(object);
    this.#turned.set(object, before === undefined || before === entry ? entry : -1);
  }

  /** The object that an object turned out to be; itself where it did not. */
  meant(object: ObjectId): ObjectId {
    const entry = this.#turned.get(object) ?? -1;
    return entry < 0 ? object : entry;
  }

  /** Things that turned out to be another one of the trace, with that one. */
  *turned(): Generator<readonly [ThingId, ThingId]> {
    for (const [object, entry] of this.#turned) {
      const slot = this.numbered(object);
      if (entry < 0 || slot === null) continue;
      const there = this.#fixed.get(fixedPath(this.#world.path(entry)));
      for (const thing of this.#lives.get(slot.space)?.get(slot.number)?.things ?? [])
        if (there !== undefined) yield [thing, there];
    }
  }

  #livesOf(space: string, number: number): Lives {
    let numbers = this.#lives.get(space);
    if (numbers === undefined) this.#lives.set(space, (numbers = new Map()));
    let lives = numbers.get(number);
    if (lives === undefined) numbers.set(number, (lives = { from: [], things: [] }));
    return lives;
  }

  #make(space: string | undefined, number: number, path: string, type: string, first: Step): ThingId {
    const names = new Set<string>();
    const life = { signature: 0, events: 0, firstKind: -1, owner: '', setUp: false, ended: false, held: 0 };
    return this.all.push({ space, number, path, type, first, names, ...life }) - 1;
  }
}
