import type { ObjectId, Step } from '../../base/ids.ts';
import { cpuAccept, cpuReset, cpuTake } from '../../model/events/cpu.ts';
import { vectorObject } from '../../model/events/places.ts';
import { vecFreeMoved } from '../../model/events/vector.ts';
import type { Rule } from '../rule.ts';
import { irqName, placeName } from './places.ts';

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
  needsAll: false,
  confirm: 'the IRR of the old CPU at that moment: a probe on free_moved_vector that reads it, or a simulation',
  watch(report, scene) {
    /** Vectors that were accepted and not yet taken. */
    const requested = new Map<ObjectId, Step>();
    let judged = 0;
    return {
      event(step, { kind, object, words, at }, state) {
        if (kind === cpuAccept) {
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
