import type { ObjectId, Step } from '../base/ids.ts';
import type { Found } from '../query/interrupts/list.ts';
import type { Finding } from './check-trace.ts';

type Told = Pick<Finding, 'rule' | 'step' | 'object' | 'lost'>;

/**
 * The findings up to a step, by the object that they are about; each rule once. `suppressed`: findings that the user does not want to be told
 * of. They are not listed, but an interrupt that was lost stays lost.
 */
export function foundAt(findings: Iterable<Told>, step: Step, suppressed: Iterable<Told> = []): Map<ObjectId, Found[]> {
  const found = new Map<ObjectId, Found[]>();
  const enter = ({ rule: { id }, step: at, object, lost }: Told, hidden: boolean): void => {
    if (at > step || (hidden && !lost)) return;
    const here = found.get(object) ?? [];
    found.set(object, here);
    const same = here.findIndex(({ rule, suppressed = false }) => rule === id && suppressed === hidden);
    const one: Found = hidden ? { rule: id, lost, suppressed: true } : { rule: id, lost };
    if (same < 0) here.push(one);
    else if (lost) here[same] = one;
  };
  for (const finding of findings) enter(finding, false);
  for (const finding of suppressed) enter(finding, true);
  return found;
}
