// Compare with… in the editor: commands, view, and where its rows lead.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { ComparisonRow } from '../../src/view/comparison/rows.ts';
import {
  activate,
  active,
  closeAll,
  ENTRY,
  eventually,
  example,
  exampleLines,
  run,
  UNMASK,
  useFolder,
} from './helper.ts';

const head = '#irqtrace 1\n#clock seconds digits=6 "test"\n';
const good = [
  '0.000001 - - vec.setup irq/41 legacy=false ret=0',
  '0.000002 - - vec.update irq/41 vector=33 cpu=1 prevVector=0 prevCpu=0',
  '0.000012 cpu1 - irq.entry irq/41 name=eth0',
  '0.000013 cpu1 - irq.exit irq/41 handled=true',
];
const bad = [
  good[0]!.replace('41', '43'),
  ...good.slice(1).map((line) => line.replace('irq/41', 'irq/43').replace('vector=33', 'vector=35')),
  '0.000014 cpu1 - irq.entry irq/43 name=eth0',
];

describe('Comparison', () => {
  const file = useFolder();
  let a: vscode.Uri;
  let b: vscode.Uri;
  before(() => {
    a = file('good.irqtrace', `${head}${good.join('\n')}\n`);
    b = file('bad.irqtrace', `${head}${bad.join('\n')}\n`);
  });
  afterEach(closeAll);

  const view = async () => (await activate()).internals.comparison;
  const row = async (label: RegExp): Promise<ComparisonRow> => {
    const { rows } = await view();
    const all = rows.flatMap((r) => [r, ...r.below()]);
    return all.find((r) => label.test(r.label)) ?? assert.fail(all.map((r) => r.label).join('; '));
  };

  it('ends when one of its traces is closed', async () => {
    const { sessions } = (await activate()).internals;
    await run('openTrace', a);
    const first = await active();
    await run('openTrace', b);
    const second = await active();
    const comparison = await view();
    const compared = comparison.show({ a: first, b: second });
    sessions.close(second);
    assert.equal(await compared, undefined);
    assert.equal(comparison.compared, undefined);
    assert.deepEqual(comparison.rows, []);
  });

  it('compares again when the sources of a trace are put together, and drops what compares its steps', async () => {
    // What the kernel traced has an earlier clock than the log above it: its events come in front when the file is not followed any more.
    const kernel = ['entry: irq=41 name=eth0', 'exit: irq=41 ret=handled']
      .map((what, i) => `          <idle>-0       [001] d.h.    10.00000${i}: irq_handler_${what}\n`)
      .join('');
    const mail = file('mail.log', `${exampleLines(1, 1000)}\n${kernel}`);
    await run('follow', mail);
    const trace = await active();
    const alone = trace.session.trace.length;
    const comparison = await view();
    await run('compareWith', b);
    assert.equal(comparison.lanes?.found.lengths[0], alone);
    await run('unfollow', mail);
    const { length, sources } = trace.session.trace;
    assert.ok(sources.length > 1 && length > alone);
    await eventually(() => assert.equal(comparison.lanes?.found.lengths[0], length));
    await closeAll();
    await run('follow', mail);
    await run('compareSteps', 1, 100);
    assert.ok(comparison.compared);
    await run('unfollow', mail);
    assert.equal(comparison.compared, undefined);
  });

  it('shows what differs between the active trace and another file, and leads to both', async () => {
    await run('openTrace', a);
    assert.equal(await run('compareWith', b), '3 events the same, 1 changed, 0 only in A, 1 only in B');
    assert.equal((await active()).uri.toString(), a.toString(), 'A stays active');
    const { tree, rows } = await view();
    assert.equal(rows[0]!.label, 'First divergence');
    assert.match(rows[0]!.description, /vector: 33 → 35/);
    assert.equal(tree.description, 'good.irqtrace ↔ bad.irqtrace');
    const changed = await row(/^vector: 33 → 35$/);
    assert.equal(await run('goToDifference', changed), 1);
    assert.equal((await active()).uri.toString(), a.toString());
    assert.equal(await run('goToDifferenceInB', changed), 1);
    assert.equal((await active()).uri.toString(), b.toString());
    await run('switchTrace', a);
    assert.equal(await run('goToDifference', await row(/^irq\.entry name=eth0$/)), 4, 'only B has that event');
    assert.equal((await active()).uri.toString(), b.toString());
    const item = (await view()).getTreeItem(changed);
    assert.equal(item.contextValue, 'difference ab');
  });

  it('shows the lanes of both traces in the timeline, and keeps their cursors together there', async () => {
    const titles = (): string[] => vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs.map(({ label }) => label));
    await run('openTrace', a);
    assert.equal(await run('showComparisonTimeline'), undefined);
    assert.ok(!titles().some((title) => /^Timeline/.test(title)), 'nothing is compared');
    await run('compareWith', b);
    await run('showComparisonTimeline');
    await eventually(() => assert.ok(titles().includes('Timeline: good.irqtrace ↔ bad.irqtrace')));
    const { sessions } = (await activate()).internals;
    const cursors = (): number[] => sessions.all.map(({ session }) => session.cursor);
    // The cursors go together as soon as the traces are aligned.
    await eventually(async () => {
      await run('goToStep', 0);
      await run('goToStep', 2);
      assert.deepEqual(cursors(), [2, 2]);
    });
    assert.equal(await run('goToDifference', await row(/^irq\.entry name=eth0$/)), 4);
    assert.equal((await active()).uri.toString(), b.toString());
    assert.deepEqual(cursors(), [3, 4], 'A has no such event');
    assert.equal(await run('goToDifference', await row(/^vector: 33 → 35$/)), 1);
    assert.deepEqual(cursors(), [1, 1]);
    await run('showTimeline');
    await eventually(() => assert.ok(titles().includes('Timeline: good.irqtrace')));
    await run('showComparisonTimeline');
    await eventually(() => assert.ok(titles().includes('Timeline: good.irqtrace ↔ bad.irqtrace')));
    await run('compareSteps', 0, 2);
    await eventually(() => assert.ok(titles().includes('Timeline: good.irqtrace')));
    await run('closeComparison');
    await run('goToStep', 3);
    assert.deepEqual(cursors(), [3, 1], 'A goes alone');
  });

  it('steps from difference to difference', async () => {
    await run('openTrace', a, { step: 0 });
    assert.equal(await run('nextDifference'), undefined, 'nothing is compared');
    await run('compareWith', b);
    // The vector differs at step 1; the handler that only B has would stand behind step 3.
    assert.equal(await run('nextDifference'), 1);
    assert.equal(await run('nextDifference'), 3);
    assert.equal(await run('nextDifference'), undefined);
    assert.equal(await run('previousDifference'), 1);
    await run('switchTrace', b);
    await run('goToStep', 2);
    assert.equal(await run('nextDifference'), 4, 'in B it is there');
  });

  it('compares two steps of one trace', async () => {
    await run('openTrace', example());
    const found = await run<string>('compareSteps', UNMASK.step - 1, UNMASK.step);
    assert.match(
      found,
      new RegExp(`^state after step ${UNMASK.step - 1} in A and ${UNMASK.step} in B: \\d+ objects? differs?`),
    );
    const entry = await row(new RegExp(`^${ENTRY}$`));
    assert.ok(entry.below().some(({ label, description }) => label === 'control.mask' && description === 'yes → no'));
    assert.equal(await run('compareSteps', 0, 10 ** 9), undefined);
  });

  it('is gone when it is closed, and when one of its traces is', async () => {
    await run('openTrace', a);
    await run('compareWith', b);
    await run('closeComparison');
    assert.deepEqual((await view()).rows, []);
    await run('switchTrace', a);
    await run('compareWith', b);
    await run('closeTrace', b);
    await eventually(async () => assert.equal((await view()).compared, undefined));
  });
});
