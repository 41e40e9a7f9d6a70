import type { ObjectId } from '../../base/ids.ts';
import { mark, message } from '../../model/events/notes.ts';
import { vfioBind } from '../../model/events/vfio.ts';
import type { State } from '../../model/state.ts';
import { remapUnit } from '../../model/things/remap.ts';
import { each } from '../history.ts';
import { textOf } from '../names.ts';
import type { Rule } from '../rule.ts';

/** Whether the host isolates messages: an ITS does, and so does a remapping unit that is on. Units of guests do not count. */
function isolates(state: State): boolean {
  const { world } = state;
  if ((world.find('its')?.children.size ?? 0) > 0) return true;
  for (const { object, segment } of world.find('irte')?.children.values() ?? [])
    if (!segment.startsWith('vm') && state.flag(object, remapUnit.at.enabled) === true) return true;
  return false;
}

/** What VFIO says where it refuses a device for that reason. */
const REFUSED = /\bNo interrupt remapping support\b/;

/** F38. The log of an emulator shows the unit of its guest, not that of the host: only what shows the whole host is judged. */
export const isolatesMessages: Rule<'F38'> = {
  id: 'F38',
  names: ['INV-ISO'],
  title: 'Assigned device without isolated interrupts',
  meaning: 'A device is assigned to a guest only where its messages cannot raise interrupts of others.',
  severity: 'security',
  reference: 'drivers/vfio/vfio_iommu_type1.c, iommufd: msi_device_has_isolated_msi() or allow_unsafe_interrupts',
  kinds: [vfioBind],
  needs: [[vfioBind]],
  alone: [message, mark],
  needsAll: true,
  confirm: 'dmesg ("No interrupt remapping support", "Enabled IRQ remapping"), the parameter allow_unsafe_interrupts',
  watch(report) {
    /** Devices of which it was said. */
    const told = new Set<ObjectId>();
    return each((step, happened, state) => {
      const { kind, object, words, at } = happened;
      const { world } = state;
      if (kind !== vfioBind) {
        const text = textOf(world, happened);
        if (!REFUSED.test(text)) return false;
        report({
          step,
          object,
          severity: 'info',
          title: 'VFIO refused a device: nothing remaps its interrupts',
          text: `The kernel says: ${text.trim()}. The device was not assigned. With allow_unsafe_interrupts it would be, and its guest could raise any vector of the host.`,
          evidence: [],
        });
        return true;
      }
      // A vector that VFIO emulates has no interrupt of the host behind it.
      if (vfioBind.read(words, at).irq === undefined) return false;
      const dev = world.node(object)?.parent?.parent?.object ?? -1;
      if (isolates(state) || told.has(dev)) return true;
      told.add(dev);
      const name = world.node(dev)?.segment ?? '?';
      report({
        step,
        object: dev < 0 ? object : dev,
        title: `${name} is assigned, and nothing keeps it from raising interrupts of others`,
        text: `${name} is used through VFIO while no unit remaps interrupts: the guest that owns it can make it write any message, and so raise any vector of any CPU of the host.`,
        evidence: [],
      });
      return true;
    });
  },
};
