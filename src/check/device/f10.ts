import type { ObjectId, Step } from '../../base/ids.ts';
import { domActivate } from '../../model/events/domain.ts';
import { msgSend } from '../../model/events/msix.ts';
import { mark, message } from '../../model/events/notes.ts';
import { vecActivate, vecDeactivate } from '../../model/events/vector.ts';
import { linksOf } from '../../model/references.ts';
import type { State } from '../../model/state.ts';
import { irq as irqType } from '../../model/things/irq.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { entryName, textOf } from '../names.ts';
import type { Rule } from '../rule.ts';

/**
 * What the kernel prints of a DMA write to page 0 (drivers/iommu/intel/dmar.c dmar_fault_do_one): the unit records the page, so
 * any address in it reads as 0.
 */
const ZERO = /\[DMA Write[^\]]*\] Request device \[([^\]]+)\].* fault addr (?:0x)?0+\b/;
/** Nanoseconds behind the end of an irq in which such a write of its function is most likely its message. */
const SHORTLY = 1_000_000_000;

/** F10. */
export const quietAfterFree: Rule<'F10'> = {
  id: 'F10',
  names: ['INV-QUIESCE'],
  title: 'Message after teardown',
  meaning: 'A function sends no message of an entry whose irq is deactivated, and none to address 0.',
  reference:
    'kernel/irq/irqdomain.c irq_domain_deactivate_irq; drivers/pci/msi/irqdomain.c (the message becomes all zero)',
  severity: 'error',
  kinds: [msgSend, domActivate, vecActivate, vecDeactivate, message, mark],
  needs: [[msgSend, message, mark]],
  needsAll: false,
  confirm:
    'whether the driver stops the device before free_irq(); faults of the IOMMU at that time (dmesg: DMAR, AMD-Vi)',
  watch(report, scene) {
    /** Entries whose irq is deactivated: the irq and the event. */
    const quiet = new Map<ObjectId, { readonly irq: ObjectId; readonly step: Step; readonly time: number }>();
    /** The last irq of each function that was deactivated, by the address of the function. */
    const ended = new Map<string, { readonly irq: ObjectId; readonly step: Step; readonly time: number }>();
    const { world } = scene;
    let judged = 0;
    const entryOf = (state: State, irq: ObjectId): ObjectId =>
      linksOf(state, irq).find(({ name, target }) => name === 'entry' && world.type(target) === msixEntry)?.target ??
      -1;
    return {
      event(step, happened, state) {
        const { kind, object, words, at, time } = happened;
        if (kind === msgSend) {
          judged++;
          const sent = msgSend.read(words, at);
          const zero = sent.address(0) === 0 && sent.address(1) === 0;
          const since = quiet.get(object);
          if (since === undefined && !zero) return;
          const name = entryName(world, object);
          report({
            step,
            object,
            title: since
              ? `${name} sent a message after its irq was deactivated`
              : `${name} sent a message to address 0: it was never programmed, or it is torn down`,
            text: since
              ? `${world.path(since.irq)} was deactivated ${scene.span(time - since.time, since.step, step)} before ${name} sent a message${zero ? ' to address 0' : ''}: the device was not stopped before its interrupt was freed.`
              : `The message of ${name} went to address 0, where no interrupt controller listens: behind an IOMMU it is a DMA fault, without one it overwrites memory.`,
            evidence: since ? [since.step] : [],
            // No interrupt controller listens at address 0. Another message may arrive at a handler, of whatever irq.
            lost: zero,
          });
        } else if (kind === domActivate || kind === vecActivate || kind === vecDeactivate) {
          const activate = kind === domActivate ? domActivate.read(words, at).activate : kind === vecActivate;
          const fn = world.type(object) === irqType ? state.text(object, irqType.at.device) : '';
          if (!activate && fn !== '') ended.set(fn, { irq: object, step, time });
          const entry = entryOf(state, object);
          if (entry < 0) return;
          if (activate) quiet.delete(entry);
          else if (!quiet.has(entry)) quiet.set(entry, { irq: object, step, time });
        } else {
          const text = textOf(scene.world, happened);
          const who = ZERO.exec(text)?.[1];
          if (who === undefined) return;
          judged++;
          const freed = [...ended].findLast(
            ([fn, is]) => (fn === who || fn.endsWith(`:${who}`)) && time - is.time <= SHORTLY,
          )?.[1];
          report({
            step,
            object,
            severity: freed ? 'error' : 'warning',
            title: freed
              ? `${who} wrote to page 0 after ${world.path(freed.irq)} was deactivated`
              : `${who} wrote to page 0: an all-zero message, or a null buffer`,
            text: freed
              ? `${text}: ${world.path(freed.irq)} of that function was deactivated ${scene.span(time - freed.time, freed.step, step)} before, and an all-zero message is what the kernel leaves in a function then. A function without mask bits that still has a cause sends it.`
              : `${text}: DMA to page 0: an all-zero message, or a null buffer. An all-zero message is what the kernel leaves in a function when an irq is freed; the trace shows no irq of this function that was deactivated shortly before.`,
            evidence: freed ? [freed.step] : [],
          });
        }
      },
      lost() {
        quiet.clear();
        ended.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
