import type { After } from '../../protocol/rpc.ts';
import type { Search } from '../../query/filter/search.ts';
import type { Session } from '../../session/session.ts';

/** Milliseconds that a search works before other work has its turn. */
const SLICE_MS = 10;
/** Events between two looks at the clock. */
const SLICE_EVENTS = 1024;
/** Milliseconds between two messages about a search that goes on. */
const TELL_MS = 100;

/** What is known of the search of a session. */
interface Job {
  /** Its number: each search has another one. */
  readonly number: number;
  readonly search: Search;
  stopped: boolean;
  pumping: boolean;
  /** When its session last told of it. */
  told: number;
  /** What waits for its end. */
  waiting: (() => void)[];
}

/** The language of filters is loaded when a search first needs it. */
const loadSearch = () => import('../../query/filter/search.ts');

/** Looks for events that fit filters, a slice at a time, in any number of sessions; a session has one search. */
export class Searcher {
  readonly #after: After;
  readonly #now: () => number;
  readonly #jobs = new Map<Session, Job>();
  /** What was asked for last in each session: loading the language takes a moment. */
  readonly #asked = new WeakMap<Session, string>();
  #next = 1;
  #disposed = false;

  /** `now`: milliseconds, for measuring slices of work. */
  constructor(after: After, now: () => number) {
    this.#after = after;
    this.#now = now;
  }

  /**
   * Looks for the events of a session that fit a filter; the search that it had ends. Throws FilterError when the text is no filter. The empty
   * text ends the search only.
   */
  async look(session: Session, text: string): Promise<void> {
    this.#asked.set(session, text);
    if (text === '') {
      this.#end(session);
      session.showSearch(undefined);
      return;
    }
    if (session.search?.text === text) {
      this.resume(session);
      return;
    }
    const { Search } = await loadSearch();
    const search = new Search(session.trace, text);
    if (this.#asked.get(session) !== text || this.#disposed) return;
    this.#end(session);
    const number = this.#next++;
    this.#jobs.set(session, { number, search, stopped: false, pumping: false, told: this.#now(), waiting: [] });
    session.showSearch(search);
    this.#pump(session);
  }

  /** Number of the search of a session; 0 for none. */
  numberOf(session: Session): number {
    return this.#jobs.get(session)?.number ?? 0;
  }

  /** Whether the search of a session goes on by itself. */
  running(session: Session): boolean {
    const job = this.#jobs.get(session);
    return job !== undefined && !job.stopped && !job.search.complete;
  }

  /** Stops the search of a session; it keeps what it found. */
  stop(session: Session): void {
    const job = this.#jobs.get(session);
    if (!job || job.stopped || job.search.complete) return;
    job.stopped = true;
    this.#settle(job);
    session.searched();
  }

  /** Goes on with a search that was stopped, or whose trace has grown. */
  resume(session: Session): void {
    const job = this.#jobs.get(session);
    if (!job) return;
    job.stopped = false;
    this.#pump(session);
  }

  /** More of the trace was read: a search that was not stopped looks at it too. */
  grown(session: Session): void {
    const search = this.#jobs.get(session)?.search;
    if (search?.stale) {
      this.#end(session);
      session.showSearch(undefined);
      void this.look(session, search.text);
      return;
    }
    if (this.#jobs.get(session)?.stopped === false) this.#pump(session);
  }

  /** Resolves when the search of a session has seen all events, was stopped, or has given way to another one. */
  async ended(session: Session): Promise<void> {
    const job = this.#jobs.get(session);
    if (!job || job.stopped || job.search.complete) return;
    await new Promise<void>((done) => {
      job.waiting.push(done);
    });
  }

  /** A session is closed. */
  forget(session: Session): void {
    this.#asked.delete(session);
    this.#end(session);
  }

  dispose(): void {
    this.#disposed = true;
    for (const session of [...this.#jobs.keys()]) this.forget(session);
  }

  #end(session: Session): void {
    const job = this.#jobs.get(session);
    if (!job) return;
    job.stopped = true;
    this.#jobs.delete(session);
    this.#settle(job);
  }

  #settle(job: Job): void {
    const { waiting } = job;
    job.waiting = [];
    for (const done of waiting) done();
  }

  #pump(session: Session): void {
    const job = this.#jobs.get(session);
    if (!job || job.pumping || job.stopped) return;
    job.pumping = true;
    const end = this.#now() + SLICE_MS;
    let more = true;
    try {
      while (more && this.#now() < end) more = job.search.advance(SLICE_EVENTS);
    } catch (error) {
      // It does not go on by itself: it is over for those who wait for it.
      Object.assign(job, { pumping: false, stopped: true });
      this.#settle(job);
      session.searched();
      throw error;
    }
    const now = this.#now();
    if (!more || now - job.told >= TELL_MS) {
      job.told = now;
      session.searched();
    }
    if (more) {
      this.#after(0, () => {
        job.pumping = false;
        if (this.#jobs.get(session) === job) this.#pump(session);
      });
      return;
    }
    job.pumping = false;
    this.#settle(job);
  }
}
