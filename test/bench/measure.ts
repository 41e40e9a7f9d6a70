/**
 * The measurements, each made in a process of its own: `node --expose-gc measure.ts WHAT FILE` prints one JSON object.
 * A process starts with nothing compiled and nothing kept, so no measurement helps or harms another one.
 */
import { spawnSync } from 'node:child_process';
import { openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { timeText } from '../../src/base/time.ts';
import { checkTrace } from '../../src/check/check-run.ts';
import { rules } from '../../src/check/rules.ts';
import { ImportRun } from '../../src/import/run.ts';
import { pathAt } from '../../src/query/delivery/path.ts';
import { parseFilter } from '../../src/query/filter/parse.ts';
import { compileFilter } from '../../src/query/filter/pass.ts';
import { history } from '../../src/query/history.ts';
import { resolvePath } from '../../src/query/paths.ts';
import { RecordedKinds } from '../../src/query/recorded-kinds.ts';
import { stateTree } from '../../src/query/state.ts';
import { lastWrite } from '../../src/query/writes.ts';
import { RunTo } from '../../src/session/run-to.ts';
import { Session } from '../../src/session/session.ts';
import { checkIntegrity } from '../../src/trace/integrity.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { LaneIndex } from '../../src/view/lanes/lanes.ts';
import { floorScan } from './floor.ts';
import { COLD_IRQ, HOT_IRQ } from './generate.ts';

const CHUNK = 1 << 20;
const STEPS = 2000;
const PASSES = 3;
const TIMES = 20;

/**
 * What a piece of work took, in milliseconds: by the clock; of one processor, for the thread that does the work; and of all
 * processors together, which counts the threads that compile and collect garbage too. Other load on the machine changes the
 * first one only.
 */
export interface Spent {
  readonly ms: number;
  readonly thread: number;
  readonly cpu: number;
}

export interface ImportFigures {
  readonly lines: number;
  readonly events: number;
  readonly objects: number;
  readonly floor: Spent;
  readonly load: Spent;
  /** Bytes that the process holds more than before the import, behind a collection of garbage. */
  readonly kept: number;
  /** Bytes of the event table alone. */
  readonly table: number;
  /** Time of `stateAt` at random steps, in milliseconds. */
  readonly stepP50: number;
  readonly stepP99: number;
}

/** The largest resident size of a process that does nothing but import a file, in bytes. */
export function peakOf(file: string): number {
  const child = spawnSync(process.execPath, [import.meta.filename, 'peak', file], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`import of ${file} failed: ${child.stderr}`);
  return Number(child.stdout);
}

/** Runs a measurement of this file in a process of its own; `repeats`: how often it imports the file. */
export function inProcess<T>(what: 'import' | Question, file: string, repeats = 1): T {
  // Enough heap for all measurements: a process that runs out of memory gives no figures.
  const args = ['--expose-gc', '--max-old-space-size=12000', import.meta.filename, what, file, String(repeats)];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`${what} of ${file} failed: ${child.stderr}`);
  return JSON.parse(child.stdout) as T;
}

export const percentile = (values: readonly number[], p: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * p))]!;

export const median = (values: readonly number[]): number => percentile(values, 0.5);

function importFile(file: string, afterChunk?: () => void): Trace {
  const run = new ImportRun(basename(file));
  const fd = openSync(file, 'r');
  const buf = new Uint8Array(CHUNK);
  for (let n = readSync(fd, buf); n > 0; n = readSync(fd, buf)) {
    run.push(buf.subarray(0, n));
    afterChunk?.();
  }
  return run.end();
}

/** Sampled after each chunk: the kernel's own figure of the peak counts the process that this one was forked from. */
function peakOfImport(file: string): number {
  let peak = 0;
  importFile(file, () => {
    peak = Math.max(peak, process.memoryUsage.rss());
  });
  return Math.max(peak, process.memoryUsage.rss());
}

/** Processor time of this thread so far, in milliseconds. */
function threadTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function spent(work: () => void): Spent {
  const cpu = process.cpuUsage();
  const thread = threadTime();
  const start = performance.now();
  work();
  const ms = performance.now() - start;
  const used = process.cpuUsage(cpu);
  return { ms, thread: threadTime() - thread, cpu: (used.user + used.system) / 1000 };
}

function held(): number {
  for (let i = 0; i < 3; i++) globalThis.gc!();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A seeded sequence of numbers from 0 to 1. */
function sequence(): () => number {
  let seed = 12345;
  return () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) / 0x100000000;
}

/** The medians of several measurements. */
export const middle = (all: readonly Spent[]): Spent => ({
  ms: median(all.map((s) => s.ms)),
  thread: median(all.map((s) => s.thread)),
  cpu: median(all.map((s) => s.cpu)),
});

/** Times of `stateAt` at random steps, each the least of several passes: an interruption by other load does not count. */
function stepTimes(trace: Trace, random: () => number): number[] {
  const steps = Array.from({ length: STEPS }, () => Math.floor(random() * trace.length));
  const least = steps.map(() => Number.POSITIVE_INFINITY);
  for (let pass = 0; pass < PASSES; pass++) {
    for (const [i, at] of steps.entries()) {
      const start = performance.now();
      trace.stateAt(at);
      least[i] = Math.min(least[i]!, performance.now() - start);
    }
  }
  return least;
}

