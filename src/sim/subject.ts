import type { OperationSpec } from './operation.ts';
import type { Setup } from './setup.ts';

/** The order in which the parts of a system are put together. */
export const STAGES = [
  'platform',
  'architecture',
  'remapping',
  'functions',
  'machines',
  'assignment',
  'posting',
  'consumers',
] as const;

/** A step of putting a system together. */
export type Stage = (typeof STAGES)[number];

/** What one folder of the simulator brings: its parts, put in at some stages, and what can be done to them. Its policies are in `policies.ts`. */
export interface Subject {
  readonly operations: readonly OperationSpec[];
  readonly install: Readonly<Partial<Record<Stage, (setup: Setup) => void>>>;
}
