// Lines of a trace file as bytes: whatever room there is at first, none gets lost and none is cut.
import assert from 'node:assert/strict';
import { textOf } from '../../src/base/bytes.ts';
import type { TimeBase } from '../../src/base/time.ts';
import { other } from '../../src/model/events/notes.ts';
import { LineWriter, quoted } from '../../src/trace/line-writer.ts';
import { eventRow } from '../../src/trace/row.ts';
import { told } from '../helpers/told.ts';

const EVENTS = [
  'irq.entry irq/41 name="a name"',
  'irte.read irte/0/20 value=0x40001000001000021000d',
  'vec.alloc irq/4 vector=0 reserved=true ret=-28',
  'tbl.bind table/0xfe002000 device=device/0000:00:03.0 first=-3',
  'iec.inv irte/0/20 global=false index=4294967295 mask=0',
  'kvm.msi kvm/0 dest=0x0 vector=49 mode=Fixed address=0xfee00000 data=0x0',
  'ir.message irte/0 address=0xfeeff00c00000 data=0xffffffff newAddress=0x0 newData=0x10',
];
const trace = told(...EVENTS);

/** What the events of the trace are written as, with `size` bytes of room at first. */
function written(size: number, time: TimeBase, times: readonly number[], cpu = -1): string[] {
  const writer = new LineWriter(trace.world, time, size);
  const row = eventRow(other);
  for (const [step, at] of times.entries()) writer.event({ ...trace.table.read(step, row), time: at, cpu });
  return textOf(writer.take()).split('\n').slice(0, -1);
}

const nano: TimeBase = { base: 0n, ticks: false, digits: 9 };
const times = [0, 1, 999_999_999, 1_000_000_000, 12_345_678_901, 2 ** 52 + 1, 60e9];
const stamps = [
  '0.000000000',
  '0.000000001',
  '0.999999999',
  '1.000000000',
  '12.345678901',
  '4503599.627370497',
  '60.000000000',
];

describe('the writer of lines', () => {
  const expected = EVENTS.map((event, i) => `${stamps[i]} - - ${event}`);

  it('gives the same lines whatever room it has at first', () => {
    for (let size = 1; size < 600; size++) assert.deepEqual(written(size, nano, times), expected, `${size} bytes`);
  });

  it('names the CPU', () => {
    for (const cpu of [0, 7, 10, 127, 8191])
      for (let size = 1; size < 60; size++)
        assert.equal(written(size, nano, [5], cpu)[0], `0.000000005 cpu${cpu} - ${EVENTS[0]}`);
  });

  it('adds the base of the clock, and gives as many digits as the source has', () => {
    const of = (time: Partial<TimeBase>, at: number): string =>
      written(64, { ...nano, ...time }, [at])[0]!.split(' ')[0]!;
    assert.equal(of({ base: 1_795_148_664n }, 565_645_123), '1795148664.565645123');
    assert.equal(of({ digits: 6 }, 1_565_645_000), '1.565645');
    assert.equal(of({ ticks: true, digits: 0 }, 77), '77');
    assert.equal(of({ ticks: true, digits: 0, base: 100n }, 77), '177');
    assert.equal(of({}, Number.NaN), '-');
    assert.equal(of({ base: 5n }, -1_000_000_000), '4.000000000');
  });

  it('hands over what was written since the last time, and starts again', () => {
    const writer = new LineWriter(trace.world, nano, 4);
    writer.line('#irqtrace 1');
    assert.equal(writer.length, 12);
    assert.equal(textOf(writer.take()), '#irqtrace 1\n');
    assert.equal(writer.length, 0);
    writer.line('');
    assert.equal(textOf(writer.take()), '\n');
  });

  it('quotes what would not read back as one word', () => {
    assert.deepEqual(['plain', 'a b', '-', '', 'a=b', 'a#b', 'a"b', 'a\\b', '--', 'a\nb', 'ä'].map(quoted), [
      'plain',
      '"a b"',
      '"-"',
      '""',
      '"a=b"',
      '"a#b"',
      '"a\\"b"',
      '"a\\\\b"',
      '--',
      '"a\\nb"',
      'ä',
    ]);
  });
});
