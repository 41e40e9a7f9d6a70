// Lines that come as blocks are read as the same lines one by one: where a chunk ends within a line, that line is no part of a block.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImportError, ImportRun } from '../../src/import/run.ts';
import { traceInfo } from '../../src/query/info.ts';
import { irqtraceBytes } from '../../src/trace/irqtrace.ts';
import { fixtureBytes, snapshotFixtures, traceFixtures } from '../helpers/fixtures.ts';

/** So many bytes of a capture are read. */
const MOST = 60_000;
const cases = join(import.meta.dirname, '../fixtures/cases');

/** What is read of some bytes that come in pieces. */
function read(bytes: Uint8Array, size: number): unknown {
  const run = new ImportRun('trace');
  try {
    for (let at = 0; at < bytes.length; at += size) run.push(bytes.subarray(at, at + size));
    const trace = run.end();
    const hash = createHash('sha256');
    for (const part of irqtraceBytes(trace)) hash.update(part);
    const places = Array.from({ length: trace.length }, (_, step) => [
      trace.table.line(step),
      trace.table.offset(step),
    ]);
    return [traceInfo(trace), hash.digest('hex'), places];
  } catch (error) {
    assert.ok(error instanceof ImportError);
    return error.message;
  }
}

describe('blocks of lines', () => {
  const captures = [
    ...[...traceFixtures(), ...snapshotFixtures()].map((name) => [name, fixtureBytes(name)] as const),
    ...readdirSync(cases).map((name) => [name, readFileSync(join(cases, name))] as const),
  ];

  it('are read as lines are, in all captures', () => {
    for (const [name, bytes] of captures) {
      const part = bytes.subarray(0, MOST);
      // Pieces that hold no whole line, or few.
      const [whole, few, none] = [MOST, 997, 61].map((size) => read(part, size));
      assert.deepEqual(few, whole, name);
      assert.deepEqual(none, whole, name);
    }
  });

  it('are read as lines are when they end with CR LF', () => {
    for (const [name, bytes] of captures.filter(([name]) => /qemu|ftrace|perf/.test(name))) {
      const part = Buffer.from(
        Buffer.from(bytes.subarray(0, MOST)).toString('latin1').replaceAll('\n', '\r\n'),
        'latin1',
      );
      assert.deepEqual(read(part, 61), read(part, part.length), name);
    }
  });
});
