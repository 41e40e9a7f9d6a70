import assert from 'node:assert/strict';
import { bytesOf } from '../../src/base/bytes.ts';
import { objectAt } from '../../src/import/objects.ts';
import { mark } from '../../src/model/events/notes.ts';
import { TraceBuilder } from '../../src/trace/builder.ts';
import { MOST_CPU } from '../../src/trace/row.ts';
import { Source } from '../../src/trace/source.ts';

describe('the builder of a trace', () => {
  const emit = (out: TraceBuilder): void =>
    out.emit(mark.put().text(out.world.strings.intern('x')), objectAt(out.world, 'marker'));

  it('counts the events of the record at hand', () => {
    const out = new TraceBuilder('x');
    assert.equal(out.emitted, 0);
    out.begin(1, 0);
    emit(out);
    emit(out);
    assert.equal(out.emitted, 2);
    out.begin(2, 10);
    assert.equal(out.emitted, 0);
  });

  it('keeps who recorded it, as bytes or as a text, the last one said', () => {
    const out = new TraceBuilder('x');
    const bytes = bytesOf('bash-7 init-1');
    out.begin(1, 0);
    out.setTask(bytes, 0, 6);
    out.setTaskText('other');
    assert.equal(out.world.strings.text(out.task), 'other');
    out.setTask(bytes, 7, 13);
    emit(out);
    assert.equal(out.world.strings.text(out.trace.table.task(0)), 'init-1');
    out.begin(2, 20);
    assert.equal(out.task, 0, 'unknown again');
  });

  it('the span of a source is from its earliest to its latest stamp, in whatever order they come', () => {
    const out = new TraceBuilder('x');
    for (const time of [50, 20, Number.NaN, 80, 60]) {
      out.begin(1, 0);
      out.time = time;
    }
    out.noteTime();
    assert.deepEqual([out.source.start, out.source.end], [20, 80]);
  });

  it('a number that no CPU can have is none', () => {
    const out = new TraceBuilder('x');
    out.cpu = MOST_CPU;
    assert.equal(out.cpu, MOST_CPU);
    out.cpu = MOST_CPU + 1;
    assert.equal(out.cpu, -1);
  });

  it('a builder beside it writes to objects of the same names, and to a source of its own', () => {
    const out = new TraceBuilder('x', undefined, 'guest');
    const beside = out.beside();
    assert.equal(beside.world, out.world);
    assert.notEqual(beside.source, out.source);
    assert.equal(beside.source.file, 'x');
  });

  it('nothing is known of a source before it is read', () => {
    const source = new Source({ file: 'x' });
    assert.deepEqual(
      [source.system, source.vantage, source.cpus, source.offset, source.undone, source.time.base],
      ['', null, 0, 0n, [], 0n],
    );
    assert.ok(Number.isNaN(source.start) && Number.isNaN(source.end));
  });
});
