import type { LayerMessage } from '../../src/protocol/timeline.ts';
import { ABSENT, MIXED, OFF, ON, UNKNOWN, type WindowView } from '../../src/view/lanes/values.ts';
import { BAND_BOTTOM, BAND_TOP, STRIP_BOTTOM, STRIP_TOP } from '../shapes.ts';
import type { Theme } from '../theme.ts';

/** The position of a window on the canvas: pixel = at * scale + shift. */
export interface Mapping {
  readonly scale: number;
  readonly shift: number;
  /** The width of the picture. */
  readonly width: number;
  /** The end of the window, in bins. */
  readonly bins: number;
}

interface Box {
  readonly g: CanvasRenderingContext2D;
  readonly theme: Theme;
  readonly color: string;
  readonly layer: LayerMessage;
  readonly top: number;
  readonly bottom: number;
}

const snap = (x: number): number => Math.round(x * devicePixelRatio) / devicePixelRatio;

function hatched({ g, theme, color, top, bottom }: Box, x: number, width: number, rim: boolean): void {
  g.fillStyle = theme.hatch(color);
  // A pattern counts in device pixels, but the canvas counts in CSS pixels.
  g.save();
  g.beginPath();
  g.rect(x, top, width, bottom - top);
  g.clip();
  g.setTransform(1, 0, 0, 1, 0, 0);
  const ratio = devicePixelRatio;
  g.fillRect(Math.floor(x * ratio) - 1, Math.floor(top * ratio) - 1, Math.ceil(width * ratio) + 2, 200);
  g.restore();
  if (!rim) return;
  g.strokeStyle = color;
  g.lineWidth = 1;
  g.strokeRect(x + 0.5, top + 0.5, Math.max(0, width - 1), bottom - top - 1);
}

function line({ g, top, bottom }: Box, x: number, width: number, thick: number, color: string): void {
  g.fillStyle = color;
  g.fillRect(x, snap((top + bottom - thick) / 2), width, thick);
}

function dotted(box: Box, x: number, width: number): void {
  const { g, theme, top, bottom } = box;
  g.strokeStyle = theme.dim;
  g.lineWidth = 1.2;
  g.setLineDash([1.2, 4]);
  // The dots keep their place on the screen when the picture moves.
  g.lineDashOffset = -x;
  g.beginPath();
  const y = (top + bottom) / 2;
  g.moveTo(0, y);
  g.moveTo(x, y);
  g.lineTo(x + width, y);
  g.stroke();
  g.setLineDash([]);
}

function solid({ g, theme, color, top, bottom }: Box, x: number, width: number): void {
  g.fillStyle = color;
  g.fillRect(x, top, width, bottom - top);
  if (theme.highContrast && width > 3) {
    g.strokeStyle = theme.foreground;
    g.lineWidth = 1;
    g.strokeRect(x + 0.5, top + 0.5, width - 1, bottom - top - 1);
  }
}

/** Draws one span of a layer. A strip shows only the spans in which the layer is on. */
function drawSpan(box: Box, value: number, x: number, width: number): void {
  const { layer, color, theme } = box;
  const strip = layer.place === 'strip';
  if (value === ABSENT || (strip && value !== ON)) return;
  if (value === UNKNOWN) {
    dotted(box, x, width);
    return;
  }
  switch (layer.style) {
    case 'mask':
      if (value === ON) hatched(box, x, width, true);
      else if (layer.name !== 'offline') line(box, x, width, 2, theme.layers.hold);
      break;
    case 'stale':
      if (value === ON) hatched(box, x, width, !strip);
      break;
    case 'pending':
      if (value === ON) solid(box, x, width);
      break;
    case 'run':
      if (value === ON) solid(box, x, width);
      else if (value === OFF) {
        box.g.globalAlpha = 0.6;
        line(box, x, width, 1, theme.grid);
        box.g.globalAlpha = 1;
      }
      break;
    case 'hold':
      line(box, x, width, value === ON ? 3 : 1, value === ON ? color : theme.grid);
      break;
  }
}

/** Draws a bin in which the layer changed several times: a pale bar with a full column in it. The height of the column is the share of the bin in which the layer was on. */
function drawMixed(box: Box, x: number, width: number, fill: number): void {
  const { g, color, top, bottom } = box;
  g.globalAlpha = 0.3;
  g.fillStyle = color;
  g.fillRect(x, top, width, bottom - top);
  g.globalAlpha = 1;
  const high = Math.max(1, ((bottom - top) * fill) / 255);
  g.fillRect(x, bottom - high, width, high);
}

/** Draws one layer of a row: the runs from `first` up to `end` of a window. */
export function drawLayer(
  g: CanvasRenderingContext2D,
  theme: Theme,
  layer: LayerMessage,
  view: WindowView,
  first: number,
  end: number,
  { scale, shift, width, bins }: Mapping,
  rowTop: number,
): void {
  const strip = layer.place === 'strip';
  const box: Box = {
    g,
    theme,
    layer,
    color: theme.layers[layer.style],
    top: rowTop + (strip ? STRIP_TOP : BAND_TOP),
    bottom: rowTop + (strip ? STRIP_BOTTOM : BAND_BOTTOM),
  };
  const device = 1 / devicePixelRatio;
  let lastMixed = Number.NEGATIVE_INFINITY;
  for (let i = first; i < end; i++) {
    const from = view.runAt[i]! * scale + shift;
    const until = (i + 1 < end ? view.runAt[i + 1]! : bins) * scale + shift;
    if (until < 0 || from > width) continue;
    const value = view.runValue[i]!;
    const x = snap(Math.max(-2, from));
    if (value === MIXED) {
      const right = snap(Math.min(width + 2, until));
      // When the user zooms out, several bins share a pixel until the new data arrives. The first of them is drawn.
      if (x <= lastMixed) continue;
      lastMixed = x;
      drawMixed(box, x, Math.max(device, right - x), view.runFill[i]!);
    } else {
      const right = snap(Math.min(width + 2, until));
      // A span in which the layer is on stays visible, however short it is.
      drawSpan(box, value, x, Math.max(value === ON ? 1 : 0, right - x));
    }
  }
}
