/** Does something at once, but at most once in `ms` milliseconds. Calls in between are done once, at the end. */
export class Throttle {
  readonly #work: () => void;
  readonly #ms: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = Number.NEGATIVE_INFINITY;

  constructor(work: () => void, ms: () => number) {
    this.#work = work;
    this.#ms = ms;
  }

  ask(): void {
    if (this.#timer !== undefined) return;
    const wait = this.#last + this.#ms() - Date.now();
    if (wait <= 0) this.#run();
    else this.#timer = setTimeout(() => this.#run(), wait);
  }

  /** Does at once what waits. */
  flush(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#run();
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }

  #run(): void {
    this.#timer = undefined;
    this.#work();
    this.#last = Date.now();
  }
}
