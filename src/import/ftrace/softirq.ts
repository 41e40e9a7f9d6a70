/** Softirqs: include/trace/events/irq.h since 2.6.31. What a record cannot tell: for which interrupt a softirq was raised; its place on the CPU does. */
import type { EventKind } from '../../model/event.ts';
import { softirqEntry, softirqExit, softirqRaise } from '../../model/events/cpu.ts';
import { type Ftrace, type FtraceRule, rule } from './context.ts';

/** The softirqs by their number (include/linux/interrupt.h): the fields of a record tell the number alone. */
const NAMES = ['HI', 'TIMER', 'NET_TX', 'NET_RX', 'BLOCK', 'IRQ_POLL', 'TASKLET', 'SCHED', 'HRTIMER', 'RCU'];
/** A name that the kernel prints (show_softirq_name). */
const NAME = /^[A-Z][A-Z_]{1,15}$/;

function softirq(name: string, kind: EventKind): FtraceRule {
  return rule(
    name,
    ['vec={vec:u} [action={action:s}]', 'vec={vec:u}'] as const,
    (f: Ftrace, c, s) => {
      const told = c.got[s.action] === 1 ? f.text(s.action) : '';
      const vector = NAME.test(told) ? told : NAMES[c.lo[s.vec]!];
      // Without its CPU a record tells of no softirq: each CPU has its own.
      if (vector === undefined || f.out.cpu < 0) return false;
      f.emit(kind.written, f.object(`cpu/${f.out.cpu}/softirq/${vector}`));
      return undefined;
    },
    {},
    (c, s) => c.got[s.vec] === 1,
  );
}

export const softirqRules: readonly FtraceRule[] = [
  softirq('softirq_raise', softirqRaise),
  softirq('softirq_entry', softirqEntry),
  softirq('softirq_exit', softirqExit),
];
