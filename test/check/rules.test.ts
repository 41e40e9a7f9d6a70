// Each rule on a trace made by hand that breaks it, and on one that does not.
import assert from 'node:assert/strict';
import { checkTrace } from '../../src/check/check-run.ts';
import { type Finding, RuleCheck, type Verdict } from '../../src/check/check-trace.ts';
import { rules } from '../../src/check/rules.ts';
import type { EventKind } from '../../src/model/event.ts';
import { devRaise, msgSend, pbaRead, tblRead, tblWrite } from '../../src/model/events/msix.ts';
import { lost as eventsLost } from '../../src/model/events/notes.ts';
import { dropped, illegal } from '../../src/model/events/outcome.ts';
import { cfgRead, cfgWrite } from '../../src/model/events/pci.ts';
import { device, msixEntry } from '../../src/model/things/pci.ts';
import { World } from '../../src/model/world.ts';
import { type ArgsOf, Machine } from '../../src/sim/machine.ts';
import { TraceRecorder } from '../../src/sim/recorder.ts';
import { MODEL_TIME } from '../../src/sim/stream.ts';
import { Source } from '../../src/trace/source.ts';
import { Trace } from '../../src/trace/trace.ts';
import { Walk } from '../../src/trace/walk.ts';

const FN = 'device/0000:03:00.0';

/** A function with an MSI-X table of four entries: Message Control at 0x62, memory decoded, MSI-X on, entry 1 as control says. */
class Made {
  readonly trace: Trace;
  readonly #machine: Machine;
  readonly fn: number;
  readonly entry: number;

  constructor(format: string, control: number) {
    const clock = 'model time';
    this.trace = new Trace(new World(), new Source({ file: 'made', format, variant: format, clock, time: MODEL_TIME }));
    this.#machine = new Machine(new TraceRecorder(this.trace), 1);
    this.fn = this.trace.world.object(device, FN);
    this.entry = this.trace.world.object(msixEntry, `${FN}/msix/1`);
    this.add(cfgRead, this.fn, { offset: 4, size: 2, value: 0x406 });
    this.add(cfgRead, this.fn, { offset: 0x34, size: 1, value: 0x60 });
    this.add(cfgRead, this.fn, { offset: 0x60, size: 4, value: 0x80030011 });
    this.add(tblWrite, this.entry, { offset: 0, size: 8, value: [0xfee00000, 0] });
    this.add(tblWrite, this.entry, { offset: 8, size: 8, value: [0x21, control] });
  }

  /** Adds an event; its step. */
  add<K extends EventKind>(kind: K, object: number, args: ArgsOf<K>): number {
    this.#machine.emit(kind, object, args);
    return this.trace.length - 1;
  }

  send(): number {
    return this.add(msgSend, this.entry, { address: 0xfee00000, data: 0x21 });
  }

  raise(): number {
    return this.add(devRaise, this.entry, { vector: 1 });
  }

  /** Writes the vector control dword of the entry. */
  control(value: number): number {
    return this.add(tblWrite, this.entry, { offset: 12, size: 4, value });
  }
}

const MASKED = 1;
const OPEN = 0;

function found(made: Made): {
  readonly findings: readonly Finding[];
  readonly verdicts: Readonly<Record<string, Verdict>>;
} {
  const check = checkTrace(made.trace, rules);
  return { findings: check.findings, verdicts: check.verdicts() };
}

const made = (control: number, format = 'simulation'): Made => new Made(format, control);

/** Rule, step and evidence of each finding. */
const brief = (of: Made) => found(of).findings.map(({ rule, step, evidence }) => ({ rule: rule.id, step, evidence }));

/** The verdicts of some rules. */
const pick = (verdicts: Readonly<Record<string, Verdict>>, ids: readonly string[]) =>
  Object.fromEntries(ids.map((id) => [id, verdicts[id]]));

