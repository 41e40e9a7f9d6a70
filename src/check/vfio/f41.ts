import type { ObjectId, Step } from '../../base/ids.ts';
import { vfioBind, vfioSet } from '../../model/events/vfio.ts';
import type { Rule } from '../rule.ts';
import { armedCount, deviceName, deviceOfCall, isMessageIndex, SETS_EVENTFDS, SWITCHES_OFF } from './vectors.ts';

/** An index that was switched off while vectors of it were armed. */
interface Off {
  readonly step: Step;
  readonly time: number;
  readonly index: number;
  readonly armed: number;
  readonly task: number;
}

/** F41. */
export const growsWithoutTeardown: Rule<'F41'> = {
  id: 'F41',
  names: ['INV-GROW'],
  title: 'All vectors torn down to add one',
  meaning: 'No armed vector is torn down that the guest did not ask for.',
  severity: 'warning',
  reference: 'VFIO_IRQ_INFO_NORESIZE of include/uapi/linux/vfio.h; hw/vfio/pci.c vfio_msix_vector_do_use',
  kinds: [vfioSet],
  needs: [[vfioSet]],
  needsAll: false,
  confirm: 'the flags of VFIO_DEVICE_GET_IRQ_INFO (NORESIZE) and the log of QEMU: vfio_msix_vector_do_use',
  watch(report, scene) {
    const { world } = scene;
    const off = new Map<ObjectId, Off>();
    let judged = 0;
    return {
      event(step, { object, time, task, words, at }, state) {
        const { flags, index, start, count } = vfioSet.read(words, at);
        const device = deviceOfCall(world, object, index);
        const before = off.get(device);
        off.delete(device);
        if (!isMessageIndex(index) || device < 0) return;
        if (flags === SWITCHES_OFF && count === 0) {
          const armed = armedCount(state, device, index, scene.recorded(vfioBind));
          if (armed > 0) off.set(device, { step, time, index, armed, task });
        } else if (flags === SETS_EVENTFDS && before !== undefined && before.index === index) {
          judged++;
          // A guest that switches MSI-X off and on again begins with one vector, as before its first use.
          const grows = start === 0 && count > before.armed && before.task === task;
          if (!grows) return;
          const name = deviceName(world, device);
          report({
            step,
            object: device,
            title: `${before.armed === 1 ? 'The armed vector' : `All ${before.armed} armed vectors`} of ${name} went down to grow to ${count}`,
            text: `The index was switched off with ${before.armed} armed vectors and on again with ${count}, ${scene.span(time - before.time)} later, by the same thread: none of the vectors had a handler in between. The kernel cannot add vectors to an index that is on (NORESIZE).`,
            evidence: [before.step],
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
