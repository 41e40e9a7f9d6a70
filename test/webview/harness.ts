// Runs inside the page: the host's end of the timeline with a real trace, in place of the extension host.

import { ImportRun } from '../../src/import/run.ts';
import type { Place } from '../../src/query/diff/places.ts';
import { Session } from '../../src/session/session.ts';
import { Searcher } from '../../src/vscode/events/searcher.ts';
import type { ShownFinding, ShownTrace } from '../../src/vscode/timeline/messages.ts';
import { TimelineService } from '../../src/vscode/timeline/service.ts';
import { type Compared, comparison } from './comparing.ts';
import { after, Port } from './port.ts';

class Harness extends Port {
  opened = 0;
  /** How often the user wanted the list of events. */
  listed = 0;
  readonly #service: TimelineService;
  readonly #searcher: Searcher;
  #found: readonly ShownFinding[] = [];
  /** The finding that the user wanted to see last. */
  wanted: ShownFinding | undefined;
  #places: readonly Place[] = [];
  #next = 1;
  #session: Session | undefined;
  /** Milliseconds between two slices of a search. */
  pause = 0;
  constructor() {
    super('irqscope.timeline');
    this.#searcher = new Searcher(
      (ms, then) => after(ms + this.pause, then),
      () => performance.now(),
    );
    this.#service = new TimelineService(this.peer, {
      ...{ after, now: () => performance.now(), searcher: this.#searcher },
      problem: (text) => this.problems.push(text),
      open: () => this.opened++,
      events: () => this.listed++,
      finding: (_, finding) => {
        this.wanted = finding;
      },
      differences: () => this.#places,
      findings: () => this.#found,
    });
  }

  /** Shows where findings are. */
  find(found: readonly Omit<ShownFinding, 'object'>[]): void {
    const { table } = this.session.trace;
    this.#found = found.map((one) => ({ ...one, object: table.object(one.step) }));
    this.#service.findingsChanged();
  }

  /** Shows where the trace differs from another one. */
  compare(places: readonly Place[]): void {
    this.#places = places;
    this.#service.differencesChanged();
  }

  /** Looks for events, as another view does; resolves when all were looked at. */
  async search(filter: string): Promise<void> {
    await this.#searcher.look(this.session, filter);
    await this.#searcher.ended(this.session);
  }

  get session(): Session {
    if (!this.#session) throw new Error('no trace is loaded');
    return this.#session;
  }

  /** Opens a trace; `part`: only so much of it, and reading goes on. */
  load(name: string, text: string, part = 1): void {
    const run = new ImportRun(name);
    const bytes = new TextEncoder().encode(text);
    run.push(bytes.subarray(0, Math.floor(bytes.length * part)));
    const session = new Session(run.trace);
    this.#session = session;
    if (part >= 1) {
      run.end();
      session.grown(true);
    }
    this.#watch(session, name, part < 1 ? 'loading' : 'ready', part);
    this.finish = () => {
      run.push(bytes.subarray(Math.floor(bytes.length * part)));
      run.end();
      session.grown(true);
      this.#shown!.load = 'ready';
      this.#shown!.progress = 1;
      this.#service.grown();
    };
  }

  /** Reads the rest of a trace of which a part was loaded. */
  finish: () => void = () => {};

  /** Shows a trace that could not be read. */
  fail(name: string, error: string): void {
    const session = new Session(new ImportRun(name).trace);
    this.#watch(session, name, 'failed', undefined);
    this.#shown!.error = error;
    this.#service.grown();
  }

  /** The comparison that is shown. */
  compared: Compared | undefined;

  /** Opens two traces and shows the lanes of both. */
  loadTwo(a: readonly [name: string, text: string], b: readonly [name: string, text: string]): void {
    const [x, y] = [this.#read(...a), this.#read(...b)];
    this.#compare(comparison(x, y));
  }

  /** Opens a trace and shows the lanes after two of its steps. */
  loadSteps(name: string, text: string, steps: readonly [number, number]): void {
    const shown = this.#read(name, text);
    this.#compare(comparison(shown, shown, steps));
  }

  /** The user goes to a row of the view Comparison. */
  reveal(stepA: number | undefined, stepB: number | undefined): void {
    this.#service.reveal(stepA, stepB);
  }

  #read(label: string, text: string): ShownTrace {
    const run = new ImportRun(label);
    run.push(new TextEncoder().encode(text));
    run.end();
    const session = new Session(run.trace);
    session.grown(true);
    return { id: this.#next++, label, session, load: 'ready', progress: 1, error: undefined };
  }

  #compare(compared: Compared): void {
    this.compared = compared;
    for (const { session } of new Set([compared.a, compared.b]))
      session.onChange((what) => {
        if (what === 'cursor' || what === 'selection') this.#service.moved(session);
        if (what === 'search') this.#service.searched();
      });
    this.#service.compare(compared);
  }

  none(): void {
    this.#service.show(undefined);
  }

  #shown: { load: ShownTrace['load']; progress: number | undefined; error: string | undefined } | undefined;

  #watch(session: Session, label: string, load: ShownTrace['load'], progress: number | undefined): void {
    const shown = { id: this.#next++, label, session, load, progress, error: undefined as string | undefined };
    this.#shown = shown;
    session.onChange((what) => {
      if (what === 'cursor' || what === 'selection') this.#service.moved();
      if (what === 'search') this.#service.searched();
      if (what === 'trace') this.#searcher.grown(session);
    });
    this.#service.show(shown);
  }
}

declare global {
  var harness: Harness;
  var acquireVsCodeApi: () => unknown;
}

globalThis.harness = new Harness();
globalThis.acquireVsCodeApi = () => globalThis.harness.api;
