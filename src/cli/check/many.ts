import { joinedLog, type SarifLog } from '../../check/report/sarif.ts';
import type { CheckView } from '../../check/report/view.ts';
import { type Ended, runEach } from '../children.ts';
import type { Context } from '../command.ts';
import { DONE, FOUND, REFUSED } from '../failure.ts';
import { jsonDocument } from '../json.ts';
import { nameOf, STDIN } from '../read.ts';
import { version } from '../version.ts';
import type { CheckJob } from './arguments.ts';

/** Checks several files, each in a process of its own: what one of them does to its process is no loss to the others. */
export async function checkMany(job: CheckJob, { out, progress, warn }: Context): Promise<number> {
  const { files } = job;
  const documents: unknown[] = [];
  const problems: string[] = [];
  let found = 0;
  await runEach(
    files.map((file) => ({ args: ['check', ...job.options, '--', file], stdin: file === STDIN })),
    (ended) => progress.tell(`${ended} of ${files.length} files are checked`),
    async (ended, i) => {
      const problem = problemOf(ended, files[i]!);
      if (ended.status === FOUND) found++;
      if (problem !== undefined) {
        progress.erase();
        problems.push(problem);
        for (const line of problem.split('\n')) warn(line);
        return;
      }
      if (job.form !== 'text') documents.push(JSON.parse(ended.out));
      else {
        progress.erase();
        if (out.used) out.line();
        out.add(ended.out);
        await out.flush();
      }
    },
  );
  progress.erase();
  if (job.form === 'json') for (const text of jsonDocument(documents as CheckView[])) out.json(text);
  if (job.form === 'sarif') {
    const log = joinedLog(version(), documents as SarifLog[], problems);
    for (const text of jsonDocument(log)) out.json(text);
  }
  if (problems.length > 0) return REFUSED;
  return found > 0 ? FOUND : DONE;
}

/** Why a file has no answer; undefined where it has one. */
function problemOf({ status, signal, err }: Ended, file: string): string | undefined {
  if (status === DONE || status === FOUND) return undefined;
  const said = err.trimEnd();
  if (said !== '') return said;
  return `irqscope: ${nameOf(file)}: the check was ended by ${signal ?? `status ${status}`}`;
}
