// What the extension host of the embedded editor logged, and which of it tells of a fault of this extension.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Everything that the extension hosts of a server have logged so far. */
export function hostLog(dataDir: string): string {
  const folder = join(dataDir, 'data', 'logs');
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  const logs = names.filter((name) => /exthost\w*\.log$/.test(name));
  // The path of the server's folder has the name of this project in it; an error of the editor about its own files there is no fault of this extension.
  return logs.map((name) => readFileSync(join(folder, name), 'utf8').replaceAll(dataDir, 'DATA')).join('');
}

/** The editor was asked to show rows that it no longer has, or an error of the extension was not handled. */
const FAULTS = [
  /Failed to resolve tree node/,
  /Cannot resolve tree item/,
  /TextEditor is closed/,
  /\[error\].*irqscope/i,
];

/**
 * A text was used that the editor had closed; the group names the text. The editor tells the extension host that it closed a text only
 * afterwards, so on a busy machine this can happen to one text. When it happens to several, the extension does not wait as it should.
 */
const CLOSED = /Illegal argument: TextEditor\(([^)]*)/;

/**
 * The window asked for the children of a row that a refresh had just replaced; the group names the row. The question was on its way when
 * the refresh came (a person expands a row, or the window is busy between two levels of a tree). The editor answers with no rows and reads
 * the tree again for that refresh, so one row is no fault. Several rows tell that refreshes do not wait for the window (src/vscode/views/refresh-gate.ts).
 */
const REPLACED = /No tree item with id (\S+)/;

/** A host that ends answers nothing any more: the editor cancels the refreshes that are under way, and says so of each. */
const CANCELED = /Unable to refresh tree view [\w.]+: Canceled$/;
const BEGINS = /Extension host with pid \d+ started/;
const ENDS = /Extension host terminating/;

/** The lines of a log that tell of a fault of this extension. */
export function faultsIn(log: string): string[] {
  const lines = log.split('\n');
  const closed = new Set(lines.flatMap((line) => CLOSED.exec(line)?.[1] ?? []));
  const replaced = new Set(lines.flatMap((line) => REPLACED.exec(line)?.[1] ?? []));
  let ending = false;
  return lines.filter((line) => {
    if (BEGINS.test(line)) ending = false;
    if (ENDS.test(line)) ending = true;
    if (ending && CANCELED.test(line)) return false;
    if (closed.size > 1 && CLOSED.test(line)) return true;
    if (replaced.size > 1 && REPLACED.test(line)) return true;
    return FAULTS.some((pattern) => pattern.test(line));
  });
}
