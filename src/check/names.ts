// How findings name objects: in the words of the field, with the path's own numbers.
import type { ObjectId } from '../base/ids.ts';
import type { World } from '../model/world.ts';

/** `entry 2 of 0000:00:03.0` for an MSI-X entry, its path for anything else. */
export function entryName(world: World, object: ObjectId): string {
  const path = world.path(object);
  const match = /^((?:\w+:)?)(?:device\/([^/]+)|(table\/[^/]+))\/(msix|ims)\/(\d+)$/.exec(path);
  if (!match) return path;
  const [, system, bdf, table, kind, index] = match;
  return `${kind === 'ims' ? 'IMS entry' : 'entry'} ${index} of ${system}${bdf ?? table}`;
}

/** `irq 41 (nvme0q1)`, with the names of its actions where they are known. */
export function irqName(world: World, object: ObjectId, action: string): string {
  const number = world.node(object)?.segment ?? world.path(object);
  return action === '' ? `irq ${number}` : `irq ${number} (${action})`;
}
