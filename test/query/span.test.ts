// Times between events have the digits of the clock that they were measured on, everywhere where a trace of several sources tells one.
import assert from 'node:assert/strict';
import { checkTrace } from '../../src/check/check-run.ts';
import type { Rule } from '../../src/check/rule.ts';
import { ruleNamed } from '../../src/check/rules.ts';
import { ImportRun } from '../../src/import/run.ts';
import { mark } from '../../src/model/events/notes.ts';
import { World } from '../../src/model/world.ts';
import { coarsest, Spans } from '../../src/query/span.ts';
import { statisticsOf } from '../../src/query/statistics/rows.ts';
import type { Trace } from '../../src/trace/trace.ts';

/** A source whose clock has so many digits, and one of another file that joins it. */
function joined(fine: readonly string[], coarse: readonly string[], digits = 6): Trace {
  const world = new World();
  const source = (digits: number, lines: readonly string[], file: string): Trace => {
    const work = new ImportRun(file, { world, system: '' });
    const head = `#irqtrace 1\n#clock seconds digits=${digits} realtime\n`;
    work.push(new TextEncoder().encode(`${head}${lines.join('\n')}\n`));
    return work.end();
  };
  const trace = source(9, fine, 'fine');
  trace.join(...source(digits, coarse, 'coarse').sources);
  return trace;
}

const marks = joined(
  ['1.000000100 - - mark marker text=a', '1.000000350 - - mark marker text=b'],
  ['1.000010 - - mark marker text=c', '1.000097 - - mark marker text=d'],
);

/** How far clocks may differ where no record compares them (`EventOrder`). */
const APART = ' ± 1.000 ms';

describe('times between events of several sources', () => {
  it('have the digits of their clock, and between two clocks those of the coarser one and how far they may differ', () => {
    const { table } = marks;
    assert.equal(marks.time.digits, 9);
    const spans = new Spans(marks);
    const text = (from: number, to: number): string => spans.text(table.time(to) - table.time(from), from, to);
    assert.equal(text(0, 1), '250 ns');
    assert.equal(text(2, 3), '87 µs');
    assert.equal(text(1, 2), `10 µs${APART}`);
    assert.equal(coarsest(marks).digits, 6);
  });

  it('stand so in findings', () => {
    const told: Rule = {
      ...ruleNamed('F10')!,
      id: 'X1',
      kinds: [mark],
      beside: [],
      alone: [],
      needs: [],
      watch: (report, scene) => {
        let last: { readonly step: number; readonly time: number } | undefined;
        return {
          event(step, { object, time }) {
            const text = last ? scene.span(time - last.time, last.step, step) : '';
            if (last) report({ step, object, title: text, text, evidence: [], always: true });
            last = { step, time };
          },
          lost() {},
          judged: 1,
        };
      },
    };
    assert.deepEqual(
      checkTrace(marks, [told]).findings.map(({ title }) => title),
      ['250 ns', `10 µs${APART}`, '87 µs'],
    );
  });

  it('stand so in statistics', () => {
    const rows = (trace: Trace, by: 'irq' | 'device') => {
      const work = statisticsOf(trace, by);
      let done = work.next();
      while (!done.done) done = work.next();
      return done.value;
    };
    // The handler was recorded with microseconds, beside a source of nanoseconds.
    const handlers = joined(
      ['1.000000100 - - mark marker text=a'],
      ['2.000010 cpu0 - irq.entry irq/41 name=eth0', '2.000014 cpu0 - irq.exit irq/41 handled=true'],
    );
    const service = rows(handlers, 'irq').find(({ key }) => key === 'irq/41')?.service;
    assert.deepEqual(service, { p50: '0.000004', p99: '0.000004', max: '0.000004' });
    // The cause stands in one file, its message in the other.
    const ENTRY = 'device/0000:03:00.0/msix/1';
    const crossed = joined(
      [`1.000000100 - - send ${ENTRY} address=0xfee00000 data=0x21`, `1.000900000 - - dev.raise ${ENTRY} vector=1`],
      [`1.000950 - - send ${ENTRY} address=0xfee00000 data=0x21`],
    );
    const latency = rows(crossed, 'device').find(({ key }) => key === 'device/0000:03:00.0')?.latency;
    assert.deepEqual(latency, { p50: '0.000050', p99: '0.000050', max: '0.000050', uncertainty: '0.001000' });
  });
});
