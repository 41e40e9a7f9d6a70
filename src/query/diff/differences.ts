import type { Step } from '../../base/ids.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import { align } from './align.ts';
import type { Groups } from './groups.ts';
import { whyKindLeftOut } from './numbers.ts';
import { type Difference, fieldsOf, pairAcross } from './pairing.ts';
import { marksPhase } from './phases.ts';
import type { Survey } from './survey.ts';
import type { Thing } from './things.ts';
import { CommonTexts, Hash, Reading } from './tokens.ts';

/** The compared events of each group, in order. */
export class GroupedSteps {
  readonly #starts: Int32Array;
  readonly #steps: Int32Array;

  /** `groupOf`: the group of each event, -1 for events that are not compared. */
  constructor(groupOf: Int32Array, groups: number) {
    this.#starts = new Int32Array(groups + 1);
    for (const group of groupOf) if (group >= 0) this.#starts[group + 1]!++;
    for (let g = 0; g < groups; g++) this.#starts[g + 1]! += this.#starts[g]!;
    this.#steps = new Int32Array(this.#starts[groups]!);
    const next = this.#starts.slice();
    for (let step = 0; step < groupOf.length; step++) {
      const group = groupOf[step]!;
      if (group >= 0) this.#steps[next[group]!++] = step;
    }
  }

  /** The steps of a group. */
  of(group: number): Int32Array {
    return this.#steps.subarray(this.#starts[group]!, this.#starts[group + 1]!);
  }
}

/** Vectors from here on are those of the Linux kernel itself: timers, IPIs, the spurious vector (irq_vectors.h). */
const FIRST_SYSTEM_VECTOR = 0xec;
/** INTIDs below are SGIs and PPIs: IPIs and timers (GICv3). */
const FIRST_SPI = 32;

/** Names of the handlers of timers and IPIs where these are Linux irqs (Arm, RISC-V). */
const SYSTEM_ACTIONS = [
  'IPI',
  'timer',
  'arch_timer',
  'arch_mem_timer',
  'riscv-timer',
  'kvm guest vtimer',
  'kvm guest ptimer',
];

/** Whether what a thing tells is the system's own business: timers, IPIs, runs of virtual CPUs. */
function isSystems({ path, type, space, names }: Thing): boolean {
  if (SYSTEM_ACTIONS.some((name) => names.has(`action ${name}`))) return true;
  if (space !== undefined) return false;
  if (type === 'vcpu') return true;
  const number = Number(path.slice(path.lastIndexOf('/') + 1));
  if (type !== 'vcpuvector' && type !== 'vector' && type !== 'intid') return false;
  return /intid\/\d+$/.test(path) ? number < FIRST_SPI : number >= FIRST_SYSTEM_VECTOR;
}

const compared = (): boolean[] => vocabulary.map(({ name, role }) => whyKindLeftOut(name, role) === '');

/** The group of each event of a trace, -1 for those that are not compared. */
function groupsOf({ trace, things, ofStep }: Survey, common: Int32Array, { group }: Groups): Int32Array {
  const kinds = compared();
  const left = things.all.map(isSystems);
  return ofStep.map((thing, step) =>
    kinds[trace.table.kindNumber(step)] && !left[thing] ? group[common[thing]!]! : -1,
  );
}

/** Why an event of a trace is not compared; the empty text where it is. */
export function whyLeftOut({ trace, things, ofStep }: Survey, step: Step): string {
  const { name, role } = vocabulary[trace.table.kindNumber(step)]!;
  const why = whyKindLeftOut(name, role);
  return why === '' && isSystems(things.all[ofStep[step]!]!) ? 'a timer, an IPI or a run of a virtual CPU' : why;
}

/** Types of objects that many interrupts share: the order of their events says nothing, since interrupts are independent. */
const SHARED: ReadonlySet<string> = new Set([
  'cpu',
  'domain',
  'irunit',
  'its',
  'itscollection',
  'itsvpe',
  'kvm',
  'vcpu',
  'mention',
  'viommu',
  'ioas',
  'ioasmap',
  'stream',
]);

/** The groups in which the order of events does not count. */
function sharedGroups(sides: readonly (readonly [Survey, Int32Array])[], { group }: Groups): Uint8Array {
  const shared = new Uint8Array(group.length).fill(1);
  for (const [{ things }, common] of sides)
    for (const [id, { type, space }] of things.all.entries())
      if (space !== undefined || !SHARED.has(type)) shared[group[common[id]!]!] = 0;
  return shared;
}

/** Events of one group of one trace, ready to be aligned. */
interface Side {
  readonly steps: Int32Array;
  readonly tokens: Float64Array;
  readonly forms: Float64Array;
  readonly anchors: Uint8Array;
}

/** What the comparison of events found. */
export interface Compared {
  /** In the order of trace A; what stands in B only comes after what stands before it in B. */
  readonly differences: readonly Difference[];
  readonly same: number;
  /** The step of A that each step of B stands for, -1: none, or it does not tell the place. */
  readonly partner: Int32Array;
  /** The step of A with which each step of B was compared, -1: none. Also that of events whose order does not count. */
  readonly pairs: Int32Array;
  readonly stepsA: GroupedSteps;
  readonly stepsB: GroupedSteps;
}

/** Groups that are aligned between two slices. */
const SLICE_EVENTS = 1 << 15;

