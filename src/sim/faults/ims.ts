import type { ObjectId } from '../../base/ids.ts';
import { hcallGrant, hcallReturn } from '../../model/events/hypervisor.ts';
import { imsRefused, imsStore } from '../../model/events/ims.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { msgSend } from '../../model/events/msix.ts';
import { ntbPublish, queueComplete } from '../../model/events/queue.ts';
import { irRemap } from '../../model/events/remap.ts';
import { vecFreeMoved } from '../../model/events/vector.ts';
import { vfioBind } from '../../model/events/vfio.ts';
import { imsControl } from '../../model/registers/ims.ts';
import { grant, imsEntry } from '../../model/things/ims.ts';
import { irq } from '../../model/things/irq.ts';
import { ntbCopy } from '../../model/things/queue.ts';
import type { EventRow } from '../../trace/row.ts';
import type { PlantedFault, Planting } from './planting.ts';

const scenario = 'ims-faults';
/** The irq behind the vector of the bridge that is exported. */
const EXPORTED = 'irq/25';
const { mask, pasidEnable, pasid } = imsControl.f;
/** How far a message that nobody granted is from one that was: another table entry. */
const ELSEWHERE = 8192;
/** Offsets of Message Address, Message Data and the control dword in an entry. */
const ADDRESS = 0;
const DATA = 8;
const CONTROL = 12;

/** Whether the event at hand stores a message address in queue memory. */
function storesAddress({ kind, words }: EventRow, { machine }: Planting): boolean {
  if (kind !== imsStore) return false;
  const { offset, where } = imsStore.read(words, 0);
  return offset === ADDRESS && where !== undefined && machine.world.strings.text(where) === 'queue memory';
}

/** The grants that stand, of the message of an entry of another guest if `entry` says so. */
function grantsOf({ machine: { world, state } }: Planting): ObjectId[] {
  return [...(world.find('hypervisor/grant')?.children.values() ?? [])]
    .map(({ object }) => object)
    .filter((object) => state.present(object));
}

/** Stores another address in place of the one at hand. */
function readdress(words: Uint32Array, lo: number): void {
  const { size, where, owner, virq } = imsStore.read(words, 0);
  const event = imsStore.put().offset(ADDRESS).size(size).value(lo, 0);
  if (where !== undefined) event.where(where);
  if (owner !== undefined) event.owner(owner);
  if (virq !== undefined) event.virq(virq);
}

/** Changes the control dword that is stored. */
function recontrol(words: Uint32Array, value: number): void {
  const { size, where, owner, virq } = imsStore.read(words, 0);
  const event = imsStore.put().offset(CONTROL).size(size).value(value, 0);
  if (where !== undefined) event.where(where);
  if (owner !== undefined) event.owner(owner);
  if (virq !== undefined) event.virq(virq);
}

/** The first hypercall that the hypervisor refuses once a part went wrong. */
function refusedCall({ kind, object, words }: EventRow, planting: Planting): void {
  if (kind === hcallReturn && planting.struck && hcallReturn.read(words, 0).ret < 0) planting.tell(object);
}

