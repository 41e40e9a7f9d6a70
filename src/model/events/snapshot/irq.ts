// What snapshots show of irqs: /proc/interrupts, /proc/irq, /sys/kernel/irq, /sys/kernel/debug/irq/irqs, msi_irqs of a function.
// A snapshot asserts what it shows at its time; of what it does not show it says nothing.

import { numbersOf } from '../../../base/cpu-list.ts';
import type { ObjectId } from '../../../base/ids.ts';
import { eventKind } from '../../event.ts';
import { holdsEntry } from '../../irq-source.ts';
import { forgetCounts, setCounts } from '../../percpu.ts';
import type { State } from '../../state.ts';
import { irq, irqDescriptor } from '../../things/irq.ts';
import { doubtPlace } from '../doubt.ts';
import { SHUTDOWN_VECTOR } from '../places.ts';

const I = irq.at;
const D = irqDescriptor.at;

/** What an irq holds of one set-up: it ends with it. */
export const OF_ONE_LIFE = [
  ...[I.name, I.action, I.device, I.hwirq, I.domain, I.chip, I.flow, I.level, I.lpi, I.irteIndex],
  ...[I.activated, I.reserved, I.managed, I.masked, I.shutdown, I.disabled, I.latched, I.moving],
  ...[I.affinity, I.effectiveAffinity, I.address, I.address + 1, I.data, I.owner],
];

/** Bit of a count that is known although the count is not: what was never counted is not 0. */
const UNCOUNTED = 0x80000000;

/** How often an irq was handled is not known. */
export function forgetHandled(state: State, object: ObjectId): void {
  for (const cell of [I.handled, I.handledSinceSetup]) {
    state.forget(object, cell);
    state.setBits(object, cell, 0, UNCOUNTED);
  }
}

/** A snapshot shows an irq: its descriptor exists. What was known of one that is gone, or that was of another device, no longer holds. */
function shows(state: State, object: ObjectId, device: number | undefined, hwirq: number | undefined): void {
  state.touch(object);
  const other = (cell: number, told: number | undefined): boolean => {
    const known = state.num(object, cell);
    return told !== undefined && known >= 0 && known !== told;
  };
  if (state.flag(object, I.allocated) === false || other(I.device, device) || other(I.hwirq, hwirq)) {
    doubtPlace(state, object);
    for (const cell of OF_ONE_LIFE) state.forget(object, cell);
  }
  if (state.flag(object, I.beginning) === true) state.setFlag(object, I.beginning, false);
  state.setFlag(object, I.allocated, true);
  if (state.known(object, I.handled) === 0) forgetHandled(state, object);
}

/**
 * Takes the effective affinity. A single CPU is the one that the irq is delivered to, unless it has no vector: then it is that of the
 * placeholder (vector_configure_legacy, reserve_irq_vector of arch/x86/kernel/apic/vector.c).
 */
export function setEffective(state: State, object: ObjectId, list: number): void {
  const cpus = numbersOf(state.world.strings.text(list));
  const v = state.num(object, I.vector);
  if (cpus?.length === 1 && v !== 0 && v !== SHUTDOWN_VECTOR) {
    const known = state.num(object, I.cpu);
    if (known >= 0 && known !== cpus[0]) doubtPlace(state, object);
    state.set(object, I.cpu, cpus[0]!);
  }
  state.set(object, I.effectiveAffinity, list);
}

/** Takes how often an irq was handled: a number for each CPU of a list, or for CPUs that the snapshot does not name. */
function setHandled(state: State, object: ObjectId, cpus: number | undefined, counts: number): void {
  const { strings } = state.world;
  const numbers = strings.text(counts).split(' ').map(Number);
  const sum = numbers.reduce((a, b) => a + b, 0);
  const named = cpus === undefined ? undefined : numbersOf(strings.text(cpus));
  if (named?.length === numbers.length) setCounts(state, object, named, numbers);
  else forgetCounts(state, object);
  state.setFlag(object, I.told, true);
  if (sum <= 0xffffffff) {
    state.set(object, I.handled, sum);
    state.set(object, I.handledSinceSetup, sum);
  } else forgetHandled(state, object);
}

