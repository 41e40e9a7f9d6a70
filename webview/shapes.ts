import { type MarkName, marks } from '../src/view/lanes/marks.ts';
import type { Theme } from './theme.ts';

/** Height of a row in CSS pixels, and where in it things are drawn, from its top. */
export const ROW = 24;
export const BAND_TOP = 8;
export const BAND_BOTTOM = 18;
export const STRIP_TOP = 2.5;
export const STRIP_BOTTOM = 6.5;
/** Room that a glyph takes on each side of its place. */
export const GLYPH = 4;

/** Where in a row a mark stands: each sort has its height, so that marks differ by more than colour. */
export type Slot = 'top' | 'middle' | 'bottom' | 'full';

type Reach = readonly [top: number, bottom: number];

const SLOTS: Readonly<Record<Slot, Reach>> = {
  top: [1, 9],
  middle: [BAND_TOP - 1, BAND_BOTTOM + 1],
  bottom: [15, 23],
  full: [2, 22],
};

/** Ticks that are shorter than their slot: what matters little covers little. */
const SHORTER: Readonly<Partial<Record<MarkName, Reach>>> = {
  read: [10, 16],
  change: [9, 17],
  edge: [11, 15],
  call: [12, 14],
};

const SLOT: Readonly<Record<MarkName, Slot>> = {
  fault: 'full',
  lost: 'full',
  note: 'full',
  raise: 'top',
  send: 'bottom',
  deliver: 'bottom',
  eoi: 'bottom',
  move: 'middle',
  write: 'middle',
  invalidate: 'middle',
  change: 'middle',
  translate: 'middle',
  read: 'middle',
  edge: 'middle',
  call: 'middle',
};

/** Slot of each mark by its number. */
export const slotOf: readonly Slot[] = marks.map(({ name }) => SLOT[name]);

/** From where to where in a row the tick of each mark reaches. */
export const tickOf: readonly Reach[] = marks.map(({ name }) => SHORTER[name] ?? SLOTS[SLOT[name]]);

/** A path around a place; `g` has been told to begin a path. */
type Outline = (g: CanvasRenderingContext2D, x: number, y: number) => void;

interface Shape {
  readonly outline: Outline;
  /** Filled with its colour, or only drawn around. */
  readonly filled: boolean;
  readonly line?: number;
  /** Distance of its middle from the top of the row. */
  readonly y: number;
}

const MIDDLE = (BAND_TOP + BAND_BOTTOM) / 2;

const polygon =
  (...points: readonly (readonly [number, number])[]): Outline =>
  (g, x, y) => {
    for (const [i, [dx, dy]] of points.entries()) {
      if (i === 0) g.moveTo(x + dx, y + dy);
      else g.lineTo(x + dx, y + dy);
    }
    g.closePath();
  };

const strokes =
  (...lines: readonly (readonly [number, number, number, number])[]): Outline =>
  (g, x, y) => {
    for (const [x1, y1, x2, y2] of lines) {
      g.moveTo(x + x1, y + y1);
      g.lineTo(x + x2, y + y2);
    }
  };

const circle =
  (radius: number): Outline =>
  (g, x, y) => {
    g.moveTo(x + radius, y);
    g.arc(x, y, radius, 0, 2 * Math.PI);
  };

const SHAPES: Readonly<Record<MarkName, Shape>> = {
  fault: { outline: strokes([-4, -4, 4, 4], [-4, 4, 4, -4]), filled: false, line: 2, y: MIDDLE },
  lost: { outline: strokes([-4, 8, 0, -8], [0, 8, 4, -8]), filled: false, line: 1.5, y: MIDDLE },
  note: { outline: polygon([-1, 9], [-1, -9], [7, -5.5], [0.5, -2], [0.5, 9]), filled: true, y: MIDDLE },
  raise: { outline: polygon([0, -4.5], [4.5, 0], [0, 4.5], [-4.5, 0]), filled: true, y: 5.5 },
  send: { outline: polygon([-4.5, -3.5], [4.5, -3.5], [0, 4.5]), filled: true, y: 18.5 },
  deliver: { outline: circle(3.5), filled: true, y: 18.5 },
  eoi: { outline: circle(3), filled: false, line: 1.5, y: 18.5 },
  move: {
    outline: strokes([-4, -4, 0, 0], [0, 0, -4, 4], [0, -4, 4, 0], [4, 0, 0, 4]),
    filled: false,
    line: 1.8,
    y: MIDDLE,
  },
  write: { outline: polygon([-1.25, -7], [1.25, -7], [1.25, 7], [-1.25, 7]), filled: true, y: MIDDLE },
  invalidate: {
    outline: strokes(
      [-3.5, -3.5, 3.5, -3.5],
      [3.5, -3.5, 3.5, 3.5],
      [3.5, 3.5, -3.5, 3.5],
      [-3.5, 3.5, -3.5, -3.5],
      [-3.5, 3.5, 3.5, -3.5],
    ),
    filled: false,
    line: 1.3,
    y: MIDDLE,
  },
  change: { outline: strokes([-3.5, 0, 3.5, 0], [0, -3.5, 0, 3.5]), filled: false, line: 1.6, y: MIDDLE },
  translate: { outline: strokes([-4, 0, 4, 0], [4, 0, 1, -3], [4, 0, 1, 3]), filled: false, line: 1.4, y: MIDDLE },
  read: { outline: polygon([-1.5, -4], [1.5, -4], [1.5, 4], [-1.5, 4]), filled: false, line: 1, y: MIDDLE },
  edge: { outline: strokes([0, -4, 0, 4]), filled: false, line: 1, y: MIDDLE },
  call: { outline: circle(1.5), filled: true, y: MIDDLE },
};

/** Draws the glyph of a mark at a place in the row that begins at `top`. A rim keeps it apart from what is behind. */
export function drawGlyph(g: CanvasRenderingContext2D, theme: Theme, mark: number, x: number, top: number): void {
  const name = marks[mark]?.name ?? 'call';
  const shape = SHAPES[name];
  const color = theme.marks[name];
  g.lineJoin = 'round';
  g.lineCap = 'round';
  g.beginPath();
  shape.outline(g, x, top + shape.y);
  g.strokeStyle = theme.background;
  g.lineWidth = (shape.line ?? 0) + 2.5;
  g.stroke();
  if (shape.filled) {
    g.fillStyle = color;
    g.fill();
  } else {
    g.strokeStyle = color;
    g.lineWidth = shape.line ?? 1;
    g.stroke();
  }
}

/** The most important mark of a set: that with the lowest number. */
export function foremost(shapes: number): number {
  return 31 - Math.clz32(shapes & -shapes);
}
