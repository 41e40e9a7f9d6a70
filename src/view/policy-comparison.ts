// What a comparison of the values of a policy shows: a table, bars, and the sentence that says what decides. Command line and editor show the same.
import { byName } from '../base/by-name.ts';
import { counted } from '../base/counted.ts';
import { durationText } from '../base/time.ts';
import { type Compared, type Comparison, spreadOf } from '../sim/measures/compare.ts';
import type { Measures } from '../sim/measures/measure.ts';

/** A row of the table: its label, and a cell for each value. Rows of level 1 are parts of the row above. */
export interface ComparedRow {
  readonly label: string;
  readonly level: 0 | 1;
  readonly cells: readonly string[];
}

/** A bar for each value: what it shows, and how long it is beside the longest one (0 to 1). */
export interface ComparedBars {
  readonly label: string;
  readonly bars: readonly { readonly value: string; readonly share: number; readonly text: string }[];
}

const COUNTS: readonly (readonly [string, (m: Measures) => number])[] = [
  ['causes', (m) => m.causes],
  ['delivered', (m) => m.delivered],
  ['merged', (m) => m.merged],
  ['served without interrupt', (m) => m.withdrawn],
  ['pending', (m) => m.pending],
  ['lost', (m) => m.lost],
  ['in flight', (m) => m.inFlight],
  ['not known', (m) => m.untold],
  ['wrongly delivered', (m) => m.misdelivered],
  ['delivered twice', (m) => m.duplicated],
  ['illegal accesses', (m) => sum(m.illegal)],
  ['refused', (m) => sum(m.refused)],
  ['exits', (m) => m.exits],
  ['returns to user space', (m) => m.userExits],
];

/** Rows that break a count down. */
const PARTS: Readonly<Record<string, (m: Measures) => Readonly<Record<string, number>>>> = byName({
  'illegal accesses': (m) => m.illegal,
  refused: (m) => m.refused,
  exits: (m) => m.exitReasons,
  'returns to user space': (m) => m.userExitReasons,
});

const sum = (tally: Readonly<Record<string, number>>): number => Object.values(tally).reduce((a, b) => a + b, 0);
const time = (ns: number | null | undefined): string => (ns === null || ns === undefined ? '-' : durationText(ns));

/** Causes that handlers served in a millisecond of model time. */
const rate = (m: Measures): number => (m.time === 0 ? 0 : (m.delivered * 1e6) / m.time);

/** Units of a span of times. */
const UNITS = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
  [1, 'ns'],
] as const;

/** From the least to the largest of some times, in one unit, with three digits behind the point where that is not the nanosecond. */
function spanOf(spread: readonly [number, number, number] | undefined): string {
  if (spread === undefined) return '-';
  const [least, , most] = spread;
  const [ns, unit] = UNITS.find(([size]) => most >= size) ?? UNITS[3];
  const text = (n: number): string => (ns === 1 ? String(n) : (n / ns).toFixed(3));
  return least === most ? `${text(least)} ${unit}` : `${text(least)} to ${text(most)} ${unit}`;
}

