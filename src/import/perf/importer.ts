/**
 * What `perf script` prints of tracepoints: the print formats are those of the kernel, the heads of the records are perf's.
 * Source of the format: tools/perf/builtin-script.c (perf_sample__fprintf_start, process_event), tools/perf/util/evsel_fprintf.c.
 * What the text cannot tell: whether interrupts were off, and on which machine a sample of a guest was taken.
 */
import { COLON, hexDigit, isDigit, SPACE, textOf } from '../../base/bytes.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { type Dialect, FtraceImporter, type Loss } from '../ftrace/importer.ts';
import { RecordHead } from '../ftrace/record.ts';
import { isNameByte } from '../names.ts';

/** The columns in front of the name of the event take no more bytes than that. */
const REACH = 160;
const TAB = 9;

/**
 * `[VM: N] [VCPU:NNN] comm tid | pid/tid [cpu] [flags] time: [period] system:event: `. The name of a task may hold blanks, and a number at its end:
 * `CPU 0/KVM  699876`. Without -F comm or tid the line begins with what is left.
 */
const HEAD =
  /^\s*(?:VM:\s*\d+ )?(?:VCPU:\d+ )?\s*(?:(?<comm>\S.*?)? +(?<pid>-?\d+)(?:\/(?<tid>-?\d+))? *)?\[(?<cpu>\d+)\] +(?:[.a-zA-Z\d]{3,9} +)?(?<time>\d+\.\d{6}(?:\d{3})?): +(?:\d+ +)?(?<system>[\w-]+):(?=\w+:)/;
/** The head of a record of another kind: perf itself lost samples. */
const LOST = /\[(\d+)\] +\d+\.\d+: PERF_RECORD_LOST(?:_SAMPLES)? lost (\d+)/;
const OTHER_RECORD = /: PERF_RECORD_\w+/;
/** A line of a call chain: address, symbol, module; -F leaves the last ones out. */
const CHAIN = /^\s+[\da-f]{8,16}(?: .*)?$/;
/** What stands behind the address, where the symbol is one word. */
const CHAIN_TEXT = /^(?: [\w.$<>@~[\]]+(?:\+0x[\da-f]+)?(?: \([^\s()]*\))?)?$/;

/** The head of a record, read in place. */
class PerfHead extends RecordHead {
  #task = '';

  override setTask(out: TraceBuilder): void {
    if (this.#task !== '') out.setTaskText(this.#task);
  }

  override normal(buf: Uint8Array, start: number, end: number): boolean {
    const m = HEAD.exec(textOf(buf, start, Math.min(end, start + REACH)));
    if (m === null) return false;
    const { comm, pid, tid, cpu, time } = m.groups!;
    const [whole, fraction] = time!.split('.') as [string, string];
    // Records of ftrace name a task like this, so that a thread has the same name in both.
    this.#task = pid === undefined ? '' : `${comm ?? ''}-${tid ?? pid}`;
    this.cpu = Number(cpu);
    this.seconds = Number(whole);
    this.digits = fraction.length;
    this.nano = Number(fraction) * (this.digits === 6 ? 1000 : 1);
    this.payload = start + m[0].length;
    return true;
  }

  override latency(): boolean {
    return false;
  }

  override bare(): boolean {
    return false;
  }

  override glued(): boolean {
    return false;
  }
}

/** Lines of `perf script --header` (tools/perf/util/header.c, perf_header__fprintf_info and the features that print one value). */
const HEADER =
  /^# (?:captured on|header version|data offset|data size|feat offset|hostname|os release|perf version|arch|nrcpus online|nrcpus avail|cpudesc|cpuid|total memory|cmdline) *: /;

/** Whether a line may begin a record: digits in brackets, a time, and a name of two parts. */
function native(buf: Uint8Array, start: number): boolean {
  // Lines of call chains begin with one.
  if (buf[start] === TAB) return false;
  const stop = start + REACH;
  let at = start;
  while (at < stop && !(buf[at] === 91 && isDigit(buf[at + 1]))) at++;
  while (at < stop && buf[at] !== COLON) at++;
  if (at >= stop || !isDigit(buf[at - 1]) || buf[at + 1] !== SPACE) return false;
  at++;
  while (buf[at] === SPACE) at++;
  while (isNameByte(buf[at]!) || buf[at] === 45) at++;
  return buf[at] === COLON || buf[at] === SPACE;
}

/** What a line between records says. */
function note(line: string): Loss | string | undefined {
  const lost = LOST.exec(line);
  if (lost) return { cpu: Number(lost[1]), count: lost[2] };
  if (OTHER_RECORD.test(line)) return 'record of perf';
  if (HEADER.test(line)) return 'header';
  return CHAIN.test(line) ? 'stack trace' : undefined;
}

/** A line of a call chain, told from its bytes. */
function beside(buf: Uint8Array, start: number, end: number): string | undefined {
  let at = start;
  while (at < end && (buf[at] === TAB || buf[at] === SPACE)) at++;
  const address = at;
  while (at < end && hexDigit(buf[at]) >= 0) at++;
  const digits = at - address;
  if (address === start || digits < 8 || digits > 16) return undefined;
  return CHAIN_TEXT.test(textOf(buf, at, end)) ? 'stack trace' : undefined;
}

const PERF: Dialect = { format: 'perf-script', head: () => new PerfHead(), native, note, beside };

/** Reads what perf script prints. */
export class PerfImporter extends FtraceImporter {
  constructor(out: TraceBuilder) {
    super(out, PERF);
  }
}

export { native as isPerfRecord };
