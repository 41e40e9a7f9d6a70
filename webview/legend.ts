import type { LayerMessage } from '../src/protocol/timeline.ts';
import { marks } from '../src/view/lanes/marks.ts';
import { MIXED, OFF, ON, UNKNOWN, type WindowView } from '../src/view/lanes/values.ts';
import { make } from './dom.ts';
import { DIFFERENCE_MEANINGS, drawFrame } from './draw/differences.ts';
import { drawPin, FINDING_MEANINGS } from './draw/findings.ts';
import { drawLayer } from './draw/layers.ts';
import { drawGlyph, ROW } from './shapes.ts';
import { Surface } from './surface.ts';
import type { Theme } from './theme.ts';

const WIDTH = 36;

type Sample = readonly [text: string, style: LayerMessage['style'], place: LayerMessage['place'], value: number];

const SAMPLES: readonly Sample[] = [
  ['Masked: nothing is sent', 'mask', 'band', ON],
  ['Open: not masked', 'mask', 'band', OFF],
  ['Pending, requested', 'pending', 'strip', ON],
  ['Running, in service, in the guest, high', 'run', 'band', ON],
  ['Several spans in one pixel: height is the share of time', 'run', 'band', MIXED],
  ['Present, mapped, on', 'hold', 'band', ON],
  ['Not present, not mapped, off', 'hold', 'band', OFF],
  ['Stale: invalidated since, or a move in progress', 'stale', 'strip', ON],
  ['Not known', 'mask', 'band', UNKNOWN],
];

/** A window of a single row with a single layer. */
function sampleWindow(value: number): WindowView {
  const mixed = value === MIXED;
  const runs = mixed ? Array.from({ length: WIDTH }, (_, i) => i) : [0];
  return {
    rowMarks: Uint32Array.of(0, 0),
    at: new Float32Array(),
    count: new Uint32Array(),
    step: new Uint32Array(),
    shapes: new Uint16Array(),
    hits: new Uint32Array(),
    hitShapes: new Uint16Array(),
    rowLayers: Uint32Array.of(0, 1),
    layerRuns: Uint32Array.of(0, runs.length),
    runAt: Float32Array.from(runs),
    runValue: new Uint8Array(runs.length).fill(value),
    runFill: Uint8Array.from(runs, (i) => 128 + 110 * Math.sin(i / 3)),
    rowDiffs: Uint32Array.of(0, 0),
    diffAt: new Float32Array(),
    diffKinds: new Uint8Array(),
  };
}

/** What the shapes and patterns mean. */
export class Legend {
  readonly element = make('section', 'legend', { 'aria-label': 'Legend' });
  #theme: Theme | undefined;

  constructor() {
    this.element.hidden = true;
  }

  get open(): boolean {
    return !this.element.hidden;
  }

  toggle(open: boolean, theme: Theme): void {
    this.element.hidden = !open;
    this.paint(theme);
  }

  /** Draws it again if it is open and the theme changed. */
  paint(theme: Theme): void {
    if (!this.open || theme === this.#theme) return;
    this.#theme = theme;
    const list = make('dl', '');
    for (const [text, style, place, value] of SAMPLES) {
      const layer: LayerMessage = { name: '', on: '', off: '', style, place };
      const view = sampleWindow(value);
      const mapping = { scale: 1, shift: 0, width: WIDTH, bins: WIDTH };
      list.append(this.#entry(text, (g) => drawLayer(g, theme, layer, view, 0, view.runAt.length, mapping, 0), theme));
    }
    for (const [i, mark] of marks.entries()) {
      if (mark.name !== 'edge')
        list.append(this.#entry(mark.meaning, (g) => drawGlyph(g, theme, i, WIDTH / 2, 0), theme));
    }
    for (const [severity, meaning] of FINDING_MEANINGS)
      list.append(this.#entry(meaning, (g) => drawPin(g, theme, severity, WIDTH / 2, ROW / 2 + 8), theme));
    for (const [kind, meaning] of DIFFERENCE_MEANINGS)
      list.append(this.#entry(meaning, (g) => drawFrame(g, theme, kind, WIDTH / 2, ROW / 2), theme));
    const note =
      'Where marks are closer than their shapes, they are ticks at the height of the shape; in a closed group, the height of a tick is the number of events.';
    this.element.replaceChildren(make('h2', '', {}, 'Legend'), list, make('p', '', {}, note));
  }

  #entry(text: string, draw: (g: CanvasRenderingContext2D) => void, theme: Theme): HTMLElement {
    const surface = new Surface('');
    surface.canvas.setAttribute('aria-hidden', 'true');
    surface.resize(WIDTH, ROW);
    surface.clear(theme.background);
    draw(surface.g);
    return make('div', 'entry', {}, make('dt', '', {}, surface.canvas), make('dd', '', {}, text));
  }
}
