import { counted } from '../base/counted.ts';
import type { Step } from '../base/ids.ts';
import { lowerBound } from '../base/search.ts';
import type { EventKind } from '../model/event.ts';
import { message } from '../model/events/notes.ts';
import { eventText, viewEvent } from '../query/events.ts';
import { type Standing, standingAtEnd, WRONG_TEXT } from '../query/standing.ts';
import type { Trace } from '../trace/trace.ts';
import type { Session } from './session.ts';

/** Whether events of a kind tell of a problem. */
export const isFinding = ({ role }: EventKind): boolean => role === 'fault' || role === 'loss';

/** What a rule found at a step. */
export interface Found {
  readonly step: Step;
  /** Id of the rule. */
  readonly rule: string;
  readonly title: string;
}

/** What rules have found in a trace so far. */
export interface Judged {
  /** What counts as gone wrong, in any order. */
  readonly findings: readonly Found[];
  /** Number of events that were judged. */
  readonly events: number;
  /** Nothing is left to judge. */
  readonly done: boolean;
}

/** Tells what rules have found by now; undefined where no rule judges the trace. */
export type Judge = () => Judged | undefined;

/** What a search looks for, for the message when there is none. */
const LOOKED_FOR = [
  'a drop',
  'a refusal',
  'a fault',
  'an illegal access',
  'an effect that the trace cannot tell',
  'a loss of events',
  `a cause that was ${WRONG_TEXT.masked}`,
  `an interrupt that was ${WRONG_TEXT.untaken}`,
];

const NONE: readonly Standing[] = [];

/** Most paths, and most findings, that a message names. */
const NAMED = 3;

/**
 * What goes wrong in a trace: events that tell of a problem; events since which something stands wrong at the end of the trace
 * (see `standingAtEnd`); events at which a rule found something, as far as rules have judged.
 */
export class GoneWrong {
  readonly #session: Session;
  readonly #judge: Judge;
  /** What stands wrong at the end; looked up when the end is there. */
  #standing: readonly Standing[] | undefined;
  #sinceSteps: readonly Step[] | undefined;
  #foundSteps: { readonly of: readonly Found[]; readonly steps: readonly Step[] } = { of: [], steps: [] };

  constructor(session: Session, judge: Judge = () => undefined) {
    this.#session = session;
    this.#judge = judge;
  }

  /** The first step from `from` to `to` (both included) at which something goes wrong; -1 for none. */
  first(from: Step, to: Step): number {
    const { table } = this.#session.trace;
    let event = from;
    while (event <= to && !isFinding(table.kind(event))) event++;
    return earliest(event <= to ? event : -1, this.since(from, to), this.finding(from, to));
  }

