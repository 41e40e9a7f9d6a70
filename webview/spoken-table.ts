import { counted } from '../src/base/counted.ts';
import type { TableReply } from '../src/protocol/timeline.ts';
import { make } from './dom.ts';

/** What the picture of one lane shows, as a table for those who do not see the picture. */
export class SpokenTable {
  readonly #table = make('table', '');
  readonly element = make('div', 'visually-hidden', {}, this.#table);
  #asked = 0;

  /** Fills the table with the answer to a question, unless a later one was asked meanwhile. */
  async fill(name: string, ask: () => Promise<TableReply>): Promise<void> {
    const mine = ++this.#asked;
    const reply = await ask().catch(() => undefined);
    if (mine !== this.#asked) return;
    this.#table.replaceChildren(...(reply ? contentOf(name, reply) : []));
  }

  clear(): void {
    this.#asked++;
    this.#table.replaceChildren();
  }
}

function contentOf(name: string, { rows, count }: TableReply): Node[] {
  const shown = rows.length < count ? `, the first ${rows.length} of them` : '';
  const heads = ['Step', 'Time', 'Event'].map((text) => make('th', '', { scope: 'col' }, text));
  const lines = rows.map(({ step, time, text }) =>
    make('tr', '', {}, make('td', '', {}, String(step)), make('td', '', {}, time), make('td', '', {}, text)),
  );
  return [
    make('caption', '', {}, `${name}: ${counted(count, 'event')} in view${shown}`),
    make('thead', '', {}, make('tr', '', {}, ...heads)),
    make('tbody', '', {}, ...lines),
  ];
}
