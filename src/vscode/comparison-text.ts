import * as vscode from 'vscode';

const SCHEME = 'irqscope-comparison';
/** Comparisons that are kept for documents that are open. */
const MOST_KEPT = 50;

/** Texts of comparisons of policies: read-only Markdown documents, which the editor shows as pages. */
export class ComparisonTexts implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #texts = new Map<string, string>();
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  #next = 1;

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.path) ?? 'This comparison was closed.\n';
  }

  /** Shows a text as a page; where the editor cannot, as text. */
  async show(name: string, text: string): Promise<vscode.Uri> {
    const path = `/${this.#next++}/${name.replaceAll('/', '-')}.md`;
    this.#texts.set(path, text);
    for (const old of [...this.#texts.keys()].slice(0, -MOST_KEPT)) this.#texts.delete(old);
    const uri = vscode.Uri.from({ scheme: SCHEME, path });
    // The command starts the extension that has it; a list of commands does not show it before.
    try {
      await vscode.commands.executeCommand('markdown.showPreview', uri);
    } catch {
      await vscode.window.showTextDocument(uri, { preview: true });
    }
    return uri;
  }

  dispose(): void {
    this.#registration.dispose();
  }
}
