// Runs inside the page: the host's end of the list of events with a real trace, in place of the extension host.
import { ImportRun } from '../../src/import/run.ts';
import { Session } from '../../src/session/session.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { EventsService, type ListedTrace } from '../../src/vscode/events/events-service.ts';
import { Searcher } from '../../src/vscode/events/searcher.ts';
import { after, Port } from './port.ts';

/** A trace of very many events: those of another one, again and again. The state does not matter to the list. */
function repeated(trace: Trace, length: number): Trace {
  const place = (step: number): number => step % trace.length;
  const table = new Proxy(trace.table, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'length') return length;
      if (typeof value !== 'function') return value;
      return (step: number, ...more: unknown[]): unknown => Reflect.apply(value, target, [place(step), ...more]);
    },
  });
  const own = new Map<string | symbol, unknown>([
    ['length', length],
    ['table', table],
    ['stateAt', () => trace.stateAt(-1)],
    ['advance', () => {}],
    ['sourceOf', () => 0],
    ['between', () => trace.time],
  ]);
  return new Proxy(trace, {
    get: (target, name) => (own.has(name) ? own.get(name) : (Reflect.get(target, name, target) as unknown)),
  });
}

class EventsHarness extends Port {
  readonly searcher = new Searcher(after, () => performance.now());
  /** What was put on the clipboard: the text, and how many rows were copied of how many. */
  readonly copied: [text: string, copied: number, all: number][] = [];
  readonly #service: EventsService;
  #session: Session | undefined;
  #shown: { -readonly [Key in keyof ListedTrace]: ListedTrace[Key] } | undefined;
  #next = 1;

  constructor() {
    super('irqscope.events');
    this.#service = new EventsService(this.peer, {
      ...{ after, searcher: this.searcher, problem: (text: string) => void this.problems.push(text) },
      copy: (text, copied, all) => {
        this.copied.push([text, copied, all]);
        return Promise.resolve();
      },
    });
  }

  get session(): Session {
    if (!this.#session) throw new Error('no trace is loaded');
    return this.#session;
  }

  /** Opens a trace; `part`: only so much of it, and reading goes on. `times`: its events again and again. */
  load(name: string, text: string, part = 1, times = 1): void {
    const run = new ImportRun(name);
    const bytes = new TextEncoder().encode(text);
    run.push(bytes.subarray(0, Math.floor(bytes.length * part)));
    if (part >= 1) run.end();
    const trace = times > 1 ? repeated(run.trace, run.trace.length * times) : run.trace;
    const session = new Session(trace);
    this.#session = session;
    const load = part < 1 ? 'loading' : 'ready';
    const shown = { id: this.#next++, label: name, session, load } as const;
    this.#shown = shown;
    session.onChange((what) => {
      if (session !== this.#session) return;
      if (what === 'cursor') this.#service.moved();
      if (what === 'search') this.#service.searched();
      if (what === 'trace') {
        this.searcher.grown(session);
        this.#service.grown();
      }
    });
    this.#service.show(shown);
    this.finish = () => {
      run.push(bytes.subarray(Math.floor(bytes.length * part)));
      run.end();
      this.#shown!.load = 'ready';
      session.grown(true);
    };
  }

  /** Reads the rest of a trace of which a part was loaded. */
  finish: () => void = () => {};

  /** Shows no trace; of the editor of a file, whether its trace is on its way. */
  none(name?: string, loading = false): void {
    this.#service.show(undefined, name === undefined ? undefined : { name, loading });
  }
}

declare global {
  var events: EventsHarness;
}

globalThis.events = new EventsHarness();
// The parts that all pages have are looked at under one name.
(globalThis as { harness: unknown }).harness = globalThis.events;
(globalThis as { acquireVsCodeApi: unknown }).acquireVsCodeApi = () => globalThis.events.api;
