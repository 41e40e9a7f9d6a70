import * as vscode from 'vscode';
import type { ChangeKind } from '../../query/changes.ts';

/** Scheme of the addresses that rows have only for their badges; they lead to no document. */
export const ROW_SCHEME = 'irqscope-row';

const COLORS = { A: 'addedForeground', M: 'changedForeground', D: 'removedForeground' } as const;
const TITLES = { A: 'Added by this step', M: 'Changed by this step', D: 'Removed by this step' } as const;

/** The address of a row. The rows above it are its folders, so the editor shows marks on them too. */
export function rowUri(view: string, trace: number, id: string): vscode.Uri {
  return vscode.Uri.from({ scheme: ROW_SCHEME, authority: `${trace}`, path: `/${view}/${id}` });
}

/** What the current step did to a row, and whether the rows above it show that something below them is marked. */
export interface Mark {
  readonly kind: ChangeKind;
  readonly propagate: boolean;
}

/** Tells the mark of a row. */
export type MarkOf = (trace: number, id: string) => Mark | undefined;

/** The badges A, M and D of rows that the current step changed. */
export class Marks implements vscode.FileDecorationProvider, vscode.Disposable {
  readonly #views = new Map<string, MarkOf>();
  readonly #changed = new vscode.EventEmitter<vscode.Uri[]>();
  readonly #registration: vscode.Disposable;

  readonly onDidChangeFileDecorations: vscode.Event<vscode.Uri[]> = this.#changed.event;

  constructor() {
    this.#registration = vscode.window.registerFileDecorationProvider(this);
  }

  /** Adds the rows of a view. */
  add(view: string, markOf: MarkOf): void {
    this.#views.set(view, markOf);
  }

  /** The marks of these rows may have changed. */
  refresh(uris: vscode.Uri[]): void {
    if (uris.length > 0) this.#changed.fire(uris);
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    if (uri.scheme !== ROW_SCHEME) return undefined;
    const [, view = '', ...id] = uri.path.split('/');
    const mark = this.#views.get(view)?.(Number(uri.authority), id.join('/'));
    if (mark === undefined) return undefined;
    const { kind, propagate } = mark;
    const decoration = new vscode.FileDecoration(kind, TITLES[kind], new vscode.ThemeColor(`irqscope.${COLORS[kind]}`));
    decoration.propagate = propagate;
    return decoration;
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }
}
