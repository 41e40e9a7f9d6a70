import type { Trace } from '../../trace/trace.ts';
import type { Kit } from './kit.ts';

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
}
