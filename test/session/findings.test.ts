// Run to what goes wrong: events that tell of a problem, and what stands wrong at the end without any event that says so.
import assert from 'node:assert/strict';
import { eventText } from '../../src/query/events.ts';
import { standingAtEnd } from '../../src/query/standing.ts';
import { Branches } from '../../src/session/branches.ts';
import { RunBack } from '../../src/session/run-back.ts';
import { RunTo } from '../../src/session/run-to.ts';
import { Session } from '../../src/session/session.ts';
import type { Judge, Judged } from '../../src/session/wrong.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { importText } from '../helpers/fixtures.ts';
import { told } from '../helpers/told.ts';
import { bundled, scenarioOf } from '../sim/run.ts';

const ENTRY = 'device/0000:03:00.0/msix/0';

/** A session on a trace that was read, with the cursor at a step. */
function opened(trace: Trace, step = -1): Session {
  const session = new Session(trace);
  session.grown(true);
  if (step >= 0) session.move({ to: 'step', step });
  return session;
}

/** What rules found, as a test tells it. */
const judgedAs = (findings: Judged['findings'], events = Number.POSITIVE_INFINITY): Judged => ({
  findings,
  events,
  done: events === Number.POSITIVE_INFINITY,
});

/** Runs to the next finding; gives the step, or why there is none, and what was told. */
function find(session: Session, judge?: Judge): { step: number; text: string } {
  const run = new RunTo(session, { to: 'finding' }, undefined, judge);
  let result = run.look(100);
  while (result === undefined) result = run.look(100);
  if (typeof result !== 'number') return { step: -1, text: result.refused };
  assert.equal(session.cursor, result);
  return { step: result, text: run.told ?? assert.fail('nothing was told') };
}

/** The steps of the events whose text matches. */
const stepsOf = (trace: Trace, pattern: RegExp): number[] =>
  Array.from({ length: trace.length }, (_, step) => step).filter((step) => pattern.test(eventText(trace, step)));

const MASKED = [
  'msix.ctrl device/0000:03:00.0 enable=true fmask=false',
  `tbl.write ${ENTRY} offset=0xc size=4 value=0x1`,
];

describe('what stands wrong at the end', () => {
  it('a cause that arose while its vector was masked, from the step of the cause on', () => {
    const trace = told(...MASKED, `dev.raise ${ENTRY}`, 'note - text=later', `dev.raise ${ENTRY}`);
    assert.deepEqual(standingAtEnd(trace), [{ wrong: 'masked', path: ENTRY, since: 2 }]);
  });

  it('no longer when the vector was unmasked, then from the next cause on', () => {
    const unmask = `tbl.write ${ENTRY} offset=0xc size=4 value=0x0`;
    assert.deepEqual(standingAtEnd(told(...MASKED, `dev.raise ${ENTRY}`, unmask)), []);
    const again = told(...MASKED, `dev.raise ${ENTRY}`, unmask, MASKED[1]!, 'note - text=x', `dev.raise ${ENTRY}`);
    assert.deepEqual(standingAtEnd(again), [{ wrong: 'masked', path: ENTRY, since: 6 }]);
  });

  it('nothing where the trace does not show the mask', () => {
    assert.deepEqual(standingAtEnd(told(`dev.raise ${ENTRY}`)), []);
    assert.deepEqual(standingAtEnd(told(MASKED[1]!, `dev.raise ${ENTRY}`)), []);
  });

  it('a masked entry of the interrupt message storage', () => {
    const ims = 'device/0000:03:00.0/ims/4';
    const trace = told(`ims.store ${ims} offset=0xc size=4 value=0x1`, `dev.raise ${ims}`);
    assert.deepEqual(standingAtEnd(trace), [{ wrong: 'masked', path: ims, since: 1 }]);
  });

  it('an interrupt that a CPU accepted and never took, of guest and host, on x86 and Arm', () => {
    const accept = (path: string): string => `apic.accept ${path} mode=Fixed posted=false`;
    const trace = told(
      accept('vcpu/0/vector/49'),
      accept('vcpu/1/vector/49'),
      'cpu.accept cpu/2/vector/34',
      'apic.inj vcpu/0/vector/49 reinjected=false',
      'cpu.take cpu/2/vector/34',
      'cpu.accept cpu/3/vector/34',
      accept('vcpu/1/vector/49'),
    );
    assert.deepEqual(standingAtEnd(trace), [
      { wrong: 'untaken', path: 'vcpu/1/vector/49', since: 1 },
      { wrong: 'untaken', path: 'cpu/3/vector/34', since: 5 },
    ]);
  });
});

