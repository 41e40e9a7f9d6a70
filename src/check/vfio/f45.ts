import type { ObjectId, Step } from '../../base/ids.ts';
import { vfioFire, vfioMode, vfioPba, vfioReset, vfioUse } from '../../model/events/vfio.ts';
import { vfioDevice, vfioVector } from '../../model/things/virt.ts';
import { VFIO_INDEX } from '../../model/vfio-index.ts';
import type { Rule } from '../rule.ts';
import { deviceName, ownerOfVector, vectorName } from './vectors.ts';

/** F45. */
export const overlayWhilePending: Rule<'F45'> = {
  id: 'F45',
  names: ['INV-OVL'],
  title: 'Pending bits read from the hardware while QEMU keeps one',
  meaning:
    'While an interrupt waits in QEMU for its vector to be unmasked, QEMU answers reads of the pending bit array; the hardware shows 0 there.',
  severity: 'error',
  reference: 'hw/vfio/pci.c vfio_msi_interrupt, vfio_msix_vector_do_use',
  kinds: [vfioFire, vfioPba, vfioUse, vfioMode, vfioReset],
  needs: [[vfioPba], [vfioFire]],
  needsAll: false,
  confirm: 'vfio_msix_pba_enable, vfio_msix_pba_disable and vfio_msi_interrupt in the log of QEMU',
  watch(report, { world, complete }) {
    /** Vectors that were signalled while masked, and when. */
    const pending = new Map<ObjectId, Step>();
    let judged = 0;
    const drop = (device: ObjectId): void => {
      for (const vector of pending.keys()) if (ownerOfVector(world, vector) === device) pending.delete(vector);
    };
    return {
      event(step, { kind, object, words, at }, state) {
        if (kind === vfioFire) {
          if (!vfioFire.read(words, at).has.address || state.flag(object, vfioVector.at.used) !== false) return;
          const index = world.node(object)?.parent?.segment;
          if (index !== String(VFIO_INDEX.msix)) return;
          judged++;
          pending.set(object, step);
          const device = ownerOfVector(world, object);
          const trapped = state.flag(device, vfioDevice.at.pbaTrapped);
          if (trapped === true || (trapped === undefined && !complete)) return;
          report({
            step,
            object,
            title: `${vectorName(world, object)} waits in QEMU while reads of the pending bits go to the hardware`,
            text: `QEMU took ${vectorName(world, object)} while the guest has it masked, and does not trap the pending bit array: the guest reads 0 for it.`,
            evidence: [],
          });
        } else if (kind === vfioUse) {
          if (vfioUse.read(words, at).used === true) pending.delete(object);
        } else if (kind === vfioPba) {
          if (vfioPba.read(words, at).trapped) return;
          judged++;
          for (const [vector, since] of pending) {
            if (ownerOfVector(world, vector) !== object) continue;
            report({
              step,
              object: vector,
              title: `Reads of the pending bits of ${deviceName(world, object)} go to the hardware while ${vectorName(world, vector)} waits`,
              text: `QEMU stopped trapping the pending bit array of ${deviceName(world, object)} although ${vectorName(world, vector)} was signalled while masked and was not used since: the guest reads 0 for it.`,
              evidence: [since],
            });
          }
        } else if (kind === vfioReset || !vfioMode.read(words, at).enabled) drop(object);
      },
      lost: () => pending.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
