// Traces, texts and steps in quick succession: the editor still asks about what is gone. Nothing of it may end up in the log of
// the extension host, which the suite reads at its end.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activate, closeAll, ENTRY, eventually, example, exampleLines, run, UNMASK, useFolder } from './helper.ts';

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

describe('in quick succession', () => {
  const file = useFolder();
  beforeEach(closeAll);
  after(closeAll);

  it('steps change trees whose rows are open', async () => {
    await run('openTrace', example());
    await run('goToStep', UNMASK.step - 1);
    await run('showObject', `${ENTRY}/control.mask`);
    for (let i = 0; i < 40; i++) {
      await run(i % 5 === 4 ? 'firstEvent' : 'goToStep', UNMASK.step + i);
      if (i % 3 === 0) await run('toggleUnchanged');
      if (i % 7 === 0) await run('showObject', ENTRY);
      await pause(i % 4 === 0 ? 260 : 15);
    }
    await run('goToStep', UNMASK.step);
    await run('showObject', `${ENTRY}/control.mask`);
    const devices = (await activate()).internals.views.find(({ name }) => name === 'devices')!;
    await eventually(() => assert.equal(devices.tree.selection[0]?.path, `${ENTRY}/control.mask`));
  }).timeout(60_000);

  it('traces are opened, stepped and closed together with their texts', async () => {
    for (let i = 0; i < 6; i++) {
      const a = file(`a${i}.log`, exampleLines(1, 2000));
      const b = file(`b${i}.log`, exampleLines(2001, 4000));
      const both = Promise.all([run('openTrace', a), run('openTrace', b)]);
      await pause(i * 20);
      void run('step');
      await both;
      void run('goToStep', 100);
      await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
      void run('goToStep', 200);
      void run('closeTrace');
      await vscode.commands.executeCommand('workbench.action.closeAllEditors');
      void run('step');
      await pause(i * 30);
      await run('closeTrace');
    }
    await eventually(async () => assert.equal((await activate()).internals.sessions.all.length, 0));
  }).timeout(60_000);

  it('a text closes at every moment just after it came up, also together with a step', async () => {
    const trace = file('closing.log', exampleLines(1, 500));
    for (let wait = 0; wait < 300; wait += 6) {
      await run('openTrace', trace);
      if (wait % 4 === 0) void run('goToStep', wait % 97);
      await pause(wait);
      if (wait % 9 === 0) void run('step');
      await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
      if (wait % 36 === 0) await run('closeTrace');
    }
    await run('closeTrace');
  }).timeout(120_000);

  it('runs branch and are closed while their view is drawn', async () => {
    for (let i = 0; i < 4; i++) {
      await run('startSimulation', 'first-run');
      await run('runTo', { to: 'kind', kind: 'dev.raise' });
      await run('injectMask', 'device/0000:03:00.0/msix/0');
      await pause(i * 120);
      await run('closeTrace');
      await run('closeTrace');
    }
    await pause(600);
  }).timeout(60_000);
});
