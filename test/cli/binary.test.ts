// A trace that is no text: what the command line says of its records, and that it shows no bytes of it as lines.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { SarifLog } from '../../src/check/report/sarif.ts';
import type { TraceInfo } from '../../src/query/info.ts';
import { fixtureBytes } from '../helpers/fixtures.ts';
import { schemaProblems } from '../helpers/json-schema.ts';
import { sarifSchema } from '../helpers/sarif-schema.ts';
import { datV6, formatText, LITTLE, recordOf } from '../helpers/trace-dat.ts';
import { answered } from './run.ts';

describe('irqscope and a binary trace', () => {
  let folder = '';
  const at = (name: string): string => join(folder, name);
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-binary-'));
    writeFileSync(at('trace.dat'), fixtureBytes('x86-nested/l1-trace.dat'));
    writeFileSync(at('trace.dat.gz'), gzipSync(fixtureBytes('x86-nested/l1-trace.dat')));
    const fields = [['int foo', 4, true]] as const;
    const entries = [{ after: 1, data: recordOf(LITTLE, 50, 1, fields, [7]) }];
    const formats = [['irq', formatText('irq_handler_entry', 50, fields, '"foo=%d", REC->foo')]] as const;
    writeFileSync(at('odd.dat'), datV6({ formats, rings: [{ cpus: [{ cpu: 0, pages: [{ stamp: 1n, entries }] }] }] }));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('info and events, plain and packed', async () => {
    for (const [name, packing] of [
      ['trace.dat', ''],
      ['trace.dat.gz', ', gzip'],
    ] as const) {
      const info = JSON.parse((await answered(['info', at(name), '--json'])).out) as TraceInfo;
      assert.equal(info.format, 'trace-dat');
      assert.match(info.variant, new RegExp(`^version 7, zstd, trace-cmd 3\\.3\\.1, kernel .*x86_64${packing}$`));
      assert.equal(info.records, 20_802);
      const { out } = await answered(['events', at(name), '--filter', 'kind == msg.write', '--limit', '1']);
      assert.match(out, /143\.891748439 +0 +3363 +msg\.write +irq\/28 +hwirq=0 address=0xfee00298 data=0x0\n/);
    }
  });

  it('line:N is record N', async () => {
    const { out } = await answered(['events', at('trace.dat'), '--from', 'line:3363', '--to', 'line:3363', '--json']);
    const event = JSON.parse(out.split('\n')[0]!) as { kind: string; source: { line: number } };
    assert.deepEqual([event.kind, event.source.line], ['msg.write', 3363]);
  });

  it('records that could not be read are named, and no bytes of them are shown', async () => {
    const { out } = await answered(['info', at('odd.dat')]);
    assert.match(out, /irq_handler_entry: fields not as expected +1/);
    assert.match(out, /odd\.dat:1: irq_handler_entry: fields not as expected\n?$/);
  });

  it('findings stand on events, not on lines: the text shows the events, SARIF tells the records', async () => {
    const text = (await answered(['check', at('trace.dat'), '--rule', 'F82'])).out;
    assert.match(text, /trace\.dat:12682: 153\.588248336 cpu2 \S+ apic\.accept vcpu\/1\/vector\/236 /);
    const log = JSON.parse((await answered(['check', at('trace.dat'), '--rule', 'F82', '--sarif'])).out) as SarifLog;
    assert.deepEqual(schemaProblems(log, sarifSchema), []);
    const [result] = log.runs[0].results;
    const { region, properties } = result!.locations[0]!.physicalLocation;
    assert.equal(region, undefined);
    assert.equal(typeof properties?.record, 'number');
  });
});
