import * as vscode from 'vscode';
import type { CheckRun } from '../../check/check-run.ts';
import type { Finding } from '../../check/check-trace.ts';
import type { Decided } from '../../check/report/summary.ts';
import type { Rule } from '../../check/rule.ts';
import type { EventKind } from '../../model/event.ts';
import type { Found, Judged } from '../../session/wrong.ts';
import { breathe } from '../platform.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { Throttle } from '../views/throttle.ts';
import type { UserFiles } from './user-files.ts';

/** Milliseconds of judging before other work of the editor has its turn, and events that are judged between two looks at the clock. */
const SLICE_MS = 10;
const SLICE_EVENTS = 256;
/** How often listeners hear of a check that goes on. */
const TELL_MS = 250;
/** How long a trace that goes on behind its end must rest before it is judged again. */
const REST_MS = 400;

/** What is known of a trace so far. */
export interface Checked {
  /** Those that are not suppressed. */
  readonly findings: readonly Finding[];
  readonly suppressed: readonly Finding[];
  /** What counts as gone wrong of the findings, for those who look for it: all but what is only worth knowing. */
  readonly wrong: readonly Found[];
  /** Number of events that were judged. */
  readonly events: number;
  readonly decided: Decided;
  /** Rules that cannot judge it. */
  readonly blind: readonly Rule[];
  /** Whether the trace holds events of a kind. */
  readonly holds: (kind: EventKind) => boolean;
  /** Whether nothing is left to do: all of the trace was judged, or judging failed. */
  readonly done: boolean;
  /** Why judging failed; undefined when it did not. */
  readonly failed: string | undefined;
  /** Share of it that was judged, 0 to 1. */
  readonly share: number;
  /** In one line. */
  readonly summary: string;
}

/** What is known of a trace of which nothing was judged. */
const NOTHING: Omit<Checked, 'done' | 'failed' | 'summary'> = {
  findings: [],
  suppressed: [],
  wrong: [],
  events: 0,
  decided: { decided: 0, blind: 0 },
  blind: [],
  holds: () => false,
  share: 0,
};

/** Whether reading ended before the end of the trace: only the part that was read is judged. */
export const isCut = ({ load }: OpenTrace): boolean => load === 'stopped' || load === 'failed';

/** The rules, loaded when the first trace is there. */
async function loadRules() {
  const [run, rules, user, summary, view, suppressions] = await Promise.all([
    import('../../check/check-run.ts'),
    import('../../check/rules.ts'),
    import('../../check/user/rule.ts'),
    import('../../check/report/summary.ts'),
    import('../../check/report/view.ts'),
    import('../../check/user/suppressions.ts'),
  ]);
  return { ...run, ...rules, ...user, ...summary, ...view, ...suppressions };
}

/**
 * Judges the open traces by all rules, the active one first, in slices. A trace that was read is judged when reading has ended; a
 * simulated run as it goes on; again when a source joins, or when the rules of the user change.
 */
export class Checks implements vscode.Disposable {
  readonly #sessions: Sessions;
  readonly #files: UserFiles;
  readonly #runs = new Map<OpenTrace, CheckRun>();
  readonly #checked = new Map<OpenTrace, Checked>();
  readonly #changed = new vscode.EventEmitter<OpenTrace>();
  readonly #telling = new Map<OpenTrace, Throttle>();
  readonly #watches: vscode.Disposable[];
  #machinery: Awaited<ReturnType<typeof loadRules>> | undefined;
  #pumping = false;
  /** Traces that went on behind their end: they are judged again when that rests. */
  readonly #resting = new Map<OpenTrace, ReturnType<typeof setTimeout>>();
  /** Traces whose check failed. They are judged again when a source joins or the rules of the user change. */
  readonly #failed = new Set<OpenTrace>();
  readonly #log: vscode.LogOutputChannel;
  #disposed = false;
  /** The longest slice so far, in milliseconds. */
  longest = 0;

  /** More of a trace was judged, or what is known of it is suppressed or not. A trace that was closed is told once more. */
  readonly onDidChange: vscode.Event<OpenTrace> = this.#changed.event;

