// The form of the file: cut off, damaged, with offsets and counts that lie; buffers of instances; options that tell of clocks.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { joinTraces } from '../../../src/import/join/join.ts';
import { viewEvent } from '../../../src/query/events.ts';
import { joinedInfo, type TraceInfo, traceInfo } from '../../../src/query/info.ts';
import { checkIntegrity } from '../../../src/trace/integrity.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { importBytes } from '../../helpers/fixtures.ts';
import {
  Bytes,
  type Cpu,
  type Dat,
  datV6,
  datV7,
  type FieldSpec,
  formatText,
  LITTLE,
  type Page,
  recordOf,
} from '../../helpers/trace-dat.ts';

const RESERVE = 301;
const FIELDS: readonly FieldSpec[] = [
  ['unsigned int irq', 4],
  ['int ret', 4, true],
];
const FORMATS = [
  ['irq_vectors', formatText('vector_reserve', RESERVE, FIELDS, '"irq=%u ret=%d", REC->irq, REC->ret')],
] as const;
const PAGE = 4096;

/** A page of records 100 units apart. */
const page = (stamp: bigint, ...irqs: number[]): Page => ({
  stamp,
  entries: irqs.map((irq, i) => ({ after: i === 0 ? 0 : 100, data: recordOf(LITTLE, RESERVE, 1, FIELDS, [irq, 0]) })),
});
const SECOND = 1_000_000_000n;
/** Several pages of three records each; the irq tells page and CPU. */
const cpu = (n: number, pages: number): Cpu => ({
  cpu: n,
  pages: Array.from({ length: pages }, (_, p) =>
    page(SECOND * BigInt(p + 1) + BigInt(n), ...[0, 1, 2].map((i) => 1000 * n + 10 * p + i)),
  ),
});
const file = (dat: Partial<Dat> = {}): Dat => ({ formats: FORMATS, rings: [{ cpus: [cpu(0, 5), cpu(1, 4)] }], ...dat });

interface Told {
  readonly irq: number;
  readonly cpu: number | null;
  readonly time: string | null;
}
function read(bytes: Uint8Array, chunk?: number): { trace: Trace; info: TraceInfo; told: Told[]; irqs: number[] } {
  const trace = importBytes(bytes, chunk);
  assert.deepEqual(checkIntegrity(trace), []);
  const told: Told[] = [];
  for (let step = 0; step < trace.length; step++) {
    const { kind, object, time, cpu: at } = viewEvent(trace, step);
    if (kind === 'vec.reserve') told.push({ irq: Number(object.replace('irq/', '')), cpu: at, time });
  }
  return { trace, info: traceInfo(trace), told, irqs: told.map(({ irq }) => irq) };
}
const number = (size: number, value: number | bigint): Uint8Array => new Bytes(false).n(size, value).bytes;
/** Where a text stands in a file. */
const find = (bytes: Uint8Array, text: string): number => Buffer.from(bytes).indexOf(text);

describe('trace.dat whose kernel says what it lost', () => {
  const stats = (n: number, overrun: number, commit: number, dropped: number): readonly [number, Uint8Array] => [
    2,
    new TextEncoder().encode(
      `CPU: ${n}\nentries: 3\noverrun: ${overrun}\ncommit overrun: ${commit}\nbytes: 60\ndropped events: ${dropped}\nread events: 0\n\0`,
    ),
  ];
  /** What the events of lost records tell: the buffer and the number. */
  const losses = (trace: Trace) =>
    Array.from({ length: trace.length }, (_, step) => viewEvent(trace, step))
      .filter(({ kind }) => kind === 'lost')
      .map(({ object, fields }) => [object, fields['count'] ?? null]);
  /** Pages of CPU 0, the second of which says that events are missing in front of it; -1: not how many. */
  const withMissed = (missed: number): Cpu => {
    const { pages } = cpu(0, 3);
    return { cpu: 0, pages: pages.map((one, i) => (i === 1 ? { ...one, lost: missed } : one)) };
  };

  for (const [name, write] of [
    ['version 6', datV6],
    ['version 7', datV7],
  ] as const) {
    it(`${name}: overwritten, interrupted and refused events are lost ones, and an event says so`, () => {
      const { trace, info, told } = read(write(file({ options: [stats(0, 5, 1, 2), stats(1, 0, 0, 0)] })));
      assert.deepEqual([info.lost, info.gaps, told.length], [8, 0, 27]);
      assert.deepEqual(losses(trace), [['buffer/0', 8]]);
    });

    it(`${name}: what pages tell, too, is counted once`, () => {
      const rings = [{ cpus: [withMissed(4)] }];
      const same = read(write(file({ rings, options: [stats(0, 4, 0, 0)] })));
      assert.deepEqual([same.info.lost, losses(same.trace)], [4, [['buffer/0', 4]]]);
      const more = read(write(file({ rings, options: [stats(0, 4, 0, 3)] })));
      assert.equal(more.info.lost, 7);
      assert.deepEqual(losses(more.trace), [
        ['buffer/0', 4],
        ['buffer/0', 3],
      ]);
    });

    it(`${name}: a loss of unknown size gets its size from them`, () => {
      const rings = [{ cpus: [withMissed(-1)] }];
      const without = read(write(file({ rings })));
      assert.deepEqual([without.info.lost, without.info.gaps], [null, 1]);
      const told = read(write(file({ rings, options: [stats(0, 9, 0, 0)] })));
      assert.deepEqual([told.info.lost, told.info.gaps], [9, 0]);
      assert.deepEqual(losses(told.trace), [['buffer/0', null]]);
    });
  }

  it('of instances, which name the same CPUs again, the sum counts', () => {
    const { trace, info } = read(datV7(file({ options: [stats(0, 1, 0, 0), stats(1, 0, 0, 0), stats(0, 2, 0, 0)] })));
    assert.deepEqual([info.lost, losses(trace)], [3, [['buffer/unknown', 3]]]);
  });
});

