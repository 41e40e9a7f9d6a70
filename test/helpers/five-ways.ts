// One check for every fixture of an importer: five ways to read the same records, and what they must have in common.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { viewEvent } from '../../src/query/events.ts';
import { traceInfo } from '../../src/query/info.ts';
import { stateTree } from '../../src/query/state.ts';
import { checkIntegrity } from '../../src/trace/integrity.ts';
import { irqtraceBytes } from '../../src/trace/irqtrace.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { fixtureBytes, importBytes } from './fixtures.ts';

/** What the bytes of a fixture say without the importer. */
export interface Summary {
  /** Word of `info` for the format. */
  readonly format: string;
  /** Which lines are records. */
  readonly record: RegExp;
  /** Event kinds, and the lines of which each gives exactly one such event. */
  readonly counts: Readonly<Record<string, RegExp>>;
}

/** Chunk sizes: so small that every record is cut in many places, a prime, and a usual size less one. */
export const CHUNKS = [17, 4093, 65_535];

/** The events, one per line, with as much of their place as the way keeps. */
export function events(trace: Trace, keep: 'place' | 'line' | 'none'): string[] {
  return Array.from({ length: trace.length }, (_, step) => {
    const { source, ...event } = viewEvent(trace, step);
    const { line, offset } = source;
    return JSON.stringify([event, keep === 'place' ? [line, offset] : keep === 'line' ? line : undefined]);
  });
}

/** States at some steps all over the trace, the last one included. */
function states(trace: Trace): string[] {
  const last = trace.length - 1;
  return [0, 0.21, 0.5, 0.83, 1].map((part) => JSON.stringify(stateTree(trace.stateAt(Math.floor(last * part)))));
}

/** Fails at the first event that differs, with both in the message. */
export function same(way: string, a: Trace, b: Trace, keep: 'place' | 'line' | 'none'): void {
  const [left, right] = [events(a, keep), events(b, keep)];
  const at = left.findIndex((text, i) => text !== right[i]);
  assert.equal(right[at], left[at], `${way}: event ${at}`);
  assert.equal(b.length, a.length, `${way}: number of events`);
  assert.deepEqual(states(b), states(a), `${way}: states`);
  assert.deepEqual(checkIntegrity(b), [], `${way}: accounting`);
}

/** What `info` counts, without what depends on how the bytes came. */
export function counts(trace: Trace): unknown {
  const { lines, records, understood, unknown, skipped, withoutEffect, lost, cpus, start, end, problem } =
    traceInfo(trace);
  return { lines, records, understood, unknown, skipped, withoutEffect, lost, cpus, start, end, problem };
}

/**
 * Describes the five ways of one fixture: as it is, packed with gzip, with CR LF, in chunks of awkward sizes, and saved as
 * `.irqtrace` and read again. Events and states are the same in all, and agree with what was counted in the bytes.
 */
export function fiveWays(name: string, summary: Summary): void {
  describe(name, () => {
    const plain = (): Trace => (trace ??= importBytes(fixtureBytes(name)));
    let trace: Trace | undefined;

    it('as it is: as many records and events as the bytes show', () => {
      const lines = Buffer.from(fixtureBytes(name)).toString('latin1').split('\n');
      if (lines.at(-1) === '') lines.pop();
      const info = traceInfo(plain());
      assert.deepEqual(checkIntegrity(plain()), []);
      assert.equal(info.format, summary.format);
      assert.equal(info.problem ?? null, null);
      assert.equal(info.lines, lines.length);
      assert.equal(info.records, lines.filter((line) => summary.record.test(line)).length, 'records');
      const found: Record<string, number> = {};
      for (let step = 0; step < plain().length; step++) {
        const kind = plain().table.kind(step).name;
        found[kind] = (found[kind] ?? 0) + 1;
      }
      for (const [kind, pattern] of Object.entries(summary.counts))
        assert.equal(found[kind] ?? 0, lines.filter((line) => pattern.test(line)).length, kind);
    });

    it('packed with gzip', () => {
      const packed = importBytes(gzipSync(fixtureBytes(name)), 4093);
      same('gzip', plain(), packed, 'place');
      assert.deepEqual(counts(packed), counts(plain()));
    });

    it('with CR LF', () => {
      const text = Buffer.from(fixtureBytes(name)).toString('latin1').replaceAll('\n', '\r\n');
      const dos = importBytes(Buffer.from(text, 'latin1'));
      same('CR LF', plain(), dos, 'line');
      assert.deepEqual(counts(dos), counts(plain()));
      // Every line before an event has become one byte longer.
      for (let step = 0; step < dos.length; step++)
        assert.equal(dos.table.offset(step), plain().table.offset(step) + plain().table.line(step) - 1);
    });

    it('in chunks of awkward sizes', () => {
      for (const size of CHUNKS) {
        const pieces = importBytes(fixtureBytes(name), size);
        same(`chunks of ${size}`, plain(), pieces, 'place');
        assert.deepEqual(counts(pieces), counts(plain()));
      }
    });

    it('saved as .irqtrace and read again', () => {
      const saved = importBytes(Buffer.concat([...irqtraceBytes(plain())]));
      same('.irqtrace', plain(), saved, 'none');
      assert.equal(saved.first.format, 'irqtrace');
      assert.equal(traceInfo(saved).understood, plain().length);
    });
  });
}
