import { lowerBound } from '../../base/search.ts';
import type { Trace } from '../../trace/trace.ts';
import { type Compared, comparingEvents } from './differences.ts';
import { type Groups, groupThings } from './groups.ts';
import { type Matches, matchThings } from './match.ts';
import type { Difference } from './pairing.ts';
import { type Phase, phaseAfter } from './phases.ts';
import { type Survey, surveying } from './survey.ts';
import { type Tally, tallyOf } from './tally.ts';
import type { Thing, ThingId } from './things.ts';

/** An interrupt of both traces, or what else events are about, with what differs of it. */
export interface Subject {
  readonly group: number;
  /** Path of the object that stands for it: in A, or in B where only B has it. */
  readonly path: string;
  /** Names of its handlers, as far as either trace tells them. */
  readonly actions: readonly string[];
  /** Things of it that have another number in B: path in A, path in B. */
  readonly renumbered: readonly (readonly [a: string, b: string])[];
  /** It is an interrupt, with a path from a device to a CPU; otherwise a function, a CPU, a unit. */
  readonly interrupt: boolean;
  /** In the order of the comparison. */
  readonly differences: readonly Difference[];
}

/** A subject as headings call it: its path, and the names of its handlers. */
export const titleOf = ({ path, actions }: Subject): string => [path, ...actions].join(', ');

/** The comparison of two traces. */
export interface Comparison extends Omit<Compared, 'stepsA' | 'stepsB'> {
  readonly a: Survey;
  readonly b: Survey;
  readonly groups: Groups;
  readonly matches: Matches;
  /** All of which the traces tell events that are compared: interrupts first, each part in the order of their differences. */
  readonly subjects: readonly Subject[];
  /** What happened to a subject in trace A, in trace B. */
  readonly tallies: (subject: Subject) => readonly [a: Tally, b: Tally];
  /** The phase in which a difference stands. */
  readonly phase: (difference: Difference) => Phase;
}

/** Compares two traces in slices; between two slices the caller may do other work, or stop. */
export function* comparing(a: Trace, b: Trace): Generator<void, Comparison> {
  const here = yield* surveying(a);
  const there = yield* surveying(b);
  const matches = matchThings(here.things, there.things);
  const groups = groupThings(here.things, there.things, matches);
  yield;
  const compared = yield* comparingEvents(here, there, groups, matches.late);
  const { stepsA, stepsB } = compared;
  const members = membersOf(here, there, groups);
  const byGroup = new Map<number, Difference[]>();
  for (const difference of compared.differences) {
    const list = byGroup.get(difference.group);
    if (list) list.push(difference);
    else byGroup.set(difference.group, [difference]);
  }
  const subjects: Subject[] = [];
  for (const [group, { inA, inB }] of members) {
    if (stepsA.of(group).length + stepsB.of(group).length === 0) continue;
    subjects.push({ group, ...describe(here, there, inA, inB, matches), differences: byGroup.get(group) ?? [] });
  }
  const first = new Map([...byGroup.keys()].map((group, i) => [group, i]));
  const place = ({ group }: Subject): number => first.get(group) ?? first.size;
  subjects.sort((x, y) => Number(y.interrupt) - Number(x.interrupt) || place(x) - place(y));
  const phases = new Map<number, readonly [Phase[], Phase[]]>();
  return {
    a: here,
    b: there,
    groups,
    matches,
    differences: compared.differences,
    same: compared.same,
    partner: compared.partner,
    pairs: compared.pairs,
    subjects,
    tallies: ({ group, path }) => [tallyOf(here, stepsA.of(group), path), tallyOf(there, stepsB.of(group), path)],
    phase: ({ a: stepA, b: stepB, group }) => {
      let known = phases.get(group);
      const [x, y] = [stepsA.of(group), stepsB.of(group)];
      const own = !isInterrupt(members.get(group)!, here, there);
      if (known === undefined) phases.set(group, (known = [phasesOf(a, x, own), phasesOf(b, y, own)]));
      return stepA >= 0 ? known[0][lowerBound(x, stepA)]! : known[1][lowerBound(y, stepB)]!;
    },
  };
}

/** The same at once. */
export function compareTraces(a: Trace, b: Trace): Comparison {
  const work = comparing(a, b);
  for (;;) {
    const next = work.next();
    if (next.done) return next.value;
  }
}

function phasesOf(trace: Trace, steps: Int32Array, own: boolean): Phase[] {
  let phase: Phase | undefined;
  return Array.from(steps, (step) => (phase = phaseAfter(trace, step, phase, own)));
}

interface Members {
  readonly inA: ThingId[];
  readonly inB: ThingId[];
}

/** The things of each group. */
function membersOf(a: Survey, b: Survey, { ofA, ofB, group }: Groups): Map<number, Members> {
  const members = new Map<number, Members>();
  const of = (common: number): Members => {
    let known = members.get(group[common]!);
    if (known === undefined) members.set(group[common]!, (known = { inA: [], inB: [] }));
    return known;
  };
  for (const id of a.things.all.keys()) of(ofA[id]!).inA.push(id);
  for (const id of b.things.all.keys()) of(ofB[id]!).inB.push(id);
  return members;
}

/** Types of the parts of an interrupt, the one first that is the best name for it. */
const BEST = ['msix', 'msi', 'ims', 'vfiovector', 'irq', 'itsevent', 'route', 'irqfd', 'irte', 'amdirte', 'pin', 'gsi'];

const rank = ({ type, space }: Thing): number => {
  const at = BEST.indexOf(type);
  // A table that is known by its address is a worse name than the function that it belongs to.
  return (at < 0 ? BEST.length : at) * 2 + (type === 'msix' && space !== undefined ? 1 : 0);
};

const isInterrupt = ({ inA, inB }: Members, a: Survey, b: Survey): boolean =>
  inA.some((id) => BEST.includes(a.things.all[id]!.type)) || inB.some((id) => BEST.includes(b.things.all[id]!.type));

function describe(
  a: Survey,
  b: Survey,
  inA: readonly ThingId[],
  inB: readonly ThingId[],
  matches: Matches,
): Omit<Subject, 'group' | 'differences'> {
  const things = [...inA.map((id) => a.things.all[id]!), ...inB.map((id) => b.things.all[id]!)];
  const best = things.reduce((x, y) => (rank(y) < rank(x) ? y : x));
  const actions = new Set<string>();
  for (const { names } of things)
    for (const name of names) if (name.startsWith('action ')) actions.add(name.slice('action '.length));
  const renumbered = new Map<string, readonly [string, string]>();
  for (const id of inA) {
    const here = a.things.all[id]!;
    const other = matches.inB[id]!;
    const there = other < 0 ? undefined : b.things.all[other]!;
    if (there === undefined || here.space === undefined || here.number === there.number) continue;
    if (here.type !== '' && there.type !== '') renumbered.set(`${here.path} ${there.path}`, [here.path, there.path]);
  }
  return {
    path: best.path,
    actions: [...actions],
    renumbered: [...renumbered.values()],
    interrupt: isInterrupt({ inA: [...inA], inB: [...inB] }, a, b),
  };
}

/** How many events changed, stand in A only, in B only. */
export function countsOf(differences: readonly Difference[]): { changed: number; onlyA: number; onlyB: number } {
  const onlyA = differences.filter((d) => d.b < 0).length;
  const onlyB = differences.filter((d) => d.a < 0).length;
  return { changed: differences.length - onlyA - onlyB, onlyA, onlyB };
}
