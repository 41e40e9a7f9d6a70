import type { ObjectId, Step } from '../base/ids.ts';
import type { Found } from '../query/interrupts/list.ts';
import type { Finding } from './check-trace.ts';

/** The findings up to a step, by the object that they are about; each rule once. */
export function foundAt(
  findings: Iterable<Pick<Finding, 'rule' | 'step' | 'object' | 'lost'>>,
  step: Step,
): Map<ObjectId, Found[]> {
  const found = new Map<ObjectId, Found[]>();
  for (const finding of findings) {
    if (finding.step > step) continue;
    const { id } = finding.rule;
    const { lost } = finding;
    const here = found.get(finding.object) ?? [];
    found.set(finding.object, here);
    const same = here.findIndex(({ rule }) => rule === id);
    if (same < 0) here.push({ rule: id, lost });
    else if (lost) here[same] = { rule: id, lost };
  }
  return found;
}
