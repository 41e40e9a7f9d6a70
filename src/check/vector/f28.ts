import type { ObjectId, Step } from '../../base/ids.ts';
import { tblWrite } from '../../model/events/msix.ts';
import { vecClear } from '../../model/events/vector.ts';
import { effectivelyMasked, enabledIn, ownerOf } from '../../model/masking.ts';
import { linksOf } from '../../model/references.ts';
import { msixVectorControl } from '../../model/registers/pci.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { addressOf, messageText } from '../device/entries.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';
import { irqName, isPlace, placeName } from './places.ts';

const { mask } = msixVectorControl.f;

/** F28. */
export const activatesInOrder: Rule<'F28'> = {
  id: 'F28',
  names: ['INV-ORDER'],
  title: 'Activated or deactivated in the wrong order',
  meaning:
    'An irq is activated from the CPU to the device: vector, remapping entry, message, and the mask is cleared last. It is deactivated the other way round: masked first, its vector freed last.',
  reference: 'kernel/irq/irqdomain.c __irq_domain_activate_irq, __irq_domain_deactivate_irq; drivers/pci/msi/msi.c',
  severity: 'error',
  kinds: [tblWrite, vecClear],
  needs: [[tblWrite]],
  needsAll: false,
  confirm:
    'the order of calls in the kernel (function graph of irq_activate, irq_startup), and a stray vector or DMA fault right after',
  watch(report, scene) {
    /** Entries whose mask bit was set when they were written last. */
    const masked = new Map<ObjectId, Step>();
    let judged = 0;
    return {
      event(step, { kind, object, words, at }, state) {
        if (kind === tblWrite) {
          if (state.world.type(object) !== msixEntry) return;
          const own = mask.flag(state, object, msixEntry.at.control);
          const { offset, size } = tblWrite.read(words, at);
          const was = masked.get(object);
          if (own === true) {
            masked.set(object, step);
            return;
          }
          masked.delete(object);
          if (own !== false || was === undefined || offset + size <= 12) return;
          if (enabledIn(state, ownerOf(state, object)) !== true) return;
          judged++;
          if (addressOf(state, object) !== 0) return;
          const name = entryName(scene.world, object);
          report({
            step,
            object,
            title: `${name} was unmasked before it got a message`,
            text: `The mask of ${name} was cleared while its message is address 0 and MSI-X is on: a cause now makes a write to address 0. The message has to be written first.`,
            evidence: [was],
          });
          return;
        }
        const a = vecClear.read(words, at);
        if (!isPlace(a.vector)) return;
        const entry = linksOf(state, object).find(({ name }) => name === 'entry')?.target ?? -1;
        if (entry < 0 || state.world.type(entry) !== msixEntry) return;
        judged++;
        if (effectivelyMasked(state, entry) !== false || addressOf(state, entry) <= 0) return;
        const name = entryName(scene.world, entry);
        report({
          step,
          object: entry,
          title: `${placeName(a.cpu, a.vector)} was freed while ${name} can still send to it`,
          text: `${irqName(scene.world, object)} gave ${placeName(a.cpu, a.vector)} up while ${name} is not masked and holds the message ${messageText(state, entry)}: an interrupt in between finds no handler.`,
          evidence: [],
        });
      },
      lost: () => masked.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
