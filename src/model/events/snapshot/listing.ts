// What a whole listing of the kernel shows: that there is no more than it lists.

import { numbersOf } from '../../../base/cpu-list.ts';
import type { ObjectId } from '../../../base/ids.ts';
import { eventKind } from '../../event.ts';
import { descriptorOf } from '../../irq-source.ts';
import { forgetCounts, setCounts } from '../../percpu.ts';
import type { State } from '../../state.ts';
import { cpu, irq } from '../../things/irq.ts';
import { kernelCount, listing } from '../../things/snapshot.ts';
import { doubtPlace } from '../doubt.ts';
import { cpuObject } from '../places.ts';
import { forgetHandled, OF_ONE_LIFE } from './irq.ts';

const I = irq.at;
const L = listing.at;

/** Interrupts between processors are irqs that no list shows (IRQ_HIDDEN; arch/arm64/kernel/smp.c, drivers/irqchip/irq-riscv-intc.c). */
const HIDDEN = 'IPI';

/** CPUs that are listed are online; others that were told of are not. (Objects that only later events name say nothing.) */
function setOnline(state: State, cpus: readonly number[]): void {
  for (const n of cpus) state.setFlag(cpuObject(state, n), cpu.at.online, true);
  const online = new Set(cpus);
  for (const { object, segment } of state.here.find('cpu')?.children.values() ?? [])
    if (state.present(object) && !online.has(Number(segment))) state.setFlag(object, cpu.at.online, false);
}

/**
 * An irq that is not listed has no action and was not handled since its set-up (show_interrupts, kernel/irq/proc.c): one that had an
 * action or was handled was freed since. Whether its number is in use is not known.
 */
function isGone(state: State, object: ObjectId): void {
  const name = state.text(object, I.name);
  if (state.flag(object, I.allocated) === false || name === HIDDEN) return;
  if (name === '' && (state.num(object, I.handledSinceSetup) <= 0 || state.flag(object, I.told) !== true)) return;
  doubtPlace(state, object);
  for (const cell of [...OF_ONE_LIFE, I.allocated, I.told, I.running, I.again]) state.forget(object, cell);
  forgetHandled(state, object);
  forgetCounts(state, object);
  const below = descriptorOf(state, object);
  if (below >= 0) state.remove(below);
  if (state.flag(object, I.ran) !== true && state.get(object, I.messageWrites) === 0) state.remove(object);
}

/** A listing of the kernel. Object: the listing. */
export const snapListing = eventKind(
  'snap.listing',
  'look',
  [listing],
  'A snapshot lists the online CPUs, or all irqs that have an action or were handled: what it does not list is not there.',
  { cpus: 's?', irqs: 's?' },
  (state, e, a) => {
    state.touch(e.object);
    const text = (id: number): string => state.world.strings.text(id);
    if (a.cpus !== undefined) {
      state.set(e.object, L.cpus, a.cpus);
      const cpus = numbersOf(text(a.cpus));
      if (cpus !== undefined && cpus.length > 0) setOnline(state, cpus);
    }
    if (a.irqs === undefined) return;
    state.set(e.object, L.irqs, a.irqs);
    const listed = new Set(text(a.irqs).split(',').flatMap(runOf));
    for (const { object, segment } of state.here.find('irq')?.children.values() ?? [])
      if (state.present(object) && !listed.has(Number(segment))) isGone(state, object);
  },
);

/** Irqs of one run of a list are at most so many: a longer one is damage. */
const LONGEST_RUN = 1 << 20;

/** The numbers of one part of a list of irqs. */
function runOf(part: string): number[] {
  const [first = Number.NaN, last = first] = part.split('-').map(Number);
  const length = last - first + 1;
  return length >= 1 && length <= LONGEST_RUN ? Array.from({ length }, (_, i) => first + i) : [];
}

/** A count that the kernel keeps for each CPU. Object: what is counted. */
export const snapCount = eventKind(
  'snap.count',
  'look',
  [kernelCount],
  'A snapshot shows how often an interrupt of the architecture, or a softirq, was counted on each of `cpus`, or on all together.',
  { text: 's?', cpus: 's?', counts: 's' },
  (state, e, a) => {
    state.touch(e.object);
    const { strings } = state.world;
    const counts = strings.text(a.counts).split(' ').map(Number);
    const cpus = a.cpus === undefined ? undefined : numbersOf(strings.text(a.cpus));
    if (a.text !== undefined) state.set(e.object, kernelCount.at.text, a.text);
    if (cpus !== undefined && cpus.length === counts.length) {
      setCounts(state, e.object, cpus, counts);
      for (let i = 0; i < 2; i++) state.forget(e.object, kernelCount.at.total + i);
      return;
    }
    const sum = counts.reduce((x, y) => x + y, 0);
    forgetCounts(state, e.object);
    state.set(e.object, kernelCount.at.total, sum >>> 0);
    state.set(e.object, kernelCount.at.total + 1, Math.floor(sum / TWO32) >>> 0);
  },
);

const TWO32 = 2 ** 32;
