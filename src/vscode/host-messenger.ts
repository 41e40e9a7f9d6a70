import type * as vscode from 'vscode';
import { Messenger } from 'vscode-messenger';

/**
 * The host's end of the line to a webview. It sends nothing to a hidden page; a page that is shown again asks for everything. The editor hides
 * a page before it tells the host so: what is sent in between does not arrive, which is no error.
 */
export class HostMessenger extends Messenger {
  readonly #log: Pick<vscode.LogOutputChannel, 'debug' | 'warn' | 'error'>;

  constructor(log: Pick<vscode.LogOutputChannel, 'debug' | 'warn' | 'error'>) {
    super();
    this.#log = log;
  }

  protected override log(text: string, level: 'debug' | 'warn' | 'error' = 'debug'): void {
    this.#log[text.startsWith('Failed to send ') ? 'debug' : level](text);
  }
}
