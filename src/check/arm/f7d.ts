import type { ObjectId, Step } from '../../base/ids.ts';
import { guestSte, vdeviceAlloc, vdeviceDestroy } from '../../model/events/arm/nested.ts';
import { steps } from '../history.ts';
import type { Rule } from '../rule.ts';

/** F7D. */
export const namesVirtualDevices: Rule<'F7D'> = {
  id: 'F7D',
  names: [],
  title: 'Virtual device with the ID of another stream',
  meaning:
    'The virtual device of a function has the StreamID by which the guest names that function: its events and the commands about it carry this ID.',
  severity: 'error',
  reference: 'drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-iommufd.c arm_vmaster_report_event, arm_vsmmu_vsid_to_sid',
  kinds: [vdeviceAlloc, vdeviceDestroy, guestSte],
  needs: [[vdeviceAlloc], [guestSte]],
  needsAll: false,
  confirm: 'virt_id of IOMMU_VDEVICE_ALLOC beside the bus number that the guest gave to the function',
  watch(report, { world }) {
    /** Virtual devices that exist, and since when, by the name of the function behind them. */
    const devices = new Map<string, { readonly object: ObjectId; readonly step: Step; told?: boolean }>();
    let judged = 0;
    return {
      event(step, { kind, object, words, at }) {
        if (kind === vdeviceDestroy) {
          for (const [name, one] of devices) if (one.object === object) devices.delete(name);
        } else if (kind === vdeviceAlloc) {
          const { device, ret } = vdeviceAlloc.read(words, at);
          if (ret === 0) devices.set(world.strings.text(device), { object, step });
        } else {
          const { device, ret } = guestSte.read(words, at);
          const name = world.strings.text(device);
          const known = devices.get(name);
          if (ret !== 0 || known === undefined) return;
          judged++;
          const [id, stream] = [world.node(known.object)?.segment ?? '?', world.node(object)?.segment ?? '?'];
          if (id === stream || known.told) return;
          known.told = true;
          report({
            step,
            object: known.object,
            title: `The virtual device of ${name} has the ID ${id}, and the guest names it ${stream}`,
            text: `The guest set up its stream ${stream}, behind which the VMM has ${name}; the virtual device of ${name} has the ID ${id}. Events of ${name} reach the guest as those of ${id}, and the commands of the guest about ${stream} do not reach ${name}.`,
            evidence: steps(known.step),
          });
        }
      },
      lost: () => devices.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
