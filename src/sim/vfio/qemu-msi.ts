import { VFIO_INDEX } from '../../model/vfio-index.ts';
import type { Actions } from '../machine.ts';
import type { Eventfds } from './eventfds.ts';
import { ACTION, DATA } from './set-irqs.ts';
import type { VfioDevice } from './vfio-device.ts';

/**
 * vfio_msi_enable of hw/vfio/pci.c: asks for so many MSI vectors; a positive answer says how many are possible, and it asks again for those.
 * An errno, behind a positive answer as well, ends it: the device has no messages then. How many it got, or that errno.
 */
export function* enableMsi(device: VfioDevice, fds: Eventfds, count: number): Actions<number> {
  const eventfds = Array.from({ length: count }, () => fds.read());
  for (let wanted = count; ; ) {
    const ret = yield* device.setIrqs({
      flags: DATA.eventfd | ACTION.trigger,
      index: VFIO_INDEX.msi,
      start: 0,
      count: wanted,
      fds: eventfds.slice(0, wanted),
    });
    if (ret <= 0) return ret === 0 ? wanted : ret;
    wanted = ret;
  }
}
