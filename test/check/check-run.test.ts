// A check in slices finds what a check in one go finds, and takes a run as it grows.
import assert from 'node:assert/strict';
import { CheckRun, checkTrace } from '../../src/check/check-run.ts';
import type { Finding } from '../../src/check/check-trace.ts';
import type { Rule } from '../../src/check/rule.ts';
import { rules } from '../../src/check/rules.ts';
import { importBytes } from '../helpers/fixtures.ts';
import { maskedSend } from '../helpers/masked-send.ts';
import { bundled, start } from '../sim/run.ts';

const brief = (findings: readonly Finding[]) => findings.map(({ rule, step, evidence }) => [rule.id, step, evidence]);

describe('a check in slices', () => {
  const trace = importBytes(Buffer.from(maskedSend()));

  for (const slice of [1, 2, 7, 1000])
    it(`finds the same in slices of ${slice}`, () => {
      const run = new CheckRun(trace, rules, false);
      let turns = 0;
      while (run.advance(slice)) assert.ok(++turns < 100);
      const whole = checkTrace(trace, rules);
      assert.deepEqual(brief(run.check!.findings), brief(whole.findings));
      assert.deepEqual(run.check!.verdicts(), whole.verdicts());
      assert.ok(whole.findings.length > 0);
      assert.equal(run.ended, true);
      assert.equal(run.done, trace.length);
      assert.equal(run.stale, false);
    });

  it('takes a run as it grows, and ends it when it is over', () => {
    const run = start(bundled('kvm-assigned-pending'));
    const check = new CheckRun(run.trace, rules, true);
    let judged = 0;
    while (run.step()) {
      assert.equal(check.ended, false);
      while (check.advance(3));
      assert.equal(check.done, run.trace.length);
      assert.equal(check.stale, false);
      judged++;
    }
    assert.ok(judged > 10);
    check.end();
    const whole = checkTrace(run.trace, rules);
    assert.deepEqual(brief(check.check!.findings), brief(whole.findings));
    assert.equal(check.ended, true);
    assert.equal(check.advance(100), false);
  });

  it('of a trace that was not read to its end says nothing of what its end would show', () => {
    // A rule that judges the end alone.
    const ends: number[] = [];
    const atEnd: Rule = {
      ...rules[0]!,
      watch: () => ({ judged: 0, event: () => {}, lost: () => {}, end: (last) => void ends.push(last) }),
    };
    for (const cut of [true, false]) {
      const run = new CheckRun(trace, [atEnd], false, cut);
      while (run.advance(1000));
      assert.equal(run.ended, true);
      assert.equal(run.done, trace.length);
      assert.deepEqual(ends, cut ? [] : [trace.length - 1]);
    }
  });

  it('must begin again when the trace goes on behind its end', () => {
    const run = start(bundled('kvm-assigned-pending'));
    for (let i = 0; i < 20; i++) run.step();
    const check = new CheckRun(run.trace, rules, false);
    while (check.advance(1000));
    assert.equal(check.stale, false);
    run.step();
    assert.equal(check.stale, true);
  });
});
