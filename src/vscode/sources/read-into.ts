import type * as vscode from 'vscode';
import { breathe } from '../platform.ts';
import type { Entry } from './entry.ts';
import { Cancelled } from './read-files.ts';

/** What the store does with a trace while it is read. */
export interface Shelf {
  /** Puts it into the list as soon as its format is known. */
  readonly show: () => void;
  /** Takes the cursor to the end if it follows it. */
  readonly follow: () => void;
  readonly close: () => void;
  /** It is not being read any more. */
  readonly forget: () => void;
}

/** Reads the bytes of a file into its trace. */
export async function readInto(
  entry: Entry,
  shelf: Shelf,
  chunks: AsyncIterable<Uint8Array>,
  token: vscode.CancellationToken | undefined,
): Promise<void> {
  const { session } = entry;
  const run = entry.run!;
  try {
    for await (const chunk of chunks) {
      if (entry.closed) return;
      if (token?.isCancellationRequested) break;
      run.push(chunk);
      if (entry.size !== undefined) entry.progress = entry.size === 0 ? 1 : Math.min(1, run.bytes / entry.size);
      shelf.show();
      session.grown(false);
      shelf.follow();
    }
    if (entry.closed) return;
    const stopped = token?.isCancellationRequested === true;
    if (stopped && run.format === undefined) throw new Cancelled('opening was cancelled');
    entry.load = (await readToEnd(entry, shelf, stopped ? undefined : token)) && !stopped ? 'ready' : 'stopped';
    if (entry.closed) return;
    shelf.show();
  } catch (error) {
    if (entry.closed) return;
    entry.load = 'failed';
    entry.error = error instanceof Error ? error.message : String(error);
    // The trace keeps what was read before an error. A file of which nothing was understood is not shown at all.
    if (session.trace.length === 0) shelf.close();
    throw error;
  } finally {
    shelf.forget();
    if (!entry.closed) {
      shelf.follow();
      entry.following = false;
      session.grown(true);
    }
  }
}

/** Reads what can be read only when the file is whole, and lets other work run in between; false when the user stopped it. */
export async function readToEnd(
  entry: Entry,
  shelf: Shelf,
  token: vscode.CancellationToken | undefined,
): Promise<boolean> {
  const work = entry.run!.ending();
  while (work.next().done !== true) {
    shelf.show();
    entry.session.grown(false);
    shelf.follow();
    await breathe();
    if (entry.closed || token?.isCancellationRequested) return false;
  }
  return true;
}
