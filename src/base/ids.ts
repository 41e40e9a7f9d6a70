declare const what: unique symbol;

/**
 * A number that counts one kind of thing. A plain number may become one (whoever makes it so knows what it counts), but a
 * number of one kind is never taken for a number of another: the compiler refuses it.
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