/** Faults of interrupt message storage, hypercalls and exported messages. */
export const imsFaults: readonly PlantedFault[] = [
  {
    id: 'F60',
    scenario,
    how: 'A guest stores a message in its queue memory that no hypervisor granted.',
    stated: 'act',
    places: 8,
    watch(planting) {
      let entry: ObjectId = -1;
      return (event) => {
        if (entry < 0 && storesAddress(event, planting) && planting.here()) {
          entry = event.object;
          readdress(event.words, imsStore.read(event.words, 0).value(0) + ELSEWHERE);
        } else if (event.kind === imsStore && event.object === entry && imsStore.read(event.words, 0).offset === DATA)
          planting.tell(entry);
      };
    },
  },
  {
    id: 'F61',
    scenario,
    how: 'A guest stores a message that was granted to another guest for the same function, and its queue sends it.',
    places: 4,
    watch(planting) {
      let entry: ObjectId = -1;
      let sender: ObjectId = -1;
      return (event) => {
        const { state, world } = planting.machine;
        if (event.kind === msgSend) sender = event.object;
        if (entry < 0 && storesAddress(event, planting)) {
          // The second guest is set up behind the first: the grants of that one stand.
          const [first] = grantsOf(planting);
          const second = /vm1\b/.test(world.strings.text(event.task));
          if (first === undefined || !second || !planting.here()) return;
          entry = event.object;
          readdress(event.words, state.get(first, grant.at.address));
        } else if (event.kind === irRemap && entry >= 0 && sender === entry) planting.tell(entry);
      };
    },
  },
  {
    id: 'F62',
    scenario,
    how: 'The hypervisor takes a message back from one guest and grants it to another, while the queue of the first still holds it.',
    stated: 'act',
    places: 4,
    watch:
      (planting) =>
      ({ kind, object, words }) => {
        const { state, recorder } = planting.machine;
        if (kind !== hcallGrant) return;
        const { device, data, release } = hcallGrant.read(words, 0);
        // Only grants that replace one that was taken back.
        const [first] = grantsOf(planting);
        if (release || first === undefined || object === first || recorder.length < 2000 || !planting.here()) return;
        const [lo, hi] = [state.get(first, grant.at.address), state.get(first, grant.at.address + 1)];
        const old = { device: planting.machine.world.strings.text(device), address: [lo, hi], data, release: true };
        planting.add(hcallGrant, first, old);
        hcallGrant.put().device(device).address(lo, hi).data(data).release(false);
        planting.tell(object);
      },
  },
  {
    id: 'F63',
    scenario,
    how: 'The PASID that is written into an entry is not the one of the process that uses it.',
    places: 12,
    watch(planting) {
      let entry: ObjectId = -1;
      return ({ kind, object, words }) => {
        const { world } = planting.machine;
        if (kind === imsStore && entry < 0) {
          const { offset, value } = imsStore.read(words, 0);
          const old = planting.machine.state.get(object, imsEntry.at.control);
          // The write that unmasks: descriptors follow.
          if (offset !== CONTROL || mask.in(value(0)) || !pasidEnable.in(value(0)) || !mask.in(old) || !planting.here())
            return;
          entry = object;
          recontrol(words, pasid.insert(value(0), pasid.of(value(0)) + 1));
        } else if (kind === queueComplete && entry >= 0) {
          const { handle } = queueComplete.read(words, 0);
          if (handle !== undefined && String(handle) === world.node(entry)?.segment) planting.tell(entry);
        }
      };
    },
  },
  {
    id: 'F64',
    scenario,
    how: 'The device holds an interrupt handle as revoked, and a descriptor still names it.',
    places: 16,
  },
  {
    id: 'F65',
    scenario,
    how: 'The kernel gives an entry of the interrupt message storage back later than its irq is freed: the vector that asks meanwhile finds none free.',
    places: 12,
    watch:
      (planting) =>
      ({ kind, object }) => {
        if (kind === imsRefused && planting.struck) planting.tell(object);
      },
  },
  {
    id: 'F66',
    scenario,
    how: 'The write that unmasks an entry clears PASID enable and PASID.',
    stated: 'act',
    places: 12,
    watch:
      (planting) =>
      ({ kind, object, words }) => {
        if (kind !== imsStore) return;
        const { offset, value } = imsStore.read(words, 0);
        const old = planting.machine.state.get(object, imsEntry.at.control);
        if (offset !== CONTROL || !pasidEnable.in(value(0)) || mask.in(value(0)) || !mask.in(old) || !planting.here())
          return;
        recontrol(words, pasid.insert(pasidEnable.insert(value(0), 0), 0));
        planting.tell(object);
      },
  },
  {
    id: 'F67',
    scenario,
    how: 'A vector of a virtual device is bound without an interrupt of the host behind it.',
    stated: 'act',
    places: 12,
    watch:
      (planting) =>
      ({ kind, object, words }) => {
        if (kind !== vfioBind) return;
        const { backend, eventfd, irq: behind, entry } = vfioBind.read(words, 0);
        if (behind === undefined || backend === undefined || eventfd === undefined || !planting.here()) return;
        const event = vfioBind.put().backend(backend).eventfd(eventfd);
        if (entry !== undefined) event.entry(entry);
        planting.tell(object);
      },
  },
  {
    id: 'F68',
    scenario,
    how: 'The hypervisor goes on to list a grant that it took back, and refuses the next hypercall that asks for its entry.',
    places: 4,
    watch: (planting) => (event) => refusedCall(event, planting),
  },
  {
    id: 'F68-retarget',
    rule: 'F68',
    scenario,
    how: 'A guest that moves an interrupt takes its number for the handle of the grant: the hypervisor knows no such grant.',
    places: 16,
    watch: (planting) => (event) => refusedCall(event, planting),
  },
  {
    id: 'F69',
    scenario: 'bridge-faults',
    how: 'The message of an exported interrupt changes and the peer is not told, not even when it is written once more.',
    places: 16,
    watch(planting) {
      let copy: ObjectId = -1;
      return ({ kind, object, words }) => {
        const { world } = planting.machine;
        if (kind === ntbPublish && planting.truth === undefined) {
          const { by, offset } = ntbPublish.read(words, 0);
          if (by === undefined || world.strings.text(by) !== 'message write') return;
          if (copy < 0 && planting.machine.state.num(object, ntbCopy.at.offset) === offset) return;
          if (copy < 0 && !planting.here()) return;
          copy = object;
          planting.drop();
        } else if (copy >= 0 && (kind === vecFreeMoved || kind === msgWrite)) {
          // Shown when the old vector is freed, or when another message is written.
          const held = planting.machine.state.num(object, irq.at.address);
          if (kind === msgWrite && msgWrite.read(words, 0).address(0) === held) return;
          if (world.path(object) === EXPORTED) planting.tell(copy);
        }
      };
    },
  },
];
