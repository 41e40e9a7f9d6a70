/** Most completions of a filter that are offered. */
export const MOST_COMPLETIONS = 200;
