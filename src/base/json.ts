/** What is wrong with a text that JSON.parse refused, on one line: the runtime quotes a piece of the text, line ends included. */
export const jsonFault = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ');
