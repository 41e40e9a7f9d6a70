import { bdfText } from '../model/bdf.ts';
import type { Namespace } from '../model/namespace.ts';
import { typeOfPath } from '../model/paths.ts';
import { pciRequester } from '../model/registers/pci.ts';
import { irq } from '../model/things/irq.ts';
import { device, mention, msixEntry } from '../model/things/pci.ts';
import { vcpu, vcpuVector } from '../model/things/virt.ts';

/** No object has a path of more segments; a name with as many slashes is damage, or made to harm. */
const MOST_SEGMENTS = 16;

/** The object at a path, of the type that the path has; a mere mention where the path is that of nothing. */
export function objectAt(world: Namespace, path: string): number {
  const known = world.objectAt(path);
  if (known >= 0) return known;
  const isPath = path.split('/', MOST_SEGMENTS + 1).length <= MOST_SEGMENTS;
  return isPath ? world.object(typeOfPath(path), path) : world.object(mention, 'message');
}

/** The PCI function with that bus, device (slot) and function number, in segment 0. */
export function deviceObject(world: Namespace, bus: number, slot: number, fn: number): number {
  const r = pciRequester.f;
  return requesterObject(world, r.bus.put(bus) | r.device.put(slot) | r.function.put(fn));
}

/** The PCI function with that requester ID, in segment 0. */
export function requesterObject(world: Namespace, id: number): number {
  const { bus, device: slot, function: fn } = pciRequester.f;
  return world.byNumbers(device, id, 0, () => `device/${bdfText(0, bus.of(id), slot.of(id), fn.of(id))}`);
}

/** Entry `index` of the MSI-X table of a function. */
export function entryObject(world: Namespace, dev: number, index: number): number {
  return world.byNumbers(msixEntry, dev, index, () => `${world.path(dev)}/msix/${index}`);
}

/** A Linux irq. */
export function irqObject(world: Namespace, n: number): number {
  return world.byNumbers(irq, n, 0, () => `irq/${n}`);
}

/** A virtual CPU. */
export function vcpuObject(world: Namespace, n: number): number {
  return world.byNumbers(vcpu, n, 0, () => `vcpu/${n}`);
}

/** A vector (x86) of a virtual CPU. */
export function vcpuVectorObject(world: Namespace, n: number, vector: number): number {
  return world.byNumbers(vcpuVector, n, vector, () => `vcpu/${n}/vector/${vector}`);
}

/** Above the numbers that records print of virtual CPUs: keys of vectors by the object of their virtual CPU. */
const BY_OBJECT = 0x1000000;

/** A vector (x86) of a virtual CPU, by the object of that. */
export function vectorOfVcpu(world: Namespace, own: number, vector: number): number {
  return world.byNumbers(vcpuVector, BY_OBJECT + own, vector, () => `${world.path(own)}/vector/${vector}`);
}

/** An INTID (Arm) of a virtual CPU; kept apart from vectors by an offset in the key. */
export function vcpuIntidObject(world: Namespace, n: number, intid: number): number {
  return world.byNumbers(vcpuVector, n, 0x2000000 + (intid & 0x1ffffff), () => `vcpu/${n}/intid/${intid}`);
}
