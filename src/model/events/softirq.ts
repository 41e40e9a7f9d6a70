import { eventKind } from '../event.ts';
import { softirq } from '../things/irq.ts';

const S = softirq.at;

/** Softirqs (kernel/softirq.c, include/trace/events/irq.h). Object of all: the softirq of the recording CPU. */
export const softirqRaise = eventKind(
  'softirq.raise',
  'call',
  [softirq],
  'A softirq was raised on this CPU: its handler is to run there, mostly when the interrupt handler has returned.',
  {},
  (state, e) => {
    state.setFlag(e.object, S.raised, true);
    state.count(e.object, S.raises);
  },
);

/** The kernel takes the pending bits of all softirqs before it runs the handlers (handle_softirqs). */
export const softirqEntry = eventKind(
  'softirq.entry',
  'handle',
  [softirq],
  'The handler of a softirq starts.',
  {},
  (state, e) => {
    state.setFlag(e.object, S.raised, false);
    state.setFlag(e.object, S.running, true);
    state.count(e.object, S.entries);
  },
);

export const softirqExit = eventKind(
  'softirq.exit',
  'handle',
  [softirq],
  'The handler of a softirq returned.',
  {},
  (state, e) => state.setFlag(e.object, S.running, false),
);

export const softirqEvents = [softirqRaise, softirqEntry, softirqExit];
