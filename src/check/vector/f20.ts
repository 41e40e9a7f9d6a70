import { noun } from '../../base/counted.ts';
import type { ObjectId, Step } from '../../base/ids.ts';
import { cpuState } from '../../model/events/cpu.ts';
import { mtxAlloc, mtxFree, mtxOffline, mtxOnline, mtxUnsure } from '../../model/events/matrix.ts';
import { mark, message } from '../../model/events/notes.ts';
import { cpuObject, vectorDomain } from '../../model/events/places.ts';
import { vecClear, vecFreeMoved, vecSetup, vecTeardown, vecUpdate } from '../../model/events/vector.ts';
import type { State } from '../../model/state.ts';
import { cpu as cpuType, domain, vector as vectorType } from '../../model/things/irq.ts';
import { textOf } from '../names.ts';
import type { Rule } from '../rule.ts';
import { irqName, isPlace, placeName } from './places.ts';

/** A vector that an irq moved away from and that is not freed yet. */
interface Previous {
  readonly cpu: number;
  readonly vector: number;
  readonly step: Step;
  readonly time: number;
  /** A CPU of the move went offline: records of a dying CPU are missing in real traces, so what is not seen may have been. */
  doubtful: boolean;
  /** CPUs with a vector map as the matrix counted them then, and how many had come online before: the same later, none went offline. */
  readonly maps: number;
  readonly onlines: number;
}

/** A CPU goes offline and comes back in no shorter time, ns; in a capture neither need leave a record. */
const OFFLINE = 20e6;

/** What the kernel says where a move ends whose previous CPU is offline (vector_schedule_cleanup): it frees the vector at once. */
const OFFLINE_CLEANUP = /\bIRQ (\d+) schedule cleanup for offline CPU (\d+)/;

