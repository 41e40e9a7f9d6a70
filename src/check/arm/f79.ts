import { mark, message } from '../../model/events/notes.ts';
import { textOf } from '../names.ts';
import type { Rule } from '../rule.ts';

/** What the ITS driver (drivers/irqchip/irq-gic-v3-its.c) says when the ITS does not take its commands. */
const NOT_DRAINED = /ITS queue (?:timeout|not draining)|ITS cmd \w+ failed/;

/** The driver waited in vain; then it names the command that failed. */
const WAITED = /ITS queue timeout/;
const NAMED = /ITS cmd \w+ failed/;

/** F79. */
export const drainsCommands: Rule<'F79'> = {
  id: 'F79',
  names: [],
  title: 'ITS does not take its commands',
  meaning: 'The ITS takes the commands out of its queue: GITS_CREADR follows GITS_CWRITER within a second.',
  severity: 'error',
  reference: 'irq-gic-v3-its.c its_wait_for_range_completion, its_allocate_entry',
  kinds: [message, mark],
  needs: [[message, mark]],
  needsAll: false,
  confirm:
    'GITS_CREADR and GITS_CWRITER at that moment, and the commands behind the one at which it stalls (trace event printk:console beside the log)',
  watch(report, { world }) {
    /** The last such line was that the driver waited in vain. */
    let waited = false;
    let judged = 0;
    return {
      event(step, happened) {
        const text = textOf(world, happened);
        if (!NOT_DRAINED.test(text)) return;
        judged++;
        const same = waited && NAMED.test(text);
        waited = WAITED.test(text);
        if (same) return;
        report({
          step,
          object: happened.object,
          title: 'The ITS stopped taking commands',
          text: `The kernel says: ${text.trim()}. Mappings and invalidations behind the command at which the ITS stalled take no effect; interrupts that need them are lost.`,
          evidence: [],
        });
      },
      lost() {
        waited = false;
      },
      get judged() {
        return judged;
      },
    };
  },
};
