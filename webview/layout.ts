import { icon, make } from './dom.ts';
import { type BoxActions, QueryBox } from './query/box.ts';
import { Hits } from './query/hits.ts';
import { Surface } from './surface.ts';
import { type Checkbox, makeButton, makeCheckbox } from './toolkit.ts';

export const RULER = 34;
export const NARROWEST = 90;

/** What the controls of the toolbar do. */
export interface Controls {
  readonly query: BoxActions;
  /** Shows only events that fit the filter, and lanes that have some; otherwise the others are dimmed. */
  hitsOnly(on: boolean): void;
  events(): void;
  zoom(factor: number): void;
  fit(): void;
  go(to: 'next' | 'previous'): void;
  turnAll(open: boolean): void;
  steps(on: boolean): void;
  legend(): void;
}

/** The parts of the page. */
export interface Layout {
  readonly box: QueryBox;
  readonly hits: Hits;
  readonly hitsOnly: Checkbox;
  readonly steps: Checkbox;
  readonly legendButton: HTMLElement;
  readonly progress: HTMLElement;
  readonly banner: HTMLElement;
  readonly body: HTMLElement;
  readonly corner: HTMLElement;
  readonly splitter: HTMLElement;
  readonly ruler: Surface;
  readonly flags: Surface;
  readonly scroller: HTMLElement;
  readonly content: HTMLElement;
  readonly stage: HTMLElement;
  readonly lanes: Surface;
  readonly overlay: Surface;
  readonly message: HTMLElement;
  /** Says why no lane is on display. */
  readonly noLane: HTMLElement;
  readonly shown: HTMLElement;
  readonly event: HTMLElement;
  readonly range: HTMLElement;
  readonly live: HTMLElement;
}

const HELP =
  'Left and right arrow pan, with Control they move the cursor to the previous or next event of the lane. Up and down ' +
  'arrow choose a lane. Plus and minus zoom, F fits all, Home and End go to the ends, Enter moves the cursor to the ' +
  'nearest event, Space opens or closes a group, M marks a range: its start at the cursor, then its end; Escape takes the ' +
  'mark away. Control and F leads to the filter.';

const ICONS = {
  zoomIn: 'M7 3.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7M9.7 9.7L13.5 13.5M5.3 7h3.4M7 5.3v3.4',
  zoomOut: 'M7 3.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7M9.7 9.7L13.5 13.5M5.3 7h3.4',
  fit: 'M2.5 3v10M13.5 3v10M4.5 8h7M6.5 6l-2 2l2 2M9.5 6l2 2l-2 2',
  previous: 'M10.5 3.5L5.5 8l5 4.5M3.5 3.5v9',
  next: 'M5.5 3.5L10.5 8l-5 4.5M12.5 3.5v9',
  open: 'M3 4h10M5.5 8H13M5.5 12H13',
  close: 'M3 4h10M3 8h10M3 12h10',
  events: 'M3 4h1M6 4h7M3 8h1M6 8h7M3 12h1M6 12h7',
  legend: 'M8 11.5v.1M5.8 6.2a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M8 1.8a6.2 6.2 0 1 0 0 12.4a6.2 6.2 0 1 0 0-12.4',
};

