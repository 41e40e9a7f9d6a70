import { eventKind } from '../event.ts';
import { irqThread } from '../things/irq.ts';

const T = irqThread.at;

/** Threads of irqs (kernel/irq/manage.c, include/trace/events/sched.h). Object of all: the thread. */
export const threadWake = eventKind(
  'thread.wake',
  'call',
  [irqThread],
  'A thread that handles an irq was woken. `late`: the record is that of the end of the wake-up, which may be of another CPU than the one that woke it.',
  { name: 's', late: 'flag?' },
  (state, e, a) => {
    state.set(e.object, T.name, a.name);
    state.setFlag(e.object, T.woken, true);
    state.count(e.object, T.wakes);
  },
);

export const threadEntry = eventKind(
  'thread.entry',
  'handle',
  [irqThread],
  'A processor switched to a thread that handles an irq.',
  { name: 's' },
  (state, e, a) => {
    const goesOn = state.flag(e.object, T.unfinished) === true;
    state.set(e.object, T.name, a.name);
    state.setFlag(e.object, T.woken, false);
    state.setFlag(e.object, T.unfinished, false);
    state.setFlag(e.object, T.running, true);
    if (e.cpu >= 0) state.set(e.object, T.cpu, e.cpu);
    else state.forget(e.object, T.cpu);
    if (!goesOn) state.count(e.object, T.runs);
  },
);

export const threadExit = eventKind(
  'thread.exit',
  'handle',
  [irqThread],
  'A processor switched away from a thread that handles an irq. `done`: it waits in state S, as it does for the next interrupt; otherwise it was preempted, or blocks inside its handler.',
  { name: 's', done: 'flag?' },
  (state, e, a) => {
    state.set(e.object, T.name, a.name);
    state.setFlag(e.object, T.running, false);
    if (a.done === undefined) state.forget(e.object, T.unfinished);
    else state.setFlag(e.object, T.unfinished, !a.done);
    if (e.cpu >= 0) state.set(e.object, T.cpu, e.cpu);
  },
);

export const threadEvents = [threadWake, threadEntry, threadExit];
