// What would have become of a trace that was read: its events up to the cursor, then what an operation leads to.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bytesOf, textOf } from '../../src/base/bytes.ts';
import { ImportRun } from '../../src/import/run.ts';
import { viewEvent } from '../../src/query/events.ts';
import { pathValue, stateTree } from '../../src/query/state.ts';
import { type Branch, Branches } from '../../src/session/branches.ts';
import { RunTo } from '../../src/session/run-to.ts';
import { Session } from '../../src/session/session.ts';
import type { Operation } from '../../src/sim/operation.ts';
import { copyUpTo, WhatIf } from '../../src/sim/whatif.ts';
import { checkIntegrity } from '../../src/trace/integrity.ts';
import { eventLine, irqtraceBytes } from '../../src/trace/irqtrace.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { UNMASK as FIRST } from '../helpers/example.ts';

const root = resolve(import.meta.dirname, '../..');
/** First unmask of entry 0 of the nvme function in the example capture. */
const UNMASK = FIRST.step;
const ENTRY = 'device/0000:00:03.0/msix/0';

function imported(bytes: Uint8Array): Trace {
  const run = new ImportRun('capture.log');
  run.push(bytes);
  return run.end();
}

const lines = (trace: Trace, to = trace.length): string[] =>
  Array.from({ length: to }, (_, step) => eventLine(trace, step));

