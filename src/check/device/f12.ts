import type { ObjectId } from '../../base/ids.ts';
import { devRaise } from '../../model/events/msix.ts';
import { effectivelyMasked, functionOf, mayWrite } from '../../model/masking.ts';
import { device, msi, msixEntry } from '../../model/things/pci.ts';
import { tableKinds } from '../kinds.ts';
import { LastWrites } from '../last-writes.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** F12. */
export const mayMaster: Rule<'F12'> = {
  id: 'F12',
  names: ['INV-BME'],
  title: 'Interrupt due while Bus Master Enable is 0',
  meaning: 'When a vector that is on and not masked has a cause, Bus Master Enable of the function is 1.',
  reference: 'PCIe 7.5.1.1.3, 6.1.4.1: a message is a memory write of the function',
  severity: 'warning',
  kinds: [devRaise, ...tableKinds],
  needs: [[devRaise]],
  needsAll: false,
  confirm:
    'the Command register of the function (lspci: BusMaster-), and a count in /proc/interrupts that does not grow',
  watch(report, scene) {
    const writes = new LastWrites();
    /** Functions of which it was told since Bus Master Enable was cleared. */
    const told = new Set<ObjectId>();
    let judged = 0;
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        if (kind === devRaise) {
          const type = state.world.type(object);
          if (type !== msixEntry && type !== msi) return;
          const fn = functionOf(state, object);
          const may = writes.trustsObject(fn) ? mayWrite(state, fn) : undefined;
          const due = effectivelyMasked(state, object, devRaise.read(words, at).vector) === false;
          if (may === undefined || !due) return;
          judged++;
          if (may) {
            told.delete(fn);
            return;
          }
          if (told.has(fn)) return;
          told.add(fn);
          const name = entryName(scene.world, object);
          report({
            step,
            object,
            title: `${name} had a cause while Bus Master Enable is 0: its message cannot leave`,
            text: `${name} is on and not masked, and a cause arose; Bus Master Enable of the function is 0, so it must not write memory, and a message is a memory write. Whether the interrupt is kept is up to the device; most lose it.`,
            evidence: writes.evidenceOf(fn),
          });
          return;
        }
        if (state.world.type(object) === device && told.has(object) && mayWrite(state, object) !== false)
          told.delete(object);
        writes.note(step, happened);
      },
      lost: () => writes.lose(),
      get judged() {
        return judged;
      },
    };
  },
};