/** F20. */
export const freesPrevious: Rule<'F20'> = {
  id: 'F20',
  names: ['INV-FREE', 'INV-LEAK'],
  title: 'Vector leaked by a move',
  meaning:
    'A vector that an irq moved away from is freed exactly once: before the irq moves again, and before its CPU is offline.',
  reference:
    'arch/x86/kernel/apic/vector.c free_moved_vector, clear_irq_vector; a6c11c0a5235 (6.10): leak when the old CPU goes offline before the first interrupt on the new one',
  severity: 'error',
  kinds: [
    vecUpdate,
    vecFreeMoved,
    vecClear,
    vecSetup,
    vecTeardown,
    mtxFree,
    mtxOffline,
    mtxOnline,
    mtxUnsure,
    cpuState,
  ],
  needs: [[vecUpdate]],
  alone: [message, mark],
  needsAll: false,
  confirm:
    'irq_vectors:vector_free_moved and irq_matrix:irq_matrix_free; the row of the CPU in /sys/kernel/debug/irq/domains/VECTOR',
  watch(report, scene) {
    const previous = new Map<ObjectId, Previous>();
    /** What each irq freed last since its last move. */
    const freed = new Map<ObjectId, Previous>();
    /** By how many vectors each CPU was told to leak. */
    const counted = new Map<number, number>();
    let judged = 0;
    /** How often a CPU brought its vector map online. */
    let onlines = 0;
    /** The matrix counts its maps with each vector that it gives out. */
    const counts = scene.recorded(mtxAlloc);
    const mapsOf = (state: State): number => (counts ? state.num(vectorDomain(state), domain.at.onlineMaps) : -1);
    const steady = (was: Previous, state: State): boolean =>
      was.maps >= 0 && was.maps === mapsOf(state) && was.onlines === onlines;
    const leaked = (step: Step, time: number, irq: ObjectId, was: Previous, how: string, state: State): void => {
      previous.delete(irq);
      // Told here, so not once more by the count.
      counted.set(was.cpu, (counted.get(was.cpu) ?? 0) + 1);
      const place = placeName(was.cpu, was.vector);
      const sure =
        !was.doubtful &&
        (scene.complete || time - was.time < OFFLINE || steady(was, state)) &&
        state.flag(cpuObject(state, was.cpu), cpuType.at.online) === true;
      const left = state.num(cpuObject(state, was.cpu), cpuType.at.allocated);
      report({
        step,
        object: irq,
        title: `${place} leaked: ${irqName(scene.world, irq)} moved away from it and it was never freed`,
        text: `${irqName(scene.world, irq)} moved away from ${place}; ${how} and nothing freed it in between: it stays allocated for good.${left < 0 ? '' : ` CPU ${was.cpu} has ${left} ${noun(left, 'vector')} allocated.`}`,
        evidence: [was.step],
        absent: { since: was.step, kinds: sure ? [vecFreeMoved] : [] },
      });
    };
    const doubt = (cpu: number): void => {
      for (const was of previous.values()) if (was.cpu === cpu) was.doubtful = true;
    };
    /** Compares the vectors that the matrix counts on a CPU that went offline with those that irqs hold there. */
    const count = (step: Step, cpu: number, state: State): void => {
      const object = cpuObject(state, cpu);
      const allocated = state.num(object, cpuType.at.allocated);
      if (allocated < 0) return;
      judged++;
      let held = 0;
      for (const { object: place } of state.world.node(object)?.children.get('vector')?.children.values() ?? [])
        if (state.num(place, vectorType.at.irq) >= 0) held++;
      const excess = Math.max(0, allocated - held);
      const before = counted.get(cpu) ?? 0;
      counted.set(cpu, excess);
      if (excess <= before) return;
      report({
        step,
        object,
        title: `${excess} ${excess === 1 ? 'vector' : 'vectors'} of CPU ${cpu} leaked: allocated, and no irq has ${excess === 1 ? 'it' : 'them'}`,
        text: `CPU ${cpu} is offline; the vector matrix counts ${allocated} allocated vectors on it, and irqs hold ${held} of them. The others are never freed.`,
        evidence: [],
      });
    };
    return {
      event(step, happened, state) {
        const { kind, object, words, at, cpu, time } = happened;
        if (kind === message || kind === mark) {
          const text = textOf(scene.world, happened);
          const [, virq, gone] = OFFLINE_CLEANUP.exec(text) ?? [];
          if (virq === undefined) return;
          judged++;
          const irq = state.here.objectAt(`irq/${virq}`);
          if (irq >= 0) previous.delete(irq);
          report({
            step,
            object: irq >= 0 ? irq : object,
            severity: 'info',
            title: `irq ${virq} ended its move only after CPU ${gone}, where it was before, had gone offline`,
            text: `The kernel says: ${text.trim()}. It frees the previous vector at once; kernels before 6.10 could leak it (a6c11c0a5235).`,
            evidence: [],
          });
        } else if (kind === vecUpdate) {
          const a = vecUpdate.read(words, at);
          const was = previous.get(object);
          if (was !== undefined) leaked(step, time, object, was, 'it moves again', state);
          freed.delete(object);
          const live = isPlace(a.prevVector) && state.flag(cpuObject(state, a.prevCpu), cpuType.at.online) !== false;
          if (live) {
            judged++;
            const maps = mapsOf(state);
            previous.set(object, { cpu: a.prevCpu, vector: a.prevVector, step, time, doubtful: false, maps, onlines });
          }
        } else if (kind === vecFreeMoved) {
          const a = vecFreeMoved.read(words, at);
          const was = previous.get(object) ?? freed.get(object);
          if (freed.has(object) && was?.cpu === a.cpu && was.vector === a.vector)
            report({
              step,
              object,
              title: `${placeName(a.cpu, a.vector)} was freed twice by ${irqName(scene.world, object)}`,
              text: `${irqName(scene.world, object)} had freed ${placeName(a.cpu, a.vector)} already and did not move since: another irq can own it by now.`,
              evidence: [was.step],
            });
          if (previous.delete(object)) {
            const at = { cpu: a.cpu, vector: a.vector, step, time };
            freed.set(object, { ...at, doubtful: false, maps: -1, onlines });
          }
        } else if (kind === vecClear || kind === vecSetup || kind === vecTeardown) {
          previous.delete(object);
          freed.delete(object);
        } else if (kind === mtxFree) {
          if (previous.size === 0) return;
          const a = mtxFree.read(words, at);
          for (const [irq, was] of previous) if (was.cpu === a.cpu && was.vector === a.vector) previous.delete(irq);
        } else if (kind === mtxOffline) {
          if (scene.complete) count(step, cpu, state);
          for (const [irq, was] of previous)
            if (was.cpu === cpu) {
              if (!scene.complete) was.doubtful = true;
              leaked(step, time, irq, was, `CPU ${cpu} is offline now`, state);
            }
        } else if (kind === mtxOnline) {
          onlines++;
          doubt(cpu);
        } else if (kind === mtxUnsure) doubt(Number(scene.world.node(object)?.segment));
        else if (!scene.complete) doubt(Number(scene.world.node(object)?.segment));
      },
      lost() {
        previous.clear();
        freed.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
