import type { ObjectId, Step } from '../../base/ids.ts';
import { intx } from '../../model/events/msix.ts';
import { enabledIn } from '../../model/masking.ts';
import { msiControl, pciCommand } from '../../model/registers/pci.ts';
import { device, msi } from '../../model/things/pci.ts';
import { tableKinds } from '../kinds.ts';
import { LastWrites } from '../last-writes.ts';
import { functionName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** F13. */
export const noPinWithMessages: Rule<'F13'> = {
  id: 'F13',
  names: ['INV-INTX'],
  title: 'INTx and messages at once',
  meaning: 'A function whose MSI or MSI-X is on does not assert INTx, and not both of them are on.',
  reference: 'PCIe 6.1.4.1, 7.7.1.2, 7.7.2.2',
  severity: 'error',
  kinds: [intx, ...tableKinds],
  needs: [],
  needsAll: false,
  confirm: 'the level of the line at its controller, and "irq N: nobody cared" in dmesg',
  watch(report, scene) {
    const writes = new LastWrites();
    /** Functions with both capabilities on, of which it was told. */
    const both = new Set<ObjectId>();
    let judged = 0;
    const tell = (step: Step, object: ObjectId, title: string, text: string): void =>
      report({ step, object, title, text, evidence: writes.evidenceOf(object) });
    return {
      event(step, happened, state) {
        const { kind, object } = happened;
        if (state.world.type(object) !== device) return;
        const single = state.world.node(object)?.children.get('msi')?.object ?? -1;
        const byMsi = single >= 0 && msiControl.f.enable.flag(state, single, msi.at.control) === true;
        const byMsix = enabledIn(state, object) === true;
        const name = functionName(scene.world, object);
        if (kind === intx) {
          const { level } = intx.read(happened.words, happened.at);
          if (level === false || !writes.trustsObject(object)) return;
          // What the log of a device model tells is what the model wants: Interrupt Disable keeps it off the line.
          if (!scene.complete && pciCommand.f.intxDisable.flag(state, object, device.at.command) === true) return;
          judged++;
          if (!byMsi && !byMsix) return;
          const what = byMsix ? 'MSI-X' : 'MSI';
          tell(
            step,
            object,
            `${name} asserted INTx while ${what} is on`,
            `${name} asserted its INTx pin although ${what} is enabled, which forbids that: the driver serves the message and nobody serves the line, which then interrupts for ever.`,
          );
          return;
        }
        writes.note(step, happened);
        if (!byMsi || !byMsix) {
          both.delete(object);
          return;
        }
        judged++;
        if (both.has(object)) return;
        both.add(object);
        tell(
          step,
          object,
          `MSI and MSI-X of ${name} are both on`,
          `MSI and MSI-X of ${name} are enabled together: what it sends is undefined.`,
        );
      },
      lost: () => writes.lose(),
      get judged() {
        return judged;
      },
    };
  },
};
