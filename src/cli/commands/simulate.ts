import { setImmediate } from 'node:timers/promises';
import { nearest } from '../../query/nearest.ts';
import { policies } from '../../sim/design.ts';
import { feltBy, noEffect } from '../../sim/felt.ts';
import { type Compared, type Comparison, comparing, spreadOf } from '../../sim/measures/compare.ts';
import { type Measures, Meter } from '../../sim/measures/measure.ts';
import { recipeHeader } from '../../sim/recipe.ts';
import { type Recipe, Simulation, SimulationError } from '../../sim/simulation.ts';
import { StreamRecorder } from '../../sim/stream.ts';
import {
  barText,
  type ComparedRow,
  comparedBars,
  comparedMarkdown,
  comparedRows,
  idleLines,
  SAME_EVENTS,
  verdict,
} from '../../view/policy-comparison.ts';
import { type Command, type Context, misused, readArguments } from '../command.ts';
import { DONE, Failure } from '../failure.ts';
import { jsonDocument } from '../json.ts';
import { writeFileWhole } from '../out-file.ts';
import { Columns } from '../text.ts';
import { explore, JOBS } from './explore.ts';
import { readRecipeFor } from './scenario-file.ts';

/** A run without an end stops after this many events unless --events says otherwise. */
const MOST_EVENTS = 10_000_000;
/** Number of actions after which a run lets signals and slow readers through. */
const SLICE = 20_000;
/** A run that is explored stops after this many events unless --events says otherwise. */
const EXPLORED_EVENTS = 100_000;
/** Runs with other seeds for each value of a policy that is compared. */
const SEEDS = 5;

/** The seed that an option gives. */
function seedOf(text: string): number {
  if (!/^-?\d{1,10}$/.test(text) || Math.abs(Number(text)) > 0xffffffff)
    throw misused('simulate', `--seed ${text} is no whole number of at most 32 bits`);
  return Number(text);
}

/** `policy=value` of every --set. */
function settingsOf(list: readonly string[]): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const text of list) {
    const m = /^([^=]+)=(.+)$/.exec(text);
    if (!m) throw misused('simulate', `--set ${text} is not policy=value`);
    checkPolicy(m[1]!, m[2]);
    settings[m[1]!] = m[2]!;
  }
  return settings;
}

function checkPolicy(name: string, value?: string): void {
  const known = policies.get(name);
  if (!known) {
    const near = nearest(name, [...policies.keys()], 1);
    throw new Failure(`there is no policy ${name}${near.length > 0 ? `; did you mean ${near[0]}?` : ''}`);
  }
  const all = known.values.map((v) => v.value);
  if (value !== undefined && !all.includes(value))
    throw new Failure(`policy ${name} is one of ${all.join(', ')}, not ${value}`);
}

/** Takes a run to its end (or to `most` events) and lets signals and slow readers through. */
async function finish(simulation: Simulation, most: number, rest: () => Promise<void>): Promise<void> {
  while (simulation.recorder.length < most) {
    for (let i = 0; i < SLICE && simulation.recorder.length < most; i++) if (!simulation.step()) return;
    await rest();
  }
}

/** What a run came to: its measures, and the settings that had no effect on it, by policy with the reason. */
interface Ran {
  readonly measures: Measures;
  readonly noEffect: Readonly<Record<string, string>>;
}

/** Why settings had no effect on a run that followed them, by policy. */
function withoutEffect(recipe: Recipe, run: Simulation): Record<string, string> {
  const { policiesRead } = run.setup;
  const idle = Object.entries(recipe.settings).filter(([name, value]) =>
    name === 'fault' ? value !== 'none' && run.planted === undefined : !policiesRead.has(name),
  );
  if (idle.length === 0) return {};
  const felt = feltBy(recipe);
  return Object.fromEntries(
    idle.map(([name, value]) => [
      name,
      noEffect(felt, name, value) ?? 'the seed chose a place that this run never came to',
    ]),
  );
}

/** Runs a recipe; the bytes of its trace go to `hand`. `name`: what the user called the scenario. */
async function runRecipe(
  name: string,
  recipe: Recipe,
  most: number,
  hand: (bytes: Uint8Array) => void,
  rest: () => Promise<void>,
  header: readonly string[] = recipeHeader(recipe),
): Promise<Ran> {
  try {
    const stream = new StreamRecorder(header, hand);
    const meter = new Meter(stream);
    const simulation = new Simulation(recipe, meter);
    await finish(simulation, most, rest);
    stream.end();
    await rest();
    return { measures: meter.measures(simulation), noEffect: withoutEffect(recipe, simulation) };
  } catch (error) {
    if (error instanceof SimulationError) throw new Failure(`${name}: ${error.message}`);
    throw error;
  }
}

