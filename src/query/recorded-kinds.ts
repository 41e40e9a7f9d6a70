import type { Step } from '../base/ids.ts';
import type { EventKind } from '../model/event.ts';
import { apicEoi } from '../model/events/apic.ts';
import { vcpu } from '../model/things/virt.ts';
import { vocabulary } from '../model/vocabulary.ts';
import type { Trace } from '../trace/trace.ts';

/**
 * Whether a trace holds events of a kind that tell which interrupt they are about: that one of them is missing says something only
 * then. An end of interrupt without a vector, as the log of an emulated machine has it, does not tell. Each event is looked at once.
 */
export class RecordedKinds {
  readonly #trace: Trace;
  readonly #found = new Uint8Array(vocabulary.length);
  #sources: number;
  #seen: Step = 0;

  constructor(trace: Trace) {
    this.#trace = trace;
    this.#sources = trace.sources.length;
  }

  /** Whether the trace holds such events, anywhere. */
  has(kind: EventKind): boolean {
    this.look();
    return this.known(kind);
  }

  /** Whether there are such events among those that were looked at so far. */
  known(kind: EventKind): boolean {
    return this.#found[kind.number] === 1;
  }

  /** Looks at the next `most` events; says whether there are more. */
  look(most = Number.POSITIVE_INFINITY): boolean {
    const { table, length, world, sources } = this.#trace;
    // Events of a source that joins come between the others.
    if (sources.length !== this.#sources) this.#seen = 0;
    this.#sources = sources.length;
    const found = this.#found;
    const end = Math.min(length, this.#seen + most);
    for (let step = this.#seen; step < end; step++) {
      const number = table.kindNumber(step);
      if (found[number] === 0 && (number !== apicEoi.number || world.type(table.object(step)) !== vcpu))
        found[number] = 1;
    }
    this.#seen = Math.max(this.#seen, end);
    return this.#seen < length;
  }
}

const known = new WeakMap<Trace, RecordedKinds>();

/** The kinds of a trace, looked at once. */
export function recordedOf(trace: Trace): RecordedKinds {
  let found = known.get(trace);
  if (found === undefined) known.set(trace, (found = new RecordedKinds(trace)));
  return found;
}
