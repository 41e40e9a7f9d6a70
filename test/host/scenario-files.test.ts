// What the editor offers in scenario files: lenses that run and compare, objects for completion, problems that the schema cannot tell.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activate, active, closeAll, eventually, useFolder } from './helper.ts';

const MSIX = 'device/0000:03:00.0/msix/1';
const TEXT = `{
  // A function with two vectors.
  "title": "Two vectors",
  "description": "Cause after cause in the second.",
  "devices": [{ "bdf": "0000:03:00.0", "name": "nvme", "vectors": 2 }],
  "policies": { "vectorCleanup": "timer", "affinityStrategy": "direct" },
  "workload": [
    { "at": "100us", "op": "device.raise", "object": "${MSIX}", "every": "20us", "times": 5 },
    { "at": "900us", "op": "irq.affinity", "object": "irq/25", "cpus": [1] }
  ]
}
`;

const whole = (document: vscode.TextDocument): vscode.Range =>
  new vscode.Range(new vscode.Position(0, 0), document.lineAt(document.lineCount - 1).range.end);

describe('scenario files', () => {
  const file = useFolder();
  beforeEach(closeAll);
  afterEach(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  let next = 1;
  /** A scenario file in an editor. */
  const opened = async (text = TEXT): Promise<vscode.TextDocument> => {
    await activate();
    const document = await vscode.workspace.openTextDocument(file(`own-${next++}.scenario.json`, text));
    await vscode.window.showTextDocument(document);
    return document;
  };
  const changed = async (document: vscode.TextDocument, text: string): Promise<void> => {
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, whole(document), text);
    assert.ok(await vscode.workspace.applyEdit(edit));
  };
  const lensesOf = async (document: vscode.TextDocument): Promise<vscode.Command[]> => {
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
      'vscode.executeCodeLensProvider',
      document.uri,
      100,
    );
    return lenses.flatMap(({ command }) => (command?.command.startsWith('irqscope.') ? [command] : []));
  };
  const offered = async (document: vscode.TextDocument, before: string): Promise<string[]> => {
    const place = document.positionAt(document.getText().indexOf(before) + before.length);
    const list = await vscode.commands.executeCommand<vscode.CompletionList>(
      'vscode.executeCompletionItemProvider',
      document.uri,
      place,
    );
    return list.items.filter((item) => /object of /.test(item.detail ?? '')).map(({ label }) => String(label));
  };

  it('have lenses that run what stands in the editor, saved or not', async () => {
    const document = await opened();
    const lenses = await lensesOf(document);
    assert.deepEqual(
      lenses.map(({ title }) => title),
      ['$(play) Run', '$(graph) Compare Policy…', 'Compare vectorCleanup', 'Compare affinityStrategy'],
    );
    await changed(document, TEXT.replace('"Two vectors"', '"Not saved"'));
    const [first] = await lensesOf(document);
    await vscode.commands.executeCommand(first!.command, ...(first!.arguments ?? []));
    assert.equal((await active()).label, 'Not saved');
  });

  it('have lenses that compare a policy, without a run', async () => {
    const document = await opened();
    const lens = (await lensesOf(document)).find(({ title }) => title === 'Compare vectorCleanup');
    const text = await vscode.commands.executeCommand<string>(lens!.command, ...(lens!.arguments ?? []));
    assert.match(text, /^# Two vectors: vectorCleanup\n/);
  });

  it('offer the objects of the scenario to which the operation is done', async () => {
    const document = await opened(TEXT.replace(`"${MSIX}"`, '""'));
    assert.deepEqual(await offered(document, '"device.raise", "object": "'), [
      'device/0000:03:00.0/msix/0',
      'device/0000:03:00.0/msix/1',
    ]);
    const irqs = await offered(document, '"irq.affinity", "object": "irq/');
    assert.deepEqual(irqs, ['irq/24', 'irq/25']);
    // While the text is no JSON, what was there before is offered.
    await changed(document, TEXT.replace(`"${MSIX}",`, '"dev'));
    assert.equal((await offered(document, '"device.raise", "object": "dev')).length, 2);
    // So is what stands before the task, where the text was no JSON from the beginning.
    const fresh = await opened(TEXT.replace(`"${MSIX}",`, '"dev'));
    assert.equal((await offered(fresh, '"device.raise", "object": "dev')).length, 2);
  });

  it('have problems that the schema cannot tell, at their place', async () => {
    const document = await opened();
    const problems = (): vscode.Diagnostic[] =>
      vscode.languages.getDiagnostics(document.uri).filter(({ source }) => source === 'IRQScope');
    assert.deepEqual(problems(), []);
    await changed(
      document,
      TEXT.replace('"devices": [', '"platform": { "arch": "arm64", "remap": "vtd" }, "devices": [').replace(
        'irq/25',
        'cpu/1',
      ),
    );
    await eventually(() => assert.equal(problems().length, 2));
    const [platform, object] = problems();
    assert.match(platform!.message, /^an arm64 host has no VT-d unit/);
    assert.equal(document.getText(platform!.range), '"vtd"');
    assert.match(object!.message, /^irq.affinity is done to irq\/\*/);
    assert.equal(document.getText(object!.range), '"cpu/1"');
    await changed(document, TEXT);
    await eventually(() => assert.deepEqual(problems(), []));
  });
});
