import * as vscode from 'vscode';
import type { StepRange } from '../../session/session.ts';
import type { ShownFunnel } from '../../view/funnel-rows.ts';
import { breathe } from '../platform.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { Throttle } from './throttle.ts';

/** Milliseconds of counting before other work of the editor has its turn. */
const SLICE_MS = 12;
/** Milliseconds between two messages about a count that goes on. */
const TELL_MS = 200;
/** How long after one count the next one begins at the earliest, where the trace grows on and on. */
const AGAIN_MS = 300;
/** Counting again takes part of the time at most. */
const SHARE = 8;

/** What is counted in a trace. `given`: the events that the caller chose. */
interface Wanted {
  readonly object: string;
  readonly given: StepRange | undefined;
}

const loadCounting = () =>
  Promise.all([
    import('../../query/delivery/funnel.ts'),
    import('../../query/recorded-kinds.ts'),
    import('../../query/paths.ts'),
  ]);

/** The stage funnels that are shown: one in each trace at most. They are counted in slices, and again when the marked range changes or the trace grows. */
export class Funnels implements vscode.Disposable {
  readonly #sessions: Sessions;
  readonly #wanted = new Map<OpenTrace, Wanted>();
  readonly #shown = new Map<OpenTrace, ShownFunnel>();
  /** The count of each trace that is under way: another one takes its place. */
  readonly #runs = new Map<OpenTrace, object>();
  readonly #changed = new vscode.EventEmitter<OpenTrace>();
  readonly #watch: vscode.Disposable;
  readonly #again = new Throttle(
    () => {
      const { active } = this.#sessions;
      if (active && this.#wanted.has(active)) void this.#count(active);
    },
    () => Math.max(AGAIN_MS, this.#cost * SHARE),
  );
  #cost = 0;

  /** The funnel of a trace is another one, or more of it was counted. */
  readonly onDidChange: vscode.Event<OpenTrace> = this.#changed.event;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
    this.#watch = sessions.onDidChange(({ what, trace }) => {
      if (trace === undefined || !this.#wanted.has(trace)) return;
      if (what === 'closed') this.hide(trace);
      if (what === 'range' && this.#wanted.get(trace)?.given === undefined) void this.#count(trace);
      if (what === 'trace' && trace === sessions.active) this.#again.ask();
    });
  }

  of(trace: OpenTrace | undefined): ShownFunnel | undefined {
    return trace && this.#shown.get(trace);
  }

  /** Counts the deliveries through an object, and shows how many entered and left each stage. Resolves when they are counted; undefined when it was hidden before. */
  show(trace: OpenTrace, object: string, given?: StepRange): Promise<ShownFunnel | undefined> {
    this.#wanted.set(trace, { object, given });
    return this.#count(trace);
  }

  hide(trace: OpenTrace): void {
    if (!this.#wanted.delete(trace)) return;
    this.#runs.delete(trace);
    this.#shown.delete(trace);
    this.#changed.fire(trace);
  }

  dispose(): void {
    this.#wanted.clear();
    this.#runs.clear();
    this.#again.dispose();
    vscode.Disposable.from(this.#watch, this.#changed).dispose();
  }

  async #count(trace: OpenTrace): Promise<ShownFunnel | undefined> {
    const run = {};
    this.#runs.set(trace, run);
    const [{ counting }, { RecordedKinds }, { objectsBelow }] = await loadCounting();
    const wanted = this.#wanted.get(trace);
    if (this.#runs.get(trace) !== run || !wanted) return undefined;
    const { session } = trace;
    const { world, length } = session.trace;
    const node = world.find(wanted.object);
    if (!node) return undefined;
    const range = wanted.given ?? session.range;
    const chosenBy = wanted.given ? 'caller' : range ? 'range' : 'all';
    const { from, to } = range ?? { from: 0, to: length - 1 };
    const of = { object: wanted.object, from, to, chosenBy } as const;
    const recorded = new RecordedKinds(session.trace);
    const work = counting(session.trace, new Set(objectsBelow(node)), from, to, (kind) => recorded.has(kind));
    const started = performance.now();
    let told = Number.NEGATIVE_INFINITY;
    for (;;) {
      const end = performance.now() + SLICE_MS;
      let step = work.next();
      while (step.done !== true && performance.now() < end) step = work.next();
      if (step.done === true) {
        this.#cost = performance.now() - started;
        return this.#tell(trace, { ...of, share: 1, counted: step.value });
      }
      if (performance.now() - told > TELL_MS) {
        told = performance.now();
        this.#tell(trace, { ...of, share: step.value, counted: undefined });
      }
      await breathe();
      if (this.#runs.get(trace) !== run) return undefined;
    }
  }

  #tell(trace: OpenTrace, shown: ShownFunnel): ShownFunnel {
    this.#shown.set(trace, shown);
    this.#changed.fire(trace);
    return shown;
  }
}
