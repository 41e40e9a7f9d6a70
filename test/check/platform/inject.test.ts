// F39: messages of a device that raise what is not its own, and what stops them (SDM vol. 3 "Message Data Register Format", VT-d 5.1.4).
import assert from 'node:assert/strict';
import { checkTrace } from '../../../src/check/check-run.ts';
import { injectsOwnInterrupts } from '../../../src/check/remap/f39.ts';
import { bundled, events, run } from '../../sim/run.ts';

function judge(document: object, settings: Readonly<Record<string, string>> = {}) {
  const sim = run(document, { settings });
  const check = checkTrace(sim.trace, [injectsOwnInterrupts]);
  return {
    titles: check.findings.map((f) => f.title),
    verdict: check.verdicts()['F39'],
    reasons: events(sim)
      .filter((e) => e.kind === 'ir.fault')
      .map((e) => e.fields['reason']),
  };
}

describe('what a device can inject (F39)', () => {
  const GUEST = 'A message of kvm/0 has the delivery mode NMI';

  it('a function whose messages pass injects vectors of another one, NMI, SMI and INIT; a guest reaches itself', () => {
    const { titles, verdict } = judge(bundled('rogue-messages'));
    assert.deepEqual(titles, [
      '0000:03:00.0 can inject a vector of 0000:02:00.0: it raised irq 24 (disk-0)',
      '0000:03:00.0 can inject a vector of 0000:02:00.0: it raised irq 25',
      // Its handler has not run yet: its name is not known.
      '0000:03:00.0 can inject NMI: cpu/2 got one',
      '0000:03:00.0 can inject SMI: cpu/2 got one',
      GUEST,
      '0000:03:00.0 can inject INIT: cpu/1 got one',
    ]);
    assert.equal(verdict, 'fail');
  });

  it('a unit that blocks compatibility format stops every one of them with fault 0x25', () => {
    const { titles, reasons } = judge(bundled('rogue-messages'), { 'remap.compatibility': 'blocked' });
    assert.deepEqual(titles, [GUEST]);
    assert.deepEqual(
      reasons,
      Array.from({ length: 10 }, () => 0x25),
    );
  });

  it('without any remapping the same messages arrive', () => {
    const document = { ...bundled('rogue-messages'), platform: { cpus: 4 }, policies: {} };
    assert.equal(judge(document).titles.length, 6);
  });

  it('an entry that verifies no requester lets a function raise the irq of another (S4-18)', () => {
    const { titles } = judge(bundled('adversarial-writer'), { 'remap.sourceCheck': 'none' });
    assert.ok(
      titles.some((t) => /^0000:03:00\.0 can inject a vector of 0000:02:00\.0: it raised irq \d+$/.test(t)),
      titles.join('\n'),
    );
    assert.deepEqual(judge(bundled('adversarial-writer')).titles, []);
  });

  it('functions that raise their own irqs pass', () => {
    assert.equal(judge(bundled('first-run')).verdict, 'pass');
  });
});
