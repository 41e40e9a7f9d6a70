import type { ObjectId, Step } from '../../base/ids.ts';
import { mark, message } from '../../model/events/notes.ts';
import { vecAlloc } from '../../model/events/vector.ts';
import { textOf } from '../names.ts';
import type { Rule } from '../rule.ts';

const BROKEN = /\birq (\d+): Affinity broken due to vector space exhaustion/i;

/** F22. */
export const exhaustedIsFull: Rule<'F22'> = {
  id: 'F22',
  names: ['INV-TEXT'],
  title: 'Exhaustion that was none',
  meaning: 'The kernel says that vectors are exhausted only where an allocation for that irq failed with ENOSPC.',
  reference:
    'arch/x86/kernel/apic/vector.c activate_reserved: the text is printed for every error of the mask, also where no CPU of it is online (EINVAL)',
  severity: 'warning',
  kinds: [vecAlloc, message, mark],
  needs: [[message, mark]],
  needsAll: false,
  confirm: 'irq_vectors:vector_alloc of the irq (its ret), and the CPUs of its mask that are online',
  watch(report, scene) {
    /** The last allocation of each irq: its step and what it returned. */
    const last = new Map<ObjectId, { readonly step: Step; readonly ret: number }>();
    let from: Step = 0;
    let judged = 0;
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        if (kind === vecAlloc) {
          last.set(object, { step, ret: vecAlloc.read(words, at).ret });
          return;
        }
        const text = textOf(scene.world, happened);
        const virq = BROKEN.exec(text)?.[1];
        if (virq === undefined) return;
        judged++;
        const irq = state.here.objectAt(`irq/${virq}`);
        const tried = last.get(irq);
        if (tried?.ret === -28) return;
        report({
          step,
          object: irq >= 0 ? irq : object,
          title: `the affinity of irq ${virq} was broken, but vectors were not exhausted`,
          text: `The kernel says that vectors are exhausted, but no allocation for irq ${virq} failed with -28 (ENOSPC)${tried ? `: the last one returned ${tried.ret}` : ''}. Most likely no CPU of its mask is online.`,
          evidence: tried ? [tried.step] : [],
          absent: { since: from, kinds: [vecAlloc] },
        });
      },
      lost(step) {
        last.clear();
        from = step + 1;
      },
      get judged() {
        return judged;
      },
    };
  },
};