  constructor(sessions: Sessions, files: UserFiles, log: vscode.LogOutputChannel) {
    this.#sessions = sessions;
    this.#files = files;
    this.#log = log;
    this.#watches = [
      this.#changed,
      sessions.onDidChange(({ what, trace }) => {
        if (what === 'closed') this.#forget(trace);
        if (what === 'trace' && this.#runs.get(trace)?.stale) this.#rest(trace);
        if (what === 'trace' || what === 'opened' || what === 'active') this.#wake();
      }),
      files.onDidChange((what) => {
        if (what === 'rules') {
          this.#runs.clear();
          this.#failed.clear();
        }
        for (const trace of what === 'suppressions' ? [...this.#checked.keys()] : []) this.#tell(trace);
        this.#wake();
      }),
    ];
    this.#wake();
  }

  /** What is known of a trace; undefined while nothing of it was judged. */
  of(trace: OpenTrace | undefined): Checked | undefined {
    return trace && this.#checked.get(trace);
  }

  /** Whether docs/findings.md tells of a rule: those of the user are not in it. */
  documented(rule: Rule): boolean {
    return this.#machinery?.rules.includes(rule) === true;
  }

  /** Resolves when all of a trace was judged, or judging it failed, or it was closed. */
  async whole(trace: OpenTrace): Promise<Checked | undefined> {
    await trace.loaded;
    const over = (): boolean =>
      this.#disposed ||
      this.#failed.has(trace) ||
      !this.#sessions.all.includes(trace) ||
      trace.session.trace.length === 0 ||
      (this.#checked.get(trace)?.done === true && this.#runs.get(trace)?.stale === false && !this.#due(trace));
    while (!over()) await new Promise((done) => setTimeout(done, 20));
    return this.#checked.get(trace);
  }

  /** What counts as gone wrong in a trace, as far as it was judged; undefined where nothing judges it. */
  judged(trace: OpenTrace): Judged | undefined {
    if (this.#failed.has(trace) || trace.load === 'loading') return undefined;
    const { wrong = [], events = 0 } = this.#checked.get(trace) ?? {};
    return { findings: wrong, events, done: this.#isCurrent(trace) && events === trace.session.trace.length };
  }

  /** Resolves when all events of a trace that are there now were judged, and what was found is known; or when nothing judges it. */
  async caughtUp(trace: OpenTrace): Promise<void> {
    while (!this.#isCurrent(trace) && this.#sessions.all.includes(trace) && !this.#disposed) await breathe();
    this.#telling.get(trace)?.flush();
  }

  /** Whether nothing of a trace is left to judge now. */
  #isCurrent(trace: OpenTrace): boolean {
    if (this.#failed.has(trace) || trace.load === 'loading' || trace.session.trace.length === 0) return true;
    return this.#runs.get(trace)?.stale === false && !this.#due(trace);
  }

  dispose(): void {
    this.#disposed = true;
    for (const timer of this.#resting.values()) clearTimeout(timer);
    for (const throttle of this.#telling.values()) throttle.dispose();
    vscode.Disposable.from(...this.#watches).dispose();
  }

  #forget(trace: OpenTrace): void {
    this.#runs.delete(trace);
    this.#failed.delete(trace);
    clearTimeout(this.#resting.get(trace));
    this.#resting.delete(trace);
    this.#telling.get(trace)?.dispose();
    this.#telling.delete(trace);
    if (this.#checked.delete(trace)) this.#changed.fire(trace);
  }

  #wake(): void {
    if (this.#pumping || this.#disposed || !this.#next()) return;
    this.#pumping = true;
    void this.#pump();
  }

  /** Whether there is something of a trace to judge. */
  #due(trace: OpenTrace): boolean {
    if (trace.load === 'loading' || trace.session.trace.length === 0 || this.#failed.has(trace)) return false;
    const run = this.#runs.get(trace);
    if (run === undefined) return true;
    return !run.stale && !run.ended && (run.done < trace.session.trace.length || !trace.session.growing);
  }

  #next(): OpenTrace | undefined {
    const { active, all } = this.#sessions;
    return [...(active ? [active] : []), ...all].find((trace) => this.#due(trace));
  }

  async #pump(): Promise<void> {
    try {
      this.#machinery ??= await loadRules();
      await this.#files.ready;
      for (let trace = this.#next(); trace && !this.#disposed; trace = this.#next()) {
        try {
          this.#judge(trace);
        } catch (error) {
          this.#fail(trace, error);
        }
        await breathe();
      }
    } catch (error) {
      for (let trace = this.#next(); trace && !this.#disposed; trace = this.#next()) this.#fail(trace, error);
    } finally {
      this.#pumping = false;
    }
  }

  /** Judges a slice of a trace. */
  #judge(trace: OpenTrace): void {
    const run = this.#runOf(trace);
    const started = performance.now();
    let more = true;
    while (more && performance.now() - started < SLICE_MS) more = run.advance(SLICE_EVENTS);
    if (!more && !run.ended && !trace.session.growing) run.end();
    this.longest = Math.max(this.longest, performance.now() - started);
    if (run.ended) this.#tell(trace);
    else this.#throttleOf(trace).ask();
  }

  /** Judging a trace failed: what was found before stays, and the summary says that it is not all. */
  #fail(trace: OpenTrace, error: unknown): void {
    const failed = error instanceof Error ? error.message : String(error);
    this.#failed.add(trace);
    this.#telling.get(trace)?.dispose();
    this.#telling.delete(trace);
    this.#log.error(`${trace.label}: checking failed: ${error instanceof Error ? error.stack : failed}`);
    const before = this.#checked.get(trace) ?? NOTHING;
    this.#checked.set(trace, { ...before, done: true, failed, summary: `checking failed: ${failed}` });
    this.#changed.fire(trace);
  }

  #runOf(trace: OpenTrace): CheckRun {
    let run = this.#runs.get(trace);
    if (run === undefined) {
      const events = trace.session.trace;
      const { CheckRun, rules, ruleFor } = this.#machinery!;
      const all = [...rules, ...this.#files.rules.map((rule) => ruleFor(rule, events))];
      run = new CheckRun(events, all, trace.branch?.recipe !== undefined, isCut(trace));
      this.#runs.set(trace, run);
    }
    return run;
  }

  #rest(trace: OpenTrace): void {
    clearTimeout(this.#resting.get(trace));
    const again = (): void => {
      this.#resting.delete(trace);
      this.#runs.delete(trace);
      this.#failed.delete(trace);
      this.#wake();
    };
    this.#resting.set(trace, setTimeout(again, REST_MS));
  }

  #throttleOf(trace: OpenTrace): Throttle {
    let throttle = this.#telling.get(trace);
    if (!throttle) {
      throttle = new Throttle(
        () => this.#tell(trace),
        () => TELL_MS,
      );
      this.#telling.set(trace, throttle);
    }
    return throttle;
  }

  #tell(trace: OpenTrace): void {
    const run = this.#runs.get(trace);
    const check = run?.check;
    if (!run || !check || this.#failed.has(trace) || !this.#sessions.all.includes(trace)) return;
    const { decidedOf, isSuppressed, summaryLine, verdictsOf, worstFirst } = this.#machinery!;
    const events = trace.session.trace;
    const { all, file } = this.#files.suppressionsFor(trace.uri);
    const apart = ({ rule, object }: Finding): boolean =>
      all.length > 0 && isSuppressed(all, { rule: rule.id, object: events.world.path(object), file });
    const findings = worstFirst(check.findings.filter((finding) => !apart(finding)));
    const verdicts = verdictsOf(check);
    const decided = decidedOf(verdicts.map(([, verdict]) => verdict));
    const named = findings.map(({ severity, lost, step, title, rule }) => ({
      severity,
      lost,
      step,
      title,
      rule: rule.id,
    }));
    this.#checked.set(trace, {
      findings,
      suppressed: check.findings.filter(apart),
      wrong: named.filter(({ severity }) => severity !== 'info'),
      events: run.done,
      decided,
      blind: verdicts.filter(([, verdict]) => verdict === 'undecidable').map(([rule]) => rule),
      holds: (kind) => run.holds(kind),
      done: run.ended || (trace.session.growing && run.done === events.length),
      failed: undefined,
      share: events.length === 0 ? 1 : run.done / events.length,
      summary: `${isCut(trace) ? 'of the part read: ' : ''}${summaryLine(named, decided)}`,
    });
    this.#changed.fire(trace);
  }
}