/** Writes into a file as fast as the disk takes the bytes. */
function runInto(file: string, name: string, recipe: Recipe, most: number): Promise<Ran> {
  return writeFileWhole(file, (target) =>
    runRecipe(
      name,
      recipe,
      most,
      (bytes) => target.add(bytes),
      async () => {
        await target.drain();
        await setImmediate();
      },
    ),
  );
}

/** The table of one run has the rows of a comparison. */
const alone = (measures: Measures): ComparedRow[] =>
  comparedRows({
    policy: '',
    values: [{ value: '', measures, again: [], digest: '' }],
    seeds: [],
    jitter: 0,
    same: false,
  });

function reasonLines(out: Context['out'], measures: Measures): void {
  for (const [reason, times] of Object.entries(measures.reasons)) out.line(`  ${times} x ${reason}`);
}

/** What the seeds of a comparison gave: the least, the median and the largest. */
const spreads = ({ again }: Compared) =>
  again.length === 0
    ? {}
    : {
        spread: {
          guestLatency: spreadOf(again.map((m) => m.guestLatency)) ?? null,
          guestLatency99: spreadOf(again.map((m) => m.guestLatency99)) ?? null,
          exitTime: spreadOf(again.map((m) => m.exitTime)) ?? null,
          guestTime: spreadOf(again.map((m) => m.guestTime)) ?? null,
        },
      };

/** What is compared, and how it is shown. */
interface Asked {
  readonly policy: string;
  readonly more: number;
  readonly most: number;
  readonly as: 'json' | 'markdown' | 'text';
}

async function compare(name: string, recipe: Recipe, asked: Asked, { out }: Context): Promise<number> {
  const { policy } = asked;
  checkPolicy(policy);
  let comparison: Comparison | undefined;
  try {
    const work = comparing(recipe, policy, asked.more, asked.most);
    for (let at = work.next(); ; at = work.next()) {
      if (at.done) {
        comparison = at.value;
        break;
      }
      await out.rest();
    }
  } catch (error) {
    if (error instanceof SimulationError) throw new Failure(`${name}: ${error.message}`);
    throw error;
  }
  const { values, same } = comparison;
  const idle = same ? noEffect(feltBy(recipe), policy) : undefined;
  const says = verdict(comparison, idle);
  if (asked.as === 'json') {
    const rows = values.map((one) => ({
      [policy]: one.value,
      ...one.measures,
      ...spreads(one),
      verdict: says,
      ...(same && { noEffect: idle ?? SAME_EVENTS }),
    }));
    for (const part of jsonDocument(rows)) out.json(part);
    return DONE;
  }
  if (asked.as === 'markdown') {
    out.add(comparedMarkdown(comparison, recipe.scenario.title, idle));
    return DONE;
  }
  const columns = new Columns((line) => out.line(line), new Set(values.map((_, i) => i + 1)));
  columns.row(policy, ...values.map(({ value }) => value));
  tableRows(columns, comparedRows(comparison));
  columns.end();
  for (const { label, bars } of comparedBars(comparison)) {
    out.line();
    out.line(label);
    const chart = new Columns((line) => out.line(line));
    for (const { value, share, text } of bars) chart.row(`  ${value}`, `${barText(share)} ${text}`);
    chart.end();
  }
  for (const { value, measures } of values) {
    if (Object.keys(measures.reasons).length === 0) continue;
    out.line();
    out.line(`${value}: why causes or messages ended`);
    reasonLines(out, measures);
  }
  out.line();
  for (const line of same ? idleLines(policy, idle ?? SAME_EVENTS) : [says]) out.line(line);
  return DONE;
}