/** The rows of the table. */
export function comparedRows({ values, seeds }: Comparison): ComparedRow[] {
  const rows: ComparedRow[] = [];
  const row = (label: string, cell: (one: Compared) => string, level: 0 | 1 = 0): void => {
    rows.push({ label, level, cells: values.map(cell) });
  };
  for (const [label, count] of COUNTS) {
    if (label === 'refused' && values.every(({ measures }) => count(measures) === 0)) continue;
    row(label, ({ measures }) => String(count(measures)));
    const parts = PARTS[label];
    if (parts === undefined) continue;
    const names = new Set(values.flatMap(({ measures }) => Object.keys(parts(measures))));
    for (const name of names) row(name, ({ measures }) => String(parts(measures)[name] ?? 0), 1);
  }
  // The others take one interrupt for each message.
  if (values.some(({ measures }) => measures.postedMsi))
    row('interrupts of CPUs of the host', ({ measures }) => String(measures.taken));
  const times = (label: string, of: (m: Measures) => number | null): void => {
    row(label, ({ measures }) => time(of(measures)));
    const spreads = values.map(({ again }) => spreadOf(again.map(of)));
    if (spreads.every((spread) => spread === undefined || spread[2] === 0)) return;
    const runs = counted(seeds.length, 'other run');
    row(`median of ${runs}`, (one) => time(spreadOf(one.again.map(of))?.[1]), 1);
    row('least and largest', (one) => spanOf(spreadOf(one.again.map(of))), 1);
  };
  times('time outside of the guest', (m) => m.exitTime);
  if (values.some(({ measures }) => measures.guestTime !== null)) {
    row('causes handled per ms', ({ measures }) => rate(measures).toFixed(2));
    times("the guest's own time", (m) => m.guestTime);
  }
  row('masks', ({ measures }) => String(measures.masks));
  times('latency, median', (m) => m.guestLatency);
  times('latency, 99 %', (m) => m.guestLatency99);
  row('events', ({ measures }) => String(measures.events));
  row('model time', ({ measures }) => time(measures.time));
  return rows;
}

/** Bars of what values differ in: latency, and the time outside of the guest. */
export function comparedBars({ values }: Comparison): ComparedBars[] {
  const bars = (label: string, of: (m: Measures) => number | null): ComparedBars | undefined => {
    const all = values.map(({ measures }) => of(measures));
    const most = Math.max(...all.map((n) => n ?? 0));
    if (most === 0 || all.every((n) => n === all[0])) return undefined;
    return {
      label,
      bars: values.map(({ value }, i) => ({ value, share: (all[i] ?? 0) / most, text: time(all[i]) })),
    };
  };
  const all = [
    bars('Latency, median', (m) => m.guestLatency),
    bars('Latency, 99 %', (m) => m.guestLatency99),
    bars('Time outside of the guest', (m) => m.exitTime),
    bars("The guest's own time", (m) => m.guestTime),
  ].filter((one) => one !== undefined);
  // Bars of the same lengths and texts say it once.
  const seen = new Set<string>();
  return all.filter(({ bars: own }) => seen.size < seen.add(own.map(({ text }) => text).join()).size);
}

/** The irq domains that were refused: such a design does not work here, whatever else the run shows. */
const refusals = (m: Measures): [string, number][] =>
  Object.entries(m.refused).filter(([what]) => what.startsWith('dom.create '));

/** What a design did wrong: domains that were refused, causes that it lost or that nobody can account for, wrong deliveries, rules of designs that it broke. */
function faultsOf({ measures: m }: Compared): string[] {
  const broken = Object.entries(m.illegal).filter(([rule]) => rule.startsWith('INV-'));
  return [
    ...refusals(m).map(([what]) => `is refused (${what})`),
    ...(m.lost > 0 ? [`loses ${m.lost} of ${counted(m.causes, 'cause')} (${Object.keys(m.reasons).join('; ')})`] : []),
    ...(m.inFlight > 0 ? [`leaves ${counted(m.inFlight, 'cause')} on the way`] : []),
    ...(m.misdelivered > 0 ? [`delivers ${m.misdelivered} wrongly`] : []),
    ...(m.duplicated > 0 ? [`delivers ${m.duplicated} twice`] : []),
    ...broken.map(
      ([rule, times]) => `breaks ${rule} ${times === 1 ? 'once' : times === 2 ? 'twice' : `${times} times`}`,
    ),
  ];
}

const weight = ({ measures: m }: Compared): number =>
  refusals(m).length +
  m.lost +
  m.inFlight +
  m.misdelivered +
  m.duplicated +
  sum(Object.fromEntries(Object.entries(m.illegal).filter(([rule]) => rule.startsWith('INV-'))));