/** Makes the page inside an element. */
export function makeLayout(root: HTMLElement, controls: Controls, names: HTMLElement, extras: readonly Node[]): Layout {
  const box = new QueryBox('Filter lanes, or events: kind == send', controls.query);
  const { query } = controls;
  const hits = new Hits({ hit: (to) => query.hit(to), stop: () => query.stop(), clear: () => box.clear() });
  const hitsOnly = makeCheckbox('Hits only', controls.hitsOnly);
  hitsOnly.element.title = 'Hides the events that do not fit the filter, and lanes without one that does';
  hitsOnly.element.hidden = true;
  const steps = makeCheckbox('Equal steps', controls.steps);
  steps.element.title = 'Draws every event as wide as any other, instead of drawing time';
  const legendButton = makeButton('Legend', controls.legend, icon(ICONS.legend));
  const group = (name: string, ...buttons: HTMLElement[]): HTMLElement =>
    make('div', 'group', { role: 'group', 'aria-label': name }, ...buttons);
  const toolbar = make(
    'div',
    'toolbar',
    { role: 'toolbar', 'aria-label': 'Timeline' },
    box.element,
    hits.element,
    hitsOnly.element,
    group(
      'Zoom',
      makeButton('Zoom Out', () => controls.zoom(1 / 2), icon(ICONS.zoomOut)),
      makeButton('Zoom In', () => controls.zoom(2), icon(ICONS.zoomIn)),
      makeButton('Fit All', controls.fit, icon(ICONS.fit)),
    ),
    group(
      'Events of the lane',
      makeButton('Previous Event of the Lane', () => controls.go('previous'), icon(ICONS.previous)),
      makeButton('Next Event of the Lane', () => controls.go('next'), icon(ICONS.next)),
    ),
    group(
      'Groups of lanes',
      makeButton('Open All Groups', () => controls.turnAll(true), icon(ICONS.open)),
      makeButton('Close All Groups', () => controls.turnAll(false), icon(ICONS.close)),
    ),
    steps.element,
    make('span', 'space'),
    group('Events and colours', makeButton('Show Event List', controls.events, icon(ICONS.events)), legendButton),
  );
  const progress = make(
    'div',
    'progress',
    { role: 'progressbar', 'aria-label': 'Reading the trace' },
    make('div', 'bar'),
  );
  const banner = make('div', 'banner', { role: 'status' });
  banner.hidden = true;
  const ruler = new Surface('ruler-picture');
  const flags = new Surface('ruler-flags');
  const corner = make('div', 'corner');
  const head = make(
    'div',
    'head',
    {},
    corner,
    make('div', 'ruler', { 'aria-hidden': 'true' }, ruler.canvas, flags.canvas),
  );
  const lanes = new Surface('lanes-picture');
  const overlay = new Surface('overlay');
  lanes.canvas.setAttribute('aria-hidden', 'true');
  overlay.canvas.tabIndex = 0;
  overlay.canvas.setAttribute('role', 'application');
  overlay.canvas.setAttribute('aria-roledescription', 'timeline');
  overlay.canvas.setAttribute('aria-label', 'Timeline');
  overlay.canvas.setAttribute('aria-describedby', 'help');
  const stage = make('div', 'stage', {}, lanes.canvas, overlay.canvas);
  const content = make('div', 'content', {}, names, stage);
  const scroller = make('div', 'scroller', {}, content);
  const splitter = make('div', 'splitter', {
    role: 'separator',
    tabindex: '0',
    'aria-orientation': 'vertical',
    'aria-label': 'Width of the names',
    'aria-valuemin': String(NARROWEST),
  });
  const message = make('div', 'message');
  message.hidden = true;
  const noLane = make('div', 'no-lane', { role: 'status' });
  const body = make('div', 'body', {}, head, scroller, splitter, noLane, message);
  const shown = make('span', 'shown');
  const event = make('span', 'cursor-event');
  const range = make('span', 'range', { role: 'status' });
  const status = make('div', 'status', {}, shown, event, range);
  const live = make('div', 'visually-hidden', { 'aria-live': 'polite', role: 'status' });
  const help = make('div', 'visually-hidden', { id: 'help' }, HELP);
  root.replaceChildren(toolbar, progress, banner, body, status, live, help, ...extras);
  return {
    ...{
      box,
      hits,
      hitsOnly,
      steps,
      legendButton,
      progress,
      banner,
      body,
      corner,
      splitter,
      ruler,
      flags,
      scroller,
      content,
      stage,
    },
    ...{ lanes, overlay, message, noLane, shown, event, range, live },
  };
}

/** The line between names and picture: dragged, or moved with the arrow keys. */
export function listenToSplitter(
  { splitter, body }: Layout,
  widthNow: () => number,
  setWidth: (width: number) => void,
): void {
  splitter.addEventListener('pointerdown', (event) => {
    splitter.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  splitter.addEventListener('pointermove', (event) => {
    if (splitter.hasPointerCapture(event.pointerId)) setWidth(event.clientX - body.getBoundingClientRect().left);
  });
  splitter.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -16, ArrowRight: 16 }[event.key];
    if (by === undefined) return;
    setWidth(widthNow() + by);
    event.preventDefault();
    event.stopPropagation();
  });
}
