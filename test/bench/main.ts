/**
 * Import time, memory, steps and questions. Import stands beside a floor measured in the same process: one pass over the
 * same bytes that splits lines and reads the stamp and the event name of each, storing nothing.
 *
 *     npm run bench                 captures made large, generated logs, questions, then the simulator's engine
 *     npm run bench -- FILE...      files of your own (plain text, gzip or zstd)
 *
 * Prints tables. Times are processor time of the thread that does the work, so that other load on the machine does not count;
 * `all CPUs` adds the threads that compile and collect garbage. Machines differ, so look at the ratios. Options: --runs N (default 5; generated logs
 * take at most 3), --large (also a log of 10 million events), --only captures|generated|questions|rules|storm|proof, --json.
 * `--only proof` compares whole programs (see proof.ts); with FILEs these, and all of them joined.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { generate, type LogSpec } from './generate.ts';
import { enlarged, savedForms, unpacked } from './inputs.ts';
import { largeDat } from './large-dat.ts';
import {
  type Answer,
  type ImportFigures,
  inProcess,
  median,
  middle,
  peakOf,
  questions,
  type Spent,
} from './measure.ts';
import { prove } from './proof.ts';
import { printStorms, writeStorm } from './storm.ts';
import { count, megabytes, milliseconds, printTable, times } from './table.ts';

const M = 1e6;
/** Runs of what takes long. */
const FEW = 3;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    large: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);

interface ImportRow extends ImportFigures {
  readonly file: string;
  readonly bytes: number;
  /** Processor time of the importing thread over that of the floor: the median of the ratios of all processes. */
  readonly ratio: number;
  /** The largest resident size of a process that does nothing but import the file, the runtime included. */
  readonly peak: number;
}

/** The medians of several processes, each of which imports the file once. */
function measured(name: string, file: string, processes: number): ImportRow {
  const figures = Array.from({ length: processes }, () => inProcess<ImportFigures>('import', file));
  const of = (value: (f: ImportFigures) => number): number => median(figures.map(value));
  return {
    ...figures[0]!,
    file: name,
    bytes: statSync(file).size,
    floor: middle(figures.map((f) => f.floor)),
    load: middle(figures.map((f) => f.load)),
    ratio: of((f) => f.load.thread / f.floor.thread),
    kept: of((f) => f.kept),
    peak: peakOf(file),
    stepP50: of((f) => f.stepP50),
    stepP99: of((f) => f.stepP99),
  };
}

/** A capture: times from one process that imports it often, memory from one that imports it once. */
function measuredWarm(file: string): ImportRow {
  const { floor, load } = inProcess<ImportFigures>('import', file, runs);
  const once = measured(basename(file), file, 1);
  return { ...once, floor, load, ratio: load.thread / floor.thread };
}

function printImports(title: string, rows: readonly ImportRow[]): void {
  const head = ['file', 'size', 'lines', 'events', 'objects', 'floor', 'import', 'ratio', 'all CPUs'];
  head.push('kept', 'kept / table', 'peak', 'step p50', 'step p99');
  const body = rows.map((r) => [
    r.file,
    megabytes(r.bytes),
    count(r.lines),
    count(r.events),
    count(r.objects),
    milliseconds(r.floor.thread),
    milliseconds(r.load.thread),
    times(r.ratio),
    milliseconds(r.load.cpu),
    megabytes(r.kept),
    times(r.kept / r.table),
    megabytes(r.peak),
    milliseconds(r.stepP50),
    milliseconds(r.stepP99),
  ]);
  printTable(title, [head, ...body]);
}

const nameOf = ({ format, events, objects }: LogSpec): string =>
  `${format} ${events / M} M events, ${count(objects)} interrupts`;

/** Generates a log, lets `use` look at it, and removes it. */
function withLog<T>(spec: LogSpec, folder: string, use: (file: string) => T): T {
  const file = join(folder, `${spec.format}-${spec.events}-${spec.objects}.log`);
  generate(spec, file);
  try {
    return use(file);
  } finally {
    rmSync(file, { force: true });
  }
}

const FEW_OBJECTS = 20;
const MANY_OBJECTS = 10_000;
const SIZES: readonly LogSpec[] = (['ftrace', 'qemu'] as const).flatMap((format) =>
  [FEW_OBJECTS, MANY_OBJECTS].map((objects) => ({ format, events: 2 * M, objects })),
);
const LARGE: readonly LogSpec[] = [{ format: 'ftrace', events: 10 * M, objects: MANY_OBJECTS }];
const ASKED: LogSpec = { format: 'ftrace', events: 4 * M, objects: 2000 };

function generatedRows(folder: string): ImportRow[] {
  const specs = [...SIZES, ...(values.large ? LARGE : [])];
  return specs.map((spec) =>
    withLog(spec, folder, (file) => measured(nameOf(spec), file, spec.events > 2 * M ? 1 : Math.min(runs, FEW))),
  );
}

/** Import time per event for many objects over that for few. */
function printSpread(rows: readonly ImportRow[]): void {
  for (const [i, row] of rows.entries()) {
    const few = rows[i - (i % 2)];
    if (i % 2 === 0 || few === undefined) continue;
    const ratio = row.load.thread / row.events / (few.load.thread / few.events);
    console.log(`${row.file}: ${times(ratio)} the time per event of ${few.file}`);
  }
}

interface QuestionRow {
  readonly question: string;
  readonly answer: number;
  readonly spent: Spent;
}

function questionRows(folder: string): QuestionRow[] {
  return withLog(ASKED, folder, (file) =>
    questions.map((question) => {
      const answers = Array.from({ length: Math.min(runs, FEW) }, () => inProcess<Answer>(question, file));
      return {
        question,
        answer: answers[0]!.answer,
        spent: middle(answers.map((a) => a.spent)),
      };
    }),
  );
}

