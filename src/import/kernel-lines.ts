/**
 * Lines of a kernel log that tell of an interrupt: in the trace itself (printk:console), or between its records, as console output or as
 * excerpts in a mail. The messages are those of a kernel log that stands alone (dmesg/); what refuses nothing is left out here.
 */
import { BRACKET_OPEN, COLON, LESS, textOf } from '../base/bytes.ts';
import { hasHead, headOf } from './dmesg/head.ts';
import { KernelLog } from './dmesg/log.ts';
import { messageIn, takeMessage } from './dmesg/messages.ts';
import { keepLogLine } from './log-lines.ts';
import type { RuleContext } from './rules.ts';

/** Bytes of a line that are looked at. */
const MOST = 400;

const logs = new WeakMap<RuleContext, KernelLog>();

/**
 * Takes a line that may be one of a kernel log; false when it tells of no interrupt. `stands`: it is one for certain (printk:console); else only
 * what no prose says is taken, and other lines only with the stamp of a log.
 */
export function kernelLine(c: RuleContext, start: number, end: number, stands: boolean): boolean {
  // Most other lines have neither.
  const stamp = c.buf[start] === BRACKET_OPEN || c.buf[start] === LESS;
  if (!stands && !stamp && c.buf.subarray(start, Math.min(end, start + MOST)).indexOf(COLON) < 0) return false;
  const text = textOf(c.buf, start, Math.min(end, start + MOST));
  const head = headOf(text);
  const plain = text.slice(head.at);
  const taken = stands ? keepLogLine(c.out, plain) : undefined;
  let log = logs.get(c);
  if (log === undefined) logs.set(c, (log = new KernelLog(c, false)));
  const found = messageIn(log, plain, stands || hasHead(head) ? 'refusals' : 'faults');
  if (found === undefined) return false;
  takeMessage(log, found, plain, text);
  taken?.();
  return true;
}
