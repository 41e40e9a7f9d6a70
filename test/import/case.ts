// Cases of test/fixtures/cases and texts like them: what a test asks of the trace that they become.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { viewEvent } from '../../src/query/events.ts';
import { type TraceInfo, traceInfo } from '../../src/query/info.ts';
import { pathValue } from '../../src/query/state.ts';
import { checkIntegrity } from '../../src/trace/integrity.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { importText } from '../helpers/fixtures.ts';

const folder = resolve(import.meta.dirname, '../fixtures/cases');

/** A trace of ftrace text, with what the tests ask of it. */
export class Case {
  readonly trace: Trace;
  readonly info: TraceInfo;

  constructor(text: string) {
    this.trace = importText(text);
    assert.deepEqual(checkIntegrity(this.trace), []);
    this.info = traceInfo(this.trace);
  }

  /** The value at a path, null when unknown or absent: at the end, or after a line. */
  at(path: string, line?: number): unknown {
    const state = line === undefined ? this.trace.head : this.trace.stateAt(this.trace.lastAtLine(line));
    return pathValue(state, path) ?? null;
  }

  /** The events of a line, `kind object`. */
  events(line: number): string[] {
    return this.views(line).map((view) => `${view.kind} ${view.object}`);
  }

  views(line: number): ReturnType<typeof viewEvent>[] {
    return Array.from({ length: this.trace.length }, (_, step) => viewEvent(this.trace, step)).filter(
      (view) => view.source.line === line && view.kind !== 'cpu.online',
    );
  }
}

/** The text of a file of the cases. */
export const textOfCase = (name: string): string => readFileSync(join(folder, name), 'utf8');

/** The trace of a file of the cases. */
export const file = (name: string): Case => new Case(textOfCase(name));

/** The bytes of a file of the cases. */
export const bytesOfCase = (name: string): Uint8Array => readFileSync(join(folder, name));

/** The files of the cases in which there are records. */
export const traceCases = (): string[] =>
  readdirSync(folder)
    .filter((name) => !NO_TRACE.test(name))
    .sort();

/** Files that are refused: other formats, and what the simulator reads. */
const NO_TRACE = /^(other-(?!iso-(?:dmesg|rsyslog))|perf-script|simpletrace)|\.scenario\.json$/;
