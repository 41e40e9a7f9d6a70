// What fields of records become: the same as what the kernel prints of them. Each row holds the format of an event, the values of one record,
// and the text that the kernel would print; both are imported.
import assert from 'node:assert/strict';
import { traceInfo } from '../../../src/query/info.ts';
import { checkIntegrity } from '../../../src/trace/integrity.ts';
import { importBytes } from '../../helpers/fixtures.ts';
import { Bytes, datV6, formatText, LITTLE, type Machine, recordOf } from '../../helpers/trace-dat.ts';
import { ftraceEvents, texts } from '../samples.ts';

import { ROWS, type Row } from './rows.ts';

const ID = 400;
/** The offset of the first field behind the common ones. */
const COMMON = 8;

const align = (n: number, size: number): number => Math.ceil(n / size) * size;

/** The data of a record; texts of `__data_loc` and `__rel_loc` fields stand behind all fields. */
function dataOf({ fields, values }: Row, machine: Machine): Uint8Array {
  let at = COMMON;
  const places = fields.map(([, size]) => {
    at = align(at, Math.max(1, Math.min(8, size)));
    const place = at;
    at += size;
    return place;
  });
  const tail = new Bytes(machine.big);
  const end = at;
  const numbers = values.map((value, i) => {
    const [declared, size] = fields[i]!;
    if (typeof value === 'string' && size > 4) return new Bytes(machine.big).text(value).align(size).bytes;
    if (typeof value !== 'string' && typeof value !== 'object') return value;
    if (size === 0) {
      if (typeof value === 'string') tail.text(`${value}\0`);
      else tail.raw(value);
      return new Uint8Array(0);
    }
    const start = end + tail.size;
    const length = typeof value === 'string' ? value.length + 1 : value.length;
    if (typeof value === 'string') tail.text(`${value}\0`);
    else tail.raw(value);
    const from = declared.startsWith('__rel_loc') ? places[i]! + 4 : 0;
    return (length << 16) | (start - from);
  });
  const data = recordOf(machine, ID, 77, fields, numbers, tail.bytes);
  // The text has `d.h`: interrupts off, in a hardware interrupt (TRACE_FLAG_IRQS_OFF, TRACE_FLAG_HARDIRQ).
  data[2] = 0x09;
  return data;
}

function fileOf(row: Row, machine: Machine): Uint8Array {
  const entries = [{ after: 0, data: dataOf(row, machine) }];
  return datV6({
    machine,
    formats: [[row.system ?? 'any', formatText(row.format ?? row.event, ID, row.fields, row.print)]],
    // The record of the text stands on CPU 2, and its process has no name.
    rings: [{ cpus: [{ cpu: 2, pages: [{ stamp: 10_934_596_000n, entries }] }] }],
    ...row.dat,
  });
}

/** Without what only fields tell. */
const without = (event: string, more: readonly string[]): string =>
  event
    .split(' ')
    .filter((word) => !more.some((name) => word.startsWith(`${name}=`)))
    .join(' ');

function check(row: Row): void {
  for (const machine of [LITTLE, { big: true, long: 8 } as const]) {
    const trace = importBytes(fileOf(row, machine));
    assert.deepEqual(checkIntegrity(trace), []);
    const info = traceInfo(trace);
    assert.deepEqual([info.unknown, info.skipped, info.problem], [{}, {}, null], row.event);
    assert.equal(info.understood, 1);
    const expected = ftraceEvents(`${row.event}: ${row.text}`);
    assert.deepEqual(
      texts(trace).map((event) => without(event, row.more ?? [])),
      expected,
      `${row.event}, ${machine.big ? 'big' : 'little'}-endian`,
    );
    if (expected.length === 0) assert.deepEqual(info.withoutEffect, { [row.event]: 1 });
  }
}

describe('fields of trace.dat', () => {
  const mask = (machine: Machine): Uint8Array => new Bytes(machine.big).n(8, 0x1_0000_8005n).bytes;
  for (const [name, row] of Object.entries(ROWS)) {
    it(`${row.event}: ${name}`, () => {
      if (!row.values.includes('mask')) return check(row);
      // The bytes of a mask depend on the machine.
      for (const machine of [LITTLE, { big: true, long: 8 } as const]) {
        const trace = importBytes(
          fileOf({ ...row, values: row.values.map((v) => (v === 'mask' ? mask(machine) : v)) }, machine),
        );
        assert.deepEqual(texts(trace), ftraceEvents(`${row.event}: ${row.text}`));
      }
      return undefined;
    });
  }
});
