import * as vscode from 'vscode';
import { eventText } from '../../query/events.ts';
import type { Stop } from '../../session/stop.ts';
import { stopText } from '../../session/stop.ts';
import { findEvents } from '../events/find-events.ts';
import type { Searcher } from '../events/searcher.ts';
import { type FileArgument, subjectOf } from '../selected.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { askFilter } from '../stops/filter-box.ts';
import { pickBreakpoints, pickCheckpoint } from '../stops/lists.ts';
import { isStopRow } from '../views/stop-parts.ts';
import { type Handlers, say } from './handlers.ts';

/** What these commands use. */
export interface StopServices {
  readonly sessions: Sessions;
  readonly searcher: Searcher;
}

/** Commands for breakpoints, checkpoints and searches. Each takes the trace as its last argument. */
export function stopCommands(
  { sessions, searcher }: StopServices,
  find: (file: FileArgument | undefined) => OpenTrace | undefined,
): Handlers {
  /** Adds a breakpoint; gives it as text. */
  const add = (trace: OpenTrace, stop: Stop): string => {
    trace.session.stops.setBreakpoint(stop);
    say(`a breakpoint is set: ${stopText(stop)}`);
    return stopText(stop);
  };
  return {
    addBreakpoint: async (argument?: unknown, file?: FileArgument) => {
      const trace = find(file);
      if (!trace) return undefined;
      const given = typeof argument === 'string' ? { to: 'filter', filter: argument } : argument;
      const { isStop } = await import('../../session/stops.ts');
      if (isStop(given)) return add(trace, given);
      const value = typeof argument === 'string' ? { value: argument } : {};
      const filter = await askFilter(trace, { title: 'Add Breakpoint', action: 'Stop at', ...value });
      return filter === undefined ? undefined : add(trace, { to: 'filter', filter });
    },
    watch: (object?: unknown, file?: FileArgument) => {
      const subject = subjectOf(sessions, find(typeof file === 'object' && 'node' in file ? undefined : file), object);
      if (typeof subject === 'string') return void say(subject);
      const { trace, path } = subject;
      const stop: Stop = { to: 'change', path };
      if (!trace.session.stops.breakpoint(stop)) return add(trace, stop);
      trace.session.stops.removeBreakpoint(stop);
      say(`no breakpoint any more: ${stopText(stop)}`);
      return undefined;
    },
    breakpoints: async (file?: FileArgument) => {
      const trace = find(file);
      if (trace) await pickBreakpoints(trace);
    },
    setCheckpoint: async (name?: unknown, file?: FileArgument) => {
      const trace = find(file);
      if (!trace) return undefined;
      const { session } = trace;
      const { cursor, stops } = session;
      if (cursor < 0) return void say('before the first event there is no step to come back to');
      const value = eventText(session.trace, cursor).split(' ').slice(0, 2).join(' ');
      const chosen =
        typeof name === 'string' && name.trim() !== ''
          ? name
          : await vscode.window.showInputBox({
              title: `Set Checkpoint at Step ${cursor}`,
              prompt: 'Name of the step; a name that is there moves here',
              value,
            });
      if (chosen === undefined || chosen.trim() === '') return undefined;
      stops.setCheckpoint(chosen.trim(), cursor);
      return chosen.trim();
    },
    goToCheckpoint: async (name?: unknown, file?: FileArgument) => {
      const trace = find(file);
      if (!trace) return undefined;
      const { session } = trace;
      const chosen =
        typeof name === 'string' ? session.stops.checkpoints.find((c) => c.name === name) : await pickCheckpoint(trace);
      if (!chosen) {
        if (typeof name === 'string') say(`there is no checkpoint ${name}`);
        return undefined;
      }
      sessions.activate(trace);
      const result = session.move({ to: 'step', step: chosen.step });
      if (typeof result === 'number') return result;
      return void say(result.refused);
    },
    findEvents: async (argument?: unknown, file?: FileArgument) => {
      const trace = find(file);
      if (!trace) return undefined;
      const given = typeof argument === 'string';
      const filter = given ? argument : await askFilter(trace, { title: 'Find Events', action: 'Find' });
      if (filter === undefined) return undefined;
      const counted = findEvents(trace, filter, searcher);
      // A user who was asked gets the list; a caller who gave the filter only marks the events.
      if (!given) {
        sessions.activate(trace);
        await vscode.commands.executeCommand('irqscope.showEvents');
      }
      return counted;
    },
    showEvents: () => vscode.commands.executeCommand('irqscope.events.focus'),
    clearFound: async (file?: FileArgument) => {
      const trace = find(file);
      if (trace) await searcher.look(trace.session, '');
    },
    removeStop: (row?: unknown) => {
      if (!isStopRow(row)) return;
      const { stops } = row.trace.session;
      if ('stop' in row.of) stops.removeBreakpoint(row.of.stop);
      else stops.removeCheckpoint(row.of.checkpoint);
    },
  };
}