describe('trace.dat that is cut off', () => {
  for (const [name, bytes] of [
    ['version 6', datV6(file())],
    ['version 7', datV7(file())],
    ['version 7, zstd', datV7(file(), 'zstd', 2)],
    ['version 7, zlib', datV7(file(), 'zlib', 1)],
  ] as const)
    it(`${name}: gives what is there and says where it ends`, () => {
      const whole = read(bytes).irqs;
      assert.equal(whole.length, 27);
      let before = 0;
      for (let size = 20; size < bytes.length; size += size < 2000 ? 41 : 173) {
        const { info, irqs } = read(bytes.subarray(0, size));
        assert.match(info.problem ?? 'nothing', /^the file .*byte \d+/, `${size} bytes`);
        assert.ok(
          irqs.every((irq) => whole.includes(irq)),
          `${size} bytes`,
        );
        if (name === 'version 6') assert.ok(irqs.length >= before, `${size} bytes`);
        before = irqs.length;
      }
    });

  it('version 7, packed: without the options at its end, data are found, and their CPUs by the statistics', () => {
    const stats = (n: number, entries: number): readonly [number, Uint8Array] => [
      2,
      new TextEncoder().encode(`CPU: ${n}\nentries: ${entries}\noverrun: 0\nread events: 0\n\0`),
    ];
    // CPU 1 recorded nothing.
    const rings = [{ cpus: [cpu(0, 5), cpu(2, 4)] }];
    const bytes = datV7(file({ rings, options: [stats(0, 15), stats(1, 0), stats(2, 12)] }), 'zstd', 2);
    const view = Buffer.from(bytes);
    // The last section of options begins with number 0, and its first option is that of the buffer.
    const last = view.lastIndexOf(Buffer.from(new Bytes(false).n(2, 0).n(2, 0).n(4, 0).bytes), bytes.length - 60);
    const { info, told } = read(bytes.subarray(0, last));
    assert.equal(told.length, 27);
    for (const { irq, cpu: at } of told) assert.equal(at, irq < 1000 ? 0 : 2);
    assert.match(info.problem ?? '', /^the file ends at byte \d+, before the options at byte \d+$/);
    // Without statistics the CPUs are not known.
    const untold = read(
      datV7(file({ rings }), 'zstd', 2).subarray(0, last - (bytes.length - datV7(file({ rings }), 'zstd', 2).length)),
    );
    assert.ok(untold.told.length > 0);
    for (const { cpu: at } of untold.told) assert.equal(at, null);
  });

  it('in a packed chunk: the chunks before it are read', () => {
    const bytes = datV7(file({ rings: [{ cpus: [cpu(0, 6)] }] }), 'zstd', 1);
    const places: number[] = [];
    for (
      let at = Buffer.from(bytes).indexOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), PAGE);
      at >= 0;
      at = Buffer.from(bytes).indexOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), at + 1)
    )
      places.push(at);
    const third = places.at(-4)!;
    const { irqs, info } = read(bytes.subarray(0, third + 10));
    assert.deepEqual(irqs, [0, 1, 2, 10, 11, 12]);
    assert.match(info.problem ?? '', /^the file ends at byte \d+, (?:before the options|within)/);
  });

  it('packed with gzip and cut: says so of the packed file', () => {
    const packed = gzipSync(datV6(file()));
    const { info } = read(packed.subarray(0, packed.length - 20), 1000);
    assert.equal(info.problem, `the gzip data is cut off at byte ${packed.length - 20}`);
    assert.ok(info.records > 0);
  });
});

