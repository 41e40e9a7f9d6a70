// What the extension host of the embedded editor logged, and which of it tells of a fault of this extension.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Everything that the extension hosts of a server have logged so far. */
export function hostLog(dataDir: string): string {
  const folder = join(dataDir, 'data', 'logs');
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  const logs = names.filter((name) => /exthost\w*\.log$/.test(name));
  return logs.map((name) => readFileSync(join(folder, name), 'utf8')).join('');
}

/**
 * The editor was asked for rows that it no longer has, a text was used that the editor had closed, or an error of the extension was not
 * handled.
 */
const FAULTS = [
  /No tree item with id/,
  /Failed to resolve tree node/,
  /Cannot resolve tree item/,
  /Illegal argument: TextEditor/,
  /TextEditor is closed/,
  /\[error\].*irqscope/i,
];

/** The lines of a log that tell of a fault of this extension. */
export const faultsIn = (log: string): string[] =>
  log.split('\n').filter((line) => FAULTS.some((pattern) => pattern.test(line)));
