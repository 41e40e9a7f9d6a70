// Files into which one recording was cut: together they tell what the whole file tells.
import assert from 'node:assert/strict';
import { whole } from '../../../src/base/slices.ts';
import { CheckRun } from '../../../src/check/check-run.ts';
import { rules } from '../../../src/check/rules.ts';
import { chooseFiles, type GivenFile } from '../../../src/import/files/choose.ts';
import { GrowingFile } from '../../../src/import/files/growing-file.ts';
import { GrowingPieces } from '../../../src/import/files/growing-pieces.ts';
import { cutRecordings, withPieces } from '../../../src/import/files/pieces.ts';
import { joinTraces } from '../../../src/import/join/join.ts';
import { pathAt } from '../../../src/query/delivery/path.ts';
import { traceInfo } from '../../../src/query/info.ts';
import { interrupts } from '../../../src/query/interrupts/list.ts';
import { stateTree } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes, fixtureTrace, importBytes } from '../../helpers/fixtures.ts';

interface Cut {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const LF = 10;
/** Pieces of a text, cut behind the lines at these shares of it. */
function cut(bytes: Uint8Array, ...shares: readonly number[]): Cut[] {
  const ends = [...shares.map((share) => bytes.indexOf(LF, Math.floor(bytes.length * share)) + 1), bytes.length];
  return ends.map((end, i) => ({ name: `log.${i}`, bytes: bytes.subarray(ends[i - 1] ?? 0, end) }));
}

const given = ({ name, bytes }: Cut, from: number, system?: string): GivenFile => ({
  ...{ file: name, trace: importBytes(bytes, bytes.length, name), from, asked: true, system },
  ...{ modified: undefined, problem: undefined, vantage: undefined, offset: undefined },
});

async function* chunksOf(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

/** The files as pieces. */
async function pieced(cuts: readonly Cut[]): Promise<GivenFile[]> {
  return withPieces(
    cuts.map((one, i) => given(one, i)),
    ({ file }) => chunksOf(cuts.find(({ name }) => name === file)!.bytes),
  );
}

const chains = (files: readonly GivenFile[]): string[][] =>
  cutRecordings(files).map((chain) => chain.map(({ file }) => file));

const joined = (files: readonly GivenFile[]): Trace => joinTraces(whole(chooseFiles(files))!.parts);

/** Every event as text, without its source. */
const events = ({ table, world, length }: Trace): string[] =>
  Array.from({ length }, (_, step) => {
    const kind = table.kind(step).name;
    return `${table.time(step)} ${table.cpu(step)} ${kind} ${world.path(table.object(step))}`;
  });

const findings = (trace: Trace): unknown[] => {
  const run = new CheckRun(trace, rules, false, false);
  while (run.advance(1 << 16));
  run.end();
  return run.check!.findings.map(({ rule, step, object, title }) => [rule.id, step, trace.world.path(object), title]);
};

/** What is asked of a trace, apart from which file says it. */
function answers(trace: Trace): Record<string, unknown> {
  const last = trace.length - 1;
  const steps = [0.2, 0.5, 0.7, 0.95].map((share) => Math.floor(last * share));
  return {
    state: stateTree(trace.stateAt(last)),
    middle: stateTree(trace.stateAt(steps[1]!)),
    interrupts: interrupts(trace, last).map(({ row }) => row),
    paths: steps.map((step) => pathAt(trace, step)?.hops.map((hop) => [hop.step, hop.stage, hop.detail])),
    findings: findings(trace),
  };
}

const WHOLE = [
  'x86-vtd/qemu.log',
  'x86-nested/l2-qemu.log',
  'x86-nested/l0-machine.log',
  'arm64-a/qemu.log',
  'x86-amd/qemu.log',
  'riscv-aia/qemu.log',
  'x86-x2apic/qemu.log',
  'x86-panic/qemu.log',
  'x86-vtd/ftrace.txt',
  'x86-nested/l1-ftrace.txt',
  'arm64-a/ftrace-06-vfio.txt',
  'x86-lost/trace_pipe.txt',
  'x86-vtd/perf-script.txt',
  'x86-vtd/trace-cmd-report.txt',
];

describe('pieces of one recording', () => {
  for (const name of WHOLE)
    it(`${name}: what its pieces tell together is what the whole tells`, async () => {
      const bytes = fixtureBytes(name);
      const all = fixtureTrace(name);
      for (const shares of [[0.3], [0.6], [0.9], [0.25, 0.5, 0.75]]) {
        const trace = joined(await pieced(cut(bytes, ...shares)));
        assert.deepEqual(events(trace), events(all), `cut at ${shares.join(' ')}`);
        assert.equal(trace.sources.length, shares.length + 1);
        if (shares[0] === 0.3 || shares.length > 1)
          assert.deepEqual(answers(trace), answers(all), `cut at ${shares.join(' ')}`);
      }
    });

  it('keep their own lines, times and accounting', async () => {
    const cuts = cut(fixtureBytes('x86-vtd/qemu.log'), 0.4);
    const trace = joined(await pieced(cuts));
    const [first, second] = trace.sources;
    for (const [i, source] of [first!, second!].entries()) {
      const alone = importBytes(cuts[i]!.bytes);
      assert.deepEqual(source.accounting, alone.first.accounting);
      assert.deepEqual(traceInfo(alone).start, traceInfo(alone).start);
      const lines = Array.from({ length: source.events.length }, (_, row) => source.events.line(row));
      assert.ok(Math.min(...lines) >= 1 && Math.max(...lines) <= alone.first.accounting.lines);
      const text = Buffer.from(cuts[i]!.bytes).toString('latin1').split('\n');
      for (let row = 0; row < source.events.length; row += 997) {
        const seconds = (source.time.base + BigInt(Math.floor(source.events.time(row) / 1e9))).toString();
        assert.ok(text[source.events.line(row) - 1]!.includes(seconds));
      }
    }
    assert.equal(second!.alignment!.uncertainty, 0);
    assert.equal(second!.alignment!.told, true);
  });

  it('may be given in any order, packed, and beside other sources', async () => {
    const { gzipSync } = await import('node:zlib');
    const [a, b] = cut(fixtureBytes('x86-vtd/qemu.log'), 0.5);
    const packed = { name: 'a.gz', bytes: new Uint8Array(gzipSync(a!.bytes)) };
    const kernel = { name: 'kernel.txt', bytes: fixtureBytes('x86-vtd/ftrace.txt') };
    assert.deepEqual(events(joined(await pieced([b!, packed]))), events(fixtureTrace('x86-vtd/qemu.log')));
    const three = joined(await pieced([kernel, b!, packed]));
    const two = joined(await pieced([kernel, { name: 'qemu.log', bytes: fixtureBytes('x86-vtd/qemu.log') }]));
    assert.deepEqual(
      three.sources.map(({ system }) => system).filter((s) => s !== ''),
      [],
    );
    const sorted = (trace: Trace): string[] =>
      interrupts(trace, trace.length - 1).map(({ row: { entry, irq, status, raises, sends, handled } }) =>
        JSON.stringify([entry, irq, status, raises, sends, handled]),
      );
    assert.deepEqual(sorted(three), sorted(two));
  });

  it('without stamps are told by the names that a rotation gives', async () => {
    const bytes = fixtureBytes('arm64-gicv2m/qemu.log');
    const [a, b, c] = cut(bytes, 0.3, 0.7);
    const named = (...names: readonly string[]): Cut[] =>
      [a!, b!, c!].map((piece, i) => ({ ...piece, name: names[i]! })).reverse();
    const all = fixtureTrace('arm64-gicv2m/qemu.log');
    const trace = joined(await pieced(named('q.log.2', 'q.log.1', 'q.log')));
    assert.deepEqual(events(trace), events(all));
    assert.deepEqual(stateTree(trace.head), stateTree(all.head));
    for (const names of [
      ['q.log.3', 'q.log.1', 'q.log'],
      ['a.log', 'b.log', 'c.log'],
    ])
      assert.deepEqual(chains(named(...names).map((one, i) => given(one, i))), [], names.join(' '));
  });

  it('are not found where nothing says so: other machines, other runs, copies, files that overlap', () => {
    const file = (name: string): GivenFile => given({ name, bytes: fixtureBytes(name) }, 0);
    assert.deepEqual(chains(WHOLE.map(file)), []);
    // These two follow each other on one kernel, 1 s apart.
    const boot = ['arm64-a/ftrace-03-affinity.txt', 'arm64-a/ftrace-04-hotplug.txt'];
    assert.deepEqual(chains([...WHOLE, ...boot].map(file)), [boot]);
    const bytes = fixtureBytes('x86-vtd/qemu.log');
    const [first] = cut(bytes, 0.6);
    const [, second] = cut(bytes, 0.5);
    assert.deepEqual(chains([given(first!, 0), given({ ...second!, name: 'b' }, 1)]), []);
    const [a, b] = cut(bytes, 0.5);
    assert.deepEqual(chains([given(b!, 0), given(a!, 1)]), [['log.0', 'log.1']]);
    assert.deepEqual(chains([given(a!, 0, 'one'), given(b!, 1, 'two')]), []);
  });

  it('are files of their own again where one of them is left out', async () => {
    const [a, b] = cut(fixtureBytes('x86-vtd/qemu.log'), 0.5);
    const [, second] = await pieced([a!, b!]);
    assert.deepEqual(events(joined([second!])), events(importBytes(b!.bytes)));
  });

  it('the last of which grows are what opening them then tells', async () => {
    const bytes = fixtureBytes('x86-vtd/qemu.log');
    const [a, b] = cut(bytes, 0.5);
    const [first, live] = [new GrowingFile(a!.name, undefined), new GrowingFile(b!.name, undefined)];
    let at = 0;
    const pieces = new GrowingPieces<GivenFile>(({ file }) =>
      chunksOf(file === a!.name ? a!.bytes : b!.bytes.subarray(0, at)),
    );
    first.feed(a!.bytes);
    first.settle();
    for (const share of [0.1, 0.4, 1]) {
      const to = b!.bytes.indexOf(LF, Math.floor((b!.bytes.length - 1) * share)) + 1;
      live.feed(b!.bytes.subarray(at, to));
      pieces.feed(b!.name, b!.bytes.subarray(at, to));
      at = to;
      live.settle();
      const files = [first, live].map(({ trace }, i) => ({ ...given([a!, b!][i]!, i), trace }));
      const trace = joined(await pieces.of(files));
      assert.deepEqual(events(trace), events(importBytes(bytes.subarray(0, a!.bytes.length + at))), `at ${share}`);
    }
  });
});
