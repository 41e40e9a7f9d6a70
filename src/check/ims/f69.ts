import type { ObjectId } from '../../base/ids.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { ntbPublish } from '../../model/events/queue.ts';
import { vecFreeMoved } from '../../model/events/vector.ts';
import { irq } from '../../model/things/irq.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import { numbered } from '../remap/names.ts';
import type { Rule } from '../rule.ts';

/** F69. */
export const republishes: Rule<'F69'> = {
  id: 'F69',
  names: ['INV-PUB'],
  title: 'Peer holds a message that was changed',
  meaning:
    'When the message of an exported interrupt changes, the peer that holds a copy is told before the old vector is freed.',
  severity: 'error',
  reference: 'drivers/ntb/msi.c ntb_msi_write_msg (write_msi_msg of the descriptor)',
  kinds: [ntbPublish, msgWrite, vecFreeMoved],
  needs: [[ntbPublish]],
  needsAll: false,
  confirm: 'a kprobe on ntb_msi_write_msg beside __pci_write_msi_msg of the irq',
  watch(report, scene) {
    /** Copies of peers, by the irq that they are of. */
    const copies = new Map<ObjectId, ObjectId[]>();
    /** The message of each irq when it was published last. */
    const told = new Map<ObjectId, string>();
    /** The message of each irq now. */
    const last = new Map<ObjectId, string>();
    /** Irqs whose message changed since it was published. */
    const changed = new LastEvents();
    const published = new LastEvents();
    const now = new Now();
    let judged = 0;
    const tell = (step: number, copy: ObjectId, of: ObjectId, what: string): void => {
      const ago = before(scene, changed.ago(of, now.last), changed.step(of), step);
      const since = changed.step(of);
      changed.forget(of);
      const name = numbered('irq', scene.world, of);
      report({
        step,
        object: copy,
        title: `A peer still holds the old message of ${name}`,
        text: `The message of ${name} was changed${ago === '' ? '' : ` ${ago}`}, and the peer that holds a copy of it was not told: ${what}. What the peer raises goes to a vector that is free, or belongs to another irq by now.`,
        evidence: steps(published.step(copy), since),
        absent: { since: since ?? step, kinds: [ntbPublish] },
      });
    };
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        const time = now.at(happened);
        if (kind === ntbPublish) {
          const { virq, ret } = ntbPublish.read(words, at);
          if (ret !== undefined && ret !== 0) return;
          const of = state.here.byNumbers(irq, virq, 0, (n) => `irq/${n}`);
          const list = copies.get(of) ?? [];
          if (!list.includes(object)) copies.set(of, [...list, object]);
          published.note(object, step, time);
          const I = irq.at;
          told.set(of, `${state.num(of, I.address + 1)} ${state.num(of, I.address)} ${state.num(of, I.data)}`);
          changed.forget(of);
          judged++;
        } else if (kind === msgWrite) {
          if (!copies.has(object)) return;
          const { address, data } = msgWrite.read(words, at);
          if (address(0) === 0 && address(1) === 0) return;
          judged++;
          const message = `${address(1)} ${address(0)} ${data}`;
          if (last.get(object) === message) return;
          last.set(object, message);
          const [copy] = copies.get(object)!;
          if (changed.has(object) && copy !== undefined) tell(step, copy, object, 'it was changed once more');
          if (told.get(object) === message) changed.forget(object);
          else changed.note(object, step, time);
        } else if (kind === vecFreeMoved) {
          const [copy] = copies.get(object) ?? [];
          if (copy !== undefined && changed.has(object)) tell(step, copy, object, 'its old vector was freed');
        }
      },
      lost: () => changed.clear(),
      end() {
        for (const of of [...changed.objects()]) {
          const [copy] = copies.get(of) ?? [];
          if (copy !== undefined) tell(changed.step(of)!, copy, of, 'up to the end of the trace');
        }
      },
      get judged() {
        return judged;
      },
    };
  },
};
