import type { ObjectId, Step } from '../../base/ids.ts';
import { vfioReset, vfioReturn, vfioSet } from '../../model/events/vfio.ts';
import { kvmEntry } from '../../model/events/virt.ts';
import type { Breach, Rule } from '../rule.ts';
import { Threads } from '../threads.ts';
import { deviceName, deviceOfCall, isMessageIndex, SETS_EVENTFDS } from './vectors.ts';

/** A call that was granted fewer vectors than it asked for. */
interface Grant {
  readonly step: Step;
  readonly index: number;
  readonly asked: number;
  readonly possible: number;
  readonly thread: number;
}

/**
 * F42. No time is laid down for the second call, and others may come first: QEMU before 7.0 sets up INTx again between both
 * (vfio_msi_disable_common), and switching the index off is no answer. The chance is over once the thread that called enters the guest
 * again: the guest then goes on as if it had its vectors. The end of a capture ends no chance.
 */
export const fewerIsRetried: Rule<'F42'> = {
  id: 'F42',
  names: ['INV-RET'],
  title: 'Fewer vectors granted and not asked for again',
  meaning:
    'A positive result of VFIO_DEVICE_SET_IRQS means that nothing was enabled and so many vectors are possible: before the guest goes on, the caller asks again for that index, for no more than so many.',
  severity: 'error',
  reference: 'drivers/vfio/pci/vfio_pci_intrs.c vfio_msi_enable; hw/vfio/pci.c vfio_msi_enable',
  kinds: [vfioReturn, vfioSet],
  beside: [vfioReset, kvmEntry],
  needs: [[vfioReturn]],
  needsAll: false,
  confirm:
    'the next VFIO_DEVICE_SET_IRQS of the same device (vfio.set), kvm_entry of the thread that called, and what the VMM logs about it ("retry with")',
  watch(report, { world, complete }) {
    const open = new Map<ObjectId, Grant>();
    const threads = new Threads(world);
    let judged = 0;
    const tell = (device: ObjectId, grant: Grant, step: Step, what: string, absent?: Breach['absent']): void => {
      open.delete(device);
      const name = deviceName(world, device);
      const { asked, possible } = grant;
      report({
        step,
        object: device,
        title: `${name} was granted ${possible} of ${asked} vectors, none is enabled, and the caller did not ask for ${possible}`,
        text: `SET_IRQS for ${asked} vectors of ${name} returned ${possible}: nothing was enabled. ${what}`,
        evidence: [grant.step],
        ...(absent === undefined ? {} : { absent }),
      });
    };
    return {
      event(step, { kind, object, task, words, at }) {
        if (kind === kvmEntry) {
          if (open.size === 0) return;
          const thread = threads.of(task);
          for (const [device, grant] of open)
            if (grant.thread === thread)
              tell(
                device,
                grant,
                step,
                'The thread that called entered the guest again without another call for that index: the guest goes on without these interrupts.',
                { since: grant.step, kinds: [vfioSet] },
              );
          return;
        }
        if (kind === vfioReset) {
          open.delete(object);
          return;
        }
        const isReturn = kind === vfioReturn;
        const { index, start, count } = isReturn ? vfioReturn.read(words, at) : vfioSet.read(words, at);
        const known = deviceOfCall(world, object, index);
        const device = known < 0 ? object : known;
        if (isReturn) {
          if (!isMessageIndex(index)) return;
          judged++;
          const { ret } = vfioReturn.read(words, at);
          if (ret > 0) open.set(device, { step, index, asked: start + count, possible: ret, thread: threads.of(task) });
          return;
        }
        const grant = open.get(device);
        if (grant?.index !== index || vfioSet.read(words, at).flags !== SETS_EVENTFDS) return;
        if (start + count <= grant.possible) open.delete(device);
        else tell(device, grant, step, `The next call for that index asks for ${start + count} again.`);
      },
      lost: () => open.clear(),
      end(last: Step) {
        const kinds = complete ? [vfioSet] : [];
        for (const [device, grant] of open)
          tell(device, grant, last, 'No other call for that index follows.', { since: grant.step, kinds });
      },
      get judged() {
        return judged;
      },
    };
  },
};
