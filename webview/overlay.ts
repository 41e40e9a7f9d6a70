import { counted } from '../src/base/counted.ts';
import { spanText, type TimeBase } from '../src/base/time.ts';
import type { CursorMessage } from '../src/protocol/timeline.ts';
import type { AxisKind } from '../src/view/lanes/values.ts';
import { type DifferencePoint, drawDifferences } from './draw/differences.ts';
import { drawFindings, type FindingPoint } from './draw/findings.ts';
import type { Surface } from './surface.ts';
import type { Theme } from './theme.ts';
import { placeText } from './ticks.ts';
import type { Viewport } from './viewport.ts';

/** A range that the user marked. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** An event of a delivery path. */
export interface PathPoint {
  readonly place: number;
  readonly row: number | undefined;
  readonly seen: boolean;
}

export interface OverlayScene {
  readonly theme: Theme;
  readonly viewport: Viewport;
  readonly time: TimeBase;
  readonly cursor: CursorMessage | undefined;
  readonly range: Range | undefined;
  /** Pixel under the pointer, or undefined. */
  readonly pointer: number | undefined;
  /** Middle of the row whose event the cursor stands at, or undefined when it is not on display. */
  readonly cursorRow: number | undefined;
  /** Where the cursor of the other trace of a comparison stands: its place, and the middle of its row (undefined: no row). */
  readonly other: { readonly place: number; readonly row: number | undefined } | undefined;
  /** Where findings show. */
  readonly findings: readonly FindingPoint[];
  /** Where the trace differs from the one that it is compared with, and what a search found: place on the axis, middle of the row (undefined: no row). */
  readonly differences: readonly DifferencePoint[];
  /** The events of the delivery path that is shown: place on the axis, middle of the row (undefined: no row), whether a record shows it. */
  readonly path: readonly PathPoint[];
}

/** Where the cursor stands on an axis; undefined before the first event. */
export function cursorPlace(cursor: CursorMessage | undefined, axis: AxisKind): number | undefined {
  if (!cursor || cursor.step < 0) return undefined;
  return axis === 'step' ? cursor.step : cursor.time;
}

/** Length of a range in words: a duration, or a number of steps, ticks, or places of the axis of two traces. */
export function rangeText({ from, to }: Range, axis: AxisKind, time: TimeBase): string {
  const length = Math.abs(to - from);
  if (axis !== 'time') return counted(Math.round(length), axis === 'step' ? 'step' : 'place');
  return spanText(Math.round(length), time);
}

/** Radius of the ring around the event that the cursor stands at. */
const RING = 11;

const aligned = (pixel: number): number => Math.round(pixel * devicePixelRatio) / devicePixelRatio;

const ARROW = 5;

/** Draws a delivery path: an arrow from each event to the next one, broken where the next one is inferred. */
function drawPath(g: CanvasRenderingContext2D, { theme, viewport, path }: OverlayScene): void {
  const points = path.flatMap(({ place, row, seen }) =>
    row === undefined ? [] : [{ x: viewport.pixel(place), y: row, seen }],
  );
  for (const [width, color] of [
    [4, theme.background],
    [1.5, theme.focus],
  ] as const) {
    g.strokeStyle = color;
    g.fillStyle = color;
    g.lineWidth = width;
    for (const [i, to] of points.entries()) {
      const from = points[i - 1];
      if (!from || (from.y === to.y && Math.abs(to.x - from.x) < 2)) continue;
      g.setLineDash(to.seen ? [] : [4, 3]);
      g.beginPath();
      g.moveTo(from.x, from.y);
      g.lineTo(to.x, to.y);
      g.stroke();
      g.setLineDash([]);
      const angle = Math.atan2(to.y - from.y, to.x - from.x);
      g.beginPath();
      for (const turn of [0, 2.6, -2.6]) {
        const reach = turn === 0 ? 0 : ARROW + width;
        g.lineTo(to.x + reach * Math.cos(angle + turn), to.y + reach * Math.sin(angle + turn));
      }
      g.fill();
    }
  }
}

/** Draws a broken ring around the event at which the cursor of the other trace stands. */
function drawOther(g: CanvasRenderingContext2D, { theme, viewport, other }: OverlayScene): void {
  if (other?.row === undefined) return;
  for (const [width, color] of [
    [4, theme.background],
    [2, theme.cursor],
  ] as const) {
    g.beginPath();
    g.arc(aligned(viewport.pixel(other.place)) + 0.5, other.row, RING, 0, 2 * Math.PI);
    g.setLineDash([5, 3]);
    g.lineWidth = width;
    g.strokeStyle = color;
    g.stroke();
    g.setLineDash([]);
  }
}

