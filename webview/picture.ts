import type { TimeBase } from '../src/base/time.ts';
import type { CursorMessage, LayerMessage } from '../src/protocol/timeline.ts';
import { drawRowDifferences } from './draw/differences.ts';
import { drawLayer, type Mapping } from './draw/layers.ts';
import { drawMarks, type MarkStyle } from './draw/marks.ts';
import { cursorLabel, cursorPlace, flagSpan } from './overlay.ts';
import type { ShownRow } from './rows.ts';
import { ROW } from './shapes.ts';
import type { Surface } from './surface.ts';
import type { Theme } from './theme.ts';
import { placeText, ticksOf } from './ticks.ts';
import type { Viewport } from './viewport.ts';
import { type Fetched, keyOf } from './windows.ts';

export interface Scene {
  readonly theme: Theme;
  readonly viewport: Viewport;
  readonly rows: readonly ShownRow[];
  readonly layers: readonly LayerMessage[];
  readonly fetched: Fetched | undefined;
  readonly scrollTop: number;
  readonly cursor: CursorMessage | undefined;
  readonly time: TimeBase;
  readonly unit: number;
  /** The lane with the focus, and the lane under the pointer; -1 for none. */
  readonly focused: number;
  readonly hovered: number;
  /** Events that do not fit the filter are left out, not dimmed. */
  readonly hitsOnly: boolean;
}

/** The distance between two labels of the ruler in pixels, for a label of this width. */
const labelRoom = (width: number): number => width + 36;

function ticks(scene: Scene, labelWidth: number): ReturnType<typeof ticksOf> {
  const { viewport, unit } = scene;
  return ticksOf(viewport.from, viewport.to, labelRoom(labelWidth) * viewport.size, unit);
}

/** The width of the widest label in a part of the axis. */
function widestLabel(g: CanvasRenderingContext2D, { viewport, time, theme }: Scene): number {
  g.font = theme.font;
  const ends = [viewport.from, viewport.to].map(
    (x) => g.measureText(placeText(Math.max(0, x), viewport.axis, time)).width,
  );
  return Math.max(...ends);
}

const sharp = (x: number): number => (Math.floor(x * devicePixelRatio) + 0.5) / devicePixelRatio;

/** The part of the ruler under the label of the cursor. */
function cursorFlag({ g, width }: Surface, { viewport, cursor }: Scene): readonly [number, number] | undefined {
  const place = cursorPlace(cursor, viewport.axis);
  if (!cursor || place === undefined) return undefined;
  const pixel = viewport.pixel(place);
  if (pixel < 0 || pixel > width) return undefined;
  return flagSpan(g.measureText(cursorLabel(cursor, viewport.axis)).width, pixel, width);
}

/** Draws the ruler above the lanes. */
export function drawRuler(surface: Surface, scene: Scene): void {
  const { g, height } = surface;
  const { theme, viewport, time } = scene;
  surface.clear(theme.background);
  const { major, minor } = ticks(scene, widestLabel(g, scene));
  g.strokeStyle = theme.dim;
  g.lineWidth = 1 / devicePixelRatio;
  g.beginPath();
  for (const x of minor) {
    const pixel = sharp(viewport.pixel(x));
    g.moveTo(pixel, height - 4);
    g.lineTo(pixel, height);
  }
  for (const x of major) {
    const pixel = sharp(viewport.pixel(x));
    g.moveTo(pixel, height - 8);
    g.lineTo(pixel, height);
  }
  g.stroke();
  g.font = theme.font;
  g.fillStyle = theme.dim;
  g.textAlign = 'center';
  g.textBaseline = 'middle';
  // The axes of steps and of places begin at 0. The axis of time also has labels before the first event.
  const first = viewport.axis === 'time' ? Number.NEGATIVE_INFINITY : 0;
  const taken = cursorFlag(surface, scene);
  // If the cursor is out of view, an arrow at that edge takes 12 pixels.
  const cursor = cursorPlace(scene.cursor, viewport.axis) ?? viewport.from;
  const [left, right] = [cursor < viewport.from ? 12 : 2, cursor > viewport.to ? 12 : 2];
  for (const x of major) {
    if (x < first) continue;
    const text = placeText(x, viewport.axis, time);
    const half = g.measureText(text).width / 2;
    const pixel = viewport.pixel(x);
    // The picture would cut a label at its edge, so the label moves inwards while its tick is visible.
    if (pixel < 0 || pixel > surface.width) continue;
    const middle = Math.max(half + left, Math.min(surface.width - half - right, pixel));
    if (taken && middle + half > taken[0] - 4 && middle - half < taken[1] + 4) continue;
    g.fillText(text, middle, height / 2 - 3);
  }
}

