import type { ObjectId } from '../../base/ids.ts';
import { requesterText } from '../../model/bdf.ts';
import { type EventKind, refused } from '../../model/event.ts';
import { cpuSignal } from '../../model/events/cpu.ts';
import { domAlloc } from '../../model/events/domain.ts';
import { tblWrite } from '../../model/events/msix.ts';
import { iecInvalidate, irEnable, irFault, irRemap, irRequest, irteWrite } from '../../model/events/remap.ts';
import { vfioBind } from '../../model/events/vfio.ts';
import { vtdIrte } from '../../model/registers/vtd.ts';
import { DELIVERY, x86Address } from '../../model/registers/x86.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { irte, remapUnit } from '../../model/things/remap.ts';
import type { EventRow } from '../../trace/row.ts';
import type { PlantedFault, Planting } from './planting.ts';

const scenario = 'remap-faults';
/** A reserved bit in the lowest word of an entry. */
const RESERVED = 28;

/** Whether the write at hand goes to an entry that is in use, and leaves it in remapped format. */
function rewrites({ kind, object, words }: EventRow, { machine }: Planting): boolean {
  const { present, posted } = vtdIrte.f;
  if (kind !== irteWrite || !present.in(words[0]!) || posted.in(words[0]!)) return false;
  return machine.state.get(object, irte.at.remaps) > 0;
}

/** Whether what the unit has cached of the entry differs from what is written. */
function outdates({ object, words }: EventRow, { machine: { state } }: Planting): boolean {
  if (state.flag(object, irte.at.cached) !== true) return false;
  for (let i = 0; i < 4; i++) if (state.get(object, irte.at.value + i) !== words[i]) return true;
  return false;
}

/** A write of an entry in use goes wrong as `spoil` says; the fault shows at the next event of a kind about it. */
const spoiled = (spoil: (words: Uint32Array, planting: Planting) => void, shows: EventKind) => (planting: Planting) => {
  let entry: ObjectId = -1;
  return (event: EventRow): void => {
    if (entry < 0 && rewrites(event, planting) && planting.here()) {
      spoil(event.words, planting);
      entry = event.object;
      if (shows === irteWrite) planting.tell(entry);
    } else if (event.kind === shows && event.object === entry) planting.tell(entry);
  };
};

/** Faults of remapping units and of who programs them. */
export const remapFaults: readonly PlantedFault[] = [
  {
    id: 'F30',
    scenario,
    how: 'The kernel moves an interrupt and writes its table entry without the present bit.',
    places: 16,
    watch: spoiled((words) => {
      words[0] = vtdIrte.f.present.insert(words[0]!, 0);
    }, irFault),
  },
  {
    id: 'F31',
    scenario,
    how: 'The kernel writes a table entry in use and forgets to invalidate the cached copy.',
    places: 16,
    watch(planting) {
      let entry: ObjectId = -1;
      let used = false;
      return (event) => {
        if (entry < 0) {
          if (rewrites(event, planting)) used = outdates(event, planting);
          else if (event.kind === iecInvalidate && used) {
            used = false;
            if (!planting.here()) return;
            entry = event.object;
            planting.drop();
          }
        } else if (event.kind === irRequest && event.object === entry) planting.tell(entry);
      };
    },
  },
  {
    id: 'F32',
    scenario,
    how: 'An affinity change of the host overwrites an entry that posts to a virtual CPU.',
    places: 4,
    watch: (planting) => (event) => {
      if (planting.struck && event.kind === irteWrite) planting.tell(event.object);
    },
  },
  {
    id: 'F33',
    scenario,
    how: 'The message that the kernel writes into an entry is in compatibility format.',
    places: 6,
    watch(planting) {
      let spoiled = false;
      return ({ kind, object, words }) => {
        if (kind === irFault && spoiled) planting.tell(object);
        if (kind !== tblWrite || spoiled) return;
        const { offset, value } = tblWrite.read(words, 0);
        const { format } = x86Address.f;
        const address = value(0);
        const writes = planting.machine.state.get(object, msixEntry.at.writes);
        if (offset !== 0 || !format.in(address) || writes < 4 || !planting.here()) return;
        spoiled = true;
        tblWrite.put().offset(0).size(4).value(format.insert(address, 0), 0);
      };
    },
  },
  {
    id: 'F34',
    scenario,
    how: 'The kernel moves an interrupt and writes the source id of another function into its table entry.',
    places: 16,
    watch: spoiled((words) => {
      const { sid } = vtdIrte.f;
      words[sid.word] = sid.insert(words[sid.word]!, sid.of(words[sid.word]!) + 1);
    }, irFault),
  },
  {
    id: 'F35',
    scenario,
    how: 'The kernel moves an interrupt and writes a reserved bit into its table entry.',
    places: 16,
    watch: spoiled((words) => {
      words[0] = (words[0]! | (1 << RESERVED)) >>> 0;
    }, irFault),
  },
  {
    id: 'F36',
    scenario,
    how: 'The remap domain does not give the entry of a freed irq back to the table, which has just enough: none is left for the next irq.',
    places: 8,
    watch:
      (planting) =>
      ({ kind, object, words }) => {
        if (kind !== domAlloc || !planting.struck) return;
        const { free, ret } = domAlloc.read(words, 0);
        if (!free && refused(ret)) planting.tell(object);
      },
  },
  {
    id: 'F37',
    scenario,
    how: 'The kernel moves an interrupt and writes its table entry with Fault Processing Disable.',
    stated: 'act',
    places: 16,
    watch: spoiled((words) => {
      words[0] = vtdIrte.f.fpd.insert(words[0]!, 1);
    }, irteWrite),
  },
  {
    id: 'F38',
    scenario: 'ims-faults',
    how: 'Interrupt remapping is switched off, and VFIO assigns a device all the same.',
    stated: 'act',
    places: 2,
    watch:
      (planting) =>
      ({ kind, object, words }) => {
        if (kind !== vfioBind || vfioBind.read(words, 0).irq === undefined || !planting.here()) return;
        const { world } = planting.machine;
        for (const unit of world.find('irte')?.children.values() ?? [])
          if (world.type(unit.object) === remapUnit) planting.add(irEnable, unit.object, { enable: false });
        planting.tell(world.node(object)?.parent?.parent?.object ?? -1);
      },
  },
  {
    id: 'F39',
    scenario,
    how: 'The kernel moves an interrupt and writes delivery mode NMI into its table entry.',
    places: 16,
    watch(planting) {
      let spoilt = false;
      return (event) => {
        const { kind, words } = event;
        if (!spoilt && rewrites(event, planting) && planting.here()) {
          spoilt = true;
          words[0] = vtdIrte.f.deliveryMode.insert(words[0]!, DELIVERY.nmi);
        } else if (spoilt && kind === cpuSignal) {
          const { requester } = cpuSignal.read(words, 0);
          if (requester !== undefined)
            planting.tell(planting.machine.world.objectAt(`device/${requesterText(requester)}`));
        }
      };
    },
  },
  {
    id: 'R13',
    scenario: 'boot-timer',
    how: 'The wave of the timer stays up after a tick: its edge-triggered pin sees no edge any more.',
    places: 4,
    watch(planting) {
      const { recorder, world } = planting.machine;
      let last = -1;
      return ({ kind }) => {
        if (planting.struck) planting.tell(world.objectAt('ioapic/0/pin/2'), last);
        else if (kind === irRemap) last = recorder.length;
      };
    },
  },
];
