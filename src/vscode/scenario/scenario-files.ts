import * as vscode from 'vscode';

/** Scenario files: JSON with comments. */
export const SCENARIO_FILES: vscode.DocumentSelector = { language: 'jsonc', pattern: '**/*.scenario.json' };

/** Whether an address is that of a scenario file. */
export const isScenarioFile = (uri: vscode.Uri | undefined): boolean => uri?.path.endsWith('.scenario.json') === true;

/** Texts longer than this get no lens, no completion of paths and no problems of ours. */
const LONGEST_TEXT = 1_000_000;

/** Whether a scenario's text is short enough to be looked at while it is typed. */
export const isLooked = (document: vscode.TextDocument): boolean =>
  isScenarioFile(document.uri) && document.getText().length <= LONGEST_TEXT;

/** The text of a scenario file: as it stands in the editor, saved or not; else as the file has it. */
export async function scenarioText(uri: vscode.Uri): Promise<string> {
  const key = uri.toString();
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === key);
  return open?.getText() ?? new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
}
