/**
 * What may reach a terminal. Texts come from traces, scenarios, file names and arguments: control characters in them could move the
 * cursor, colour or hide what is shown, and bidi controls could show it in another order.
 */

/** C0 and C1 controls, line and paragraph separators, and the controls of the bidi algorithm (Unicode UAX 9). */
const CONTROLS = '\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069';
const ANY = new RegExp(`[${CONTROLS}]`, 'g');
const ANY_BUT_LINE_FEED = new RegExp(`(?!\\n)[${CONTROLS}]`, 'g');

const code = (c: string): number => c.charCodeAt(0);
const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, '0');
const written = (c: string): string => (code(c) < 0x100 ? `\\x${hex(code(c), 2)}` : `\\u${hex(code(c), 4)}`);

/** A text on one line, with its control characters written out: `\x1b`, `\u202e`. */
export const shown = (text: string): string => text.replace(ANY, written);

/** The same for a text of several lines. */
export const shownLines = (text: string): string => text.replace(ANY_BUT_LINE_FEED, written);

/** JSON with the control characters in its texts escaped, as it allows; what it means stays the same. */
export const shownJson = (json: string): string => json.replace(ANY_BUT_LINE_FEED, (c) => `\\u${hex(code(c), 4)}`);
