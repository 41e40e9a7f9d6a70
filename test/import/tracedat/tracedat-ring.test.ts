// Ring buffers byte by byte: times, lengths, losses, and the order of several CPUs. Expected times are sums of what was written.
import assert from 'node:assert/strict';
import { viewEvent } from '../../../src/query/events.ts';
import { type TraceInfo, traceInfo } from '../../../src/query/info.ts';
import { checkIntegrity } from '../../../src/trace/integrity.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { importBytes } from '../../helpers/fixtures.ts';
import {
  Bytes,
  type Cpu,
  datV6,
  datV7,
  type Entry,
  type FieldSpec,
  formatText,
  LITTLE,
  type Machine,
  type Page,
  recordOf,
} from '../../helpers/trace-dat.ts';

const RESERVE = 301;
const FIELDS: readonly FieldSpec[] = [
  ['unsigned int irq', 4],
  ['int ret', 4, true],
];
const FORMAT = [
  'irq_vectors',
  formatText('vector_reserve', RESERVE, FIELDS, '"irq=%u ret=%d", REC->irq, REC->ret'),
] as const;
const MACHINES: readonly Machine[] = [LITTLE, { big: true, long: 8 }, { big: false, long: 4 }, { big: true, long: 4 }];

const data = (machine: Machine, irq: number, ret = 0): Uint8Array => recordOf(machine, RESERVE, 1, FIELDS, [irq, ret]);
const record = (machine: Machine, after: number, irq: number): Entry => ({ after, data: data(machine, irq) });

function read(
  cpus: readonly Cpu[],
  machine: Machine,
  write = datV6,
): { trace: Trace; info: TraceInfo; told: string[] } {
  const trace = importBytes(write({ machine, formats: [FORMAT], rings: [{ cpus }] }));
  assert.deepEqual(checkIntegrity(trace), []);
  const told: string[] = [];
  for (let step = 0; step < trace.length; step++) {
    const { kind, time, object, fields } = viewEvent(trace, step);
    if (kind === 'vec.reserve') told.push(`${time} ${object}`);
    else if (kind === 'lost') told.push(`lost ${object} ${fields['count'] ?? '?'}`);
  }
  return { trace, info: traceInfo(trace), told };
}

const onePage = (entries: readonly Entry[], machine: Machine, stamp = 1_000_000_000n) =>
  read([{ cpu: 0, pages: [{ stamp, entries }] }], machine);

