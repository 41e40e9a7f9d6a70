import type { EventKind } from '../../model/event.ts';
import { cpuAccept } from '../../model/events/cpu.ts';
import { devRaise, intx, msgSend, tblRead, tblWrite } from '../../model/events/msix.ts';
import { message } from '../../model/events/notes.ts';
import { cfgWrite } from '../../model/events/pci.ts';
import { effectivelyMasked, ownerOf } from '../../model/masking.ts';
import { msixControl, msixVectorControl, pciCommand } from '../../model/registers/pci.ts';
import { msixEntry } from '../../model/things/pci.ts';
import type { EventRow } from '../../trace/row.ts';
import { blamedAt, type PlantedFault, type Planting } from './planting.ts';

/** Config offsets of the Command register and of MSI-X Message Control of a simulated function. */
const COMMAND = 4;
const CONTROL = 0x62;
/** A reserved bit of Vector Control. */
const RESERVED = 0x10;

const scenario = 'device-faults';
const DRIVERS = 'driver-faults';

/** The first event of a kind for which `is` holds, once a part went wrong. */
const afterwards =
  (kind: EventKind, is: (event: EventRow, planting: Planting) => boolean) =>
  (planting: Planting) =>
  (event: EventRow): void => {
    if (planting.struck && planting.truth === undefined && event.kind === kind && is(event, planting))
      planting.tell(event.object);
  };

/** Whether the write at hand changes a word of the message of its entry. */
function changesMessage({ words, object }: EventRow, { machine }: Planting): boolean {
  const { offset, value } = tblWrite.read(words, 0);
  return offset < 12 && machine.state.get(object, msixEntry.at.address + (offset >>> 2)) !== value(0);
}

/** Whether it is the second of two such writes in a row. */
function tears(): (event: EventRow, planting: Planting) => boolean {
  let changes = 0;
  return (event, planting) => changesMessage(event, planting) && ++changes === 2;
}