const tableRows = (columns: Columns, rows: readonly ComparedRow[]): void => {
  for (const { label, level, cells } of rows) columns.row(`${level === 1 ? '  ' : ''}${label}`, ...cells);
};

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = readArguments('simulate', args, {
    json: { type: 'boolean' },
    seed: { type: 'string' },
    set: { type: 'string', multiple: true },
    out: { type: 'string' },
    events: { type: 'string' },
    compare: { type: 'string' },
    seeds: { type: 'string' },
    markdown: { type: 'boolean' },
    explore: { type: 'string' },
    jobs: { type: 'string' },
    whole: { type: 'boolean' },
  });
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0) throw misused('simulate', 'simulate needs one SCENARIO');
  if (values.events !== undefined && !/^\d{1,9}$/.test(values.events))
    throw misused('simulate', `--events ${values.events} is no number of events`);
  const { out, warn } = context;
  const found = await readRecipeFor(name, context.progress);
  const recipe: Recipe = {
    ...found,
    seed: values.seed === undefined ? found.seed : seedOf(values.seed),
    settings: { ...found.settings, ...settingsOf(values.set ?? []) },
    events: values.events === undefined ? found.events : Number(values.events),
  };
  const most = recipe.events ?? MOST_EVENTS;
  if (values.explore !== undefined) {
    for (const [option, text] of Object.entries({ explore: values.explore, jobs: values.jobs ?? '1' }))
      if (!/^[1-9]\d{0,5}$/.test(text)) throw misused('simulate', `--${option} ${text} is no number from 1 on`);
    if (values.compare !== undefined) throw misused('simulate', '--explore and --compare exclude each other');
    const options = [
      ...(values.set ?? []).flatMap((setting) => ['--set', setting]),
      ...(values.events === undefined ? [] : ['--events', values.events]),
    ];
    const job = {
      name,
      options,
      count: Number(values.explore),
      most: recipe.events ?? EXPLORED_EVENTS,
      jobs: values.jobs === undefined ? JOBS : Number(values.jobs),
      whole: values.whole === true,
      folder: values.out,
      json: values.json === true,
    };
    return explore({ ...recipe, operations: [] }, job, context);
  }
  if (values.jobs !== undefined || values.whole)
    throw misused('simulate', `--${values.whole ? 'whole' : 'jobs'} belongs to --explore`);
  if (values.compare !== undefined) {
    if (values.out !== undefined) throw misused('simulate', '--compare runs several times and takes no --out');
    if (values.seeds !== undefined && !/^\d{1,4}$/.test(values.seeds))
      throw misused('simulate', `--seeds ${values.seeds} is no number of runs`);
    if (values.json && values.markdown) throw misused('simulate', '--json and --markdown exclude each other');
    const more = values.seeds === undefined ? SEEDS : Number(values.seeds);
    const as = values.json ? 'json' : values.markdown ? 'markdown' : 'text';
    return compare(name, recipe, { policy: values.compare, more, most, as }, context);
  }
  if (values.seeds !== undefined || values.markdown)
    throw misused('simulate', `--${values.markdown ? 'markdown' : 'seeds'} belongs to --compare`);
  if (values.out === '-') {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const { noEffect: idle } = await runRecipe(
      name,
      recipe,
      most,
      (bytes) => out.raw(decoder.decode(bytes)),
      () => out.rest(),
    );
    for (const [policy, why] of Object.entries(idle)) for (const line of idleLines(policy, why)) warn(line);
    return DONE;
  }
  const { measures, noEffect: idle } =
    values.out === undefined
      ? await runRecipe(
          name,
          recipe,
          most,
          () => {},
          () => out.rest(),
        )
      : await runInto(values.out, name, recipe, most);
  if (values.json) {
    const { title } = recipe.scenario;
    for (const part of jsonDocument({
      scenario: name,
      title,
      seed: recipe.seed,
      settings: recipe.settings,
      ...measures,
      ...(Object.keys(idle).length > 0 && { noEffect: idle }),
    }))
      out.json(part);
    return DONE;
  }
  out.line(`${recipe.scenario.title}, seed ${recipe.seed}`);
  const columns = new Columns((line) => out.line(line), [1]);
  tableRows(columns, alone(measures));
  columns.end();
  reasonLines(out, measures);
  for (const [policy, why] of Object.entries(idle)) for (const line of idleLines(policy, why)) out.line(line);
  if (values.out !== undefined) out.line(`written to ${values.out}`);
  return DONE;
}

/** `irqscope simulate`. */
export const simulate: Command = {
  name: 'simulate',
  usage:
    'SCENARIO [--seed N] [--set POLICY=VALUE]... [--events N] [--json]\n' +
    '                         [--out FILE | --compare POLICY [--seeds N] [--markdown] |\n' +
    '                          --explore N [--out FOLDER] [--jobs N] [--whole]]',
  help: `Runs a scenario: the name of a bundled one, a scenario file (.json), or a simulated trace, which is run again from its
header. The same scenario, seed and settings give the same bytes on every machine. Tells the fate of every
interrupt cause, how long deliveries took in model time, and the exits of virtual CPUs.

Options:
  --seed N            seed of all random choices (default 1, or the seed of the trace)
  --set POLICY=VALUE  a design decision or bug mode; may be repeated
  --out FILE          write the trace as .irqtrace; - is standard output
  --compare POLICY    run every value of a policy on the same workload and print them side by side, with what decides
  --seeds N           how many more runs of each value, with other seeds and delays that vary, tell how sure that is
                      (default ${SEEDS})
  --markdown          the comparison as a Markdown document
  --explore N         run N seeds, with delays that vary, and judge each run by all rules: each distinct finding
                      once, with the shortest run that shows it; --out FOLDER writes the trace of that run
  --jobs N            processes that explore at a time (default: one for each processor)
  --whole             do not look for shorter runs
  --events N          end the run after about N events (default ${MOST_EVENTS}); what sets the system up always
                      comes whole, and 0 gives that alone
  --json              one JSON document instead of text

Examples:
  irqscope simulate first-run --seed 3 --out first.irqtrace
  irqscope simulate kvm-mask-per-interrupt --compare msixOwner
  irqscope simulate my.scenario.json --set msixOwner=userSpace --json`,
  run,
};
