// The questions of docs/fleet.md, as the files of examples/fleet ask them: DuckDB answers them from the tables of 200 simulated hosts,
// and the answers are those of a plain reading of the traces as text.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { writeOne } from '../../src/cli/lake/one.ts';
import { Output } from '../../src/cli/output.ts';
import { Progress } from '../../src/cli/progress.ts';
import {
  captureText,
  LAST_WEEK,
  type Planned,
  plannedFleet,
  THIS_WEEK,
  TOO_MANY,
  type Told,
  toldBy,
} from '../helpers/fleet.ts';
import { root } from './run.ts';

const HOSTS = 200;
const QUERIES = join(root, 'examples/fleet');
const ENTRY = 'device/0000:03:00.0/msix/1';

/** What is used of `chdb`, which is ClickHouse in a package for Node. */
interface ClickHouse {
  readonly Session: new () => { query(sql: string, format?: string): string; cleanup(): void };
}

/** ClickHouse from the folder of node_modules that IRQSCOPE_CHDB names (`npm install chdb` elsewhere: it takes half a gigabyte); else the test is skipped. */
function clickHouse(test: Mocha.Context): ClickHouse {
  const from = process.env['IRQSCOPE_CHDB'];
  if (from === undefined) test.skip();
  return createRequire(join(from, 'package.json'))('chdb') as ClickHouse;
}

type Row = Record<string, string | number | bigint | null>;

