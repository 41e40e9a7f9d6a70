// What the host tests share: the extension with what it lets tests look at, the example capture, and files of their own.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { patient } from '../../scripts/test/patience.ts';
import type { OutlineRow } from '../../src/view/outline/rows.ts';
import type { activateWith } from '../../src/vscode/activate.ts';
import type { OpenTrace } from '../../src/vscode/sessions.ts';
import { EVENTS, UNMASK } from '../helpers/example.ts';

export { EVENTS, UNMASK };

export const ID = 'irqscope.irqscope';
export type Exports = ReturnType<typeof activateWith>;

export const ENTRY = 'device/0000:00:03.0/msix/0';

export function extension(): vscode.Extension<Exports> {
  return vscode.extensions.getExtension<Exports>(ID) ?? assert.fail(`${ID} is not installed`);
}

export const activate = async (): Promise<Exports> => extension().activate();

export const example = (): vscode.Uri => vscode.Uri.joinPath(extension().extensionUri, 'examples', 'x86-vtd-qemu.log');

export const run = <T = unknown>(name: string, ...args: unknown[]): Thenable<T> =>
  vscode.commands.executeCommand<T>(`irqscope.${name}`, ...args);

/** Waits for a question to the user while a command answers it again and again: no one tells when the question is on the screen. */
export async function whileRepeating<T>(command: string, question: Thenable<T>): Promise<T> {
  let answered = false;
  const answer = Promise.resolve(question).finally(() => {
    answered = true;
  });
  while (!answered) {
    await Promise.race([answer, new Promise((done) => setTimeout(done, 300))]);
    if (!answered) await vscode.commands.executeCommand(command);
  }
  return answer;
}

/** A folder for files of one describe block. */
export function useFolder(): (name: string, content: string | Uint8Array) => vscode.Uri {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-files-'));
  });
  after(async () => {
    await closeAll();
    rmSync(folder, { recursive: true, force: true });
  });
  return (name, content) => {
    writeFileSync(join(folder, name), content);
    return vscode.Uri.file(join(folder, name));
  };
}

/** Waits until every text shows its line. A text that closes in the very moment in which that happens leaves a warning of the editor in the log. */
export async function textsAtRest(): Promise<void> {
  const { texts } = (await activate()).internals;
  for (let waited = 0; !texts.idle && waited < patient(3000); waited += 20)
    await new Promise((done) => setTimeout(done, 20));
}

/** Closes all traces and editors, also those that something still under way opens a moment later. */
export async function closeAll(): Promise<void> {
  const { sessions } = (await activate()).internals;
  await textsAtRest();
  for (let quiet = 0, rounds = 0; quiet < 3; rounds++) {
    assert.ok(rounds < 100, 'editors keep opening');
    for (const trace of [...sessions.all]) sessions.close(trace);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await new Promise((done) => setTimeout(done, 80));
    quiet = vscode.window.tabGroups.all.every(({ tabs }) => tabs.length === 0) ? quiet + 1 : 0;
  }
}

/** Lines `from` to `to` (1-based, inclusive) of the example capture. */
export function exampleLines(from = 1, to = Number.POSITIVE_INFINITY): string {
  const lines = readFileSync(example().fsPath, 'latin1').split('\n');
  return `${lines.slice(from - 1, to).join('\n')}\n`;
}

/** The active trace, which must be there. */
export async function active(): Promise<OpenTrace> {
  return (await activate()).internals.sessions.active ?? assert.fail('no trace is active');
}

/** The row of a path in a view, with what the editor gets of it. */
export async function rowOf(view: string, path: string): Promise<{ row: OutlineRow; item: vscode.TreeItem }> {
  const found = (await activate()).internals.views.find((v) => v.name === view);
  const row = found?.outline?.row(path) ?? assert.fail(`no row for ${path}`);
  return { row, item: found!.getTreeItem(row) };
}

export const labelOf = (item: vscode.TreeItem): string =>
  typeof item.label === 'string' ? item.label : (item.label?.label ?? '');

/** Repeats a check until it holds; for what the editor does in its own time. `timeout`: ms of a quiet machine. */
export async function eventually(check: () => void | Promise<void>, timeout = 5000): Promise<void> {
  const deadline = Date.now() + patient(timeout);
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

/** Opens a text and changes it. The editor tells the extension host of the change first, and that the text is not saved afterwards. */
export async function edited(path: string): Promise<void> {
  const editor = await vscode.window.showTextDocument(vscode.Uri.file(path));
  await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), ' '));
  await eventually(() => assert.ok(editor.document.isDirty));
}
