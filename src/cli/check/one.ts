import { noun } from '../../base/counted.ts';
import { checkTrace } from '../../check/check-run.ts';
import { sarifLog } from '../../check/report/sarif.ts';
import { decidedOf, summaryLine } from '../../check/report/summary.ts';
import { findingText } from '../../check/report/text.ts';
import { type CheckView, checkView, type FindingView, verdictsOf } from '../../check/report/view.ts';
import { type Witness, witnessesOf } from '../../check/report/witness.ts';
import { ruleFor } from '../../check/user/rule.ts';
import { sourceOf } from '../../query/events.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Context } from '../command.ts';
import { DONE, FOUND } from '../failure.ts';
import { readInput } from '../input.ts';
import { jsonDocument } from '../json.ts';
import { nameOf } from '../read.ts';
import { readLines } from '../source-lines.ts';
import { wrapped } from '../text.ts';
import { version } from '../version.ts';
import type { CheckJob } from './arguments.ts';

const WIDTH = 100;

/** Checks one file; returns the exit status. */
export async function checkOne(file: string, job: CheckJob, { out, progress }: Context): Promise<number> {
  const trace = await readInput('check', file, job.input, progress);
  const rules = [...job.rules, ...job.user.map((rule) => ruleFor(rule, trace))];
  const check = checkTrace(trace, rules);
  const view = checkView(file, trace, check, job.severity);
  const verdicts = verdictsOf(check);
  switch (job.form) {
    case 'json':
      for (const text of jsonDocument(view)) out.json(text);
      break;
    case 'sarif': {
      const witnesses = await witnessFinder(trace, view);
      for (const text of jsonDocument(sarifLog(version(), rules, view, witnesses))) out.json(text);
      break;
    }
    case 'text': {
      const blind = verdicts.filter(([, verdict]) => verdict === 'undecidable').map(([rule]) => rule.id);
      const decided = decidedOf(verdicts.map(([, verdict]) => verdict));
      out.line(`${nameOf(file)}: ${summaryLine(view.findings, decided)}`);
      if (blind.length > 0) out.add(`  blind: ${wrapped(blind, WIDTH, '    ')}\n`);
      const witnesses = await witnessFinder(trace, view);
      for (const finding of view.findings) {
        out.line();
        for (const line of findingText(finding, witnesses(finding))) out.line(line);
        if (out.due) await out.rest();
      }
      if (view.further > 0)
        out.add(
          `\n${view.further} more ${noun(view.further, 'finding')} of the same rules and objects ${noun(view.further, 'is', 'are')} only counted.\n`,
        );
    }
  }
  return view.findings.some(({ severity }) => severity === 'error') ? FOUND : DONE;
}

/** Gives the lines of the source that a finding stands on. */
async function witnessFinder(trace: Trace, { findings }: CheckView): Promise<(finding: FindingView) => Witness[]> {
  const wanted = new Map<string, Set<number>>();
  for (const step of new Set(findings.flatMap(({ evidence }) => evidence))) {
    const { file, line } = sourceOf(trace, step);
    // A binary file has no lines.
    if (trace.sources[trace.sourceOf(step)]?.binary === true) continue;
    const lines = wanted.get(file);
    if (lines) lines.add(line);
    else wanted.set(file, new Set([line]));
  }
  const textOf = await readLines(wanted);
  return (finding) => witnessesOf(trace, finding, textOf);
}