describe('A fleet of 200 simulated hosts', () => {
  let folder = '';
  let connection: DuckDBConnection;
  const fleet: { readonly plan: Planned; readonly told: Told }[] = [];

  before(async function () {
    this.timeout(120_000);
    folder = mkdtempSync(join(tmpdir(), 'irqscope-fleet-'));
    const context = {
      out: new Output({
        write(_text, done) {
          done();
          return true;
        },
      }),
      progress: new Progress({ write() {} }),
      warn() {},
    };
    mkdirSync(join(folder, 'captures'));
    for (const plan of plannedFleet(HOSTS)) {
      const { host, kernel, date } = plan;
      const text = captureText(plan);
      const name = `${date}/${host}.irqtrace`;
      const path = join(folder, 'captures', `${date}-${host}.irqtrace`);
      writeFileSync(path, text);
      await writeOne(join(folder, 'lake'), { name, path, given: { host, kernel, date } }, context);
      fleet.push({ plan, told: toldBy(text) });
    }
    connection = await (await DuckDBInstance.create(':memory:')).connect();
    const tables = readFileSync(join(QUERIES, 'tables.duckdb.sql'), 'utf8');
    await connection.run(tables.replaceAll("'lake/", `'${folder}/lake/`));
  });
  after(() => {
    connection?.closeSync();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The answer to a question; whole numbers as numbers. */
  async function answer(question: string): Promise<Row[]> {
    const read = await connection.runAndReadAll(readFileSync(join(QUERIES, `${question}.sql`), 'utf8'));
    return read
      .getRowObjectsJS()
      .map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([key, value]) => [
            key,
            typeof value === 'bigint' ? Number(value) : (value as string),
          ]),
        ),
      );
  }

  const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);
  const groups = <T>(all: readonly T[], key: (each: T) => string): Map<string, T[]> => {
    const map = new Map<string, T[]>();
    for (const each of all) map.set(key(each), [...(map.get(key(each)) ?? []), each]);
    return map;
  };

  it('has the captures that were planned', async () => {
    assert.equal(new Set(fleet.map(({ plan }) => plan.host)).size, HOSTS);
    for (const { plan, told } of fleet) {
      // The function is masked once, while its driver sets it up. Of a large table, entries are masked whose bit nobody had read.
      if (!plan.exhausted) assert.equal(told.masks, plan.masks + 1, plan.host);
      assert.equal(told.refusals, plan.exhausted ? TOO_MANY : 0);
      assert.deepEqual([...told.pending], plan.stuck ? [ENTRY] : []);
    }
    const read = await connection.runAndReadAll(
      'select week, "date"::varchar as day, count(*) as n from traces group by all order by week',
    );
    assert.deepEqual(
      read.getRowObjectsJS().map(({ week, day, n }) => [week, day, Number(n)]),
      [
        ['2026-W47', LAST_WEEK, HOSTS / 5],
        ['2026-W48', THIS_WEEK, HOSTS],
      ],
    );
  });

  it('which driver masks most', async () => {
    const expected = [...groups(fleet, ({ plan }) => plan.driver)].map(([driver, all]) => ({
      driver,
      hosts: new Set(all.map(({ plan }) => plan.host)).size,
      all_masks: sum(all.map(({ told }) => told.masks)),
      most_in_one_trace: Math.max(...all.map(({ told }) => told.masks)),
      all_messages: sum(all.map(({ told }) => told.messages)),
    }));
    expected.sort((a, b) => b.all_masks - a.all_masks || (a.driver < b.driver ? -1 : 1));
    assert.equal(expected.length, 5);
    assert.deepEqual(await answer('masks'), expected);
  });

  it('which hosts have vectors exhausted', async () => {
    const expected = fleet
      .filter(({ told }) => told.refusals > 0)
      .map(({ plan, told }) => ({ host_name: plan.host, refusals: told.refusals, irqs: told.refused.size }));
    assert.equal(expected.length, 3);
    const rows = await answer('exhausted');
    assert.deepEqual(
      rows.map(({ host_name, refusals, irqs }) => ({ host_name, refusals, irqs })),
      expected,
    );
    for (const { first_time, last_time } of rows)
      assert.ok(Number(first_time) > 0 && Number(first_time) < Number(last_time));
  });

  it('p99 from cause to handler, by kernel version', async () => {
    const expected = [...groups(fleet, ({ plan }) => plan.kernel)].map(([kernel, all]) => {
      const sorted = all.flatMap(({ told }) => told.latencies).sort((a, b) => a - b);
      const rank = (percent: number): number => sorted[Math.ceil((sorted.length * percent) / 100) - 1]!;
      return {
        kernel,
        since: 'cause',
        interrupts: sorted.length,
        p50: rank(50),
        p99: rank(99),
        longest: sorted.at(-1)!,
      };
    });
    expected.sort((a, b) => b.p99 - a.p99 || (a.kernel < b.kernel ? -1 : 1));
    assert.equal(new Set(expected.map(({ p99 }) => p99)).size, 3, 'the kernels differ');
    assert.deepEqual(await answer('latency'), expected);
  });

  it('who has pending without delivery', async () => {
    const expected = fleet
      .filter(({ told }) => told.pending.size > 0)
      .map(({ plan }) => [plan.host, `${plan.date}/${plan.host}.irqtrace`, 'pending', ENTRY, plan.masks]);
    assert.equal(expected.length, 10);
    const rows = await answer('pending');
    assert.deepEqual(
      rows.map(({ host_name, trace, status, interrupt_path, raises }) => [
        host_name,
        trace,
        status,
        interrupt_path,
        raises,
      ]),
      expected,
    );
    // The cause that waits is the last event; all others were sent.
    for (const { raises, sends, silent_for } of rows)
      assert.deepEqual([Number(raises) - Number(sends), silent_for], [1, 0]);
  });

  it('what changed since last week', async () => {
    const expected: Row[] = [];
    for (const [host, captures] of groups(fleet, ({ plan }) => plan.host)) {
      const [before, after] = captures;
      if (after === undefined) continue;
      const told = (what: string, name: string, before_value: string | null, after_value: string | null): void => {
        if (before_value !== after_value) expected.push({ host, what, name, before_value, after_value });
      };
      told('driver', 'device/0000:03:00.0', before!.plan.driver, after.plan.driver);
      told('kernel', '', before!.plan.kernel, after.plan.kernel);
      told('status', ENTRY, null, after.told.pending.size > 0 ? 'pending' : null);
    }
    const rows = await answer('changed');
    assert.ok(expected.filter(({ what }) => what === 'kernel').length > 20);
    assert.ok(expected.some(({ what }) => what === 'driver') && expected.some(({ what }) => what === 'status'));
    assert.deepEqual(
      rows.filter(({ what }) => what !== 'finding'),
      expected,
    );
    // Rules that found something: those of this week and not of last week, as the table of findings has them.
    const found = rows.filter(({ what }) => what === 'finding');
    for (const { before_value, after_value } of found) assert.notEqual(before_value, after_value);
  });

  it('ClickHouse gives the same answers as DuckDB, where it is installed', async function () {
    const clickhouse = clickHouse(this);
    const session = new clickhouse.Session();
    try {
      const run = (sql: string, format?: string): string => session.query(sql, format);
      const tables = readFileSync(join(QUERIES, 'tables.clickhouse.sql'), 'utf8');
      for (const statement of tables.replaceAll("'lake/", `'${folder}/lake/`).split(/;$/m))
        if (/^create/m.test(statement)) run(statement);
      // The day comes from the path of a file.
      const days = run('select toString("date") as day, count(*) as n from traces group by day order by day', 'CSV');
      assert.equal(days.trim(), `"${LAST_WEEK}",${HOSTS / 5}\n"${THIS_WEEK}",${HOSTS}`);
      for (const question of ['masks', 'exhausted', 'latency', 'pending', 'changed']) {
        const text = run(readFileSync(join(QUERIES, `${question}.sql`), 'utf8'), 'JSONEachRow');
        const rows = text
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Row);
        // 64 bit integers come as texts where the format is asked to say so.
        const numbers = (row: Row): Row =>
          Object.fromEntries(
            Object.entries(row).map(([key, value]) => [
              key,
              typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value,
            ]),
          );
        assert.deepEqual(rows.map(numbers), await answer(question), question);
      }
    } finally {
      session.cleanup();
    }
  });

  it('has a file of each table for each capture, and nothing else that an engine would read', () => {
    const lake = join(folder, 'lake');
    const tables = ['devices', 'events', 'findings', 'interrupts', 'latencies', 'traces'];
    assert.deepEqual(readdirSync(lake).sort(), ['_irqscope', ...tables].sort());
    for (const table of tables) {
      assert.deepEqual(readdirSync(join(lake, table)).sort(), [`date=${LAST_WEEK}`, `date=${THIS_WEEK}`]);
      const files = readdirSync(join(lake, table), { recursive: true }).filter((name) =>
        String(name).endsWith('.parquet'),
      );
      assert.equal(files.length, fleet.length);
    }
  });
});
