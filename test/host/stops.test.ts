// Filters, breakpoints, watches and checkpoints in the editor, by the commands that people use.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activate, active, closeAll, ENTRY, eventually, example, run, whileRepeating } from './helper.ts';

/** Numbers of events in the example capture, as `grep -n` and docs/filter.md show them. */
const MASKED_WRITE = 4744;
const UNMASK = 4701;

describe('stops of runs', () => {
  before(closeAll);
  beforeEach(async () => {
    await run('openTrace', example(), { step: 4000 });
    const { stops } = (await active()).session;
    for (const { stop } of stops.breakpoints) stops.removeBreakpoint(stop);
    for (const { name } of stops.checkpoints) stops.removeCheckpoint(name);
  });
  after(closeAll);

  it('are events that fit a filter, in both directions', async () => {
    const filter = 'kind == msix.write && device == 00:03.0 && entry.mask && dt > 50us';
    assert.equal(await run('runTo', { to: 'filter', filter }), MASKED_WRITE);
    await run('goToStep', 4800);
    const back = await run<number>('runBackTo', { to: 'filter', filter });
    assert.ok(back > MASKED_WRITE && back < 4800);
    assert.equal(await run('runBackTo', { to: 'end' }), 0);
    assert.equal(await run('runTo', { to: 'filter', filter: 'kind = send' }), undefined);
    assert.equal((await active()).session.cursor, 0);
  });

  it('are breakpoints and watched fields; rows of the view Traces show them', async () => {
    await run('goToStep', 4660);
    assert.equal(await run('watch', `${ENTRY}/control.mask`), `a change of ${ENTRY}/control.mask`);
    assert.equal(await run('continue'), UNMASK);
    assert.equal(await run('addBreakpoint', 'kind == dev.raise'), 'kind == dev.raise');
    assert.equal(await run('continue'), UNMASK + 1);
    assert.equal(await run('continueBack'), UNMASK);
    const { traces } = (await activate()).internals;
    const trace = await active();
    const rows = (name: string) => {
      const top = traces.getChildren().find((row) => row.trace === trace)!;
      const group = traces.getChildren(top).find((row) => row.name === name);
      return group ? traces.getChildren(group) : [];
    };
    await eventually(() =>
      assert.deepEqual(
        rows('breakpoints').map((r) => r.label),
        [`a change of ${ENTRY}/control.mask`, 'kind == dev.raise'],
      ),
    );
    const [watched] = rows('breakpoints');
    assert.equal(traces.getTreeItem(watched!).contextValue, 'stop');
    await run('removeStop', watched);
    assert.deepEqual(
      rows('breakpoints').map((r) => r.label),
      ['kind == dev.raise'],
    );
    assert.equal(await run('watch', ENTRY), `a change of ${ENTRY}`);
    assert.equal(await run('watch', ENTRY), undefined);
    assert.deepEqual(
      rows('breakpoints').map((r) => r.label),
      ['kind == dev.raise'],
    );
  });

  it('are kept with checkpoints until the trace is opened again', async () => {
    await run('goToStep', UNMASK);
    assert.equal(await run('setCheckpoint', 'unmasked'), 'unmasked');
    await run('addBreakpoint', { to: 'change', path: `${ENTRY}/address` });
    await run('firstEvent');
    assert.equal(await run('goToCheckpoint', 'unmasked'), UNMASK);
    assert.equal(await run('goToCheckpoint', 'no such name'), undefined);
    await run('closeTrace');
    await run('openTrace', example());
    const { stops } = (await active()).session;
    assert.deepEqual(stops.save(), {
      breakpoints: [{ stop: { to: 'change', path: `${ENTRY}/address` }, enabled: true }],
      checkpoints: [{ name: 'unmasked', step: UNMASK }],
    });
    assert.equal(await run('goToCheckpoint', 'unmasked'), UNMASK);
  });

  it('are found together, and stay marked until others are looked for', async () => {
    const filter = 'kind == msix.write && device == 00:03.0 && entry.mask && dt > 50us';
    const count = await run<number>('findEvents', filter);
    const { session } = await active();
    assert.ok(count > 3);
    assert.equal(session.search?.hits.size, count);
    assert.equal(session.search?.hits.at(0), MASKED_WRITE);
    assert.equal(session.cursor, 4000);
    assert.equal(await run('findEvents', 'vectr == 1'), undefined);
    assert.equal(session.search?.text, filter);
    await run('clearFound');
    assert.equal(session.search, undefined);
  });

  it('are asked for where none is given', async () => {
    const added = await whileRepeating(
      'workbench.action.acceptSelectedQuickOpenItem',
      // Enter takes the first kind that is offered, and then the whole filter.
      vscode.commands.executeCommand('irqscope.addBreakpoint', 'kind == '),
    );
    assert.match(String(added), /^kind == [\w.]+$/);
  });
});
