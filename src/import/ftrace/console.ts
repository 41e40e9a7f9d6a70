/** The log of the kernel in its trace: printk:console of include/trace/events/printk.h prints what went to the console. */
import { kernelLine } from '../kernel-lines.ts';
import { type FtraceRule, rule } from './context.ts';

export const consoleRules: readonly FtraceRule[] = [
  rule('console', '{text:r}', (f, c, s) => kernelLine(f, c.start[s.text]!, c.end[s.text]!, true)),
];
