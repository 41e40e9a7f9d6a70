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

/** The editor was asked for rows that it no longer has, or an error of the extension was not handled. */
const FAULTS = [
  /No tree item with id/,
  /Failed to resolve tree node/,
  /Cannot resolve tree item/,
  /\[error\].*irqscope/i,
];

/**
 * A text was used that the editor had closed without having told the extension host yet. On a busy machine a test that closes texts
 * right after it opened them can meet that moment, so this is only shown.
 */
const DOUBTS = [/Illegal argument: TextEditor/, /TextEditor is closed/];

const linesWith = (log: string, patterns: readonly RegExp[]): string[] =>
  log.split('\n').filter((line) => patterns.some((pattern) => pattern.test(line)));

/** The lines of a log that tell of a fault of this extension. */
export const faultsIn = (log: string): string[] => linesWith(log, FAULTS);

/** The lines that are worth a look. */
export const doubtsIn = (log: string): string[] => linesWith(log, DOUBTS);
