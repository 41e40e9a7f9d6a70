import { access } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { counted } from '../../base/counted.ts';
import { shown } from '../../base/visible.ts';
import type { CaptureFacts } from '../../import/export/tables/traces.ts';
import { runEach } from '../children.ts';
import type { Context } from '../command.ts';
import { DONE, Failure, REFUSED } from '../failure.ts';
import { jsonDocument } from '../json.ts';
import { type Capture, capturesIn } from './captures.ts';
import { MANIFEST, type Manifest, readManifest } from './manifest.ts';
import { isIn, type Shard } from './names.ts';
import { type Job, noteOf } from './one.ts';
import { isWritten } from './store.ts';

/** What a folder of captures is converted with. */
export interface LakeOptions {
  readonly manifest: string | undefined;
  /** What stands in front of the names of traces. */
  readonly prefix: string;
  readonly shard: Shard;
  /** Captures that are read at the same time; undefined: as many as there are processors. */
  readonly jobs: number | undefined;
  readonly json: boolean;
}

/** A capture that was not written, and why. */
interface Unwritten {
  readonly trace: string;
  readonly problem: string;
}

/** How the captures of a folder were read and written. */
interface Summary {
  readonly written: string[];
  /** The lake holds them as they are. */
  readonly unchanged: string[];
  readonly failed: Unwritten[];
  /** Files that are no trace. */
  readonly unread: Unwritten[];
}

const NOTHING: CaptureFacts = { host: null, kernel: null, date: null };

/**
 * Writes all captures of a folder into a lake, each in a process of its own. One that fails is listed, and stops no other. Returns the
 * exit status.
 */
export async function writeMany(root: string, lake: string, options: LakeOptions, context: Context): Promise<number> {
  refuseOverlap(root, lake);
  const { manifest, file } = await manifestOf(root, options.manifest);
  const { all, unread, inSessions } = await capturesIn(root, manifest, [lake, ...(file === undefined ? [] : [file])]);
  if (all.length + unread.length === 0) throw new Failure(`${root}: there is no file in it`);
  const mine = (name: string): boolean => isIn(options.shard, options.prefix + name);
  const captures = all.filter(({ name }) => mine(name));
  const summary: Summary = {
    written: [],
    unchanged: [],
    failed: unread.filter(({ trace }) => mine(trace)).map((each) => ({ ...each, trace: options.prefix + each.trace })),
    unread: [],
  };
  const names = new Set(all.map(({ name }) => name));
  for (const name of manifest.keys()) {
    if (names.has(name) || !mine(name)) continue;
    const why = inSessions.has(name) ? `a session file in ${root} lists it, too` : `it is not in ${root}`;
    summary.failed.push({ trace: options.prefix + name, problem: `${file} lists it, and ${why}` });
  }
  const todo: (Job & { readonly capture: Capture })[] = [];
  for (const [i, capture] of captures.entries()) {
    const job = {
      name: options.prefix + capture.name,
      path: capture.path,
      given: manifest.get(capture.name) ?? NOTHING,
      capture,
    };
    context.progress.tell(`${i} of ${counted(captures.length, 'capture')} looked at`);
    const note = await noteOf(job).catch(() => undefined);
    if (note !== undefined && (await isWritten(lake, note))) summary.unchanged.push(job.name);
    else todo.push(job);
    if (context.out.due) await context.out.rest();
  }
  await runEach(
    todo.map((job) => ({ args: argumentsOf(job, lake), stdin: false })),
    (ended) => context.progress.tell(`${ended} of ${counted(todo.length, 'capture')} read`),
    async ({ status, signal, out, err }, i) => {
      const { name: trace, capture } = todo[i]!;
      if (status === DONE) {
        summary.written.push(trace);
        return;
      }
      const said = err
        .trim()
        .replace(/^irqscope: /, '')
        .replace(`${capture.path}: `, '');
      const problem = said === '' ? `reading it was ended by ${signal ?? `status ${status}`}` : said;
      // What the manifest lists is a capture, and not just any file.
      const isOther = out.startsWith(NO_TRACE) && !manifest.has(capture.name);
      (isOther ? summary.unread : summary.failed).push({ trace, problem });
    },
    options.jobs,
  );
  context.progress.erase();
  return told(summary, root, lake, options, context);
}

/** What the process of a capture prints where nobody recognises it. */
export const NO_TRACE = 'no trace';

/** The arguments with which this program converts one capture. */
function argumentsOf({ name, path, given: { host, kernel, date } }: Job, lake: string): string[] {
  const facts = Object.entries({ host, kernel, date }).flatMap(([key, value]) =>
    value === null ? [] : [`--${key}=${value}`],
  );
  return ['convert', '--to=parquet', `--out=${lake}`, `--as=${name}`, ...facts, '--', path];
}

async function manifestOf(
  root: string,
  given: string | undefined,
): Promise<{ readonly manifest: Manifest; readonly file: string | undefined }> {
  const file = given ?? join(root, MANIFEST);
  if (given === undefined) {
    const is = await access(file).then(
      () => true,
      () => false,
    );
    if (!is) return { manifest: new Map(), file: undefined };
  }
  return { manifest: await readManifest(file), file };
}

/** Captures in a lake would be taken for files of its tables. */
function refuseOverlap(root: string, lake: string): void {
  const way = relative(resolve(lake), resolve(root));
  if (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
    throw new Failure(`--out ${lake}: the captures lie in this folder; give one of its own`);
}

async function told(
  summary: Summary,
  root: string,
  lake: string,
  { json, shard }: LakeOptions,
  { out, warn }: Context,
): Promise<number> {
  const { written, unchanged, failed, unread } = summary;
  const none = written.length + unchanged.length + failed.length === 0 && shard.count === 1;
  if (none) warn(`irqscope: ${root}: none of its ${unread.length} files is a trace`);
  for (const { trace, problem } of failed) warn(`irqscope: ${trace}: ${problem}`);
  if (json) for (const text of jsonDocument({ lake, ...summary })) out.json(text);
  else {
    const parts = [
      `${counted(written.length, 'trace')} written`,
      ...(unchanged.length > 0 ? [`${unchanged.length} unchanged`] : []),
      ...(failed.length > 0 ? [`${failed.length} failed`] : []),
      ...(unread.length > 0 ? [`${counted(unread.length, 'other file')} left out`] : []),
    ];
    out.line(`${lake}: ${parts.join(', ')}`);
    for (const { trace, problem } of unread) out.line(shown(`  ${trace}: ${problem}`));
  }
  return failed.length > 0 || none ? REFUSED : DONE;
}
