import type { ObjectId, Step } from '../../base/ids.ts';
import { mark, message } from '../../model/events/notes.ts';
import { vecActivate, vecAlloc } from '../../model/events/vector.ts';
import { textOf } from '../names.ts';
import type { Rule } from '../rule.ts';

const BROKEN = /\birq (\d+): Affinity broken due to vector space exhaustion/i;
const ENOSPC = -28;
/** Nanoseconds that the attempts of one activation take at most, where the trace does not show where it began. */
const ATTEMPTS = 1_000_000;

/** The attempts of an irq to get a vector. */
interface Tried {
  /** The last of them, and what it returned. */
  readonly step: Step;
  readonly ret: number;
  /** Time of the last one since its activation that found no free vector; undefined: none did. */
  readonly full: number | undefined;
  /** The trace shows the activation that they belong to. */
  readonly activated: boolean;
}

/** F22. */
export const exhaustedIsFull: Rule<'F22'> = {
  id: 'F22',
  names: ['INV-TEXT'],
  title: 'Exhaustion that was none',
  meaning:
    'The kernel says that vectors are exhausted only where an attempt of that activation of the irq failed with ENOSPC.',
  reference:
    'arch/x86/kernel/apic/vector.c activate_reserved: it tries one mask after another and prints the text once one of them gave a vector; the text is printed for every error of the mask, also where no CPU of it is online (EINVAL)',
  severity: 'warning',
  kinds: [vecActivate, vecAlloc, message, mark],
  needs: [[message, mark]],
  needsAll: false,
  confirm: 'irq_vectors:vector_alloc of the irq (its ret), and the CPUs of its mask that are online',
  watch(report, scene) {
    const last = new Map<ObjectId, Tried>();
    /** Irqs whose activation began and that tried nothing yet. */
    const activated = new Set<ObjectId>();
    let from: Step = 0;
    let judged = 0;
    return {
      event(step, happened, state) {
        const { kind, object, time, words, at } = happened;
        if (kind === vecActivate) {
          last.delete(object);
          activated.add(object);
          return;
        }
        if (kind === vecAlloc) {
          const { ret } = vecAlloc.read(words, at);
          const full = ret === ENOSPC ? time : last.get(object)?.full;
          last.set(object, { step, ret, full, activated: activated.has(object) });
          return;
        }
        const text = textOf(scene.world, happened);
        const virq = BROKEN.exec(text)?.[1];
        if (virq === undefined) return;
        judged++;
        const irq = state.here.objectAt(`irq/${virq}`);
        const tried = last.get(irq);
        if (tried?.full !== undefined && (tried.activated || !(time - tried.full > ATTEMPTS))) return;
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
        activated.clear();
        from = step + 1;
      },
      get judged() {
        return judged;
      },
    };
  },
};
