import type { Step } from '../base/ids.ts';
import { operations } from '../sim/catalogue.ts';
import type { Operation } from '../sim/operation.ts';
import { recipeHeader } from '../sim/recipe.ts';
import { type Recipe, Simulation } from '../sim/simulation.ts';
import type { SteppedRun } from '../sim/stepped-run.ts';
import { WhatIf } from '../sim/whatif.ts';
import { type Refusal, Session } from './session.ts';

/** What can go on and can be made again: a simulation, or what continues a trace that was read. */
export type Run = Simulation | WhatIf;

/** One course of events: a trace that was read, a simulated run, or a copy of either that an operation changed. */
export class Branch {
  name: string;
  /** Where it began: the branch that it left, and the last step that both share. */
  readonly parent: Branch | undefined;
  readonly step: Step;
  /** What makes its events; undefined for a trace that was read. */
  run: Run | undefined;
  session: Session;

  constructor(name: string, run: Run | undefined, session: Session, parent?: Branch, step = -1) {
    this.name = name;
    this.run = run;
    this.session = session;
    this.parent = parent;
    this.step = step;
  }

  /** The recipe that makes the same run again; only simulated branches have one. */
  get recipe(): Recipe | undefined {
    return this.run instanceof Simulation ? this.run.recipe : undefined;
  }

  /** Header lines of its trace file. */
  get header(): readonly string[] {
    if (this.run instanceof Simulation) return recipeHeader(this.run.recipe);
    return this.run ? this.run.header : (this.session.trace.first.header ?? []);
  }

  /** Operations that the user put into it, in order. */
  get operations(): readonly Operation[] {
    return (this.run?.done ?? []).map(({ operation }) => operation);
  }
}

/** Where an operation had its effect. */
export interface Injection {
  readonly branch: Branch;
  /** Step of the cursor afterwards: the first event of the operation, if the operation made one at once. */
  readonly step: Step;
}

/**
 * The branches of all traces of a window. An operation at the end of a run continues it; anywhere else it makes a new
 * branch, so that an operation never overwrites what happened.
 */
export class Branches {
  readonly #all: Branch[] = [];

  /** All of them, in the order in which they were made. */
  get all(): readonly Branch[] {
    return this.#all;
  }

  /** The branch of a session. The first call for a session that was read makes it the root of its own tree. */
  of(session: Session): Branch {
    const known = this.#all.find((branch) => branch.session === session);
    return known ?? this.#add(new Branch(session.trace.first.file, undefined, session));
  }

  /** The branches that left a branch directly. */
  below(branch: Branch): Branch[] {
    return this.#all.filter(({ parent }) => parent === branch);
  }

  /** Starts a run. Throws SimulationError when the recipe is not sound. */
  start(recipe: Recipe): Branch {
    const run = new Simulation(recipe);
    return this.#add(new Branch(this.#nameOfRun(recipe), run, sessionOf(run)));
  }

  /** Starts the run of a branch again with the same recipe; the branches that left it do not change. */
  restart(branch: Branch): Refusal | undefined {
    const { run } = branch;
    if (!run) return { refused: 'this trace was read from a file: there is nothing to start again' };
    const selection = branch.session.selection;
    branch.run = run.again();
    branch.session = sessionOf(branch.run);
    branch.session.select(selection);
    if (branch.run instanceof WhatIf) branch.session.move({ to: 'step', step: branch.run.from });
    return undefined;
  }

  /** Does an operation at the cursor of a branch. */
  inject(branch: Branch, operation: Operation): Injection | Refusal {
    const { session, run } = branch;
    if (run && session.cursor === session.trace.length - 1) {
      const refusal = attempt(run, operation);
      if (refusal) return refusal;
      session.grown(true);
      return { branch, step: toEffect(session, run) };
    }
    const forked = run ? run.upTo(session.cursor) : WhatIf.of(session.trace, session.cursor);
    const refusal = attempt(forked, operation);
    if (refusal) return refusal;
    const child = new Branch(this.#free(nameOf(operation)), forked, sessionOf(forked), branch, session.cursor);
    child.session.select(session.selection);
    child.session.showOnlyChanged(session.onlyChanged);
    this.#add(child);
    return { branch: child, step: toEffect(child.session, forked) };
  }

  /** Gives a branch another name. */
  rename(branch: Branch, name: string): void {
    branch.name = name;
  }

  /** Forgets a branch; the branches that left it stay. */
  remove(branch: Branch): void {
    const at = this.#all.indexOf(branch);
    if (at >= 0) this.#all.splice(at, 1);
  }

  #add(branch: Branch): Branch {
    this.#all.push(branch);
    return branch;
  }

  /** What sets a run apart from others of its scenario, settings or the seed, then the title: a narrow list cuts the end off. */
  #nameOfRun({ scenario, settings, seed }: Recipe): string {
    const own = Object.entries(settings).filter(([name, value]) => scenario.policies?.[name] !== value);
    const of = (...apart: string[]): string => [...apart, scenario.title].join(' · ');
    const set = own.map(([policy, value]) => `${policy}=${value}`);
    const others = this.#all.filter((branch) => branch.name === of(...set));
    return this.#free(others.some(({ recipe }) => recipe?.seed !== seed) ? of(...set, `seed ${seed}`) : of(...set));
  }

  /** A name that no other branch has. */
  #free(name: string): string {
    let free = name;
    for (let n = 2; this.#all.some((branch) => branch.name === free); n++) free = `${name} (${n})`;
    return free;
  }
}

const sessionOf = (run: SteppedRun): Session => new Session(run.trace, run);

/** Does an operation. Returns why it was not done, also when the operation made the system throw an error. */
function attempt(run: SteppedRun, operation: Operation): Refusal | undefined {
  try {
    const problem = run.perform(operation);
    return problem === undefined ? undefined : { refused: problem };
  } catch (error) {
    return { refused: error instanceof Error ? error.message : String(error) };
  }
}

/** Moves the cursor to the first event of the operation that was just done; to the last event when it has made none yet. */
function toEffect(session: Session, run: SteppedRun): Step {
  const began = run.began.at(-1) ?? 0;
  const step = Math.min(began, session.trace.length - 1);
  if (step >= 0) session.move({ to: 'step', step });
  return session.cursor;
}

/** What a branch is called after the operation that made it: `Mask 0000:03:00.0/msix/2`. */
function nameOf({ op, object }: Operation): string {
  const title = operations.get(op)?.title ?? op;
  return object === undefined ? title : `${title} ${object.replace(/^device\//, '')}`;
}