/** Faults of functions and their MSI-X tables. */
export const deviceFaults: readonly PlantedFault[] = [
  {
    id: 'F01',
    scenario,
    how: 'An entry is unmasked with its pending bit set; the bit is cleared and no message leaves.',
    places: 18,
  },
  {
    id: 'F02',
    scenario,
    how: 'A read of the pending bit array shows 0 for a bit that is set.',
    places: 18,
  },
  {
    id: 'F03',
    scenario,
    how: 'A function sends the message of an entry although the entry or the whole function is masked.',
    places: 18,
  },
  {
    id: 'F04',
    scenario,
    how: 'The completion of a read overtakes a message of a masked entry: the message arrives after it.',
    places: 10,
    watch(planting) {
      const senders = new Map<number, number>();
      return ({ kind, object, words }) => {
        if (kind === msgSend) senders.set(msgSend.read(words, 0).cause ?? 0, object);
        if (kind !== cpuAccept || !planting.struck || planting.truth) return;
        const from = senders.get(cpuAccept.read(words, 0).cause ?? 0);
        if (from !== undefined && effectivelyMasked(planting.machine.state, from)) planting.tell(from);
      };
    },
  },
  {
    id: 'F05',
    scenario,
    how: 'A kernel that moves an interrupt writes address and data while the entry is not masked.',
    places: 8,
    watch: (planting) => afterwards(tblWrite, tears())(planting),
  },
  {
    id: 'F06',
    scenario,
    how: 'A kernel that moves an interrupt believes that its entry is masked and writes the message while it is not.',
    places: 8,
    watch: afterwards(tblWrite, changesMessage),
  },
  {
    id: 'F07',
    scenario,
    how: 'One entry is not masked before MSI-X is switched on again: it is live with its old message.',
    places: 20,
    watch(planting) {
      let open = -1;
      return ({ kind, object, words }) => {
        const { state } = planting.machine;
        if (kind === tblWrite && open < 0) {
          const { offset, value } = tblWrite.read(words, 0);
          const cap = state.world.node(ownerOf(state, object))?.children.get('msixcap')?.object ?? -1;
          const off = msixControl.f.enable.flag(state, cap, 1) === false;
          if (
            offset !== 12 ||
            !off ||
            !msixVectorControl.f.mask.in(value(0)) ||
            state.get(object, msixEntry.at.writes) < 8
          )
            return;
          if (!planting.here()) return;
          open = object;
          planting.drop();
        } else if (kind === cfgWrite && open >= 0) {
          const { offset, value } = cfgWrite.read(words, 0);
          if (offset === CONTROL && msixControl.f.enable.in(value)) planting.tell(open);
        }
      };
    },
  },
  {
    id: 'F08',
    scenario,
    how: 'From some write on, software writes Vector Control of an entry with a reserved bit set.',
    stated: 'act',
    places: 60,
    watch(planting) {
      let spoiled = -1;
      return ({ kind, object, words }) => {
        if (kind !== tblWrite || tblWrite.read(words, 0).offset !== 12) return;
        if (spoiled < 0 && planting.here()) {
          spoiled = object;
          planting.tell(object);
        }
        if (spoiled === object) words[tblWrite.at.value] = words[tblWrite.at.value]! | RESERVED;
      };
    },
  },
  {
    id: 'F09',
    scenario,
    how: 'Software reads two bytes of an entry.',
    stated: 'act',
    places: 60,
    watch: (planting) => (event) => {
      if (event.kind !== tblRead || !planting.here()) return;
      event.words[tblRead.at.size] = 2;
      planting.tell(event.object);
    },
  },
  {
    id: 'F10',
    scenario,
    how: 'free_irq() does not mask the entry: a cause that arises later is sent with the all-zero message.',
    places: 8,
    watch: afterwards(msgSend, ({ words }) => msgSend.read(words, 0).address(0) === 0),
  },
  {
    id: 'F11',
    scenario,
    how: 'The table answers an access although memory decode of the function is off.',
    places: 8,
    watch: afterwards(tblRead, () => true),
  },
  {
    id: 'F12',
    scenario,
    how: 'A write of the Command register that should only switch memory decode on clears Bus Master Enable.',
    places: 8,
    watch(planting) {
      let off = false;
      return ({ kind, object, words }) => {
        if (kind === cfgWrite) {
          const { offset, value } = cfgWrite.read(words, 0);
          if (offset !== COMMAND || !pciCommand.f.memory.in(value) || !planting.here()) return;
          off = true;
          words[cfgWrite.at.value] = value & ~pciCommand.f.busMaster.mask;
        } else if (kind === devRaise && off && effectivelyMasked(planting.machine.state, object) === false)
          planting.tell(object);
      };
    },
  },
  {
    id: 'F13',
    scenario,
    how: 'The function asserts INTx while MSI-X is on.',
    stated: 'act',
    places: 60,
    watch: (planting) => (event) => {
      if (event.kind !== devRaise || !planting.here()) return;
      const fn = ownerOf(planting.machine.state, event.object);
      planting.tell(fn);
      planting.add(intx, fn, { level: true });
    },
  },
  {
    id: 'I-P2',
    scenario,
    how: 'A read of the pending bit array shows 1 for an entry that nothing masks.',
    places: 18,
  },
  {
    id: 'I-P4',
    scenario,
    how: 'A function sends a message twice for one cause.',
    stated: 'act',
    places: 18,
    watch: (planting) => (event) => {
      if (event.kind !== msgSend || !planting.here()) return;
      const { object } = event;
      const { address, data, requester } = msgSend.read(event.words, 0);
      const again = { address: [address(0), address(1)], data, ...(requester === undefined ? {} : { requester }) };
      planting.after(() => {
        planting.tell(object);
        planting.machine.emit(msgSend, object, again);
      });
    },
  },
  {
    id: 'I-P5',
    scenario,
    how: 'A function has a cause for an entry that nothing masks, and sends nothing.',
    places: 60,
  },
  {
    id: 'R01',
    scenario,
    how: 'The function raises a vector behind the end of its table.',
    stated: 'act',
    places: 60,
    watch: (planting) => (event) => {
      if (event.kind !== devRaise || !planting.here()) return;
      const { state, world } = planting.machine;
      const entry = world.child(msixEntry, ownerOf(state, event.object), 'msix', 4);
      planting.tell(entry);
      planting.add(devRaise, entry, { vector: 4 });
    },
  },
  {
    id: 'R02',
    scenario: DRIVERS,
    how: "From some interrupt on, the handler of a vector looks into another queue than its own: the driver's time-out finds the completions.",
    stated: 'line',
    places: 100,
    watch: blamedAt(message),
  },
  {
    id: 'R10',
    scenario,
    how: 'A kernel that moves an interrupt takes a wrong index and composes the message of the vector beside it.',
    places: 8,
    watch: blamedAt(msgSend),
  },
  {
    id: 'R11',
    scenario: DRIVERS,
    how: 'The write that sets or clears the function mask writes what was read before MSI-X was enabled: a cause goes to the INTx pin.',
    places: 50,
    watch: afterwards(intx, ({ object, words }, { blamed }) => object === blamed && intx.read(words, 0).level === true),
  },
];
