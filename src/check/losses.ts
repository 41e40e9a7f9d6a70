import type { ObjectId, Step } from '../base/ids.ts';
import type { Finding } from './check-trace.ts';
import type { Severity } from './rule.ts';

/**
 * Rules whose findings of severity error say that an interrupt did not reach its handler: at the function (F01, I-P5, F12, R03), in the vector domain (F24, F25), at the
 * remapping unit (F30, F33, F34, F35), at VFIO and KVM (F40, F44, F50, F54, F55, F56, F63, F64, F68), at the doorbell and the ITS
 * (F70, F71, F75, F78). What they report less severely is only possible.
 */
const LOSSES: ReadonlySet<string> = new Set([
  ...['F01', 'I-P5', 'F12', 'F24', 'F25', 'R03'],
  ...['F30', 'F33', 'F34', 'F35'],
  ...['F40', 'F44', 'F50', 'F54', 'F55', 'F56', 'F63', 'F64', 'F68'],
  ...['F70', 'F71', 'F75', 'F78'],
]);

/** Whether a finding of a rule with a severity says that an interrupt did not reach its handler. */
export const tellsLoss = (rule: string, severity: Severity): boolean => severity === 'error' && LOSSES.has(rule);

/** What was found at an object: the rule, and whether it says that an interrupt was lost. */
export interface FoundHere {
  readonly rule: string;
  readonly loss: boolean;
}

/** The findings up to a step, by the object that they are about; each rule once. */
export function foundAt(findings: Iterable<Finding>, step: Step): Map<ObjectId, FoundHere[]> {
  const found = new Map<ObjectId, FoundHere[]>();
  for (const finding of findings) {
    if (finding.step > step) continue;
    const { id } = finding.rule;
    const loss = tellsLoss(id, finding.severity);
    const here = found.get(finding.object) ?? [];
    found.set(finding.object, here);
    const same = here.findIndex(({ rule }) => rule === id);
    if (same < 0) here.push({ rule: id, loss });
    else if (loss) here[same] = { rule: id, loss };
  }
  return found;
}
