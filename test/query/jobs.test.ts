// The four jobs of a domain hierarchy, told from the events that name the domains.
import assert from 'node:assert/strict';
import { bytesOf } from '../../src/base/bytes.ts';
import { ImportRun } from '../../src/import/run.ts';
import { Jobs } from '../../src/query/jobs.ts';
import { Session } from '../../src/session/session.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { Outline } from '../../src/view/outline/outline.ts';

const ENTRY = 'device/0000:03:00.0/msix/0';
const TEXT = `#irqtrace 1
#clock seconds digits=6 realtime
0.000001 - - irq.identify irq/24 device=0000:03:00.0 hwirq=0 domain=PCI-MSIX
0.000002 - - dom.alloc irq/24 domain=VECTOR free=false
0.000003 - - dom.alloc irq/24 domain=INTEL-IR free=false
0.000004 - - dom.alloc irq/24 domain=PCI-MSIX free=false
0.000005 - - dom.compose irq/24 domain=INTEL-IR address=0xfee00298 data=0x0
0.000006 - - msg.write irq/24 hwirq=0 address=0xfee00298 data=0x0 domain=PCI-MSIX
0.000007 - - tbl.write ${ENTRY} offset=0x0 size=4 value=0xfee00298
0.000008 - - tbl.write ${ENTRY} offset=0xc size=4 value=0x0
0.000009 - - send ${ENTRY} address=0xfee00298 data=0x0
0.000010 - - dom.compose irq/24 domain=VECTOR address=0x0 data=0x0 ret=-28
0.000011 - - dom.alloc irq/24 domain=PCI-MSIX free=true
`;

function traceOf(text: string): Trace {
  const run = new ImportRun('test');
  run.push(bytesOf(text));
  return run.end();
}

describe('jobs of an irq', () => {
  const trace = traceOf(TEXT);
  const irq = trace.world.objectAt('irq/24');
  const jobs = new Jobs(trace);
  const at = (step: number) =>
    Object.fromEntries(
      (jobs.at(irq, trace.stateAt(step), step) ?? []).map(({ job, by, working }) => [job, [by.join('+'), working]]),
    );

  it('are not told before an event names a domain', () => {
    assert.equal(trace.first.accounting.skipped.size, 0);
    assert.equal(jobs.at(irq, trace.stateAt(0), 0), undefined);
  });

  it('are done by the domains that the events name, and the event at the cursor tells who is at work', () => {
    assert.deepEqual(at(2), {
      alloc: ['VECTOR+INTEL-IR', 'INTEL-IR'],
      compose: ['', undefined],
      store: ['', undefined],
      use: ['0000:03:00.0', undefined],
    });
    assert.deepEqual(at(4)['compose'], ['INTEL-IR', 'INTEL-IR']);
    assert.deepEqual(at(5)['store'], ['PCI-MSIX', 'PCI-MSIX']);
    assert.deepEqual(at(5)['compose'], ['INTEL-IR', undefined]);
  });

  it('count writes of address and data as storing, of the mask not, and a message as use', () => {
    assert.deepEqual(at(6)['store'], ['PCI-MSIX', 'PCI-MSIX']);
    assert.deepEqual(at(7)['store'], ['PCI-MSIX', undefined]);
    assert.deepEqual(at(8)['use'], ['0000:03:00.0', '0000:03:00.0']);
  });

  it('a refused job was not done, and what is freed is gone', () => {
    assert.deepEqual(at(9)['compose'], ['INTEL-IR', undefined]);
    assert.deepEqual(at(10)['alloc'], ['VECTOR+INTEL-IR', 'PCI-MSIX']);
  });

  it('grow with the trace', () => {
    const head = traceOf(TEXT.split('\n').slice(0, 5).join('\n'));
    const growing = new Jobs(head);
    const object = head.world.objectAt('irq/24');
    assert.deepEqual(growing.at(object, head.head, head.length - 1)?.[0]?.by, ['VECTOR', 'INTEL-IR']);
  });

  it('have rows below the irq, which move with the cursor also where no state changes', () => {
    const session = new Session(trace);
    session.grown(true);
    session.move({ to: 'step', step: 3 });
    const outline = new Outline('domains', session);
    const row = outline.row('irq/24') ?? assert.fail('no row');
    const texts = (): string[] =>
      outline
        .children(row)
        .filter(({ kind }) => kind === 'job')
        .map((r) => outline.text(r).spoken);
    assert.deepEqual(texts(), [
      'alloc by VECTOR, INTEL-IR, PCI-MSIX, PCI-MSIX is at work',
      'compose by unknown',
      'store by unknown',
      'use by 0000:03:00.0',
    ]);
    outline.moved();
    session.move({ to: 'next' });
    assert.ok(outline.moved()?.includes(row));
    assert.equal(texts()[1], 'compose by INTEL-IR, INTEL-IR is at work · address 0xfee00298, data 0x0');
    assert.match(outline.explain(outline.children(row).find(({ job }) => job === 'store')!), /bus domain/);
  });
});
