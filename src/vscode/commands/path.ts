import * as vscode from 'vscode';
import type { Step } from '../../base/ids.ts';
import { funnelText } from '../../query/delivery/funnel-text.ts';
import { nearText } from '../../query/delivery/near.ts';
import { pathText } from '../../query/delivery/path.ts';
import { eventAbout } from '../../query/next.ts';
import { objectsBelow, resolvePath } from '../../query/paths.ts';
import type { StepRange } from '../../session/session.ts';
import { showInfo } from '../message.ts';
import { type FileArgument, isRow } from '../selected.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import type { Funnels } from '../views/funnels.ts';
import type { PathTree } from '../views/path-view.ts';
import { type Handlers, say } from './handlers.ts';

/** What the commands about delivery paths use. */
export interface PathServices {
  readonly sessions: Sessions;
  readonly funnels: Funnels;
  readonly paths: PathTree;
}

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

/** The other events of what an argument tells of, by their steps: the evidence of a finding. */
function eventsIn(argument: unknown): readonly Step[] {
  const { events } = (typeof argument === 'object' && argument !== null ? argument : {}) as { events?: unknown };
  return Array.isArray(events) ? events.filter((step): step is Step => Number.isInteger(step)) : [];
}

/** The events that an argument names by their steps, `{from?, to?}`; undefined when it names none. */
function windowIn(trace: OpenTrace, argument: unknown): StepRange | undefined {
  const { from, to } = (typeof argument === 'object' && argument !== null ? argument : {}) as Record<string, unknown>;
  const [first, last] = [from, to].map((step) => (Number.isInteger(step) ? Math.max(0, step as number) : undefined));
  if (first === undefined && last === undefined) return undefined;
  const end = trace.session.trace.length - 1;
  return { from: first ?? 0, to: Math.min(end, last ?? end) };
}

/** The object whose deliveries are counted: that of the argument, the selected one, or that of the path which is shown. */
function countedIn(trace: OpenTrace, argument: unknown): string | undefined {
  const { session } = trace;
  return objectIn(argument) ?? session.selection ?? session.path?.hops[0]?.object;
}

/** Says that an event belongs to no delivery, and offers what happened to its object instead. */
function noPath(trace: OpenTrace, step: Step, refused: string): undefined {
  const { table, world } = trace.session.trace;
  const object = world.path(table.object(step));
  const history = 'Show History';
  void showInfo(`${refused[0]!.toUpperCase()}${refused.slice(1)}.`, history).then((choice) => {
    if (choice === history) void vscode.commands.executeCommand('irqscope.showHistory', object, trace.uri);
  });
}

/** Commands about the delivery path of an interrupt. */
export function pathCommands(
  { sessions, funnels, paths }: PathServices,
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
      const events = eventsIn(argument);
      const path = trace.session.showWay(step, events);
      if ('refused' in path) return noPath(trace, step, path.refused);
      if (path.near !== undefined) say(nearText(path.near));
      sessions.activate(trace);
      paths.lead('path');
      await vscode.commands.executeCommand('irqscope.path.focus', { preserveFocus: true });
      return path;
    },
    showFunnel: async (argument?: unknown, file?: FileArgument) => {
      const trace = traceOf(argument, file);
      if (!trace) return undefined;
      const path = countedIn(trace, argument);
      if (path === undefined) return void say('select an interrupt or an object first');
      // The path of a key or a field names the object that it belongs to.
      const object = resolvePath(trace.session.trace.world, path)?.node.path;
      if (object === undefined) return void say(`${trace.label} never names ${path}`);
      sessions.activate(trace);
      paths.lead('funnel');
      const counting = funnels.show(trace, object, windowIn(trace, argument));
      await vscode.commands.executeCommand('irqscope.path.focus', { preserveFocus: true });
      const shown = await counting;
      return shown?.counted && { object, from: shown.from, to: shown.to, ...shown.counted.funnel };
    },
    copyDelivery: async (file?: FileArgument) => {
      const trace = find(file);
      const path = trace?.session.path;
      const funnel = funnels.of(trace);
      const lines = [
        ...(path ? pathText(path) : []),
        ...(funnel?.counted ? funnelText(funnel, funnel.counted.funnel) : []),
      ];
      if (lines.length === 0) return void say('no delivery path is shown');
      const text = `${lines.join('\n')}\n`;
      await vscode.env.clipboard.writeText(text);
      say('the delivery path is on the clipboard');
      return text;
    },
    hidePath: (file?: FileArgument) => {
      const trace = find(file);
      trace?.session.hidePath();
      if (trace) funnels.hide(trace);
    },
  };
}
