import type { DifferencesMessage } from '../../src/protocol/timeline.ts';
import type { Theme } from '../theme.ts';
import type { Viewport } from '../viewport.ts';

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
    // A cross: there is no event.
    const arm = HALF * 0.7;
    g.moveTo(x - arm, y - arm);
    g.lineTo(x + arm, y + arm);
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
