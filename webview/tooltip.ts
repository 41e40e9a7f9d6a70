import type { Description } from '../src/protocol/timeline.ts';
import { make, settled } from './dom.ts';

/** What the pointer is over: a stretch of a lane, and how to tell it from others. */
export interface TooltipTarget {
  readonly key: string;
  readonly title: string;
  readonly ask: () => Promise<Description>;
}

const WAIT_MS = 120;
const KEPT = 200;

/** The box beside the pointer that says what is there. Its texts come from the host and are kept for a while. */
export class Tooltip {
  readonly element = make('div', 'tooltip', { role: 'tooltip' });
  readonly #known = new Map<string, Description>();
  #target: TooltipTarget | undefined;
  #x = 0;
  #y = 0;
  readonly #later = settled(WAIT_MS, () => void this.#fill());

  constructor() {
    this.element.hidden = true;
  }

  /** Shows what is known of a target near a place of the page; undefined hides it. */
  show(target: TooltipTarget | undefined, x: number, y: number): void {
    this.#x = x;
    this.#y = y;
    if (target?.key !== this.#target?.key) {
      this.#target = target;
      this.element.hidden = true;
      if (target) this.#later();
    } else if (!this.element.hidden) {
      this.#place();
    }
  }

  hide(): void {
    this.show(undefined, 0, 0);
  }

  /** What was said of places may be wrong now. */
  forget(): void {
    this.#known.clear();
  }

  async #fill(): Promise<void> {
    const target = this.#target;
    if (!target) return;
    let description = this.#known.get(target.key);
    if (!description) {
      description = await target.ask().catch(() => undefined);
      if (!description) return;
      if (this.#known.size >= KEPT) this.#known.clear();
      this.#known.set(target.key, description);
    }
    // The pointer may be elsewhere by now.
    if (this.#target?.key !== target.key) return;
    this.element.replaceChildren(...contentOf(target.title, description));
    this.element.hidden = description.count === 0 && description.layers.length === 0;
    this.#place();
  }

  #place(): void {
    const { offsetWidth, offsetHeight } = this.element;
    const { clientWidth, clientHeight } = document.documentElement;
    const left = this.#x + 14 + offsetWidth > clientWidth ? this.#x - offsetWidth - 10 : this.#x + 14;
    const top = this.#y + 16 + offsetHeight > clientHeight ? this.#y - offsetHeight - 10 : this.#y + 16;
    this.element.style.left = `${Math.max(0, left)}px`;
    this.element.style.top = `${Math.max(0, top)}px`;
  }
}

function contentOf(title: string, { layers, events, count }: Description): Node[] {
  const nodes: Node[] = [make('div', 'title', {}, title)];
  for (const layer of layers) nodes.push(make('div', 'layer', {}, layer));
  for (const { time, text } of events)
    nodes.push(make('div', 'event', {}, make('span', 'time', {}, time), make('span', 'text', {}, text)));
  if (count > events.length) nodes.push(make('div', 'more', {}, `and ${count - events.length} more events here`));
  return nodes;
}
