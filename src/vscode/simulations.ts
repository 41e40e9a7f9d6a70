import * as vscode from 'vscode';
import { counted } from '../base/counted.ts';
import type { Step } from '../base/ids.ts';
import type { Branch, Branches } from '../session/branches.ts';
import type { Until } from '../session/run-to.ts';
import type { Refusal } from '../session/session.ts';
import type { Judged } from '../session/wrong.ts';
import type { Operation } from '../sim/operation.ts';
import type { Recipe } from '../sim/simulation.ts';
import { withoutLinks } from '../view/notification.ts';
import type { Checks } from './check/checks.ts';
import { say, tell } from './commands/handlers.ts';
import { breathe } from './platform.ts';
import type { OpenTrace, Sessions } from './sessions.ts';

/** Milliseconds that a run works before other work gets its turn, and events between two looks at the clock. */
const SLICE_MS = 20;
const SLICE_EVENTS = 500;
/** Runs that take longer than this get a notification with a button that stops them. */
const QUIET_MS = 500;

/** How long the status bar shows what was found. */
const FOUND_MS = 15_000;

/** The simulator is loaded when it is needed first. */
async function loadSimulator() {
  const [branches, runTo, runBack, until, recipe, scenario, exporting] = await Promise.all([
    import('../session/branches.ts'),
    import('../session/run-to.ts'),
    import('../session/run-back.ts'),
    import('../session/until.ts'),
    import('../sim/recipe.ts'),
    import('../sim/scenario.ts'),
    import('../sim/export.ts'),
  ]);
  return { ...branches, ...runTo, ...runBack, ...until, ...recipe, ...scenario, ...exporting };
}

/** Everything of the simulator that the shell uses, once it is loaded. */
export type Simulator = Awaited<ReturnType<typeof loadSimulator>>;

/** A search for an event, done in pieces: a run forwards or back. */
interface Search {
  look(events: number): Step | Refusal | undefined;
  readonly told?: string | undefined;
  /** It goes on only when rules have judged more events. */
  readonly waits?: boolean;
}

/** The simulated runs and branches of this window, as open traces. */
export class Simulations implements vscode.Disposable {
  readonly #sessions: Sessions;
  readonly #watch: vscode.Disposable;
  #loading: Promise<Simulator> | undefined;
  #branches: Branches | undefined;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
    this.#watch = sessions.onDidChange(({ what, trace }) => {
      if (what !== 'closed' || !this.#branches) return;
      // A branch that is started again closes what it was and goes on.
      const gone = this.#branches.all.find((b) => b.session === trace.session);
      if (gone) this.#branches.remove(gone);
    });
  }

  /** The simulator. */
  async simulator(): Promise<Simulator> {
    this.#loading ??= loadSimulator();
    const simulator = await this.#loading;
    this.#branches ??= new simulator.Branches();
    return simulator;
  }

  async #all(): Promise<Branches> {
    await this.simulator();
    return this.#branches!;
  }

  /** The trace that a branch left; the nearest one that is still open. */
  parentOf(trace: OpenTrace): OpenTrace | undefined {
    for (let branch = trace.branch?.parent; branch; branch = branch.parent) {
      const open = this.#sessions.ofBranch(branch);
      if (open) return open;
    }
    return undefined;
  }

  /** Starts a run; throws when its recipe is not sound. */
  async start(recipe: Recipe): Promise<OpenTrace> {
    return this.#sessions.add((await this.#all()).start(recipe));
  }

  /** Does an operation at the cursor of a trace. Returns the trace in which it took effect: the same, or a new branch. */
  async inject(trace: OpenTrace, operation: Operation): Promise<OpenTrace | Refusal> {
    const branches = await this.#all();
    const result = branches.inject(trace.branch ?? branches.of(trace.session), operation);
    if (!('branch' in result)) return result;
    return this.#sessions.ofBranch(result.branch) ?? (await this.#sessions.add(result.branch));
  }

  /** Starts the run of a branch again. */
  async restart(branch: Branch): Promise<OpenTrace | Refusal> {
    return (await this.#all()).restart(branch) ?? (await this.#sessions.add(branch));
  }

  /** Gives a branch another name. */
  async rename(trace: OpenTrace, name: string): Promise<void> {
    if (!trace.branch) return;
    (await this.#all()).rename(trace.branch, name);
    this.#sessions.renamed(trace);
  }

  /**
   * Runs the cursor of a trace to a place, or back to one; returns the step that it reached. The user can stop long runs. `checks`: what
   * rules find is looked for, too, where the search is for what goes wrong.
   */
  async runTo(
    trace: OpenTrace,
    until: Until,
    direction: 'to' | 'back',
    checks: Pick<Checks, 'judged' | 'caughtUp'>,
  ): Promise<number | undefined> {
    const { RunTo, RunBack, stopProblem } = await this.simulator();
    const problem = stopProblem(until);
    if (problem !== undefined) return void tell(`the filter cannot be read, ${problem}`);
    const { session } = trace;
    const rules = until.to === 'finding' ? checks : undefined;
    const judge = (): Judged | undefined => rules?.judged(trace);
    let stopped = false;
    let stop = (): void => {};
    const stopping = new Promise<void>((done) => {
      stop = () => {
        stopped = true;
        done();
      };
    });
    const run: Search =
      direction === 'back'
        ? new RunBack(session, until, undefined, judge)
        : new RunTo(session, until, undefined, judge);
    let report: ((text: string) => void) | undefined;
    let end = (): void => {};
    const ended = new Promise<void>((done) => {
      end = done;
    });
    const timer = setTimeout(() => {
      const options = {
        location: vscode.ProgressLocation.Notification,
        title: withoutLinks(`Running ${trace.label}`),
        cancellable: true,
      };
      void vscode.window.withProgress(options, (progress, token) => {
        token.onCancellationRequested(() => stop());
        report = (message) => progress.report({ message });
        return ended;
      });
    }, QUIET_MS);
    try {
      // What lies before the cursor is all that a search back can find.
      if (rules && direction === 'back') await Promise.race([rules.caughtUp(trace), stopping]);
      for (;;) {
        const slice = Date.now() + SLICE_MS;
        let result = run.look(SLICE_EVENTS);
        while (result === undefined && run.waits !== true && Date.now() < slice) result = run.look(SLICE_EVENTS);
        if (typeof result === 'number') {
          if (run.told !== undefined) say(run.told, FOUND_MS);
          return result;
        }
        if (result) {
          if (until.to === 'finding') tell(result.refused);
          else say(result.refused);
          return undefined;
        }
        report?.(run.waits === true ? 'the rules judge it' : counted(session.trace.length, 'event'));
        // A run that makes events stops at the first one at which rules find something.
        if (rules && (run.waits === true || session.growing)) await Promise.race([rules.caughtUp(trace), stopping]);
        await breathe();
        if ((stopped || !this.#sessions.all.includes(trace)) && direction === 'back') return void say('stopped');
        if (stopped || !this.#sessions.all.includes(trace)) {
          const last = session.move({ to: 'last' });
          say('stopped; the run keeps its events up to here');
          return typeof last === 'number' ? last : undefined;
        }
      }
    } finally {
      clearTimeout(timer);
      end();
    }
  }

  dispose(): void {
    this.#watch.dispose();
  }
}
