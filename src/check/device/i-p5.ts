import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { devRaise, msgSend } from '../../model/events/msix.ts';
import { message } from '../../model/events/notes.ts';
import { dropped, merged, untold } from '../../model/events/outcome.ts';
import { smmuFault } from '../../model/events/smmu.ts';
import { effectivelyMasked, functionOf, mayWrite } from '../../model/masking.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { arrivalKinds, arrived } from '../../query/arrivals.ts';
import { injectionKinds, tableKinds } from '../kinds.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';
import { addressOf, messageText, shared } from './entries.ts';

/** Time in which a message must be on the bus after its cause, ns. */
const DUE = 1_000_000;

const INJECTIONS: ReadonlySet<EventKind> = new Set(injectionKinds);
const ARRIVALS: ReadonlySet<EventKind> = new Set(arrivalKinds);

/** I-P5. */
export const causeMakesMessage: Rule<'I-P5'> = {
  id: 'I-P5',
  names: [],
  title: 'Cause without message',
  meaning:
    'A cause of an entry that nothing masks makes a message within a millisecond; causes that arise before it may share it.',
  reference: 'PCIe 6.1.4.5',
  severity: 'error',
  kinds: [devRaise, msgSend, dropped, merged, untold, message, smmuFault, ...injectionKinds, ...tableKinds],
  beside: arrivalKinds,
  needs: [[devRaise], [msgSend]],
  needsAll: false,
  needsTime: true,
  confirm:
    'the messages on the bus (QEMU: memory_region_ops_write of the doorbell), and what the device model does between cause and message',
  watch(report, scene) {
    /** Entries whose cause has no message yet: step and time of the cause. */
    const due = new Map<ObjectId, { readonly step: Step; readonly time: number }>();
    const shown = new Set<ObjectId>();
    let late = Number.POSITIVE_INFINITY;
    let judged = 0;
    const tell = (entry: ObjectId, step: Step, waited: number): void => {
      const since = due.get(entry)!;
      due.delete(entry);
      judged++;
      const name = entryName(scene.world, entry);
      report({
        step: since.step,
        object: entry,
        title: `${name} had a cause and sent no message although nothing masks it`,
        text: `MSI-X is on and neither the function nor ${name} is masked, and a cause arose; within ${scene.span(waited, since.step, step)} came neither its message nor a word why not.`,
        evidence: step === since.step ? [] : [step],
        absent: { since: since.step, kinds: [msgSend] },
        lost: true,
      });
    };
    const overdue = (step: Step, time: number): void => {
      late = Number.POSITIVE_INFINITY;
      for (const [entry, since] of due)
        if (time - since.time > DUE) tell(entry, step, time - since.time);
        else late = Math.min(late, since.time + DUE);
    };
    return {
      event(step, happened, state) {
        const { kind, object, time } = happened;
        if (time > late) overdue(step, time);
        const type = state.world.type(object);
        if (kind === devRaise) {
          if (type !== msixEntry || effectivelyMasked(state, object) !== false) return;
          const fn = functionOf(state, object);
          const known = messageText(state, object) !== undefined && addressOf(state, object) !== 0;
          if (!known || mayWrite(state, fn) === false) return;
          if (!scene.complete && (!shown.has(fn) || shared(state, object))) return;
          const strict = scene.complete && shown.has(fn);
          if (due.has(object)) {
            if (strict) tell(object, step, time - due.get(object)!.time);
            else return;
          }
          due.set(object, { step, time });
          late = Math.min(late, time + DUE);
        } else if (kind === msgSend) {
          if (type !== msixEntry) due.clear();
          else {
            if (due.delete(object)) judged++;
            shown.add(functionOf(state, object));
          }
        } else if (kind === message || kind === smmuFault) due.clear();
        else if (due.size === 0) return;
        else if (ARRIVALS.has(kind)) {
          for (const entry of due.keys()) if (arrived(state, entry, happened) && due.delete(entry)) judged++;
        } else if (INJECTIONS.has(kind) && kind !== merged) {
          for (const entry of due.keys()) if (!shown.has(functionOf(state, entry)) && due.delete(entry)) judged++;
        } else if (kind === dropped || kind === merged || kind === untold) {
          if (type !== msixEntry) due.clear();
          else if (due.delete(object)) judged++;
        } else if (type === msixEntry) {
          const since = due.get(object);
          if (since === undefined) return;
          if (scene.complete && shown.has(functionOf(state, object))) tell(object, step, time - since.time);
          else if (effectivelyMasked(state, object) !== false) due.delete(object);
        } else
          for (const [entry, since] of due)
            if (effectivelyMasked(state, entry) === false) continue;
            else if (scene.complete && shown.has(functionOf(state, entry))) tell(entry, step, time - since.time);
            else due.delete(entry);
      },
      lost: () => due.clear(),
      end(last) {
        if (scene.complete) for (const entry of due.keys()) tell(entry, last, Number.NaN);
      },
      get judged() {
        return judged;
      },
    };
  },
};