/** Compares the events of two traces in slices. `late`: one of them began later than the other. */
export function* comparingEvents(a: Survey, b: Survey, groups: Groups, late: boolean): Generator<void, Compared> {
  const texts = new CommonTexts();
  const identities = (common: Int32Array): Int32Array => common.map((c) => groups.identity[c]!);
  const readA = new Reading(a, identities(groups.ofA), texts, late);
  const readB = new Reading(b, identities(groups.ofB), texts, late);
  const count = groups.group.length;
  const stepsA = new GroupedSteps(groupsOf(a, groups.ofA, groups), count);
  const stepsB = new GroupedSteps(groupsOf(b, groups.ofB, groups), count);
  const shared = sharedGroups(
    [
      [a, groups.ofA],
      [b, groups.ofB],
    ],
    groups,
  );
  const partner = new Int32Array(b.trace.length).fill(-1);
  const pairs = partner.slice();
  const found: Difference[] = [];
  let same = 0;
  let done = 0;
  for (let group = 0; group < count; group++) {
    const [here, there] = [side(a, readA, stepsA.of(group)), side(b, readB, stepsB.of(group))];
    if (here.steps.length + there.steps.length === 0) continue;
    const partners = shared[group] === 1 ? pairAny(here, there, late) : align(here, there, late);
    const taken = new Uint8Array(there.steps.length);
    for (const [i, j] of partners.entries()) {
      const step = here.steps[i]!;
      if (j < 0) {
        found.push({ a: step, b: -1, group, fields: [] });
        continue;
      }
      taken[j] = 1;
      const other = there.steps[j]!;
      pairs[other] = step;
      // What is shared is paired in whatever order: that tells no place.
      if (shared[group] === 0) partner[other] = step;
      const fields = here.tokens[i] === there.tokens[j] ? [] : fieldsOf(readA, step, readB, other);
      if (fields.length === 0) same++;
      else found.push({ a: step, b: other, group, fields });
    }
    for (const [j, step] of there.steps.entries())
      if (taken[j] === 0) found.push({ a: -1, b: step, group, fields: [] });
    done += here.steps.length + there.steps.length;
    if (done >= SLICE_EVENTS) {
      done = 0;
      yield;
    }
  }
  const across = pairAcross(found, readA, readB, partner);
  same += across.pairs;
  for (const [step, other] of partner.entries()) if (other >= 0) pairs[step] = other;
  return { differences: inOrder(across.left, partner), same, partner, pairs, stepsA, stepsB };
}

function side({ trace }: Survey, reading: Reading, steps: Int32Array): Side {
  const hash = new Hash();
  const tokens = new Float64Array(steps.length);
  const forms = new Float64Array(steps.length);
  const anchors = new Uint8Array(steps.length);
  for (const [i, step] of steps.entries()) {
    const kind = trace.table.kind(step);
    const thing = reading.form(step);
    // Writes at different offsets are different things, not one with another value.
    const offset = kind.at['offset'];
    const at = offset === undefined ? 0 : trace.table.word(step, offset);
    forms[i] = hash.clear().add(kind.number).add(thing).add(at).value;
    reading.read(step, hash.take);
    tokens[i] = hash.value;
    anchors[i] = marksPhase(kind) ? 1 : 0;
  }
  return { steps, tokens, forms, anchors };
}

/** Pairs events whose order does not count: as they are aligned, then what is left of them in whatever order. */
function pairAny(a: Side, b: Side, late: boolean): Int32Array {
  const aligned = align(a, b, late);
  const pairs = new Int32Array(a.steps.length).fill(-1);
  const taken = new Uint8Array(b.steps.length);
  const put = (i: number, j: number): void => {
    if (pairs[i]! >= 0 || taken[j] !== 0) return;
    pairs[i] = j;
    taken[j] = 1;
  };
  for (const [i, j] of aligned.entries()) if (j >= 0 && a.tokens[i] === b.tokens[j]) put(i, j);
  pairAlike(a.tokens, b.tokens, pairs, taken, put);
  for (const [i, j] of aligned.entries()) if (j >= 0) put(i, j);
  pairAlike(a.forms, b.forms, pairs, taken, put);
  return pairs;
}

/** Pairs what has no partner yet and the same value, in order. */
function pairAlike(
  a: Float64Array,
  b: Float64Array,
  pairs: Int32Array,
  taken: Uint8Array,
  put: (i: number, j: number) => void,
): void {
  const waiting = new Map<number, number[]>();
  for (let j = b.length - 1; j >= 0; j--) {
    if (taken[j] !== 0) continue;
    const list = waiting.get(b[j]!);
    if (list) list.push(j);
    else waiting.set(b[j]!, [j]);
  }
  for (const [i, value] of a.entries()) {
    if (pairs[i]! >= 0) continue;
    const j = waiting.get(value)?.pop();
    if (j !== undefined) put(i, j);
  }
}

/** Differences in the order of trace A; `partner`: the step of A that each step of B stands for. */
function inOrder(found: readonly Difference[], partner: Int32Array): Difference[] {
  let last = -1;
  const place = partner.map((step) => {
    if (step >= 0) last = step;
    return last;
  });
  const key = ({ a, b }: Difference): number => (a >= 0 ? a : place[b]! + 0.5);
  return found.toSorted((x, y) => key(x) - key(y) || x.b - y.b);
}
