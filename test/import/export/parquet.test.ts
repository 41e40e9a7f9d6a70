// Parquet files, read again by two readers that share nothing with the writer: hyparquet, and DuckDB.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { EVENT_COLUMNS } from '../../../src/import/export/csv.ts';
import { GROUP, int, long, moment, parquet, rising, text, texts, time } from '../../../src/import/export/parquet.ts';
import { eventFile, interruptFile, lakeFiles } from '../../../src/import/export/tables/tables.ts';
import { weekOf } from '../../../src/import/export/tables/traces.ts';
import { joinTraces } from '../../../src/import/join/join.ts';
import { type EventView, viewEvent } from '../../../src/query/events.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureTrace, importText } from '../../helpers/fixtures.ts';
import { nanoseconds } from '../../helpers/parquet.ts';

/** The bytes of a file in one piece. */
function whole(pieces: Iterable<Uint8Array>): ArrayBuffer {
  const bytes = Buffer.concat([...pieces]);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
}

const joined = joinTraces([
  { trace: fixtureTrace('x86-nested/l1-vfio.txt') },
  { trace: fixtureTrace('x86-nested/l2-qemu.log') },
]);
const TRACES: readonly (readonly [string, Trace])[] = [
  ['ftrace text with losses', fixtureTrace('x86-lost/trace-overrun.txt')],
  ['a QEMU log without stamps', fixtureTrace('arm64-gicv2m/qemu.log')],
  ['host and guest together', joined],
];

/** An event as a row of the table, made of what `events --json` prints. */
const asRow = ({ step, time: at, cpu, kind, object, fields, source }: EventView) => ({
  trace: 'name of it',
  step,
  time: nanoseconds(at),
  cpu,
  kind,
  object,
  fields: JSON.stringify(fields),
  file: source.file,
  line: source.line,
});

