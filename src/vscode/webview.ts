import * as vscode from 'vscode';
import type { After } from '../protocol/rpc.ts';
import type { PageParts } from './timeline/page.ts';

/** The timers of the extension host. */
export const after: After = (ms, then) => {
  const timer = setTimeout(then, ms);
  return () => clearTimeout(timer);
};

function nonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Puts a page of the extension into a webview. `script`, `styles`: names of its files. */
export function fillPage(
  webview: vscode.Webview,
  { extensionUri }: vscode.ExtensionContext,
  { script, styles }: Pick<PageParts, 'script' | 'styles'>,
  page: (parts: PageParts) => string,
): void {
  const files = vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
  const file = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(files, name)).toString();
  webview.options = { enableScripts: true, localResourceRoots: [files] };
  const { cspSource } = webview;
  webview.html = page({ cspSource, nonce: nonce(), script: file(script), styles: styles.map(file) });
}
