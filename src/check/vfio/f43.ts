import type { ObjectId, Step } from '../../base/ids.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { tblRead } from '../../model/events/msix.ts';
import { effectivelyMasked } from '../../model/masking.ts';
import { linksOf } from '../../model/references.ts';
import { ENTRY_BYTES } from '../../model/registers/pci.ts';
import { irq } from '../../model/things/irq.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** Nanoseconds in which a message that the kernel writes may still be on its way into the table, across clocks. */
const SETTLED = 1e6;

/** What the kernel wrote last for an entry. */
interface Cached {
  readonly irq: ObjectId;
  step: Step;
  time: number;
}

/** F43. */
export const tableHoldsMessage: Rule<'F43'> = {
  id: 'F43',
  names: ['INV-TBL'],
  title: 'Table entry does not hold the message of the kernel',
  meaning: 'What an unmasked table entry reads is the message that the kernel last wrote for its irq.',
  severity: 'error',
  reference: 'drivers/vfio/pci/vfio_pci_intrs.c: rewrites the cached message against backdoor resets',
  kinds: [msgWrite, tblRead],
  needs: [[msgWrite], [tblRead]],
  needsAll: false,
  needsTime: true,
  confirm: 'the irqs dump of debugfs (address_lo, msg_data) beside a read of the table, and resets of the function',
  watch(report, scene) {
    const { world } = scene;
    const cached = new Map<ObjectId, Cached>();
    /** Entries that differ now: each difference is told once. */
    const broken = new Set<ObjectId>();
    let judged = 0;
    return {
      event(step, { kind, object, time, words, at }, state) {
        if (kind === msgWrite) {
          const entry = linksOf(state, object).find(({ name }) => name === 'entry')?.target ?? -1;
          if (entry < 0) return;
          const known = cached.get(entry);
          if (known?.irq === object) {
            known.step = step;
            known.time = time;
          } else cached.set(entry, { irq: object, step, time });
          broken.delete(entry);
          return;
        }
        const known = cached.get(object);
        const { offset, stale } = tblRead.read(words, at);
        const field = offset % ENTRY_BYTES;
        if (known === undefined || stale === true || field >= 12) return;
        if (!(time - known.time >= SETTLED) || effectivelyMasked(state, object) !== false) return;
        judged++;
        const E = msixEntry.at;
        const I = irq.at;
        const pairs = [
          [E.address, I.address],
          [E.address + 1, I.address + 1],
          [E.data, I.data],
        ] as const;
        const differs = pairs.some(
          ([cell, own]) =>
            state.known(object, cell) === 0xffffffff &&
            state.known(known.irq, own) === 0xffffffff &&
            state.get(object, cell) !== state.get(known.irq, own),
        );
        if (!differs) {
          broken.delete(object);
          return;
        }
        if (broken.has(object)) return;
        broken.add(object);
        const hex = (of: ObjectId, cell: number): string => `0x${state.get(of, cell).toString(16)}`;
        report({
          step,
          object,
          title: `${entryName(world, object)} holds ${hex(object, E.address)}/${hex(object, E.data)}, the kernel wrote ${hex(known.irq, I.address)}/${hex(known.irq, I.data)}`,
          text: `The unmasked ${entryName(world, object)} reads address ${hex(object, E.address)} and data ${hex(object, E.data)}; ${scene.span(time - known.time, known.step, step)} earlier the kernel wrote address ${hex(known.irq, I.address)} and data ${hex(known.irq, I.data)} for ${world.path(known.irq)}. Something else changed the table, such as a reset of the function.`,
          evidence: [known.step],
        });
      },
      lost() {
        cached.clear();
        broken.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
