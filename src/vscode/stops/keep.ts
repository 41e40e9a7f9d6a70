import type * as vscode from 'vscode';
import type { OpenTrace, Sessions } from '../sessions.ts';

/** A trace of several sources has steps of its own. */
function keyOf({ uri, files }: OpenTrace): string {
  const given = new Set([uri.toString(), ...files.filter((f) => !f.skipped).map((f) => f.given.uri.toString())]);
  return `stops:${[...given].join(' ')}`;
}

/**
 * Keeps the breakpoints and checkpoints of traces that were read from files until they are opened again in this workspace, in the
 * editor's own store. Those of simulated runs go with the run.
 */
export function keepStops(sessions: Sessions, store: vscode.Memento): vscode.Disposable {
  return sessions.onDidChange(({ what, trace }) => {
    if (!trace || trace.branch) return;
    if (what === 'opened') trace.session.stops.load(store.get(keyOf(trace)));
    if (what !== 'stops') return;
    const { breakpoints, checkpoints } = trace.session.stops;
    const some = breakpoints.length > 0 || checkpoints.length > 0;
    void store.update(keyOf(trace), some ? trace.session.stops.save() : undefined);
  });
}
