import type { DifferencesMessage } from '../src/protocol/timeline.ts';
import type { MarkName } from '../src/view/lanes/marks.ts';
import type { LayerStyle } from '../src/view/lanes/values.ts';

/** The colours of the editor's theme, as the timeline uses them, and patterns made of them. */
export interface Theme {
  readonly background: string;
  readonly foreground: string;
  readonly dim: string;
  readonly grid: string;
  readonly focus: string;
  readonly focusedRow: string;
  readonly hoveredRow: string;
  readonly cursor: string;
  readonly selection: string;
  readonly badge: string;
  readonly badgeText: string;
  readonly layers: Readonly<Record<LayerStyle, string>>;
  readonly marks: Readonly<Record<MarkName, string>>;
  readonly differences: Readonly<Record<DifferencesMessage['places'][number]['kind'] | 'found', string>>;
  /** Font of the editor at the size of labels. */
  readonly font: string;
  readonly highContrast: boolean;
  /** How strong events are drawn that do not fit a filter. */
  readonly dimmed: number;
  /** Diagonal lines and crossed lines in a colour. */
  hatch(color: string): CanvasPattern | string;
}

/** The first of these variables that the theme defines; the last resort is what the page inherits. */
function variable(style: CSSStyleDeclaration, ...names: readonly string[]): string {
  for (const name of names) {
    const value = style.getPropertyValue(`--vscode-${name}`).trim();
    if (value !== '') return value;
  }
  return style.color;
}

const HATCH = 6;

function makeHatch(color: string, ratio: number): CanvasPattern | string {
  const tile = document.createElement('canvas');
  tile.width = tile.height = Math.round(HATCH * ratio);
  const g = tile.getContext('2d');
  if (!g) return color;
  const n = tile.width;
  g.strokeStyle = color;
  g.lineWidth = Math.max(1, 1.4 * ratio);
  g.beginPath();
  // Three strokes, so that the tile continues at its edges.
  for (const shift of [-n, 0, n]) {
    g.moveTo(shift - 1, n + 1);
    g.lineTo(shift + n + 1, -1);
  }
  g.stroke();
  return g.createPattern(tile, 'repeat') ?? color;
}

/** Reads the theme from the page. */
export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const body = getComputedStyle(document.body);
  const foreground = variable(style, 'editor-foreground', 'foreground');
  const dim = variable(style, 'descriptionForeground', 'editor-foreground');
  const blue = variable(style, 'charts-blue', 'editorInfo-foreground');
  const green = variable(style, 'charts-green', 'editor-foreground');
  const purple = variable(style, 'charts-purple', 'editor-foreground');
  const yellow = variable(style, 'charts-yellow', 'editorWarning-foreground');
  const red = variable(style, 'charts-red', 'editorError-foreground');
  const orange = variable(style, 'symbolIcon-eventForeground', 'editorWarning-foreground');
  const highContrast = /\bvscode-high-contrast/.test(document.body.className);
  const size = Number.parseFloat(variable(style, 'font-size')) || 13;
  const family = variable(style, 'font-family') || body.fontFamily;
  const patterns = new Map<string, CanvasPattern | string>();
  return {
    background: variable(style, 'editor-background'),
    foreground,
    dim,
    grid: variable(style, 'charts-lines', 'editorIndentGuide-background1', 'contrastBorder'),
    focus: variable(style, 'focusBorder', 'contrastActiveBorder'),
    focusedRow: variable(
      style,
      'list-inactiveSelectionBackground',
      'editor-lineHighlightBackground',
      'editor-background',
    ),
    hoveredRow: variable(style, 'list-hoverBackground', 'editor-background'),
    cursor: variable(style, 'irqscope-cursorOverviewRuler', 'editorCursor-foreground', 'focusBorder'),
    selection: variable(style, 'editor-selectionBackground', 'focusBorder'),
    badge: variable(style, 'badge-background', 'editorWidget-background', 'editor-background'),
    badgeText: variable(style, 'badge-foreground', 'editor-foreground'),
    layers: { mask: orange, pending: yellow, run: blue, hold: green, stale: purple },
    marks: {
      fault: red,
      lost: orange,
      note: foreground,
      raise: yellow,
      send: green,
      deliver: blue,
      eoi: blue,
      move: purple,
      write: foreground,
      invalidate: purple,
      change: foreground,
      translate: green,
      read: dim,
      edge: dim,
      call: dim,
    },
    differences: { changed: blue, here: green, missing: red, found: yellow },
    font: `${Math.round(size * 0.85)}px ${family}`,
    highContrast,
    dimmed: highContrast ? 0.4 : 0.3,
    hatch(color) {
      const ratio = window.devicePixelRatio;
      const key = `${color} ${ratio}`;
      let pattern = patterns.get(key);
      if (pattern === undefined) patterns.set(key, (pattern = makeHatch(color, ratio)));
      return pattern;
    },
  };
}

/** Calls `changed` when the editor switches to another theme: it replaces the classes of the body and the variables. */
export function watchTheme(changed: () => void): void {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
}
