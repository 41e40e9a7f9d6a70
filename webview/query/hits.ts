import { count, counted } from '../../src/base/counted.ts';
import type { SearchMessage } from '../../src/protocol/query.ts';
import { icon, make, setText } from '../dom.ts';

/** What the buttons beside a box for filters do. */
export interface HitActions {
  hit(to: 'next' | 'previous'): void;
  stop(): void;
  clear(): void;
}

const ICONS = {
  previous: 'M8 12.5v-9M4 7.5l4-4l4 4',
  next: 'M8 3.5v9M4 8.5l4 4l4-4',
  stop: 'M4.5 4.5h7v7h-7z',
  clear: 'M4 4l8 8M12 4l-8 8',
};

/** What a search has found so far, in words: `3 of 12 events`. */
export function hitsText({ state, hits, done, total, at }: SearchMessage): string {
  const percent = total === 0 ? 0 : Math.floor((100 * done) / total);
  const most =
    hits === 0 ? 'no event' : at >= 0 ? `${count(at + 1)} of ${counted(hits, 'event')}` : counted(hits, 'event');
  if (state === 'running') return `${most} so far, ${percent} %`;
  if (state === 'stopped') return `${most}, stopped at ${percent} %`;
  return hits === 0 ? 'no event fits' : most;
}

function button(name: string, path: string, press: () => void): HTMLButtonElement {
  const made = make('button', 'hit-button', { type: 'button', 'aria-label': name, title: name }, icon(path));
  made.addEventListener('click', press);
  return made;
}

/** How many events fit the filter, which of them the cursor stands at, and buttons to go through them. It takes no room while nothing is looked for. */
export class Hits {
  readonly element: HTMLElement;
  readonly #count = make('span', 'hit-count', { role: 'status' });
  readonly #stop: HTMLButtonElement;
  #running = false;

  constructor(actions: HitActions) {
    this.#stop = button('Stop Looking (Escape)', ICONS.stop, () => actions.stop());
    this.element = make(
      'div',
      'hits',
      { role: 'group', 'aria-label': 'Events that fit' },
      this.#count,
      this.#stop,
      button('Previous Event That Fits (Shift+Enter)', ICONS.previous, () => actions.hit('previous')),
      button('Next Event That Fits (Enter)', ICONS.next, () => actions.hit('next')),
      button('Clear Filter', ICONS.clear, () => actions.clear()),
    );
    this.element.hidden = true;
  }

  /** Whether a search is under way. */
  get running(): boolean {
    return this.#running;
  }

  show(search: SearchMessage): void {
    const { state, filter } = search;
    this.#running = state === 'running';
    this.element.hidden = state === 'none';
    this.#stop.hidden = !this.#running;
    setText(this.#count, state === 'none' ? '' : hitsText(search));
    this.#count.title = filter;
  }
}
