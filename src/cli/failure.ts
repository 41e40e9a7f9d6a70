/** Why a command could not be done, in one line that also says what to do about it. Ends the program with status 2. */
export class Failure extends Error {
  /** The whole line for stderr. */
  readonly line: string;

  constructor(message: string, place?: { readonly file: string; readonly line: number }) {
    super(message);
    this.line = place === undefined ? `irqscope: ${message}` : `${place.file}:${place.line}: ${message}`;
  }
}

/** The Failure for input that is no trace: nothing is damaged, nobody recognises it. */
export class NoTrace extends Failure {}

/** Exit status of a command that did what it was asked for. */
export const DONE = 0;
/** Exit status of a check that found something of severity error, and of a comparison that found a difference. */
export const FOUND = 1;
/** Exit status after bad usage or unreadable input. */
export const REFUSED = 2;
/** Exit status after a signal, as shells count: this and the number of the signal. */
export const SIGNALLED = 128;

/** Signals that end the program, with their numbers. */
export const SIGNALS = [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const;
