/** What trace_printk() wrote: kernel/trace/trace_output.c trace_print_print, and how trace-cmd prints the same records. */
import { textOf } from '../../base/bytes.ts';
import { mark } from '../../model/events/notes.ts';
import type { Ftrace } from './context.ts';

/**
 * The place of the call, as seq_print_ip_sym prints it, in the forms that no name of an event has: with the offset (option sym-offset),
 * with the address (option sym-addr), a symbol of the compiler with a dot in it, an address without a symbol, no address (0). A plain
 * symbol looks like the name of an event: such a record counts as an unknown event.
 */
const PRINTED =
  /^(?:[\w.$]+(?:\+0x[0-9a-f]+\/0x[0-9a-f]+(?: \[[\w-]+\])?(?: <[0-9a-f]{8,16}>)?| (?:\[[\w-]+\] )?<[0-9a-f]{8,16}>)|[a-z_][\w$]*\.[\w.$]+|0x[0-9a-f]{8,16}|0): /i;

/** Whether bytes `start` to `end` are what trace_printk() wrote, behind the time of a record. */
export function isPrintk(buf: Uint8Array, start: number, end: number): boolean {
  return PRINTED.test(textOf(buf, start, Math.min(end, start + 300)));
}

/** Makes a mark of a text that was written into the trace. */
export function takeMark(f: Ftrace, start: number, end: number): void {
  f.emit(mark.put().text(f.out.world.strings.internBytes(f.buf, start, end)), f.object('marker'));
}
