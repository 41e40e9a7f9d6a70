// Which test files run which places of the sources, measured by V8 while each test file runs alone.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTests } from './run.ts';
import { hashOf, workFolder } from './tree.ts';

/** Offsets [start, end) of a file and whether they ran; of several that hold a place, the innermost tells. */
type Range = [start: number, end: number, ran: 0 | 1];

/** What one test file runs. */
export interface Coverage {
  test: string;
  passes: boolean;
  milliseconds: number;
  /** Source file (path from the root): for each process that loaded it, the ranges of its functions and blocks. */
  ranges: Record<string, Range[][]>;
  /** Content hashes of the test and of every source that it loaded: while they hold, the record does. */
  hashes: Record<string, string>;
}

interface V8Report {
  result: { url: string; functions: { ranges: { startOffset: number; endOffset: number; count: number }[] }[] }[];
}

/** No test file takes as long as this in milliseconds, also where V8 counts what it runs. */
const MEASURE_LIMIT = 300_000;

function sameRanges(a: Range[], b: Range[]): boolean {
  return a.length === b.length && a.every((range, i) => range.every((part, k) => part === b[i]![k]));
}

function collect(folder: string, tree: string): Coverage['ranges'] {
  const ranges: Coverage['ranges'] = {};
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    let report: V8Report;
    try {
      report = JSON.parse(readFileSync(join(folder, name), 'utf8')) as V8Report;
    } catch {
      // A process that was ended while it wrote.
      continue;
    }
    for (const { url, functions } of report.result) {
      if (!url.startsWith('file:')) continue;
      const path = fileURLToPath(url.replace(/[?#].*/, ''));
      if (!path.startsWith(`${tree}/src/`)) continue;
      const all = functions.flatMap((f) => f.ranges);
      const list = all.map((r): Range => [r.startOffset, r.endOffset, r.count > 0 ? 1 : 0]);
      const source = path.slice(tree.length + 1);
      ranges[source] ??= [];
      if (!ranges[source].some((known) => sameRanges(known, list))) ranges[source].push(list);
    }
  }
  return ranges;
}

/** Whether the tests of a record run the character at an offset of a source. */
export function runs(coverage: Coverage, source: string, offset: number): boolean {
  return (coverage.ranges[source] ?? []).some((ranges) => {
    let narrowest: Range | undefined;
    for (const range of ranges) {
      if (range[0] > offset || range[1] <= offset) continue;
      // Of two equal ranges the later one is the block inside.
      if (narrowest === undefined || range[1] - range[0] <= narrowest[1] - narrowest[0]) narrowest = range;
    }
    return narrowest?.[2] === 1;
  });
}

function stillHolds(record: Coverage, tree: string): boolean {
  return Object.entries(record.hashes).every(([file, hash]) => {
    const path = join(tree, file);
    return existsSync(path) && hashOf(path) === hash;
  });
}

/** The coverage of one test file in an unchanged tree; from the record of an earlier run where nothing changed since. */
export async function measure(test: string, tree: string): Promise<Coverage> {
  const folder = join(workFolder, 'coverage');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${test.replaceAll('/', '+')}.json`);
  if (existsSync(file)) {
    const record = JSON.parse(readFileSync(file, 'utf8')) as Coverage;
    if (stillHolds(record, tree)) return record;
  }
  const raw = `${tree}.v8`;
  rmSync(raw, { recursive: true, force: true });
  const started = performance.now();
  // Without what Node compiled earlier: V8 counts less exactly in code that it did not compile itself.
  const env = { ...process.env, NODE_V8_COVERAGE: raw };
  const passes = (await runTests(tree, [test], MEASURE_LIMIT, env)) === 'pass';
  const milliseconds = performance.now() - started;
  const ranges = collect(raw, tree);
  rmSync(raw, { recursive: true, force: true });
  const hashes = Object.fromEntries([test, ...Object.keys(ranges)].map((name) => [name, hashOf(join(tree, name))]));
  const record: Coverage = { test, passes, milliseconds, ranges, hashes };
  writeFileSync(file, JSON.stringify(record));
  return record;
}
