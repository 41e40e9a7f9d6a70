import type { ObjectId, Step } from '../../base/ids.ts';
import { refused } from '../../model/event.ts';
import { irqAffinity } from '../../model/events/irq.ts';
import { mtxOffline } from '../../model/events/matrix.ts';
import { devRaise, tblWrite } from '../../model/events/msix.ts';
import { message } from '../../model/events/notes.ts';
import { dropped } from '../../model/events/outcome.ts';
import { cpuObject } from '../../model/events/places.ts';
import { vecAlloc } from '../../model/events/vector.ts';
import { effectivelyMasked } from '../../model/masking.ts';
import { msixVectorControl } from '../../model/registers/pci.ts';
import { blamedAt, type PlantedFault } from './planting.ts';

const scenario = 'vector-faults';
const EBUSY = -16;
/** The CPU of vector-space that goes offline and comes back. */
const LEAVES = 2;

/** Faults of the vector domain and of moves. */
export const vectorFaults: readonly PlantedFault[] = [
  {
    id: 'F20',
    scenario,
    how: 'The old CPU of a move goes offline; its vector is forgotten and not freed.',
    places: 8,
    watch: (planting) => (event) => {
      if (event.kind === mtxOffline && planting.blamed >= 0) planting.tell(planting.blamed);
    },
  },
  {
    id: 'F20-count',
    rule: 'F20',
    scenario,
    how: 'The vector matrix does not free a vector of a CPU that then goes offline.',
    places: 8,
    watch: (planting) => (event) => {
      if (event.kind === mtxOffline && event.cpu === 2 && planting.struck)
        planting.tell(cpuObject(planting.machine.state, 2));
    },
  },
  {
    id: 'F21',
    scenario: 'vector-space',
    how: 'The timer that frees the vector of a finished move comes late: the CPU has none for the next irq that is to move there.',
    places: 12,
    watch:
      (planting) =>
      ({ kind, object, words }) => {
        if (kind === vecAlloc && planting.struck && refused(vecAlloc.read(words, 0).ret)) planting.tell(object);
      },
  },
  {
    id: 'F22',
    scenario,
    how: 'An irq whose CPU is offline is requested and gets a vector elsewhere; the kernel does not look why, and says that vectors are exhausted.',
    stated: 'line',
    places: 8,
  },
  {
    id: 'F23',
    scenario: 'vector-space',
    how: 'The timer that frees the vector of a finished move comes late: the other CPUs have no room for the vectors of a CPU that is to go offline.',
    stated: 'line',
    places: 12,
    watch:
      (planting) =>
      ({ kind }) => {
        if (kind === message && planting.struck) planting.tell(cpuObject(planting.machine.state, LEAVES));
      },
  },
  {
    id: 'F24',
    scenario,
    how: 'At the first interrupt on the new CPU the kernel frees the vector that an irq left, without asking the old CPU: what waits there finds no handler.',
    places: 16,
    watch: blamedAt(dropped),
  },
  {
    id: 'F25',
    scenario,
    how: 'At the first interrupt on the new CPU the kernel frees the vector that an irq left and does not look at the IRR of the old CPU, where one waits.',
    places: 16,
  },
  {
    id: 'F26',
    scenario,
    how: 'The first interrupt on the new CPU does not end the move.',
    places: 8,
    watch(planting) {
      let busy = 0;
      return ({ kind, object, words }) => {
        if (kind !== irqAffinity || !planting.struck || irqAffinity.read(words, 0).ret !== EBUSY) return;
        if (++busy === 2) planting.tell(object);
      };
    },
  },
  {
    id: 'F27',
    scenario,
    how: 'A managed irq is not started again when its CPU comes back.',
    places: 8,
  },
  {
    id: 'F28',
    scenario,
    how: 'request_irq() clears the mask of the entry before its message is written.',
    places: 8,
    watch:
      (planting) =>
      ({ kind, object, words }) => {
        if (kind !== tblWrite || !planting.struck) return;
        const { offset, value } = tblWrite.read(words, 0);
        if (offset === 12 && msixVectorControl.f.mask.of(value(0)) === 0) planting.tell(object);
      },
  },
  {
    id: 'R12',
    scenario,
    how: 'A kernel that moves an interrupt masks its entry, writes the message and does not unmask it again.',
    places: 20,
    // The first cause since the entry was masked: it may have come while the move was still under way.
    watch(planting) {
      const waits = new Map<ObjectId, Step>();
      return ({ kind, object, words }) => {
        const { recorder, state } = planting.machine;
        if (kind === tblWrite && tblWrite.read(words, 0).offset === 12) waits.delete(object);
        else if (kind === devRaise && effectivelyMasked(state, object) === true && !waits.has(object))
          waits.set(object, recorder.length);
        const first = waits.get(planting.blamed);
        if (first !== undefined) planting.tell(planting.blamed, first);
      };
    },
  },
];
