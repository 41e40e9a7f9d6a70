/**
 * The text of a latency tracer in a trace.dat of version 6: `trace-cmd extract` and `stop` copy the file `trace` of the kernel behind the word `latency`, up
 * to the end of the file (tracecmd_create_file_latency of trace-cmd). It is read like any other text of ftrace.
 */
import { total } from '../../trace/accounting.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { NO_RECORD, TAKEN } from '../importer.ts';
import { LineSplitter } from '../lines.ts';
import { FtraceImporter } from './importer.ts';

/** Reads the text; `at` is the byte of the file at which it begins. False when no line of it is a record. */
export function readLatency(out: TraceBuilder, text: Uint8Array, at: number): boolean {
  const reader = new FtraceImporter(out);
  const lines = new LineSplitter((buf, start, end, line, offset, cut, open) => {
    out.begin(line, at + offset);
    if (start === end) out.other('blank');
    else if (cut) out.skipped('line longer than 1 MiB');
    else if (reader.line(buf, start, end) !== TAKEN) {
      if (reader.form(buf, start, end) !== NO_RECORD) reader.record(buf, start, end, open);
      else {
        const what = reader.note(buf, start, end);
        if (what !== '') out.other(what ?? 'text');
      }
    }
  });
  lines.push(text);
  lines.end();
  out.noteTime();
  reader.settle();
  const { accounting } = out;
  accounting.lines = accounting.records + total(accounting.others);
  return accounting.understood > 0;
}
