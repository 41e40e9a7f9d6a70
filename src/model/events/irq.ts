import { numbersOf } from '../../base/cpu-list.ts';
import type { ObjectId } from '../../base/ids.ts';
import { eventKind } from '../event.ts';
import { functionOfDomain } from '../irq-source.ts';
import { countOn } from '../percpu.ts';
import type { State } from '../state.ts';
import { irq } from '../things/irq.ts';
import { checkHandler } from './doubt.ts';

const I = irq.at;

/** Longest text of the names of the actions of one irq. */
const MOST_NAMES = 300;

/**
 * Every interrupt runs all actions of an irq, in order (__handle_irq_event_percpu of kernel/irq/handle.c). So an action that runs
 * twice in a row is the only one; what was there before was freed, and no record tells that.
 */
function nameAction(state: State, object: ObjectId, name: number): void {
  const last = state.num(object, I.action);
  const { strings } = state.world;
  const names = state.text(object, I.name);
  const one = strings.text(name);
  let all = name;
  // A snapshot told all names; which handler ran last is not known then.
  if (last < 0 && `, ${names}, `.includes(`, ${one}, `)) all = state.num(object, I.name);
  else if (last >= 0 && last !== name && names !== '') {
    const joined = `, ${names}, `.includes(`, ${one}, `) ? names : `${names}, ${one}`;
    if (joined.length <= MOST_NAMES) all = strings.intern(joined);
  }
  state.set(object, I.name, all);
  if (last !== name) state.set(object, I.action, name);
}

/** Whether an action is the first of those of an irq. */
function isFirstAction(state: State, object: ObjectId, name: number): boolean {
  return (
    name === state.num(object, I.name) || state.text(object, I.name).startsWith(`${state.world.strings.text(name)}, `)
  );
}

/** Handlers. Object: the irq. */
export const irqEntry = eventKind(
  'irq.entry',
  'handle',
  [irq],
  'The handler of an irq action starts.',
  { name: 's' },
  (state, e, a) => {
    if (state.flag(e.object, I.beginning) === true) state.setFlag(e.object, I.beginning, false);
    nameAction(state, e.object, a.name);
    if (state.flag(e.object, I.ran) !== true) state.setFlag(e.object, I.ran, true);
    // Snapshots count interrupts. Each runs all actions of the irq, so those of one action are counted.
    if (state.flag(e.object, I.told) !== true || isFirstAction(state, e.object, a.name)) {
      state.count(e.object, I.handled);
      state.count(e.object, I.handledSinceSetup);
      countOn(state, e.object, e.cpu);
    }
    checkHandler(state, e.object, e.cpu);
    if (e.cpu >= 0) state.set(e.object, I.running, e.cpu);
  },
);

export const irqExit = eventKind(
  'irq.exit',
  'handle',
  [irq],
  'The handler of an irq action returned.',
  { handled: 'flag' },
  (state, e, a) => {
    state.touch(e.object);
    state.forget(e.object, I.running);
    if (state.num(e.object, I.again) >= 0 && state.flag(e.object, I.latched) !== true) state.forget(e.object, I.again);
    if (!a.handled) state.count(e.object, I.unhandled);
  },
);

/**
 * The function that the domain names is that of the irq: a domain of one function by its name, a domain of all functions by the
 * hwirq (drivers/pci/msi/irqdomain.c pci_msi_domain_calc_hwirq, Linux before 6.2).
 */
function concludeDevice(state: State, object: ObjectId): void {
  const named = functionOfDomain(state, object);
  if (named !== '') state.set(object, I.device, state.world.strings.intern(named));
}

function setHwirq(state: State, object: ObjectId, hwirq: number): void {
  state.set(object, I.hwirq, hwirq);
  concludeDevice(state, object);
}

export const irqIdentify = eventKind(
  'irq.identify',
  'look',
  [irq],
  'The trace shows which function and which vector of it an irq belongs to.',
  { device: 's?', hwirq: 'u?', domain: 's?', lpi: 'u?', owner: 's?' },
  (state, e, a) => {
    state.touch(e.object);
    if (a.hwirq !== undefined) state.set(e.object, I.hwirq, a.hwirq);
    if (a.domain !== undefined) state.set(e.object, I.domain, a.domain);
    if (a.device !== undefined) state.set(e.object, I.device, a.device);
    else if (a.hwirq !== undefined || a.domain !== undefined) concludeDevice(state, e.object);
    if (a.lpi !== undefined) state.set(e.object, I.lpi, a.lpi);
    if (a.owner !== undefined) state.set(e.object, I.owner, a.owner);
  },
);

/** The kernel wrote an MSI message into a device (kprobe on __pci_write_msi_msg and its callers). Object: the irq. */
export const msgWrite = eventKind(
  'msg.write',
  'store',
  [irq],
  'The kernel wrote an MSI message into a device. All zero is the teardown.',
  { hwirq: 'u?', address: 'xx', data: 'x', domain: 's?', by: 's?', where: 's?' },
  (state, e, a) => {
    if (a.hwirq !== undefined) setHwirq(state, e.object, a.hwirq);
    state.set(e.object, I.address, a.address(0));
    state.set(e.object, I.address + 1, a.address(1));
    state.set(e.object, I.data, a.data);
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
  (state, e, a) => {
    if (a.hwirq !== undefined) setHwirq(state, e.object, a.hwirq);
    state.setFlag(e.object, I.masked, a.masked);
  },
);

export const irqAffinity = eventKind(
  'irq.affinity',
  'move',
  [irq],
  'The irq is to move: to which CPUs (a list such as `0-3,8`, or the words of a mask), whether that waits for its next interrupt, and the negative errno when it is refused.',
  { mask: 's?', lpi: 'u?', deferred: 'flag?', ret: 'i?' },
  (state, e, a) => {
    if (a.lpi !== undefined) state.set(e.object, I.lpi, a.lpi);
    else state.touch(e.object);
    // What is refused changes nothing; what waits is what smp_affinity shows (desc->pending_mask).
    if (a.mask === undefined || (a.ret !== undefined && a.ret < 0 && a.deferred !== true)) return;
    if (numbersOf(state.world.strings.text(a.mask)) !== undefined) state.set(e.object, I.affinity, a.mask);
  },
);

/** Managed interrupts follow their CPUs. Object: the irq. */
export const irqManaged = eventKind(
  'irq.managed',
  'configure',
  [irq],
  'A managed irq was shut down because no CPU of its mask is online, or started up again because one is.',
  { shutdown: 'flag' },
  (state, e, a) => state.setFlag(e.object, I.shutdown, a.shutdown),
);

/** State of the irq descriptor (debugfs istate and dstate). Object: the irq. */
export const irqStatus = eventKind(
  'irq.status',
  'mask',
  [irq],
  'The descriptor of an irq was disabled or enabled, or notes that an interrupt came while it is disabled or while its handler runs on another CPU.',
  { disabled: 'flag', pending: 'flag' },
  (state, e, a) => {
    const runs = state.num(e.object, I.running);
    if (a.pending && !a.disabled && runs >= 0 && e.cpu >= 0 && e.cpu !== runs) state.set(e.object, I.again, runs);
    state.setFlag(e.object, I.disabled, a.disabled);
    state.setFlag(e.object, I.latched, a.pending);
  },
);

export const irqEvents = [irqStatus, irqEntry, irqExit, irqIdentify, msgWrite, irqMask, irqAffinity, irqManaged];
