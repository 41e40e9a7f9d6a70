// Two recordings of one kernel: on one clock, on clocks of different kinds, one after the other; and those of different machines.
import assert from 'node:assert/strict';
import { whole } from '../../../src/base/slices.ts';
import { chooseFiles, type GivenFile } from '../../../src/import/files/choose.ts';
import { joinTraces } from '../../../src/import/join/join.ts';
import { joinedInfo } from '../../../src/query/info.ts';
import { pathValue } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes, fixtureTrace, importBytes, importText } from '../../helpers/fixtures.ts';

const given = (file: string, trace: Trace, from: number): GivenFile => ({
  ...{ file, trace, from, asked: true, system: undefined },
  ...{ modified: undefined, problem: undefined, vantage: undefined, offset: undefined },
});

const join = (...files: readonly Trace[]): Trace =>
  joinTraces(whole(chooseFiles(files.map((trace, i) => given(trace.first.file, trace, i))))!.parts);

const lines = (name: string): string[] => Buffer.from(fixtureBytes(name)).toString('latin1').trimEnd().split('\n');

/** Lines of ftrace text with another clock. */
const shifted = (text: readonly string[], seconds: number, rate: number): string[] =>
  text.map((line) =>
    line.replace(/( +)(\d+\.\d{6}): /, (_, blanks: string, time: string) => {
      const there = Number(time) * (1 + rate) + seconds;
      return `${blanks}${there.toFixed(6)}: `;
    }),
  );

const read = (text: readonly string[], file: string): Trace => importText(`${text.join('\n')}\n`, file);

/** How often each irq and CPU was served. */
const handled = (trace: Trace): unknown[] =>
  [...(trace.world.find('irq')?.children.keys() ?? [])]
    .sort()
    .map((irq) => [irq, pathValue(trace.head, `irq/${irq}/handled`)]);

const NAME = 'x86-lost/trace_pipe.txt';

describe('two recordings of one kernel', () => {
  const all = lines(NAME);
  const alone = fixtureTrace(NAME);
  const [first, second] = [all.slice(0, Math.round(all.length * 0.7)), all.slice(Math.round(all.length * 0.4))];

  it('that overlap on one clock: what both recorded shows it, and is told once', () => {
    const trace = join(read(first, 'a'), read(second, 'b'));
    const { sources, clocks, systems } = joinedInfo(trace);
    assert.deepEqual(systems, []);
    assert.deepEqual([clocks[1]!.offset, clocks[1]!.uncertainty, clocks[1]!.drift], ['0.000000000', '0.000000000', 0]);
    assert.ok(clocks[1]!.evidence.length >= 20);
    for (const { steps, what } of clocks[1]!.evidence) {
      assert.equal(steps[0], steps[1]);
      assert.equal(what, 'the same event stands in both');
    }
    const [, b] = sources;
    assert.equal(b!.understood + sum(b!.unknown) + sum(b!.skipped), b!.records);
    assert.ok(b!.repeats!.events > 1000);
    assert.deepEqual(handled(trace), handled(alone));
    // The second file says of each CPU once more that it is online.
    assert.ok(trace.length - alone.length <= 4, `${trace.length} ${alone.length}`);
  });

  it('that overlap on clocks of different kinds: the same sequences on the same CPUs give offset and drift', () => {
    const trace = join(read(first, 'a'), read(shifted(second, 4000.5, 40e-6), 'b'));
    const { clocks, systems, sources } = joinedInfo(trace);
    assert.deepEqual(systems, []);
    const start = fixtureTrace(NAME).first;
    const at = Number(start.time.base) + start.start / 1e9;
    assert.ok(Math.abs(Number(clocks[1]!.offset) + 4000.5 + at * 40e-6) < 0.01, clocks[1]!.offset);
    assert.ok(Number(clocks[1]!.uncertainty) < 20e-6);
    assert.ok(clocks[1]!.evidence.length >= 20);
    assert.ok(sources[1]!.repeats!.events > 1000);
    assert.deepEqual(handled(trace), handled(alone));
    assert.ok(Math.abs(trace.length - alone.length) <= 4, `${trace.length} ${alone.length}`);
  });

  it('a trace.dat, and the later part of its report, with another clock', () => {
    const dat = fixtureTrace('x86-vtd/trace.dat');
    const report = lines('x86-vtd/trace-cmd-report.txt');
    const trace = join(dat, read(shifted(report.slice(Math.round(report.length / 3)), -50, 0), 'report'));
    const { clocks, sources } = joinedInfo(trace);
    assert.ok(Math.abs(Number(clocks[1]!.offset) - 50) < 1e-6, clocks[1]!.offset);
    assert.ok(sources[1]!.repeats!.events > 100);
    assert.deepEqual(handled(trace), handled(dat));
  });

  it('ftrace text, and what perf recorded of it with a clock of its own', () => {
    const perf = second.flatMap((line) => {
      const [, task, pid, cpu, time, event, rest] =
        /^ *(.+)-(\d+) +\[(\d+)\] \S+ +(\d+\.\d+): (irq_\w+|softirq_\w+): (.*)$/.exec(line) ?? [];
      if (task === undefined || !event!.startsWith('irq_handler')) return [];
      return [`${task} ${pid} [${cpu}] ${(Number(time) + 77.25).toFixed(6)}: irq:${event}: ${rest}`];
    });
    const trace = join(read(first, 'a'), read(perf, 'perf'));
    const { clocks, sources } = joinedInfo(trace);
    assert.equal(sources[1]!.format, 'perf-script');
    assert.ok(Math.abs(Number(clocks[1]!.offset) + 77.25) < 1e-5, clocks[1]!.offset);
    assert.ok(sources[1]!.repeats!.events > 100);
  });

  it('one after the other: threads and clock show it, as assumed', () => {
    const [ftrace, dat] = [fixtureTrace('x86-vtd/ftrace.txt'), fixtureTrace('x86-vtd/trace.dat')];
    const trace = join(ftrace, dat);
    const { clocks, systems } = joinedInfo(trace);
    assert.deepEqual(systems, []);
    assert.deepEqual([clocks[1]!.offset, clocks[1]!.uncertainty], ['0.000000000', null]);
    const { alignment } = trace.sources[1]!;
    assert.equal(alignment!.assumed, true);
    assert.match(alignment!.why!, /^\d+ threads stand in both/);
  });

  it('is not said of different machines, nor of recordings that overlap and have nothing in common', () => {
    const names = [
      'x86-vtd/ftrace.txt',
      'x86-lost/trace_pipe.txt',
      'x86-nested/l1-ftrace.txt',
      'arm64-a/ftrace-06-vfio.txt',
    ];
    for (const a of names)
      for (const b of names) {
        if (a === b) continue;
        const trace = join(importBytes(fixtureBytes(a), undefined, 'a'), importBytes(fixtureBytes(b), undefined, 'b'));
        const { sources } = joinedInfo(trace);
        assert.ok(sources.every(({ repeats }) => repeats === undefined));
        assert.ok(
          trace.sources.every(({ alignment }) => alignment?.assumed !== true && alignment?.told !== true),
          `${a} ${b}`,
        );
      }
    // On the same clock they would tell the same: they are shifted, and so scarcely anything is told by both.
    const moved = join(read(first, 'a'), read(shifted(second, 0.05, 0).slice(0, 12), 'b'));
    assert.ok(moved.sources.every(({ alignment }) => alignment?.told !== true));
  });
});

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((a, b) => a + b, 0);
