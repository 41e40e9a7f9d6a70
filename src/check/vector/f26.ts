import { noun } from '../../base/counted.ts';
import type { ObjectId, Step } from '../../base/ids.ts';
import { irqAffinity, irqEntry } from '../../model/events/irq.ts';
import { mark, message } from '../../model/events/notes.ts';
import { vecClear, vecFreeMoved, vecSetup, vecTeardown, vecUpdate } from '../../model/events/vector.ts';
import { textOf } from '../names.ts';
import type { Rule } from '../rule.ts';
import { irqName, isPlace, placeName } from './places.ts';

const EBUSY = -16;
/** Nanoseconds after which a timer of one jiffy has run at any HZ (10 ms at HZ 100). */
const CLEANUP = 20_000_000;
/** The same for the simulated kernel, whose jiffy is 1 ms. */
const SIMULATED_CLEANUP = 2_000_000;

/** A move whose previous vector is not freed yet. */
interface Move {
  readonly step: Step;
  readonly cpu: number;
  readonly prevCpu: number;
  readonly prevVector: number;
  /** Handlers that ran since: each on the new CPU finishes the move. */
  handled: number;
  /** Time of the first of them in nanoseconds; NaN before it. */
  since: number;
  last: Step;
  /** Requests that were answered with EBUSY since. */
  busy: number;
  told: boolean;
}

/** What the kernel says where it cannot move an irq from a CPU that goes offline (migrate_one_irq): a move is not complete. */
const BUSY = /\bIRQ ?(\d+): set affinity failed\(-16\)/;

/** F26. */
export const movesComplete: Rule<'F26'> = {
  id: 'F26',
  names: ['INV-MOVE'],
  title: 'Move that does not end',
  meaning:
    'The move of an irq ends with its first interrupt on the new vector; until then another move is refused with EBUSY.',
  reference: 'arch/x86/kernel/apic/vector.c irq_complete_move, assign_vector_locked',
  severity: 'info',
  kinds: [irqAffinity, irqEntry, vecUpdate, vecFreeMoved, vecClear, vecSetup, vecTeardown],
  needs: [[vecUpdate], [irqAffinity]],
  alone: [message, mark],
  needsAll: false,
  needsTime: true,
  notInLogs: 'the answer to a request (`ret` of `irq.affinity`)',
  confirm:
    'what irq_set_affinity returned; SETAFFINITY_PENDING in dstate of /sys/kernel/debug/irq/irqs/<n>, and whether the device raises interrupts at all',
  watch(report, scene) {
    const moves = new Map<ObjectId, Move>();
    let judged = 0;
    /** The first request during a move whose answer the trace does not tell. */
    let unanswered: { readonly step: Step; readonly irq: ObjectId; readonly move: Step } | undefined;
    /** The trace tells answers to requests. */
    let answers = scene.complete;
    const cleanup = scene.complete ? SIMULATED_CLEANUP : CLEANUP;
    return {
      event(step, happened, state) {
        const { kind, object, cpu, time, words, at } = happened;
        if (kind === message || kind === mark) {
          const text = textOf(scene.world, happened);
          const virq = BUSY.exec(text)?.[1];
          if (virq === undefined) return;
          judged++;
          const irq = state.here.objectAt(`irq/${virq}`);
          const move = moves.get(irq);
          report({
            step,
            object: irq >= 0 ? irq : object,
            severity: 'warning',
            title: `irq ${virq} could not be moved: the move before is not complete`,
            text: `The kernel says: ${text.trim()}. The answer is EBUSY: its previous vector is not freed yet, and the irq stays on a CPU that goes offline.`,
            evidence: move === undefined ? [] : [move.step],
          });
        } else if (kind === irqEntry) {
          if (moves.size === 0) return;
          const move = moves.get(object);
          if (move !== undefined && cpu === move.cpu) {
            if (move.handled === 0) move.since = time;
            move.handled++;
            move.last = step;
          }
        } else if (kind === vecUpdate) {
          const a = vecUpdate.read(words, at);
          moves.delete(object);
          if (!isPlace(a.prevVector)) return;
          const { prevCpu, prevVector } = a;
          moves.set(object, {
            step,
            cpu: a.cpu,
            prevCpu,
            prevVector,
            handled: 0,
            since: Number.NaN,
            last: -1,
            busy: 0,
            told: false,
          });
        } else if (kind === irqAffinity) {
          const move = moves.get(object);
          const { ret } = irqAffinity.read(words, at);
          if (ret !== undefined) answers = true;
          if (move === undefined) return;
          if (!answers) {
            unanswered ??= { step, irq: object, move: move.step };
            return;
          }
          judged++;
          if (ret !== EBUSY) return;
          move.busy++;
          if (move.busy < 2 || move.told) return;
          // The previous vector is freed by a timer of one jiffy, which the first interrupt starts.
          if (move.handled > 0 && !(time - move.since > cleanup)) return;
          move.told = true;
          const name = irqName(scene.world, object);
          const waits = move.handled === 0;
          report({
            step,
            object,
            severity: waits ? 'info' : 'warning',
            title: waits
              ? `${name} cannot move again: it waits for its next interrupt`
              : `${name} cannot move again although interrupts arrived on its new vector`,
            text: `${name} moved to CPU ${move.cpu}; ${placeName(move.prevCpu, move.prevVector)} is not freed since, and ${move.busy} further ${noun(move.busy, 'request was', 'requests were')} answered with -16 (EBUSY). ${waits ? 'No interrupt came since the move: an idle device is enough for that, nothing is lost.' : `Its handler ran ${move.handled} ${noun(move.handled, 'time')} on the new CPU, which should have ended the move.`}`,
            evidence: waits ? [move.step] : [move.step, move.last],
          });
        } else moves.delete(object);
      },
      lost: () => moves.clear(),
      end() {
        if (answers || unanswered === undefined) return;
        const { step, irq, move } = unanswered;
        const name = irqName(scene.world, irq);
        // No kind of event proves it: the rule is undecidable.
        report({
          step,
          object: irq,
          title: `${name} was to move again, and no record tells the answer`,
          text: `${name} was to move again while its previous vector was not freed. The trace does not tell what irq_set_affinity returned.`,
          evidence: [move],
          absent: { since: move, kinds: [] },
        });
      },
      get judged() {
        return judged;
      },
    };
  },
};