/** Adds an action to those that are known of an irq. */
function addAction(state: State, object: ObjectId, action: number): void {
  const { strings } = state.world;
  const [names, one] = [state.text(object, I.name), strings.text(action)];
  if (names === '') state.set(object, I.name, action);
  else if (!`, ${names}, `.includes(`, ${one}, `)) state.set(object, I.name, strings.intern(`${names}, ${one}`));
}

/** An irq as a snapshot shows it. Object: the irq. */
export const snapIrq = eventKind(
  'snap.irq',
  'look',
  [irq],
  'A snapshot shows an irq: chip, all actions (joined by ", ") or one of them, affinity as lists of CPUs, and how often it was handled on each of `cpus`.',
  {
    chip: 's?',
    hwirq: 'u?',
    domain: 's?',
    device: 's?',
    flow: 's?',
    level: 'flag?',
    actions: 's?',
    action: 's?',
    affinity: 's?',
    effective: 's?',
    cpus: 's?',
    counts: 's?',
    lpi: 'u?',
    irte: 'u?',
  },
  (state, e, a) => {
    const { object } = e;
    // An index of a function that is told apart says the same as the hwirq that holds both.
    const known = a.device !== undefined && a.hwirq !== undefined;
    const same = known && holdsEntry(state, object, state.world.strings.text(a.device), a.hwirq);
    const hwirq = same ? undefined : a.hwirq;
    shows(state, object, a.device, hwirq);
    for (const [cell, value] of [
      [I.chip, a.chip],
      [I.hwirq, hwirq],
      [I.domain, a.domain],
      [I.device, a.device],
      [I.flow, a.flow],
      [I.affinity, a.affinity],
      [I.lpi, a.lpi],
      [I.irteIndex, a.irte],
    ] as const)
      if (value !== undefined) state.set(object, cell, value);
    if (a.level !== undefined) state.setFlag(object, I.level, a.level);
    if (a.actions !== undefined) {
      if (state.num(object, I.name) !== a.actions) state.forget(object, I.action);
      state.set(object, I.name, a.actions);
    }
    if (a.action !== undefined) addAction(state, object, a.action);
    if (a.effective !== undefined) setEffective(state, object, a.effective);
    if (a.counts !== undefined) setHandled(state, object, a.cpus, a.counts);
  },
);

/** What a snapshot shows of the descriptor of an irq. Object: the descriptor. */
export const snapDescriptor = eventKind(
  'snap.descriptor',
  'look',
  [irqDescriptor],
  'A snapshot shows the descriptor of an irq; `flags` are the names of set bits that the kernel prints, joined by ", ".',
  {
    handler: 's?',
    status: 'x?',
    istate: 'x?',
    dstate: 'x?',
    flags: 's?',
    disableDepth: 'u?',
    wakeDepth: 'u?',
    wakeup: 'flag?',
    node: 'i?',
    hint: 's?',
    pending: 's?',
    msi: 's?',
    count: 'u?',
    unhandled: 'u?',
    lastUnhandled: 'u?',
  },
  (state, e, a) => {
    const { object } = e;
    state.touch(object);
    for (const [cell, value] of [
      [D.flowHandler, a.handler],
      [D.status, a.status],
      [D.istate, a.istate],
      [D.dstate, a.dstate],
      [D.flagNames, a.flags],
      [D.disableDepth, a.disableDepth],
      [D.wakeDepth, a.wakeDepth],
      [D.node, a.node],
      [D.affinityHint, a.hint],
      [D.pendingAffinity, a.pending],
      [D.msi, a.msi],
      [D.spuriousCount, a.count],
      [D.spuriousUnhandled, a.unhandled],
      [D.lastUnhandled, a.lastUnhandled],
    ] as const)
      if (value !== undefined) state.set(object, cell, value);
    if (a.wakeup !== undefined) state.setFlag(object, D.wakeup, a.wakeup);
  },
);
