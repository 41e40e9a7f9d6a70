import type * as vscode from 'vscode';
import { baseName, type OpenTrace } from './entry.ts';

/** The names of files that are opened together, by the paths of their addresses: what lies behind their common folder. A name that is taken gets more of its path. */
export function namesFor(paths: readonly string[], taken: ReadonlySet<string>): string[] {
  const parts = paths.map((path) => path.split('/').filter((part) => part !== ''));
  let common = 0;
  while (parts.every((all) => common < all.length - 1 && all[common] === parts[0]![common])) common++;
  const used = new Set(taken);
  return parts.map((all) => {
    let from = Math.max(0, Math.min(common, all.length - 1));
    const name = (): string => all.slice(from).join('/');
    while (used.has(name()) && from > 0) from--;
    let free = name();
    for (let n = 2; used.has(free); n++) free = `${name()} (${n})`;
    used.add(free);
    return free;
  });
}

/** Whether a trace is known by something else than by one of its sources: by a session file. */
export const isOfSession = ({ uri, files }: OpenTrace): boolean =>
  files.length > 0 && !files.some(({ given }) => given.uri.toString() === uri.toString());

/** The name of a trace of several sources. */
export function labelOf(sources: readonly { readonly uri: vscode.Uri }[]): string {
  const all = new Map(sources.map(({ uri }) => [uri.toString(), uri]));
  const [first, second, ...more] = [...all.values()].map(baseName);
  if (second === undefined) return first ?? '';
  return more.length === 0 ? `${first} + ${second}` : `${first} + ${more.length + 1} more`;
}
