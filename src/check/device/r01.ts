import type { ObjectId, Step } from '../../base/ids.ts';
import { devReset } from '../../model/events/function.ts';
import { devRaise, effectivelyMasked, ownerOf, tableSize } from '../../model/events/msix.ts';
import { device, msixEntry } from '../../model/things/pci.ts';
import { tableKinds } from '../kinds.ts';
import { LastWrites } from '../last-writes.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';
import { addressOf, enabledIn, entriesOf } from './entries.ts';

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
  confirm:
    'how many vectors the driver got (/proc/interrupts, msi_irqs in sysfs) and how many it told the device to use',
  watch(report, scene) {
    const writes = new LastWrites();
    const told = new Set<ObjectId>();
    let judged = 0;
    const tell = (step: Step, object: ObjectId, title: string, text: string, evidence: readonly Step[]): void => {
      if (told.has(object)) return;
      told.add(object);
      report({ step, object, title, text, evidence });
    };
    return {
      event(step, happened, state) {
        const { kind, object } = happened;
        if (kind !== devRaise) {
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
        if (size >= 0 && index >= size) {
          tell(
            step,
            object,
            `vector ${index} was raised, and the table has ${size} entries`,
            `The device raised vector ${index}, but its MSI-X table has ${size} entries: the driver (or the device model) counts more vectors than there are.`,
            writes.evidenceOf(fn),
          );
          return;
        }
        if (addressOf(state, object) !== 0 || effectivelyMasked(state, object) !== false) return;
        const used = entriesOf(state, fn).filter((entry) => addressOf(state, entry) > 0).length;
        tell(
          step,
          object,
          `${name} was raised, and its message is address 0: the driver never programmed it`,
          `The device raised ${name}, which is not masked and holds address 0; ${used} ${used === 1 ? 'entry' : 'entries'} of the function ${used === 1 ? 'has' : 'have'} a message. Driver and device disagree on the number of vectors, or the entry was torn down while the device still uses it.`,
          writes.evidence(state, object),
        );
      },
      lost() {
        writes.lose();
      },
      get judged() {
        return judged;
      },
    };
  },
};
