import type { ObjectId } from '../../base/ids.ts';
import { devRaise, devUse, tblRead } from '../../model/events/msix.ts';
import { vfioFire, vfioReturn, vfioSet, vfioSparse, vfioTrap } from '../../model/events/vfio.ts';
import { kvmAck } from '../../model/events/virt.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { vfioVector } from '../../model/things/virt.ts';
import { VFIO_INDEX } from '../../model/vfio-index.ts';
import type { Machine } from '../machine.ts';
import { ACTION, DATA } from '../vfio/set-irqs.ts';
import { blamedAt, type PlantedFault } from './planting.ts';

const scenario = 'vmm-faults';
const PAGE = 0x1000;

/** The vector of VFIO that an entry of a function sends for. */
const vectorOf = ({ world }: Machine, entry: ObjectId): ObjectId => {
  const node = world.node(entry);
  return world.object(vfioVector, `vfio/${node!.parent!.parent!.segment}/${VFIO_INDEX.msix}/${node!.segment}`);
};

/** Faults of VFIO and of the VMM's part in it. */
export const vfioFaults: readonly PlantedFault[] = [
  {
    id: 'F40',
    scenario,
    how: 'The device raises a vector while its eventfd is switched and does not keep the pending bit: nothing signals it when the vector has a handler again.',
    places: 18,
    // The rule knows it when the device raises the vector once more, outside of any switch.
    watch(planting) {
      let open = false;
      return ({ kind, object, words }) => {
        if (kind === vfioSet) open = vfioSet.read(words, 0).ret === undefined;
        else if (kind === vfioReturn) open = false;
        else if (kind === devRaise && object === planting.blamed && !open)
          planting.tell(vectorOf(planting.machine, object));
      };
    },
  },
  {
    id: 'F41',
    scenario,
    how: 'The VMM takes an index that can grow for one that cannot: to add a vector, it switches all off and on again with one more.',
    places: 10,
    // The first call switches the index off, the second one on again.
    watch: blamedAt(vfioSet, 2),
  },
  {
    id: 'F42',
    scenario: 'vmm-grants',
    how: 'VFIO grants fewer vectors than the VMM asks for; the VMM does not look at the answer and asks for as many again.',
    places: 10,
  },
  {
    id: 'F43',
    scenario,
    how: 'The function resets itself when a cause arises: its table holds no messages any more, and the kernel does not know that.',
    places: 60,
    watch:
      (planting) =>
      ({ kind, object, words }) => {
        const read = kind === tblRead && object === planting.blamed && tblRead.read(words, 0).offset === 0;
        if (read) planting.tell(object);
      },
  },
  {
    id: 'F44',
    scenario,
    how: 'A device model raises a vector that it gave up.',
    stated: 'act',
    places: 100,
    watch: (planting) => (event) => {
      const { machine } = planting;
      if (event.kind !== devRaise || machine.world.type(event.object) !== msixEntry || !planting.here()) return;
      planting.add(devUse, event.object, { used: false });
      planting.tell(event.object);
      planting.after(() => machine.emit(devUse, event.object, { used: true }));
    },
  },
  {
    id: 'F45',
    scenario,
    how: 'QEMU takes an interrupt of a masked vector and does not begin to trap the pending bit array.',
    places: 15,
    watch: blamedAt(vfioFire),
  },
  {
    id: 'F46',
    scenario,
    how: 'The guest ends a level-triggered interrupt, and KVM does not tell the resampler: the line stays up, and the interrupt comes again.',
    places: 8,
    watch:
      (planting) =>
      ({ kind }) => {
        if (kind === kvmAck && planting.struck) planting.tell(planting.blamed);
      },
  },
  {
    id: 'F47',
    scenario,
    how: 'The VMM asks VFIO to mask an MSI-X vector.',
    stated: 'act',
    places: 60,
    watch: (planting) => (event) => {
      if (event.kind !== vfioSet || !planting.here()) return;
      planting.tell(event.object);
      const masks = { flags: DATA.none | ACTION.mask, index: VFIO_INDEX.msix, start: 0, count: 1, ret: -25 };
      planting.add(vfioSet, event.object, masks);
    },
  },
  {
    id: 'F48',
    scenario: 'sparse-mmap-hole',
    how: 'VFIO offers the page of the permission table to be mapped.',
    stated: 'act',
    places: 1,
    watch: (planting) => (event) => {
      if (event.kind !== vfioTrap) return;
      const { wanted, offset } = vfioTrap.read(event.words, 0);
      if (!wanted || !planting.here()) return;
      planting.add(vfioSparse, event.object, { region: 0, offset: offset - (offset % PAGE), size: PAGE });
      planting.tell(event.object);
    },
  },
];
