import * as vscode from 'vscode';
import { type PathTarget, resolvePath } from '../query/paths.ts';
import type { OutlineRow } from '../view/outline/rows.ts';
import type { OpenTrace, Sessions } from './sessions.ts';

/** Anything that names a file: an address, or an address or path as text. */
export type FileArgument = vscode.Uri | string;

/** The file that an argument names: an address, a text, or a row of the view Traces; undefined for anything else. */
export function toUri(file: unknown): vscode.Uri | undefined {
  if (file instanceof vscode.Uri) return file;
  if (typeof file === 'string' && file !== '')
    return /^[a-z][\w+.-]+:\/\//i.test(file) ? vscode.Uri.parse(file) : vscode.Uri.file(file);
  if (typeof file !== 'object' || file === null) return undefined;
  if ('trace' in file) return (file.trace as OpenTrace).uri;
  // An address that went through JSON, as the arguments of links do.
  if ('scheme' in file && 'path' in file) return vscode.Uri.from(file as { scheme: string; path: string });
  return undefined;
}

/** What a command is about: an object of a trace, perhaps a key or field of it. */
export interface Subject {
  readonly trace: OpenTrace;
  readonly path: string;
  readonly target: PathTarget;
}

/** Whether an argument of a command is a row of a tree. */
export const isRow = (value: unknown): value is OutlineRow =>
  typeof value === 'object' && value !== null && 'node' in value && 'kind' in value && 'path' in value;

/** The target of a row. It is exact, where the path of the row could also mean something else. */
function targetOfRow(row: OutlineRow, trace: OpenTrace): PathTarget {
  const { node, key, field } = row;
  const type = trace.session.trace.world.type(node.object);
  const cell = key === undefined ? undefined : type?.cells.find((c) => c.name === key);
  return {
    node,
    object: node.object,
    type,
    ...(key === undefined ? {} : { key }),
    ...(cell === undefined ? {} : { cell }),
    ...(field === undefined ? {} : { field }),
  };
}

/** The object that a command was called for: a row of a tree, a path, or else the selected object. If there is none, a text that says why. */
export function subjectOf(sessions: Sessions, trace: OpenTrace | undefined, argument: unknown): Subject | string {
  const of = trace ?? sessions.active;
  if (!of) return 'No trace is open.';
  if (isRow(argument)) return { trace: of, path: argument.path, target: targetOfRow(argument, of) };
  const path = typeof argument === 'string' ? argument : of.session.selection;
  if (path === undefined) return 'No object is selected. Select one in Domains, Devices or CPUs.';
  const target = resolvePath(of.session.trace.world, path);
  return target ? { trace: of, path, target } : `${of.label} never names ${path}.`;
}
