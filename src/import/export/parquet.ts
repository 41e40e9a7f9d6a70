/**
 * Parquet files (github.com/apache/parquet-format, src/main/thrift/parquet.thrift), written in row groups of bounded size. The library
 * knows the encodings and the footer; here is what a table of a trace is made of.
 */
import type { SchemaElement } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { ParquetWriter } from 'hyparquet-writer/src/parquet-writer.js';

/** What a column holds, and how it gets that from a row. Null is unknown, or none. */
export interface Column<Row> {
  readonly name: string;
  /** The column in the schema of the file, with the elements that it consists of. */
  readonly schema: readonly SchemaElement[];
  /** Numbers that mostly rise are stored as differences. */
  readonly rising: boolean;
  readonly of: (row: Row) => unknown;
}

/** A table: its name and its columns. */
export interface Table<Row> {
  readonly name: string;
  readonly columns: readonly Column<Row>[];
}

/** What a file says of itself in its key-value metadata. */
export interface FileFacts {
  /** The program that writes it, as `NAME version VERSION`. */
  readonly createdBy: string;
  readonly metadata: Readonly<Record<string, string>>;
}

type Primitive = Pick<SchemaElement, 'type' | 'converted_type'>;
const TEXT: Primitive = { type: 'BYTE_ARRAY', converted_type: 'UTF8' };
const INT: Primitive = { type: 'INT32' };
const LONG: Primitive = { type: 'INT64' };

function leaf<Row>(name: string, primitive: Primitive, of: (row: Row) => unknown, rising = false): Column<Row> {
  return { name, schema: [{ name, repetition_type: 'OPTIONAL', ...primitive }], rising, of };
}

/** Texts (UTF-8). */
export const text = <Row>(name: string, of: (row: Row) => string | null): Column<Row> => leaf(name, TEXT, of);

/** Numbers below 2^31: steps, CPUs, lines. */
export const int = <Row>(name: string, of: (row: Row) => number | null): Column<Row> => leaf(name, INT, of);

/** The same, mostly rising from row to row. */
export const rising = <Row>(name: string, of: (row: Row) => number | null): Column<Row> => leaf(name, INT, of, true);

/** Whole numbers of 64 bits: counts, nanoseconds. */
export const long = <Row>(name: string, of: (row: Row) => number | bigint | null): Column<Row> =>
  leaf(name, LONG, (row) => wide(of(row)));

/** Times in nanoseconds as 64 bit integers, mostly rising. */
export const time = <Row>(name: string, of: (row: Row) => bigint | null): Column<Row> => leaf(name, LONG, of, true);

const wide = (value: number | bigint | null): bigint | null => (typeof value === 'number' ? BigInt(value) : value);

/** Lists of texts (LogicalTypes.md, Lists). */
export const texts = <Row>(name: string, of: (row: Row) => readonly string[]): Column<Row> => ({
  name,
  schema: [
    { name, repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'OPTIONAL', ...TEXT },
  ],
  rising: false,
  of,
});

/** A step with its time: a group of two columns. */
export const moment = <Row>(
  name: string,
  of: (row: Row) => { readonly step: number; readonly time: bigint | null } | null,
): Column<Row> => ({
  name,
  schema: [
    { name, repetition_type: 'OPTIONAL', num_children: 2 },
    { name: 'step', repetition_type: 'OPTIONAL', ...INT },
    { name: 'time', repetition_type: 'OPTIONAL', ...LONG },
  ],
  rising: false,
  of,
});

/** Rows of a row group. One group is held in memory. */
export const GROUP = 100_000;

/** Bytes of which there are none: work was done, and there is nothing to write yet. */
const NOTHING = new Uint8Array(0);

/** Rows between two pauses. */
const PAUSE = 1 << 12;

/**
 * The bytes of a file with these rows, in pieces. Where the rows pause (undefined), and now and then, a piece is empty: the writer of
 * the file can then look after signals.
 */
export function* parquet<Row>(
  { columns, name }: Table<Row>,
  rows: Iterable<Row | undefined>,
  { createdBy, metadata }: FileFacts,
): Generator<Uint8Array> {
  const writer = new ByteWriter(65_536);
  const file = new ParquetWriter({
    writer,
    schema: [{ name, num_children: columns.length }, ...columns.flatMap(({ schema }) => schema)],
    createdBy,
    kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  });
  let cells: unknown[][] = columns.map(() => []);
  const written = (): Uint8Array => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    return bytes;
  };
  const group = (): Uint8Array => {
    const columnData = columns.map(({ name: column, rising: deltas }, i) => ({
      name: column,
      data: cells[i]!,
      ...(deltas ? { encoding: 'DELTA_BINARY_PACKED' as const } : {}),
    }));
    file.write({ columnData, rowGroupSize: GROUP });
    cells = columns.map(() => []);
    return written();
  };
  let n = 0;
  for (const row of rows) {
    if (row === undefined) {
      yield NOTHING;
      continue;
    }
    for (let i = 0; i < columns.length; i++) cells[i]!.push(columns[i]!.of(row));
    n++;
    if (n % GROUP === 0) yield group();
    else if (n % PAUSE === 0) yield NOTHING;
  }
  if (n % GROUP !== 0) yield group();
  file.finish();
  yield written();
}