for (const machine of MACHINES) {
  describe(`a ring buffer, ${machine.big ? 'big' : 'little'}-endian, long of ${machine.long} bytes`, () => {
    it('times: the stamp of the page, and what each record adds', () => {
      const { told } = onePage(
        [record(machine, 0, 1), record(machine, 5, 2), record(machine, 2 ** 27 - 1, 3)],
        machine,
      );
      assert.deepEqual(told, ['1.000000000 irq/1', '1.000000005 irq/2', `1.${134_217_727 + 5} irq/3`]);
    });

    it('time extends: 59 bits of time in front of a record', () => {
      const much = 5 * 2 ** 27 + 17;
      const { told } = onePage([record(machine, 10, 1), { extend: much }, record(machine, 3, 2)], machine);
      assert.deepEqual(told, ['1.000000010 irq/1', `1.${much + 13} irq/2`]);
    });

    it('absolute time stamps; the highest bits are those of the page', () => {
      const stamp = 2n ** 60n + 123n;
      const { told } = onePage([{ stamp: stamp & (2n ** 59n - 1n) }, record(machine, 4, 1)], machine, 2n ** 60n);
      const at = stamp + 4n;
      assert.deepEqual(told, [`${at / 1_000_000_000n}.${String(at % 1_000_000_000n).padStart(9, '0')} irq/1`]);
    });

    it('discarded records take their time and nothing else', () => {
      const entries = [record(machine, 1, 1), { discarded: 24, after: 6 }, record(machine, 2, 2)];
      const { told, info } = onePage(entries, machine);
      assert.deepEqual(told, ['1.000000001 irq/1', '1.000000009 irq/2']);
      assert.equal(info.records, 2);
      assert.equal(info.problem, null);
    });

    it('padding without a time ends a page', () => {
      const entries: Entry[] = [record(machine, 1, 1), { rest: true }];
      const { told, info } = read(
        [
          {
            cpu: 0,
            pages: [
              { stamp: 1_000_000_000n, entries },
              { stamp: 2_000_000_000n, entries: [record(machine, 0, 2)] },
            ],
          },
        ],
        machine,
      );
      assert.deepEqual(told, ['1.000000001 irq/1', '2.000000000 irq/2']);
      assert.equal(info.problem, null);
    });

    it('a length may stand in the first word, also one that is no multiple of four', () => {
      const odd = new Uint8Array([...data(machine, 2), 7]);
      const entries: Entry[] = [
        { after: 1, data: data(machine, 1), long: true },
        { after: 1, data: odd, long: true },
        { after: 1, data: new Uint8Array([...data(machine, 3), ...new Uint8Array(400)]) },
        record(machine, 1, 4),
      ];
      assert.deepEqual(
        onePage(entries, machine).told.map((text) => text.replace(/.* /, '')),
        ['irq/1', 'irq/2', 'irq/3', 'irq/4'],
      );
    });

    it('losses: with a count, and without one', () => {
      const page = (second: bigint, irq: number, lost?: number): Page => ({
        stamp: second * 1_000_000_000n,
        entries: [record(machine, 0, irq)],
        ...(lost === undefined ? {} : { lost }),
      });
      const counted = read([{ cpu: 3, pages: [page(1n, 1), page(2n, 2, 780), page(3n, 3, 20)] }], machine);
      assert.deepEqual(counted.told, [
        '1.000000000 irq/1',
        'lost buffer/3 780',
        '2.000000000 irq/2',
        'lost buffer/3 20',
        '3.000000000 irq/3',
      ]);
      assert.equal(counted.info.lost, 800);
      assert.equal(counted.info.gaps, 0);
      const uncounted = read([{ cpu: 3, pages: [page(1n, 1), page(2n, 2, -1)] }], machine);
      assert.deepEqual(uncounted.told, ['1.000000000 irq/1', 'lost buffer/3 ?', '2.000000000 irq/2']);
      assert.equal(uncounted.info.lost, null);
      assert.equal(uncounted.info.gaps, 1);
    });

    it('a loss that a page without records tells is told with the next record', () => {
      const pages: Page[] = [
        { stamp: 1n, entries: [], lost: 5 },
        { stamp: 1_000_000_000n, entries: [record(machine, 0, 1)], lost: 2 },
      ];
      assert.deepEqual(read([{ cpu: 0, pages }], machine).told, ['lost buffer/0 7', '1.000000000 irq/1']);
    });
  });
}