  /** The last one. */
  last(from: Step, to: Step): number {
    const { table } = this.#session.trace;
    let event = to;
    while (event >= from && !isFinding(table.kind(event))) event--;
    return Math.max(
      event >= from ? event : -1,
      lastWithin(this.#since(), from, to),
      lastWithin(this.#found(), from, to),
    );
  }

  /** The first step from `from` to `to` since which something stands wrong at the end; -1 for none. */
  since(from: Step, to: Step): number {
    return firstWithin(this.#since(), from, to);
  }

  /** The first step from `from` to `to` at which a rule found something, as far as rules have judged; -1 for none. */
  finding(from: Step, to: Step): number {
    return firstWithin(this.#found(), from, to);
  }

  /** Whether rules have not judged all events up to a step: they may still find something there. */
  lags(step: Step): boolean {
    const judged = this.#judge();
    return judged !== undefined && !judged.done && judged.events <= step;
  }

  /** What goes wrong at a step, in words. */
  told(step: Step): string {
    const { trace } = this.#session;
    const kind = trace.table.kind(step);
    const found = (this.#judge()?.findings ?? []).filter((one) => one.step === step);
    const wrong = this.#wrong().filter(({ since }) => since === step);
    const parts = [
      ...(isFinding(kind) ? [wrongEvent(trace, step)] : []),
      ...found.slice(0, NAMED).map(({ rule, title }) => `${rule} found: ${title}`),
      ...(found.length > NAMED ? [`and ${counted(found.length - NAMED, 'more finding')}`] : []),
      ...wrong.map((s) => `${s.path} is ${WRONG_TEXT[s.wrong]}, to the end of the trace`),
    ];
    const all = wrong.length > 0 && this.#wrong().length > wrong.length ? `. At the end ${this.#counts()}` : '';
    return `step ${step}: ${parts.join('; ')}${all}`;
  }

  /** The message of a search from a step on that found nothing: what it looked for, and what stands wrong since before it began. */
  nothing(from: Step): string {
    const looked = `nothing goes wrong${from < 0 ? '' : ` after step ${from}`}; looked for ${this.lookedFor}`;
    const counts = this.#counts();
    return counts === '' ? looked : `${looked}. Since earlier steps ${counts}`;
  }

  /** What a search looks for, in words. */
  get lookedFor(): string {
    const what = this.#judge() === undefined ? LOOKED_FOR : [...LOOKED_FOR, 'a finding of a rule'];
    return `${what.slice(0, -1).join(', ')}, or ${what.at(-1)}`;
  }

  /** The steps since which something stands wrong at the end, in order. */
  #since(): readonly Step[] {
    const wrong = this.#wrong();
    if (wrong === NONE) return [];
    return (this.#sinceSteps ??= sortedSteps(wrong.map(({ since }) => since)));
  }

  /** The steps at which rules found something so far, in order. */
  #found(): readonly Step[] {
    const findings = this.#judge()?.findings ?? [];
    const known = this.#foundSteps;
    if (known.of === findings && known.steps.length === findings.length) return known.steps;
    this.#foundSteps = { of: findings, steps: sortedSteps(findings.map(({ step }) => step)) };
    return this.#foundSteps.steps;
  }

  /** What stands wrong at the end; nothing while the trace can grow, because there is no end yet. */
  #wrong(): readonly Standing[] {
    const { trace, growing, loading } = this.#session;
    if (growing || loading) return NONE;
    this.#standing ??= standingAtEnd(trace);
    return this.#standing;
  }

  /** How many causes and interrupts stand wrong at the end; empty for none. */
  #counts(): string {
    const standing = this.#wrong();
    return (['masked', 'untaken'] as const)
      .map((wrong) => standing.filter((s) => s.wrong === wrong))
      .filter((all) => all.length > 0)
      .map(countText)
      .join(', and ');
  }
}

/** What an event tells of: a line of text says it itself, of the others their meaning, without what it says of their arguments. */
function wrongEvent(trace: Trace, step: Step): string {
  const kind = trace.table.kind(step);
  if (kind === message) return String(viewEvent(trace, step).fields['text']);
  const [meaning] = kind.meaning.split(/[.:;](?:\s|$)/, 1);
  return `${meaning} (${eventText(trace, step)})`;
}

/** How many causes or interrupts stand wrong, and where: `2 interrupts are accepted and never taken (vcpu/0/vector/49 since step 30, …)`. */
function countText(all: readonly Standing[]): string {
  const { wrong } = all[0]!;
  const what = wrong === 'masked' ? 'cause' : 'interrupt';
  const named = all.slice(-NAMED).map(({ path, since }) => `${path} since step ${since}`);
  const more = all.length > NAMED ? '…, ' : '';
  return `${all.length} ${what}${all.length === 1 ? ' is' : 's are'} ${WRONG_TEXT[wrong]} (${more}${named.join(', ')})`;
}

const sortedSteps = (steps: Step[]): Step[] => steps.sort((a, b) => a - b);

/** The first of sorted steps that is not before `from` and not behind `to`; -1 for none. */
function firstWithin(steps: readonly Step[], from: Step, to: Step): number {
  const step = steps[lowerBound(steps, from)];
  return step !== undefined && step <= to ? step : -1;
}

/** The last one. */
function lastWithin(steps: readonly Step[], from: Step, to: Step): number {
  const step = steps[lowerBound(steps, to + 1) - 1];
  return step !== undefined && step >= from ? step : -1;
}

/** The earliest of some steps, of which those below 0 do not count; -1 when none is left. */
export function earliest(...steps: readonly number[]): number {
  let first = -1;
  for (const step of steps) if (step >= 0 && (first < 0 || step < first)) first = step;
  return first;
}
