import type * as vscode from 'vscode';
import type { Step } from '../base/ids.ts';

/** Where to go in a trace that is opened: at most one of step, time and line, and perhaps an object to show. */
export interface Place {
  /** 0-based number of an event. */
  readonly step?: Step;
  /** Decimal seconds as the trace prints them: the last event at or before that time. */
  readonly time?: string;
  /** 1-based line: the last event that stands at or before it. */
  readonly line?: number;
  /** Path of an object, perhaps with key and field: `device/0000:00:03.0/msix/0/control.mask`. */
  readonly object?: string;
}

/** The trace that the views show, and where its cursor is. */
export interface ActiveTrace {
  readonly uri: vscode.Uri;
  /** Step of the cursor; -1 before the first event. */
  readonly step: Step;
  /** How many events there are so far. */
  readonly events: number;
}

/**
 * What `activate` returns, for other extensions:
 * `vscode.extensions.getExtension<IrqScopeApi>('irqscope.irqscope')?.activate()`. Within one version nothing is removed
 * or changed.
 */
export interface IrqScopeApi {
  readonly version: 1;
  /** Opens a trace and goes to a place in it; resolves when the whole file was read. Rejects when it is no trace. */
  open(uri: vscode.Uri, place?: Place): Promise<void>;
  /** The trace that the views show. */
  readonly active: ActiveTrace | undefined;
  /** Moves the cursor of the active trace; false when it has no such step. */
  moveTo(step: Step): boolean;
}
