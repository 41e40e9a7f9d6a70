// Which entry sends for each virtio queue: records of virtio name a queue by its pointer, and messages name an entry.
import type { ObjectId, Step, TextId } from '../../base/ids.ts';
import { lowerBound } from '../../base/search.ts';
import { devRaise, msgSend } from '../../model/events/msix.ts';
import { isEntry } from '../../model/masking.ts';
import type { World } from '../../model/world.ts';
import { eventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';

/** Whether an object is a virtio queue as QEMU names it: `virtio/<device>/<queue>`, both by their pointers. */
export function isQueue(world: World, object: ObjectId): boolean {
  const node = world.node(object);
  return node?.parent?.parent?.path === `${node?.space.prefix}virtio`;
}

/** Events after which the main loop of the emulator has sent what a device told it by an eventfd. */
export const DEFERRED = 64;

/** Events that other threads record, at most, between a cause and the message that its thread sends at once. */
export const AT_ONCE = 2;

/** So many messages in a row of an entry that served another queue show that it serves this one now. */
const EXCHANGED = 3;

/** What is known of a thread while the events of a trace are looked at in order. */
interface Thread {
  /** Causes that name no entry and that no message followed yet, with their steps. */
  readonly waiting: Map<ObjectId, Step>;
  /** Messages since then of which it is not known whose they were. */
  taken: number;
  /** The cause just before. */
  last: { readonly object: ObjectId; readonly step: Step; readonly later: boolean } | undefined;
}

/** Messages by which a queue was seen to be served: their steps, and the entries that sent them. */
interface Served {
  readonly steps: Step[];
  readonly entries: ObjectId[];
}

/**
 * The entries of the queues of a trace, learned from the messages of which it is clear whose they are: the thread that tells the cause
 * sends at once, or no other cause waits in it. Two that disagree leave it unknown between them: the driver may have chosen another vector.
 */
export class QueueEntries {
  readonly #trace: Trace;
  readonly #served = new Map<ObjectId, Served>();
  readonly #queues = new Map<ObjectId, Set<ObjectId>>();
  readonly #threads = new Map<TextId, Thread>();
  /** Queues with an entry that looked like that of another queue last, and how often in a row. */
  readonly #doubted = new Map<ObjectId, { readonly entry: ObjectId; readonly times: number }>();
  /** Entries with a cause of their own whose message is due. */
  readonly #raised = new Set<ObjectId>();
  readonly #row = eventRow(devRaise);
  #sources: number;
  #seen: Step = 0;

  constructor(trace: Trace) {
    this.#trace = trace;
    this.#sources = trace.sources.length;
  }

  /** The entry that sends for a queue at a step; -1: not known. */
  entryOf(queue: ObjectId, step: Step): ObjectId {
    this.#learn();
    const served = this.#served.get(queue);
    if (served === undefined) return -1;
    const { steps, entries } = served;
    const at = lowerBound(steps, step);
    const own = steps[at] === step ? entries[at] : undefined;
    const before = entries[at - 1];
    const after = entries[own === undefined ? at : at + 1];
    // A single message that the others do not bear out is rather of something that no record tells of.
    if (before === after) return before ?? own ?? -1;
    if (own === undefined) return before === undefined || after === undefined ? (before ?? after)! : -1;
    return own === before || own === after ? own : -1;
  }

  /** The queues that an entry is known to send for at a step. */
  servedBy(entry: ObjectId, step: Step): ObjectId[] {
    this.#learn();
    return [...(this.#queues.get(entry) ?? [])].filter((queue) => this.entryOf(queue, step) === entry);
  }

  /** Looks at the events that were not looked at yet. A trace without queues costs nothing. */
  #learn(): void {
    const { world, table, length, sources } = this.#trace;
    if (sources.length !== this.#sources || length < this.#seen) this.#forget();
    if (this.#seen >= length || !world.spaces().some((space) => space.find('virtio') !== undefined)) return;
    for (; this.#seen < length; this.#seen++) {
      const kind = table.kind(this.#seen);
      if (kind === devRaise) this.#raise(this.#seen);
      else if (kind === msgSend) this.#send(this.#seen);
      else if (kind.role === 'loss') this.#lose();
    }
  }

  #forget(): void {
    this.#sources = this.#trace.sources.length;
    this.#seen = 0;
    this.#served.clear();
    this.#queues.clear();
    this.#doubted.clear();
    this.#lose();
  }

  #lose(): void {
    this.#threads.clear();
    this.#raised.clear();
  }

  #threadOf(step: Step): Thread {
    const task = this.#trace.table.task(step);
    let thread = this.#threads.get(task);
    if (thread === undefined) this.#threads.set(task, (thread = { waiting: new Map(), taken: 0, last: undefined }));
    return thread;
  }

  #raise(step: Step): void {
    const { table, world } = this.#trace;
    const object = table.object(step);
    const thread = this.#threadOf(step);
    const { words, at } = table.read(step, this.#row);
    thread.last = { object, step, later: devRaise.read(words, at).eventfd === true };
    if (isEntry(world.type(object))) this.#raised.add(object);
    else thread.waiting.set(object, step);
  }

  #send(step: Step): void {
    const { table, world } = this.#trace;
    const entry = table.object(step);
    const thread = this.#threadOf(step);
    const { waiting, last } = thread;
    thread.last = undefined;
    if (this.#raised.delete(entry)) return;
    const near = last !== undefined && step - last.step <= AT_ONCE ? last : undefined;
    if (near && isEntry(world.type(near.object))) {
      this.#raised.delete(near.object);
      return;
    }
    for (const [object, since] of waiting) if (since < step - DEFERRED) waiting.delete(object);
    const [only] = waiting.keys();
    const owner = near && !near.later ? near.object : waiting.size === 1 && thread.taken === 0 ? only : undefined;
    if (owner !== undefined) {
      waiting.delete(owner);
      const atOnce = near?.object === owner && !near.later;
      if (isQueue(world, owner) && (atOnce || !this.#doubts(owner, entry))) this.#note(owner, entry, step);
    } else thread.taken++;
    if (thread.taken < waiting.size) return;
    waiting.clear();
    thread.taken = 0;
  }

  /**
   * Whether a message is rather of another queue, whose cause no record tells: its entry served that last, and this queue had another
   * entry. Not where the same happens again and again: then the driver has exchanged the vectors.
   */
  #doubts(queue: ObjectId, entry: ObjectId): boolean {
    const last = (of: ObjectId): ObjectId | undefined => this.#served.get(of)?.entries.at(-1);
    const own = last(queue);
    const others = [...(this.#queues.get(entry) ?? [])].some((other) => other !== queue && last(other) === entry);
    if (own === undefined || own === entry || !others) {
      this.#doubted.delete(queue);
      return false;
    }
    const before = this.#doubted.get(queue);
    const times = before?.entry === entry ? before.times + 1 : 1;
    this.#doubted.set(queue, { entry, times });
    return times < EXCHANGED;
  }

  #note(queue: ObjectId, entry: ObjectId, step: Step): void {
    const served = this.#served.get(queue) ?? { steps: [], entries: [] };
    this.#served.set(queue, served);
    served.steps.push(step);
    served.entries.push(entry);
    const queues = this.#queues.get(entry) ?? new Set();
    this.#queues.set(entry, queues.add(queue));
  }
}

const known = new WeakMap<Trace, QueueEntries>();

/** What a trace tells of its queues, learned once. */
export function queueEntries(trace: Trace): QueueEntries {
  let found = known.get(trace);
  if (found === undefined) known.set(trace, (found = new QueueEntries(trace)));
  return found;
}