describe('what-if', () => {
  const trace = imported(readFileSync(join(root, 'examples/x86-vtd-qemu.log')));
  const whole = trace.length;

  function opened(step: number): { branches: Branches; base: Branch } {
    const session = new Session(trace);
    session.grown(true);
    session.move({ to: 'step', step });
    const branches = new Branches();
    return { branches, base: branches.of(session) };
  }

  const valueAt = (path: string): unknown => (pathValue(trace.head, path) as { value: string }).value;

  function inject(step: number, operation: Operation): Branch {
    const { branches, base } = opened(step);
    const result = branches.inject(base, operation);
    if (!('branch' in result)) return assert.fail(result.refused);
    const run = new RunTo(result.branch.session, { to: 'end' });
    while (run.look(1000) === undefined);
    return result.branch;
  }

  it('copies the events up to a step with the state that they make', () => {
    const copy = copyUpTo(trace, UNMASK);
    assert.equal(copy.length, UNMASK + 1);
    assert.notEqual(copy.world, trace.world);
    assert.deepEqual(lines(copy), lines(trace, UNMASK + 1));
    assert.deepEqual(stateTree(copy.head), stateTree(trace.stateAt(UNMASK)));
    assert.deepEqual(checkIntegrity(copy), []);
  });

  it('leaves the trace as it was', () => {
    inject(UNMASK, { op: 'entry.mask', object: ENTRY });
    assert.equal(trace.length, whole);
    assert.equal(trace.world.objectAt('domain/VECTOR'), -1);
  });

  it('masks an entry at the time of the last event', () => {
    const branch = inject(UNMASK, { op: 'entry.mask', object: ENTRY });
    const { trace: events } = branch.session;
    assert.equal(branch.step, UNMASK);
    const first = viewEvent(events, UNMASK + 1);
    assert.deepEqual([first.kind, first.object, first.time], ['tbl.write', ENTRY, viewEvent(trace, UNMASK).time]);
    assert.equal(pathValue(trace.stateAt(UNMASK), `${ENTRY}/control.mask`), false);
    assert.equal(pathValue(events.head, `${ENTRY}/control.mask`), true);
  });

  it('follows a message through the remapping entry that the trace showed, and says where knowledge ends', () => {
    // At the end the entry that vector 1 of the nvme function names was read by the unit.
    const branch = inject(whole - 1, { op: 'device.raise', object: 'device/0000:00:03.0/msix/1' });
    const { trace: events } = branch.session;
    const made = Array.from({ length: events.length - whole }, (_, i) => viewEvent(events, whole + i));
    assert.deepEqual(
      made.map((e) => e.kind),
      ['dev.raise', 'send', 'untold'],
    );
    assert.equal(made[1]!.fields.address, valueAt('device/0000:00:03.0/msix/1/address'));
  });

  it('an entry of which nothing is known is not guessed', () => {
    const early = imported(
      bytesOf(
        '#irqtrace 1\n#clock seconds digits=6 realtime\n1.000000 - - dev.seen device/0000:00:03.0 name=nvme\n' +
          '1.000001 - - cfg.read device/0000:00:03.0 offset=0x60 size=4 value=0x80030011\n',
      ),
    );
    const run = new WhatIf(early, early.length - 1, []);
    assert.equal(run.perform({ op: 'device.raise', object: ENTRY }), undefined);
    run.run();
    const last = viewEvent(run.trace, run.trace.length - 1);
    assert.equal(last.kind, 'untold');
    assert.equal(run.machine.ledger.tally().untold, 1);
  });

  it('what was never shown is not read as zero', () => {
    const early = imported(
      bytesOf(
        '#irqtrace 1\n#clock seconds digits=6 realtime\n1.000000 - - dev.seen device/0000:00:03.0 name=nvme\n' +
          `1.000001 - - tbl.write ${ENTRY} offset=0xc size=4 value=0x1\n`,
      ),
    );
    const last = (operation: Operation): string[] => {
      const run = new WhatIf(early, early.length - 1, []);
      assert.equal(run.perform(operation), undefined);
      run.run();
      return lines(run.trace).slice(early.length);
    };
    const device = 'device/0000:00:03.0';
    assert.match(
      last({ op: 'entry.read', object: ENTRY, offset: 0, size: 8 }).join(),
      / untold .*what the entry holds/,
    );
    assert.match(last({ op: 'entry.read', object: ENTRY, offset: 12 }).join(), / tbl\.read .*value=0x1/);
    assert.match(last({ op: 'pba.read', object: device }).join(), / untold .*pending bit of vector 0/);
    assert.match(last({ op: 'msix.control', object: device, enable: true }).join(), / untold .*MSI-X capability/);
    assert.match(
      last({ op: 'device.write', object: device, address: '0xfee00000', data: 33 }).join(),
      / untold .*Bus Master/,
    );
    assert.deepEqual(
      last({ op: 'entry.unmask', object: ENTRY }).map((l) => l.split(' ')[3]),
      // Whether it is unmasked depends on a capability that was not shown: nothing more can be told.
      ['tbl.write'],
    );
  });

  it('refuses what reaches into parts that a trace does not show', () => {
    const { branches, base } = opened(UNMASK);
    const result = branches.inject(base, { op: 'irq.alloc', object: 'device/0000:00:03.0', index: 0 });
    assert.ok('refused' in result);
    assert.match(result.refused, /only a simulated run/);
    assert.equal(branches.all.length, 1);
  });

  it('leaves again from inside the copied part, and from behind an operation', () => {
    const { branches, base } = opened(UNMASK);
    const first = branches.inject(base, { op: 'entry.mask', object: ENTRY });
    if (!('branch' in first)) return assert.fail(first.refused);
    const { session } = first.branch;
    session.move({ to: 'step', step: 100 });
    const earlier = branches.inject(first.branch, { op: 'device.raise', object: ENTRY });
    if (!('branch' in earlier)) return assert.fail(earlier.refused);
    assert.equal(earlier.branch.run?.done.length, 1);
    assert.deepEqual(lines(earlier.branch.session.trace, 101), lines(trace, 101));
    session.move({ to: 'step', step: UNMASK + 1 });
    const later = branches.inject(first.branch, { op: 'device.raise', object: ENTRY });
    if (!('branch' in later)) return assert.fail(later.refused);
    assert.equal(later.branch, first.branch);
    assert.equal(pathValue(later.branch.session.trace.head, `${ENTRY}/pending`), true);
  });

  it('is written as a trace file that tells where it left', () => {
    const branch = inject(UNMASK, { op: 'entry.mask', object: ENTRY });
    const text = [...irqtraceBytes(branch.session.trace, branch.header)].map((b) => textOf(b)).join('');
    const again = imported(bytesOf(text));
    assert.deepEqual(again.first.header, [
      `whatif ${UNMASK} "capture.log"`,
      `whatif-operation 0 ${JSON.stringify({ op: 'entry.mask', object: ENTRY })}`,
    ]);
    assert.deepEqual(stateTree(again.head), stateTree(branch.session.trace.head));
  });
});
