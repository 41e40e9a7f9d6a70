import type { ObjectId } from '../base/ids.ts';
import { Random } from '../base/random.ts';
import { type EventKind, kindOf } from '../model/event.ts';
import type { Args, ArgValue, Named, Written } from '../model/event-args.ts';
import { other } from '../model/events/notes.ts';
import type { State } from '../model/state.ts';
import type { World } from '../model/world.ts';
import { type EventRow, eventRow } from '../trace/row.ts';
import type { Actions, Actor } from './actor.ts';
import { Agenda } from './agenda.ts';
import { Ledger } from './ledger.ts';
import type { Recorder } from './recorder.ts';

export type { Actions, Actor, ActorLayer } from './actor.ts';

/** An event kind of which the compiler knows the arguments. */
export type DeclaredKind = EventKind & { readonly declared?: Args };

/** The arguments of an event kind by name. */
export type ArgsOf<K extends DeclaredKind> = Named<NonNullable<K['declared']>>;

/** Makes a machine do something wrong on purpose (src/sim/faults). */
export interface Tamper {
  /**
   * Whether a part goes wrong here, in the way of a fault; true once in a run. It is to be found on `object` (undefined: a
   * later `tell` says where) at `step`, or at the next event.
   */
  strikes(id: string, object: ObjectId | undefined, step?: number): boolean;
  /** Says where the fault is to be found: at `step`, or at the next event. Only the first word counts. */
  tell(object: ObjectId, step?: number): void;
  /** The same about an object, where what it leads to is found later: a `watch` looks for that. */
  spoils(id: string, object: ObjectId): boolean;
  /** An event is about to be recorded; false: it is left out. */
  passes(event: EventRow): boolean;
  /** An event was recorded. */
  recorded(): void;
}

/**
 * The core of a simulation: the clock, the agenda, the actor at work, and the events. A pure function of its inputs: no
 * clock of the host, no randomness except from the seed. State is the fold of the events and nothing else; what no object
 * of the model can hold (messages in flight, causes) is kept by the parts of the system.
 */
export class Machine {
  readonly recorder: Recorder;
  readonly random: Random;
  readonly ledger = new Ledger();
  /** Delays vary by up to this fraction, so that seeds explore the order of concurrent actors; 0 to 1. */
  readonly jitter: number;
  readonly #agenda = new Agenda();
  /** Called after every event; the row is reused. Set by rules that watch the machine. */
  observe: ((row: EventRow) => void) | undefined;
  /** Plants a fault, when one is to be planted. */
  tamper: Tamper | undefined;
  readonly #row = eventRow(other);
  readonly #tasks = new Map<Actor, number>();
  #now: number;
  #actor: Actor = NOBODY;

  constructor(recorder: Recorder, seed: number, jitter = 0, start = 0) {
    this.recorder = recorder;
    this.random = new Random(seed);
    this.jitter = jitter;
    this.#now = start;
  }

  get world(): World {
    return this.recorder.world;
  }

  /** The state after the last event. Parts read it; only events write it. */
  get state(): State {
    return this.recorder.state;
  }

  /** Time in nanoseconds. */
  get now(): number {
    return this.#now;
  }

  /** The actor at work. */
  get actor(): Actor {
    return this.#actor;
  }

  /** Number of waiting actions. */
  get waiting(): number {
    return this.#agenda.length;
  }

  /** Time of the next action, Infinity when nothing waits. */
  get next(): number {
    return this.#agenda.next;
  }

  /** Emits an event about an object, by the actor at work, now. */
  emit<K extends DeclaredKind>(kind: K, object: ObjectId, args: ArgsOf<K>): void {
    const { words } = kind;
    words.fill(0);
    for (const spec of kind.args) {
      const value = (args as Readonly<Record<string, ArgValue | undefined>>)[spec.name];
      if (value === undefined) continue;
      if (spec.optional) words[0]! |= spec.bit;
      const { at } = spec;
      if (typeof value === 'number') {
        words[at] = value;
        if (spec.words > 1) words[at + 1] = Math.floor(value / 0x100000000);
      } else if (typeof value === 'boolean') words[at] = value ? 1 : 0;
      else if (typeof value === 'string') words[at] = this.world.strings.intern(value);
      else if (typeof value === 'bigint') {
        for (let i = 0; i < spec.words; i++) words[at + i] = Number((value >> BigInt(32 * i)) & 0xffffffffn);
      } else for (const [i, word] of value.entries()) words[at + i] = word;
    }
    this.fire(kind.written, object);
  }

