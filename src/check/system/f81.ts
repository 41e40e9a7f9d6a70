import type { ObjectId, Step } from '../../base/ids.ts';
import { irqEntry, irqExit, msgWrite } from '../../model/events/irq.ts';
import { vecFreeMoved, vecUpdate } from '../../model/events/vector.ts';
import { irq } from '../../model/things/irq.ts';
import { irqName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** What is known of an irq whose handlers run. */
interface Seen {
  /** The last entry of a handler. */
  entry: Step;
  /** Handler runs since the last change of its vector or message. */
  sinceMove: number;
  /** Handler runs that returned, those that found nothing, the entry of the first of these and the exit of the one that made them many. */
  runs: number;
  none: number;
  first: Step;
  many: Step;
}

/** Handlers that find nothing, now and then, are a race with a poll; so many, in so large a share of the runs, are more than that. */
const MANY = 3;
const SHARE = 0.1;

/** F81. */
export const messageIsForHandler: Rule<'F81'> = {
  id: 'F81',
  names: [],
  title: 'Message signalled interrupt that its handler did not expect',
  meaning:
    'The handler of an edge-triggered message finds something to do, but for a single interrupt behind a move of the vector and a tenth of the others.',
  severity: 'info',
  reference: 'kernel/irq/spurious.c; Documentation of msi_set_affinity (spurious interrupts are harmless)',
  kinds: [irqEntry, irqExit, msgWrite, vecUpdate, vecFreeMoved],
  needs: [[irqExit]],
  needsAll: false,
  confirm: '/proc/irq/N/spurious, and the messages of the device around it (kprobe __pci_write_msi_msg)',
  watch(report, { world }) {
    const seen = new Map<ObjectId, Seen>();
    let judged = 0;
    return {
      event(step, { kind, object, words, at }, state) {
        let one = seen.get(object);
        if (one === undefined) {
          if (kind !== irqEntry) return;
          one = { entry: step, sinceMove: 1, runs: 0, none: 0, first: step, many: -1 };
          seen.set(object, one);
        }
        if (kind === irqEntry) {
          one.entry = step;
          one.sinceMove++;
        } else if (kind !== irqExit) one.sinceMove = 0;
        else {
          const handled = irqExit.read(words, at).handled;
          // A message belongs to one function, so only its own driver is asked. A line can be shared.
          if (!isMessage(state.num(object, irq.at.device), state.get(object, irq.at.messageWrites))) return;
          if (state.text(object, irq.at.name).includes(', ')) return;
          judged++;
          one.runs++;
          if (handled || one.sinceMove <= 1) return;
          if (one.none++ === 0) one.first = one.entry;
          if (one.none === MANY) one.many = step;
        }
      },
      end(_, state) {
        for (const [object, { runs, none, first, many }] of seen) {
          if (none < MANY || none <= SHARE * runs) continue;
          const name = irqName(world, object, state.text(object, irq.at.name));
          report({
            step: many,
            object,
            title: `${name}: ${none} of ${runs} messages found its handler with nothing to do`,
            text: `The handler of ${name}, a message signalled interrupt, ran ${runs} times in this trace and returned IRQ_NONE ${none} times, none of them right behind a move of its vector: a late or torn message, or a poll that was faster.`,
            evidence: [first],
          });
        }
      },
      lost() {
        for (const one of seen.values()) one.sinceMove = 0;
      },
      get judged() {
        return judged;
      },
    };
  },
};

/** Whether an irq is message signalled: the trace shows its function, or a message that the kernel wrote for it. */
const isMessage = (device: number, writes: number): boolean => device >= 0 || writes > 0;
