declare const what: unique symbol;

/**
 * A number that counts one kind of thing. The compiler accepts a plain number as such a number: the code that passes it knows
 * what it counts. It refuses a number of one kind where a number of another kind is expected.
 */
type Numbered<K extends string> = number & { readonly [what]?: K };

/** Number of an object in its world, from 0; negative: no object. */
export type ObjectId = Numbered<'object'>;

/** Number of a text in a string table, from 0, which is the empty text. */
export type TextId = Numbered<'text'>;

/** Number of a 32-bit cell in its world, from 0. */
export type CellId = Numbered<'cell'>;

/** Number of a source in its trace, from 0. */
export type SourceId = Numbered<'source'>;

/** Number of an event in its trace, from 0; before the first event it is -1. */
export type Step = Numbered<'step'>;
