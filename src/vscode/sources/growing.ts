import type { ImportRun } from '../../import/run.ts';
import type { Continuation } from '../../session/session.ts';
import type { Entry, FollowState, OpenTrace } from './entry.ts';

/** A trace of a file that grows. */
export interface Growing {
  readonly trace: OpenTrace;
  /** Takes the next bytes of the file. */
  feed(chunk: Uint8Array): void;
  /** All that is there was taken: the trace is brought up to date, and the cursor goes to its end if it was there. */
  settle(): void;
  /** The user looks back, or does so no more. */
  pause(on: boolean): void;
  /** It turned out to be no trace. */
  abandon(): void;
  /** The file does not grow any more: what was kept back is read. */
  end(): Promise<void>;
}

/** What brings the further events of a followed file: none by stepping, they come by themselves. */
export const continuation = (): Continuation & { finished: boolean } => ({
  finished: false,
  step: () => false,
  waits: 'this is the last event so far; the file is followed',
});

/** What the store does for a trace that grows. */
interface Store {
  /** Shows it, if something of it is understood; `whole`: all that is there was read. */
  readonly show: (whole: boolean) => void;
  /** Takes the cursor to the end if it follows it. */
  readonly follow: () => void;
  /** Tells that it is followed otherwise than before. */
  readonly tell: () => void;
  readonly forget: () => void;
  /** Reads what was kept back until the end of the file. */
  readonly finish: () => Promise<boolean>;
}

/** A trace that takes what its file gets. */
export function growing(entry: Entry, run: ImportRun, state: { finished: boolean }, store: Store): Growing {
  const { session } = entry;
  entry.follow = 'following';
  const tell = (follow: FollowState | undefined): void => {
    if (entry.follow === follow || entry.closed) return;
    entry.follow = follow;
    store.tell();
  };
  return {
    trace: entry,
    feed: (chunk) => {
      run.push(chunk);
      if (entry.load !== 'loading') return;
      if (entry.size !== undefined && entry.size > 0) entry.progress = Math.min(1, run.bytes / entry.size);
      store.show(false);
      session.grown(false);
      store.follow();
    },
    settle: () => {
      run.settle();
      entry.load = 'ready';
      entry.progress = 1;
      store.show(true);
      session.grown(true);
      store.follow();
    },
    pause: (on) => {
      // The store moved the cursor, not the user.
      if (entry.moving) return;
      entry.following = !on;
      tell(on ? 'paused' : 'following');
    },
    abandon: store.forget,
    end: async () => {
      state.finished = true;
      store.forget();
      await store.finish();
      if (entry.closed) return;
      entry.follow = undefined;
      entry.following = false;
      session.grown(true);
      store.tell();
    },
  };
}