describe('rules', () => {
  it('say nothing of a trace in which nothing happens that they are about', () => {
    const { findings, verdicts } = found(made(MASKED));
    assert.deepEqual(findings, []);
    assert.equal(verdicts['F03'], 'not-applicable');
    assert.equal(verdicts['F01'], 'not-applicable');
    assert.equal(verdicts['F11'], 'pass', 'the table was written while memory was decoded');
  });

  it('hold in a trace with a raise, a mask, a pending bit and the message after the unmask', () => {
    const trace = made(OPEN);
    trace.raise();
    trace.send();
    trace.control(MASKED);
    trace.raise();
    trace.control(OPEN);
    trace.send();
    const { findings, verdicts } = found(trace);
    assert.deepEqual(findings, []);
    assert.deepEqual(pick(verdicts, ['F03', 'I-P2', 'F01', 'I-P4', 'F11']), {
      F03: 'pass',
      'I-P2': 'pass',
      F01: 'pass',
      'I-P4': 'pass',
      F11: 'pass',
    });
  });

  it('F03 a message of an entry whose mask bit is set', () => {
    const trace = made(MASKED);
    trace.raise();
    const step = trace.send();
    // It stands on the last write of the entry (step 4) and what was seen last of the function (step 2).
    assert.deepEqual(brief(trace), [{ rule: 'F03', step, evidence: [2, 4] }]);
    assert.equal(found(trace).verdicts['F03'], 'fail');
  });

  it('F03 a message of an entry that the function mask masks', () => {
    const trace = made(OPEN);
    const mask = trace.add(cfgWrite, trace.fn, { offset: 0x62, size: 2, value: 0xc003 });
    trace.raise();
    const step = trace.send();
    assert.deepEqual(brief(trace), [{ rule: 'F03', step, evidence: [4, mask] }]);
  });

  it('I-P2 a pending bit that reads 1 while nothing masks the entry', () => {
    const trace = made(OPEN);
    const step = trace.add(pbaRead, trace.fn, { first: 0, size: 4, value: 2 });
    assert.deepEqual(
      found(trace).findings.map((f) => [f.rule.id, f.step, f.object]),
      [['I-P2', step, trace.entry]],
    );
    const masked = made(MASKED);
    masked.add(pbaRead, masked.fn, { first: 0, size: 4, value: 2 });
    assert.deepEqual(brief(masked), []);
  });

  it('F01 after the unmask of a pending entry comes something else than its message', () => {
    const trace = made(MASKED);
    const raised = trace.raise();
    const unmask = trace.control(OPEN);
    const step = trace.add(tblRead, trace.entry, { offset: 12, size: 4, value: 0 });
    assert.deepEqual(brief(trace), [{ rule: 'F01', step: unmask, evidence: [raised, step] }]);
  });

  it('F01 an event that says why there is no message, or that the unmask was illegal besides, breaks nothing', () => {
    const trace = made(MASKED);
    trace.raise();
    trace.control(OPEN);
    trace.add(illegal, trace.entry, { rule: 'U7', text: 'never programmed' });
    trace.add(dropped, trace.entry, { reason: 'Bus Master Enable is 0' });
    assert.deepEqual(brief(trace), []);
  });

  it('I-P4 a second message for one cause', () => {
    const trace = made(OPEN);
    const raised = trace.raise();
    const first = trace.send();
    const step = trace.send();
    assert.deepEqual(brief(trace), [{ rule: 'I-P4', step, evidence: [raised, first] }]);
  });

  it('F11 a table that answers while memory decode is off', () => {
    const trace = made(MASKED);
    const off = trace.add(cfgWrite, trace.fn, { offset: 4, size: 2, value: 0x404 });
    const step = trace.add(tblRead, trace.entry, { offset: 12, size: 4, value: 1 });
    assert.deepEqual(brief(trace), [{ rule: 'F11', step, evidence: [off] }]);
  });

  it('what counts causes cannot be judged in a capture, which does not show all of them', () => {
    const trace = made(OPEN, 'qemu-log');
    trace.send();
    const { findings, verdicts } = found(trace);
    assert.deepEqual(findings, []);
    assert.equal(verdicts['F01'], 'undecidable', 'no cause in it');
    assert.equal(verdicts['I-P4'], 'undecidable');
    assert.equal(verdicts['F03'], 'pass');
  });

  it('behind lost events a rule is silent until entry and function were seen again', () => {
    const trace = made(MASKED);
    const lost = trace.add(eventsLost, trace.fn, {});
    trace.raise();
    trace.send();
    assert.deepEqual(
      brief(trace).filter((f) => f.rule === 'F03'),
      [],
    );
    const control = trace.add(cfgRead, trace.fn, { offset: 0x62, size: 2, value: 0x8003 });
    const entry = trace.control(MASKED);
    const step = trace.send();
    assert.ok(lost < control);
    assert.deepEqual(
      brief(trace).filter((f) => f.rule === 'F03'),
      [{ rule: 'F03', step, evidence: [control, entry] }],
    );
  });

  it('judge in slices as they judge at once', () => {
    const trace = made(MASKED);
    trace.raise();
    trace.send();
    trace.control(OPEN);
    trace.add(tblRead, trace.entry, { offset: 12, size: 4, value: 0 });
    const parts = new RuleCheck(rules, trace.trace.world, true);
    const slices = new Walk(trace.trace, [parts]);
    while (slices.advance(1));
    assert.deepEqual(parts.findings, found(trace).findings);
    assert.ok(parts.findings.length > 0);
  });
});
