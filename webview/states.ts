import { counted } from '../src/base/counted.ts';
import type { SearchMessage } from '../src/protocol/query.ts';
import type { TraceMessage } from '../src/protocol/timeline.ts';
import { make, setText } from './dom.ts';
import type { Layout } from './layout.ts';
import { makeButton, makeProgressRing } from './toolkit.ts';

/** What stands in place of the picture: nothing open, still reading, cannot be read, nothing in it. */
function messageFor(trace: TraceMessage, lanes: number, open: () => void): Node[] | undefined {
  const { status, name, problem, events } = trace;
  if (status === 'none') {
    return [
      make('h2', '', {}, 'No trace is open'),
      make(
        'p',
        '',
        {},
        'Open a trace, a log, a snapshot, or a folder or archive of them to see its interrupts over time.',
      ),
      makeButton('Open Trace…', open),
    ];
  }
  if (lanes > 0) return undefined;
  if (status === 'loading' || trace.indexed < events)
    return [makeProgressRing(), make('p', '', {}, `Reading ${name} …`)];
  if (status === 'error') {
    return [
      make('h2', '', {}, `${name} cannot be read`),
      make('p', 'problem', {}, problem),
      makeButton('Open Another Trace…', open),
    ];
  }
  return [
    make('h2', '', {}, `${name} has no events`),
    make('p', '', {}, problem === '' ? 'None of its lines tells of an interrupt.' : problem),
  ];
}

/** Why no lane of a trace is on display: the words or the filter leave none. */
export function noLaneText(words: string, search: SearchMessage | undefined, hitsOnly: boolean): string {
  if (words !== '')
    return `No lane has ${words} in its name or path. What looks for events holds a comparison, as kind == send, or is a flag in parentheses, as (entry.mask).`;
  if (!hitsOnly || search === undefined) return '';
  if (search.hits > 0) return 'The events that fit stand in no lane. The list of events shows them.';
  return search.state === 'running'
    ? 'No event fits so far.'
    : 'No event fits. Without “Hits only”, all lanes are shown.';
}

/** Shows how far reading has come, what is wrong with the trace, and a message where there is no picture to show. */
export class StateView {
  readonly #layout: Layout;
  readonly #open: () => void;
  #key = '';

  constructor(layout: Layout, open: () => void) {
    this.#layout = layout;
    this.#open = open;
  }

  update(trace: TraceMessage, lanes: number): void {
    const { message, banner, progress, body } = this.#layout;
    const key = JSON.stringify([
      trace.status,
      trace.name,
      trace.problem,
      lanes > 0,
      trace.indexed < trace.events,
      trace.id,
    ]);
    if (key !== this.#key) {
      this.#key = key;
      const content = messageFor(trace, lanes, this.#open);
      message.hidden = content === undefined;
      message.replaceChildren(...(content ?? []));
      body.parentElement?.classList.toggle('empty', content !== undefined);
      banner.hidden = content !== undefined || trace.problem === '';
      setText(banner, banner.hidden ? '' : `${trace.name}: ${trace.problem}. What was read before that is shown.`);
    }
    const share = progressOf(trace);
    const bar = progress.firstElementChild as HTMLElement;
    progress.classList.toggle('active', share !== undefined);
    bar.classList.toggle('unknown', share === -1);
    bar.style.width = share === undefined || share < 0 ? '' : `${Math.round(share * 100)}%`;
    if (share !== undefined && share >= 0) progress.setAttribute('aria-valuenow', String(Math.round(share * 100)));
    else progress.removeAttribute('aria-valuenow');
    progress.title = share === undefined ? '' : `${counted(trace.events, 'event')} so far`;
  }
}

/** Share of the work that is done; -1 when that is not known, undefined when all is done. */
function progressOf({ status, progress, events, indexed }: TraceMessage): number | undefined {
  if (status === 'loading') return progress < 0 ? -1 : progress;
  return indexed < events ? indexed / events : undefined;
}
