// `convert FILE --to parquet` as a user calls it, held against what `events --json` and `interrupts --json` print.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nanoseconds as ns, rowsOf } from '../helpers/parquet.ts';
import { answered, example, jsonLines, root } from './run.ts';

const TRACE = `#irqtrace 1
#clock seconds digits=6 "model time"
0.000010 cpu0 - irq.entry irq/5 name=eth0
0.000020 cpu0 - irq.exit irq/5 handled=true
`;

describe('irqscope convert FILE --to parquet', () => {
  let folder = '';
  const at = (name: string): string => join(folder, name);
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-parquet-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('writes the events of a capture as events --json prints them', async () => {
    const target = at('events.parquet');
    assert.equal((await answered(['convert', example, '--to', 'parquet', '--out', target])).status, 0);
    const { out } = await answered(['events', example, '--json']);
    const events = jsonLines<{
      step: number;
      time: string | null;
      cpu: number | null;
      kind: string;
      object: string;
      fields: object;
      source: { file: string; line: number };
    }>(out);
    const rows = await rowsOf(target);
    assert.equal(rows.length, events.length);
    for (const [i, { step, time, cpu, kind, object, fields, source }] of events.entries())
      assert.deepEqual(
        { ...rows[i] },
        {
          trace: example,
          step,
          time: ns(time),
          cpu,
          kind,
          object,
          fields: JSON.stringify(fields),
          file: source.file,
          line: source.line,
        },
        `step ${step}`,
      );
  });

  it('writes the interrupts as interrupts --json prints them', async () => {
    const target = at('interrupts.parquet');
    const args = ['convert', example, '--to', 'parquet', '--table', 'interrupts', '--out', target];
    assert.equal((await answered(args)).status, 0);
    const { out } = await answered(['interrupts', example, '--json']);
    const list = JSON.parse(out) as { last: { step: number; time: string | null } | null; findings: string[] }[];
    const rows = await rowsOf(target);
    assert.deepEqual(Object.keys(rows[0]!), ['trace', ...Object.keys(list[0]!)]);
    assert.deepEqual(
      rows.map(({ last, ...row }) => ({
        ...row,
        last,
        raises: row['raises'] === null ? null : Number(row['raises']),
        sends: row['sends'] === null ? null : Number(row['sends']),
        handled: row['handled'] === null ? null : Number(row['handled']),
      })),
      list.map((row) => ({
        trace: example,
        ...row,
        last: row.last === null ? undefined : { step: row.last.step, time: ns(row.last.time) },
      })),
    );
  });

  it('writes the same bytes to standard output, and each time', async () => {
    writeFileSync(at('a.irqtrace'), TRACE);
    for (const target of ['one.parquet', 'two.parquet'])
      assert.equal((await answered(['convert', at('a.irqtrace'), '--to', 'parquet', '--out', at(target)])).status, 0);
    assert.ok(readFileSync(at('one.parquet')).equals(readFileSync(at('two.parquet'))));
    const shell = `'${process.execPath}' '${join(root, 'src/cli/main.ts')}' convert '${at('a.irqtrace')}' --to parquet --out - > '${at('three.parquet')}'`;
    assert.equal(spawnSync('sh', ['-c', shell]).status, 0);
    assert.ok(readFileSync(at('one.parquet')).equals(readFileSync(at('three.parquet'))));
  });
});
