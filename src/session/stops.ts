import type { Step } from '../base/ids.ts';
import { type Stop, stopText } from './stop.ts';
import { stopProblem } from './until.ts';

/** A condition on events at which a run of the cursor stops. */
export interface Breakpoint {
  readonly stop: Stop;
  readonly enabled: boolean;
}

/** A step with a name, to come back to. */
export interface Checkpoint {
  readonly name: string;
  readonly step: Step;
}

const same = (a: Stop, b: Stop): boolean => stopText(a) === stopText(b);

/** The breakpoints and checkpoints of one trace. */
export class Stops {
  readonly #changed: () => void;
  #breakpoints: readonly Breakpoint[] = [];
  #checkpoints: readonly Checkpoint[] = [];

  /** `changed` is called after every change. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get breakpoints(): readonly Breakpoint[] {
    return this.#breakpoints;
  }

  /** In the order of their steps. */
  get checkpoints(): readonly Checkpoint[] {
    return this.#checkpoints;
  }

  /** The breakpoint for a stop. */
  breakpoint(stop: Stop): Breakpoint | undefined {
    return this.#breakpoints.find((b) => same(b.stop, stop));
  }

  /** Adds a breakpoint, or switches the one that is there on or off. */
  setBreakpoint(stop: Stop, enabled = true): void {
    const known = this.breakpoint(stop);
    if (known?.enabled === enabled) return;
    this.#breakpoints = known
      ? this.#breakpoints.map((b) => (b === known ? { stop, enabled } : b))
      : [...this.#breakpoints, { stop, enabled }];
    this.#changed();
  }

  removeBreakpoint(stop: Stop): void {
    if (!this.breakpoint(stop)) return;
    this.#breakpoints = this.#breakpoints.filter((b) => !same(b.stop, stop));
    this.#changed();
  }

  /** Names a step; a name that is there moves to the step. */
  setCheckpoint(name: string, step: Step): void {
    this.#checkpoints = [...this.#checkpoints.filter((c) => c.name !== name), { name, step }].sort(
      (a, b) => a.step - b.step,
    );
    this.#changed();
  }

  removeCheckpoint(name: string): void {
    if (!this.#checkpoints.some((c) => c.name === name)) return;
    this.#checkpoints = this.#checkpoints.filter((c) => c.name !== name);
    this.#changed();
  }

  /** Events have other steps now. */
  renumber(now: (step: Step) => Step): void {
    if (this.#checkpoints.length === 0) return;
    this.#checkpoints = this.#checkpoints
      .map(({ name, step }) => ({ name, step: now(step) }))
      .sort((a, b) => a.step - b.step);
    this.#changed();
  }

  /** All of it as JSON, to be kept. */
  save(): { readonly breakpoints: readonly Breakpoint[]; readonly checkpoints: readonly Checkpoint[] } {
    return { breakpoints: this.#breakpoints, checkpoints: this.#checkpoints };
  }

  /** The same for those of another trace, as a change. */
  restore(saved: unknown): void {
    this.load(saved);
    this.#changed();
  }

  /** Takes over what `save` gave; parts that cannot be read, such as filters of a newer version, are left out. */
  load(saved: unknown): void {
    const { breakpoints, checkpoints } = members(saved);
    this.#breakpoints = listOf(breakpoints).filter(isBreakpoint);
    this.#checkpoints = listOf(checkpoints).filter(isCheckpoint);
  }
}

const members = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Whether a value, such as an argument of a command, is a stop whose filter can be read. */
export function isStop(value: unknown): value is Stop {
  const { to, kind, path, filter } = members(value);
  if (to === 'kind') return typeof kind === 'string';
  if (to === 'change') return typeof path === 'string';
  return to === 'filter' && typeof filter === 'string' && stopProblem({ to, filter }) === undefined;
}

function isBreakpoint(value: unknown): value is Breakpoint {
  const { stop, enabled } = members(value);
  return typeof enabled === 'boolean' && isStop(stop);
}

function isCheckpoint(value: unknown): value is Checkpoint {
  const { name, step } = members(value);
  return typeof name === 'string' && Number.isInteger(step) && (step as number) >= 0;
}
