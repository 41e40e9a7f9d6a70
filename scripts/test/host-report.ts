// Shows what the tests in the extension host report, while they run.
import { existsSync, readFileSync } from 'node:fs';
import type { ReportLine } from './host-entry.ts';
import { type Counts, failed } from './suite.ts';

export interface Report {
  /** Shows what is new since the last call. */
  show(): void;
  /** The counts; a suite that never reached its end has failed, whatever passed before. */
  counts(): Counts;
}

export function readReport(path: string): Report {
  let shown = 0;
  const lines = (): ReportLine[] => {
    if (!existsSync(path)) return [];
    const complete = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    return complete.map((line) => JSON.parse(line) as ReportLine);
  };
  return {
    show: () => {
      const all = lines();
      for (const line of all.slice(shown)) print(line);
      shown = all.length;
    },
    counts: () => {
      const all = lines();
      const end = all.find((line) => line.kind === 'end');
      if (end === undefined) {
        console.error('the tests did not come to their end');
        return { ...failed(), passed: all.filter((line) => line.kind === 'pass').length };
      }
      if (end.passed + end.failed === 0) {
        console.error('no test ran');
        return failed();
      }
      return { passed: end.passed, failed: end.failed, skipped: end.skipped };
    },
  };
}

function print(line: ReportLine): void {
  if (line.kind === 'end') return;
  const indent = '  '.repeat(line.depth + 1);
  if (line.kind === 'suite') console.log(`${indent}${line.title}`);
  else if (line.kind === 'pass') console.log(`${indent}ok   ${line.title}${line.ms > 200 ? ` (${line.ms} ms)` : ''}`);
  else if (line.kind === 'skip') console.log(`${indent}skip ${line.title}`);
  else console.log(`${indent}FAIL ${line.title}\n${line.error.replaceAll(/^/gm, `${indent}     `)}`);
}
