import { readFile } from 'node:fs/promises';
import type { CaptureFacts } from '../../import/export/tables/traces.ts';
import { nearest } from '../../query/nearest.ts';
import { Failure } from '../failure.ts';

/** The name of the manifest in a folder of captures. */
export const MANIFEST = 'manifest.csv';

/** What a manifest says, by the path of a capture in the folder. */
export type Manifest = ReadonlyMap<string, CaptureFacts>;

/** Its columns; others are left alone. */
const COLUMNS = ['trace', 'host', 'kernel', 'date'];

/** A calendar day that exists, as ISO 8601 writes it; a time behind it is left out. */
export function dayOf(text: string): string | undefined {
  const day = /^(\d{4}-\d{2}-\d{2})(?:[T ].*)?$/.exec(text)?.[1];
  const time = day === undefined ? Number.NaN : Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== day ? undefined : day;
}

/** The lines of a text of comma-separated values (RFC 4180), with the number of the line in which each one begins. */
function* linesOf(text: string): Generator<{ readonly line: number; readonly cells: readonly string[] }> {
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|\r|$)/y;
  let cells: string[] = [];
  let [line, begun] = [1, 1];
  while (cell.lastIndex < text.length || cells.length > 0) {
    const match = cell.exec(text);
    if (match === null) {
      yield { line, cells: [] };
      return;
    }
    const [whole, quoted, plain = '', end] = match;
    cells.push(quoted?.replaceAll('""', '"') ?? plain.trim());
    line += whole.split(/\r?\n|\r/).length - 1;
    if (end === ',') continue;
    if (cells.some((each) => each !== '')) yield { line: begun, cells };
    cells = [];
    begun = line;
  }
}

/** Reads a manifest; throws Failure with the line that is wrong. */
export async function readManifest(file: string): Promise<Manifest> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`${file}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`);
  });
  const manifest = new Map<string, CaptureFacts>();
  let head: readonly string[] | undefined;
  for (const { line, cells } of linesOf(text.replace(/^\ufeff/, ''))) {
    const wrong = (why: string): Failure => new Failure(why, { file, line });
    if (head === undefined) {
      head = cells;
      if (!head.includes('trace')) {
        const near = nearest('trace', head, 1);
        throw wrong(
          `expected a first line with the columns ${COLUMNS.join(',')}${near[0] ? `, found ${near[0]}` : ''}`,
        );
      }
      continue;
    }
    if (cells.length !== head.length)
      throw wrong(`expected ${head.length} values as in the first line, found ${cells.length}`);
    const value = (column: string): string | null => cells[head!.indexOf(column)] || null;
    const trace = value('trace')?.replaceAll('\\', '/').replace(/^\.\//, '').replace(/\/$/, '');
    if (trace === undefined) throw wrong('expected the path of a capture in the column trace');
    if (manifest.has(trace)) throw wrong(`${trace} is listed twice`);
    const date = value('date');
    if (date !== null && dayOf(date) === undefined)
      throw wrong(`expected a day such as 2026-11-23 in the column date, found ${date}`);
    manifest.set(trace, {
      host: value('host'),
      kernel: value('kernel'),
      date: date === null ? null : dayOf(date)!,
    });
  }
  return manifest;
}
