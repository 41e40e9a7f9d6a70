import type { ObjectId, Step } from '../../base/ids.ts';
import { SHUTDOWN_VECTOR } from '../../model/events/places.ts';
import { vecUpdate } from '../../model/events/vector.ts';
import { irq } from '../../model/things/irq.ts';
import { irqName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** So many moves to and fro within so many nanoseconds are a fight. */
const MOVES = 4;
const WITHIN = 10e9;

/** The moves of one irq: the last ones, the oldest first. */
interface Moves {
  cpus: number[];
  tasks: number[];
  times: number[];
  steps: Step[];
  told: boolean;
}

/** F84. */
export const affinityIsSettled: Rule<'F84'> = {
  id: 'F84',
  names: [],
  title: 'Two sides fight over the affinity of an irq',
  meaning: 'An irq is not moved to and fro between the same CPUs by two tasks within seconds.',
  severity: 'info',
  reference: 'vector_update of arch/x86/kernel/apic/vector.c: every move allocates and frees a vector',
  kinds: [vecUpdate],
  needs: [[vecUpdate]],
  needsAll: false,
  needsTime: true,
  confirm: 'who writes /proc/irq/N/smp_affinity (irqbalance, the driver, a script): the tasks of the records',
  watch(report, scene) {
    const { world } = scene;
    const all = new Map<ObjectId, Moves>();
    let judged = 0;
    return {
      event(step, { object, time, task, words, at }, state) {
        const { cpu, vector, prevVector } = vecUpdate.read(words, at);
        if (vector === SHUTDOWN_VECTOR || prevVector === 0 || prevVector === SHUTDOWN_VECTOR) return;
        judged++;
        let moves = all.get(object);
        if (moves === undefined) all.set(object, (moves = { cpus: [], tasks: [], times: [], steps: [], told: false }));
        const { cpus, tasks, times, steps } = moves;
        cpus.push(cpu);
        tasks.push(task);
        times.push(time);
        steps.push(step);
        if (cpus.length > MOVES) for (const list of [cpus, tasks, times, steps]) list.shift();
        if (moves.told || cpus.length < MOVES || !(time - times[0]! <= WITHIN)) return;
        const [a, b] = [cpus[0]!, cpus[1]!];
        const alternates = a !== b && cpus.every((n, i) => n === (i % 2 === 0 ? a : b));
        const [first, second] = [tasks[0]!, tasks[1]!];
        const fights =
          first !== second &&
          first !== 0 &&
          second !== 0 &&
          tasks.every((t, i) => t === (i % 2 === 0 ? first : second));
        if (!alternates || !fights) return;
        moves.told = true;
        const name = irqName(world, object, state.text(object, irq.at.name));
        const [one, other] = [world.strings.text(first), world.strings.text(second)];
        const span = scene.span(time - times[0]!);
        report({
          step,
          object,
          title: `${name} was moved ${MOVES} times between CPU ${a} and CPU ${b} in ${span}`,
          text: `${one} moves ${name} to CPU ${a}, ${other} moves it back to CPU ${b}: ${MOVES} moves in ${span}. Every move takes a new vector and leaves the old one to be cleaned up.`,
          evidence: steps.slice(0, -1),
        });
      },
      lost: () => all.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
