import { counted } from '../../base/counted.ts';
import type { Verdict } from '../check-trace.ts';
import { type FindingView, worstFirst } from './view.ts';

/** How many rules judged, and how many could not because the trace does not show what they need. */
export interface Decided {
  readonly decided: number;
  readonly blind: number;
}

/** Counts verdicts, one for each rule. */
export function decidedOf(verdicts: Iterable<Verdict>): Decided {
  let decided = 0;
  let blind = 0;
  for (const verdict of verdicts) {
    if (verdict === 'pass' || verdict === 'fail') decided++;
    if (verdict === 'undecidable') blind++;
  }
  return { decided, blind };
}

/** What a check found, in one line: `3 findings, worst: F01 …`, or `no findings, 41 rules decided, 12 blind`. */
export function summaryLine(
  findings: readonly Pick<FindingView, 'severity' | 'lost' | 'step' | 'title' | 'rule'>[],
  { decided, blind }: Decided,
): string {
  const [worst] = worstFirst(findings);
  if (worst === undefined) return `no findings, ${counted(decided, 'rule')} decided, ${blind} blind`;
  return `${counted(findings.length, 'finding')}, worst: ${worst.rule} ${worst.title}`;
}
