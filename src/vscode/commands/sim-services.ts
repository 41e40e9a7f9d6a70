import type * as vscode from 'vscode';
import { showError } from '../message.ts';
import type { FileArgument } from '../selected.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import type { Simulations } from '../simulations.ts';

/** What the commands of the simulator use. */
export interface SimServices {
  readonly sessions: Sessions;
  readonly simulations: Simulations;
  readonly log: vscode.LogOutputChannel;
}

/** The trace that an argument of a command names; the active one without an argument. */
export type Find = (file: FileArgument | undefined) => OpenTrace | undefined;

/** Shows why a scenario cannot be simulated and writes it to the log. */
export function complain(log: vscode.LogOutputChannel, what: string, error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  log.error(`${what}: ${error instanceof Error ? error.stack : text}`);
  void showError(`${what}: ${text.replace(/\.?$/, '.')}`);
}
