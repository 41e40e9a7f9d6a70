/** A canvas that is as sharp as the screen. */
export class Surface {
  readonly canvas: HTMLCanvasElement;
  readonly g: CanvasRenderingContext2D;
  width = 0;
  height = 0;

  constructor(className: string) {
    this.canvas = document.createElement('canvas');
    this.canvas.className = className;
    const g = this.canvas.getContext('2d');
    if (!g) throw new Error('this browser cannot draw');
    this.g = g;
  }

  /** Gives it a size in CSS pixels. */
  resize(width: number, height: number): void {
    const ratio = window.devicePixelRatio;
    const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
    if (this.canvas.width !== w) this.canvas.width = w;
    if (this.canvas.height !== h) this.canvas.height = h;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.width = width;
    this.height = height;
  }

  /** Empties it; from here on a unit is a CSS pixel. */
  clear(color?: string): void {
    const ratio = window.devicePixelRatio;
    this.g.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.g.clearRect(0, 0, this.width, this.height);
    if (color === undefined) return;
    this.g.fillStyle = color;
    this.g.fillRect(0, 0, this.width, this.height);
  }
}
