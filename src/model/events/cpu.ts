import { eventKind, refused } from '../event.ts';
import { cpu, intid, irqThread, pin, softirq, vector } from '../things/irq.ts';
import { vcpuVector } from '../things/virt.ts';

const S = softirq.at;
const T = irqThread.at;
const V = vector.at;

/** System vectors. Object: the vector of the recording CPU. */
export const sysEntry = eventKind(
  'vector.entry',
  'handle',
  [vector],
  'The entry code of a system vector starts.',
  { name: 's' },
  (state, e, a) => {
    state.set(e.object, V.name, a.name);
    state.setFlag(e.object, V.active, true);
    state.count(e.object, V.entries);
  },
);

export const sysExit = eventKind(
  'vector.exit',
  'handle',
  [vector],
  'The entry code of a system vector ends.',
  { name: 's' },
  (state, e, a) => {
    state.set(e.object, V.name, a.name);
    state.setFlag(e.object, V.active, false);
  },
);

/** The local APIC of a processor of the host. Object: the vector. Only simulated traces tell this. */
export const cpuAccept = eventKind(
  'cpu.accept',
  'deliver',
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
  'deliver',
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
  'eoi',
  [vector],
  'End of interrupt: the bit in the ISR is cleared.',
  {},
  (state, e) => state.setFlag(e.object, V.inService, false),
);

/** The redistributor of a processor of the host. Object: the LPI there. */
export const gicPend = eventKind(
  'gic.pend',
  'deliver',
  [intid, vcpuVector],
  'An LPI arrived at the redistributor of a processor and pends there, or is no longer pending (cleared or moved away); or an SPI pends for that processor. At a virtual CPU: a virtual LPI.',
  { pending: 'flag', cause: 'u?' },
  (state, e, a) => {
    const pending = a.pending;
    if (state.world.type(e.object) === vcpuVector) {
      state.setFlag(e.object, vcpuVector.at.requested, pending);
      if (pending) state.count(e.object, vcpuVector.at.accepts);
      return;
    }
    state.setFlag(e.object, intid.at.requested, pending);
    if (pending) state.count(e.object, intid.at.accepts);
  },
);

/** A processor goes offline or comes online. Object: the CPU. */
export const cpuState = eventKind(
  'cpu.state',
  'configure',
  [cpu],
  'A processor goes offline or comes online, or may not (negative errno).',
  { online: 'flag', ret: 'i?' },
  (state, e, a) => {
    if (refused(a.ret)) return;
    state.setFlag(e.object, cpu.at.online, a.online);
    // A CPU that comes online was started up.
    if (a.online && state.flag(e.object, cpu.at.stopped) === true) state.setFlag(e.object, cpu.at.stopped, false);
  },
);

/** The local APIC of a processor that went offline. Object: the CPU. */
export const cpuReset = eventKind(
  'cpu.reset',
  'configure',
  [cpu],
  'The local APIC of a processor was reset: what it had accepted and not yet handed over is gone.',
  {},
  (state, e) => {
    const vectors = state.world.node(e.object)?.children.get('vector')?.children;
    if (vectors)
      for (const { object } of vectors.values())
        for (const cell of [V.requested, V.inService])
          if (object >= 0 && state.flag(object, cell) === true) state.setFlag(object, cell, false);
  },
);

/** A message that is no vector reaches a local APIC of the host. Object: the CPU. Only simulated traces tell this. */
export const cpuSignal = eventKind(
  'cpu.signal',
  'deliver',
  [cpu],
  'The local APIC of a processor got a message whose delivery mode takes no vector (SMI, NMI, INIT, ExtINT) and handed it to the core. No bit of its IRR is set, and no end of interrupt follows.',
  { mode: 's', cause: 'u?', requester: 'x?' },
  (state, e, a) => {
    state.count(e.object, cpu.at.signals);
    if (state.world.strings.text(a.mode) === 'INIT') state.setFlag(e.object, cpu.at.stopped, true);
  },
);

/** A local APIC of the host detects an error. Object: the CPU. */
export const cpuError = eventKind(
  'cpu.error',
  'fault',
  [cpu],
  'The local APIC of a processor detected an error; `esr`: the bits of its error status register that this sets.',
  { esr: 'x', requester: 'x?' },
  (state, e, a) => state.setBits(e.object, cpu.at.errors, a.esr, a.esr),
);

/** Inter-processor interrupts. Object: the target CPU, or the recording one. */
export const ipiSend = eventKind('ipi.send', 'message', [cpu], 'A CPU sends an inter-processor interrupt.', {
  targets: 's?',
  reason: 's?',
});
export const ipiEntry = eventKind('ipi.entry', 'handle', [cpu], 'The handler of an inter-processor interrupt starts.', {
  reason: 's',
});
export const ipiExit = eventKind('ipi.exit', 'handle', [cpu], 'The handler of an inter-processor interrupt ends.', {
  reason: 's',
});

/** A wired interrupt line at its controller. Object: the pin. */
export const lineSet = eventKind(
  'line.set',
  'raise',
  [pin],
  'A wired interrupt line was driven.',
  { level: 'flag' },
  (state, e, a) => {
    state.setFlag(e.object, pin.at.level, a.level);
    state.count(e.object, pin.at.changes);
  },
);

/** A CPU was seen at work: tracepoints fire on online CPUs only. Object: the CPU. */
export const cpuSeen = eventKind('cpu.online', 'look', [cpu], 'A record of this CPU: it is online.', {}, (state, e) => {
  state.setFlag(e.object, cpu.at.online, true);
});

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

export const cpuEvents = [
  cpuAccept,
  cpuTake,
  cpuEoi,
  gicPend,
  cpuState,
  cpuReset,
  cpuSignal,
  cpuError,
  sysEntry,
  sysExit,
  ipiSend,
  ipiEntry,
  ipiExit,
  lineSet,
  cpuSeen,
  softirqRaise,
  softirqEntry,
  softirqExit,
  threadWake,
  threadEntry,
  threadExit,
];