describe('Parquet', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-parquet-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [what, trace] of TRACES)
    it(`holds the events of ${what}, row by row`, async () => {
      const file = whole(eventFile(trace, 'name of it', '1.2.3'));
      const rows = await parquetReadObjects({ file });
      assert.equal(rows.length, trace.length);
      for (let step = 0; step < trace.length; step++) {
        const expected = asRow(JSON.parse(JSON.stringify(viewEvent(trace, step))) as EventView);
        assert.deepEqual({ ...rows[step] }, expected, `step ${step}`);
      }
      const { key_value_metadata: told = [], created_by: by } = parquetMetadata(file);
      assert.equal(by, 'irqscope version 1.2.3');
      assert.equal(told.find(({ key }) => key === 'irqscope.clock')?.value, trace.first.clock);
      assert.equal(told.find(({ key }) => key === 'irqscope.timeUnit')?.value, 'ns');
    });

  it('says the same to DuckDB, with the columns of the contract and their types', async () => {
    const path = join(folder, 'joined.parquet');
    writeFileSync(path, Buffer.from(whole(eventFile(joined, 'name of it', '1'))));
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    try {
      const read = await connection.runAndReadAll(`select * from '${path}' order by step`);
      assert.deepEqual(read.columnNames(), [...EVENT_COLUMNS]);
      assert.deepEqual(read.columnTypes().map(String), [
        'VARCHAR',
        'INTEGER',
        'BIGINT',
        'INTEGER',
        'VARCHAR',
        'VARCHAR',
        'VARCHAR',
        'VARCHAR',
        'INTEGER',
      ]);
      const rows = read.getRowObjectsJS();
      assert.equal(rows.length, joined.length);
      for (let step = 0; step < joined.length; step += 97)
        assert.deepEqual({ ...rows[step] }, asRow(viewEvent(joined, step)), `step ${step}`);
    } finally {
      connection.closeSync();
    }
  });

  it('counts the ticks of a clock that counts ticks, and says so', async () => {
    const trace = importText('#irqtrace 1\n#clock ticks digits=0 counter\n17 cpu0 - irq.entry irq/5 name=x\n', 'x');
    const file = whole(eventFile(trace, 'x', '1'));
    const [row] = await parquetReadObjects({ file });
    assert.equal(row?.['time'], 17n);
    assert.ok(
      parquetMetadata(file).key_value_metadata?.some(
        ({ key, value }) => key === 'irqscope.timeUnit' && value === 'ticks',
      ),
    );
  });

  it('holds a file of no rows', async () => {
    const trace = importText('#irqtrace 1\n#clock seconds digits=9 "model time"\n', 'x');
    for (const bytes of [eventFile(trace, 'x', '1'), interruptFile(trace, 'x', '1')])
      assert.deepEqual(await parquetReadObjects({ file: whole(bytes) }), []);
  });

  it('writes row groups of bounded size, whatever the number of rows, and pauses between', async () => {
    const count = 2 * GROUP + 3;
    function* rows(): Generator<number | undefined> {
      for (let i = 0; i < count; i++) {
        if (i === 7) yield undefined;
        yield i;
      }
    }
    const table = {
      name: 'numbers',
      columns: [
        rising<number>('i', (i) => i),
        int<number>('odd', (i) => (i % 2 === 0 ? null : i % 128)),
        long<number>('wide', (i) => 2 ** 40 + i),
        time<number>('time', (i) => (i % 3 === 0 ? null : BigInt(i) * 1_000_000_007n)),
        text<number>('text', (i) => (i % 5 === 0 ? null : `ä ${i % 11}`)),
        texts<number>('list', (i) => (i % 7 === 0 ? ['a', `${i}`] : [])),
        moment<number>('last', (i) => (i % 4 === 0 ? null : { step: i, time: i % 4 === 1 ? null : BigInt(i) })),
      ],
    };
    const pieces = [...parquet(table, rows(), { createdBy: 'x', metadata: {} })];
    assert.ok(pieces.filter(({ length }) => length === 0).length > count / (1 << 13), 'it pauses');
    const file = whole(pieces);
    const groups = parquetMetadata(file).row_groups.map((group) => Number(group.num_rows));
    assert.deepEqual(groups, [GROUP, GROUP, 3]);
    const read = await parquetReadObjects({ file });
    assert.equal(read.length, count);
    for (let i = 0; i < count; i += 12_345)
      assert.deepEqual(
        { ...read[i] },
        {
          i,
          odd: i % 2 === 0 ? null : i % 128,
          wide: 2n ** 40n + BigInt(i),
          time: i % 3 === 0 ? null : BigInt(i) * 1_000_000_007n,
          text: i % 5 === 0 ? null : `ä ${i % 11}`,
          list: i % 7 === 0 ? ['a', `${i}`] : [],
          last: i % 4 === 0 ? undefined : { step: i, time: i % 4 === 1 ? null : BigInt(i) },
        },
        `row ${i}`,
      );
  });

  it('has the tables of docs/fleet.md, and those that Trino is told of', () => {
    const here = (path: string): string => readFileSync(join(import.meta.dirname, '../../..', path), 'utf8');
    const [page, trino] = [here('docs/fleet.md'), here('examples/fleet/tables.trino.sql')];
    const types: Record<string, string> = { BYTE_ARRAY: 'varchar', INT32: 'integer', INT64: 'bigint' };
    for (const { table, bytes } of lakeFiles(joined, 'x', { host: null, kernel: null, date: null }, '1')) {
      const { schema } = parquetMetadata(whole(bytes));
      const columns: string[] = [];
      for (let i = 1; i < schema.length; i++) {
        const { name, type, num_children: children, converted_type: converted } = schema[i]!;
        const quoted = name === 'last' ? `"${name}"` : name;
        if (converted === 'LIST') columns.push(`${quoted} array(varchar)`);
        else if (children !== undefined) columns.push(`${quoted} row(step integer, time bigint)`);
        else columns.push(`${quoted} ${types[type!]}`);
        i += converted === 'LIST' ? 2 : (children ?? 0);
      }
      const told = new RegExp(`create table if not exists ${table} \\(([^;]*?),\\s*"date" varchar\\s*\\) with`).exec(
        trino,
      )?.[1];
      assert.equal(told?.trim().replaceAll(/\s+/g, ' '), columns.join(', '), table);
      const row = new RegExp(`^\\| \`${table}\` \\|.*\\| (.*) \\|$`, 'm').exec(page)?.[1] ?? '';
      const names = columns.map((column) => column.split(' ')[0]!);
      if (table !== 'interrupts')
        assert.deepEqual(
          [...row.replaceAll(/\([^)]*\)/g, '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
          names,
          table,
        );
    }
  });

  it('tells since when a latency counts: the cause, or the acceptance where no cause is told', async () => {
    const events = [
      '0.000010 - - dev.raise device/0000:00:03.0/msix/0 vector=0 cause=7',
      '0.000012 cpu1 - cpu.accept cpu/1/vector/40 cause=7',
      '0.000015 cpu1 - cpu.take cpu/1/vector/40',
      '0.000019 cpu1 - irq.entry irq/30 name=nvme',
      '0.000020 cpu1 - irq.exit irq/30 handled=true',
      '0.000020 cpu1 - cpu.eoi cpu/1/vector/40',
      '0.000040 cpu1 - cpu.accept cpu/1/vector/40',
      '0.000041 cpu1 - cpu.take cpu/1/vector/40',
      '0.000043 cpu1 - irq.entry irq/30 name=nvme',
      // Nothing tells when this one was accepted.
      '0.000050 cpu2 - irq.entry irq/31 name=eth0',
    ].join('\n');
    const latencies = async (clock: string): Promise<unknown[]> => {
      const trace = importText(`#irqtrace 1\n#clock ${clock}\n${events}\n`, 'x');
      let rows: unknown[] = [];
      for (const { table, bytes } of lakeFiles(trace, 'x', { host: null, kernel: null, date: null }, '1')) {
        const file = whole(bytes);
        if (table === 'latencies') rows = await parquetReadObjects({ file });
      }
      return rows.map((row) => Object.values(row as object));
    };
    assert.deepEqual(await latencies('seconds digits=6 "model time"'), [
      ['x', 3, 19_000n, 1, 'irq/30', 'nvme', 'cause', 9_000n],
      ['x', 8, 43_000n, 1, 'irq/30', 'nvme', 'acceptance', 3_000n],
    ]);
    assert.deepEqual(await latencies('ticks digits=0 counter'), []);
  });

  it('names weeks as ISO 8601 does', () => {
    // The days around new year of ISO 8601: from the table of the standard's own rule (the week with the first Thursday).
    const days = {
      '2026-11-23': '2026-W48',
      '2026-11-29': '2026-W48',
      '2026-11-30': '2026-W49',
      '2027-01-01': '2026-W53',
    };
    for (const [day, week] of Object.entries(days)) assert.equal(weekOf(day), week);
    assert.equal(weekOf('2024-12-30'), '2025-W01');
    assert.equal(weekOf('2021-01-03'), '2020-W53');
  });
});
