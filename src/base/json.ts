/** What is wrong with a text that JSON.parse refused, on one line: the runtime quotes a piece of the text, line ends included. */
export const jsonFault = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ');

/** Characters of a place, and of a problem, that a message shows. */
const MOST_SHOWN = 250;

/** A text on one line, without its middle where it is long. */
function brief(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  const half = MOST_SHOWN / 2;
  return line.length <= MOST_SHOWN ? line : `${line.slice(0, half)}…${line.slice(-half)}`;
}

/** What is wrong at a place of a document (null: the document itself), on one line: both quote names and texts that stand in it, of any length. */
export const documentFault = (place: string | null, problem: string): string =>
  `${brief(place ?? 'the document')}: ${brief(problem)}`;
