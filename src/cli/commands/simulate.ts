import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { durationText } from '../../base/time.ts';
import { nearest } from '../../query/nearest.ts';
import { policies } from '../../sim/design.ts';
import { feltBy, noEffect } from '../../sim/felt.ts';
import { type Measures, Meter } from '../../sim/measure.ts';
import { recipeHeader } from '../../sim/recipe.ts';
import { type Recipe, Simulation, SimulationError } from '../../sim/simulation.ts';
import { StreamRecorder } from '../../sim/stream.ts';
import { type Command, type Context, misused, readArguments } from '../command.ts';
import { DONE, Failure } from '../failure.ts';
import { jsonDocument } from '../json.ts';
import { writeFileWhole } from '../out-file.ts';
import { Columns } from '../text.ts';
import { readRecipeFor } from './scenario-file.ts';

/** A run without an end stops after this many events unless --events says otherwise. */
const MOST_EVENTS = 10_000_000;
/** Number of actions after which a run lets signals and slow readers through. */
const SLICE = 20_000;

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

const rows: readonly (readonly [string, (m: Measures) => string])[] = [
  ['events', (m) => String(m.events)],
  ['model time', (m) => durationText(m.time)],
  ['causes', (m) => String(m.causes)],
  ['delivered', (m) => String(m.delivered)],
  ['merged', (m) => String(m.merged)],
  ['served without interrupt', (m) => String(m.withdrawn)],
  ['pending', (m) => String(m.pending)],
  ['lost', (m) => String(m.lost)],
  ['not known', (m) => String(m.untold)],
  ['duplicated', (m) => String(m.duplicated)],
  ['wrongly delivered', (m) => String(m.misdelivered)],
  ['exits', (m) => String(m.exits)],
  ['  to user space', (m) => String(m.userExits)],
  ['latency, median', (m) => (m.latency === null ? '-' : durationText(m.latency))],
  ['latency, 99 %', (m) => (m.latency99 === null ? '-' : durationText(m.latency99))],
];

function reasonLines(out: Context['out'], measures: Measures): void {
  for (const [reason, times] of Object.entries(measures.reasons)) out.line(`  ${times} x ${reason}`);
}

/** Why all values of a policy gave the same events. */
function sameEvents(recipe: Recipe, policy: string): string {
  return noEffect(feltBy(recipe), policy) ?? 'every value gives the same events on this workload';
}

async function compare(
  name: string,
  recipe: Recipe,
  policy: string,
  most: number,
  json: boolean,
  { out }: Context,
): Promise<number> {
  checkPolicy(policy);
  const all: { value: string; measures: Measures; events: string }[] = [];
  for (const { value } of policies.get(policy)!.values) {
    const settings = { ...recipe.settings, [policy]: value };
    // Without a header the bytes are those of the events alone.
    const hash = createHash('sha256');
    const { measures } = await runRecipe(
      name,
      { ...recipe, settings },
      most,
      (bytes) => hash.update(bytes),
      () => out.rest(),
      [],
    );
    all.push({ value, measures, events: hash.digest('hex') });
  }
  const same = all.every(({ events }) => events === all[0]?.events);
  const idle = same ? sameEvents(recipe, policy) : undefined;
  if (json) {
    for (const part of jsonDocument(
      all.map(({ value, measures }) => ({ [policy]: value, ...measures, ...(idle && { noEffect: idle }) })),
    ))
      out.json(part);
    return DONE;
  }
  const columns = new Columns((line) => out.line(line), new Set(all.map((_, i) => i + 1)));
  columns.row(policy, ...all.map((a) => a.value));
  for (const [label, cell] of rows) columns.row(label, ...all.map((a) => cell(a.measures)));
  columns.end();
  if (idle !== undefined) out.line(`${policy} has no effect here: ${idle}`);
  for (const { value, measures } of all) {
    if (Object.keys(measures.reasons).length === 0) continue;
    out.line();
    out.line(`${value}: why causes or messages ended`);
    reasonLines(out, measures);
  }
  return DONE;
}

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = readArguments('simulate', args, {
    json: { type: 'boolean' },
    seed: { type: 'string' },
    set: { type: 'string', multiple: true },
    out: { type: 'string' },
    events: { type: 'string' },
    compare: { type: 'string' },
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
  if (values.compare !== undefined) {
    if (values.out !== undefined) throw misused('simulate', '--compare runs several times and takes no --out');
    return compare(name, recipe, values.compare, most, values.json === true, context);
  }
  if (values.out === '-') {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const { noEffect: idle } = await runRecipe(
      name,
      recipe,
      most,
      (bytes) => out.raw(decoder.decode(bytes)),
      () => out.rest(),
    );
    for (const [policy, why] of Object.entries(idle)) warn(`${policy} has no effect here: ${why}`);
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
  for (const [label, cell] of rows) columns.row(label, cell(measures));
  columns.end();
  reasonLines(out, measures);
  for (const [policy, why] of Object.entries(idle)) out.line(`${policy} has no effect here: ${why}`);
  if (values.out !== undefined) out.line(`written to ${values.out}`);
  return DONE;
}

/** `irqscope simulate`. */
export const simulate: Command = {
  name: 'simulate',
  usage: 'SCENARIO [--seed N] [--set POLICY=VALUE]... [--out FILE | --compare POLICY] [--events N] [--json]',
  help: `Runs a scenario: the name of a bundled one, a scenario file (.json), or a simulated trace, which is run again from its
header. The same scenario, seed and settings give the same bytes on every machine. Tells the fate of every
interrupt cause, how long deliveries took in model time, and the exits of virtual CPUs.

Options:
  --seed N            seed of all random choices (default 1, or the seed of the trace)
  --set POLICY=VALUE  a design decision or bug mode; may be repeated
  --out FILE          write the trace as .irqtrace; - is standard output
  --compare POLICY    run every value of a policy on the same workload and print them side by side
  --events N          end the run after about N events (default ${MOST_EVENTS}); what sets the system up always
                      comes whole, and 0 gives that alone
  --json              one JSON document instead of text

Examples:
  irqscope simulate first-run --seed 3 --out first.irqtrace
  irqscope simulate kvm-mask-per-interrupt --compare msixOwner
  irqscope simulate my.scenario.json --set msixOwner=userSpace --json`,
  run,
};
