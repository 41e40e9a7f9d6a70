import { apicAccept, apicEoi, apicInject } from '../../model/events/apic.ts';
import { irqEntry, irqExit } from '../../model/events/irq.ts';
import { devRaise, devWithdraw, tblWrite } from '../../model/events/msix.ts';
import { message } from '../../model/events/notes.ts';
import { msixCtrl } from '../../model/events/pci.ts';
import { vecUpdate } from '../../model/events/vector.ts';
import { kvmEntry } from '../../model/events/virt.ts';
import { irq } from '../../model/things/irq.ts';
import { device, mention, msixEntry } from '../../model/things/pci.ts';
import { vcpuVector } from '../../model/things/virt.ts';
import type { Actor } from '../machine.ts';
import type { PlantedFault } from './planting.ts';

const scenario = 'vmm-faults';

/** Handler runs in a row that make a storm. */
const STORM = 1000;
/** Messages without a cause: the third shows it, so many are more than a tenth of the handler runs of any irq of the scenario. */
const LATE = 8;
/** Nanoseconds after which a driver polls for what its interrupt did not tell. */
const TIMEOUT = 150e6;

/** Faults of the system as a whole. */
export const systemFaults: readonly PlantedFault[] = [
  {
    id: 'F80',
    scenario,
    how: 'A line stays asserted: its handlers run a thousand times in a row and find nothing.',
    places: 80,
    watch:
      (planting) =>
      ({ kind, object, words }) => {
        if (kind !== irqExit || !irqExit.read(words, 0).handled || !planting.here()) return;
        planting.after(() => {
          for (let i = 1; i < STORM; i++) planting.machine.emit(irqExit, object, { handled: false });
          planting.tell(object);
          planting.machine.emit(irqExit, object, { handled: false });
        });
      },
  },
  {
    id: 'F81',
    scenario,
    how: 'Eight messages come in a row for which the handler finds no cause.',
    places: 80,
    watch:
      (planting) =>
      ({ kind, object, words }) => {
        const { machine } = planting;
        const name = machine.state.text(object, irq.at.name);
        if (kind !== irqExit || !irqExit.read(words, 0).handled || name === '' || !planting.here()) return;
        planting.after(() => {
          for (let i = 0; i < LATE; i++) {
            machine.emit(irqEntry, object, { name });
            if (i === 2) planting.tell(object);
            machine.emit(irqExit, object, { handled: false });
          }
        });
      },
  },
  {
    id: 'F82',
    scenario,
    how: 'The guest takes an interrupt and never ends it.',
    places: 20,
    watch(planting) {
      const ended = new Set<number>();
      let stuck = -1;
      return ({ kind, object }) => {
        const { world } = planting.machine;
        if (kind !== apicAccept && kind !== apicInject && kind !== apicEoi) return;
        if (object === stuck) planting.drop();
        else if (kind === apicEoi) ended.add(object);
        else if (kind === apicInject && ended.has(object) && stuck < 0) {
          // The virtual CPU that goes on to serve the guest's accesses.
          const cpu = world.type(object) === vcpuVector ? world.node(object)?.parent?.parent?.segment : undefined;
          if (cpu !== '0' || !planting.here()) return;
          stuck = object;
          planting.tell(object);
        }
      };
    },
  },
  {
    id: 'F83',
    scenario,
    how: 'The kernel reports that an invalidation of the remapping unit timed out.',
    places: 100,
    watch:
      (planting) =>
      ({ kind }) => {
        if (kind !== kvmEntry || !planting.here()) return;
        planting.after(() => {
          const object = planting.machine.world.object(mention, 'log');
          planting.tell(object);
          const text = 'DMAR: VT-d detected Invalidation Time-out Error: SID 0';
          planting.machine.emit(message, object, { text });
        });
      },
  },
  {
    id: 'F84',
    scenario,
    how: 'irqbalance and a driver move an irq to and fro.',
    places: 100,
    watch:
      (planting) =>
      ({ kind }) => {
        if (kind !== kvmEntry || !planting.here()) return;
        const { machine } = planting;
        planting.after(() => {
          const object = machine.world.object(irq, 'irq/999');
          for (let i = 0; i < 4; i++) {
            if (i === 3) planting.tell(object);
            const move = { vector: 36, cpu: i % 2, prevVector: 36, prevCpu: 1 - (i % 2) };
            machine.as(i % 2 === 0 ? BALANCER : DRIVER, () => machine.emit(vecUpdate, object, move));
          }
        });
      },
  },
  {
    id: 'R03',
    scenario,
    how: 'The message of a cause never comes, and the driver serves it by a poll after a time-out.',
    places: 100,
    watch(planting) {
      let due = Number.POSITIVE_INFINITY;
      return ({ kind }) => {
        const { machine } = planting;
        const entry = (): number => machine.world.object(msixEntry, 'device/0000:7f:00.0/msix/0');
        if (machine.now > due) {
          due = Number.POSITIVE_INFINITY;
          planting.tell(entry());
          planting.add(devWithdraw, entry(), {});
        } else if (kind === kvmEntry && planting.here()) {
          due = machine.now + TIMEOUT;
          planting.after(() => {
            machine.emit(msixCtrl, machine.world.object(device, 'device/0000:7f:00.0'), { enable: true, fmask: false });
            machine.emit(tblWrite, entry(), { offset: 12, size: 4, value: 0 });
            machine.emit(devRaise, entry(), {});
          });
        }
      };
    },
  },
];

const BALANCER: Actor = { layer: 'user', name: 'irqbalance', cpu: 0 };
const DRIVER: Actor = { layer: 'driver', name: 'nic', cpu: 0 };
