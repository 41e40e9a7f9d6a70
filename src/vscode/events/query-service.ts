import { queryFromHost, queryFromView, queryQuestions, type SearchMessage, type Typed } from '../../protocol/query.ts';
import type { Peer } from '../../protocol/rpc.ts';
import type { Search } from '../../query/filter/search.ts';
import type { Session } from '../../session/session.ts';
import type { Searcher } from './searcher.ts';

/** What a page with a box for filters shows: a trace, or several that are searched together, the active one first. */
interface Shown {
  readonly id: number;
  readonly sessions: readonly Session[];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((x, y) => x + y, 0);

/** The searches of traces that look for the same as the first of them. */
export const searchesOf = (sessions: readonly Session[]): readonly Search[] =>
  sessions.flatMap(({ search }) => (search && search.text === sessions[0]?.search?.text ? [search] : []));

/** The language is loaded when a user first types. */
const loadTyping = () => import('../../query/filter/typing.ts');

/** The host's end of a box for filters: what is wrong with the text in it, how it can go on, and what the search finds. */
export class QueryService {
  readonly #peer: Peer;
  readonly #searcher: Searcher;
  #shown: Shown | undefined;
  /** The hit that the user wants to go to, while it is not known yet. */
  #wanted: 'next' | 'previous' | undefined;
  /** The search that the page asked for last has begun. */
  #looking: Promise<void> = Promise.resolve();

  /** `problem` gets errors that no answer can carry. */
  constructor(peer: Peer, searcher: Searcher, problem: (text: string) => void) {
    this.#peer = peer;
    this.#searcher = searcher;
    peer.answer(queryQuestions.typed, ({ trace, text, column }) => this.#typed(trace, text, column));
    peer.hear(queryFromView.look, ({ trace, filter }) => {
      const sessions = this.#sessionsOf(trace);
      if (sessions.length === 0) return;
      this.#wanted = undefined;
      const looking = sessions.map((session) => searcher.look(session, filter.trim()));
      // The page sends whole filters only; what it sends in spite of that changes nothing.
      this.#looking = Promise.all(looking).then(
        () => undefined,
        (error: unknown) => problem(String(error)),
      );
    });
    peer.hear(queryFromView.hit, ({ trace, to }) => void this.#hit(trace, to));
    peer.hear(queryFromView.stop, ({ trace }) => {
      this.#wanted = undefined;
      for (const session of this.#sessionsOf(trace)) searcher.stop(session);
    });
  }

  /** Another trace is shown, or none. */
  show(shown: Shown | undefined): void {
    this.#shown = shown;
    this.#wanted = undefined;
  }

  /** The search of the session that is shown has changed. */
  searched(): void {
    this.#go();
    this.tell();
  }

  /** Tells the page about the search. */
  tell(): void {
    const shown = this.#shown;
    if (!shown) return;
    this.#peer.tell(queryFromHost.search, this.#message(shown));
  }

  #message({ id, sessions }: Shown): SearchMessage {
    const [{ search, cursor }] = sessions as readonly [Session];
    const total = sum(sessions.map(({ trace }) => trace.length));
    if (!search) return { trace: id, id: 0, filter: '', state: 'none', hits: 0, done: 0, total, at: -1 };
    const searches = searchesOf(sessions);
    const running = sessions.some((session) => this.#searcher.running(session));
    const state = searches.every(({ complete }) => complete) ? 'done' : running ? 'running' : 'stopped';
    // Hits of several traces have no common order.
    const at = sessions.length === 1 && search.hits.has(cursor) ? search.hits.rank(cursor) : -1;
    return {
      ...{ trace: id, id: this.#searcher.numberOf(sessions[0]!), filter: search.text, state },
      ...{ hits: sum(searches.map(({ hits }) => hits.size)), done: sum(searches.map(({ done }) => done)), total, at },
    };
  }

  #sessionsOf(trace: number): readonly Session[] {
    return trace === this.#shown?.id ? this.#shown.sessions : [];
  }

  /** The trace in which the cursor goes from hit to hit. */
  #sessionOf(trace: number): Session | undefined {
    return this.#sessionsOf(trace)[0];
  }

  async #typed(id: number, text: string, column: number): Promise<Typed> {
    const { problemOf, waysOn } = await loadTyping();
    const session = this.#sessionOf(id);
    if (!session) throw new Error('another trace is shown now');
    const completions = waysOn(text, Math.min(column, text.length), session.trace);
    return { problem: problemOf(text), completions: completions.map((way) => ({ ...way })) };
  }

  async #hit(id: number, to: 'next' | 'previous'): Promise<void> {
    await this.#looking;
    const session = this.#sessionOf(id);
    if (!session?.search) return;
    this.#wanted = to;
    // A search that was stopped goes on where the hit is not known yet.
    if (!this.#go()) this.#searcher.resume(session);
  }

  /** Goes to the hit that is wanted; false while it is not known. */
  #go(): boolean {
    const [session] = this.#shown?.sessions ?? [];
    if (this.#wanted === undefined || !session?.search) return true;
    const step = session.search.neighbour(session.cursor, this.#wanted);
    if (step === undefined) return false;
    this.#wanted = undefined;
    if (step >= 0) session.move({ to: 'step', step });
    return true;
  }
}
