/** A kernel log without stamps (printk.time=0, dmesg -t, journalctl -o cat): told from its lines as a whole. And messages of one in a text of people. */

import { TraceBuilder } from '../../trace/builder.ts';
import { RuleContext } from '../rules.ts';
import { KernelLog } from './log.ts';
import { messageIn } from './messages.ts';

/** So many lines are looked at. */
const MOST_LINES = 2000;
const FIRST = /^(?:<\d>)?(?:Linux version \d+\.\d+|Booting Linux on physical CPU)/;
/** A subsystem, a driver or a device in front of a colon, as most lines of the kernel have it; a line of a backtrace; a row of a table. */
const KERNEL_LINE =
  /^(?:[\w.()/\-+#]+(?: [\w.:@()/\-+#]+){0,3}: \S|Call [Tt]race:|handlers:|\[<[\da-f]+>\]|(?: |\? )*[\w.]+\+0x[\da-f]+\/0x|CPU: ?\d+ |<\/?\w+>|\w+: [\da-f]{4,})/;

/** Who prints a message: subsystems, drivers and devices, each with a colon; and a bracket, in which some messages stand. */
const SPEAKERS = /^(?:[\w.()/#+-]+(?: [\w.()/#+-]+)?: ?)*\[*$/;
/** Marks of quoting. */
const QUOTED = /^[>|\s]+/;

/** Lines of a kernel log without stamps: all of a text, or single messages in it. */
export type Bare = 'log' | 'messages';

/** Whether a line is, from its beginning, a refusal or a fault as the kernel words it. */
export function isMessage(log: KernelLog, line: string): boolean {
  const index = messageIn(log, line, 'refusals')?.captures.index;
  return index !== undefined && SPEAKERS.test(line.slice(0, index));
}

/**
 * What a text without stamps has of a kernel log. It is one when it begins like one, or when nearly all of its lines are like those of one
 * and one of them tells of an interrupt.
 */
export function bareLog(head: string): Bare | undefined {
  const lines = head.split(/\r?\n/, MOST_LINES).filter((line) => line.trim() !== '');
  if (lines.slice(0, 5).some((line) => FIRST.test(line))) return 'log';
  const log = new KernelLog(new RuleContext(new TraceBuilder('')), false);
  let [like, told] = [0, 0];
  for (const line of lines) {
    const found = messageIn(log, line, 'refusals');
    // In prose such words stand somewhere behind others.
    if (found !== undefined && found.captures.index === 0) told++;
    else if (KERNEL_LINE.test(line)) like++;
  }
  if (told > 0 && (told + like) * 10 >= lines.length * 9) return 'log';
  return lines.some((line) => isMessage(log, line.replace(QUOTED, ''))) ? 'messages' : undefined;
}
