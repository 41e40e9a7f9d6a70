import type { TextId } from '../../base/ids.ts';
import type { World } from '../../model/world.ts';

/** Finds texts that match, each text looked at once. */
export class TextSearch {
  readonly #world: World;
  readonly #pattern: RegExp;
  readonly #known = new Map<TextId, string | undefined>();

  constructor(world: World, pattern: RegExp) {
    this.#world = world;
    this.#pattern = pattern;
  }

  /** The text with a number, when it matches; undefined otherwise. */
  find(id: TextId): string | undefined {
    if (this.#known.has(id)) return this.#known.get(id);
    const text = this.#world.strings.text(id);
    const found = this.#pattern.test(text) ? text.trim() : undefined;
    this.#known.set(id, found);
    return found;
  }
}
