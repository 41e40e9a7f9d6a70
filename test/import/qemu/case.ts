// What the tests of pieces of QEMU logs share.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathValue } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { sample } from '../samples.ts';

const folder = join(import.meta.dirname, '../../fixtures/cases');

/** A case with what its accounting says. Indentation is another test's matter. */
export const load = (name: string) => sample(readFileSync(join(folder, name), 'utf8').replaceAll(/^ +/gm, ''));

/** A log of these lines. */
export const log = (...lines: readonly string[]): Trace => sample(`${lines.join('\n')}\n`).trace;

export const atEnd = (trace: Trace, path: string): unknown => pathValue(trace.head, path);
export const atLine = (trace: Trace, line: number, path: string): unknown =>
  pathValue(trace.stateAt(trace.lastAtLine(line)), path);
export const word = (register: unknown): unknown => (register as { value: unknown } | null)?.value;
export const exists = (trace: Trace, path: string): boolean => (atEnd(trace, path) ?? null) !== null;
