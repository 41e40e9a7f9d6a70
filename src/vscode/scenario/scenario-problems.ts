import * as vscode from 'vscode';
import { isLooked } from './scenario-files.ts';

/** How long the user must not have typed before a scenario is looked at. */
const QUIET_MS = 300;

/**
 * Problems of open scenario files that the JSON schema cannot tell: two functions with one BDF, a platform that does not exist, an object to
 * which an operation is not done, and the name that a wrong one is nearest to. The editor itself tells those of the schema.
 */
export class ScenarioProblems implements vscode.Disposable {
  readonly #list = vscode.languages.createDiagnosticCollection('irqscope.scenario');
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #watches: readonly vscode.Disposable[];

  constructor() {
    this.#watches = [
      vscode.workspace.onDidOpenTextDocument((document) => this.#soon(document, 0)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.#soon(document, QUIET_MS)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        clearTimeout(this.#timers.get(uri.toString()));
        this.#timers.delete(uri.toString());
        this.#list.delete(uri);
      }),
    ];
    for (const document of vscode.workspace.textDocuments) this.#soon(document, 0);
  }

  #soon(document: vscode.TextDocument, after: number): void {
    if (!isLooked(document)) return;
    const key = document.uri.toString();
    clearTimeout(this.#timers.get(key));
    this.#timers.set(
      key,
      setTimeout(() => {
        this.#timers.delete(key);
        void this.#look(document);
      }, after),
    );
  }

  async #look(document: vscode.TextDocument): Promise<void> {
    const { beyondSchema } = await import('../../sim/text/sound-scenario.ts');
    if (document.isClosed) return;
    const found = beyondSchema(document.getText()).map(({ from, to, problem }) => {
      const range = new vscode.Range(document.positionAt(from), document.positionAt(to));
      const diagnostic = new vscode.Diagnostic(range, problem, vscode.DiagnosticSeverity.Error);
      diagnostic.source = 'IRQScope';
      return diagnostic;
    });
    this.#list.set(document.uri, found);
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const watch of this.#watches) watch.dispose();
    this.#list.dispose();
  }
}
