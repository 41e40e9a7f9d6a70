import type { WindowQuestion, WindowReply } from '../src/protocol/timeline.ts';
import { unpackWindow } from '../src/protocol/window.ts';
import { type AxisKind, type LaneRow, MOST_BINS, type WindowView } from '../src/view/lanes/values.ts';
import type { Viewport } from './viewport.ts';

/** A part of the timeline that the host has sent. */
export interface Fetched {
  readonly trace: number;
  readonly axis: AxisKind;
  readonly from: number;
  readonly size: number;
  readonly bins: number;
  /** Events that were in lanes when it was made. */
  readonly indexed: number;
  /** The search whose hits are told apart in it, 0 for none, and the events that it had asked about. */
  readonly search: number;
  readonly searched: number;
  readonly view: WindowView;
  /** Row number of each lane, by `keyOf`. */
  readonly rows: ReadonlyMap<string, number>;
}

export const keyOf = ({ lane, deep }: LaneRow): string => (deep ? `${lane}+` : String(lane));

/** What is to be shown: where, and which rows (those on display and some more on either side). */
export interface Wanted {
  readonly trace: number;
  readonly viewport: Viewport;
  readonly rows: readonly LaneRow[];
  /** Rows that must be there; the others are fetched along with them. */
  readonly needed: readonly LaneRow[];
  /** Events in lanes at the host. */
  readonly indexed: number;
  /** The search whose hits are to be told apart, 0 for none, and the events that it has asked about. */
  readonly search: number;
  readonly searched: number;
}

export type Ask = (question: WindowQuestion) => Promise<WindowReply>;

/** Width of a bin for a scale: the power of two that is not above a device pixel. */
export function binSize(size: number, ratio: number): number {
  return 2 ** Math.floor(Math.log2(size / ratio));
}

/** Screens that are fetched: the one on display and one on either side. */
const SCREENS = 3;

/**
 * Fetches what is to be shown, three screens at a time at a resolution that is a power of two, so that small movements
 * need nothing new. One question is under way at a time; of those that come meanwhile only the newest is asked.
 */
export class Windows {
  readonly #ask: Ask;
  readonly #arrived: () => void;
  readonly #failed: (error: unknown) => void;
  #fetched: Fetched | undefined;
  #asking = false;
  #next: Wanted | undefined;
  /** Questions asked so far. */
  asked = 0;
  /** Milliseconds that the last answer took. */
  took = 0;

  constructor(ask: Ask, arrived: () => void, failed: (error: unknown) => void) {
    this.#ask = ask;
    this.#arrived = arrived;
    this.#failed = failed;
  }

  /** The newest window that came; it need not cover all that is on display. */
  get fetched(): Fetched | undefined {
    return this.#fetched;
  }

  /** Whether an answer is on its way. */
  get waiting(): boolean {
    return this.#asking;
  }

  /** Forgets everything: another trace. */
  clear(): void {
    this.#fetched = undefined;
    this.#next = undefined;
  }

  /** Makes sure that what is wanted is there, or comes. */
  want(wanted: Wanted): void {
    if (wanted.rows.length === 0 || this.#covers(wanted)) {
      this.#next = undefined;
      return;
    }
    this.#next = wanted;
    if (!this.#asking) void this.#run();
  }

  #covers({ trace, viewport, needed, indexed, search, searched }: Wanted): boolean {
    const got = this.#fetched;
    if (!got || got.trace !== trace || got.axis !== viewport.axis) return false;
    if (got.size !== this.#sizeFor(viewport)) return false;
    if (got.indexed < indexed || got.search !== search || got.searched < searched) return false;
    const end = got.from + got.bins * got.size;
    return got.from <= viewport.from && end >= viewport.to && needed.every((row) => got.rows.has(keyOf(row)));
  }

  #sizeFor(viewport: Viewport): number {
    const most = (viewport.size * viewport.width * SCREENS) / (MOST_BINS - 2);
    let size = binSize(viewport.size, window.devicePixelRatio);
    while (size < most) size *= 2;
    return size;
  }

  async #run(): Promise<void> {
    this.#asking = true;
    while (this.#next) {
      const { trace, viewport, rows } = this.#next;
      this.#next = undefined;
      const size = this.#sizeFor(viewport);
      const span = viewport.size * viewport.width;
      const from = Math.floor((viewport.from - (span * (SCREENS - 1)) / 2) / size) * size;
      const bins = Math.min(MOST_BINS, Math.ceil((span * SCREENS) / size) + 1);
      const { axis } = viewport;
      const started = performance.now();
      try {
        this.asked++;
        const reply = await this.#ask({ trace, axis, from, size, bins, rows: [...rows] });
        const view = unpackWindow(reply.window, rows.length);
        const index = new Map(rows.map((row, i) => [keyOf(row), i]));
        const { indexed, search, searched } = reply;
        this.took = performance.now() - started;
        this.#fetched = { trace, axis, from, size, bins, indexed, search, searched, view, rows: index };
        this.#arrived();
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#asking = false;
  }
}
