import type { ObjectId, Step } from '../../base/ids.ts';
import { irqExit } from '../../model/events/irq.ts';
import { irq } from '../../model/things/irq.ts';
import { irqName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** Handler runs in a row that nobody handled: a hundredth of those of note_interrupt. */
const NONE_IN_ROW = 1000;
/** Handled runs of which the rate is taken, and the most of them that an irq has to serve in a second. */
const RUN = 1000;
const RATE = 100_000;

/** The handler runs of one irq. */
interface Count {
  /** Those since the rate was last taken, and the first of them. */
  runs: number;
  first: Step;
  since: number;
  /** Those in a row that returned IRQ_NONE, and the first of them. */
  none: number;
  firstNone: Step;
  noneSince: number;
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
  kinds: [irqExit],
  needs: [[irqExit]],
  needsAll: false,
  needsTime: true,
  confirm: 'the kernel log ("irq N: nobody cared") and /proc/irq/N/spurious',
  watch(report, scene) {
    const { world } = scene;
    const counts = new Map<ObjectId, Count>();
    let judged = 0;
    const start = (step: Step, time: number): Count => ({
      runs: 0,
      first: step,
      since: time,
      none: 0,
      firstNone: step,
      noneSince: time,
      fast: false,
    });
    return {
      event(step, { object, time, words, at }, state) {
        judged++;
        let count = counts.get(object);
        if (count === undefined) counts.set(object, (count = start(step, time)));
        if (irqExit.read(words, at).handled) count.none = 0;
        else {
          if (count.none++ === 0) {
            count.firstNone = step;
            count.noneSince = time;
          }
          if (count.none === NONE_IN_ROW) {
            const name = irqName(world, object, state.text(object, irq.at.name));
            const span = scene.span(time - count.noneSince);
            report({
              step,
              object,
              title: `${name}: ${count.none} handler runs in a row in ${span} found nothing to do`,
              text: `The handlers of ${name} returned IRQ_NONE ${count.none} times in a row within ${span}: the interrupt is asserted and nobody serves its cause. The kernel switches an irq off when 99 900 of 100 000 runs are like that.`,
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
            title: `${name} fired ${count.runs} times in ${scene.span(span)}`,
            text: `The handlers of ${name} ran ${count.runs} times within ${scene.span(span)}: a CPU does little else at this rate.`,
            evidence: [count.first],
          });
        }
        count.fast = fast;
        count.runs = 0;
      },
      lost: () => counts.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
