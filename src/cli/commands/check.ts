import { readJob } from '../check/arguments.ts';
import { checkMany } from '../check/many.ts';
import { checkOne } from '../check/one.ts';
import type { Command, Context } from '../command.ts';
import { INPUT_HELP } from '../input.ts';

async function run(args: readonly string[], context: Context): Promise<number> {
  const job = await readJob(args);
  return job.files.length === 1 ? checkOne(job.files[0]!, job, context) : checkMany(job, context);
}

export const check: Command = {
  name: 'check',
  usage: 'FILE... [--rule ID] [--severity S] [--rules FILE] [--json | --sarif]',
  help: `Judges a trace by rules (docs/findings.md lists them) and prints each finding with the lines of the source that it
stands on. A rule that needs events which the trace does not hold, or a stretch in which events were lost, says
nothing: it is blind. Several FILEs are checked beside one another, each in a process of its own.

Options:
  --rule ID      only this rule, by its id or the name of its invariant; may be given several times
  --severity S   only findings of this severity and worse ones: error, security, warning, info
  --rules FILE   also the rules of your own in FILE (docs/findings.md tells its form)
${INPUT_HELP}
  --json         {file, findings: [{rule, names, severity, title, step, time, object, evidence: [step],
                 explanation, reference, confirm}], further, verdicts: {rule: fail | pass | undecidable |
                 not-applicable}}; for several FILEs an array of such objects
  --sarif        SARIF 2.1.0, one run for all FILEs

Exit status: 0 nothing of severity error, 1 something of severity error, 2 a FILE could not be read.

Examples:
  irqscope check examples/x86-vtd-qemu.log
  irqscope check examples/x86-vtd-qemu.log --rule INV-MASK --rule F11 --json
  irqscope check examples/x86-vtd-qemu.log --severity error --sarif`,
  run,
};
