import { hexText } from '../../base/hex.ts';
import type { ObjectId } from '../../base/ids.ts';
import { requesterText } from '../../model/bdf.ts';
import { pciRequester } from '../../model/registers/pci.ts';
import type { World } from '../../model/world.ts';

/** An ITT entry in the words of the field: `EventID 6`, and `0000:00:03.0 (DeviceID 0x18)`. */
export function eventName(world: World, object: ObjectId): { readonly event: string; readonly device: string } {
  const node = world.node(object);
  return { event: `EventID ${node?.segment ?? '?'}`, device: itsDeviceName(world, node?.parent?.parent?.object ?? -1) };
}

/** A device of an ITS: `0000:00:03.0 (DeviceID 0x18)`; the function is named where the trace knows one of that requester ID. */
export function itsDeviceName(world: World, object: ObjectId): string {
  const id = Number(world.node(object)?.segment ?? Number.NaN);
  if (Number.isNaN(id)) return 'a device';
  const bdf = requesterText(id % 2 ** pciRequester.width);
  const known = world.spaceOf(object).objectAt(`device/${bdf}`) >= 0;
  return known ? `${bdf} (DeviceID ${hexText(id)})` : `DeviceID ${hexText(id)}`;
}
