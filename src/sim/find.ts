import type { PciFunction } from './device/function.ts';
import { host } from './irq/host.ts';
import { vms } from './kvm/vm.ts';
import type { System } from './system.ts';

/** A function that an operation is done to, or why there is none. */
export interface FoundFunction {
  readonly fn?: PciFunction;
  readonly problem?: string;
}

/** Parts with functions of their own (virtual machines) register them here, so that operations find them. */
export type FunctionFinder = (system: System, bdf: string) => PciFunction | undefined;

const finders: FunctionFinder[] = [
  (system, bdf) => system.find(host)?.functions.get(bdf),
  (system, bdf) => [...(system.find(vms)?.values() ?? [])].map((vm) => vm.functions.get(bdf)).find((fn) => fn),
];

const found = new WeakMap<System, Map<string, FoundFunction & { readonly index: number }>>();

/** The function whose path an object has or lies under. */
export function deviceOf(system: System, object: string): FoundFunction {
  const bdf = object.split('/')[1] ?? '';
  for (const find of finders) {
    const fn = find(system, bdf);
    if (fn) return { fn };
  }
  return { problem: `the system has no function ${bdf}` };
}

/** The function and index of an MSI-X entry. */
export function entryOf(system: System, object: string): FoundFunction & { readonly index: number } {
  let known = found.get(system);
  if (known === undefined) found.set(system, (known = new Map()));
  let entry = known.get(object);
  if (entry === undefined) {
    entry = findEntry(system, object);
    // A function that exists stays; one that does not exist may be added later.
    if (entry.fn) known.set(object, entry);
  }
  return entry;
}

function findEntry(system: System, object: string): FoundFunction & { readonly index: number } {
  const index = Number(object.split('/')[3]);
  const device = deviceOf(system, object);
  if (device.fn && (!Number.isInteger(index) || index >= 2048))
    return { problem: `${object} is no MSI-X entry: its index must be 0 to 2047`, index };
  return { ...device, index };
}