const list = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)!}`;

/** The values with the least of a number, and the largest number of the others; undefined where all are equal, or some have none. */
function least(
  values: readonly Compared[],
  of: (m: Measures) => number | null,
): { readonly best: string[]; readonly least: number; readonly worst: number } | undefined {
  const all = values.map(({ measures }) => of(measures)).filter((n) => n !== null);
  if (all.length < values.length || all.length === 0) return undefined;
  const [low, high] = [Math.min(...all), Math.max(...all)];
  if (low === high) return undefined;
  const best = values.filter(({ measures }) => of(measures) === low).map(({ value }) => value);
  return { best, least: low, worst: high };
}

/** The values with the most of a time, and the least of the others; undefined where all are equal, or some have none. */
function most(
  values: readonly Compared[],
  of: (m: Measures) => number | null,
): { readonly best: string[]; readonly most: number; readonly worst: number } | undefined {
  const found = least(values, (m) => {
    const n = of(m);
    return n === null ? null : -n;
  });
  return found && { best: found.best, most: -found.least, worst: -found.worst };
}

/** Whether the best values are better by a time than all others in every run; a run that does not tell the time shows no order. */
function isSure(values: readonly Compared[], best: readonly string[], of: (m: Measures) => number | null): boolean {
  const ofBest = values.filter(({ value }) => best.includes(value));
  const others = values.filter(({ value }) => !best.includes(value));
  const most = Math.max(...ofBest.flatMap(({ again }) => again.map((m) => of(m) ?? Number.POSITIVE_INFINITY)));
  const fewest = Math.min(...others.flatMap(({ again }) => again.map((m) => of(m) ?? Number.NEGATIVE_INFINITY)));
  return most < fewest;
}

/** Why a policy that parts of the system ask for has no effect all the same. */
export const SAME_EVENTS = 'every value gives the same events on this workload';

/** Says that a policy has no effect, and why. */
export const idleLines = (policy: string, why: string): [string, string] => [
  `${policy} has no effect on this scenario`,
  why,
];

/** One sentence of what decides between the values, and how sure that is. `idle`: why the policy has no effect. */
export function verdict(comparison: Comparison, idle?: string): string {
  const { policy, values, seeds, same } = comparison;
  if (same) return `${idleLines(policy, idle ?? SAME_EVENTS).join(': ')}.`;
  const wrong = values.filter((one) => weight(one) > 0);
  const right = values.filter((one) => weight(one) === 0);
  const faults = wrong.map((one) => `${one.value} ${faultsOf(one).join(' and ')}`).join('; ');
  const sure = (best: readonly string[], of: (m: Measures) => number | null, among = right): string =>
    seeds.length === 0
      ? ''
      : isSure(among, best, of)
        ? ` (so in each of ${counted(seeds.length, 'run')} with other seeds)`
        : ` (not so in each run with other seeds)`;
  const reached = least(right, (m) => m.guestLatency);
  const spent = least(right, (m) => m.exitTime);
  const tail = least(right, (m) => m.guestLatency99);
  const cost =
    reached !== undefined
      ? `${list(reached.best)} ${reached.best.length === 1 ? 'is' : 'are'} fastest: ${time(reached.least)} from the cause to its handler (median) instead of up to ${time(reached.worst)}${sure(reached.best, (m) => m.guestLatency)}`
      : tail !== undefined
        ? `the median latency is the same; of 99 % it is ${time(tail.least)} with ${list(tail.best)} instead of up to ${time(tail.worst)}${sure(tail.best, (m) => m.guestLatency99)}`
        : spent !== undefined
          ? `latency is the same; ${list(spent.best)} ${spent.best.length === 1 ? 'keeps' : 'keep'} virtual CPUs outside of the guest for ${time(spent.least)} instead of up to ${time(spent.worst)}${sure(spent.best, (m) => m.exitTime)}`
          : right.length > 1
            ? `${list(right.map(({ value }) => value))} differ neither in latency nor in exits`
            : '';
  // Values with the least median are equally fast; the time that virtual CPUs spend outside of the guest may still tell them apart.
  const tied = right.filter(({ value }) => reached?.best.includes(value));
  const amongBest = least(tied, (m) => m.exitTime);
  const sureAmong = amongBest === undefined ? '' : sure(amongBest.best, (m) => m.exitTime, tied);
  const also =
    reached !== undefined && spent !== undefined && spent.best.join() === reached.best.join()
      ? `, and virtual CPUs spend ${time(spent.least)} outside of the guest instead of up to ${time(spent.worst)}`
      : tied.length < 2
        ? ''
        : amongBest !== undefined
          ? `; of these, ${list(amongBest.best)} ${amongBest.best.length === 1 ? 'keeps' : 'keep'} virtual CPUs outside of the guest for ${time(amongBest.least)} instead of up to ${time(amongBest.worst)}${sureAmong}`
          : '';
  const taken = comparison.values.some(({ measures }) => measures.postedMsi) ? least(right, (m) => m.taken) : undefined;
  const interrupts =
    taken === undefined
      ? ''
      : `; ${list(taken.best)} ${taken.best.length === 1 ? 'makes' : 'make'} CPUs of the host take ${taken.least} interrupts instead of up to ${taken.worst}`;
  const left = most(right, (m) => m.guestTime);
  const kept =
    left === undefined
      ? ''
      : `. ${list(left.best)} ${left.best.length === 1 ? 'leaves' : 'leave'} the guest ${time(left.most)} of its own instead of down to ${time(left.worst)}`;
  const what = [faults, cost === '' ? '' : `${cost}${also}${interrupts}${kept}`]
    .filter((part) => part !== '')
    .join('. Of the others, ');
  const alone =
    faults !== '' && cost === '' && right.length > 0 ? `: that leaves ${list(right.map(({ value }) => value))}` : '';
  return `${what}${alone}.`;
}

const BAR = 30;
/** A bar of blocks. */
export const barText = (share: number): string => '█'.repeat(Math.max(share > 0 ? 1 : 0, Math.round(share * BAR)));

/** A text as it is: titles and reasons come from files, and a page must show no links and load no pictures of theirs. */
const plain = (text: string): string => text.replaceAll(/[\\`*_[\]<>!|&#~]/g, '\\$&').replaceAll(/[\r\n]+/g, ' ');