describe('several CPUs', () => {
  const at = (stamp: bigint, ...irqs: number[]): Page => ({
    stamp,
    entries: irqs.map((irq, i) => record(LITTLE, i === 0 ? 0 : 10, irq)),
  });

  it('are put in order of time; of equal times the one that stands first in the file comes first', () => {
    const cpus: Cpu[] = [
      { cpu: 2, pages: [at(1_000_000_005n, 1, 2), at(1_000_000_100n, 3)] },
      { cpu: 0, pages: [at(1_000_000_000n, 4, 5, 6, 7)] },
      { cpu: 1, pages: [at(1_000_000_015n, 8)] },
    ];
    const seven = read(cpus, LITTLE, (dat) => datV7(dat));
    const order = ['4', '1', '5', '2', '8', '6', '7', '3'];
    assert.deepEqual(
      seven.told.map((text) => text.replace(/.*\//, '')),
      order,
    );
    assert.equal(seven.info.cpus, 3);
    // The table of version 6 goes by the numbers of the CPUs: CPU 1 stands in front of CPU 2.
    const six = read(cpus, LITTLE);
    assert.deepEqual(
      six.told.map((text) => text.replace(/.*\//, '')),
      ['4', '1', '5', '8', '2', '6', '7', '3'],
    );
  });

  it('the order of one CPU never changes, even where its stamps go back', () => {
    const cpus: Cpu[] = [
      { cpu: 0, pages: [at(1_000_000_100n, 1), at(1_000_000_010n, 2)] },
      { cpu: 1, pages: [at(1_000_000_050n, 3), at(1_000_000_200n, 4)] },
    ];
    assert.deepEqual(read(cpus, LITTLE).told, [
      '1.000000050 irq/3',
      '1.000000100 irq/1',
      '1.000000010 irq/2',
      '1.000000200 irq/4',
    ]);
  });

  it('two hundred CPUs in turns', () => {
    const cpus = Array.from({ length: 200 }, (_, cpu) => ({
      cpu,
      pages: [
        {
          stamp: 1_000_000_000n + BigInt(cpu),
          entries: [0, 200, 200].map((after, i) => record(LITTLE, after, cpu + 200 * i)),
        },
      ],
    }));
    const { told, info } = read(cpus, LITTLE);
    assert.deepEqual(
      told.map((text) => Number(text.replace(/.*\//, ''))),
      Array.from({ length: 600 }, (_, i) => i),
    );
    assert.equal(info.cpus, 200);
  });

  it('lines number the records, offsets tell where they stand in the file', () => {
    const cpus: Cpu[] = [
      { cpu: 0, pages: [at(1_000_000_000n, 1, 3)] },
      { cpu: 1, pages: [at(1_000_000_005n, 2)] },
    ];
    const bytes = datV6({ formats: [FORMAT], rings: [{ cpus }] });
    const trace = importBytes(bytes);
    const places: [number, number][] = [];
    for (let step = 0; step < trace.length; step++)
      if (trace.table.kind(step).name === 'vec.reserve')
        places.push([trace.table.line(step), trace.table.offset(step)]);
    assert.deepEqual(
      places.map(([line]) => line),
      [1, 2, 3],
    );
    // At the offset stands the word of the record: kind 4 (16 bytes), then its data with the number of the event.
    for (const [i, [, offset]] of places.entries()) {
      assert.equal(bytes[offset]! & 31, 4, `record ${i}`);
      assert.deepEqual(bytes.subarray(offset + 4, offset + 6), new Bytes(false).n(2, RESERVE).bytes);
      assert.equal(bytes[offset + 12], [1, 2, 3][i]);
    }
  });
});

describe('damaged pages', () => {
  it('a page that says it is longer than it is: others are read, and the place is told', () => {
    const pages: Page[] = [1n, 2n, 3n].map((n) => ({
      stamp: n * 1_000_000_000n,
      entries: [record(LITTLE, 0, Number(n))],
    }));
    const bytes = datV6({ formats: [FORMAT], rings: [{ cpus: [{ cpu: 0, pages }] }] });
    const second = bytes.length - 2 * 4096;
    new DataView(bytes.buffer).setUint32(second + 8, 5000, true);
    const trace = importBytes(bytes);
    const info = traceInfo(trace);
    assert.equal(info.problem, `the file has a page that says it is longer than a page at byte ${second}`);
    assert.equal(info.records, 2);
    assert.equal(info.gaps, 1);
  });

  it('a record that is longer than its page', () => {
    const entries = [record(LITTLE, 0, 1), record(LITTLE, 1, 2), record(LITTLE, 1, 3)];
    const bytes = datV6({ formats: [FORMAT], rings: [{ cpus: [{ cpu: 0, pages: [{ stamp: 5n, entries }] }] }] });
    const second = bytes.length - 4096 + 16 + 20;
    new DataView(bytes.buffer).setUint32(second, 28 | (1 << 5), true);
    const info = traceInfo(importBytes(bytes));
    assert.equal(info.problem, `the file has a record that is longer than its page at byte ${second}`);
    assert.equal(info.records, 1);
  });
});
