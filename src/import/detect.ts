import { bytesAt, bytesOf, textOf } from '../base/bytes.ts';
import type { TraceBuilder } from '../trace/builder.ts';
import { MAGIC } from '../trace/irqtrace.ts';
import type { Helpers } from './helpers.ts';
import { BOM, type Importer, LineImporter } from './importer.ts';
import { IrqtraceImporter } from './irqtrace/importer.ts';
import { NdjsonImporter } from './ndjson/importer.ts';
import { binaryShare, otherKind } from './other-kinds.ts';
import { ConfigSpaceImporter, isConfigSpace } from './pci/config-binary.ts';
import { TEXT_FORMATS } from './text/formats.ts';
import { TraceDatImporter } from './tracedat/importer.ts';
import { MAGIC_TEXT } from './tracedat/parts.ts';

/** A format that its first bytes name. */
export interface Format {
  readonly name: 'irqtrace' | 'ndjson' | 'trace-dat' | 'config-space';
  /** What the user calls it. */
  readonly title: string;
  readonly is: (head: Uint8Array) => boolean;
  readonly open: (out: TraceBuilder, helpers: Helpers) => Importer;
}

/** How many bytes of a source are enough to tell its format. */
export const HEAD_BYTES = 1 << 16;

/** Bytes in which an event of JSON shows that it is one. */
const EVENT_BYTES = 200;
const MAGIC_BYTES = bytesOf(`${MAGIC} `);
const MAGIC_OF_DAT = bytesOf(MAGIC_TEXT);

const FORMATS: readonly Format[] = [
  {
    name: 'irqtrace',
    title: 'an .irqtrace file',
    is: (head) => {
      const start = bytesAt(head, 0, head.length, BOM) ? BOM.length : 0;
      return bytesAt(head, start, head.length, MAGIC_BYTES);
    },
    open: (out) => new LineImporter(out, new IrqtraceImporter(out)),
  },
  {
    name: 'ndjson',
    title: 'events as JSON lines',
    is: (head) => {
      const start = bytesAt(head, 0, head.length, BOM) ? BOM.length : 0;
      const line = textOf(head, start, Math.min(head.length, start + EVENT_BYTES));
      return /^\s*\{"step":\d+,"time":(?:null|"[-\d.]+"),"cpu":(?:null|\d+),"kind":"/.test(line);
    },
    open: (out) => new LineImporter(out, new NdjsonImporter(out)),
  },
  {
    name: 'trace-dat',
    title: 'a trace.dat file of trace-cmd',
    is: (head) => bytesAt(head, 0, head.length, MAGIC_OF_DAT),
    open: (out, helpers) => new TraceDatImporter(out, helpers),
  },
  {
    name: 'config-space',
    title: 'config space of PCI functions',
    // Files of that format are so short that their first bytes are all of them.
    is: isConfigSpace,
    open: (out) => new ConfigSpaceImporter(out),
  },
];

/** What users call the formats that are read. */
export const TITLES: readonly string[] = [...new Set([...FORMATS, ...TEXT_FORMATS].map(({ title }) => title))];

/** Why a source cannot be read: what was found and what was expected. */
export interface NotATrace {
  readonly problem: string;
}

/**
 * What the first bytes of a source say: its format; that it holds no text; or that it is text, in which records of
 * several formats may stand anywhere.
 */
export function detect(head: Uint8Array): Format | 'text' | NotATrace {
  if (head.length === 0) return { problem: 'the file is empty' };
  const format = FORMATS.find(({ is }) => is(head));
  if (format !== undefined) return format;
  const share = binaryShare(head);
  return share === 0 ? 'text' : { problem: notATrace(head) };
}

/** One sentence on a source that holds no record. */
export function notATrace(head: Uint8Array): string {
  const kind = otherKind(head);
  if (kind !== undefined) return `this is ${kind}`;
  const share = binaryShare(head);
  const found = share > 0 ? `this is binary data (${share} % control bytes)` : 'no line of it is a trace record';
  return `${found}; expected ${TITLES.slice(0, -1).join(', ')} or ${TITLES.at(-1)}`;
}
