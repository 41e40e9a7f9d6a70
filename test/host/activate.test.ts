// The extension in the real extension host: it is there, it starts, and it is the one of this project.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';

const ID = 'irqscope.irqscope';

describe('activation', () => {
  it('finds the extension', () => {
    assert.ok(vscode.extensions.getExtension(ID), `${ID} is not installed`);
  });

  it('activates', async () => {
    const extension = vscode.extensions.getExtension(ID)!;
    await extension.activate();
    assert.equal(extension.isActive, true);
  });

  it('registers every command that it contributes', async () => {
    const manifest = vscode.extensions.getExtension(ID)!.packageJSON as {
      contributes?: { commands?: { command: string }[] };
    };
    const contributed = (manifest.contributes?.commands ?? []).map((entry) => entry.command);
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      contributed.filter((id) => !registered.has(id)),
      [],
    );
  });

  it('runs in an editor that says its name', () => {
    assert.notEqual(vscode.env.appName, '');
  });
});