function measureImport(file: string, repeats: number): ImportFigures {
  // Once before it counts: the file is in the memory of the system then, and the pass is compiled.
  floorScan(file);
  const before = held();
  let trace: Trace | undefined;
  const floors: Spent[] = [];
  const loads: Spent[] = [];
  for (let i = 0; i < repeats; i++) {
    trace = undefined;
    // Floor and import take turns, so that other load on the machine hits both.
    floors.push(spent(() => floorScan(file)));
    loads.push(
      spent(() => {
        trace = importFile(file);
      }),
    );
  }
  const t = trace!;
  const kept = held() - before;
  const random = sequence();
  const step = stepTimes(t, random);
  const [wrong] = checkIntegrity(t);
  if (wrong !== undefined) throw new Error(`${file}: ${wrong}`);
  stateTree(t.head);
  return {
    lines: t.first.accounting.lines,
    events: t.length,
    objects: t.world.objects,
    floor: middle(floors),
    load: middle(loads),
    kept,
    table: t.table.bytes,
    stepP50: percentile(step, 0.5),
    stepP99: percentile(step, 0.99),
  };
}

const HOT = `irq/${HOT_IRQ}`;
const COLD = `irq/${COLD_IRQ}`;
/** An irq that fires as often as most do. */
const USUAL = `irq/${COLD_IRQ + 1}`;

function countHistory(trace: Trace, path: string): number {
  let entries = 0;
  for (const _ of history(trace, resolvePath(trace.world, path)!)) entries++;
  return entries;
}

/** Where the set-up of the cold irq ends: its last write but for the move near the end of the log. */
const afterSetUp = (trace: Trace): number => Math.floor(trace.length / 10);

/** How many events fit a filter. */
function countFitting(trace: Trace, text: string): number {
  const holds = compileFilter(parseFilter(text), trace);
  let found = 0;
  for (let step = 0; step < trace.length; step++) if (holds(step)) found++;
  return found;
}

/** The questions, asked of generated ftrace text. Each returns what can be checked of its answer. */
const QUESTIONS = {
  lanes: (trace) => {
    const index = new LaneIndex(trace);
    while (index.advance(1 << 14));
    return index.done;
  },
  'history hot': (trace) => countHistory(trace, HOT),
  'history usual': (trace) => countHistory(trace, USUAL),
  'history cold': (trace) => countHistory(trace, COLD),
  'last write': (trace) => lastWrite(trace, resolvePath(trace.world, `${COLD}/cpu`)!, Math.floor(trace.length * 0.85)),
  'run to change': (trace) => {
    const session = new Session(trace);
    session.grown(true);
    session.move({ to: 'step', step: afterSetUp(trace) });
    const run = new RunTo(session, { to: 'change', path: COLD });
    for (;;) {
      const found = run.look(1 << 14);
      if (typeof found === 'number') return found;
      if (found !== undefined) throw new Error(found.refused);
    }
  },
  'path, 20 times': (trace) => {
    const random = sequence();
    const recorded = new RecordedKinds(trace);
    let hops = 0;
    for (let i = 0; i < TIMES; i++)
      hops += pathAt(trace, Math.floor(random() * trace.length), recorded)?.hops.length ?? 0;
    return hops;
  },
  'go to time': (trace) => {
    const random = sequence();
    let sum = 0;
    for (let i = 0; i < TIMES; i++) {
      const { table } = trace;
      const time = table.time(Math.floor(random() * trace.length));
      sum += trace.stepAtTime(timeText(time, trace.time)!)!;
    }
    return sum;
  },
  /** All rules over the whole trace, as `irqscope check` takes them; the answer is the number of findings. */
  rules: (trace) => {
    const check = checkTrace(trace, rules);
    return check.findings.length + check.further;
  },
  filter: (trace) => countFitting(trace, 'kind == irq.entry && cpu == 3'),
  'filter by state': (trace) => countFitting(trace, 'kind == irq.entry && irq.vector > 40'),
  'filter by references': (trace) => countFitting(trace, 'vector.irq > 30 && irq.handled > 100'),
  'filter by earlier events': (trace) =>
    countFitting(trace, 'after(kind == irq.entry && irq.handled > 100, 1ms, vector)'),
} satisfies Record<string, (trace: Trace) => number>;

export type Question = keyof typeof QUESTIONS;
export const questions = Object.keys(QUESTIONS) as Question[];

export interface Answer {
  readonly events: number;
  readonly answer: number;
  readonly spent: Spent;
}

function ask(what: Question, file: string): Answer {
  const trace = importFile(file);
  held();
  let answer = 0;
  const time = spent(() => {
    answer = QUESTIONS[what](trace);
  });
  return { events: trace.length, answer, spent: time };
}

function run(what: 'import' | 'peak' | Question, file: string, repeats: number): unknown {
  if (what === 'import') return measureImport(file, repeats);
  if (what !== 'peak') return ask(what, file);
  return peakOfImport(file);
}

if (import.meta.main) {
  const [what, file, repeats] = process.argv.slice(2) as ['import' | 'peak' | Question, string, string];
  process.stdout.write(JSON.stringify(run(what, file, Number(repeats))));
}
