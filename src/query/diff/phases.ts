import { byName } from '../../base/by-name.ts';
import type { Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { vecUpdate } from '../../model/events/vector.ts';
import type { Trace } from '../../trace/trace.ts';

/**
 * The part of the life of an interrupt in which an event stands: `probe`, the function is set up; `set-up`, vector, message and
 * route are; `running`, interrupts come; `move`, they get another target; `teardown`, all is given back.
 */
export type Phase = 'probe' | 'set-up' | 'running' | 'move' | 'teardown';

/** Kinds that give back, with the flag (an argument) and its value with which they do; without a flag they always do. */
const GIVE_BACK: Readonly<Record<string, readonly [flag: string, value: number] | null>> = byName({
  'vec.teardown': null,
  'vec.clear': null,
  'vec.deactivate': null,
  'dom.alloc': ['free', 1],
  'dom.activate': ['activate', 0],
  'its.discard': null,
  'ims.free': null,
  'route.release': null,
  'irqfd.assign': ['release', 1],
  'vfio.use': ['used', 0],
  'dev.use': ['used', 0],
  'pi.update': ['enable', 0],
  'bar.unmap': null,
  'dev.reset': null,
  'kvm.table.remove': null,
});

const RUNNING: ReadonlySet<string> = new Set(['raise', 'message', 'translate', 'deliver', 'handle', 'eoi', 'mask']);

function givesBack(trace: Trace, step: Step, kind: EventKind): boolean {
  const when = GIVE_BACK[kind.name];
  if (when === undefined) return false;
  if (when === null) return true;
  const word = kind.at[when[0]];
  return word !== undefined && trace.table.word(step, word) === when[1];
}

/** Whether an event gives an interrupt another target; the first place that an irq gets is none. */
export function isMove(trace: Trace, step: Step): boolean {
  const kind = trace.table.kind(step);
  if (kind.role !== 'move') return false;
  return kind !== vecUpdate || trace.table.word(step, vecUpdate.at.prevVector) !== 0;
}

/** The phase after an event of an interrupt (`own`: of a function as a whole) that was in `before`. */
export function phaseAfter(trace: Trace, step: Step, before: Phase | undefined, own: boolean): Phase {
  const kind = trace.table.kind(step);
  if (givesBack(trace, step, kind)) return 'teardown';
  if (isMove(trace, step)) return 'move';
  if (RUNNING.has(kind.role)) return own ? (before ?? 'probe') : 'running';
  if (kind.role === 'allocate' || kind.role === 'configure' || kind.role === 'move') {
    if (before === 'running' || before === 'move') return before;
    return own ? 'probe' : 'set-up';
  }
  return before ?? (own ? 'probe' : 'set-up');
}

/** Whether events of a kind mark a phase: interrupts on their way, and masks around them, do not. */
export const marksPhase = ({ role }: EventKind): boolean =>
  role === 'allocate' || role === 'configure' || role === 'move';
