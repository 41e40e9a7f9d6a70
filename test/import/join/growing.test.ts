// Files of one trace that grow: after each piece that is appended, joining what was read of them is as good as opening the files as they are then.
import assert from 'node:assert/strict';
import { whole } from '../../../src/base/slices.ts';
import { chooseFiles, type GivenFile } from '../../../src/import/files/choose.ts';
import { GrowingFile } from '../../../src/import/files/growing-file.ts';
import { joinTraces } from '../../../src/import/join/join.ts';
import { ImportRun } from '../../../src/import/run.ts';
import { stateTree } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes } from '../../helpers/fixtures.ts';

const given = (file: string, trace: Trace | undefined, from: number): GivenFile => ({
  ...{ file, trace, from, asked: true },
  ...{ modified: undefined, problem: undefined, system: undefined, vantage: undefined, offset: undefined },
});

function joined(files: readonly (readonly [string, Trace | undefined])[]): Trace {
  const chosen = whole(chooseFiles(files.map(([file, trace], i) => given(file, trace, i))));
  return joinTraces(chosen!.parts);
}

const LF = 10;
/** The place behind the line in which a byte lies. */
const lineEnd = (bytes: Uint8Array, at: number): number => bytes.indexOf(LF, Math.min(at, bytes.length - 1)) + 1;

/** Every event as text, and the state at some steps. */
function told(trace: Trace): unknown[] {
  const { table, world } = trace;
  const events = Array.from({ length: trace.length }, (_, step) => {
    const { file } = trace.sources[trace.sourceOf(step)]!;
    const kind = table.kind(step).name;
    return `${file} ${table.line(step)} ${table.time(step)} ${table.cpu(step)} ${kind} ${world.path(table.object(step))}`;
  });
  const last = trace.length - 1;
  return [...events, ...[last >> 1, last].map((step) => stateTree(trace.stateAt(step)))];
}

/** Files that grow at different speeds: how much of each is there at each look. */
function grow(names: readonly string[], shares: readonly (readonly number[])[], from = 0): number {
  const files = names.map((name) => ({
    name,
    bytes: fixtureBytes(name),
    at: 0,
    growing: new GrowingFile(name, undefined),
  }));
  let early = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const look of shares) {
    for (const [i, file] of files.entries()) {
      const to = lineEnd(file.bytes, from + Math.floor((file.bytes.length - from) * look[i]!));
      file.growing.feed(file.bytes.subarray(file.at, Math.max(file.at, to)));
      file.at = Math.max(file.at, to);
      file.growing.settle();
    }
    const now = joined(files.map(({ name, growing }) => [name, growing.trace]));
    const opened = joined(
      files.map(({ name, bytes, at }) => {
        const run = new ImportRun(name);
        run.push(bytes.subarray(0, at));
        return [name, run.end()];
      }),
    );
    assert.deepEqual(told(now), told(opened), `at ${look.join(' ')}`);
    assert.deepEqual(
      now.sources.map(({ file, system, offset, accounting }) => ({ file, system, offset, accounting })),
      opened.sources.map(({ file, system, offset, accounting }) => ({ file, system, offset, accounting })),
    );
    for (let step = 0; step < now.length; step++) if (now.table.time(step) < last) early++;
    last = Math.max(last, now.table.time(now.length - 1));
  }
  return early;
}

describe('files of one trace that grow', () => {
  it('a kernel and the log of its machine: events come to their places, also in front of those that were there', () => {
    const early = grow(
      ['x86-vtd/ftrace.txt', 'x86-vtd/qemu.log'],
      [
        [0.3, 0.1],
        [0.3, 0.5],
        [0.5, 0.5],
        [0.5, 0.9],
        [1, 1],
      ],
    );
    assert.ok(early > 0);
  });

  it('two logs of one system, with the lines of a kernel log that the trace tells, too', () => {
    grow(
      ['x86-vtd/ftrace.txt', 'x86-vtd/dmesg.txt'],
      [
        [0.2, 0.2],
        [0.6, 0.2],
        [1, 1],
      ],
    );
  });

  it('a host and its guest', () => {
    grow(
      ['x86-nested/l1-ftrace.txt', 'x86-nested/l2-qemu.log'],
      [
        [0.4, 0.4],
        [0.4, 0.8],
        [1, 1],
      ],
    );
  });

  it('a file that was cut is what it is now; until its first record is there it is what it was', () => {
    const bytes = fixtureBytes('x86-vtd/qemu.log');
    const end = lineEnd(bytes, 100_000);
    const growing = new GrowingFile('log', undefined);
    growing.feed(bytes.subarray(0, end));
    growing.settle();
    const before = growing.trace;
    growing.restart();
    growing.settle();
    assert.equal(growing.trace, before);
    growing.feed(bytes.subarray(0, lineEnd(bytes, 10_000)));
    growing.settle();
    assert.notEqual(growing.trace, before);
    assert.ok(growing.trace!.length > 0 && growing.trace!.length < before!.length);
  });
});
