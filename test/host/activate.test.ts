// The extension in the real extension host: it is there, it starts, and it is the one of this project.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activate, ID } from './helper.ts';

describe('activation', () => {
  it('finds the extension', () => {
    assert.ok(vscode.extensions.getExtension(ID), `${ID} is not installed`);
  });

  it('activates', async () => {
    const extension = vscode.extensions.getExtension(ID)!;
    await extension.activate();
    assert.equal(extension.isActive, true);
  });

  it('registers the commands that it contributes, and no others', async () => {
    const manifest = vscode.extensions.getExtension(ID)!.packageJSON as {
      contributes: { commands: { command: string; category?: string }[]; views: Record<string, { id: string }[]> };
    };
    const { commands, views } = manifest.contributes;
    // The editor itself makes some commands for every view: to focus it, to move it, …
    const ofViews = Object.values(views).flatMap((list) => list.map(({ id }) => `${id}.`));
    const registered = (await vscode.commands.getCommands(true)).filter(
      (id) => id.startsWith('irqscope.') && !ofViews.some((start) => id.startsWith(start)),
    );
    assert.deepEqual(registered.sort(), commands.map(({ command }) => command).sort());
    for (const { command, category } of commands) assert.equal(category, 'IRQScope', command);
  });

  it('returns an API with a version', async () => {
    const api = await activate();
    assert.equal(api.version, 1);
    for (const name of ['open', 'moveTo'] as const) assert.equal(typeof api[name], 'function');
    assert.ok('active' in api);
  });

  it('runs in an editor that says its name', () => {
    assert.notEqual(vscode.env.appName, '');
  });
});
