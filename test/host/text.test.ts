// The text of a trace and the cursor go together, each in the trace that it belongs to.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { ENTRY, lineOf, maskedSend, STEPS } from '../helpers/masked-send.ts';
import {
  activate,
  closeAll,
  eventually,
  example,
  exampleLines,
  run,
  textsAtRest,
  UNMASK,
  useFolder,
} from './helper.ts';

/** Opens a text; again if another text that opens at the same moment takes its place ("Could NOT open editor"). */
async function editorOf(uri: vscode.Uri): Promise<vscode.TextEditor> {
  for (let tries = 1; ; tries++) {
    try {
      return await vscode.window.showTextDocument(uri, { preview: false });
    } catch (error) {
      if (tries === 10) throw error;
      await new Promise((done) => setTimeout(done, 200));
    }
  }
}

/** The editor groups from left to right, each with the titles of its tabs. */
const layout = (): string[][] => vscode.window.tabGroups.all.map(({ tabs }) => tabs.map(({ label }) => label));

describe('text', () => {
  const file = useFolder();
  before(closeAll);

  it('is shown when a trace is opened, in the language of the trace', async () => {
    const uri = file('plain.txt', exampleLines(1, 6000));
    await run('openTrace', uri);
    await eventually(() => {
      const editor = vscode.window.visibleTextEditors.find((e) => e.document.uri.toString() === uri.toString());
      assert.equal(editor?.document.languageId, 'qemu-trace');
    });
  });

  it('follows the cursor', async () => {
    const uri = file('follow.log', exampleLines(1, 6000));
    await run('openTrace', uri);
    const editor = await editorOf(uri);
    await run('goToStep', UNMASK.step);
    await eventually(() => assert.equal(editor.selection.active.line, UNMASK.line - 1));
    await eventually(() =>
      assert.ok(editor.visibleRanges.some((r) => r.contains(new vscode.Position(UNMASK.line - 1, 0)))),
    );
    await run('step');
    await eventually(() => assert.equal(editor.selection.active.line, UNMASK.line));
  });

  it('moves the cursor with the caret, but not when another extension moves the caret', async () => {
    const uri = file('caret.log', exampleLines(1, 6000));
    await run('openTrace', uri);
    const editor = await editorOf(uri);
    await run('goToStep', UNMASK.step);
    await eventually(() => assert.equal(editor.selection.active.line, UNMASK.line - 1));
    const api = await activate();
    await vscode.commands.executeCommand('cursorMove', { to: 'up', by: 'line', value: 1 });
    await vscode.commands.executeCommand('cursorUp');
    await eventually(() => assert.ok(api.active!.step < UNMASK.step, `${api.active!.step}`));
    await run('goToStep', UNMASK.step);
    await eventually(() => assert.equal(editor.selection.active.line, UNMASK.line - 1));
    const start = new vscode.Position(10, 0);
    editor.selection = new vscode.Selection(start, start);
    await new Promise((done) => setTimeout(done, 300));
    assert.equal(api.active!.step, UNMASK.step);
  });

  it('stands where the caret was when its trace is opened', async () => {
    const uri = file('reading.log', exampleLines(1, 6000));
    const editor = await editorOf(uri);
    const at = new vscode.Position(UNMASK.line - 1, 0);
    editor.selection = new vscode.Selection(at, at);
    await eventually(() => assert.equal(vscode.window.activeTextEditor?.selection.active.line, UNMASK.line - 1));
    assert.equal(await run('openTrace', uri), UNMASK.step);
  });

  it('makes its trace the active one', async () => {
    await closeAll();
    const other = file('other.log', exampleLines(4000, 6000));
    await run('openTrace', example());
    await run('goToStep', 100);
    await run('openTrace', other);
    const api = await activate();
    assert.equal(api.active?.uri.toString(), other.toString());
    assert.ok((await run<number>('goToTime', UNMASK.time)) < UNMASK.step);
    await editorOf(example());
    await eventually(() => assert.equal(api.active?.uri.toString(), example().toString()));
    assert.equal(api.active?.step, 100);
    await run('switchTrace', other);
    assert.equal(api.active?.uri.toString(), other.toString());
    await run('closeTrace');
    assert.equal(api.active?.uri.toString(), example().toString());
    await run('closeTrace');
    assert.equal(api.active, undefined);
    assert.equal(await run('step'), undefined);
  });

  it('of several files: each event has its line in its own file, and each caret moves the cursor in its own', async () => {
    await closeAll();
    const host = file('host.irqtrace', maskedSend());
    const guest = file('guest.irqtrace', maskedSend());
    await run('openTrace', host);
    const api = await activate();
    const { sessions, checks, witnesses } = api.internals;
    const trace = sessions.active!;
    const { session } = trace;
    const events = session.trace;
    // The same events once more, as of another file, 4.5 us later: the two files take turns from step 5 on.
    const other = Object.assign(Object.create(Object.getPrototypeOf(events.first)), events.first, {
      file: 'guest.irqtrace',
      offset: 4500n,
    });
    events.join(other);
    session.grown(true);
    const files = [...Array(events.length).keys()].map((step) => events.sourceOf(step)).join('');
    assert.equal(files, '000001010101011111');
    const first = await editorOf(host);
    const second = await vscode.window.showTextDocument(guest, { preview: false, viewColumn: vscode.ViewColumn.Two });
    assert.equal(api.active?.uri.toString(), host.toString(), 'the text of the other file shows the same trace');
    // Step 8 is the seventh event of the host, on its line 9; step 7 is the second one of the guest, on its line 4.
    await run('goToStep', 8);
    await eventually(() => assert.equal(first.selection.active.line, 8));
    await run('goToStep', 7);
    await eventually(() => assert.equal(second.selection.active.line, 3));
    assert.equal(first.selection.active.line, 8, 'the caret of the other text stays');
    await vscode.commands.executeCommand('cursorMove', { to: 'down', by: 'line', value: 1 });
    await vscode.commands.executeCommand('cursorDown');
    await eventually(() => assert.equal(api.active?.step, 11));
    assert.equal(await run('revealWrite', `${ENTRY}/control`), 9);
    assert.equal(vscode.window.activeTextEditor?.document.uri.toString(), host.toString());
    // The finding and its evidence are events of the guest: its own lines are marked, and none of the other file.
    const marked = [STEPS.fn, STEPS.mask, STEPS.send].map((at) => lineOf(at) - 1);
    await eventually(async () => {
      await checks.whole(trace);
      assert.deepEqual(
        [...witnesses.linesIn(trace, guest)].sort((a, b) => a - b),
        marked,
      );
      assert.deepEqual([...witnesses.linesIn(trace, host)], []);
      assert.equal(witnesses.linesIn(trace, guest), witnesses.linesIn(trace, guest), 'found once, not at every step');
    });
    await run('closeTrace', host);
    assert.equal(api.active, undefined);
  });

  it('leaves the timeline in sight, whichever of them comes first', async () => {
    await closeAll();
    const first = file('first.log', exampleLines(1, 3000));
    const second = file('second.log', exampleLines(3001, 6000));
    // The trace is read before its text is there; the timeline goes beside the text all the same.
    await Promise.all([run('openTrace', first), run('showTimeline')]);
    await eventually(() => assert.deepEqual(layout(), [['first.log'], ['Timeline: first.log']]));
    // The timeline has the focus now.
    await eventually(() => assert.equal(vscode.window.tabGroups.activeTabGroup.viewColumn, 2));
    await run('openTrace', second);
    await eventually(() => assert.deepEqual(layout(), [['first.log', 'second.log'], ['Timeline: second.log']]));
    await textsAtRest();
    await vscode.commands.executeCommand('workbench.action.closeEditorsInOtherGroups');
    await eventually(() => assert.deepEqual(layout(), [['Timeline: second.log']]));
    await run('revealLine', second, 5);
    await eventually(() => assert.deepEqual(layout(), [['Timeline: second.log'], ['second.log']]));
  });
});
