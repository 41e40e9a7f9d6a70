// The parts that a child process cannot show: a slow reader, a terminal, the shape of texts.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { patient } from '../../scripts/test/patience.ts';
import { shown } from '../../src/base/visible.ts';
import { Failure } from '../../src/cli/failure.ts';
import { jsonDocument } from '../../src/cli/json.ts';
import { Output, ReaderGone } from '../../src/cli/output.ts';
import { parsePosition } from '../../src/cli/position.ts';
import { Progress } from '../../src/cli/progress.ts';
import { Columns, wrapped } from '../../src/cli/text.ts';
import { nearest } from '../../src/query/nearest.ts';

describe('Output', () => {
  it('waits for a slow reader and never holds more than a batch', async () => {
    let taken = 0;
    let waiting = 0;
    let most = 0;
    const out = new Output({
      write(text, done) {
        waiting += text.length;
        most = Math.max(most, waiting);
        setTimeout(() => {
          waiting -= text.length;
          taken += text.length;
          done();
        }, 1);
        return false;
      },
    });
    const line = 'x'.repeat(99);
    for (let i = 0; i < 20_000; i++) {
      out.line(line);
      if (out.due) await out.rest();
    }
    await out.flush();
    assert.equal(taken, 2_000_000);
    assert.ok(most < 70_000, `${most} characters at once`);
  });

  it('tells a reader that went away from other trouble', async () => {
    const failing = (code: string): Output =>
      new Output({
        write(_, done) {
          done(Object.assign(new Error(code), { code }));
          return false;
        },
      });
    for (const [code, expected] of [
      ['EPIPE', ReaderGone],
      ['ENOSPC', Error],
    ] as const) {
      const out = failing(code);
      out.line('x');
      await assert.rejects(out.flush(), expected);
    }
  });

  it('rests now and then also when nothing is written, so that signals are noticed', () => {
    const out = new Output({ write: () => true });
    const end = performance.now() + patient(500);
    while (!out.due) assert.ok(performance.now() < end);
  });

  it('rests also where a reader takes every batch at once, as a pipe does', async () => {
    const out = new Output({
      write(_, done) {
        process.nextTick(done);
        return true;
      },
    });
    let others = false;
    setImmediate(() => {
      others = true;
    });
    const batch = 'x'.repeat(70_000);
    const end = performance.now() + patient(2000);
    while (!others && performance.now() < end) {
      out.raw(batch);
      if (out.due) await out.rest();
    }
    assert.ok(others, 'other work had its turn');
  });
});

describe('Progress', () => {
  function told(isTTY: boolean, total: number | undefined, at: readonly (readonly [ms: number, bytes: number])[]) {
    const written: string[] = [];
    let now = 1000;
    const progress = new Progress({ isTTY, write: (text: string) => written.push(text) }, () => now);
    progress.begin('big.log', total);
    for (const [ms, bytes] of at) {
      now = 1000 + ms;
      progress.at(bytes);
    }
    progress.erase();
    return written;
  }
  const steps = [
    [100, 5e6],
    [290, 1e7],
    [500, 2e7],
    [550, 3e7],
    [1000, 5e7],
  ] as const;

  it('tells bytes, percent and rate of a long file on a terminal, and takes that away', () => {
    assert.deepEqual(told(true, 1e8, steps), [
      '\r\x1b[Kbig.log: 20.0 of 100.0 MB, 20 %, 40.0 MB/s',
      '\r\x1b[Kbig.log: 50.0 of 100.0 MB, 50 %, 50.0 MB/s',
      '\r\x1b[K',
    ]);
    assert.equal(told(true, undefined, steps)[0], '\r\x1b[Kbig.log: 20.0 MB, 40.0 MB/s');
  });

  it('says nothing elsewhere, and nothing of a short file', () => {
    assert.deepEqual(told(false, 1e8, steps), []);
    assert.deepEqual(told(true, 1e8, steps.slice(0, 2)), []);
  });
});

describe('texts', () => {
  it('columns are aligned, the last one not padded', () => {
    const lines: string[] = [];
    const columns = new Columns((line) => lines.push(line), [0]);
    columns.row('step', 'kind', 'rest');
    columns.row('1', 'tbl.write', 'a b');
    columns.row('100000', 'x', '');
    columns.end();
    assert.deepEqual(lines, ['  step  kind       rest', '     1  tbl.write  a b', '100000  x']);
  });

  it('columns stream after a sample', () => {
    const lines: string[] = [];
    const columns = new Columns((line) => lines.push(line));
    for (let i = 0; i < 1500; i++) columns.row(String(i), 'x');
    assert.equal(lines.length, 1500);
    assert.equal(lines[0], '0    x');
    assert.equal(lines[1499], '1499  x');
  });

  it('wrap between fields', () => {
    assert.equal(wrapped(['a=1', 'b=2 (two words)', 'c=3'], 22, '    '), 'a=1  b=2 (two words)\n    c=3');
    assert.equal(wrapped([], 10, ''), '');
  });

  it('show control characters', () => {
    assert.equal(shown('a\x1b[31m\x07\u009bé'), 'a\\x1b[31m\\x07\\x9bé');
  });

  it('JSON in pieces is the JSON of the whole', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        assert.equal([...jsonDocument(value)].join(''), `${JSON.stringify(value, null, 2)}\n`);
      }),
    );
    assert.equal([...jsonDocument({ a: undefined })].join(''), '{}\n');
  });
});

describe('places', () => {
  it('are steps, times, lines or the end', () => {
    assert.deepEqual(parsePosition('4672', '--at'), { kind: 'step', number: 4672 });
    assert.deepEqual(parsePosition('step:0', '--at'), { kind: 'step', number: 0 });
    assert.deepEqual(parsePosition('1795148664.565645', '--at'), { kind: 'time', text: '1795148664.565645' });
    assert.deepEqual(parsePosition('time:17961234567890', '--at'), { kind: 'time', text: '17961234567890' });
    assert.deepEqual(parsePosition('time:-1', '--at'), { kind: 'time', text: '-1' });
    assert.deepEqual(parsePosition('-0.000000010', '--at'), { kind: 'time', text: '-0.000000010' });
    assert.deepEqual(parsePosition('line:1', '--at'), { kind: 'line', number: 1 });
    assert.deepEqual(parsePosition('end', '--at'), { kind: 'end' });
  });

  it('and nothing else', () => {
    for (const text of [
      '',
      '-1',
      'step:-1',
      'line:-1',
      '1.',
      '.5',
      '1e3',
      '0x10',
      'line:0',
      'line:1.5',
      'step:1.5',
      'time:x',
      'ends',
      '1.1234567891',
    ])
      assert.throws(() => parsePosition(text, '--at'), Failure, text);
  });
});

describe('near words', () => {
  it('are few edits away, or hold one another', () => {
    assert.deepEqual(nearest('vectr', ['vectors', 'vector', 'value']), ['vector']);
    assert.deepEqual(nearest('evnets', ['info', 'events', 'state']), ['events']);
    assert.deepEqual(nearest('03.0', ['0000:00:03.0', '0000:00:04.0'], 1), ['0000:00:03.0']);
    assert.deepEqual(nearest('xyz', ['info', 'events']), []);
  });
});
