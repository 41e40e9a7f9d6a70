import type { ObjectId, Step } from '../../base/ids.ts';
import { avicPost, avicWake, gaLogWrite } from '../../model/events/platform/avic.ts';
import { kvmEntry, kvmExit } from '../../model/events/virt.ts';
import type { State } from '../../model/state.ts';
import { avic, gaLog } from '../../model/things/avic.ts';
import type { Rule } from '../rule.ts';
import { isHalted, vcpuOf } from './descriptors.ts';

/** Nanoseconds within which the host reads its GA log and runs a virtual CPU that was halted. */
const SOON = 100e3;

/** A request that was posted to a halted virtual CPU. */
interface Open {
  readonly step: Step;
  readonly vector: number;
  readonly time: number;
}

/** Whether any request stands in the page. */
function holdsRequest(state: State, page: ObjectId): boolean {
  for (let word = 0; word < 8; word++) if (state.get(page, avic.at.irr + word) !== 0) return true;
  return false;
}

/** R20. */
export const gaLogWakes: Rule<'R20'> = {
  id: 'R20',
  names: [],
  title: 'Halted virtual CPU not woken for a posted interrupt',
  meaning:
    'What is posted to the APIC backing page of a halted virtual CPU wakes it: by an entry of the GA log, or by the virtual CPU that sent it.',
  severity: 'error',
  reference: 'arch/x86/kvm/svm/avic.c avic_ga_log_notifier; AMD IOMMU "Guest Virtual APIC Log" (overflow)',
  kinds: [avicPost, avicWake, gaLogWrite, kvmEntry, kvmExit],
  needs: [[avicPost], [kvmEntry, kvmExit]],
  needsAll: false,
  needsTime: true,
  confirm: 'kvm:kvm_avic_ga_log, the AMD-Vi row of /proc/interrupts, and the kernel log (GA log overflow, restart)',
  watch(report, scene) {
    const { world } = scene;
    const open = new Map<ObjectId, Open>();
    /** The last entry that did not fit into a log. */
    let dropped: Step | undefined;
    let judged = 0;
    const judge = (page: ObjectId, step: Step, time: number, state: State, over: boolean): void => {
      const one = open.get(page);
      if (one === undefined || !(time - one.time > SOON) || (over && !holdsRequest(state, page))) return;
      const log = world.spaceOf(page).objectAt('galog/0');
      // An entry that waits will be read.
      if (over && log >= 0 && state.get(log, gaLog.at.waiting) > 0) return;
      open.delete(page);
      const name = world.path(vcpuOf(world, page));
      const span = scene.span(time - one.time, one.step, step);
      const full = dropped !== undefined && dropped > one.step;
      report({
        step: one.step,
        object: page,
        title: `Vector ${one.vector} was posted to ${name}, which is halted: nothing woke it for ${span}`,
        text: `${name} halted, and vector ${one.vector} was posted to its APIC backing page${full ? '; the GA log was full, and the entry that should have told the host did not fit' : ''}. It did not enter the guest in the ${span} since. The bit stays set, so the interrupt is taken when something else wakes it.`,
        evidence: full ? [dropped!, step] : [step],
        absent: { since: one.step, kinds: [kvmEntry] },
        lost: over,
      });
    };
    let last = Number.NaN;
    return {
      event(step, { kind, object, time, words, at }, state) {
        last = time;
        if (kind === gaLogWrite) {
          if (gaLogWrite.read(words, at).dropped === true) dropped = step;
          return;
        }
        if (kind === avicPost) {
          if (world.type(object) !== avic) return;
          const { set, vector } = avicPost.read(words, at);
          if (!set) {
            judge(object, step, time, state, false);
            if (!holdsRequest(state, object)) open.delete(object);
            return;
          }
          judged++;
          if (isHalted(state, vcpuOf(world, object)) && !open.has(object)) open.set(object, { step, vector, time });
          return;
        }
        const page = world.node(object)?.children.get('avic')?.object ?? -1;
        if (kind === kvmEntry) {
          judge(page, step, time, state, false);
          open.delete(page);
        }
      },
      lost() {
        open.clear();
        dropped = undefined;
      },
      end(step, state) {
        for (const page of [...open.keys()]) judge(page, step, last, state, true);
      },
      get judged() {
        return judged;
      },
    };
  },
};
