import { hexText } from '../../base/hex.ts';
import type { ObjectId } from '../../base/ids.ts';
import type { PathNode } from '../../model/namespace.ts';
import { pciRequester } from '../../model/registers/pci.ts';
import { functionsNamed } from '../../model/segments.ts';
import type { World } from '../../model/world.ts';

/** Requester ID of a place of the tree whose name is one (a stream, or a device of an ITS); undefined for others. */
function requesterAt(node: PathNode | undefined): number | undefined {
  const id = Number(node?.segment ?? Number.NaN);
  return Number.isNaN(id) ? undefined : id % 2 ** pciRequester.width;
}

/** The function behind a place of the tree whose name is a requester ID; -1 unknown, also where functions of two segments have it. */
export function functionAt(node: PathNode | undefined): ObjectId {
  const requester = requesterAt(node);
  const found = requester === undefined ? [] : functionsNamed(node!.space, requester);
  return found.length === 1 ? found[0]!.object : -1;
}

/** An ITT entry in the words of the field: `EventID 6`, and `0000:00:03.0 (DeviceID 0x18)`. */
export function eventName(world: World, object: ObjectId): { readonly event: string; readonly device: string } {
  const node = world.node(object);
  return { event: `EventID ${node?.segment ?? '?'}`, device: deviceName(node?.parent?.parent) };
}

/** Whether words of an ITS are about a MAPD that it refused; "no MAPD" is what it says of a message or another command. */
export const refusesMapd = (text: string): boolean => /(?<!\bno )\bMAPD\b/.test(text);

/** A device of an ITS: `0000:00:03.0 (DeviceID 0x18)`. */
export const itsDeviceName = (world: World, object: ObjectId): string => deviceName(world.node(object));

/** The function is named where the trace knows one of that requester ID. */
function deviceName(node: PathNode | undefined): string {
  if (requesterAt(node) === undefined) return 'a device';
  const text = `DeviceID ${hexText(Number(node!.segment))}`;
  const fn = node!.space.path(functionAt(node));
  return fn === '' ? text : `${fn.slice(fn.indexOf('/') + 1)} (${text})`;
}
