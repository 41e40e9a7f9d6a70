import { csv } from '../../import/export/csv.ts';
import { ndjson } from '../../import/export/ndjson.ts';
import { perfetto } from '../../import/export/perfetto.ts';
import { nearest } from '../../query/nearest.ts';
import { irqtraceBytes } from '../../trace/irqtrace.ts';
import type { Trace } from '../../trace/trace.ts';
import { type Command, type Context, misused, readArguments } from '../command.ts';
import { DONE } from '../failure.ts';
import { INPUT_HELP, INPUT_OPTIONS, onlyOne, readInput } from '../input.ts';
import { writeFileWhole } from '../out-file.ts';

/** Characters that are put together before they are written. */
const CHUNK = 1 << 16;

/** The formats that are written, in pieces. */
const FORMATS: Readonly<Record<string, (trace: Trace) => Generator<string | Uint8Array>>> = {
  irqtrace: (trace) => irqtraceBytes(trace, trace.sources.length === 1 ? (trace.first.header ?? []) : []),
  ndjson,
  csv,
  perfetto,
};

const NAMES = Object.keys(FORMATS);

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = readArguments('convert', args, {
    to: { type: 'string' },
    out: { type: 'string' },
    ...INPUT_OPTIONS,
  });
  if (positionals.length !== 1) throw onlyOne('convert', positionals);
  const { to, out: target } = values;
  if (to === undefined) throw misused('convert', `convert needs --to: ${NAMES.join(', ')}`);
  const format = Object.hasOwn(FORMATS, to) ? FORMATS[to] : undefined;
  if (format === undefined) {
    const near = nearest(to, NAMES, 1);
    throw misused(
      'convert',
      `--to ${to}: ${near.length > 0 ? `did you mean ${near[0]}?` : `there are ${NAMES.join(', ')}`}`,
    );
  }
  if (target === undefined) throw misused('convert', 'convert needs --out FILE; - is standard output');
  const trace = await readInput('convert', positionals[0]!, values, context.progress);
  const { out } = context;
  if (target === '-') {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    for (const piece of pieces(format(trace))) {
      out.raw(typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true }));
      if (out.due) await out.rest();
    }
    return DONE;
  }
  const encoder = new TextEncoder();
  await writeFileWhole(target, async (file) => {
    for (const piece of pieces(format(trace))) {
      file.add(typeof piece === 'string' ? encoder.encode(piece) : piece);
      await file.drain();
      if (out.due) await out.rest();
    }
  });
  return DONE;
}

/** Puts small texts together. */
function* pieces(all: Generator<string | Uint8Array>): Generator<string | Uint8Array> {
  let text = '';
  for (const piece of all) {
    if (typeof piece !== 'string') yield piece;
    else if ((text += piece).length >= CHUNK) {
      yield text;
      text = '';
    }
  }
  if (text !== '') yield text;
}

/** `irqscope convert`. */
export const convert: Command = {
  name: 'convert',
  usage: 'FILE --to FORMAT --out FILE',
  summary: 'write a trace in another format',
  help: `Reads a trace, a folder or an archive and writes its events in another format. The old file stays until the new one is whole.

Formats:
  irqtrace     the trace file of this project: text, one event a line; reading it gives the same events
  ndjson       one JSON object a line, as irqscope events --json prints them; it can be read again
  csv          a table: trace, step, time, cpu, kind, object, fields (as JSON), file, line
  perfetto     Trace Event JSON for ui.perfetto.dev: a track for each object, spans of handlers and virtual CPUs, flows of deliveries

Options:
  --to FORMAT  one of these formats
  --out FILE   the file to write; - is standard output
${INPUT_HELP}

Examples:
  irqscope convert host.txt --with guest=guest.txt --to perfetto --out both.json
  irqscope convert capture.tar.gz --to irqtrace --out capture.irqtrace`,
  run,
};
