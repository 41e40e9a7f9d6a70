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
  none: number;
  first: Step;
  told: boolean;
}

/** Handlers that find nothing, now and then, are a race with a poll; so many are more than that. */
const MANY = 3;

/** F81. */
export const messageIsForHandler: Rule<'F81'> = {
  id: 'F81',
  names: [],
  title: 'Message signalled interrupt that its handler did not expect',
  meaning:
    'The handler of an edge-triggered message finds something to do, but for a single interrupt behind a move of the vector.',
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
          one = { entry: step, sinceMove: 1, none: 0, first: step, told: false };
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
          if (handled || one.sinceMove <= 1) return;
          if (one.none++ === 0) one.first = one.entry;
          if (one.none < MANY || one.told) return;
          one.told = true;
          const name = irqName(world, object, state.text(object, irq.at.name));
          report({
            step,
            object,
            title: `${name}: ${one.none} messages found its handler with nothing to do`,
            text: `The handler of ${name}, a message signalled interrupt, returned IRQ_NONE ${one.none} times in this trace, none of them right behind a move of its vector: a late or torn message, or a poll that was faster.`,
            evidence: [one.first],
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
