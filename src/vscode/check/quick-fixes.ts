import * as vscode from 'vscode';
import { witnesses } from '../../check/report/view.ts';
import type { FindingDiagnostic, Problems } from './problems.ts';

/** What can be done with a finding at its line: the title of the action, its command, and the arguments that the command takes. */
const ACTIONS: readonly (readonly [string, string, (of: FindingDiagnostic) => readonly unknown[]])[] = [
  ['Go to Step', 'goToFinding', (of) => [named(of), of.trace.uri]],
  [
    'Show Delivery Path',
    'showPath',
    ({ finding, trace }) => [{ step: finding.step, events: witnesses(finding) }, trace.uri],
  ],
  ['Show History', 'showHistory', (of) => [pathOf(of), of.trace.uri]],
  ['Copy as Report', 'copyReport', (of) => [named(of), of.trace.uri]],
  ['Suppress Here', 'suppressFinding', (of) => [named(of), of.trace.uri]],
];

const named = ({ finding: { rule, step, object } }: FindingDiagnostic) => ({ rule: rule.id, step, object });
const pathOf = ({ trace, finding }: FindingDiagnostic): string => trace.session.trace.world.path(finding.object);

/** The actions that the editor offers at the line of a finding. */
export class QuickFixes implements vscode.CodeActionProvider, vscode.Disposable {
  readonly #problems: Problems;
  readonly #registration: vscode.Disposable;
  readonly #commands: ReadonlySet<string>;

  /** `commands`: those that the extension has. */
  constructor(problems: Problems, commands: ReadonlySet<string>) {
    this.#problems = problems;
    this.#commands = commands;
    const kinds = { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] };
    this.#registration = vscode.languages.registerCodeActionsProvider('*', this, kinds);
  }

  provideCodeActions(document: vscode.TextDocument, range: vscode.Range): vscode.CodeAction[] {
    return this.#problems.at(document.uri, range).flatMap((diagnostic) =>
      ACTIONS.filter(([, command]) => this.#commands.has(`irqscope.${command}`)).map(([title, command, args]) => {
        const action = new vscode.CodeAction(
          `${title} (${diagnostic.finding.rule.id})`,
          vscode.CodeActionKind.QuickFix,
        );
        action.diagnostics = [diagnostic];
        action.command = { command: `irqscope.${command}`, title, arguments: [...args(diagnostic)] };
        return action;
      }),
    );
  }

  dispose(): void {
    this.#registration.dispose();
  }
}
