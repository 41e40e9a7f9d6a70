import * as vscode from 'vscode';
import type { Step } from '../../base/ids.ts';
import { pathText } from '../../query/delivery/path.ts';
import { eventAbout } from '../../query/next.ts';
import { objectsBelow, resolvePath } from '../../query/paths.ts';
import { type FileArgument, isRow } from '../selected.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { type Handlers, say } from './handlers.ts';

/** The path of the object that an argument names, if it names one. */
function objectIn(argument: unknown): string | undefined {
  if (typeof argument === 'string') return argument;
  if (isRow(argument)) return argument.path;
  if (typeof argument !== 'object' || argument === null) return undefined;
  const { object } = argument as { object?: unknown };
  return typeof object === 'string' ? object : undefined;
}

/** The event whose delivery is asked for: the step of the argument, an event about its object near the cursor, or the cursor. */
function stepOf(trace: OpenTrace, argument: unknown): Step | string {
  const { session } = trace;
  const { step } = (typeof argument === 'object' && argument !== null ? argument : {}) as { step?: unknown };
  if (typeof step === 'number') return step;
  const path = objectIn(argument);
  if (path === undefined) return session.cursor;
  const target = resolvePath(session.trace.world, path);
  if (!target) return `${trace.label} never names ${path}`;
  const objects = objectsBelow(target.node);
  const before = eventAbout(session.trace, objects, session.cursor + 1, -1);
  const at = before >= 0 ? before : eventAbout(session.trace, objects, session.cursor, 1);
  return at >= 0 ? at : `no event is about ${path}`;
}

/** Commands about the delivery path of an interrupt. */
export function pathCommands(
  sessions: Sessions,
  find: (file: FileArgument | undefined) => OpenTrace | undefined,
): Handlers {
  const traceOf = (argument: unknown, file: FileArgument | undefined): OpenTrace | undefined => {
    const { trace } = (typeof argument === 'object' && argument !== null ? argument : {}) as { trace?: unknown };
    const named = file ?? (trace instanceof vscode.Uri || typeof trace === 'string' ? trace : undefined);
    return find(typeof named === 'object' && 'node' in named ? undefined : named);
  };
  return {
    showPath: async (argument?: unknown, file?: FileArgument) => {
      const trace = traceOf(argument, file);
      if (!trace) return undefined;
      const step = stepOf(trace, argument);
      if (typeof step === 'string') return void say(step);
      const path = trace.session.showPath(step);
      if ('refused' in path) return void say(path.refused);
      sessions.activate(trace);
      await vscode.commands.executeCommand('irqscope.path.focus', { preserveFocus: true });
      return path;
    },
    copyDelivery: async (file?: FileArgument) => {
      const { path } = find(file)?.session ?? {};
      if (!path) return void say('no delivery path is shown');
      const text = `${pathText(path).join('\n')}\n`;
      await vscode.env.clipboard.writeText(text);
      say('the delivery path is on the clipboard');
      return text;
    },
    hidePath: (file?: FileArgument) => find(file)?.session.hidePath(),
  };
}
