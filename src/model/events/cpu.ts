import { eventKind } from '../event.ts';
import { cpu, pin, vector } from '../things/irq.ts';

const V = vector.at;

/** System vectors. Object: the vector of the recording CPU. */
export const sysEntry = eventKind(
  'vector.entry',
  [vector],
  'The entry code of a system vector starts.',
  { name: 's' },
  (state, e, at) => {
    state.set(e.object, V.name, e.words[e.at + at.name]!);
    state.setFlag(e.object, V.active, true);
    state.count(e.object, V.entries);
  },
);

export const sysExit = eventKind(
  'vector.exit',
  [vector],
  'The entry code of a system vector ends.',
  { name: 's' },
  (state, e, at) => {
    state.set(e.object, V.name, e.words[e.at + at.name]!);
    state.setFlag(e.object, V.active, false);
  },
);

/** The local APIC of a processor of the host. Object: the vector. Only simulated traces tell. */
export const cpuAccept = eventKind(
  'cpu.accept',
  [vector],
  'The local APIC accepted a message: the bit of its vector in the IRR is set.',
  { cause: 'u?', requester: 'x?' },
  (state, e) => {
    state.setFlag(e.object, V.requested, true);
    state.count(e.object, V.accepts);
  },
);

export const cpuTake = eventKind(
  'cpu.take',
  [vector],
  'The processor takes the interrupt: its bit moves from the IRR to the ISR.',
  {},
  (state, e) => {
    state.setFlag(e.object, V.requested, false);
    state.setFlag(e.object, V.inService, true);
  },
);

export const cpuEoi = eventKind(
  'cpu.eoi',
  [vector],
  'End of interrupt: the bit in the ISR is cleared.',
  {},
  (state, e) => state.setFlag(e.object, V.inService, false),
);

/** A processor went offline or came online. Object: the CPU. */
export const cpuState = eventKind(
  'cpu.state',
  [cpu],
  'A processor goes offline or comes online.',
  { online: 'flag' },
  (state, e, at) => state.setFlag(e.object, cpu.at.online, e.words[e.at + at.online] !== 0),
);

/** Inter-processor interrupts. Object: the target CPU, or the recording one. */
export const ipiSend = eventKind('ipi.send', [cpu], 'A CPU sends an inter-processor interrupt.', {
  targets: 's?',
  reason: 's?',
});
export const ipiEntry = eventKind('ipi.entry', [cpu], 'The handler of an inter-processor interrupt starts.', {
  reason: 's',
});
export const ipiExit = eventKind('ipi.exit', [cpu], 'The handler of an inter-processor interrupt ends.', {
  reason: 's',
});

/** A wired interrupt line at its controller. Object: the pin. */
export const lineSet = eventKind(
  'line.set',
  [pin],
  'A wired interrupt line was driven.',
  { level: 'flag' },
  (state, e, at) => {
    state.setFlag(e.object, pin.at.level, e.words[e.at + at.level] !== 0);
    state.count(e.object, pin.at.changes);
  },
);

/** A CPU was seen at work: tracepoints fire on online CPUs only. Object: the CPU. */
export const cpuSeen = eventKind('cpu.online', [cpu], 'A record of this CPU: it is online.', {}, (state, e) => {
  state.setFlag(e.object, cpu.at.online, true);
});

export const cpuEvents = [
  cpuAccept,
  cpuTake,
  cpuEoi,
  cpuState,
  sysEntry,
  sysExit,
  ipiSend,
  ipiEntry,
  ipiExit,
  lineSet,
  cpuSeen,
];
