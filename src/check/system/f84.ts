import type { ObjectId, Step, TextId } from '../../base/ids.ts';
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
  /** Who made each move; 0: the trace does not tell. */
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
  meaning:
    'An irq is not moved to and fro between the same CPUs by two tasks within seconds. A move that is made in an interrupt is no act of the task that it interrupted.',
  severity: 'info',
  reference:
    'vector_update of arch/x86/kernel/apic/vector.c: every move allocates and frees a vector; kernel/irq/migration.c irq_move_irq makes it in the next interrupt where no unit remaps',
  kinds: [vecUpdate],
  needs: [[vecUpdate]],
  needsAll: false,
  needsTime: true,
  confirm:
    'who writes /proc/irq/N/smp_affinity (irqbalance, the driver, a script): the tasks of the records, with their flag columns (trace option irq-info)',
  watch(report, scene) {
    const { world } = scene;
    const all = new Map<ObjectId, Moves>();
    let judged = 0;
    return {
      event(step, { object, time, task, words, at }, state) {
        const { cpu, vector, prevVector, interrupt } = vecUpdate.read(words, at);
        if (vector === SHUTDOWN_VECTOR || prevVector === 0 || prevVector === SHUTDOWN_VECTOR) return;
        judged++;
        let moves = all.get(object);
        if (moves === undefined) all.set(object, (moves = { cpus: [], tasks: [], times: [], steps: [], told: false }));
        const { cpus, tasks, times, steps } = moves;
        cpus.push(cpu);
        tasks.push(scene.complete || interrupt === false ? task : 0);
        times.push(time);
        steps.push(step);
        if (cpus.length > MOVES) for (const list of [cpus, tasks, times, steps]) list.shift();
        if (moves.told || cpus.length < MOVES || !(time - times[0]! <= WITHIN)) return;
        const [a, b] = [cpus[0]!, cpus[1]!];
        const alternates = a !== b && cpus.every((n, i) => n === (i % 2 === 0 ? a : b));
        if (!alternates) return;
        const [first, second] = [sideOf(tasks, 0), sideOf(tasks, 1)];
        if (first === undefined || second === undefined || (first === second && first !== 0)) return;
        const told = !tasks.includes(0);
        if (!told && scene.complete) return;
        moves.told = told;
        const name = irqName(world, object, state.text(object, irq.at.name));
        const [one, other] = [world.strings.text(first), world.strings.text(second)];
        const span = scene.span(time - times[0]!, steps[0]!, step);
        report({
          step,
          object,
          title: `${name} was moved ${MOVES} times between CPU ${a} and CPU ${b} in ${span}`,
          text: `${one} moves ${name} to CPU ${a}, ${other} moves it back to CPU ${b}: ${MOVES} moves in ${span}. Every move takes a new vector and leaves the old one to be cleaned up.`,
          evidence: steps.slice(0, -1),
          // Who made a move is not known: no kind of event tells that, the rule is undecidable.
          ...(told ? {} : { absent: { since: steps[0]!, kinds: [] } }),
        });
      },
      lost: () => all.clear(),
      get judged() {
        return judged;
      },
    };
  },
};

/** Who made every second move, from move `from` on; 0 while none of them is known, undefined where it was not one. */
function sideOf(tasks: readonly TextId[], from: number): TextId | undefined {
  const known = new Set(tasks.filter((task, i) => i % 2 === from && task !== 0));
  return known.size > 1 ? undefined : ([...known][0] ?? 0);
}