/** Draws what lies over the lanes and moves often: marked range, pointer line, cursor line. */
export function drawOverlay(surface: Surface, scene: OverlayScene): void {
  const { g, height, width } = surface;
  const { theme, viewport, cursor, range, pointer } = scene;
  surface.clear();
  if (range) {
    const [left, right] = [viewport.pixel(range.from), viewport.pixel(range.to)].sort((a, b) => a - b) as [
      number,
      number,
    ];
    g.fillStyle = theme.selection;
    g.globalAlpha = 0.35;
    g.fillRect(left, 0, right - left, height);
    g.globalAlpha = 1;
    g.fillStyle = theme.focus;
    for (const edge of [left, right]) g.fillRect(aligned(edge), 0, 1, height);
  }
  if (pointer !== undefined) {
    g.fillStyle = theme.dim;
    g.globalAlpha = 0.5;
    g.fillRect(aligned(pointer), 0, 1 / devicePixelRatio, height);
    g.globalAlpha = 1;
  }
  drawDifferences(g, width, height, scene);
  drawPath(g, scene);
  drawFindings(g, width, height, scene);
  drawOther(g, scene);
  const place = cursorPlace(cursor, viewport.axis);
  if (place === undefined) return;
  const x = aligned(viewport.pixel(place));
  if (x < -2 || x > width + 2) return;
  const row = scene.cursorRow;
  // The event of the cursor is inside a ring; the line leaves it free.
  const pieces: readonly (readonly [number, number])[] =
    row === undefined
      ? [[0, height]]
      : [
          [0, row - RING],
          [row + RING, height],
        ];
  for (const [from, to] of pieces) {
    g.fillStyle = theme.background;
    g.fillRect(x - 1.5, from, 4, to - from);
    g.fillStyle = theme.cursor;
    g.fillRect(x - 0.5, from, 2, to - from);
  }
  if (row === undefined) return;
  for (const [width, color] of [
    [4, theme.background],
    [2, theme.cursor],
  ] as const) {
    g.beginPath();
    g.arc(x + 0.5, row, RING, 0, 2 * Math.PI);
    g.lineWidth = width;
    g.strokeStyle = color;
    g.stroke();
  }
}

/** The text that the cursor has on the ruler. */
export function cursorLabel(cursor: CursorMessage, axis: AxisKind): string {
  return axis === 'step' ? String(cursor.step) : cursor.label;
}

/** From where to where a box with a text of some width reaches, as near to a pixel as the edges allow. */
export function flagSpan(textWidth: number, pixel: number, width: number): readonly [left: number, right: number] {
  const room = textWidth + 10;
  const left = Math.max(0, Math.min(width - room, pixel - room / 2));
  return [left, left + room];
}

/** A text in a box on the ruler, as near to a pixel as the edges allow; `full` boxes are filled. */
function flag(surface: Surface, theme: Theme, text: string, pixel: number, color: string, full: boolean): void {
  const { g, width, height } = surface;
  g.font = theme.font;
  g.textBaseline = 'middle';
  g.textAlign = 'left';
  const [left, right] = flagSpan(g.measureText(text).width, pixel, width);
  const room = right - left;
  g.fillStyle = full ? color : theme.background;
  g.fillRect(left, 1, room, height - 9);
  g.strokeStyle = color;
  g.lineWidth = 1;
  g.strokeRect(left + 0.5, 1.5, room - 1, height - 10);
  g.fillStyle = full ? theme.background : theme.foreground;
  g.fillText(text, left + 5, (height - 8) / 2 + 1);
}

/** The cursor on the ruler: its label, or an arrow at the edge behind which it is. */
function drawCursorFlag(surface: Surface, { theme, viewport, cursor }: OverlayScene): void {
  const { g, width, height } = surface;
  const place = cursorPlace(cursor, viewport.axis);
  if (place === undefined || !cursor) return;
  const x = viewport.pixel(place);
  const outside = x < 0 || x > width;
  g.fillStyle = theme.cursor;
  g.beginPath();
  if (outside) {
    const edge = x < 0 ? 1 : width - 1;
    const into = x < 0 ? 7 : -7;
    g.moveTo(edge, height / 2);
    g.lineTo(edge + into, height / 2 - 5);
    g.lineTo(edge + into, height / 2 + 5);
  } else {
    g.moveTo(x + 0.5, height);
    g.lineTo(x - 5, height - 8);
    g.lineTo(x + 6, height - 8);
  }
  g.fill();
  if (!outside) flag(surface, theme, cursorLabel(cursor, viewport.axis), x, theme.cursor, true);
}

/** Draws the flags over the ruler: the cursor, and over it the marked range or the place under the pointer. */
export function drawFlags(surface: Surface, scene: OverlayScene): void {
  const { g, height } = surface;
  const { theme, viewport, time, range, pointer } = scene;
  surface.clear();
  drawCursorFlag(surface, scene);
  if (range) {
    const [left, right] = [range.from, range.to].map((x) => viewport.pixel(x)) as [number, number];
    g.fillStyle = theme.focus;
    g.fillRect(Math.min(left, right), height - 3, Math.abs(right - left), 3);
    flag(surface, theme, rangeText(range, viewport.axis, time), (left + right) / 2, theme.focus, false);
  } else if (pointer !== undefined) {
    flag(surface, theme, placeText(viewport.place(pointer), viewport.axis, time), pointer, theme.dim, false);
  }
}