function printQuestions(rows: readonly QuestionRow[]): void {
  const body = rows.map((r) => [r.question, count(r.answer), milliseconds(r.spent.thread), milliseconds(r.spent.cpu)]);
  printTable(`questions: ${nameOf(ASKED)}`, [['question', 'answer', 'time', 'all CPUs'], ...body]);
}

/** All rules have so many milliseconds of processor time for a million events, beyond the load. */
const RULES_BUDGET = 2000;

const JUDGED: readonly LogSpec[] = SIZES.map((spec) => ({ ...spec, events: M }));

interface RulesRow {
  readonly file: string;
  readonly events: number;
  readonly findings: number;
  readonly spent: Spent;
  /** Milliseconds of processor time for a million events. */
  readonly perMillion: number;
}

function rulesRow(name: string, file: string): RulesRow {
  const answers = Array.from({ length: Math.min(runs, FEW) }, () => inProcess<Answer>('rules', file));
  const { events, answer: findings } = answers[0]!;
  const spent = middle(answers.map((a) => a.spent));
  return { file: name, events, findings, spent, perMillion: (spent.thread * M) / events };
}

/** All rules over a simulated trace, which shows every cause and every message: no rule is blind there. */
function simulatedRow(folder: string): RulesRow {
  const file = join(folder, 'storm.irqtrace');
  writeStorm(M, file);
  const row = rulesRow('simulated 1 M events, 256 interrupts', file);
  rmSync(file, { force: true });
  return row;
}

/** All rules over generated logs, over a simulated trace, and over the captures made large. */
function rulesRows(folder: string): RulesRow[] {
  const captures = CAPTURES.filter(([file]) => existsSync(file)).map(([file, size]) => enlarged(file, size, folder));
  return [
    ...captures.map((file) => rulesRow(basename(file), file)),
    ...JUDGED.map((spec) => withLog(spec, folder, (file) => rulesRow(nameOf(spec), file))),
    simulatedRow(folder),
  ];
}

function printRules(rows: readonly RulesRow[]): void {
  const head = ['file', 'events', 'findings', 'time', 'all CPUs', 'per million events'];
  const body = rows.map((r) => [
    r.file,
    count(r.events),
    count(r.findings),
    milliseconds(r.spent.thread),
    milliseconds(r.spent.cpu),
    `${milliseconds(r.perMillion)}${r.perMillion > RULES_BUDGET ? ' (too long)' : ''}`,
  ]);
  printTable(`all rules, beyond the load (budget ${milliseconds(RULES_BUDGET)} per million events)`, [head, ...body]);
}

const root = resolve(import.meta.dirname, '../..');
const CAPTURES = [
  [join(root, 'examples/x86-vtd-qemu.log'), 73 * M],
  [join(root, 'test/fixtures/x86-nested/l1-ftrace.txt.gz'), 114 * M],
] as const;

/** Captures of which `--only proof` makes large texts, and a large trace.dat. */
const PROVED = [
  'x86-vtd/qemu.log.gz',
  'x86-vtd/ftrace.txt.gz',
  'x86-vtd/trace-cmd-report.txt.gz',
  'x86-vtd/perf-script.txt.gz',
];
const PROVED_SIZE = 60 * M;
const DAT = 'test/fixtures/x86-nested/l1-trace.dat.gz';
const DAT_SIZE = 50 * M;

const folder = mkdtempSync(join(tmpdir(), 'irqscope-bench-'));
const own = positionals.map((f) => unpacked(resolve(process.env['INIT_CWD'] ?? '.', f), folder));
const wanted = (part: string): boolean => own.length === 0 && (values.only === undefined || values.only === part);

/** Captures of all text formats made large, and a large trace.dat. */
function proofFiles(): string[] {
  const texts = PROVED.map((name) => enlarged(join(root, 'test/fixtures', name), PROVED_SIZE, folder, name));
  return [
    largeDat(gunzipSync(readFileSync(join(root, DAT))), DAT_SIZE, folder),
    ...texts,
    ...savedForms(texts[0]!, folder),
  ];
}

try {
  if (values.only === 'proof') {
    const files = own.length > 0 ? own : proofFiles();
    await prove(files, own.length > 0 ? own : files.slice(1, 3), folder, runs);
  } else await measureAll();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measureAll(): Promise<void> {
  const results: Record<string, unknown> = {};
  const files =
    own.length > 0
      ? own
      : wanted('captures')
        ? CAPTURES.filter(([f]) => existsSync(f)).map(([f, size]) => enlarged(f, size, folder))
        : [];
  if (files.length > 0) {
    const rows = files.map(measuredWarm);
    results['captures'] = rows;
    if (!values.json) printImports('', rows);
  }
  if (wanted('generated')) {
    const rows = generatedRows(folder);
    results['generated'] = rows;
    if (!values.json) {
      printImports('generated logs', rows);
      printSpread(rows.slice(0, SIZES.length));
    }
  }
  if (wanted('questions')) {
    const rows = questionRows(folder);
    results['questions'] = rows;
    if (!values.json) printQuestions(rows);
  }
  if (wanted('rules')) {
    const rows = rulesRows(folder);
    results['rules'] = rows;
    if (!values.json) printRules(rows);
    if (rows.some(({ perMillion }) => perMillion > RULES_BUDGET)) process.exitCode = 1;
  }
  if (wanted('storm') && !values.json) printStorms([1e5, 1e6, 1e7], folder);
  if (values.json) console.log(JSON.stringify(results, null, 1));
}
