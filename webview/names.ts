import { counted } from '../src/base/counted.ts';
import { make, setText } from './dom.ts';
import { nameOf, type Rows, type ShownRow } from './rows.ts';
import { ROW } from './shapes.ts';

export interface NamesHost {
  readonly rows: Rows;
  focus(lane: number): void;
  /** The user chose a lane: other views show its object. */
  choose(lane: number): void;
  turn(row: ShownRow, open: boolean): void;
  hover(lane: number): void;
}

/** The names of the lanes, as a tree; only the rows in sight are in the page. */
export class Names {
  readonly element = make('div', 'names', { role: 'tree', 'aria-label': 'Lanes' });
  readonly #host: NamesHost;
  readonly #pool: HTMLElement[] = [];
  #first = 0;
  #shown = 0;

  constructor(host: NamesHost) {
    this.#host = host;
    this.element.addEventListener('click', (event) => this.#onClick(event));
    this.element.addEventListener('dblclick', (event) => {
      const row = this.#rowOf(event);
      if (row?.branch && !isTwisty(event)) this.#host.turn(row, !row.open);
    });
    this.element.addEventListener('keydown', (event) => this.#onKey(event));
    this.element.addEventListener('pointermove', (event) => this.#host.hover(this.#rowOf(event)?.lane.id ?? -1));
    this.element.addEventListener('pointerleave', () => this.#host.hover(-1));
  }

  /** Shows rows `first` up to `last`. */
  update(first: number, last: number, focused: number, hovered: number): void {
    const { rows } = this.#host.rows;
    this.#first = first;
    this.#shown = last - first;
    while (this.#pool.length < this.#shown) {
      const element = makeRow();
      this.#pool.push(element);
      this.element.append(element);
    }
    // Without a focused row on display the first one is what Tab leads to.
    const tabbed = rows.slice(first, last).some((row) => row.lane.id === focused) ? focused : rows[first]?.lane.id;
    for (const [i, element] of this.#pool.entries()) {
      const row = i < this.#shown ? rows[first + i] : undefined;
      element.hidden = row === undefined;
      if (row)
        fillRow(element, row, first + i, row.lane.id === focused, row.lane.id === hovered, row.lane.id === tabbed);
    }
  }

  /** Puts the keyboard focus on a row that is on display. */
  focusRow(index: number): void {
    this.#pool[index - this.#first]?.focus({ preventScroll: true });
  }

  #rowOf(event: Event): ShownRow | undefined {
    const element = (event.target as Element | null)?.closest<HTMLElement>('.name');
    const index = element ? this.#pool.indexOf(element) : -1;
    return index < 0 ? undefined : this.#host.rows.rows[this.#first + index];
  }

  #onClick(event: MouseEvent): void {
    const row = this.#rowOf(event);
    if (!row) return;
    if (row.branch && isTwisty(event)) this.#host.turn(row, !row.open);
    else this.#host.choose(row.lane.id);
    this.#host.focus(row.lane.id);
  }

  #onKey(event: KeyboardEvent): void {
    const { rows } = this.#host.rows;
    const row = this.#rowOf(event);
    if (!row || event.ctrlKey || event.altKey || event.metaKey) return;
    const index = rows.indexOf(row);
    const parent = rows.findIndex((other) => other.lane.id === row.lane.parent);
    const go = (to: number): void => {
      const target = rows[Math.max(0, Math.min(rows.length - 1, to))];
      if (target) this.#host.focus(target.lane.id);
    };
    switch (event.key) {
      case 'ArrowDown':
        go(index + 1);
        break;
      case 'ArrowUp':
        go(index - 1);
        break;
      case 'Home':
        go(0);
        break;
      case 'End':
        go(rows.length - 1);
        break;
      case 'ArrowRight':
        if (row.branch && !row.open) this.#host.turn(row, true);
        else if (row.branch) go(index + 1);
        break;
      case 'ArrowLeft':
        if (row.branch && row.open) this.#host.turn(row, false);
        else if (parent >= 0) go(parent);
        break;
      case 'Enter':
      case ' ':
        this.#host.choose(row.lane.id);
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

const isTwisty = (event: Event): boolean => (event.target as Element | null)?.closest('.twisty') !== null;

function makeRow(): HTMLElement {
  return make(
    'div',
    'name',
    { role: 'treeitem' },
    make('span', 'twisty', { 'aria-hidden': 'true' }),
    make('span', 'side'),
    make('span', 'label'),
    make('span', 'detail'),
  );
}

function fillRow(
  element: HTMLElement,
  row: ShownRow,
  index: number,
  focused: boolean,
  hovered: boolean,
  tabbed: boolean,
): void {
  const { lane, level, branch, open } = row;
  const set = (name: string, value: string | undefined): void => {
    if (value === undefined) element.removeAttribute(name);
    else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  };
  element.style.transform = `translateY(${index * ROW}px)`;
  element.style.setProperty('--level', String(level));
  element.classList.toggle('section', level === 0 && branch);
  element.classList.toggle('twin', row.twin);
  element.classList.toggle('focused', focused);
  element.classList.toggle('hovered', hovered);
  element.tabIndex = tabbed ? 0 : -1;
  set('aria-level', String(level + 1));
  set('aria-expanded', branch ? String(open) : undefined);
  set('aria-selected', String(focused));
  set('aria-posinset', String(row.position));
  set('aria-setsize', String(row.siblings));
  set('data-path', lane.path);
  set('data-side', lane.side === '' ? undefined : lane.side);
  element.title = [nameOf(lane), lane.path, counted(lane.events, 'event')]
    .slice(lane.side === '' || row.both ? 1 : 0)
    .join('\n');
  const [twisty, side, label, detail] = element.children as unknown as HTMLElement[] as [
    HTMLElement,
    HTMLElement,
    HTMLElement,
    HTMLElement,
  ];
  twisty.className = branch && !row.twin ? `twisty ${open ? 'open' : 'closed'}` : 'twisty';
  side.className = `side ${lane.side}`;
  side.hidden = lane.side === '' || row.both;
  setText(side, lane.side.toUpperCase());
  if (label.textContent !== lane.label) label.textContent = lane.label;
  if (detail.textContent !== lane.detail) detail.textContent = lane.detail;
}
