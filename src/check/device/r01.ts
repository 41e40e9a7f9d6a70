import { noun } from '../../base/counted.ts';
import type { ObjectId, Step } from '../../base/ids.ts';
import { devReset } from '../../model/events/function.ts';
import { devRaise, tableSize, tblWrite } from '../../model/events/msix.ts';
import { effectivelyMasked, enabledIn, functionMaskIn, ownerOf } from '../../model/masking.ts';
import type { State } from '../../model/state.ts';
import { device, msixEntry } from '../../model/things/pci.ts';
import { tableKinds } from '../kinds.ts';
import { LastWrites } from '../last-writes.ts';
import { entryName } from '../names.ts';
import type { Breach, Happened, Rule } from '../rule.ts';
import { addressOf, entriesOf } from './entries.ts';

/** Nanoseconds after which nobody is expected to set up an entry that was raised. */
const DUE = 1e9;

/** R01. */
export const sameVectors: Rule<'R01'> = {
  id: 'R01',
  names: [],
  title: 'Vector that the driver does not use',
  meaning: 'A device raises only vectors that its table has and that its driver programmed.',
  reference:
    'PCIe 7.7.2.2 (Table Size); include/linux/pci.h pci_alloc_irq_vectors: a driver may get fewer than it asked for',
  severity: 'error',
  kinds: [devRaise, ...tableKinds],
  needs: [[devRaise]],
  needsAll: false,
  needsTime: true,
  confirm:
    'how many vectors the driver got (/proc/interrupts, msi_irqs in sysfs) and how many it told the device to use',
  watch(report, scene) {
    const writes = new LastWrites();
    const told = new Set<ObjectId>();
    /** Functions whose MSI-X was switched on in the trace, and entries whose message was written in it. */
    const enabled = new Set<ObjectId>();
    const off = new Set<ObjectId>();
    const programmed = new Set<ObjectId>();
    /** Entries that were raised while masked and without a message: step and time of the first cause. */
    const waiting = new Map<ObjectId, { readonly step: Step; readonly time: number }>();
    let late = Number.POSITIVE_INFINITY;
    let judged = 0;
    const tell = (
      step: Step,
      object: ObjectId,
      title: string,
      text: string,
      evidence: readonly Step[],
      fate: Pick<Breach, 'severity' | 'lost' | 'always'>,
    ): void => {
      if (told.has(object)) return;
      told.add(object);
      report({ step, object, title, text, evidence, ...fate });
    };
    /** A cause waits behind the mask of an entry that the driver does not use. */
    const unused = (entry: ObjectId, since: Step, state: State, end: string): void => {
      waiting.delete(entry);
      const fn = ownerOf(state, entry);
      const used = entriesOf(state, fn).filter((other) => programmed.has(other)).length;
      const name = entryName(scene.world, entry);
      tell(
        since,
        entry,
        `${name} was raised, and its driver set up only ${used} ${used === 1 ? 'entry' : 'entries'}`,
        `The device raised ${name}, which is masked and never got a message since MSI-X was switched on; the driver set up ${used} ${used === 1 ? 'entry' : 'entries'} of the function. ${end}: the cause waits behind the mask for ever. The device uses more vectors than its driver.`,
        [],
        { severity: 'warning' },
      );
    };
    const overdue = (step: Step, time: number, state: State): void => {
      late = Number.POSITIVE_INFINITY;
      for (const [entry, since] of waiting)
        if (time - since.time > DUE)
          unused(entry, since.step, state, `In ${scene.span(time - since.time, since.step, step)} nobody wrote one`);
        else late = Math.min(late, since.time + DUE);
    };
    /** Notes what was set up, and whether MSI-X came on. */
    const note = ({ kind, object, words, at }: Happened, state: State): void => {
      if (kind === tblWrite && tblWrite.read(words, at).offset < 8) {
        programmed.add(object);
        waiting.delete(object);
      }
      if (state.world.type(object) !== device) return;
      const is = enabledIn(state, object);
      if (is === true && off.delete(object)) enabled.add(object);
      if (is !== false) return;
      off.add(object);
      enabled.delete(object);
      for (const entry of waiting.keys()) if (ownerOf(state, entry) === object) waiting.delete(entry);
    };
    return {
      event(step, happened, state) {
        const { kind, object, time } = happened;
        if (time > late) overdue(step, time, state);
        if (kind !== devRaise) {
          note(happened, state);
          if (kind === devReset && state.world.type(object) === device)
            for (const entry of entriesOf(state, object)) told.delete(entry);
          writes.note(step, happened);
          return;
        }
        if (state.world.type(object) !== msixEntry) return;
        const fn = ownerOf(state, object);
        if (enabledIn(state, fn) !== true || !writes.trusts(state, object)) return;
        judged++;
        const size = tableSize(state, fn);
        const index = Number(state.world.node(object)?.segment);
        const name = entryName(scene.world, object);
        // The model of the igb counts the vectors of its virtual functions behind its own.
        if (size >= 0 && index >= size && state.text(fn, device.at.name) !== 'igb') {
          tell(
            step,
            object,
            `vector ${index} was raised, and the table has ${size} ${noun(size, 'entry', 'entries')}`,
            `The device raised vector ${index}, but its MSI-X table has ${size} ${noun(size, 'entry', 'entries')}: the driver (or the device model) counts more vectors than there are.`,
            writes.evidenceOf(fn),
            { lost: true, always: true },
          );
          return;
        }
        const masked = effectivelyMasked(state, object) === true && functionMaskIn(state, fn) === false;
        if (masked && enabled.has(fn) && !programmed.has(object) && !waiting.has(object)) {
          waiting.set(object, { step, time });
          late = Math.min(late, time + DUE);
        }
        if (addressOf(state, object) !== 0 || effectivelyMasked(state, object) !== false) return;
        const used = entriesOf(state, fn).filter((entry) => addressOf(state, entry) > 0).length;
        tell(
          step,
          object,
          `${name} was raised, and its message is address 0: the driver never programmed it`,
          `The device raised ${name}, which is not masked and holds address 0; ${used} ${used === 1 ? 'entry' : 'entries'} of the function ${used === 1 ? 'has' : 'have'} a message. Driver and device disagree on the number of vectors, or the entry was torn down while the device still uses it.`,
          writes.evidence(state, object),
          { lost: true },
        );
      },
      lost() {
        writes.lose();
        off.clear();
        enabled.clear();
        programmed.clear();
        waiting.clear();
      },
      end(_last, state) {
        if (scene.complete)
          for (const [entry, { step }] of waiting)
            unused(entry, step, state, 'Up to the end of the trace nobody wrote one');
      },
      get judged() {
        return judged;
      },
    };
  },
};
