import { whyNone } from '../../import/files/file-read.ts';
import type { Again } from '../../import/files/pieces.ts';
import type { Trace } from '../../trace/trace.ts';
import { breathe } from '../platform.ts';
import { finish } from '../views/slices.ts';
import type { OpenFile } from './entry.ts';
import { Cancelled } from './read-files.ts';

/** Milliseconds of work before other work of the editor has its turn. */
const SLICE_MS = 12;

/** A trace that was put together from files. */
export interface Joined {
  readonly trace: Trace;
  /** All files, those of the trace first, in its order; those that are no part of it say why. */
  readonly files: readonly OpenFile[];
  readonly duplicates: ReadonlyMap<string, string>;
}

/**
 * Puts files together into one trace, in slices; `first`: the file whose clock is that of the trace, if it is among them; `again`: the bytes of a file once more. Throws ImportError when none of them is a trace, and
 * Cancelled when it is not wanted any more.
 */
export async function joinFiles(
  given: readonly OpenFile[],
  first: string | undefined,
  again: Again<OpenFile>,
  wanted: () => boolean = () => true,
): Promise<Joined> {
  const [{ chooseFiles }, { joiningTraces }, { ImportError }, { withPieces }] = await Promise.all([
    import('../../import/files/choose.ts'),
    import('../../import/join/join.ts'),
    import('../../import/run.ts'),
    import('../../import/files/pieces.ts'),
  ]);
  const slicing = { ms: SLICE_MS, wanted };
  const taken = await withPieces(
    given.filter(({ skipped }) => !skipped),
    again,
    breathe,
  );
  const files = given.map((file) => taken.find((one) => one.file === file.file) ?? file);
  const chosen = await finish(chooseFiles(taken, first), slicing);
  if (!wanted()) throw new Cancelled('opening was cancelled');
  if (chosen === undefined) throw new ImportError(noTrace(taken));
  const named = (file: { readonly file: string }): OpenFile => files.find((one) => one.file === file.file)!;
  // The clock of the first file is that of the trace: an offset of its own would move nothing.
  const parts = chosen.parts.map((part, i) => (i === 0 ? { ...part, offset: undefined } : part));
  const trace = await finish(joiningTraces(parts), slicing);
  if (trace === undefined) throw new Cancelled('opening was cancelled');
  const why = new Map(chosen.unread.map(({ file, problem }) => [file, problem]));
  const taking = chosen.parts.map(named);
  const rest = files.filter((file) => !taking.includes(file));
  return {
    trace,
    files: [...taking, ...rest.map((file) => ({ ...file, problem: why.get(file.file) ?? file.problem }))],
    duplicates: new Map(chosen.duplicates.map(({ file, of }) => [file.file, of])),
  };
}

function noTrace(read: readonly OpenFile[]): string {
  if (read.length === 1) return read[0]!.problem ?? 'no record of any known format is in it';
  return whyNone(read);
}
