import type { Range } from './overlay.ts';
import type { Viewport } from './viewport.ts';

/** What mouse and keys can do to the timeline. */
export interface Actions {
  readonly viewport: Viewport;
  /** The viewport was changed: draw and fetch. */
  viewChanged(): void;
  setRange(range: Range | undefined): void;
  /** Marks a range that begins or ends at the cursor. */
  markToCursor(): void;
  /** The pointer is at a place of the picture (CSS pixels), or away. */
  point(x: number, y: number, event: PointerEvent | undefined): void;
  /** The user pressed and released at a place. */
  pick(x: number, y: number, event: PointerEvent): void;
  /** Moves the focus by some lanes. */
  focusBy(rows: number): void;
  scrollBy(pages: number): void;
  go(to: 'nearest' | 'next' | 'previous'): void;
  toggleFocused(): void;
  /** Pixel that keys zoom at. */
  zoomCentre(): number;
  cancel(): void;
}

/** Pixels that the pointer may move in a click. */
const STILL = 3;
/** Zoom per pixel of a turned wheel, as a power of e. */
const WHEEL = 0.002;
const LINE = 16;
const KEY_ZOOM = 1.5;

interface Drag {
  readonly kind: 'pan' | 'range';
  readonly startX: number;
  readonly startPlace: number;
  lastX: number;
  moved: boolean;
}

function wheelPixels(event: WheelEvent, delta: number): number {
  return event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? delta : delta * LINE;
}

/** Zoom and pan by the wheel: plain and ctrl zoom at the pointer, shift and sideways pan. */
export function listenToWheel(element: HTMLElement, actions: Actions): void {
  const { viewport } = actions;
  element.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const dx = wheelPixels(event, event.deltaX);
      const dy = wheelPixels(event, event.deltaY);
      if (event.shiftKey) viewport.pan(dy + dx);
      else if (Math.abs(dx) > Math.abs(dy)) viewport.pan(dx);
      else viewport.zoom(event.offsetX, Math.exp(-Math.max(-500, Math.min(500, dy)) * WHEEL));
      actions.viewChanged();
    },
    { passive: false },
  );
}

/** Drag pans, shift and drag marks a range, a press without a movement picks. */
export function listenToPointer(element: HTMLElement, actions: Actions): void {
  const { viewport } = actions;
  let drag: Drag | undefined;
  element.addEventListener('pointerdown', (event) => {
    if (event.button > 1) return;
    element.setPointerCapture(event.pointerId);
    const kind = event.shiftKey && event.button === 0 ? 'range' : 'pan';
    const x = event.offsetX;
    drag = { kind, startX: x, startPlace: viewport.place(x), lastX: x, moved: false };
    // The browser's own scrolling by the middle button would begin.
    if (event.button === 1) event.preventDefault();
  });
  element.addEventListener('pointermove', (event) => {
    const x = event.offsetX;
    if (!drag) {
      actions.point(x, event.offsetY, event);
      return;
    }
    if (!drag.moved && Math.abs(x - drag.startX) < STILL) return;
    drag.moved = true;
    element.classList.add(drag.kind === 'pan' ? 'panning' : 'ranging');
    if (drag.kind === 'pan') {
      viewport.pan(drag.lastX - x);
      actions.point(-1, -1, undefined);
      actions.viewChanged();
    } else {
      actions.setRange({ from: drag.startPlace, to: viewport.place(x) });
    }
    drag.lastX = x;
  });
  const end = (event: PointerEvent, picks: boolean): void => {
    if (!drag) return;
    const { moved, kind } = drag;
    drag = undefined;
    element.classList.remove('panning', 'ranging');
    if (picks && !moved && event.button === 0) {
      if (kind === 'range') actions.setRange(undefined);
      else actions.pick(event.offsetX, event.offsetY, event);
    }
  };
  element.addEventListener('pointerup', (event) => end(event, true));
  element.addEventListener('pointercancel', (event) => end(event, false));
  element.addEventListener('pointerleave', () => {
    if (!drag) actions.point(-1, -1, undefined);
  });
}

/** The keys of the picture. */
export function listenToKeys(element: HTMLElement, actions: Actions): void {
  const { viewport } = actions;
  const view = (change: () => void): void => {
    change();
    actions.viewChanged();
  };
  const keys: Readonly<Record<string, (event: KeyboardEvent) => void>> = {
    ArrowLeft: (event) => view(() => viewport.pan((event.shiftKey ? -0.5 : -0.1) * viewport.width)),
    ArrowRight: (event) => view(() => viewport.pan((event.shiftKey ? 0.5 : 0.1) * viewport.width)),
    ArrowUp: () => actions.focusBy(-1),
    ArrowDown: () => actions.focusBy(1),
    PageUp: () => actions.scrollBy(-1),
    PageDown: () => actions.scrollBy(1),
    '+': () => view(() => viewport.zoom(actions.zoomCentre(), KEY_ZOOM)),
    '=': () => view(() => viewport.zoom(actions.zoomCentre(), KEY_ZOOM)),
    '-': () => view(() => viewport.zoom(actions.zoomCentre(), 1 / KEY_ZOOM)),
    Home: () => view(() => viewport.pan(viewport.pixel(viewport.extent.from) - viewport.width * 0.02)),
    End: () => view(() => viewport.pan(viewport.pixel(viewport.extent.to) - viewport.width * 0.98)),
    f: () => view(() => viewport.fit()),
    F: () => view(() => viewport.fit()),
    m: () => actions.markToCursor(),
    M: () => actions.markToCursor(),
    Enter: () => actions.go('nearest'),
    ' ': () => actions.toggleFocused(),
    Escape: () => actions.cancel(),
  };
  const withControl: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => actions.go('previous'),
    ArrowRight: () => actions.go('next'),
  };
  element.addEventListener('keydown', (event) => {
    if (event.altKey) return;
    const action = event.ctrlKey || event.metaKey ? withControl[event.key] : keys[event.key];
    if (!action) return;
    action(event);
    event.preventDefault();
    // What is done here is not done by the editor too.
    event.stopPropagation();
  });
}