describe('run to what goes wrong next', () => {
  it('says what an event tells, not how the format describes its arguments', () => {
    const said = (line: string): string => find(opened(told('note - text=a', line))).text;
    assert.equal(said('message log text="Invalid write at 0x1" reason=refused'), 'step 1: Invalid write at 0x1');
    assert.equal(
      said('smmu.fault smmu/0/stream/0x18 event=F_TRANSLATION'),
      'step 1: An SMMU recorded an event for a stream (smmu.fault smmu/0/stream/0x18 event=F_TRANSLATION)',
    );
    assert.equal(
      said('drop vcpu/0 reason=gone'),
      'step 1: A cause or message ended here and will not be delivered (drop vcpu/0 reason=gone)',
    );
  });

  it('stops at events that tell of a problem, and says what they tell', () => {
    const session = opened(told('note - text=a', 'drop vcpu/0 reason=gone', 'note - text=b', 'lost - count=7'));
    const drop = find(session);
    assert.equal(drop.step, 1);
    assert.match(drop.text, /^step 1: A cause or message ended here.*drop vcpu\/0 reason=gone/);
    assert.equal(find(session).step, 3);
    const none = find(session);
    assert.equal(none.step, -1);
    assert.match(
      none.text,
      /^nothing goes wrong after step 3; looked for a drop, .*masked and never sent, or .*never taken$/,
    );
    assert.equal(session.cursor, 3, 'the cursor stays');
  });

  it('stops where a cause is raised that stands masked at the end, before a later problem', () => {
    const session = opened(told(...MASKED, `dev.raise ${ENTRY}`, 'drop vcpu/0 reason=gone'), 0);
    const found = find(session);
    assert.equal(found.step, 2);
    assert.equal(found.text, `step 2: ${ENTRY} is raised, masked and never sent, to the end of the trace`);
    assert.equal(find(session).step, 3);
  });

  it('counts what stands wrong since earlier steps when it finds nothing more', () => {
    const accepts = [40, 41, 42, 43].map((vector) => `apic.accept vcpu/0/vector/${vector} mode=Fixed posted=false`);
    const session = opened(told(...MASKED, `dev.raise ${ENTRY}`, ...accepts, 'note - text=end'), 7);
    const { step, text } = find(session);
    assert.equal(step, -1);
    assert.match(text, /1 cause is raised, masked and never sent \(device\/0000:03:00\.0\/msix\/0 since step 2\)/);
    assert.match(
      text,
      /4 interrupts are accepted and never taken \(…, vcpu\/0\/vector\/41 since step 4, .*43 since step 6\)$/,
    );
    session.move({ to: 'step', step: 2 });
    const next = find(session);
    assert.equal(next.step, 3);
    assert.match(
      next.text,
      /^step 3: vcpu\/0\/vector\/40 is accepted and never taken, to the end of the trace\. At the end 1 cause /,
    );
  });

  it('says nothing of the end while a file is still read', () => {
    const session = new Session(told(...MASKED, `dev.raise ${ENTRY}`));
    const { step, text } = find(session);
    assert.equal(step, -1);
    assert.doesNotMatch(text, /since step/);
  });

  it('of a KVM trace: the vector that was accepted and never injected', () => {
    const at = (i: number, what: string): string => ` CPU 0/KVM-76 [001] d..1. 1.00000${i}: ${what}`;
    const trace = importText(
      [
        '# tracer: nop',
        at(1, 'kvm_entry: vcpu 0, rip 0x1'),
        at(2, 'kvm_apic_accept_irq: apicid 0 vec 34 (Fixed|edge)'),
        at(3, 'kvm_inj_virq: IRQ 0x22'),
        at(4, 'kvm_apic_accept_irq: apicid 0 vec 236 (Fixed|edge)'),
        at(5, 'kvm_entry: vcpu 0, rip 0x1'),
        '',
      ].join('\n'),
    );
    const [, last] = stepsOf(trace, /^apic\.accept/);
    const { step, text } = find(opened(trace));
    assert.equal(step, last);
    assert.match(text, /vcpu\/0\/vector\/236 is accepted and never taken/);
  });

  it('of a simulated run: runs it to its end, and goes back to the cause that a mask kept', () => {
    const scenario = scenarioOf(bundled('first-run'));
    const mask = { op: 'entry.mask', object: ENTRY };
    const workload = [...scenario.workload.slice(0, -1), { at: '190us', ...mask }, scenario.workload.at(-1)!];
    const { session } = new Branches().start({
      scenario: scenarioOf({ ...bundled('first-run'), workload: [...workload] }),
      seed: 1,
      settings: {},
      operations: [],
    });
    const { step, text } = find(session);
    const [raised] = stepsOf(session.trace, new RegExp(`^dev\\.raise ${ENTRY}`));
    assert.equal(step, raised);
    assert.match(text, new RegExp(`${ENTRY} is raised, masked and never sent`));
    assert.equal(session.growing, false);
    assert.match(
      find(session).text,
      /^nothing goes wrong after step \d+; looked for .*Since earlier steps 1 cause is raised/,
    );
  });

  it('stops at what rules found, and says which rule it was', () => {
    const notes = ['a', 'b', 'c', 'd', 'e', 'f'].map((text) => `note - text=${text}`);
    const trace = told(...notes.slice(0, 3), 'drop vcpu/0 reason=gone', ...notes.slice(3));
    const judge = (): Judged =>
      judgedAs([
        { step: 3, rule: 'F81', title: 'vcpu/0 lost what it had' },
        { step: 5, rule: 'own', title: 'no answer' },
        { step: 1, rule: 'F03', title: 'entry 1 sent a message while it was masked' },
      ]);
    const session = opened(trace);
    assert.deepEqual(find(session, judge), {
      step: 1,
      text: 'step 1: F03 found: entry 1 sent a message while it was masked',
    });
    const both = find(session, judge);
    assert.equal(both.step, 3);
    assert.match(
      both.text,
      /^step 3: A cause or message ended here.*\(drop vcpu\/0 reason=gone\); F81 found: vcpu\/0 lost what it had$/,
    );
    assert.deepEqual(find(session, judge), { step: 5, text: 'step 5: own found: no answer' });
    assert.match(
      find(session, judge).text,
      /^nothing goes wrong after step 5; looked for a drop, .*, or a finding of a rule$/,
    );
    const steps: number[] = [];
    for (let back: unknown = 6; typeof back === 'number'; ) {
      const run = new RunBack(session, { to: 'finding' }, 2, judge);
      do back = run.look();
      while (back === undefined);
      if (typeof back === 'number') steps.push(back);
      if (back === 1) assert.equal(run.told, 'step 1: F03 found: entry 1 sent a message while it was masked');
    }
    assert.deepEqual(steps, [3, 1]);
  });

  it('waits for the rules before it goes to an event behind what they have judged, or says that there is none', () => {
    const trace = told('note - text=a', 'note - text=b', 'drop vcpu/0 reason=gone', 'note - text=c');
    const found = { step: 1, rule: 'F03', title: 'wrong' };
    let judged = judgedAs([], 0);
    const session = opened(trace);
    const run = new RunTo(session, { to: 'finding' }, undefined, () => judged);
    assert.deepEqual([run.look(100), run.waits, session.cursor], [undefined, true, -1]);
    judged = judgedAs([], 2);
    assert.equal(run.look(100), undefined);
    // They tell of step 1 only now.
    judged = judgedAs([found], 3);
    assert.equal(run.look(100), 1);
    const rest = new RunTo(session, { to: 'finding' }, undefined, () => judged);
    assert.equal(rest.look(100), 2);
    const end = new RunTo(session, { to: 'finding' }, undefined, () => judged);
    assert.deepEqual([end.look(100), end.waits], [undefined, true]);
    judged = judgedAs([found, { step: 3, rule: 'F80', title: 'late' }]);
    assert.equal(end.look(100), 3);
  });

  it('of a simulated run: stops it soon after the rules have found something, at the event that they tell of', () => {
    const { session } = new Branches().start({
      scenario: scenarioOf(bundled('first-run')),
      seed: 1,
      settings: {},
      operations: [],
    });
    const whole = new Branches().start({
      scenario: scenarioOf(bundled('first-run')),
      seed: 1,
      settings: {},
      operations: [],
    });
    while (whole.session.grow() === undefined);
    // A rule that tells of each handler when ten more events were judged.
    const judge = (): Judged => {
      const { trace } = session;
      const entries = stepsOf(trace, /^irq\.entry/).filter((step) => step + 10 < trace.length);
      const findings = entries.map((step) => ({ step, rule: 'own', title: 'a handler' }));
      return { findings, events: trace.length, done: true };
    };
    const run = new RunTo(session, { to: 'finding' }, undefined, judge);
    let result = run.look(5);
    while (result === undefined) result = run.look(5);
    const [entry] = stepsOf(whole.session.trace, /^irq\.entry/);
    assert.equal(result, entry);
    assert.ok(session.trace.length > entry! && session.trace.length < entry! + 40, `${session.trace.length}`);
    assert.equal(run.told, `step ${entry}: own found: a handler`);
  });
});

describe('what is told of several findings at one step', () => {
  it('names three of them, and counts the others', () => {
    const findings = ['F01', 'F02', 'F03', 'F04', 'F05'].map((rule) => ({ step: 1, rule, title: `title of ${rule}` }));
    const trace = told('note - text=x', 'note - text=y', 'note - text=z');
    const of = (n: number): string => find(opened(trace), () => judgedAs(findings.slice(0, n))).text;
    assert.match(of(3), /F03 found: title of F03$/);
    assert.match(of(4), /F03 found: title of F03; and 1 more finding$/);
    assert.match(of(5), /and 2 more findings$/);
  });
});
