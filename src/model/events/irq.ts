import { eventKind } from '../event.ts';
import { irq } from '../things/irq.ts';

const I = irq.at;

/** Handlers. Object: the irq. */
export const irqEntry = eventKind(
  'irq.entry',
  'handle',
  [irq],
  'The handler of an irq action starts.',
  { name: 's' },
  (state, e, at) => {
    if (state.flag(e.object, I.beginning) === true) state.setFlag(e.object, I.beginning, false);
    state.set(e.object, I.name, e.words[e.at + at.name]!);
    state.count(e.object, I.handled);
    state.count(e.object, I.handledSinceSetup);
    if (e.cpu >= 0) state.set(e.object, I.running, e.cpu);
  },
);

export const irqExit = eventKind(
  'irq.exit',
  'handle',
  [irq],
  'The handler of an irq action returned.',
  { handled: 'flag' },
  (state, e, at) => {
    state.touch(e.object);
    state.forget(e.object, I.running);
    if (!e.words[e.at + at.handled]) state.count(e.object, I.unhandled);
  },
);

export const irqIdentify = eventKind(
  'irq.identify',
  'look',
  [irq],
  'The trace shows which function and which vector of it an irq belongs to.',
  { device: 's?', hwirq: 'u?', domain: 's?', lpi: 'u?', owner: 's?' },
  (state, e, at, bit) => {
    const w = e.words;
    const mask = w[e.at]!;
    state.touch(e.object);
    if (mask & bit.device) state.set(e.object, I.device, w[e.at + at.device]!);
    if (mask & bit.hwirq) state.set(e.object, I.hwirq, w[e.at + at.hwirq]!);
    if (mask & bit.domain) state.set(e.object, I.domain, w[e.at + at.domain]!);
    if (mask & bit.lpi) state.set(e.object, I.lpi, w[e.at + at.lpi]!);
    if (mask & bit.owner) state.set(e.object, I.owner, w[e.at + at.owner]!);
  },
);

/** The kernel wrote an MSI message into a device (kprobe on __pci_write_msi_msg and its callers). Object: the irq. */
export const msgWrite = eventKind(
  'msg.write',
  'store',
  [irq],
  'The kernel wrote an MSI message into a device. All zero is the teardown.',
  { hwirq: 'u?', address: 'xx', data: 'x', domain: 's?', by: 's?', where: 's?' },
  (state, e, at, bit) => {
    const w = e.words;
    if (w[e.at]! & bit.hwirq) state.set(e.object, I.hwirq, w[e.at + at.hwirq]!);
    state.set(e.object, I.address, w[e.at + at.address]!);
    state.set(e.object, I.address + 1, w[e.at + at.address + 1]!);
    state.set(e.object, I.data, w[e.at + at.data]!);
    state.count(e.object, I.messageWrites);
  },
);

/** The mask or unmask callback of an irq chip ran (kprobe). Object: the irq. */
export const irqMask = eventKind(
  'irq.mask',
  'mask',
  [irq],
  'An irq chip masked or unmasked the irq.',
  { masked: 'flag', hwirq: 'u?' },
  (state, e, at, bit) => {
    if (e.words[e.at]! & bit.hwirq) state.set(e.object, I.hwirq, e.words[e.at + at.hwirq]!);
    state.setFlag(e.object, I.masked, e.words[e.at + at.masked] !== 0);
  },
);

export const irqAffinity = eventKind(
  'irq.affinity',
  'move',
  [irq],
  'The irq is to move: to which CPUs, whether that waits for its next interrupt, and the negative errno when it is refused.',
  { mask: 's?', lpi: 'u?', deferred: 'flag?', ret: 'i?' },
  (state, e, at, bit) => {
    if (e.words[e.at]! & bit.lpi) state.set(e.object, I.lpi, e.words[e.at + at.lpi]!);
    else state.touch(e.object);
  },
);

/** Managed interrupts follow their CPUs. Object: the irq. */
export const irqManaged = eventKind(
  'irq.managed',
  'configure',
  [irq],
  'A managed irq was shut down because no CPU of its mask is online, or started up again because one is.',
  { shutdown: 'flag' },
  (state, e, at) => state.setFlag(e.object, I.shutdown, e.words[e.at + at.shutdown] !== 0),
);

/** State of the irq descriptor (debugfs istate and dstate). Object: the irq. */
export const irqStatus = eventKind(
  'irq.status',
  'mask',
  [irq],
  'The descriptor of an irq was disabled or enabled, or notes that an interrupt came while it is disabled.',
  { disabled: 'flag', pending: 'flag' },
  (state, e, at) => {
    state.setFlag(e.object, I.disabled, e.words[e.at + at.disabled] !== 0);
    state.setFlag(e.object, I.latched, e.words[e.at + at.pending] !== 0);
  },
);

export const irqEvents = [irqStatus, irqEntry, irqExit, irqIdentify, msgWrite, irqMask, irqAffinity, irqManaged];
