import * as vscode from 'vscode';
import type { DocumentProblem } from '../../base/json.ts';
import type { ReadRule } from '../../check/user/read.ts';
import type { Suppression } from '../../check/user/suppressions.ts';
import { writeWhole } from '../safe-write.ts';

const FOLDER = '.irqscope';
const RULES = `${FOLDER}/rules.json`;
const SUPPRESSIONS = `${FOLDER}/suppressions.json`;

/** What the user has written into the folders of the workspace: rules, and what is not to be told. It is only read, until the user suppresses something. */
export class UserFiles implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<'rules' | 'suppressions'>();
  readonly #problems = vscode.languages.createDiagnosticCollection('irqscope-files');
  readonly #watches: vscode.Disposable[] = [];
  #rules: readonly ReadRule[] = [];
  /** By folder. */
  #suppressions = new Map<string, readonly Suppression[]>();
  /** The suppression that is being written; the next one builds on its file. */
  #writing: Promise<void> = Promise.resolve();
  /** The reading that goes on; the next one waits for it, so that what was read last holds. */
  #reading: Promise<void> = Promise.resolve();
  /** Resolves when the files were read that were there at the start. */
  readonly ready: Promise<void>;

  /** Rules or suppressions are other ones now. */
  readonly onDidChange: vscode.Event<'rules' | 'suppressions'> = this.#changed.event;

  constructor() {
    for (const [name, what] of [
      [RULES, 'rules'],
      [SUPPRESSIONS, 'suppressions'],
    ] as const) {
      const watcher = vscode.workspace.createFileSystemWatcher(`**/${name}`);
      const again = (): void => void this.#read(what);
      this.#watches.push(watcher, watcher.onDidChange(again), watcher.onDidCreate(again), watcher.onDidDelete(again));
    }
    const all = async (): Promise<void> => {
      await Promise.all([this.#read('rules'), this.#read('suppressions')]);
    };
    // Of a folder that is deleted with its files, only the folder is told. Of one that is created, too, when its files
    // are written before the editor watches it.
    const folders = vscode.workspace.createFileSystemWatcher(`**/${FOLDER}`, false, true);
    this.#watches.push(
      folders,
      folders.onDidCreate(() => void all()),
      folders.onDidDelete(() => void all()),
    );
    this.#watches.push(vscode.workspace.onDidChangeWorkspaceFolders(() => void all()));
    this.ready = all();
  }

  get rules(): readonly ReadRule[] {
    return this.#rules;
  }

  /** The suppressions that hold for a trace file, and its name in them. */
  suppressionsFor(uri: vscode.Uri): { readonly all: readonly Suppression[]; readonly file: string } {
    const folder = vscode.workspace.getWorkspaceFolder(uri) ?? vscode.workspace.workspaceFolders?.[0];
    return {
      all: folder ? (this.#suppressions.get(folder.uri.toString()) ?? []) : [],
      file: nameIn(folder, uri),
    };
  }

  /** Adds a suppression to the file of the folder that holds a trace. Throws where there is no folder, or the file is none of these. */
  async suppress(uri: vscode.Uri, what: { readonly rule: string; readonly object: string }): Promise<void> {
    const { withSuppression } = await import('../../check/user/suppressions.ts');
    await this.#change(uri, (text, file) => withSuppression(text, { ...what, file }));
  }

  /**
   * Takes the suppressions of a finding out of the file; what else it holds stays. Throws where the file is none of these, or no longer has
   * any of them.
   */
  async stopSuppressing(uri: vscode.Uri, what: { readonly rule: string; readonly object: string }): Promise<void> {
    const { withoutSuppression } = await import('../../check/user/suppressions.ts');
    await this.#change(uri, (text, file) => {
      const left = text === undefined ? undefined : withoutSuppression(text, { ...what, file });
      if (left === undefined) throw new Error(`${SUPPRESSIONS} does not suppress it`);
      return left;
    });
  }

  /**
   * Writes the file of suppressions again, when what is being written now is there. Throws where there is no folder, where the text is open with
   * changes that are not saved, and whatever `change` throws. `change` gets the text, if there is a file, and how the file names the trace.
   */
  #change(uri: vscode.Uri, change: (text: string | undefined, file: string) => string): Promise<void> {
    const written = this.#writing.then(async () => {
      const folder = vscode.workspace.getWorkspaceFolder(uri) ?? vscode.workspace.workspaceFolders?.[0];
      if (!folder) throw new Error('no folder is open in which it could be written down');
      const target = vscode.Uri.joinPath(folder.uri, ...SUPPRESSIONS.split('/'));
      const key = target.toString();
      if (vscode.workspace.textDocuments.some((text) => text.isDirty && text.uri.toString() === key))
        throw new Error(`${SUPPRESSIONS} is open with changes that are not saved`);
      const text = change(await textOf(target), nameIn(folder, uri));
      await vscode.workspace.fs.createDirectory(vscode.Uri.joinPath(target, '..'));
      await writeWhole(target, new TextEncoder().encode(text));
      await this.#read('suppressions');
    });
    // The next one waits for this one, whatever became of it.
    this.#writing = written.catch(() => undefined);
    return written;
  }

  dispose(): void {
    vscode.Disposable.from(...this.#watches, this.#changed, this.#problems).dispose();
  }

  #read(what: 'rules' | 'suppressions'): Promise<void> {
    const read = this.#reading.then(() => this.#readNow(what));
    this.#reading = read.catch(() => undefined);
    return read;
  }

  async #readNow(what: 'rules' | 'suppressions'): Promise<void> {
    const before = textOfRules(this.#rules);
    if (what === 'rules') await this.#readRules();
    else await this.#readSuppressions();
    // Other rules make all traces be judged again.
    if (what === 'suppressions' || textOfRules(this.#rules) !== before) this.#changed.fire(what);
  }

  async #readRules(): Promise<void> {
    const rules: ReadRule[] = [];
    for (const [uri, text] of await this.#texts(RULES)) {
      const { readRules } = await import('../../check/user/read.ts');
      const known = new Set(rules.map(({ id }) => id));
      const read = readRules(text);
      for (const rule of read.rules) if (!known.has(rule.id)) rules.push(rule);
      // Whatever is wrong in the file of a user, traces are judged without it.
      this.#tell(uri, text, read.problems);
    }
    this.#rules = rules;
  }

  async #readSuppressions(): Promise<void> {
    const all = new Map<string, readonly Suppression[]>();
    for (const [uri, text, folder] of await this.#texts(SUPPRESSIONS)) {
      const { suppressionsIn } = await import('../../check/user/suppressions.ts');
      const read = suppressionsIn(text);
      this.#tell(uri, text, Array.isArray(read) ? [] : read.problems);
      if (Array.isArray(read)) all.set(folder.uri.toString(), read);
    }
    this.#suppressions = all;
  }

  async #texts(name: string): Promise<(readonly [vscode.Uri, string, vscode.WorkspaceFolder])[]> {
    const found: (readonly [vscode.Uri, string, vscode.WorkspaceFolder])[] = [];
    for (const folder of vscode.workspace.workspaceFolders ?? []) {
      const uri = vscode.Uri.joinPath(folder.uri, ...name.split('/'));
      const text = await textOf(uri);
      if (text === undefined) this.#problems.delete(uri);
      else found.push([uri, text, folder]);
    }
    return found;
  }

  /** Puts what is wrong in a file into the Problems panel, each at its place. */
  #tell(uri: vscode.Uri, text: string, problems: readonly DocumentProblem[]): void {
    const diagnostics = problems.map(({ from, to, message }) => {
      const range = new vscode.Range(positionIn(text, from), positionIn(text, to));
      const diagnostic = new vscode.Diagnostic(range, message, vscode.DiagnosticSeverity.Error);
      diagnostic.source = 'IRQScope';
      return diagnostic;
    });
    this.#problems.set(uri, diagnostics);
  }
}

/** Where a character of a text stands, as the editor counts lines. The editor shows a text without its byte order mark. */
function positionIn(text: string, offset: number): vscode.Position {
  const lines = text
    .slice(0, offset)
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/);
  return new vscode.Position(lines.length - 1, lines.at(-1)!.length);
}

/** Rules as they stand in their file, to tell others from the same ones. */
const textOfRules = (rules: readonly ReadRule[]): string =>
  JSON.stringify(rules.map((rule) => ({ ...rule, filters: 0 })));

/** The text of a file; undefined where there is none. */
async function textOf(uri: vscode.Uri): Promise<string | undefined> {
  try {
    // A byte order mark stays: what is written again begins with it, too.
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(await vscode.workspace.fs.readFile(uri));
  } catch {
    return undefined;
  }
}

/** A file as suppressions name it: as seen from the folder, or its name where it lies elsewhere. */
function nameIn(folder: vscode.WorkspaceFolder | undefined, uri: vscode.Uri): string {
  const start = folder && `${folder.uri.path}/`;
  if (start !== undefined && folder!.uri.scheme === uri.scheme && uri.path.startsWith(start))
    return uri.path.slice(start.length);
  return uri.path.slice(uri.path.lastIndexOf('/') + 1);
}
