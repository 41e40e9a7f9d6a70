import type { ObjectId, Step } from '../../base/ids.ts';
import { vfioSet } from '../../model/events/vfio.ts';
import { irqfdAssign, irqfdReturn, irqfdWakeup, kvmEntry, kvmLine, piUpdate } from '../../model/events/virt.ts';
import { steps } from '../history.ts';
import type { Rule } from '../rule.ts';
import { Threads } from '../threads.ts';
import { isIrqfd, RESAMPLER, sameGsi } from './gsi.ts';

/** The call that released the last eventfd of a GSI. */
interface Release {
  readonly step: Step;
  readonly thread: number;
  /** The event that shows that the call returned; -1 while none does. */
  returned: Step;
  /** What came before: legal where it came before the return. */
  early: { readonly step: Step; readonly what: string }[];
}

/**
 * F53. KVM promises silence once the call returned: it takes the irqfd off the wait queue of the eventfd and waits for what is under way
 * (kvm_irqfd_deassign flushes the work queue). What comes between the begin of the call and its return is legal. The return is told by a
 * probe there, or by the next call of the thread, or its entry into the guest. The events of a simulation are what KVM did.
 */
export const releasedIrqfdIsSilent: Rule<'F53'> = {
  id: 'F53',
  names: ['INV-DEASSIGN'],
  title: 'Interrupt from a released irqfd',
  meaning: 'Once KVM_IRQFD returned from the release of an eventfd, its GSI gets nothing more from it.',
  severity: 'error',
  reference: 'virt/kvm/eventfd.c kvm_irqfd_deassign (waits for the cleanup workqueue)',
  kinds: [irqfdAssign, irqfdWakeup, kvmLine, piUpdate],
  beside: [irqfdReturn, kvmEntry, vfioSet],
  needs: [[irqfdAssign], [irqfdWakeup, kvmLine, piUpdate]],
  needsAll: false,
  oneMachine: true,
  confirm: 'probes at kvm_irqfd, at its return, and at irqfd_wakeup, the last with the GSI of the irqfd',
  watch(report, { world, complete }) {
    /** How many eventfds each GSI has more than when it was first seen, and where the last one went. */
    const tied = new Map<ObjectId, number>();
    const released = new Map<ObjectId, Release>();
    const resamples = new Set<ObjectId>();
    const threads = new Threads(world);
    let judged = 0;
    const tell = (irqfd: ObjectId, release: Release, step: Step, what: string, sure: boolean): void => {
      const gsi = world.node(irqfd)?.segment;
      report({
        step,
        object: irqfd,
        title: `GSI ${gsi} ${what} after its irqfd was released`,
        text: `The eventfd of GSI ${gsi} was released, and after that the GSI ${what}: KVM promises that nothing comes from it once the call returned.`,
        evidence: steps(release.step, release.returned < 0 ? undefined : release.returned),
        // No kind of event proves it: the rule is undecidable.
        ...(sure ? {} : { absent: { since: release.step, kinds: [] } }),
      });
    };
    /** Something comes from a GSI. `only`: no other eventfd than the one that was released can be behind it. */
    const came = (irqfd: ObjectId, step: Step, what: string, only = true): void => {
      const release = released.get(irqfd);
      if (release === undefined) return;
      judged++;
      if (complete || release.returned >= 0) tell(irqfd, release, step, what, complete || only);
      else release.early.push({ step, what });
    };
    /** Whether something came before the return will not be known. */
    const doubt = (irqfd: ObjectId, release: Release): void => {
      for (const { step, what } of release.early) tell(irqfd, release, step, what, false);
      release.early = [];
    };
    /** A thread does something else: the calls that it was in have returned. */
    const goesOn = (thread: number, step: Step): void => {
      for (const [irqfd, one] of released) {
        if (one.thread !== thread || one.returned >= 0) continue;
        doubt(irqfd, one);
        one.returned = step;
      }
    };
    return {
      event(step, { kind, object, task, words, at }) {
        if (released.size > 0 && (kind === irqfdAssign || kind === kvmEntry || kind === vfioSet))
          goesOn(threads.of(task), step);
        if (kind === irqfdAssign) {
          if (!isIrqfd(world, object)) return;
          const { release, resample } = irqfdAssign.read(words, at);
          judged++;
          if (resample === true) resamples.add(object);
          const count = (tied.get(object) ?? 0) + (release === true ? -1 : 1);
          tied.set(object, Math.max(0, count));
          // One that was tied before the trace began may be left.
          const before = released.get(object);
          if (before !== undefined) doubt(object, before);
          if (release !== true) released.delete(object);
          else if (count <= 0) released.set(object, { step, thread: threads.of(task), returned: -1, early: [] });
        } else if (kind === irqfdReturn) {
          const { release, ret } = irqfdReturn.read(words, at);
          const one = released.get(object);
          if (ret < 0) {
            // Nothing was tied or released.
            tied.set(object, Math.max(0, (tied.get(object) ?? 0) + (release === true ? 1 : -1)));
            if (release === true) released.delete(object);
          } else if (release === true && one?.thread === threads.of(task)) {
            one.returned = step;
            one.early = [];
          }
        } else if (kind === irqfdWakeup) came(object, step, 'was signalled');
        else if (kind === piUpdate) {
          if (piUpdate.read(words, at).enable) came(object, step, 'was posted to a virtual CPU');
        } else if (kind === kvmLine && released.size > 0) {
          const { level, source } = kvmLine.read(words, at);
          if (!level || source !== RESAMPLER) return;
          const irqfd = sameGsi(world, object, 'irqfd');
          // A line can have other eventfds, which were tied before the trace began.
          if (resamples.has(irqfd)) came(irqfd, step, 'was raised', false);
        }
      },
      lost() {
        tied.clear();
        released.clear();
      },
      end() {
        for (const [irqfd, release] of released) doubt(irqfd, release);
      },
      get judged() {
        return judged;
      },
    };
  },
};
