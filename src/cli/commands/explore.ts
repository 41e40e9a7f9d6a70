import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { counted } from '../../base/counted.ts';
import { seedAfter } from '../../sim/measures/compare.ts';
import { type Explored, exploring, merged, type Shrunk, shrinking } from '../../sim/measures/explore.ts';
import { recipeHeader } from '../../sim/recipe.ts';
import { type Recipe, Simulation, SimulationError } from '../../sim/simulation.ts';
import { StreamRecorder } from '../../sim/stream.ts';
import { runEach } from '../children.ts';
import type { Context } from '../command.ts';
import { DONE, Failure, FOUND } from '../failure.ts';
import { jsonDocument } from '../json.ts';
import { writeFailure, writeFileWhole } from '../out-file.ts';

/** Seeds that a process runs before another job of the same kind is given out. */
const SEEDS_A_JOB = 50;

/** What is to be explored. */
export interface Exploration {
  /** What the user called the scenario, and the options that change it, for processes that run a part of the seeds. */
  readonly name: string;
  readonly options: readonly string[];
  readonly count: number;
  readonly most: number;
  /** Processes at a time. */
  readonly jobs: number;
  /** The runs are not shortened: what a part answers. */
  readonly whole: boolean;
  /** Where the traces are written. */
  readonly folder: string | undefined;
  readonly json: boolean;
}

/** Processes that explore at a time where nobody says how many. */
export const JOBS = availableParallelism();

/** Takes work to its end and lets signals and slow readers through. */
async function finished<T>(work: Generator<void, T>, rest: () => Promise<void>): Promise<T> {
  for (;;) {
    const at = work.next();
    if (at.done) return at.value;
    await rest();
  }
}

/** The findings of all seeds: from processes of their own where several may run. */
async function found(recipe: Recipe, job: Exploration, { out, progress }: Context): Promise<Explored[]> {
  const { name, options, count, jobs } = job;
  if (jobs === 1 || count <= SEEDS_A_JOB)
    return finished(exploring(recipe, count, job.most), async () => {
      progress.tell(`exploring ${counted(count, 'seed')}`);
      await out.rest();
    });
  const parts: Explored[][] = [];
  const starts = Array.from({ length: Math.ceil(count / SEEDS_A_JOB) }, (_, i) => i * SEEDS_A_JOB);
  await runEach(
    starts.map((from) => ({
      args: [
        ...[
          'simulate',
          name,
          ...options,
          '--seed',
          String(seedAfter(recipe.seed, from)),
          '--whole',
          '--json',
          '--jobs',
          '1',
        ],
        ...['--explore', String(Math.min(SEEDS_A_JOB, count - from))],
      ],
      stdin: false,
    })),
    (ended) => progress.tell(`${Math.min(count, ended * SEEDS_A_JOB)} of ${counted(count, 'seed')}`),
    async ({ status, out: text, err }) => {
      if (status !== DONE && status !== FOUND)
        throw new Failure(err.trim().replace(/^irqscope: /, '') || 'a run ended');
      parts.push((JSON.parse(text) as { findings: Explored[] }).findings);
    },
    jobs,
  );
  return merged(parts);
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw writeFailure(folder, error);
  }
}

/** Writes the run of a recipe into a file. */
function writeRun(file: string, recipe: Recipe, most: number): Promise<void> {
  return writeFileWhole(file, async (target) => {
    const stream = new StreamRecorder(recipeHeader(recipe), (bytes) => target.add(bytes));
    const run = new Simulation(recipe, stream);
    const limit = Math.min(most, recipe.events ?? most);
    while (run.recorder.length < limit && run.step());
    stream.end();
    await target.drain();
  });
}

/** Runs a scenario with many seeds and tells each distinct finding once, with the shortest run that shows it. */
export async function explore(recipe: Recipe, job: Exploration, context: Context): Promise<number> {
  const { out, progress } = context;
  const { count, folder, most, json, whole } = job;
  try {
    const all = await found(recipe, job, context);
    const shown: { found: Explored; shrunk?: Shrunk; file?: string }[] = [];
    if (folder !== undefined && all.length > 0) makeFolder(folder);
    for (const [i, one] of all.entries()) {
      if (whole) {
        shown.push({ found: one });
        continue;
      }
      progress.tell(`shortening ${i + 1} of ${counted(all.length, 'finding')}`);
      const shrunk = await finished(shrinking(recipe, one, most), () => out.rest());
      const file = folder === undefined ? undefined : join(folder, `${one.rule}-${i + 1}.irqtrace`);
      if (file !== undefined) await writeRun(file, shrunk.recipe, most);
      shown.push({ found: one, shrunk, ...(file === undefined ? {} : { file }) });
    }
    progress.erase();
    if (json) {
      const findings = shown.map(({ found: of, shrunk, file }) => ({
        ...of,
        ...(shrunk && {
          step: shrunk.found.step,
          object: shrunk.found.object,
          operations: shrunk.after,
          of: shrunk.before,
        }),
        ...(file !== undefined && { file }),
      }));
      for (const text of jsonDocument({ seeds: count, from: recipe.seed, findings })) out.json(text);
    } else {
      out.line(`${counted(count, 'seed')} from ${recipe.seed} on: ${counted(all.length, 'distinct finding')}`);
      for (const { found: of, shrunk, file } of shown) {
        out.line();
        out.line(`${of.rule}  ${of.severity}${of.lost ? ', lost' : ''}: ${shrunk?.found.title ?? of.title}`);
        out.line(`  ${counted(of.seeds, 'seed')} of ${count}; the shortest run has seed ${of.seed}`);
        if (shrunk) {
          const { step, object } = shrunk.found;
          out.line(
            `  at step ${step} on ${object}, with ${shrunk.after} of ${counted(shrunk.before, 'operation')} of the workload`,
          );
        }
        if (file !== undefined) out.line(`  written to ${file}`);
      }
      if (folder === undefined && !whole && all.length > 0) {
        out.line();
        out.line('--out FOLDER writes a trace of each.');
      }
    }
    return all.some(({ severity }) => severity === 'error') ? FOUND : DONE;
  } catch (error) {
    if (error instanceof SimulationError) throw new Failure(`${job.name}: ${error.message}`);
    throw error;
  }
}
