import type { ImportRun } from '../../import/run.ts';
import type { Continuation } from '../../session/session.ts';
import type { FileSource } from '../platform.ts';
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
  /** Whether it is in the list of open traces. */
  readonly shown: boolean;
  /**
   * It is followed no more: what was kept back is read. `whole`: the file as it is now, where all of it was read. A trace that was still being
   * read keeps what was read.
   */
  end(whole?: Pick<FileSource, 'modified' | 'size'>): Promise<void>;
  /** It cannot be read any more, or is no trace: what was read stays. */
  fail(error: unknown): Promise<void>;
}

/** How a trace of several files goes on while they grow. */
export interface Growth {
  readonly continuation: Continuation;
  /** The cursor goes to the last event; else only where it was there. */
  readonly toEnd: boolean;
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
  readonly shown: () => boolean;
  /** Reads what was kept back until the end of the file. */
  readonly finish: () => Promise<unknown>;
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A trace that takes what its file gets. */
export function growing(entry: Entry, run: ImportRun, state: { finished: boolean }, store: Store): Growing {
  const { session } = entry;
  entry.follow = 'following';
  const tell = (follow: FollowState | undefined): void => {
    if (entry.follow === follow || entry.closed) return;
    entry.follow = follow;
    store.tell();
  };
  const over = async (load: 'stopped' | 'failed'): Promise<void> => {
    state.finished = true;
    store.forget();
    try {
      if (store.shown()) await store.finish();
    } catch (error) {
      entry.load = 'failed';
      entry.error ??= textOf(error);
    }
    if (entry.closed) return;
    if (entry.load === 'loading') entry.load = load;
    entry.follow = undefined;
    entry.following = false;
    session.grown(true);
    store.tell();
  };
  return {
    trace: entry,
    get shown() {
      return store.shown();
    },
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
    end: (whole) => {
      if (whole) [entry.modified, entry.size] = [whole.modified, whole.size];
      return over('stopped');
    },
    fail: (error) => {
      if (entry.load === 'loading') entry.error = textOf(error);
      return over('failed');
    },
  };
}
