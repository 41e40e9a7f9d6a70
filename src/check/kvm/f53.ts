import type { ObjectId, Step } from '../../base/ids.ts';
import { irqfdAssign, irqfdWakeup, kvmLine, piUpdate } from '../../model/events/virt.ts';
import type { Rule } from '../rule.ts';
import { isIrqfd, sameGsi } from './gsi.ts';

/** F53. */
export const releasedIrqfdIsSilent: Rule<'F53'> = {
  id: 'F53',
  names: ['INV-DEASSIGN'],
  title: 'Interrupt from a released irqfd',
  meaning: 'After KVM_IRQFD released an eventfd, its GSI gets nothing more from it.',
  severity: 'error',
  reference: 'virt/kvm/eventfd.c kvm_irqfd_deassign (waits for the cleanup workqueue)',
  kinds: [irqfdAssign, irqfdWakeup, kvmLine, piUpdate],
  needs: [[irqfdAssign], [irqfdWakeup, kvmLine, piUpdate]],
  needsAll: false,
  confirm: 'probes at kvm_irqfd and at irqfd_wakeup, the second with the GSI of the irqfd',
  watch(report, { world }) {
    /** How many eventfds each GSI has more than when it was first seen, and where the last one went. */
    const tied = new Map<ObjectId, number>();
    const released = new Map<ObjectId, Step>();
    const resamples = new Set<ObjectId>();
    let judged = 0;
    const tell = (irqfd: ObjectId, step: Step, what: string): void => {
      const since = released.get(irqfd);
      if (since === undefined) return;
      judged++;
      const gsi = world.node(irqfd)?.segment;
      report({
        step,
        object: irqfd,
        title: `GSI ${gsi} ${what} after its irqfd was released`,
        text: `The eventfd of GSI ${gsi} was released, and after that the GSI ${what}: KVM promises that nothing comes from it once the call returned.`,
        evidence: [since],
      });
    };
    return {
      event(step, { kind, object, words, at }) {
        if (kind === irqfdAssign) {
          if (!isIrqfd(world, object)) return;
          const { release, resample } = irqfdAssign.read(words, at);
          judged++;
          if (resample === true) resamples.add(object);
          const count = (tied.get(object) ?? 0) + (release === true ? -1 : 1);
          tied.set(object, Math.max(0, count));
          // One that was tied before the trace began may be left.
          if (release !== true) released.delete(object);
          else if (count <= 0) released.set(object, step);
        } else if (kind === irqfdWakeup) tell(object, step, 'was signalled');
        else if (kind === piUpdate) {
          if (piUpdate.read(words, at).enable) tell(object, step, 'was posted to a virtual CPU');
        } else if (released.size > 0) {
          const { level, source } = kvmLine.read(words, at);
          if (!level || source !== 1) return;
          const irqfd = sameGsi(world, object, 'irqfd');
          if (resamples.has(irqfd)) tell(irqfd, step, 'was raised');
        }
      },
      lost() {
        tied.clear();
        released.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
