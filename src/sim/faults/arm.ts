import type { ObjectId } from '../../base/ids.ts';
import { gicPend } from '../../model/events/cpu.ts';
import { domAlloc, msiPrepare } from '../../model/events/domain.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { itsError, itsTrans, lpiLoad } from '../../model/events/its.ts';
import { msgSend, tblWrite } from '../../model/events/msix.ts';
import { smmuFault, smmuMap, smmuUnmap } from '../../model/events/smmu.ts';
import { cellTarget } from '../../model/references.ts';
import { ioasMap, vmsi } from '../../model/things/ims.ts';
import { irq } from '../../model/things/irq.ts';
import { its, itsEvent, lpiConfig } from '../../model/things/remap.ts';
import type { EventRow } from '../../trace/row.ts';
import { blamedAt, type PlantedFault, type Planting } from './planting.ts';

const scenario = 'arm-faults';
/** Bytes of a page of the SMMU. */
const PAGE = 4096;
/** How far a wrong address is from the right one: pages that nobody maps. */
const ASIDE = 64 * PAGE;

/** The mapping of stage 1 that an address of a function lies in, or -1. */
function mappingOf({ machine: { world, state } }: Planting, requester: number, address: number): ObjectId {
  const page = address - (address % PAGE);
  const object = world.objectAt(`smmu/0/stream/0x${requester.toString(16)}/s1/0x${page.toString(16)}`);
  return state.present(object) ? object : -1;
}

/** An irq behind iommufd has a vector whose address the VMM gave: the object of that address, or -1. */
function givenFor({ machine: { world, state } }: Planting, object: ObjectId): ObjectId {
  const [dev, index] = [state.text(object, irq.at.device), state.num(object, irq.at.hwirq)];
  const given = dev === '' || index < 0 ? -1 : world.objectAt(`iommufd/1/vmsi/${dev}/${index}`);
  return state.present(given) ? given : -1;
}

/** The message that the kernel writes gets another address, in the record of the kernel and in the table. */
const readdressed =
  (places: (planting: Planting, object: ObjectId) => number, wants: (lo: number) => boolean) =>
  (planting: Planting) => {
    let wrong = 0;
    return ({ kind, object, words }: EventRow): void => {
      if (kind === msgWrite) {
        const { address, data, hwirq, domain, by, where } = msgWrite.read(words, 0);
        wrong = 0;
        if (!wants(address(0))) return;
        const lo = places(planting, object);
        if (lo <= 0 || !planting.here()) return;
        const texts = [hwirq, domain, by, where] as const;
        const event = msgWrite.put().address(lo, 0).data(data);
        if (texts[0] !== undefined) event.hwirq(texts[0]);
        if (texts[1] !== undefined) event.domain(texts[1]);
        if (texts[2] !== undefined) event.by(texts[2]);
        if (texts[3] !== undefined) event.where(texts[3]);
        wrong = lo;
        planting.tell(object);
      } else if (kind === tblWrite && wrong > 0 && tblWrite.read(words, 0).offset === 0) {
        tblWrite.put().offset(0).size(4).value(wrong, 0);
        wrong = 0;
      }
    };
  };

/** The fault is found at the next interrupt of the vPE. */
const interruptOfVpe =
  (planting: Planting) =>
  ({ kind, object }: EventRow): void => {
    if (kind !== itsTrans || !planting.struck) return;
    const vpe = cellTarget(planting.machine.state, object, itsEvent, 'vpe');
    if (vpe === planting.blamed) planting.tell(vpe);
  };

