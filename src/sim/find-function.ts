import type { PciFunction } from './device/pci-function.ts';
import { host } from './irq/host.ts';
import { vms } from './kvm/vm.ts';
import type { Setup } from './setup.ts';

/** A function that an operation is done to, or why there is none. */
export interface FoundFunction {
  readonly fn?: PciFunction;
  readonly problem?: string;
}

/** Parts with functions of their own (virtual machines) register them here, so that operations find them. */
export type FunctionFinder = (setup: Setup, bdf: string) => PciFunction | undefined;

const finders: FunctionFinder[] = [
  (setup, bdf) => setup.find(host)?.functions.get(bdf),
  (setup, bdf) => [...(setup.find(vms)?.values() ?? [])].map((vm) => vm.functions.get(bdf)).find((fn) => fn),
];

const found = new WeakMap<Setup, Map<string, FoundFunction & { readonly index: number }>>();

/** The function whose path an object has or lies under. */
export function deviceOf(setup: Setup, object: string): FoundFunction {
  const bdf = object.split('/')[1] ?? '';
  for (const find of finders) {
    const fn = find(setup, bdf);
    if (fn) return { fn };
  }
  return { problem: `the system has no function ${bdf}` };
}

/** The function and index of an MSI-X entry. */
export function entryOf(setup: Setup, object: string): FoundFunction & { readonly index: number } {
  let known = found.get(setup);
  if (known === undefined) found.set(setup, (known = new Map()));
  let entry = known.get(object);
  if (entry === undefined) {
    entry = findEntry(setup, object);
    // A function that exists stays; one that does not exist may be added later.
    if (entry.fn) known.set(object, entry);
  }
  return entry;
}

function findEntry(setup: Setup, object: string): FoundFunction & { readonly index: number } {
  const index = Number(object.split('/')[3]);
  const device = deviceOf(setup, object);
  if (device.fn && (!Number.isInteger(index) || index >= 2048))
    return { problem: `${object} is no MSI-X entry: its index must be 0 to 2047`, index };
  return { ...device, index };
}