describe('trace.dat that is damaged', () => {
  it('a chunk that cannot be unpacked is left out; the others are read, and a loss is told', () => {
    const bytes = datV7(file({ rings: [{ cpus: [cpu(0, 6)] }] }), 'zstd', 2);
    const frames: number[] = [];
    const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
    for (let at = Buffer.from(bytes).indexOf(magic); at >= 0; at = Buffer.from(bytes).indexOf(magic, at + 1))
      frames.push(at);
    const middle = frames.at(-2)!;
    bytes[middle + 5]! ^= 0xff;
    bytes[middle + 9]! ^= 0xff;
    const { irqs, info } = read(bytes);
    assert.deepEqual(irqs, [0, 1, 2, 10, 11, 12, 40, 41, 42, 50, 51, 52]);
    assert.match(info.problem ?? '', new RegExp(`^the file has damaged zstd data from byte ${middle} to \\d+$`));
    assert.equal(info.gaps, 1);
    assert.equal(info.lost, null);
  });

  it('options that name themselves are read once', () => {
    const bytes = datV7(file());
    const view = new DataView(bytes.buffer);
    const options = Number(view.getBigUint64(find(bytes, 'none') + 6, true));
    // The last option of the first section: number 0, size 8, the offset of the next section.
    const size = Number(view.getBigUint64(options + 8, true));
    view.setBigUint64(options + 16 + size - 8, BigInt(options), true);
    const { info } = read(bytes);
    assert.equal(info.problem?.startsWith(`the file names the options at byte ${options} twice`), true);
  });

  it('sizes, counts and offsets that lie end nothing but what they tell of', () => {
    const bytes = datV6(file());
    const formats = find(bytes, 'header_event') + 13;
    const count = formats + 8 + Number(new DataView(bytes.buffer).getBigUint64(formats, true));
    for (const [at, width] of [
      [count, 4],
      [find(bytes, 'header_page') + 12, 8],
      [find(bytes, 'options  ') - 4, 4],
      [find(bytes, 'flyrecord') + 10, 8],
      [find(bytes, 'flyrecord') + 18, 8],
    ] as const)
      for (const value of [2n ** 31n, 2n ** 32n - 1n, 2n ** 63n, 2n ** 64n - 1n]) {
        if (value >= 2n ** BigInt(8 * width)) continue;
        const damaged = bytes.slice();
        damaged.set(new Bytes(false).n(width, value).bytes, at);
        const { info } = read(damaged);
        assert.match(info.problem ?? 'nothing', /^the file /, `byte ${at}: ${value}`);
        assert.ok(info.records <= 27);
      }
  });

  it('data of one CPU that another one names again are read once', () => {
    const bytes = datV6(file());
    const table = find(bytes, 'flyrecord') + 10;
    const view = new DataView(bytes.buffer);
    // Both CPUs name the whole file.
    for (const n of [0, 1]) {
      view.setBigUint64(table + 16 * n, 0n, true);
      view.setBigUint64(table + 16 * n + 8, BigInt(bytes.length), true);
    }
    const { info } = read(bytes);
    assert.match(info.problem ?? '', /several CPUs: those of CPU 1 at byte 0 are not read|no record|longer/);
  });

  it('a head that cannot be right', () => {
    const bytes = datV6(file());
    const changed = (at: number, ...values: number[]): string | null => {
      const other = bytes.slice();
      other.set(values, at);
      return read(other).info.problem;
    };
    assert.equal(changed(10, 0x35), 'the file is of version 5 of its form; versions 6 and 7 are read');
    assert.equal(changed(14, 0, 0, 0, 0), 'the file tells a page size of 0 bytes at its beginning');
    assert.equal(changed(14, 1, 16, 0, 0), 'the file tells a page size of 4097 bytes at its beginning');
    const odd = datV7(file(), 'zstd');
    odd.set(new TextEncoder().encode('lzo1'), find(odd, 'zstd'));
    assert.match(read(odd).info.problem ?? '', /^the file is packed with lzo1, which is not read/);
    assert.equal(
      read(new TextEncoder().encode('\x17\x08Dtracing')).info.problem,
      'the file ends at byte 10, within the version at byte 10',
    );
  });

  it('text of a latency tracer is named', () => {
    const bytes = datV6(file());
    bytes.set(new TextEncoder().encode('latency  \0'), find(bytes, 'flyrecord'));
    assert.match(
      read(bytes).info.problem ?? '',
      /^the file holds text of a latency tracer, which is not read: `trace-cmd report/,
    );
  });
});

describe('buffers of instances', () => {
  const rings = [
    { cpus: [{ cpu: 0, pages: [page(SECOND, 1, 3)] }] },
    { name: 'mine', cpus: [{ cpu: 0, pages: [page(SECOND + 50n, 2, 4)] }] },
  ];
  for (const [form, bytes] of [
    ['version 6', datV6(file({ rings }))],
    ['version 7', datV7(file({ rings }), 'zstd')],
  ] as const)
    it(`${form}: records of all buffers are put in order of time`, () => {
      const { irqs, info } = read(bytes);
      assert.deepEqual(irqs, [1, 2, 3, 4]);
      assert.match(info.variant, /, instance mine$/);
      assert.equal(info.records, 4);
    });

  it('an instance with another clock is a source of its own', () => {
    const bytes = datV7(file({ rings: [rings[0]!, { ...rings[1]!, clock: 'counter' }] }), 'zstd');
    const { trace, info } = read(bytes);
    assert.deepEqual(
      info.sources?.map(({ format, clock, records, start }) => [format, clock, records, start]),
      [
        ['trace-dat', 'local', 2, '1.000000000'],
        ['trace-dat', 'counter', 2, '1000000050'],
      ],
    );
    assert.equal(info.records, 4);
    // Records are numbered through the file.
    const lines = trace.sources.map(({ events }) => [events.line(0), events.line(events.length - 1)]);
    assert.deepEqual(lines, [
      [1, 2],
      [3, 4],
    ]);
  });
});

describe('clocks', () => {
  const one = (dat: Partial<Dat>, clock = 'local') =>
    read(datV6(file({ rings: [{ clock, cpus: [{ cpu: 0, pages: [page(5n * SECOND, 1, 2)] }] }], ...dat })));
  const ascii = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

  it('that count nanoseconds', () => {
    const { told, info } = one({}, 'boot');
    assert.deepEqual([info.clock, told.map(({ time }) => time)], ['boot', ['5.000000000', '5.000000100']]);
  });

  it('that count something else', () => {
    const { told, info } = one({}, 'x86-tsc');
    assert.deepEqual([info.clock, told.map(({ time }) => time)], ['x86-tsc', ['5000000000', '5000000100']]);
  });

  it('a counter whose rate is told gives seconds', () => {
    // Three quarters: 3 >> 2.
    const rate = new Bytes(false).n(4, 3).n(4, 2).n(8, 0).bytes;
    const { told } = one({ options: [[14, rate]] }, 'x86-tsc');
    assert.deepEqual(
      told.map(({ time }) => time),
      ['3.750000000', '3.750000075'],
    );
  });

  it('what the options DATE (microseconds) and OFFSET (nanoseconds) add, as trace-cmd adds it', () => {
    const { told } = one({
      options: [
        [1, ascii('0x5f5e100')],
        [7, ascii('-1000000001')],
      ],
    });
    // 100,000,000 us less 1,000,000,001 ns.
    assert.deepEqual(
      told.map(({ time }) => time),
      ['103.999999999', '104.000000099'],
    );
  });

  it('a guest that was recorded with its host: its file tells how the clocks differ', () => {
    const host = importBytes(datV7(file({ options: [[11, number(8, 0xabcn)]] })));
    const samples = (...rows: (readonly [time: bigint, offset: bigint])[]): Uint8Array => {
      const out = new Bytes(false).n(8, 0xabc).n(4, 0).n(4, 1).n(4, rows.length);
      for (const [time] of rows) out.n(8, time);
      for (const [, offset] of rows) out.n(8, offset);
      for (const _ of rows) out.n(8, 1);
      return out.bytes;
    };
    // At 1 s of the guest the host is 500 s ahead, at 5 s 2 us more: half a part per million.
    const shift = samples([SECOND, 500n * SECOND], [5n * SECOND, 500n * SECOND + 2000n]);
    const guest = importBytes(
      datV7(
        file({
          options: [
            [11, number(8, 0xdefn)],
            [12, shift],
          ],
        }),
      ),
    );
    const joined = joinedInfo(joinTraces([{ trace: host }, { trace: guest }]));
    assert.deepEqual(joined.systems, ['host', 'guest']);
    assert.equal(joined.clocks[1]!.offset, '500.000000000');
    assert.equal(joined.clocks[1]!.drift, 0.0005 * 1000);
    assert.equal(joined.clocks[1]!.uncertainty, '0.000000000');
    assert.deepEqual(joined.clocks[1]!.evidence, []);
    // And the other way round: the host's first record lies 500 s before the first measurement, at which the drift makes 250 us.
    const back = joinedInfo(joinTraces([{ trace: guest }, { trace: host }]));
    assert.equal(back.clocks[1]!.offset, '-499.999750000');
  });
});
