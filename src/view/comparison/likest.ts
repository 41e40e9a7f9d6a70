/** What tells how near a trace is to another one. */
export interface Kin {
  /** Of a simulated run, the title of its scenario. */
  readonly scenario?: string | undefined;
  readonly format: string;
}

/** Traces in the order in which they are worth being compared with one: runs of the same scenario, then those of the same format, then others. */
export function likest<T>(of: Kin, others: readonly T[], kinOf: (other: T) => Kin): T[] {
  const nearness = (other: T): number => {
    const { scenario, format } = kinOf(other);
    return (scenario !== undefined && scenario === of.scenario ? 2 : 0) + (format === of.format ? 1 : 0);
  };
  return [...others].sort((a, b) => nearness(b) - nearness(a));
}
