// A virtual machine for the tests of S2, and what they ask of a run.

import { msixEntry } from '../../../src/model/things/pci.ts';
import type { EventView } from '../../../src/query/events.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { events, run } from '../run.ts';

export const BDF = '0000:00:04.0';
export const DEVICE = `device/${BDF}`;
export const entry = (index: number): string => `${DEVICE}/msix/${index}`;
/** The guest has set everything up by then. */
export const READY = 1e6;

/** An operation at some microseconds after the guest has set everything up. */
export const at = (us: number, op: string, object: string, args: object = {}): object => ({
  at: READY + us * 1000,
  op,
  object,
  ...args,
});

/** A device of the guest. */
export interface GuestDevice {
  readonly source?: 'userspace' | 'irqfd' | 'vhost' | 'hostirq';
  readonly vectors?: number;
  readonly irqs?: number;
  readonly driver?: 'guest' | 'none';
  readonly maskEach?: boolean;
  readonly hostIrq?: number;
}

/** Runs a machine with one device to the end of a workload. */
export function machine(
  settings: Readonly<Record<string, string>>,
  workload: readonly object[] = [],
  device: GuestDevice = {},
): Simulation {
  const vms = [{ vcpus: 2, devices: [{ bdf: BDF, name: 'virtio-net', vectors: 2, source: 'irqfd', ...device }] }];
  return run({ vms, workload }, { settings });
}

/** Events from a time on (microseconds after READY). */
export const since = (sim: Simulation, us = 0): EventView[] =>
  events(sim).filter((e) => Math.round(Number(e.time) * 1e9) >= READY + us * 1000);

/** Events before READY: the guest sets up. */
export const setup = (sim: Simulation): EventView[] =>
  events(sim).filter((e) => Math.round(Number(e.time) * 1e9) < READY);

/** Events of a kind. */
export const of = (all: readonly EventView[], ...kinds: readonly string[]): EventView[] =>
  all.filter((e) => kinds.includes(e.kind));

/** Names of the ioctls of some events. */
export const ioctls = (all: readonly EventView[]): unknown[] => of(all, 'ioctl').map((e) => e.fields.name);

/** How often the VMM had to be asked. */
export const exits = (all: readonly EventView[]): number => of(all, 'kvm.userspace').length;

/** The pending bit of an entry at the end of a run. */
export const pending = (sim: Simulation, index: number): boolean | undefined =>
  sim.trace.head.flag(sim.trace.world.objectAt(entry(index)), msixEntry.at.pending);

/** A cell of an object at the end of a run, -1 while unknown. */
export const cell = (sim: Simulation, path: string, n: number): number =>
  sim.trace.head.num(sim.trace.world.objectAt(path), n);

/** Rules of the illegal events among some. */
export const rules = (all: readonly EventView[]): unknown[] => of(all, 'illegal').map((e) => e.fields.rule);

/** Vectors accepted by local APICs, as paths. */
export const accepted = (all: readonly EventView[]): string[] => of(all, 'apic.accept').map((e) => e.object);

/** Every cause has one outcome, none twice. */
export const booksBalance = (sim: Simulation): boolean => {
  const { ledger } = sim.machine;
  const sum = Object.values(ledger.tally()).reduce((a, b) => a + b, 0);
  return sum === ledger.causes && ledger.twice.length === 0;
};
