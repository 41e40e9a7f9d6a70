import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { devRaise, devWithdraw, msgSend, pbaRead } from '../../model/events/msix.ts';
import { dropped, illegal, merged, untold } from '../../model/events/outcome.ts';
import { effectivelyMasked, enabledIn, mayWrite, ownerOf } from '../../model/masking.ts';
import type { State } from '../../model/state.ts';
import { device, msixEntry } from '../../model/things/pci.ts';
import { arrivalKinds, arrived } from '../../query/arrivals.ts';
import { causeKinds, injectionKinds, tableKinds } from '../kinds.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';
import { entriesOf, shared } from './entries.ts';

/** Time in which the message of an unmasked entry must be on the bus, ns, where other events may come in between. */
const DUE = 1_000_000;

/** An entry that owes a message since it was unmasked. */
interface Owed {
  readonly pending: Step;
  readonly pendingTime: number;
  readonly unmasked: Step;
  readonly time: number;
  /** Its function sends messages on the bus, which the trace shows: the next event of the entry must be its message. */
  readonly strict: boolean;
}

const INJECTIONS: ReadonlySet<EventKind> = new Set(injectionKinds);
const ARRIVALS: ReadonlySet<EventKind> = new Set(arrivalKinds);

/** F01. */
export const unmaskSends: Rule<'F01'> = {
  id: 'F01',
  names: ['INV-PEND', 'I-P3'],
  title: 'Interrupt lost between mask and unmask',
  meaning:
    'A cause that arose while its entry was masked is kept as its pending bit; clearing the mask sends exactly one message, before all else of that entry.',
  reference: 'PCIe 6.1.4.5, 7.7.2.9',
  severity: 'error',
  kinds: [...tableKinds, ...causeKinds, ...injectionKinds, dropped, untold, illegal],
  beside: arrivalKinds,
  needs: [[msgSend], [devRaise, pbaRead]],
  needsAll: false,
  needsTime: true,
  confirm: 'the messages on the bus (QEMU: memory_region_ops_write of the doorbell) and the causes of the device model',
  watch(report, scene) {
    /** Entries with their pending bit set, the event that showed it and its time. */
    const pending = new Map<ObjectId, { readonly step: Step; readonly time: number }>();
    const owing = new Map<ObjectId, Owed>();
    /** The entry whose pending bit was taken back by the event before, and that bit. */
    let taken: { readonly entry: ObjectId; readonly step: Step; readonly time: number } | undefined;
    /** Functions whose messages the trace shows. */
    const shown = new Set<ObjectId>();
    /** No owed message is late before this time. */
    let late = Number.POSITIVE_INFINITY;
    let judged = 0;
    const tell = (entry: ObjectId, owed: Owed, came: string, after: Step | undefined): void => {
      owing.delete(entry);
      judged++;
      const name = entryName(scene.world, entry);
      const waited = scene.span(owed.time - owed.pendingTime, owed.pending, owed.unmasked);
      report({
        step: owed.unmasked,
        object: entry,
        title: `${name} was unmasked while pending and sent no message`,
        text: `The pending bit of ${name} was set ${waited} before its mask was cleared. ${came} the message that it owes: the interrupt is lost.`,
        evidence: after === undefined ? [owed.pending] : [owed.pending, after],
        absent: { since: owed.unmasked, kinds: [msgSend] },
        lost: true,
      });
    };
    /** Owed messages that are overdue. */
    const overdue = (step: Step, time: number): void => {
      late = Number.POSITIVE_INFINITY;
      for (const [entry, owed] of owing)
        if (time - owed.time > DUE)
          tell(entry, owed, `Within ${scene.span(time - owed.time, owed.unmasked, step)} came no sign of`, step);
        else late = Math.min(late, owed.time + DUE);
    };
    const owe = (step: Step, time: number, entry: ObjectId, state: State): void => {
      const since = pending.get(entry)!;
      pending.delete(entry);
      if (!scene.complete) {
        const owner = ownerOf(state, entry);
        if (!shown.has(owner) || shared(state, entry) || mayWrite(state, owner) === false) return;
      }
      const strict = scene.complete && shown.has(ownerOf(state, entry));
      owing.set(entry, { pending: since.step, pendingTime: since.time, unmasked: step, time, strict });
      late = Math.min(late, time + DUE);
    };
    const settle = (
      step: Step,
      { kind, time }: { kind: unknown; time: number },
      entry: ObjectId,
      state: State,
    ): void => {
      if (state.flag(entry, msixEntry.at.pending) === true) {
        if (!pending.has(entry)) pending.set(entry, { step, time });
        return;
      }
      if (!pending.has(entry)) return;
      if (kind === msgSend || kind === devRaise || effectivelyMasked(state, entry) !== false) pending.delete(entry);
      else owe(step, time, entry, state);
    };
    /** A cause ended while its entry keeps it: nothing that software did ends it. */
    const vanished = (step: Step, entry: ObjectId, state: State, reason: string): void => {
      const since = pending.get(entry) ?? (taken?.entry === entry ? taken : undefined);
      if (since === undefined || enabledIn(state, ownerOf(state, entry)) !== true) return;
      pending.delete(entry);
      judged++;
      const name = entryName(scene.world, entry);
      report({
        step,
        object: entry,
        title: `the pending bit of ${name} was dropped while it was masked`,
        text: `A cause waited behind the mask of ${name}; it was dropped (${reason}), although MSI-X stayed on and software served it in no other way.`,
        evidence: [since.step],
        lost: true,
      });
    };
    return {
      event(step, happened, state) {
        const { kind, object, time } = happened;
        const type = state.world.type(object);
        if (time > late) overdue(step, time);
        if (INJECTIONS.has(kind)) {
          for (const entry of owing.keys()) if (!shown.has(ownerOf(state, entry)) && owing.delete(entry)) judged++;
          if (kind !== merged) return;
        }
        if (ARRIVALS.has(kind)) {
          for (const entry of owing.keys()) if (arrived(state, entry, happened) && owing.delete(entry)) judged++;
          return;
        }
        if (type === msixEntry) {
          const owed = owing.get(object);
          if (kind === msgSend) shown.add(ownerOf(state, object));
          if (owed !== undefined) {
            if (kind === msgSend || kind === dropped || kind === untold) {
              owing.delete(object);
              judged++;
            }
            // That something else was illegal is said about the same access, before the message can leave.
            else if (owed.strict && kind !== illegal) tell(object, owed, `${kind.name} came before`, step);
            else if (effectivelyMasked(state, object) === true) owing.delete(object);
          } else if (kind === dropped)
            vanished(step, object, state, state.world.strings.text(dropped.read(happened.words, happened.at).reason));
          const since = pending.get(object);
          taken = kind === devWithdraw && since ? { entry: object, ...since } : undefined;
          settle(step, happened, object, state);
        } else if (type === device) {
          if (kind === msgSend) owing.clear();
          if (pending.size > 0 || kind === pbaRead)
            for (const entry of entriesOf(state, object)) settle(step, happened, entry, state);
        } else if (kind === msgSend) owing.clear();
      },
      lost() {
        pending.clear();
        owing.clear();
      },
      end(last) {
        for (const [entry, owed] of owing)
          if (scene.complete) tell(entry, owed, 'The trace ends before', last === owed.unmasked ? undefined : last);
      },
      get judged() {
        return judged;
      },
    };
  },
};
