import { lowerBound } from '../../src/base/search.ts';
import { MARK, marks } from '../../src/view/lanes/marks.ts';
import type { WindowView } from '../../src/view/lanes/values.ts';
import { drawGlyph, foremost, GLYPH, ROW, slotOf, tickOf } from '../shapes.ts';
import type { Theme } from '../theme.ts';
import type { Mapping } from './layers.ts';

/** Free pixels that a glyph wants on both sides; closer marks become ticks. */
const APART = 2 * GLYPH + 1;
const EDGE = 1 << MARK.edge;
/** Marks of each slot, as bits. */
const SLOT_BITS = (['full', 'top', 'middle', 'bottom'] as const).map(
  (slot) => slotOf.reduce((bits, of, mark) => (of === slot ? bits | (1 << mark) : bits), 0) & ~EDGE,
);

/** The same in the order of drawing, what matters most last; begins and ends of spans included. */
const GLYPH_BITS = [EDGE, ...SLOT_BITS.slice(1), SLOT_BITS[0]!];

export interface MarkStyle {
  /** Begins and ends of spans are ticks; otherwise the spans themselves show them. */
  readonly edges: boolean;
  /** Several lanes in one row: height tells how many. */
  readonly density: boolean;
  /** All events, or while events are looked for, those that fit, or the others. */
  readonly which: 'all' | 'hits' | 'others';
  /** How strong they are drawn, 1 for fully. */
  readonly alpha: number;
}

/** How many events of a mark are drawn, and their marks as bits. */
function drawnOf(view: WindowView, i: number, which: MarkStyle['which']): readonly [count: number, shapes: number] {
  const [count, shapes] = [view.count[i]!, view.shapes[i]!];
  if (which === 'all') return [count, shapes];
  const [hits, hitShapes] = [view.hits[i]!, view.hitShapes[i]!];
  // What fits is drawn over the others: of the same shape they would not be seen.
  return which === 'hits' ? [hits, hitShapes] : [count - hits, shapes & ~hitShapes];
}

/** Rectangles of one colour and strength, drawn at once. */
class Batches {
  readonly #paths = new Map<string, [color: string, alpha: number, path: Path2D]>();

  add(color: string, alpha: number, x: number, y: number, width: number, height: number): void {
    const key = `${color}/${alpha}`;
    let batch = this.#paths.get(key);
    if (batch === undefined) this.#paths.set(key, (batch = [color, alpha, new Path2D()]));
    batch[2].rect(x, y, width, height);
  }

  draw(g: CanvasRenderingContext2D, strength: number): void {
    for (const [color, alpha, path] of this.#paths.values()) {
      g.globalAlpha = alpha * strength;
      g.fillStyle = color;
      g.fill(path);
    }
    g.globalAlpha = 1;
  }
}

/** Draws the marks of a row: glyphs where there is room for them, ticks where there is not. */
export function drawMarks(
  g: CanvasRenderingContext2D,
  theme: Theme,
  view: WindowView,
  row: number,
  mapping: Mapping,
  rowTop: number,
  style: MarkStyle,
): void {
  const { scale, shift, width } = mapping;
  const start = view.rowMarks[row]!;
  const stop = view.rowMarks[row + 1]!;
  const from = Math.max(start, lowerBound(view.at, (-2 * APART - shift) / scale, start, stop) - 1);
  const to = lowerBound(view.at, (width + 2 * APART - shift) / scale, from, stop);
  const device = 1 / devicePixelRatio;
  const batches = new Batches();
  const glyphs: [shapes: number, x: number, count: number, room: number][] = [];
  const visible = (i: number): number => drawnOf(view, i, style.which)[1] & (style.edges ? ~0 : ~EDGE);
  const nextOf = (i: number): number => {
    let next = i + 1;
    while (next < stop && visible(next) === 0) next++;
    return next;
  };
  let before = Number.NEGATIVE_INFINITY;
  let lastX = Number.NEGATIVE_INFINITY;
  let lastShapes = 0;
  let i = from < to && visible(from) === 0 ? nextOf(from) : from;
  while (i < to) {
    const x = view.at[i]! * scale + shift;
    const next = nextOf(i);
    const after = next < stop ? view.at[next]! * scale + shift : Number.POSITIVE_INFINITY;
    const shapes = visible(i);
    const [count] = drawnOf(view, i, style.which);
    if (x - before >= APART && after - x >= APART) {
      glyphs.push([shapes, x, count, after - x]);
    } else {
      const snapped = Math.floor(x / device) * device;
      // Finer data than pixels: what would be drawn twice is drawn once.
      if (snapped !== lastX || (shapes & ~lastShapes) !== 0) {
        addTicks(batches, theme, shapes, count, snapped, rowTop, style);
        lastShapes = snapped === lastX ? shapes | lastShapes : shapes;
        lastX = snapped;
      }
    }
    before = x;
    i = next;
  }
  batches.draw(g, style.alpha);
  g.globalAlpha = style.alpha;
  for (const [shapes, x, count, room] of glyphs) {
    // One glyph per height, the others behind it.
    for (const bits of GLYPH_BITS) if ((shapes & bits) !== 0) drawGlyph(g, theme, foremost(shapes & bits), x, rowTop);
    if (count > 1 && room > 2 * APART) drawCount(g, theme, count, x + GLYPH + 3, rowTop, room - GLYPH - 4);
  }
  g.globalAlpha = 1;
}

const strength = (count: number): number => (count < 2 ? 0.7 : count < 8 ? 0.85 : 1);

function addTicks(
  batches: Batches,
  theme: Theme,
  shapes: number,
  count: number,
  x: number,
  top: number,
  style: MarkStyle,
): void {
  if (style.density) {
    const high = Math.min(ROW - 6, 4 + 2 * Math.log2(count));
    const mark = marks[foremost(shapes)]!;
    const color = mark.name === 'fault' || mark.name === 'lost' ? theme.marks[mark.name] : theme.foreground;
    batches.add(color, strength(count) * 0.8, x, top + ROW - 3 - high, 1, high);
    return;
  }
  for (const bits of SLOT_BITS) {
    if ((shapes & bits) === 0) continue;
    const mark = foremost(shapes & bits);
    const [from, to] = tickOf[mark]!;
    batches.add(theme.marks[marks[mark]!.name], strength(count), x, top + from, 1, to - from);
  }
  const [from, to] = tickOf[MARK.edge]!;
  if ((shapes & EDGE) !== 0) batches.add(theme.marks.edge, 0.7, x, top + from, 1, to - from);
}

function drawCount(
  g: CanvasRenderingContext2D,
  theme: Theme,
  count: number,
  x: number,
  top: number,
  room: number,
): void {
  const text = `×${count}`;
  g.font = theme.font;
  if (g.measureText(text).width > room) return;
  g.textBaseline = 'middle';
  g.textAlign = 'left';
  g.lineWidth = 3;
  g.strokeStyle = theme.background;
  g.strokeText(text, x, top + ROW / 2);
  g.fillStyle = theme.dim;
  g.fillText(text, x, top + ROW / 2);
}
