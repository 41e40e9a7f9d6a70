// Made by scripts/scenarios.ts from examples/scenarios; not to be edited.


/** A scenario that comes with the product. */
export interface Bundled {
  /** Name of its file without the ending. */
  readonly id: string;
  /** The JSON document, to be read with `readScenario`. */
  readonly document: unknown;
}

/** All of them, by name. */
export const bundledScenarios: readonly Bundled[] = [

];
