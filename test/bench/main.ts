/**
 * Import time, latency and memory, always beside a floor measured in the same run: one pass over the same bytes that
 * splits lines and reads the stamp and the event name of each, storing nothing.
 *
 *     npm run bench                 on large inputs made from the captures of this repository, then the simulator's engine
 *     npm run bench -- FILE...      on files of your own (plain text, gzip or zstd)
 *
 * Prints a table; machines differ, so look at the ratios. Options: --runs N (default 5), --json.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bytesOf } from '../../src/base/bytes.ts';
import { packingOf, Unpacker } from '../../src/import/decompress.ts';
import { ImportRun } from '../../src/import/run.ts';
import { stateTree } from '../../src/query/state.ts';
import { checkIntegrity } from '../../src/trace/integrity.ts';
import { floorScan } from './floor.ts';
import { printStorms } from './storm.ts';

const CHUNK = 1 << 20;
const MB = 1e6;

function eachChunk(file: string, take: (chunk: Uint8Array) => void): void {
  const fd = openSync(file, 'r');
  const buf = new Uint8Array(CHUNK);
  for (let n = readSync(fd, buf); n > 0; n = readSync(fd, buf)) take(buf.subarray(0, n));
}

function importFile(file: string): ImportRun {
  const run = new ImportRun(basename(file));
  eachChunk(file, (chunk) => run.push(chunk));
  run.end();
  return run;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const percentile = (values: readonly number[], p: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * p))]!;

interface Row {
  readonly file: string;
  readonly bytes: number;
  readonly lines: number;
  readonly events: number;
  readonly floorMs: number;
  readonly importMs: number;
  readonly ratio: number;
  readonly stateP50Ms: number;
  readonly stateP99Ms: number;
  readonly peakRss: number;
  readonly peakOverFile: number;
}

/** Peak memory of a process that does nothing but import the file. */
function peakRss(file: string): number {
  const { stdout, status, stderr } = spawnSync(process.execPath, [import.meta.filename, '--peak', file], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

function measure(file: string, runs: number): Row {
  const floor: number[] = [];
  const load: number[] = [];
  let last: ImportRun | undefined;
  for (let i = 0; i < runs; i++) {
    // Floor and import take turns, so that other load on the machine hits both.
    let start = performance.now();
    floorScan(file);
    floor.push(performance.now() - start);
    start = performance.now();
    last = importFile(file);
    load.push(performance.now() - start);
  }
  const { trace } = last!;
  const wrong = checkIntegrity(trace);
  if (wrong.length > 0) throw new Error(`${file}: ${wrong[0]}`);
  let seed = 12345;
  const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) / 0x100000000;
  const state: number[] = [];
  for (let i = 0; i < 1000; i++) {
    const step = Math.floor(random() * trace.length);
    const start = performance.now();
    trace.stateAt(step);
    state.push(performance.now() - start);
  }
  stateTree(trace.head);
  const bytes = statSync(file).size;
  const rss = peakRss(file);
  return {
    file: basename(file),
    bytes,
    lines: trace.first.accounting.lines,
    events: trace.length,
    floorMs: median(floor),
    importMs: median(load),
    ratio: median(load) / median(floor),
    stateP50Ms: percentile(state, 0.5),
    stateP99Ms: percentile(state, 0.99),
    peakRss: rss,
    peakOverFile: rss / bytes,
  };
}

function print(rows: readonly Row[]): void {
  const head = [
    'file',
    'MB',
    'lines',
    'events',
    'floor',
    'import',
    'ratio',
    'step p50',
    'step p99',
    'peak',
    'peak/file',
  ];
  const body = rows.map((r) => [
    r.file,
    (r.bytes / MB).toFixed(1),
    String(r.lines),
    String(r.events),
    `${r.floorMs.toFixed(0)} ms`,
    `${r.importMs.toFixed(0)} ms`,
    `${r.ratio.toFixed(1)}x`,
    `${r.stateP50Ms.toFixed(2)} ms`,
    `${r.stateP99Ms.toFixed(2)} ms`,
    `${(r.peakRss / MB).toFixed(0)} MB`,
    `${r.peakOverFile.toFixed(2)}x`,
  ]);
  const widths = head.map((h, i) => Math.max(h.length, ...body.map((row) => row[i]!.length)));
  for (const row of [head, ...body])
    console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '));
}

/** A plain copy of a packed file; the file itself when it is plain. */
function unpacked(file: string, folder: string): string {
  const bytes = readFileSync(file);
  if (packingOf(bytes) === 'none') return file;
  const copy = join(folder, basename(file).replace(/\.(gz|zst)$/, ''));
  const fd = openSync(copy, 'w');
  const unpacker = new Unpacker((chunk) => writeSync(fd, chunk));
  unpacker.push(bytes);
  unpacker.end();
  return copy;
}

/** A large input: the records of a capture over and over, with its header once. */
function enlarged(source: string, size: number, folder: string): string {
  const plain = readFileSync(unpacked(source, folder));
  const headerEnd = plain.lastIndexOf(bytesOf('\n#')) + 1;
  const bodyStart = headerEnd > 0 ? plain.indexOf(10, headerEnd) + 1 : 0;
  const copy = join(folder, `large-${basename(source).replace(/\.gz$/, '')}`);
  const fd = openSync(copy, 'w');
  writeSync(fd, plain.subarray(0, bodyStart));
  for (let written = bodyStart; written < size; written += plain.length - bodyStart)
    writeSync(fd, plain.subarray(bodyStart));
  return copy;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '5' }, json: { type: 'boolean' }, peak: { type: 'string' } },
});

if (values.peak !== undefined) {
  importFile(values.peak);
  process.stdout.write(String(process.resourceUsage().maxRSS * 1024));
} else {
  const folder = mkdtempSync(join(tmpdir(), 'irqscope-bench-'));
  try {
    const root = resolve(import.meta.dirname, '../..');
    const own = [
      [join(root, 'examples/x86-vtd-qemu.log'), 73 * MB],
      [join(root, 'test/fixtures/x86-nested/l1-ftrace.txt.gz'), 114 * MB],
    ] as const;
    const files =
      positionals.length > 0
        ? positionals.map((f) => unpacked(resolve(process.env['INIT_CWD'] ?? '.', f), folder))
        : own.filter(([f]) => existsSync(f)).map(([f, size]) => enlarged(f, size, folder));
    const rows = files.map((file) => measure(file, Number(values.runs)));
    if (values.json) console.log(JSON.stringify(rows, null, 1));
    else {
      print(rows);
      if (positionals.length === 0) printStorms([1e5, 1e6, 1e7], folder);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
