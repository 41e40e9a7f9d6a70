import { hexText } from '../../base/hex.ts';
import type { ObjectId } from '../../base/ids.ts';
import { requesterText } from '../../model/bdf.ts';
import type { PathNode } from '../../model/namespace.ts';
import { pciRequester } from '../../model/registers/pci.ts';
import type { World } from '../../model/world.ts';

/** The function behind a place of the tree whose name is a requester ID (a stream, or a device of an ITS), or -1. */
export function functionAt(node: PathNode | undefined): ObjectId {
  const id = Number(node?.segment ?? Number.NaN);
  return node === undefined || Number.isNaN(id)
    ? -1
    : node.space.objectAt(`device/${requesterText(id % 2 ** pciRequester.width)}`);
}

/** An ITT entry in the words of the field: `EventID 6`, and `0000:00:03.0 (DeviceID 0x18)`. */
export function eventName(world: World, object: ObjectId): { readonly event: string; readonly device: string } {
  const node = world.node(object);
  return { event: `EventID ${node?.segment ?? '?'}`, device: deviceName(node?.parent?.parent) };
}

/** A device of an ITS: `0000:00:03.0 (DeviceID 0x18)`. */
export const itsDeviceName = (world: World, object: ObjectId): string => deviceName(world.node(object));

/** The function is named where the trace knows one of that requester ID. */
function deviceName(node: PathNode | undefined): string {
  const id = Number(node?.segment ?? Number.NaN);
  if (Number.isNaN(id)) return 'a device';
  const bdf = requesterText(id % 2 ** pciRequester.width);
  return functionAt(node) >= 0 ? `${bdf} (DeviceID ${hexText(id)})` : `DeviceID ${hexText(id)}`;
}
