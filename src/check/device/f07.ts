import type { ObjectId, Step } from '../../base/ids.ts';
import { devReset } from '../../model/events/function.ts';
import { tblWrite } from '../../model/events/msix.ts';
import { cfgRead, cfgWrite, msixCtrl } from '../../model/events/pci.ts';
import { enabledIn, functionMaskIn } from '../../model/masking.ts';
import { msixVectorControl } from '../../model/registers/pci.ts';
import { device, msixEntry } from '../../model/things/pci.ts';
import { tableKinds } from '../kinds.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';
import { entriesOf, messageText } from './entries.ts';

const { mask } = msixVectorControl.f;

/** F07. */
export const enablesMasked: Rule<'F07'> = {
  id: 'F07',
  names: ['INV-ENABLE'],
  title: 'Old entries live at MSI-X enable',
  meaning:
    'When MSI-X is switched on, the function mask is set or every entry is masked, except entries that were written while it was off.',
  reference: 'Linux: PCI/MSI: Mask all unused MSI-X entries (5.14); drivers/pci/msi/msi.c msix_capability_init',
  severity: 'warning',
  kinds: tableKinds,
  needs: [[cfgWrite, msixCtrl]],
  needsAll: false,
  confirm: 'the table before MSI-X was switched on, and interrupts on the vectors of the old messages right after it',
  watch(report, scene) {
    /** Functions by whether MSI-X is on, with the step since which it is off. */
    const off = new Map<ObjectId, Step>();
    const on = new Set<ObjectId>();
    const written = new Map<ObjectId, Step>();
    let judged = 0;
    return {
      event(step, { kind, object }, state) {
        if (kind === tblWrite) {
          written.set(object, step);
          return;
        }
        if (state.world.type(object) !== device) return;
        const enabled = enabledIn(state, object);
        if (enabled === undefined) return;
        if (!enabled) {
          on.delete(object);
          if (!off.has(object) || kind === devReset) off.set(object, step);
          return;
        }
        const since = off.get(object);
        off.delete(object);
        if (on.has(object) || since === undefined || kind === cfgRead) {
          on.add(object);
          return;
        }
        on.add(object);
        judged++;
        if (functionMaskIn(state, object) !== false) return;
        const stale = entriesOf(state, object).filter(
          (entry) =>
            mask.flag(state, entry, msixEntry.at.control) === false &&
            (written.get(entry) ?? Number.NEGATIVE_INFINITY) < since,
        );
        const [first] = stale;
        if (first === undefined) return;
        const list = stale.map(
          (entry) => `${entryName(scene.world, entry)} (${messageText(state, entry) ?? 'message unknown'})`,
        );
        report({
          step,
          object: first,
          title: `${entryName(scene.world, first)} was live with its old message when MSI-X was switched on`,
          text: `MSI-X was switched on without the function mask while ${list.join(', ')} ${stale.length === 1 ? 'is' : 'are'} not masked and ${stale.length === 1 ? 'was' : 'were'} not written since it was switched off: the function can send messages of its former driver at once.`,
          evidence: [since, ...stale.map((entry) => written.get(entry)).filter((s) => s !== undefined)].sort(
            (a, b) => a - b,
          ),
        });
      },
      lost() {
        off.clear();
        on.clear();
        written.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
