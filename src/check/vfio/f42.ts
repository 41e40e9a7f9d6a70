import type { ObjectId, Step } from '../../base/ids.ts';
import { vfioReturn, vfioSet } from '../../model/events/vfio.ts';
import type { State } from '../../model/state.ts';
import type { Rule } from '../rule.ts';
import { deviceName, deviceOfCall, isMessageIndex, SETS_EVENTFDS } from './vectors.ts';

/** A call that was granted fewer vectors than it asked for. */
interface Grant {
  readonly step: Step;
  readonly index: number;
  readonly asked: number;
  readonly possible: number;
}

/** F42. */
export const fewerIsRetried: Rule<'F42'> = {
  id: 'F42',
  names: ['INV-RET'],
  title: 'Fewer vectors granted and not asked for again',
  meaning:
    'A positive result of VFIO_DEVICE_SET_IRQS means that nothing was enabled and so many vectors are possible: the caller asks again for that many.',
  severity: 'error',
  reference: 'drivers/vfio/pci/vfio_pci_intrs.c vfio_msi_enable; hw/vfio/pci.c vfio_msi_enable',
  kinds: [vfioReturn, vfioSet],
  needs: [[vfioReturn]],
  needsAll: false,
  confirm: 'the next VFIO_DEVICE_SET_IRQS of the same device (vfio.set) and what the VMM logs about it',
  watch(report, { world }) {
    const open = new Map<ObjectId, Grant>();
    let judged = 0;
    const tell = (device: ObjectId, grant: Grant, step: Step, what: string, absent: boolean): void => {
      const name = deviceName(world, device);
      const { asked, possible } = grant;
      report({
        step,
        object: device,
        title: `${name} was granted ${possible} of ${asked} vectors, none is enabled, and the caller did not ask for ${possible}`,
        text: `SET_IRQS for ${asked} vectors of ${name} returned ${possible}: nothing was enabled. ${what}`,
        evidence: [grant.step],
        ...(absent ? { absent: { since: grant.step, kinds: [vfioSet] } } : {}),
      });
    };
    return {
      event(step, { kind, object, words, at }) {
        if (kind === vfioReturn) {
          const { index, start, count, ret } = vfioReturn.read(words, at);
          const device = deviceOfCall(world, object, index);
          if (!isMessageIndex(index)) return;
          judged++;
          if (ret > 0) open.set(device < 0 ? object : device, { step, index, asked: start + count, possible: ret });
          return;
        }
        const { flags, index, start, count } = vfioSet.read(words, at);
        const known = deviceOfCall(world, object, index);
        const device = known < 0 ? object : known;
        const grant = open.get(device);
        if (grant === undefined) return;
        open.delete(device);
        const again = flags === SETS_EVENTFDS && index === grant.index;
        if (again && start + count <= grant.possible) return;
        tell(
          device,
          grant,
          step,
          again
            ? `The next call asks for ${start + count} again.`
            : 'The next call is about something else: the device goes on without these interrupts.',
          false,
        );
      },
      lost: () => open.clear(),
      end(last: Step, _state: State) {
        for (const [device, grant] of open) tell(device, grant, last, 'No call of the device follows.', true);
      },
      get judged() {
        return judged;
      },
    };
  },
};
