import * as vscode from 'vscode';
import { tell } from '../commands/handlers.ts';
import type { OpenTrace } from '../sessions.ts';
import type { Searcher } from './searcher.ts';

/** A search that takes longer than this says so, and can be stopped there. */
const PATIENCE_MS = 500;

/**
 * Looks for the events that fit a filter. They are told apart in the timeline and in the list of events until others are looked for. Gives how many there are; undefined
 * when the filter cannot be read, the user stops the search, or another one takes its place.
 */
export async function findEvents(trace: OpenTrace, text: string, searcher: Searcher): Promise<number | undefined> {
  const { stopProblem } = await import('../../session/until.ts');
  const problem = stopProblem({ to: 'filter', filter: text });
  if (problem !== undefined) return void tell(`the filter cannot be read, ${problem}`);
  const { session } = trace;
  await searcher.look(session, text.trim());
  const ended = searcher.ended(session);
  const late = new Promise<true>((done) => {
    setTimeout(() => done(true), PATIENCE_MS);
  });
  if ((await Promise.race([ended, late])) === true) {
    const options = { location: vscode.ProgressLocation.Notification, title: 'Looking for events', cancellable: true };
    await vscode.window.withProgress(options, (_, token) => {
      token.onCancellationRequested(() => searcher.stop(session));
      return ended;
    });
  }
  const { search } = session;
  return search?.text === text.trim() && search.complete ? search.hits.size : undefined;
}
