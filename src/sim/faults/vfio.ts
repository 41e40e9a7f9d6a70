import type { ObjectId } from '../../base/ids.ts';
import { irqIdentify, msgWrite } from '../../model/events/irq.ts';
import { devRaise, devUse, tblRead } from '../../model/events/msix.ts';
import { vfioFire, vfioReturn, vfioSet, vfioSparse, vfioTrap } from '../../model/events/vfio.ts';
import { kvmAck } from '../../model/events/virt.ts';
import { effectivelyMasked } from '../../model/masking.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { vfioVector } from '../../model/things/virt.ts';
import { VFIO_INDEX } from '../../model/vfio-index.ts';
import { ACTION, DATA } from '../vfio/set-irqs.ts';
import { blamedAt, type PlantedFault, type Planting } from './planting.ts';

const scenario = 'vmm-faults';
const SETS = DATA.eventfd | ACTION.trigger;
const PAGE = 0x1000;

/** A vector of an MSI-X index of a device. */
const vectorAt = ({ machine }: Planting, device: ObjectId, vector: number): ObjectId =>
  machine.world.object(vfioVector, `${machine.world.path(device)}/${VFIO_INDEX.msix}/${vector}`);

/** Faults of VFIO and of the VMM's part in it. */
export const vfioFaults: readonly PlantedFault[] = [
  {
    id: 'F40',
    scenario,
    how: 'The device raises a vector while its eventfd is switched, keeps nothing pending, and nothing signals it afterwards.',
    stated: 'symptom',
    places: 30,
    watch(planting) {
      let vector = -1;
      let entry = -1;
      let lost = false;
      return ({ kind, object, words }) => {
        const { state } = planting.machine;
        if (kind === vfioSet) {
          const { flags, index, start } = vfioSet.read(words, 0);
          vector = flags === SETS && index === VFIO_INDEX.msix ? vectorAt(planting, object, start) : -1;
          if (vector < 0 || state.num(vector, vfioVector.at.eventfd) < 0) vector = -1;
          else if (!lost) entry = state.num(vector, vfioVector.at.entry);
        } else if (kind === vfioReturn) {
          if (vector < 0 || lost || !planting.here()) return;
          lost = true;
          planting.blamed = vector;
          planting.add(devRaise, entry, {});
        } else if (kind === devRaise && lost && object === entry) planting.tell(planting.blamed);
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
    how: 'A reset that the kernel does not see clears the address of a table entry.',
    stated: 'symptom',
    places: 20,
    watch(planting) {
      const written = new Map<string, number>();
      return ({ kind, object, words }) => {
        const { machine } = planting;
        if (kind === msgWrite || kind === irqIdentify) {
          const { hwirq, domain } = kind === msgWrite ? msgWrite.read(words, 0) : irqIdentify.read(words, 0);
          if (domain !== undefined) written.set(`${machine.world.strings.text(domain)}/${hwirq}`, machine.now);
          return;
        }
        if (kind !== tblRead) return;
        const { offset, size } = tblRead.read(words, 0);
        const node = machine.world.node(object);
        const since = written.get(`PCI-MSIX-${node?.parent?.parent?.segment}/${node?.segment}`);
        if (offset !== 0 || since === undefined || machine.now - since < 1.1e6) return;
        if (effectivelyMasked(machine.state, object) !== false || !planting.here()) return;
        const value = [words[tblRead.at.value]!, words[tblRead.at.value + 1]!];
        words[tblRead.at.value] = 0;
        planting.tell(object);
        planting.after(() => machine.emit(tblRead, object, { offset, size, value }));
      };
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