  /** Emits an event that was written with the `put` of its kind: for events by the million. */
  fire(event: Written, object: ObjectId): void {
    const kind = kindOf(event);
    const row = this.#row;
    row.kind = kind;
    row.words = kind.words;
    row.time = this.#now;
    row.cpu = this.#actor.cpu;
    row.object = object;
    row.task = this.#task();
    const { tamper } = this;
    if (tamper?.passes(row) === false) return;
    this.recorder.record(row);
    this.observe?.(row);
    tamper?.recorded();
  }

  #task(): number {
    const actor = this.#actor;
    let task = this.#tasks.get(actor);
    if (task === undefined) {
      task = actor === NOBODY ? 0 : this.world.strings.intern(`${actor.layer}/${actor.name}`);
      this.#tasks.set(actor, task);
    }
    return task;
  }

  /** Another actor is at work from now on; returns the one before, who must come back. `as` does both: this is for what happens by the million. */
  become(actor: Actor): Actor {
    const before = this.#actor;
    this.#actor = actor;
    return before;
  }

  /** Does something at once in the name of another actor. */
  as<T>(actor: Actor, what: () => T): T {
    const before = this.#actor;
    this.#actor = actor;
    try {
      return what();
    } finally {
      this.#actor = before;
    }
  }

  /** Follows actions in the name of another actor. */
  *within<T>(actor: Actor, actions: Actions<T>): Actions<T> {
    let done = false;
    try {
      for (;;) {
        const before = this.#actor;
        this.#actor = actor;
        let at: IteratorResult<number, T>;
        try {
          at = actions.next();
        } finally {
          this.#actor = before;
        }
        if (at.done) {
          done = true;
          return at.value;
        }
        yield at.value;
      }
    } finally {
      // Where the processor that follows them is reset, they end as well, and give back what they hold.
      if (!done) actions.return(undefined as T);
    }
  }

  /** Does something after a delay (ns, subject to jitter). */
  after(delay: number, actor: Actor, run: () => void): void {
    this.#agenda.add(this.#now + this.#delay(delay), actor, run);
  }

  /** Does something at a time (ns), or now when that is past. */
  at(time: number, actor: Actor, run: () => void): void {
    this.#agenda.add(Math.max(time, this.#now), actor, run);
  }

  /** Starts actions that take time after a delay (ns). */
  spawn(actor: Actor, actions: Actions<unknown>, delay = 0): void {
    this.#agenda.add(this.#now + this.#delay(delay), actor, actions);
  }

  /** Starts actions that take time at once: its first part is done when this returns. */
  start(actor: Actor, actions: Actions<unknown>): void {
    const before = this.become(actor);
    let at: IteratorResult<number, unknown>;
    try {
      at = actions.next();
    } finally {
      this.#actor = before;
    }
    if (!at.done) this.spawn(actor, actions, at.value);
  }

  #delay(ns: number): number {
    if (this.jitter === 0 || ns <= 0) return ns;
    return Math.max(0, Math.round(ns * (1 + this.jitter * (2 * this.random.fraction() - 1))));
  }

  /** Does the next action; false when none is due. */
  step(): boolean {
    const agenda = this.#agenda;
    const { next } = agenda;
    const work = agenda.take();
    if (work === undefined) return false;
    const actor = agenda.actor!;
    if (next > this.#now) this.#now = next;
    this.#actor = actor;
    if (typeof work === 'function') work();
    else {
      const at = work.next();
      if (!at.done) this.spawn(actor, work, at.value);
    }
    this.#actor = NOBODY;
    return true;
  }
}

/** The actor when no actor is at work. */
export const NOBODY: Actor = { layer: 'user', name: '', cpu: -1 };
