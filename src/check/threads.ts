import type { TextId } from '../base/ids.ts';
import type { World } from '../model/world.ts';

/**
 * The threads of a trace. A record names its task as `comm-pid`; the pid alone tells which thread that is, because the comm can change and can
 * be missing (`<...>-736`). Tasks of another form (simulations) are threads by their whole name.
 */
export class Threads {
  readonly #world: World;
  readonly #known = new Map<TextId, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A number for the thread of a task, the same for every name that it has; NaN, which equals nothing, where the task is not known. */
  of(task: TextId): number {
    if (task === 0) return Number.NaN;
    let thread = this.#known.get(task);
    if (thread === undefined) {
      const pid = /-(\d+)$/.exec(this.#world.strings.text(task))?.[1];
      this.#known.set(task, (thread = pid === undefined ? -task : Number(pid)));
    }
    return thread;
  }
}
