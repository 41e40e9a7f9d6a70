import type { ObjectId, Step } from '../../base/ids.ts';
import { devRaise, devWithdraw, msgSend } from '../../model/events/msix.ts';
import { dropped } from '../../model/events/outcome.ts';
import { smmuFault } from '../../model/events/smmu.ts';
import { effectivelyMasked, maskedBy } from '../../model/masking.ts';
import type { State } from '../../model/state.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { Now, steps } from '../history.ts';
import { tableKinds } from '../kinds.ts';
import { LastWrites } from '../last-writes.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** A wait that a user notices, ns. Masks of a few microseconds belong to every move and every threaded handler. */
const NOTICED = 10_000_000;

/** A cause that waits behind a mask. */
interface Waiting {
  readonly step: Step;
  readonly time: number;
  /** What masks it, and the accesses that show that. */
  readonly by: string;
  readonly evidence: readonly Step[];
  causes: number;
  /** The event that cleared the mask, once it came. */
  unmasked: Step | undefined;
}

/** What masks an entry, in the words of the specification and in the tense of a report about what was; empty when nothing does, or MSI-X is off. */
function maskOf(state: State, entry: ObjectId): string {
  const by = maskedBy(state, entry);
  return by === 'function' ? 'Function Mask of the function was set' : by === 'own' ? 'its mask bit was set' : '';
}

/** R12. */
export const waitsBehindMask: Rule<'R12'> = {
  id: 'R12',
  names: [],
  title: 'Interrupt waited behind a mask',
  meaning: 'A cause of a masked entry waits as its pending bit and is sent at the unmask: it is late, not lost.',
  severity: 'info',
  reference: 'PCIe 6.1.4.5, 7.7.2',
  kinds: [devRaise, devWithdraw, msgSend, dropped, smmuFault, ...tableKinds],
  needs: [[devRaise]],
  needsAll: false,
  needsTime: true,
  confirm:
    'who masked the entry or the function, and why for so long (kprobes on pci_irq_mask_msix and pci_irq_unmask_msix)',
  watch(report, scene) {
    const waiting = new Map<ObjectId, Waiting>();
    const writes = new LastWrites();
    const now = new Now();
    let judged = 0;
    const tell = (entry: ObjectId, wait: Waiting, time: number, sent: Step | undefined, until: Step): void => {
      const name = entryName(scene.world, entry);
      const span = scene.span(time - wait.time, wait.step, until);
      const causes = wait.causes === 1 ? 'A cause' : `${wait.causes} causes`;
      report({
        step: wait.step,
        object: entry,
        ...(sent === undefined ? { severity: 'warning', absent: { since: wait.step, kinds: tableKinds } } : {}),
        title:
          sent === undefined
            ? `${name} was raised while masked and never unmasked: its interrupt is still pending`
            : `${name} was raised while masked: its interrupt came ${span} later, at the unmask`,
        text: `${causes} of ${name} arose while ${wait.by}. ${
          sent === undefined
            ? `The trace ends ${span} later, and no unmask came: the interrupt is pending, not lost.`
            : `${wait.causes === 1 ? 'It' : 'They'} waited as the pending bit for ${span}; the mask was cleared at step ${wait.unmasked ?? sent} and the message went out: nothing was lost.`
        }`,
        evidence: steps(...wait.evidence, wait.unmasked, sent),
      });
    };
    const unmask = (step: Step, entry: ObjectId, state: State): void => {
      const wait = waiting.get(entry);
      if (wait === undefined || maskOf(state, entry) !== '') return;
      if (effectivelyMasked(state, entry) === false) wait.unmasked ??= step;
      else waiting.delete(entry);
    };
    return {
      event(step, happened, state) {
        const { kind, object } = happened;
        const time = now.at(happened);
        const type = state.world.type(object);
        if (kind === devRaise) {
          if (type !== msixEntry) return;
          judged++;
          const wait = waiting.get(object);
          if (wait !== undefined) {
            wait.causes++;
            return;
          }
          const by = maskOf(state, object);
          if (by === '' || !writes.trusts(state, object)) return;
          const evidence = writes.evidence(state, object);
          waiting.set(object, { step, time, by, evidence, causes: 1, unmasked: undefined });
        } else if (kind === msgSend) {
          const wait = waiting.get(object);
          if (wait === undefined) return;
          waiting.delete(object);
          if (wait.unmasked !== undefined && time - wait.time >= NOTICED) tell(object, wait, time, step, step);
        } else if (kind === devWithdraw) waiting.delete(object);
        else if (kind === dropped || kind === smmuFault) {
          // Other rules tell the fate of the message.
          for (const [entry, wait] of waiting) if (wait.unmasked !== undefined) waiting.delete(entry);
        } else {
          writes.note(step, happened);
          if (waiting.size === 0) return;
          if (type === msixEntry) unmask(step, object, state);
          else for (const entry of waiting.keys()) unmask(step, entry, state);
        }
      },
      lost() {
        waiting.clear();
        writes.lose();
      },
      end(last) {
        for (const [entry, wait] of waiting)
          if (wait.unmasked === undefined && now.last - wait.time >= NOTICED)
            tell(entry, wait, now.last, undefined, last);
      },
      get judged() {
        return judged;
      },
    };
  },
};
