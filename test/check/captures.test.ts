// The rules on every capture and on saved simulations: no false alarm.
import assert from 'node:assert/strict';
import { checkTrace } from '../../src/check/check-run.ts';
import { showsAll } from '../../src/check/check-trace.ts';
import { rules } from '../../src/check/rules.ts';
import { devRaise, devWithdraw, msgSend } from '../../src/model/events/msix.ts';
import { RecordedKinds } from '../../src/query/recorded-kinds.ts';
import { fixtureTrace, traceFixtures } from '../helpers/fixtures.ts';
import { bundled, run } from '../sim/run.ts';

/** What is found in the captures, each checked by hand against the bytes, by the line of the packed file: docs/findings-on-captures.md says why it is true. */
const TRUE: Readonly<Record<string, readonly string[]>> = {
  'arm64-a/qemu.log': [
    'R12 device/0000:00:03.0/msix/2 in line 7923',
    'R12 device/0000:00:03.0/msix/2 in line 7939',
    'F06 device/0000:00:03.0/msix/2 in line 7954',
    'F70 device/0000:00:03.0/msix/2 in line 7957',
    'R03 device/0000:00:03.0/msix/2 in line 7962',
    'F05 device/0000:00:03.0/msix/2 in line 7963',
    'F75 its/0/device/0x18/event/16383 in line 7969',
    'F75 its/0/device/0x18/event/6 in line 7981',
    'R10 device/0000:00:03.0/msix/2 in line 7989',
    'F12 device/0000:00:03.0/msix/2 in line 8002',
    'R03 device/0000:00:03.0/msix/2 in line 8008',
    'F70 smmu/0/stream/0x30 in line 9018',
    'F70 device/0000:00:05.0 in line 15315',
  ],
  // The same accesses of the test with VFIO that the log of QEMU shows: a doorbell that is not mapped.
  'arm64-a/dmesg.txt': ['F70 smmu/0/stream/0x18 in line 318', 'F70 smmu/0/stream/0x30 in line 325'],
  'arm64-a/ftrace-06-vfio.txt': [
    'F47 vfio/0000:00:03.0 in line 3225',
    'F47 vfio/0000:00:03.0 in line 3228',
    'F40 vfio/0000:00:03.0/2/1 in line 3304',
    'F40 vfio/0000:00:03.0/2/0 in line 3419',
    'F40 vfio/0000:00:03.0/2/1 in line 3419',
    'F40 vfio/0000:00:03.0/2/2 in line 3419',
    'F47 vfio/0000:00:03.0 in line 3560',
    'F47 vfio/0000:00:03.0 in line 3563',
    'F47 vfio/0000:00:03.0 in line 3907',
  ],
  'x86-nested/l1-ftrace.txt': [
    'F40 vfio/0000:00:03.0/2/0 in line 598',
    'F40 vfio/0000:00:03.0/2/2 in line 878',
    'F40 vfio/0000:00:03.0/2/1 in line 1027',
  ],
  'riscv-aia/qemu.log': ['F05 device/0000:00:09.0/msi in line 4176'],
  'x86-panic/qemu.log': ['R13 ioapic/0/pin/0 in line 5835'],
  'x86-vtd/ftrace.txt': ['F81 irq/40 in line 2529'],
  'x86-vtd/qemu.log': ['R12 device/0000:00:04.0/msix/0 in line 34361', 'R12 device/0000:00:04.0/msix/1 in line 34362'],
};

describe('rules on whole traces', () => {
  for (const name of traceFixtures())
    it(`${name}: only what is known breaks a rule`, () => {
      const trace = fixtureTrace(name);
      assert.equal(showsAll(trace), false);
      const check = checkTrace(trace, rules);
      assert.deepEqual(
        check.findings.map((f) => `${f.rule.id} ${trace.world.path(f.object)} in line ${trace.table.line(f.step)}`),
        TRUE[name] ?? [],
      );
      // It counts causes and messages, of which a capture does not show all: it is never passed, and it applies only where there are some.
      const some = new RecordedKinds(trace);
      const applies = [devRaise, devWithdraw, msgSend].some((kind) => some.has(kind));
      assert.equal(check.verdicts()['I-P4'], applies ? 'undecidable' : 'not-applicable');
    });

  it('a simulated trace is judged by all rules', () => {
    for (const name of ['first-run', 'affinity-move', 'chain-remap']) {
      const { trace } = run(bundled(name));
      assert.equal(showsAll(trace), true);
      const check = checkTrace(trace, rules);
      assert.deepEqual(check.findings, [], name);
      assert.equal(check.verdicts()['F03'], 'pass', name);
      assert.equal(check.verdicts()['I-P4'], 'pass', name);
    }
  });
});
