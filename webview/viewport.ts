import type { AxisKind } from '../src/view/lanes/values.ts';

/** First and last place of a trace on an axis. */
export interface Extent {
  readonly from: number;
  readonly to: number;
}

/** Space left and right of the trace when all of it is shown, as a share of the width. */
const MARGIN = 0.02;
/** How much of the width the trace may be moved out of sight. */
const OVERSHOOT = 0.5;
/** Source units (the last digit that the source prints) across the width at the highest zoom. */
const CLOSEST = 20;

/**
 * Which part of an axis is shown, and how places become pixels. `from` is the place at the left edge, `size` the width
 * of one CSS pixel. A place is never computed from another one by adding steps: zooming in and out again ends where it began.
 */
export class Viewport {
  axis: AxisKind = 'time';
  from = 0;
  size = 1;
  /** CSS pixels. */
  width = 1;
  extent: Extent = { from: 0, to: 1 };
  /** Smallest difference between two different places. */
  unit = 1;
  /** Shows all of the trace, and goes on doing so while the trace grows. */
  fitted = true;

  get to(): number {
    return this.from + this.size * this.width;
  }

  pixel(x: number): number {
    return (x - this.from) / this.size;
  }

  place(pixel: number): number {
    return this.from + pixel * this.size;
  }

  /** The trace or the room for it changed. */
  resize(width: number, extent: Extent, unit: number): void {
    const kept = this.size * this.width;
    this.width = Math.max(1, width);
    this.extent = extent;
    this.unit = unit;
    if (this.fitted) this.fit();
    else this.show(this.from, this.from + kept);
  }

  /** Shows all of the trace. */
  fit(): void {
    this.fitted = true;
    this.size = this.#fitSize();
    this.from = (this.extent.from + this.extent.to) / 2 - (this.size * this.width) / 2;
  }

  /** Shows a range. */
  show(from: number, to: number): void {
    const size = this.#clampSize((to - from) / this.width);
    this.fitted = false;
    this.from = (from + to) / 2 - (size * this.width) / 2;
    this.size = size;
    this.#clampFrom();
  }

  /** Makes everything larger (factor above 1) or smaller; what is at a pixel stays there. */
  zoom(pixel: number, factor: number): void {
    const x = this.place(pixel);
    const size = this.#clampSize(this.size / factor);
    if (size === this.size) return;
    this.fitted = false;
    this.size = size;
    this.from = x - pixel * size;
    this.#clampFrom();
  }

  /** Moves what is shown by some pixels to the left (positive) or right. */
  pan(pixels: number): void {
    this.fitted = false;
    this.from += pixels * this.size;
    this.#clampFrom();
  }

  /** Moves so that a place is shown, when it is not. While all of the trace is shown, it will be: the page may not know yet how long the trace is. */
  reveal(x: number): void {
    const pixel = this.pixel(x);
    if (this.fitted || (pixel >= 0 && pixel <= this.width)) return;
    this.fitted = false;
    this.from = x - this.size * this.width * (pixel < 0 ? 0.3 : 0.7);
    this.#clampFrom();
  }

  #fitSize(): number {
    const length = Math.max(this.extent.to - this.extent.from, this.unit * CLOSEST);
    return length / (this.width * (1 - 2 * MARGIN));
  }

  #clampSize(size: number): number {
    const closest = (this.unit * CLOSEST) / this.width;
    return Math.min(this.#fitSize(), Math.max(closest, size));
  }

  #clampFrom(): void {
    const overshoot = this.size * this.width * OVERSHOOT;
    const last = this.extent.to - this.size * this.width + overshoot;
    this.from = Math.max(this.extent.from - overshoot, Math.min(last, this.from));
  }
}
