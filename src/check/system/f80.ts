import type { Step, TextId } from '../../base/ids.ts';
import { irqEntry, irqExit } from '../../model/events/irq.ts';
import { mark, message } from '../../model/events/notes.ts';
import { irq } from '../../model/things/irq.ts';
import { irqName, textOf } from '../names.ts';
import type { Rule } from '../rule.ts';

/** Interrupts in a row that nobody handled: a hundredth of those of note_interrupt. */
const NONE_IN_ROW = 1000;
/** Handled interrupts of which the rate is taken, and the most of them that a CPU has to serve in a second. */
const RUN = 1000;
const RATE = 100_000;
/** After a tenth of a second without one that nobody handled, note_interrupt counts them again from 0. */
const FORGOTTEN = 100_000_000;
/** What the kernel says when it counted too many, and when it switches the irq off then (__report_bad_irq, note_interrupt). */
const NOBODY = /\birq (\d+): nobody cared\b|\bDisabling IRQ #(\d+)/;
/** Largest number of CPUs, for keys. */
const CPUS = 0x10000;

/** The interrupts of one irq on one CPU. Each runs the handlers of all actions of the irq and counts once. */
interface Count {
  /** Actions whose handlers ran for the last interrupt. */
  readonly actions: Set<TextId>;
  /** The next handler run is that of another interrupt. */
  next: boolean;
  /** The last interrupt was handled. */
  handled: boolean;
  /** Those since the rate was last taken, and the first of them. */
  runs: number;
  first: Step;
  since: number;
  /** Those in a row that returned IRQ_NONE, and the first of them. */
  none: number;
  firstNone: Step;
  noneSince: number;
  /** Time of the last of them. */
  noneLast: number;
  fast: boolean;
}

/** F80. */
export const noStorm: Rule<'F80'> = {
  id: 'F80',
  names: ['INV-STORM'],
  title: 'Interrupt storm',
  meaning:
    'An irq does not fire faster than it can be served, and its handlers do not return IRQ_NONE nearly always; the kernel switches such an irq off ("nobody cared").',
  severity: 'warning',
  reference: 'kernel/irq/spurious.c note_interrupt: 99 900 of 100 000 unhandled',
  kinds: [irqEntry, irqExit],
  needs: [[irqExit]],
  alone: [message, mark],
  needsAll: false,
  needsTime: true,
  confirm: 'the kernel log ("irq N: nobody cared") and /proc/irq/N/spurious',
  watch(report, scene) {
    const { world } = scene;
    const counts = new Map<number, Count>();
    /** Irqs of which the kernel said that nobody cared: that it disables them comes next. */
    const told = new Set<string>();
    let judged = 0;
    const start = (step: Step, time: number): Count => ({
      actions: new Set(),
      next: true,
      handled: false,
      runs: 0,
      first: step,
      since: time,
      none: 0,
      firstNone: step,
      noneSince: time,
      noneLast: time,
      fast: false,
    });
    return {
      event(step, happened, state) {
        const { kind, object, cpu, time, words, at } = happened;
        if (kind === message || kind === mark) {
          const text = textOf(world, happened);
          const said = NOBODY.exec(text);
          const number = said?.[1] ?? said?.[2];
          if (number === undefined) return;
          judged++;
          if (said![1] !== undefined) told.add(number);
          else if (told.delete(number)) return;
          const own = state.here.objectAt(`irq/${number}`);
          const name = own >= 0 ? irqName(world, own, state.text(own, irq.at.name)) : `irq ${number}`;
          report({
            step,
            object: own >= 0 ? own : object,
            title: `${name}: nobody cared, the kernel switches it off`,
            text: `The kernel says: ${text.trim()}. Of 100 000 interrupts more than 99 900 found no handler that served them; the irq is off from now on, and its devices get no interrupts unless the kernel polls.`,
            evidence: [],
          });
          return;
        }
        const key = object * CPUS + cpu + 1;
        let count = counts.get(key);
        if (count === undefined) counts.set(key, (count = start(step, time)));
        if (kind === irqEntry) {
          const { name } = irqEntry.read(words, at);
          count.next = count.actions.size === 0 || count.actions.has(name);
          if (count.next) count.actions.clear();
          count.actions.add(name);
          return;
        }
        judged++;
        const { handled } = irqExit.read(words, at);
        const first = count.next;
        count.next = true;
        // Another action of the same interrupt: it counts only where it is the first one that handled it.
        if (!first && (count.handled || !handled)) return;
        count.handled = handled;
        if (handled) count.none = 0;
        else {
          if (time - count.noneLast > FORGOTTEN) count.none = 0;
          count.noneLast = time;
          if (count.none++ === 0) {
            count.firstNone = step;
            count.noneSince = time;
          }
          if (count.none === NONE_IN_ROW) {
            const name = irqName(world, object, state.text(object, irq.at.name));
            const span = scene.span(time - count.noneSince, count.firstNone, step);
            report({
              step,
              object,
              title: `${name}: ${count.none} interrupts in a row in ${span} found nothing to do`,
              text: `The handlers of ${name} returned IRQ_NONE for ${count.none} interrupts in a row within ${span}: the interrupt is asserted and nobody serves its cause. The kernel switches an irq off when 99 900 of 100 000 interrupts are like that.`,
              evidence: [count.firstNone],
            });
          }
        }
        if (count.none > 0) return;
        if (count.runs++ === 0) {
          count.first = step;
          count.since = time;
        }
        if (count.runs < RUN) return;
        const span = time - count.since;
        const fast = count.runs * 1e9 > RATE * span && span > 0;
        if (fast && !count.fast) {
          const name = irqName(world, object, state.text(object, irq.at.name));
          report({
            step,
            object,
            title: `${name} fired ${count.runs} times in ${scene.span(span, count.first, step)}`,
            text: `The handlers of ${name} ran ${count.runs} times within ${scene.span(span, count.first, step)}: a CPU does little else at this rate.`,
            evidence: [count.first],
          });
        }
        count.fast = fast;
        count.runs = 0;
      },
      lost() {
        counts.clear();
        told.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
