/** One value of a policy and what it means. */
export interface PolicyValue<V extends string = string> {
  readonly value: V;
  readonly meaning: string;
}

/** A design decision under debate, or a bug to study, as a named switch of a scenario. */
export interface Policy<V extends string = string> {
  readonly name: string;
  readonly meaning: string;
  /** Its values; the first is the default. */
  readonly values: readonly PolicyValue<V>[];
  /** Rows of the seed documents that it is about (docs/seeds.md). */
  readonly seeds: readonly string[];
}

/** Makes a policy; its values are typed, the first is the default. */
export function policy<const V extends string>(
  name: string,
  meaning: string,
  values: Readonly<Record<V, string>>,
  seeds: readonly string[] = [],
): Policy<V> {
  const list = Object.entries<string>(values).map(([value, text]) => ({ value: value as V, meaning: text }));
  return { name, meaning, values: list, seeds };
}
