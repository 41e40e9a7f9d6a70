// What `npm run mutants` prints.
import type { Outcome } from './run.ts';
import type { Mutant } from './sample.ts';

/** `unreached`: no unit test runs the changed place, so none can notice the change. */
export type Verdict = Outcome | 'unreached';

export interface Judged {
  mutant: Mutant;
  verdict: Verdict;
}

export function survived(verdict: Verdict): boolean {
  return verdict === 'pass' || verdict === 'unreached';
}

/** `file:line kind: its line, with the change marked as [old => new]`. */
export function describe({ mutant, verdict }: Judged): string {
  const how = verdict === 'unreached' ? ' (no test runs it)' : '';
  return `${mutant.file}:${mutant.line} ${mutant.kind}${how}: ${mutant.marked}`;
}

/** A row per room: mutants, killed by a failing test, by a load error or by the time limit, survived, share killed. */
export function table(rooms: readonly string[], judged: readonly Judged[]): string {
  const rows = [['room', 'mutants', 'test fails', 'does not load', 'hangs', 'survive', 'of these unreached', 'killed']];
  for (const room of rooms) {
    const own = judged.filter(({ mutant }) => mutant.room === room);
    const count = (...verdicts: Verdict[]): number => own.filter((j) => verdicts.includes(j.verdict)).length;
    const killed = count('fail', 'load', 'hang');
    const share = own.length === 0 ? '-' : `${((100 * killed) / own.length).toFixed(1)} %`;
    const counts = [count('fail'), count('load'), count('hang'), count('pass', 'unreached'), count('unreached')];
    rows.push([room, String(own.length), ...counts.map(String), share]);
  }
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(rows[0]!), line(rows[0]!.map(() => '---')), ...rows.slice(1).map(line)].join('\n');
}
