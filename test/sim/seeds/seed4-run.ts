// What the tests of S4 share.
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { bundled, events, run } from '../run.ts';

/** Values of policies. */
export type Settings = Readonly<Record<string, string>>;

/** Time of an event in microseconds. */
export const us = (e: EventView): number => Number(e.time) * 1e6;
/** A bundled scenario run to its end, with its events. */
export const runOf = (name: string, settings: Settings = {}): { sim: Simulation; all: EventView[] } => {
  const sim = run(bundled(name), { settings });
  assert.deepEqual(sim.machine.ledger.twice, [], 'every cause has one outcome');
  return { sim, all: events(sim) };
};
/** The events of a kind. */
export const of = (all: readonly EventView[], kind: string): EventView[] => all.filter((e) => e.kind === kind);
/** One field of all events of a kind. */
export const fieldsOf = (all: readonly EventView[], kind: string, field: string): unknown[] =>
  of(all, kind).map((e) => e.fields[field]);
/** How many handlers of guests ran. */
export const guestHandled = (all: readonly EventView[]): number =>
  of(all, 'irq.entry').filter((e) => e.object.startsWith('guest/')).length;
/** How many handlers of the host ran. */
export const hostHandled = (all: readonly EventView[]): number =>
  of(all, 'irq.entry').filter((e) => e.object.startsWith('irq/')).length;

/** Values of the policy guest.store. */
export const STORES = ['msixTable', 'config', 'deviceMemory', 'queueMemory'];
/** How events name each storage. */
export const WHERE: Settings = {
  msixTable: 'MSI-X table',
  config: 'MSI capability',
  deviceMemory: 'device memory',
  queueMemory: 'queue memory',
};
/** How the bus domain of each storage is called. */
export const BUS: Settings = {
  msixTable: 'PCI-MSIX',
  config: 'PCI-MSI',
  deviceMemory: 'DEV-IMS',
  queueMemory: 'QUEUE-IMS',
};
/** Fails unless each of these comes after the one before. */
export function inOrder(all: readonly EventView[], steps: readonly ((e: EventView) => boolean)[]): void {
  let at = -1;
  for (const [i, step] of steps.entries()) {
    const next = all.findIndex((e, n) => n > at && step(e));
    assert.ok(next > at, `step ${i} of the order is missing after event ${at}`);
    at = next;
  }
}
