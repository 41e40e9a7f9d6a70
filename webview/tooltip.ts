import { counted } from '../src/base/counted.ts';
import type { Description, FindingsMessage } from '../src/protocol/timeline.ts';
import { make, settled } from './dom.ts';

/** What the pointer is over, and how to tell it from others. */
export interface TooltipTarget {
  readonly key: string;
  /** What the box holds; nothing when there is nothing to say. */
  readonly ask: () => Promise<readonly Node[]>;
}

const WAIT_MS = 120;
const KEPT = 200;

/** The box beside the pointer that says what is there. Its texts come from the host and are kept for a while. */
export class Tooltip {
  readonly element = make('div', 'tooltip', { role: 'tooltip' });
  readonly #known = new Map<string, readonly Node[]>();
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
    let content = this.#known.get(target.key);
    if (!content) {
      content = await target.ask().catch(() => undefined);
      if (!content) return;
      if (this.#known.size >= KEPT) this.#known.clear();
      this.#known.set(target.key, content);
    }
    // The pointer may be elsewhere by now.
    if (this.#target?.key !== target.key) return;
    this.element.replaceChildren(...content);
    this.element.hidden = content.length === 0;
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

/** What a stretch of a lane holds. */
export function laneContent(title: string, { layers, events, count }: Description): Node[] {
  if (count === 0 && layers.length === 0) return [];
  const nodes: Node[] = [make('div', 'title', {}, title)];
  for (const layer of layers) nodes.push(make('div', 'layer', {}, layer));
  for (const { time, text } of events)
    nodes.push(make('div', 'event', {}, make('span', 'time', {}, time), make('span', 'text', {}, text)));
  if (count > events.length)
    nodes.push(make('div', 'more', {}, `and ${counted(count - events.length, 'more event')} here`));
  return nodes;
}

/** Most findings that one box tells of. */
const MOST_FINDINGS = 4;

/** What the findings say whose pins are in one place, the worst first, and how to open them. */
function findingContent(findings: FindingsMessage['places']): Node[] {
  const nodes: Node[] = [];
  for (const { rule, severity, title, step, label, object } of findings.slice(0, MOST_FINDINGS)) {
    const place = [`step ${step}`, label, object].filter((part) => part !== '').join(', ');
    nodes.push(
      make('div', 'title', {}, title),
      make('div', 'finding', {}, make('span', 'rule', {}, `${rule}, ${severity}`), make('span', 'place', {}, place)),
    );
  }
  const more = findings.length - MOST_FINDINGS;
  if (more > 0) nodes.push(make('div', 'more', {}, `and ${counted(more, 'more finding')} here`));
  nodes.push(make('div', 'more', {}, 'Click: go there, and show it in the view Findings'));
  return nodes;
}

/** Findings as what the pointer is over; undefined for none. */
export const pinsTarget = (pins: FindingsMessage['places']): TooltipTarget | undefined =>
  pins.length === 0 ? undefined : { key: JSON.stringify(pins), ask: () => Promise.resolve(findingContent(pins)) };
