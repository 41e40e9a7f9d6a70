import type { FindingsMessage } from '../../src/protocol/timeline.ts';
import type { Theme } from '../theme.ts';
import type { Viewport } from '../viewport.ts';

type Severity = FindingsMessage['places'][number]['severity'];

/** An event at which a finding shows. */
export interface FindingPoint {
  readonly place: number;
  /** Middle of its row; undefined when no row shows its lane. */
  readonly row: number | undefined;
  readonly severity: Severity;
}

/** What the pins over events mean, in the order of the legend. */
export const FINDING_MEANINGS: readonly (readonly [severity: Severity, meaning: string])[] = [
  ['error', 'Finding: something went wrong here.'],
  ['warning', 'Finding: a warning or a remark.'],
];

/** How far a pin stands above the middle of its row, and its size. */
const TIP = 4;
const TALL = 9;
const HALF = 5;

/** Whether the pin of a finding covers a place of the picture. The pointer need not be exact: some pixels around the pin count too. */
export function pinCovers({ place, row }: FindingPoint, viewport: Viewport, x: number, y: number): boolean {
  if (row === undefined) return false;
  return Math.abs(viewport.pixel(place) - x) <= HALF + 1 && y >= row - TIP - TALL - 1 && y <= row - TIP + 1;
}

/** The colour of a finding, and whether its pin is filled: the pin of an error is, for those who see no colours. */
export function pinOf(theme: Theme, severity: Severity): { readonly color: string; readonly full: boolean } {
  const bad = severity === 'error' || severity === 'security';
  return { color: bad ? theme.marks.fault : theme.marks.lost, full: bad };
}

/** Draws a pin whose tip points at an event. */
export function drawPin(g: CanvasRenderingContext2D, theme: Theme, severity: Severity, x: number, y: number): void {
  const { color, full } = pinOf(theme, severity);
  g.beginPath();
  g.moveTo(x, y - TIP);
  g.lineTo(x - HALF, y - TIP - TALL);
  g.lineTo(x + HALF, y - TIP - TALL);
  g.closePath();
  g.lineWidth = 4;
  g.strokeStyle = theme.background;
  g.stroke();
  g.fillStyle = full ? color : theme.background;
  g.fill();
  g.lineWidth = 1.5;
  g.strokeStyle = color;
  g.stroke();
}

/** Draws the findings that are in sight; of several in one place the first one, which is the worst. */
export function drawFindings(
  g: CanvasRenderingContext2D,
  width: number,
  height: number,
  { theme, viewport, findings }: { theme: Theme; viewport: Viewport; findings: readonly FindingPoint[] },
): void {
  const drawn = new Set<string>();
  for (const { place, row, severity } of findings) {
    if (row === undefined || row < 0 || row > height + TIP + TALL) continue;
    const x = Math.round(viewport.pixel(place));
    if (x < -HALF || x > width + HALF) continue;
    const spot = `${Math.round(x / 3)} ${row}`;
    if (drawn.has(spot)) continue;
    drawn.add(spot);
    drawPin(g, theme, severity, x + 0.5, row);
  }
}
