import * as vscode from 'vscode';
import { stateTree, targetValue } from '../../query/state.ts';
import { type Value, valueText } from '../../query/view.ts';
import { lastWrite } from '../../query/writes.ts';
import { outlineOf } from '../../view/presentation/sections.ts';
import { showHistory } from '../history-pick.ts';
import { type FileArgument, subjectOf } from '../selected.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { revealLine, uriOf } from '../text.ts';
import { filePlaceOf } from '../text-place.ts';
import type { OutlineView } from '../views/outline-view.ts';
import { type Handlers, say } from './handlers.ts';

/** Commands about the state and its objects. Those about an object take a path (or a row of a tree), then the trace. */
export function objectCommands(
  sessions: Sessions,
  find: (file: FileArgument | undefined) => OpenTrace | undefined,
  views: readonly OutlineView[],
): Handlers {
  const about =
    <T>(work: (subject: Exclude<ReturnType<typeof subjectOf>, string>) => T) =>
    (object?: unknown, file?: FileArgument): T | undefined => {
      const subject = subjectOf(sessions, find(typeof file === 'object' && 'node' in file ? undefined : file), object);
      if (typeof subject !== 'string') return work(subject);
      say(subject);
      return undefined;
    };
  return {
    toggleUnchanged: (file?: FileArgument) => {
      const session = find(file)?.session;
      session?.showOnlyChanged(!session.onlyChanged);
    },
    copyState: async (file?: FileArgument) => {
      const trace = find(file);
      if (!trace) return undefined;
      const text = JSON.stringify(stateTree(trace.session.state), null, 2);
      await vscode.env.clipboard.writeText(text);
      say(`the state at step ${trace.session.cursor} is on the clipboard`);
      return text;
    },
    copyValue: about(async ({ trace, target }) => {
      const value = targetValue(trace.session.state, target);
      const whole = target.key === undefined;
      const text = whole ? JSON.stringify(value, null, 2) : plainText(value as Value);
      await vscode.env.clipboard.writeText(text);
      return text;
    }),
    copyPath: about(async ({ path }) => {
      await vscode.env.clipboard.writeText(path);
      return path;
    }),
    revealWrite: about(async ({ trace, path, target }) => {
      const { session } = trace;
      const step = lastWrite(session.trace, target, session.cursor);
      if (step < 0) return void say(`nothing wrote ${path} up to here`);
      const { uri, line } = filePlaceOf(trace, step);
      await revealLine(trace, line + 1, uri);
      return line + 1;
    }),
    showHistory: about(showHistory),
    showObject: about(async ({ trace, path }) => {
      sessions.activate(trace);
      trace.session.select(path);
      const view = views.find((v) => v.name === outlineOf(path));
      if (view && !(await view.reveal(path, false))) say(`at this step there is no ${path}`);
    }),
    revealLine: (file?: FileArgument, line?: unknown, source?: unknown) => {
      const trace = find(file);
      if (trace && typeof line === 'number')
        return revealLine(trace, line, typeof source === 'string' ? uriOf(trace, source) : undefined);
      return undefined;
    },
  };
}

/** A value as the clipboard gets it: flags as true and false, unknown values as a question mark. */
function plainText(value: Value): string {
  return typeof value === 'boolean' ? String(value) : valueText(value);
}
