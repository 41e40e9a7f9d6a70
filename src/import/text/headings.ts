/**
 * Lines that say what the lines behind them are: the path of a file (`==> PATH <==` of head and tail, `== PATH`, a prompt with `cat PATH`, `xxd PATH` and the like),
 * and the row of CPUs above a table. All readers hear of them.
 */
import type { Bare } from '../dmesg/bare.ts';

/** What such a line says. */
export interface Heard {
  /** The lines behind it are the content of this file; the empty text: of a file whose path is not told. */
  readonly path?: string;
  /** A table begins with columns of these CPUs. */
  readonly cpus?: readonly number[];
  /** The lines of a kernel log in the file have no stamps. */
  readonly kernelLog?: Bare;
  readonly line: number;
}

const PATH = String.raw`(\S*\/\S+|[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])`;
const HEADINGS = [
  new RegExp(`^==> ${PATH} <==$`),
  new RegExp(`^={2,} ${PATH}(?: ={2,})?(?: -> .*)?$`),
  new RegExp(`^-{2,} ${PATH}(?: -{2,})?$`),
  /^(?:[^\s#$]{0,60}(?: [^\s#$]{1,60})?[#$] ?)?(?:sudo )?(?:cat|(?:hexdump|hd|xxd|od)(?: -{1,2}[\w=-]+(?: [a-z0-9]{1,4})?)*) (\/\S+)$/,
  /^(\/(?:proc|sys)\/\S+):$/,
];
const CPUS = /^\s*CPU\d+(?:\s+CPU\d+)*\s*$/;

/** Marks of a quoted text. */
const QUOTED = /^(?:[ \t]{0,3}[>|] ?)+/;

/** What a line says of those behind it; undefined for lines that say nothing. */
export function hear(marked: string, line: number): Heard | undefined {
  const text = marked.replace(QUOTED, '');
  if (CPUS.test(text)) return { cpus: [...text.matchAll(/CPU(\d+)/g)].map(([, n]) => Number(n)), line };
  if (!/[/:]/.test(text)) return undefined;
  const plain = text.trimEnd();
  for (const form of HEADINGS) {
    const path = form.exec(plain)?.[1];
    // A pattern of a shell names several files: which line is of which is not told.
    if (path !== undefined) return { path: /[*?[\]{}]/.test(path) ? '' : path, line };
  }
  return undefined;
}