/** The comparison as a Markdown document. */
export function comparedMarkdown(comparison: Comparison, title: string, idle?: string): string {
  const { policy, values, seeds, jitter } = comparison;
  const lines = [`# ${plain(title)}: ${plain(policy)}`, '', plain(verdict(comparison, idle)), ''];
  lines.push(`| ${policy} | ${values.map(({ value }) => `**${plain(value)}**`).join(' | ')} |`);
  lines.push(`| :-- | ${values.map(() => '--:').join(' | ')} |`);
  for (const { label, level, cells } of comparedRows(comparison))
    lines.push(`| ${level === 1 ? '&emsp;' : ''}${plain(label)} | ${cells.map(plain).join(' | ')} |`);
  for (const { label, bars } of comparedBars(comparison)) {
    const width = Math.max(...bars.map(({ value }) => value.length));
    lines.push('', `${label}:`, '', '```text');
    for (const { value, share, text } of bars) lines.push(`${value.padEnd(width)}  ${barText(share)} ${text}`);
    lines.push('```');
  }
  for (const { value, measures } of values) {
    const reasons = Object.entries(measures.reasons);
    if (reasons.length === 0) continue;
    lines.push('', `Why causes or messages ended with **${value}**:`, '');
    for (const [reason, times] of reasons) lines.push(`- ${times} × ${plain(reason)}`);
  }
  if (seeds.length > 0)
    lines.push(
      '',
      `The other runs have the seeds ${seeds[0]} to ${seeds.at(-1)!}, and delays vary by up to ${Math.round(jitter * 100)} %.`,
    );
  return `${lines.join('\n')}\n`;
}
