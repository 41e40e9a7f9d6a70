// What can be fuzzed: each kind makes an input from a number and says what must hold of it.
import { fuzzScenario } from '../../sim/fuzz-scenarios.ts';
import { fuzzCapture } from './fuzz-captures.ts';
import { fuzzArchive, fuzzNdjson, fuzzSession, fuzzSnapshot } from './fuzz-files.ts';
import { fuzzIrqtrace } from './fuzz-irqtrace.ts';
import { fuzzJson } from './fuzz-json.ts';
import { fuzzPacked } from './fuzz-packed.ts';
import { fuzzPci } from './fuzz-pci.ts';
import { fuzzTracedat } from './fuzz-tracedat.ts';

/** How an input was read. */
export interface Outcome {
  /** Whether it was read; if not, it was refused with a clear answer. */
  readonly read: boolean;
  readonly events: number;
}

/** One input: what was done to it in words, and the test, which throws when something does not hold. */
export interface Trial {
  readonly story: string;
  readonly run: () => Outcome;
}

export const fuzzKinds: Readonly<Record<string, (seed: number) => Trial>> = {
  archives: fuzzArchive,
  captures: fuzzCapture,
  irqtrace: fuzzIrqtrace,
  json: fuzzJson,
  ndjson: fuzzNdjson,
  packed: fuzzPacked,
  pci: fuzzPci,
  scenarios: fuzzScenario,
  sessions: fuzzSession,
  snapshots: fuzzSnapshot,
  tracedat: fuzzTracedat,
};
