import type { ObjectId, Step } from '../../base/ids.ts';
import { permWrite } from '../../model/events/ims.ts';
import { vfioSparse, vfioTrap } from '../../model/events/vfio.ts';
import type { Rule } from '../rule.ts';
import { deviceName } from './vectors.ts';

/** An area that user space may map. */
interface Area {
  readonly step: Step;
  readonly from: number;
  readonly to: number;
}

/** F48. */
export const trappedStaysUnmapped: Rule<'F48'> = {
  id: 'F48',
  names: ['INV-TRAP'],
  title: 'Register that must be trapped is mapped into the guest',
  meaning: 'A write of the guest to a structure that VFIO has to see leaves the guest: its page is not mapped there.',
  severity: 'error',
  reference: 'VFIO_REGION_INFO_CAP_SPARSE_MMAP of include/uapi/linux/vfio.h; IDXD MSI-X permission table',
  kinds: [vfioSparse, vfioTrap, permWrite],
  needs: [[vfioSparse], [permWrite, vfioTrap]],
  needsAll: false,
  confirm: 'the areas of VFIO_DEVICE_GET_REGION_INFO (vfio.sparse) and vfio_region_write of the page',
  watch(report, { world }) {
    const areas = new Map<ObjectId, Area[]>();
    /** Areas of which it was told already. */
    const told = new Set<Area>();
    let judged = 0;
    return {
      event(step, { kind, object, words, at, task }) {
        if (kind === vfioSparse) {
          const { offset, size } = vfioSparse.read(words, at);
          const from = offset(0) + offset(1) * 2 ** 32;
          const list = areas.get(object) ?? [];
          list.push({ step, from, to: from + size(0) + size(1) * 2 ** 32 });
          areas.set(object, list);
        } else if (kind === vfioTrap) {
          const { wanted, offset, register } = vfioTrap.read(words, at);
          if (!wanted) return;
          judged++;
          const area = areas.get(object)?.find(({ from, to }) => offset >= from && offset < to);
          if (area === undefined || told.has(area)) return;
          told.add(area);
          report({
            step,
            object,
            title: `${world.strings.text(register)} of ${deviceName(world, object)} lies in an area that user space may map`,
            text: `The access at 0x${offset.toString(16)} was trapped, but VFIO offers its page to be mapped: a VMM that maps it lets writes pass unseen.`,
            evidence: [area.step],
          });
        } else {
          judged++;
          if (areas.size === 0 || !fromGuest(world.strings.text(task))) return;
          report({
            step,
            object,
            title: `${world.path(object)} was written by the guest and VFIO did not see it`,
            text: 'The guest wrote an entry of the permission table and the access did not leave it: the page is mapped. What VFIO has to do with the entry, such as translating the PASID, was not done.',
            evidence: [...areas.values()].flat().map((area) => area.step),
          });
        }
      },
      lost() {},
      get judged() {
        return judged;
      },
    };
  },
};

/** Whether a record was made by guest code, as traces of simulations name it (`guest-kernel:vm0.vcpu0`). */
const fromGuest = (task: string): boolean => task.startsWith('guest');
