// Which files of those that were given together make a trace, and which comes first.
import assert from 'node:assert/strict';
import { whole } from '../../../src/base/slices.ts';
import { type Chosen, chooseFiles, type GivenFile, isCalled } from '../../../src/import/files/choose.ts';
import { nanoseconds } from '../../../src/import/files/seconds.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes, fixtureTrace, importBytes } from '../../helpers/fixtures.ts';

const kernel = fixtureTrace('x86-vtd/ftrace.txt');
const machine = fixtureTrace('x86-vtd/qemu.log');
const part = importBytes(fixtureBytes('x86-vtd/ftrace.txt').subarray(0, 60_000));
const notes = importBytes(
  Buffer.from(
    `What I saw:\n${'some prose about it\n'.repeat(30)}1234@5.000001:msix_write_config dev nvme enabled 1 masked 0\n`,
  ),
);

const file = (name: string, trace: Trace | undefined, from: number, asked = false): GivenFile => ({
  ...{ file: name, modified: undefined, trace, problem: trace ? undefined : 'no trace', from, asked },
  ...{ system: undefined, vantage: undefined, offset: undefined },
});

const choose = (files: readonly GivenFile[], first?: string): Chosen | undefined => whole(chooseFiles(files, first));
const names = (chosen: Chosen | undefined): string[] => chosen?.parts.map((one) => one.file) ?? [];

describe('files that were given together', () => {
  it('of one folder begin with the fullest, that of a kernel before the log of a machine', () => {
    assert.ok(machine.length > 0 && kernel.length > 0);
    const files = [file('run/a.log', machine, 0), file('run/b.txt', kernel, 0)];
    assert.deepEqual(names(choose(files)), ['run/b.txt', 'run/a.log']);
  });

  it('of several sources begin with the first one; of a folder among them, with its fullest file', () => {
    const alone = [file('a.log', machine, 0, true), file('b.txt', kernel, 1, true)];
    assert.deepEqual(names(choose(alone)), ['a.log', 'b.txt']);
    const other = [file('z.log', machine, 1, true)];
    const run = [file('run/few.txt', part, 0), file('run/whole.log', machine, 0)];
    assert.deepEqual(names(choose([...run, ...other]))[0], 'run/few.txt');
    assert.deepEqual(names(choose(alone, 'b.txt')), ['b.txt', 'a.log']);
    assert.deepEqual(names(choose(alone, 'gone')), ['a.log', 'b.txt']);
  });

  it('leave out copies, and texts that only quote records unless the user asks for them', () => {
    const files = [
      file('x/all.txt', kernel, 0),
      file('x/copy.txt', part, 0),
      file('x/n.md', notes, 0),
      file('x/c', undefined, 0),
    ];
    const chosen = choose(files)!;
    assert.deepEqual(names(chosen), ['x/all.txt']);
    assert.deepEqual(
      chosen.duplicates.map(({ file: { file: copy }, of }) => [copy, of]),
      [['x/copy.txt', 'x/all.txt']],
    );
    assert.deepEqual(
      chosen.unread.map(({ file: name, problem }) => [name, problem]),
      [
        ['x/n.md', 'a text in which only some lines are records'],
        ['x/c', 'no trace'],
      ],
    );
    assert.deepEqual(names(choose([file('all.txt', kernel, 0, true), file('n.md', notes, 1, true)])), [
      'all.txt',
      'n.md',
    ]);
    assert.deepEqual(names(choose([file('n.md', notes, 0)])), ['n.md']);
    assert.equal(choose([file('c', undefined, 0)]), undefined);
  });

  it('are called by their name or the end of it', () => {
    assert.ok(isCalled('run/a.log', 'a.log') && isCalled('a.log', 'a.log'));
    assert.ok(!isCalled('run/aa.log', 'a.log') && !isCalled('a.log', 'run/a.log'));
  });

  it('have offsets in seconds, with up to nine digits', () => {
    const texts: readonly [string, bigint | undefined][] = [
      ['1', 1_000_000_000n],
      ['-12.5', -12_500_000_000n],
      ['+0.000000001', 1n],
      ['-0.25', -250_000_000n],
      ['1.0000000001', undefined],
      ['1e3', undefined],
      ['', undefined],
      ['.5', undefined],
    ];
    for (const [text, ns] of texts) assert.equal(nanoseconds(text), ns, text);
  });
});
