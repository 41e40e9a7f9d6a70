/** The parts of a trace.dat file that look the same in versions 6 and 7 (trace-cmd.dat.v6.5 and v7.5 of trace-cmd). */
import { textOf } from '../../base/bytes.ts';
import { MOST_CPU } from '../../trace/row.ts';
import type { Contents, CpuData, Head } from './contents.ts';
import { type Bytes, Cursor, Trouble } from './file.ts';

/** What such a file begins with: three magic bytes and a word. */
export const MAGIC_TEXT = '\x17\x08Dtracing';

const VERSIONS = [6, 7];
/** Bytes of a page of a ring buffer: a page of a machine at least, 128 pages of 64 KiB at most (buffer_subbuf_size_kb of kernel/trace/trace.c). */
/** Bytes of the description of the page header that are read. */
const LONGEST_HEADER = 1 << 12;
const SMALLEST_PAGE = 1 << 12;
const LARGEST_PAGE = 1 << 23;

/** Reads the first bytes of a file; returns them with the offset of the byte behind. Throws Trouble. */
export function readHead(bytes: Bytes): { readonly head: Head; readonly end: number } {
  const c = new Cursor(bytes, false);
  c.bytes(MAGIC_TEXT.length, 'the magic bytes');
  const version = Number(c.text('the version'));
  if (!VERSIONS.includes(version))
    throw new Trouble(
      `is of version ${Number.isInteger(version) ? version : '?'} of its form; versions 6 and 7 are read`,
    );
  const big = c.number(1, 'the byte order') !== 0;
  const long = c.number(1, 'the size of a long');
  const numbers = new Cursor(bytes, big, c.at);
  const pageSize = numbers.number(4, 'the page size');
  checkPage(pageSize, 'at its beginning');
  if (version === 6) return { head: { version, big, long, pageSize, packing: '', options: 0 }, end: numbers.at };
  const packing = numbers.text('the name of the packing');
  numbers.text('the version of the packing');
  const options = numbers.number(8, 'the place of the options');
  return { head: { version, big, long, pageSize, packing, options }, end: numbers.at };
}

/** Throws Trouble where a size cannot be that of a page. */
export function checkPage(size: number, where: string): void {
  if (size < SMALLEST_PAGE || size > LARGEST_PAGE || (size & (size - 1)) !== 0)
    throw new Trouble(`tells a page size of ${size} bytes ${where}`);
}

/** A part with its name in front: `NAME\0`, the size in 8 bytes, the text. */
function named(c: Cursor, name: string): Uint8Array {
  const place = c.place;
  if (textOf(c.bytes(name.length + 1, `the word ${name}`)) !== `${name}\0`)
    throw new Trouble(`has no ${name} ${place}`);
  return sized(c, 8, `the ${name}`);
}

/** A size in 4 or 8 bytes, and so many bytes. */
export const sized = (c: Cursor, width: number, what: string): Uint8Array =>
  c.bytes(c.number(width, `the size of ${what}`), what);

/** What the kernel says of the header of a page, and of the header of a record (which no kernel since 2.6.31 changed). */
export function readHeaderInfo(c: Cursor, contents: Contents): void {
  const page = named(c, 'header_page');
  contents.headerPage = textOf(page, 0, Math.min(page.length, LONGEST_HEADER));
  named(c, 'header_event');
}

/** The formats of the events of ftrace itself. */
export function readFtraceFormats(c: Cursor, contents: Contents): void {
  readFormats(c, contents, 'ftrace');
}

/** The formats of the events of all other systems. */
export function readEventFormats(c: Cursor, contents: Contents): void {
  const systems = c.number(4, 'the number of event systems');
  for (let i = 0; i < systems; i++) readFormats(c, contents, c.text('the name of an event system'));
}

function readFormats(c: Cursor, contents: Contents, system: string): void {
  const count = c.number(4, 'the number of formats');
  for (let i = 0; i < count; i++) {
    contents.addFormat({ system, text: sized(c, 8, 'the formats') });
  }
}

/** The file tells so many CPUs. Throws Trouble where a table could not name them. */
export function checkCpus(count: number, place: string): number {
  if (count > MOST_CPU + 1) throw new Trouble(`tells ${count} CPUs ${place}`);
  return count;
}

/** Where the data of a CPU stand. */
export function readCpuData(c: Cursor, cpu: number): CpuData {
  const at = c.number(8, 'the table of the CPUs');
  return { cpu, at, size: c.number(8, 'the table of the CPUs') };
}
