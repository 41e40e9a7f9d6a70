import type { ObjectId, Step } from '../../base/ids.ts';
import { cpuAccept, cpuReset, cpuTake } from '../../model/events/cpu.ts';
import { mark, message } from '../../model/events/notes.ts';
import { vectorObject } from '../../model/events/places.ts';
import { vecFreeMoved } from '../../model/events/vector.ts';
import { textOf } from '../names.ts';
import type { Rule } from '../rule.ts';
import { irqName, placeName } from './places.ts';

/**
 * What the kernel says of a move that is not complete: its CPU goes offline, so that the previous vector is freed at once
 * (irq_force_complete_move); or an interrupt waits on it, and the kernel does not free it yet (__vector_cleanup).
 */
const FORCED = /\bIRQ fixup: irq (\d+) move in progress, old vector (?:cpu \d+ local_id )?(\d+)/;
const WAITS = /\bMoved interrupt pending in old target APIC (\d+)/;

/** F25. */
export const freesIdle: Rule<'F25'> = {
  id: 'F25',
  names: ['INV-IRR'],
  title: 'Vector freed while an interrupt waits on it',
  meaning: 'A vector that an irq moved away from is not freed while its bit in the IRR is set.',
  reference: 'arch/x86/kernel/apic/vector.c __vector_cleanup (Moved interrupt pending in old target APIC)',
  severity: 'error',
  kinds: [vecFreeMoved, cpuAccept, cpuTake, cpuReset],
  needs: [[vecFreeMoved], [cpuAccept]],
  alone: [message, mark],
  needsAll: false,
  confirm: 'the IRR of the old CPU at that moment: a probe on free_moved_vector that reads it, or a simulation',
  watch(report, scene) {
    /** Vectors that were accepted and not yet taken. */
    const requested = new Map<ObjectId, Step>();
    let judged = 0;
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        if (kind === message || kind === mark) {
          const text = textOf(scene.world, happened);
          const forced = FORCED.exec(text);
          const number = forced?.[1] ?? WAITS.exec(text)?.[1];
          if (number === undefined) return;
          judged++;
          const irq = state.here.objectAt(`irq/${number}`);
          report({
            step,
            object: irq >= 0 ? irq : object,
            severity: 'info',
            title: forced
              ? `irq ${number} had to give up vector ${forced[2]} before its move was complete`
              : `irq ${number} still has an interrupt that waits on the vector it moved away from`,
            text: forced
              ? `The kernel says: ${text.trim()}. No interrupt had come on the new vector yet: one that still goes to vector ${forced[2]} finds no handler.`
              : `The kernel says: ${text.trim()}. It keeps that vector until the interrupt is taken: nothing is lost.`,
            evidence: [],
          });
        } else if (kind === cpuAccept) {
          if (!requested.has(object)) requested.set(object, step);
        } else if (kind === cpuTake) requested.delete(object);
        else if (kind === cpuReset) {
          const vectors = state.world.node(object)?.children.get('vector')?.children;
          for (const { object: one } of vectors?.values() ?? []) requested.delete(one);
        } else {
          const { cpu, vector } = vecFreeMoved.read(words, at);
          judged++;
          const since = requested.get(vectorObject(state, cpu, vector));
          if (since === undefined) return;
          report({
            step,
            object,
            title: `${irqName(scene.world, object)} freed ${placeName(cpu, vector)} while an interrupt waits there`,
            text: `The local APIC of CPU ${cpu} has accepted an interrupt on vector ${vector} that the CPU has not taken yet; ${irqName(scene.world, object)} gave the vector up all the same. The interrupt finds no handler and is lost.`,
            evidence: [since],
            lost: true,
          });
        }
      },
      lost: () => requested.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
