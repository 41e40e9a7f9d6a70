import { counted } from '../src/base/counted.ts';
import type { TableReply } from '../src/protocol/timeline.ts';
import { make } from './dom.ts';

/** What the picture of one lane shows, as a table for those who do not see the picture. */
export class SpokenTable {
  readonly #table = make('table', '');
  readonly element = make('div', 'visually-hidden', {}, this.#table);
  #asked = 0;

  /** Fills the table with the answer to a question, unless a later one was asked meanwhile. `other`: name of the other trace of a comparison. */
  async fill(name: string, other: string, ask: () => Promise<TableReply>): Promise<void> {
    const mine = ++this.#asked;
    const reply = await ask().catch(() => undefined);
    if (mine !== this.#asked) return;
    this.#table.replaceChildren(...(reply ? contentOf(name, other, reply) : []));
  }

  clear(): void {
    this.#asked++;
    this.#table.replaceChildren();
  }
}

function contentOf(name: string, other: string, { rows, count }: TableReply): Node[] {
  const shown = rows.length < count ? `, the first ${rows.length} of them` : '';
  const compared = other === '' ? [] : [`In ${other}`];
  const heads = ['Step', 'Time', 'Event', ...compared].map((text) => make('th', '', { scope: 'col' }, text));
  const lines = rows.map(({ step, time, text, other: there }) => {
    const own = step < 0 ? ['–', '', 'no such event'] : [String(step), time, text];
    const cells = compared.length === 0 ? own : [...own, there];
    return make('tr', '', {}, ...cells.map((cell) => make('td', '', {}, cell)));
  });
  return [
    make('caption', '', {}, `${name}: ${counted(count, 'event')} in view${shown}`),
    make('thead', '', {}, make('tr', '', {}, ...heads)),
    make('tbody', '', {}, ...lines),
  ];
}
