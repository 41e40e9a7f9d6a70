import type { Trace } from '../../trace/trace.ts';
import type { Kit } from './kit.ts';

/** What a file is as a piece of a recording: it holds only where all its pieces are in the trace. */
export interface Piece {
  /** The same of all pieces of one recording. */
  readonly of: object;
  /** Which of them it is, of how many. */
  readonly at: number;
  readonly count: number;
  /** The file, read behind those before it. */
  readonly trace: Trace;
}

/** A file that was read: alone, or in an archive. */
export interface FileRead {
  /** Its name; in an archive `ARCHIVE/PATH`. */
  readonly file: string;
  /** When it was changed, in milliseconds since 1970; undefined where that is not told. */
  readonly modified: number | undefined;
  /** What it holds; undefined when nobody recognises it. */
  readonly trace: Trace | undefined;
  /** Why it is no trace, or what is wrong with the archive behind it. */
  readonly problem: string | undefined;
  /** What it tells if it is the kit.json of a recording. */
  readonly kit?: Kit | undefined;
  /** Of a folder whose files are one source: how many they are. */
  readonly files?: number;
  /** What it is as a piece of a recording that was cut into several files. */
  readonly piece?: Piece | undefined;
}

/** Reasons that are told when nothing of a folder is a trace. */
const MOST_REASONS = 3;

/** Why none of the files of a folder or an archive is a trace. Most are none for one reason, which is said once. */
export function whyNone(read: readonly FileRead[]): string {
  const [only] = read;
  // A kit.json that was given alone is itself that file.
  if (read.length === 1 && only!.kit !== undefined) return only!.problem ?? '';
  const reasons = new Map<string, string[]>();
  for (const { file, problem = '' } of read) reasons.set(problem, [...(reasons.get(problem) ?? []), file]);
  const told = [...reasons]
    .slice(0, MOST_REASONS)
    .map(([problem, [first, ...more]]) => `${first}${more.length > 0 ? ` and ${more.length} more` : ''}: ${problem}`);
  return `${read.length === 1 ? 'its only file is no trace' : `none of its ${read.length} files is a trace`}; ${told.join('; ')}`;
}
