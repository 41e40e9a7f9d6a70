import { byName } from '../../src/base/by-name.ts';
import type { RowMessage } from '../../src/protocol/events.ts';
import { make, setText } from '../dom.ts';
import { ROW } from './scroll.ts';

/** A column of the list. */
interface Column {
  readonly name: string;
  readonly title: string;
  readonly of: (row: RowMessage) => string;
}

export const COLUMNS: readonly Column[] = [
  { name: 'step', title: 'Number of the event, from 0', of: ({ step }) => String(step) },
  { name: 'time', title: 'When, as the trace prints it', of: ({ time }) => time },
  { name: 'dt', title: 'Time since the event before, as dt in filters', of: ({ dt }) => dt },
  { name: 'gap', title: 'Time since the row above', of: ({ gap }) => gap },
  { name: 'cpu', title: 'CPU that the record names', of: ({ cpu }) => cpu },
  { name: 'kind', title: 'What happened', of: ({ kind }) => kind },
  { name: 'object', title: 'The object that the event is about', of: ({ object }) => object },
  { name: 'text', title: 'Arguments of the event', of: ({ text }) => text },
];

const HEADINGS: Readonly<Record<string, string>> = byName({
  ...{ step: 'Step', time: 'Time', dt: 'dt', gap: 'since row above', cpu: 'CPU', kind: 'Kind', object: 'Object' },
  text: 'Arguments',
});

/** The line of headings. */
export const makeHead = (): HTMLElement =>
  make(
    'div',
    'row head',
    { role: 'row', 'aria-rowindex': '1' },
    ...COLUMNS.map(({ name, title }, i) =>
      make('div', name, { role: 'columnheader', 'aria-colindex': String(i + 1), title }, HEADINGS[name]!),
    ),
  );

/** What is so of a row besides its texts. */
export interface RowLook {
  readonly index: number;
  /** Its upper edge, in pixels from the top of the list. */
  readonly y: number;
  readonly selected: boolean;
  readonly active: boolean;
  /** The cursor stands at it, or between the row above and it. */
  readonly cursor: 'at' | 'above' | undefined;
}

/** The rows on display. Their elements are used again and again. */
export class RowPool {
  readonly #parent: HTMLElement;
  readonly #rows: HTMLElement[] = [];

  constructor(parent: HTMLElement) {
    this.#parent = parent;
  }

  /** The id of the element that shows a row. */
  static id(index: number): string {
    return `row-${index}`;
  }

  /** Shows rows; `row` is undefined while it is on its way. */
  show(looks: readonly RowLook[], rowOf: (index: number) => RowMessage | undefined): void {
    while (this.#rows.length < looks.length) {
      const cells = COLUMNS.map(({ name }, i) =>
        make('div', name, { role: 'gridcell', 'aria-colindex': String(i + 1) }),
      );
      const element = make('div', 'row', { role: 'row' }, ...cells);
      this.#rows.push(element);
      this.#parent.append(element);
    }
    for (const [i, element] of this.#rows.entries()) {
      const look = looks[i];
      element.hidden = look === undefined;
      if (look) fill(element, look, rowOf(look.index));
      else element.removeAttribute('id');
    }
  }

  /** The index of the row that an event of the page is about; -1 for none. */
  static indexOf(event: Event): number {
    const row = (event.target as Element | null)?.closest<HTMLElement>('.row[aria-rowindex]');
    return row ? Number(row.getAttribute('aria-rowindex')) - 2 : -1;
  }
}

function fill(element: HTMLElement, look: RowLook, row: RowMessage | undefined): void {
  const { index, y, selected, active, cursor } = look;
  element.id = RowPool.id(index);
  element.style.transform = `translateY(${y}px)`;
  element.style.height = `${ROW}px`;
  element.setAttribute('aria-rowindex', String(index + 2));
  element.setAttribute('aria-selected', String(selected));
  element.setAttribute('aria-busy', String(row === undefined));
  element.classList.toggle('active', active);
  element.classList.toggle('cursor', cursor === 'at');
  element.classList.toggle('cursor-above', cursor === 'above');
  for (const [i, { of, name }] of COLUMNS.entries()) {
    const cell = element.children[i] as HTMLElement;
    const text = row === undefined ? (name === 'step' ? '…' : '') : of(row);
    setText(cell, text);
    // Long texts are cut at the edge of their column.
    if (name === 'object' || name === 'text' || name === 'kind') cell.title = text;
  }
}
