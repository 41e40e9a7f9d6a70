import type { ObjectId, Step } from '../../base/ids.ts';
import { vfioBind, vfioReset, vfioSet } from '../../model/events/vfio.ts';
import { kvmEntry, kvmExit } from '../../model/events/virt.ts';
import type { Rule } from '../rule.ts';
import { Threads } from '../threads.ts';
import { armedCount, deviceName, deviceOfCall, isMessageIndex, SETS_EVENTFDS, SWITCHES_OFF } from './vectors.ts';

/** An index that was switched off while vectors of it were armed. */
interface Off {
  readonly step: Step;
  readonly time: number;
  readonly index: number;
  readonly armed: number;
  readonly thread: number;
}

/**
 * F41. A VMM that grows an index switches it off and on again while the guest waits for it: the thread of the virtual CPU does not enter the
 * guest in between. Where it does, the guest asked twice, as when its driver is loaded again or sets up another number of queues. Of a thread
 * that is not seen to run a guest nothing tells which of both it was.
 */
export const growsWithoutTeardown: Rule<'F41'> = {
  id: 'F41',
  names: ['INV-GROW'],
  title: 'All vectors torn down to add one',
  meaning:
    'No armed vector is torn down that the guest did not ask for: a VMM does not switch an index off and on again with more vectors while the guest waits for it. Where the guest ran in between, it asked itself (its driver was loaded again).',
  severity: 'warning',
  reference: 'VFIO_IRQ_INFO_NORESIZE of include/uapi/linux/vfio.h; hw/vfio/pci.c vfio_msix_vector_do_use',
  kinds: [vfioSet],
  beside: [vfioReset, kvmEntry, kvmExit],
  needs: [[vfioSet]],
  needsAll: false,
  confirm:
    'kvm_entry and kvm_exit of the thread that calls, the flags of VFIO_DEVICE_GET_IRQ_INFO (NORESIZE) and the log of QEMU: vfio_msix_vector_do_use',
  watch(report, scene) {
    const { world } = scene;
    const off = new Map<ObjectId, Off>();
    const threads = new Threads(world);
    /** Threads that run a virtual CPU. */
    const vcpus = new Set<number>();
    let judged = 0;
    return {
      event(step, { kind, object, time, task, words, at }, state) {
        if (kind === kvmEntry || kind === kvmExit) {
          const thread = threads.of(task);
          vcpus.add(thread);
          if (kind === kvmEntry && off.size > 0)
            for (const [device, is] of off)
              if ((scene.complete || is.thread === thread) && off.delete(device)) judged++;
          return;
        }
        if (kind === vfioReset) {
          off.delete(object);
          return;
        }
        const { flags, index, start, count } = vfioSet.read(words, at);
        const device = deviceOfCall(world, object, index);
        const before = off.get(device);
        off.delete(device);
        if (!isMessageIndex(index) || device < 0) return;
        const thread = threads.of(task);
        if (flags === SWITCHES_OFF && count === 0) {
          const armed = armedCount(state, device, index, scene.recorded(vfioBind));
          if (armed > 0) off.set(device, { step, time, index, armed, thread });
        } else if (flags === SETS_EVENTFDS && before !== undefined && before.index === index) {
          judged++;
          // A guest that switches MSI-X off and on again begins with one vector, as before its first use.
          const grows = start === 0 && count > before.armed && before.thread === thread;
          if (!grows) return;
          const name = deviceName(world, device);
          report({
            step,
            object: device,
            title: `${before.armed === 1 ? 'The armed vector' : `All ${before.armed} armed vectors`} of ${name} went down to grow to ${count}`,
            text: `The index was switched off with ${before.armed === 1 ? 'one armed vector' : `${before.armed} armed vectors`} and on again with ${count}, ${scene.span(time - before.time, before.step, step)} later, by the same thread, which did not enter the guest in between: ${before.armed === 1 ? 'the vector had no handler' : 'none of the vectors had a handler'} meanwhile, and the guest did not ask for that. The kernel cannot add vectors to an index that is on (NORESIZE).`,
            evidence: [before.step],
            absent: { since: before.step, kinds: vcpus.has(thread) ? [kvmEntry] : [] },
          });
        }
      },
      lost: () => off.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
