// Rows of the view Interrupts.
import assert from 'node:assert/strict';
import { whole } from '../../src/base/slices.ts';
import { interrupts } from '../../src/query/interrupts/list.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { comparedRows, interruptRows, sameRow } from '../../src/view/interrupts/rows.ts';
import { interruptMarkdown } from '../../src/view/interrupts/text.ts';
import { story } from '../helpers/story.ts';

const rows = (trace: Trace, step = trace.length - 1, open = false) =>
  interruptRows(trace.world, interrupts(trace, step), open);

const moved = (): Trace =>
  story(`
    vec.setup irq/41 legacy=false ret=0
    vec.update irq/41 vector=38 cpu=2 prevVector=0 prevCpu=0
    irq.entry irq/41 name=eth1-rx-0
    irq.exit irq/41 handled=true
    vec.setup irq/42 legacy=false ret=0`);

describe('rows of the view Interrupts', () => {
  it('tell action, irq, place, counts and status', () => {
    const trace = moved();
    const [first, never] = rows(trace);
    assert.equal(first!.text.label, 'eth1-rx-0');
    assert.equal(first!.text.description, 'irq 41 · cpu 2 vector 38 · 1 handled · idle');
    assert.equal(first!.text.spoken, 'eth1-rx-0, idle, irq 41, cpu 2 vector 38, 1 handled');
    assert.equal(never!.text.label, '1 never used');
    assert.deepEqual(
      never!.below.map(({ text }) => text.label),
      ['irq 42'],
    );
    assert.equal(rows(trace, trace.length - 1, true).length, 2);
  });

  it('begin with what goes on and what was found: a narrow view cuts their ends off', () => {
    const trace = story('vec.setup irq/41 legacy=false ret=0\ncpu0 irq.entry irq/41 name=eth1');
    const found = new Map([[trace.world.find('irq/41')!.object, [{ rule: 'F21', lost: false }]]]);
    const [row] = interruptRows(trace.world, interrupts(trace, trace.length - 1, { findings: found }), false);
    assert.match(row!.text.description, /^in-service · F21 · irq 41 · /);
    assert.match(row!.text.spoken, /^eth1, in-service, F21, irq 41/);
  });

  it('are the same while nothing of them changes', () => {
    const trace = moved();
    const [a, b] = [rows(trace, 3)[0]!, rows(trace, 4)[0]!];
    assert.ok(sameRow(a, b));
    assert.ok(!sameRow(rows(trace, 1)[0]!, a), 'its count changed');
  });

  it('are made and compared in slices: what moved, and what looks different', () => {
    const trace = moved();
    const before = whole(comparedRows([], new Map(), rows(trace, 3)));
    assert.deepEqual([before.moved, before.used, before.changed.length], [true, 1, 1]);
    const same = whole(comparedRows(before.rows, before.byId, rows(trace, 3)));
    assert.deepEqual([same.moved, same.changed], [false, []]);
    const [one, three] = [1, 3].map((step) => rows(trace, step, true));
    const first = whole(comparedRows([], new Map(), one!));
    const counted = whole(comparedRows(first.rows, first.byId, three!));
    assert.deepEqual([counted.moved, counted.changed.map(({ id }) => id)], [false, ['irq/41']]);
    const last = whole(comparedRows(before.rows, before.byId, rows(trace)));
    assert.deepEqual([last.moved, last.used], [true, 1]);
    assert.deepEqual([...last.byId.keys()], ['irq/41', 'never used', 'irq/42']);
    const fold = whole(comparedRows(last.rows, last.byId, rows(trace, trace.length - 1, true)));
    assert.deepEqual([fold.moved, fold.used], [true, 2]);
  });

  it('stay lost where the finding that says so is suppressed, and say that', () => {
    const trace = moved();
    const object = trace.world.objectAt('irq/41');
    const with_ = (suppressed: boolean) => {
      const found = suppressed ? { rule: 'F01', lost: true, suppressed } : { rule: 'F01', lost: true };
      const list = interrupts(trace, trace.length - 1, { findings: new Map([[object, [found]]]) });
      return interruptRows(trace.world, list, false)[0]!;
    };
    const [told, hidden] = [with_(false), with_(true)];
    assert.deepEqual([told.interrupt?.row.status, told.interrupt?.row.findings], ['lost', ['F01']]);
    assert.deepEqual([hidden.interrupt?.row.status, hidden.interrupt?.row.findings], ['lost', []]);
    assert.match(told.text.description, /^lost · F01 · /);
    assert.match(hidden.text.description, /^lost · suppressed · /);
    assert.deepEqual([told.text.icon, hidden.text.icon], ['error', 'error']);
    assert.notEqual(hidden.text.color, told.text.color);
    assert.match(interruptMarkdown(hidden.interrupt!), /suppressed in this folder/);
    assert.ok(!sameRow(told, hidden));
  });

  it('show a hostile action as text', () => {
    const trace = story('irq.entry irq/7 name="[x](command:evil) **b** `c` <img src=x>"');
    const [row] = rows(trace);
    const markdown = interruptMarkdown(row!.interrupt!);
    assert.ok(!/(?<!\\)\[x\]/.test(markdown) && !/(?<!\\)<img/.test(markdown), markdown);
    assert.ok(!/(?<!\\)\*\*b/.test(markdown), markdown);
  });
});