/** Draws the lanes. Returns the number of visible rows for which no data has arrived yet. */
export function drawLanes(surface: Surface, scene: Scene): number {
  const { g, width, height } = surface;
  const { theme, viewport, rows, fetched, scrollTop } = scene;
  surface.clear(theme.background);
  const first = Math.max(0, Math.floor(scrollTop / ROW));
  const last = Math.min(rows.length, Math.ceil((scrollTop + height) / ROW));
  for (let r = first; r < last; r++) {
    const { lane, level, branch } = rows[r]!;
    const color =
      lane.id === scene.focused ? theme.focusedRow : lane.id === scene.hovered ? theme.hoveredRow : undefined;
    const top = r * ROW - scrollTop;
    if (color !== undefined) {
      g.fillStyle = color;
      g.fillRect(0, top, width, ROW);
    }
    if (theme.highContrast && lane.id === scene.focused) {
      g.fillStyle = theme.focus;
      for (const y of [top, top + ROW - 2]) g.fillRect(0, y, width, 1);
    }
    g.strokeStyle = theme.grid;
    g.lineWidth = 1 / devicePixelRatio;
    // No line parts two lanes for the same thing.
    g.globalAlpha = rows[r + 1]?.twin ? 0 : level === 0 && branch ? 1 : 0.35;
    g.beginPath();
    g.moveTo(0, sharp(top + ROW - 1));
    g.lineTo(width, sharp(top + ROW - 1));
    g.stroke();
    g.globalAlpha = 1;
  }
  drawGrid(surface, scene);
  drawEnds(surface, scene);
  if (!fetched || fetched.axis !== viewport.axis) return last - first;
  const scale = fetched.size / viewport.size;
  const shift = viewport.pixel(fetched.from);
  // Spans end at the last event, because nothing is known after it.
  const bins = Math.min(fetched.bins, (viewport.pixel(viewport.extent.to) - shift) / scale);
  const mapping: Mapping = { scale, shift, width, bins };
  let missing = 0;
  for (let r = first; r < last; r++) {
    const { lane, deep } = rows[r]!;
    const index = fetched.rows.get(keyOf({ lane: lane.id, deep }));
    if (index === undefined) missing++;
    else drawRow(surface, scene, fetched, rows[r]!, index, mapping, r * ROW - scrollTop);
  }
  return missing;
}

function drawRow(
  { g }: Surface,
  { theme, layers, hitsOnly }: Scene,
  { view, search }: Fetched,
  { lane, deep }: ShownRow,
  row: number,
  mapping: Mapping,
  top: number,
): void {
  const from = view.rowLayers[row]!;
  const count = Math.min(view.rowLayers[row + 1]! - from, lane.layers.length);
  for (let l = 0; l < count; l++) {
    const layer = layers[lane.layers[l]!];
    if (layer) drawLayer(g, theme, layer, view, view.layerRuns[from + l]!, view.layerRuns[from + l + 1]!, mapping, top);
  }
  const spans = lane.layers.some((l) => layers[l]?.style === 'run');
  const style = { edges: deep || !spans, density: deep };
  const draw = (which: MarkStyle['which'], alpha = 1): void =>
    drawMarks(g, theme, view, row, mapping, top, { ...style, which, alpha });
  if (search === 0) draw('all');
  else {
    if (!hitsOnly) draw('others', theme.dimmed);
    draw('hits');
  }
  drawRowDifferences(g, theme, view, row, mapping, top);
}

function drawGrid({ g, height }: Surface, scene: Scene): void {
  const { theme, viewport } = scene;
  const { major } = ticks(scene, widestLabel(g, scene));
  g.strokeStyle = theme.grid;
  g.lineWidth = 1 / devicePixelRatio;
  g.globalAlpha = 0.6;
  g.beginPath();
  for (const x of major) {
    const pixel = sharp(viewport.pixel(x));
    g.moveTo(pixel, 0);
    g.lineTo(pixel, height);
  }
  g.stroke();
  g.globalAlpha = 1;
}

/** Shades the parts before the first and after the last event, because nothing is known about them. */
function drawEnds({ g, width, height }: Surface, { theme, viewport }: Scene): void {
  const { from, to } = viewport.extent;
  const left = Math.min(width, viewport.pixel(from));
  const right = Math.max(0, viewport.pixel(to));
  g.fillStyle = theme.grid;
  g.globalAlpha = 0.18;
  if (left > 0) g.fillRect(0, 0, left, height);
  if (right < width) g.fillRect(right, 0, width - right, height);
  g.globalAlpha = 1;
}
