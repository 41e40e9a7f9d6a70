import { noun } from '../../base/counted.ts';
import { mark, message } from '../../model/events/notes.ts';
import { cpuObject, vectorDomain } from '../../model/events/places.ts';
import { cpu as cpuType, domain } from '../../model/things/irq.ts';
import { textOf } from '../names.ts';
import type { Rule } from '../rule.ts';
import { ownersOf } from './places.ts';

const REFUSED = /\bCPU (\d+) has (\d+) vectors, (\d+) available\. Cannot disable CPU/;

/** F23. */
export const roomForVectors: Rule<'F23'> = {
  id: 'F23',
  names: ['INV-UNPLUG'],
  title: 'CPU cannot go offline',
  meaning: 'When a CPU goes offline, the other CPUs have room for its vectors.',
  reference: 'arch/x86/kernel/apic/vector.c lapic_can_unplug_cpu',
  severity: 'warning',
  kinds: [message, mark],
  needs: [[message, mark]],
  needsAll: false,
  confirm: '/sys/kernel/debug/irq/domains/VECTOR at that moment; irq_matrix:* events before it',
  watch(report, scene) {
    let judged = 0;
    return {
      event(step, happened, state) {
        const { object } = happened;
        const text = textOf(scene.world, happened);
        const m = REFUSED.exec(text);
        if (m === null) return;
        judged++;
        const [, cpu, vectors, room] = m.map(Number) as [number, number, number, number];
        const place = cpuObject(state, cpu);
        const allocated = state.num(place, cpuType.at.allocated);
        const own = state.num(place, cpuType.at.available);
        const all = state.num(vectorDomain(state), domain.at.available);
        const notes: string[] = [];
        // Managed vectors need not move; the kernel leaves them out of its number.
        if (allocated >= 0 && allocated < vectors)
          notes.push(`the last record of the vector matrix counts only ${allocated} on it`);
        if (all >= 0 && own >= 0 && all - own !== room)
          notes.push(`by that record ${all - own} ${noun(all - own, 'is', 'are')} free on the other CPUs`);
        const owners = ownersOf(state, cpu);
        report({
          step,
          object: state.world.type(place) === cpuType ? place : object,
          title: `CPU ${cpu} cannot go offline: ${vectors} ${noun(vectors, 'vector')} would have to move, ${room} ${noun(room, 'is', 'are')} free elsewhere`,
          text: `${vectors} ${noun(vectors, 'vector')} of CPU ${cpu} that ${noun(vectors, 'is', 'are')} not managed would have to move, and the other CPUs have ${room} free.${notes.length > 0 ? ` But ${notes.join(', and ')}.` : ''}${owners === '' ? '' : ` Known owners: ${owners}.`}`,
          evidence: [],
        });
      },
      lost() {},
      get judged() {
        return judged;
      },
    };
  },
};
