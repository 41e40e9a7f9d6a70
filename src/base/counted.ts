/** A number with separators of thousands. */
export const count = (n: number): string => n.toLocaleString('en');

/** The noun for a number of things: `event` for 1, else `events`. */
export const noun = (n: number, one: string, several = `${one}s`): string => (n === 1 ? one : several);

/** A number with separators of thousands and its noun: `1 event`, `34,806 events`. */
export const counted = (n: number, one: string, several?: string): string => `${count(n)} ${noun(n, one, several)}`;