/** Faults of SMMU, ITS and iommufd, and of who sets them up. */
export const armFaults: readonly PlantedFault[] = [
  {
    id: 'F70',
    scenario,
    how: 'The guest takes the page of its doorbell out of stage 1 just before a message is sent, and maps it again behind it.',
    places: 20,
    watch(planting) {
      let entry: ObjectId = -1;
      let mapping: ObjectId = -1;
      let output: readonly [number, number] = [0, 0];
      return ({ kind, object, words }) => {
        if (kind === msgSend && entry < 0) {
          const { requester, address } = msgSend.read(words, 0);
          const found = mappingOf(planting, requester ?? 0, address(0));
          if (found < 0 || !planting.here()) return;
          const { state } = planting.machine;
          output = [state.get(found, ioasMap.at.output), state.get(found, ioasMap.at.output + 1)];
          entry = object;
          mapping = found;
          planting.add(smmuUnmap, found, {});
        } else if (kind === smmuFault && mapping >= 0) {
          planting.tell(entry);
          const again = mapping;
          mapping = -1;
          planting.after(() => planting.add(smmuMap, again, { output, size: PAGE }));
        }
      };
    },
  },
  {
    id: 'F71',
    scenario,
    how: 'The kernel programs a vector with another address than user space gave.',
    stated: 'act',
    places: 16,
    watch: readdressed(
      (planting, object) => {
        const given = givenFor(planting, object);
        return given < 0 ? 0 : planting.machine.state.get(given, vmsi.at.iova) + ASIDE;
      },
      (lo) => lo !== 0,
    ),
  },
  {
    id: 'F72',
    scenario,
    how: 'User space gave no address for a vector, and the kernel does not look at the answer of the owner of the translation: it sets the irq up all the same.',
    places: 5,
    watch: blamedAt(domAlloc),
  },
  {
    id: 'F73',
    scenario,
    how: 'User space changes the message address of a vector in use; its affinity stays, so the kernel takes the message for unchanged and does not write it.',
    places: 16,
  },
  {
    id: 'F74',
    scenario,
    how: 'The kernel programs a vector with the physical address of the doorbell.',
    stated: 'act',
    places: 16,
    watch: readdressed(
      (planting, object) => {
        const { world, state } = planting.machine;
        return givenFor(planting, object) < 0 ? 0 : state.get(world.objectAt('its/0'), its.at.doorbell);
      },
      (lo) => lo !== 0,
    ),
  },
  {
    id: 'F75',
    scenario: 'its-moves',
    how: 'The driver that moves an interrupt to another EventID discards the old one before the device has the new message: one that is on its way finds no mapping.',
    places: 24,
    watch: blamedAt(itsError),
  },
  {
    id: 'F76',
    scenario,
    how: 'The driver reads the DeviceID of a function from a wrong row of the map of the firmware: it lies beyond the device table of the ITS.',
    places: 6,
    watch: blamedAt(itsError),
  },
  {
    id: 'F77',
    scenario: 'its-faults',
    how: 'The ITS keeps the cached translation of an EventID that is discarded: when the EventID is mapped to another LPI, its messages still make the old one pend.',
    places: 12,
    watch(planting) {
      let asked = false;
      return ({ kind, object, words }) => {
        const { state, world } = planting.machine;
        const E = itsEvent.at;
        if (kind === gicPend && asked && gicPend.read(words, 0).pending) {
          const lpi = Number(world.node(object)?.segment);
          if (state.num(planting.blamed, E.lpi) !== lpi) planting.tell(planting.blamed);
        }
        asked = kind === itsTrans && object === planting.blamed;
      };
    },
  },
  {
    id: 'F78',
    scenario,
    how: 'The kernel enables an LPI and no INV makes the redistributor read that.',
    places: 6,
    watch(planting) {
      let lpi: ObjectId = -1;
      return ({ kind, object }) => {
        const { state, world } = planting.machine;
        const L = lpiConfig.at;
        if (kind === lpiLoad && lpi < 0) {
          const [cached, enabled] = [state.flag(object, L.cached), state.flag(object, L.enabled)];
          if (cached !== false || enabled !== true || !planting.here()) return;
          lpi = object;
          planting.drop();
        } else if (kind === itsTrans && lpi >= 0) {
          const number = state.num(object, itsEvent.at.lpi);
          if (number >= 0 && world.objectAt(`gic/0/lpi/${number}`) === lpi) planting.tell(lpi);
        }
      };
    },
  },
  {
    id: 'F7A',
    scenario,
    settings: { vmsi: 'rmr' },
    how: 'The kernel does not find the page that it has mapped for a doorbell: it wants another one, and the window of software MSI addresses has none left.',
    places: 16,
    watch: blamedAt(msiPrepare),
  },
  {
    id: 'R30',
    scenario: 'gicv4-faults',
    how: 'KVM takes a virtual CPU that waits for an interrupt off its CPU, and does not want the doorbell of its vPE.',
    places: 14,
    watch(planting) {
      return ({ kind, object, words }) => {
        if (kind !== gicPend || !planting.struck || !gicPend.read(words, 0).pending) return;
        const vcpu = planting.machine.world.node(object)?.parent?.parent?.object;
        if (vcpu === planting.blamed) planting.tell(object);
      };
    },
  },
  {
    id: 'R31',
    scenario: 'gicv4-faults',
    how: 'KVM runs a virtual CPU on another CPU, and no VMOVP tells the ITS where its vPE is.',
    places: 14,
    watch: interruptOfVpe,
  },
  {
    id: 'R31-sync',
    rule: 'R31',
    scenario: 'gicv4-faults',
    how: 'KVM runs a virtual CPU on another CPU and puts VMOVP into the queue without a VSYNC: the ITS goes on to send to the redistributor that the vPE left.',
    places: 14,
    watch: interruptOfVpe,
  },
];
