// Parquet files as tests read them.
import { readFileSync } from 'node:fs';
import { parquetReadObjects } from 'hyparquet';

export type Row = Record<string, unknown>;

/** The rows of a file. A group that is null is undefined here. */
export function rowsOf(path: string): Promise<Row[]> {
  const bytes = readFileSync(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  return parquetReadObjects({ file });
}

/** Decimal seconds as nanoseconds. */
export function nanoseconds(seconds: string | null): bigint | null {
  if (seconds === null) return null;
  const [whole = '', fraction = ''] = seconds.replace('-', '').split('.');
  const size = BigInt(whole + fraction.padEnd(9, '0'));
  return seconds.startsWith('-') ? -size : size;
}
