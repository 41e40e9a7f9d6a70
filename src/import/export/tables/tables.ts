import type { Trace } from '../../../trace/trace.ts';
import { type FileFacts, parquet } from '../parquet.ts';
import { eventRows, eventTable } from './events.ts';
import { findingRows, findingTable, interruptRows, interruptTable, judge } from './interrupts.ts';
import { deviceTable, latencyTable, Measures } from './measures.ts';
import { type CaptureFacts, traceRows, traceTable, unitOf } from './traces.ts';

/** The bytes of the table of one trace. */
export interface TableFile {
  readonly table: string;
  readonly bytes: Generator<Uint8Array>;
}

/** What a table says of itself and of the clock of its trace. */
function fileFacts(trace: Trace, name: string, table: string, version: string): FileFacts {
  return {
    createdBy: `irqscope version ${version}`,
    metadata: {
      'irqscope.table': table,
      'irqscope.trace': name,
      'irqscope.format': trace.first.format,
      'irqscope.clock': trace.first.clock,
      'irqscope.timeUnit': unitOf(trace),
    },
  };
}

/** The events of a trace as a Parquet file; `name` is what the column `trace` says. */
export const eventFile = (trace: Trace, name: string, version: string): Generator<Uint8Array> =>
  parquet(eventTable, eventRows(trace, name), fileFacts(trace, name, eventTable.name, version));

/** The interrupts after its last event. */
export function interruptFile(trace: Trace, name: string, version: string): Generator<Uint8Array> {
  function* rows() {
    yield* interruptRows(trace, name, yield* judge(trace));
  }
  return parquet(interruptTable, rows(), fileFacts(trace, name, interruptTable.name, version));
}

/** The tables of a lake, in the order in which they are written: each one has to be read to its end before the next. */
export function* lakeFiles(trace: Trace, name: string, facts: CaptureFacts, version: string): Generator<TableFile> {
  const about = (table: string): FileFacts => fileFacts(trace, name, table, version);
  yield { table: eventTable.name, bytes: eventFile(trace, name, version) };
  let judged: Parameters<typeof findingRows>[2] = [];
  function* interrupts() {
    judged = yield* judge(trace);
    yield* interruptRows(trace, name, judged);
  }
  yield { table: interruptTable.name, bytes: parquet(interruptTable, interrupts(), about(interruptTable.name)) };
  yield {
    table: findingTable.name,
    bytes: parquet(findingTable, findingRows(trace, name, judged), about(findingTable.name)),
  };
  const measures = new Measures(trace, name);
  yield { table: latencyTable.name, bytes: parquet(latencyTable, measures.latencies(), about(latencyTable.name)) };
  yield { table: deviceTable.name, bytes: parquet(deviceTable, measures.devices(), about(deviceTable.name)) };
  yield { table: traceTable.name, bytes: parquet(traceTable, traceRows(trace, name, facts), about(traceTable.name)) };
}
