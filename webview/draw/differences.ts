import { lowerBound } from '../../src/base/search.ts';
import type { DifferencesMessage } from '../../src/protocol/timeline.ts';
import { DIFFERENCE, type DifferenceName, type WindowView } from '../../src/view/lanes/values.ts';
import { ROW } from '../shapes.ts';
import type { Theme } from '../theme.ts';
import type { Viewport } from '../viewport.ts';
import type { Mapping } from './layers.ts';

/** What a frame tells of an event: how it differs from the other trace, or that a search found it. */
export type Kind = DifferencesMessage['places'][number]['kind'] | 'found';

/** A place at which the trace differs from the one that it is compared with, or at which a search found an event. */
export interface DifferencePoint {
  readonly place: number;
  /** Middle of its row; undefined when no row shows its lane. */
  readonly row: number | undefined;
  readonly kind: Kind;
}

/** What the frames around events mean, in the order of the legend. */
export const DIFFERENCE_MEANINGS: readonly (readonly [kind: Kind, meaning: string])[] = [
  ['changed', 'Compared: the event tells something else in the other trace.'],
  ['here', 'Compared: only this trace has the event.'],
  ['missing', 'Compared: only the other trace has an event here.'],
  ['found', 'Found: the event fits the filter that you looked for.'],
];

/** Half the side of a frame. */
const HALF = 8;

/** Adds the frame of a difference to the path that is drawn: each kind has a shape of its own, for those who see no colours. */
export function differenceFrame(g: CanvasRenderingContext2D, kind: Kind, x: number, y: number): void {
  if (kind === 'changed') {
    g.moveTo(x, y - HALF);
    g.lineTo(x + HALF, y);
    g.lineTo(x, y + HALF);
    g.lineTo(x - HALF, y);
    g.closePath();
  } else if (kind === 'found') {
    // Two brackets.
    for (const side of [-1, 1]) {
      g.moveTo(x + side * HALF * 0.5, y - HALF);
      g.lineTo(x + side * HALF, y - HALF);
      g.lineTo(x + side * HALF, y + HALF);
      g.lineTo(x + side * HALF * 0.5, y + HALF);
    }
  } else if (kind === 'here') g.rect(x - HALF, y - HALF, 2 * HALF, 2 * HALF);
  else {
    // The sign of the empty set: there is no event. A cross means a fault.
    const [radius, arm] = [HALF * 0.55, HALF * 0.7];
    g.moveTo(x + radius, y);
    g.arc(x, y, radius, 0, 2 * Math.PI);
    g.moveTo(x - arm, y + arm);
    g.lineTo(x + arm, y - arm);
  }
}

/** Draws a frame with an edge in the colour of the background, which sets it off from what it lies over. */
export function drawFrame(g: CanvasRenderingContext2D, theme: Theme, kind: Kind, x: number, y: number): void {
  for (const [width, color] of [
    [4, theme.background],
    [1.5, theme.differences[kind]],
  ] as const) {
    g.beginPath();
    differenceFrame(g, kind, x, y);
    g.lineWidth = width;
    g.strokeStyle = color;
    g.stroke();
  }
}

/** Draws the differences that are in sight; of several in one place the first one. Brackets of found events stand beside one another, not in one another. */
export function drawDifferences(
  g: CanvasRenderingContext2D,
  width: number,
  height: number,
  { theme, viewport, differences }: { theme: Theme; viewport: Viewport; differences: readonly DifferencePoint[] },
): void {
  const drawn = new Set<string>();
  /** Where the last brackets of each row stand. */
  const brackets = new Map<number, number>();
  for (const { place, row, kind } of differences) {
    if (row === undefined || row < -HALF || row > height + HALF) continue;
    const x = Math.round(viewport.pixel(place));
    if (x < -HALF || x > width + HALF) continue;
    if (kind === 'found') {
      if (Math.abs(x - (brackets.get(row) ?? Number.NEGATIVE_INFINITY)) <= 2 * HALF) continue;
      brackets.set(row, x);
    }
    const spot = `${Math.round(x / 3)} ${row}`;
    if (drawn.has(spot)) continue;
    drawn.add(spot);
    drawFrame(g, theme, kind, x + 0.5, row);
  }
}

/** The kinds in the order of drawing, what matters most last; where the ticks of each stand, from the top of the row. */
const TICKS: readonly (readonly [kind: DifferenceName, top: number])[] = [
  ['missing', (ROW - 4) / 2],
  ['here', ROW - 5],
  ['changed', 1],
];
const TICK_HEIGHT = 4;

/**
 * Draws the differences of a row of a window: a frame for each, as far as they do not lie over one another, and ticks at a height of
 * their own where they do.
 */
export function drawRowDifferences(
  g: CanvasRenderingContext2D,
  theme: Theme,
  { rowDiffs, diffAt, diffKinds }: WindowView,
  row: number,
  { scale, shift, width }: Mapping,
  top: number,
): void {
  const [start, stop] = [rowDiffs[row]!, rowDiffs[row + 1]!];
  if (start === stop) return;
  const from = lowerBound(diffAt, (-2 * HALF - shift) / scale, start, stop);
  const to = lowerBound(diffAt, (width + 2 * HALF - shift) / scale, from, stop);
  for (const [kind, tick] of TICKS) {
    const frames: number[] = [];
    let last = Number.NEGATIVE_INFINITY;
    let drawn = Number.NaN;
    g.fillStyle = theme.differences[kind];
    for (let i = from; i < to; i++) {
      if ((diffKinds[i]! & DIFFERENCE[kind]) === 0) continue;
      const x = Math.round(diffAt[i]! * scale + shift);
      if (x - last > 2 * HALF) {
        frames.push(x);
        last = x;
      } else if (x !== last && x !== drawn) {
        g.fillRect(x, top + tick, 1, TICK_HEIGHT);
        drawn = x;
      }
    }
    for (const x of frames) drawFrame(g, theme, kind, x + 0.5, top + ROW / 2 + 0.5);
  }
}
