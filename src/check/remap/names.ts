// How findings name what belongs to a remapping unit.
import type { ObjectId } from '../../base/ids.ts';
import { bdfOfRequester } from '../../model/bdf.ts';
import { requesterName } from '../../model/segments.ts';
import { amdIrte, irte, remapUnit } from '../../model/things/remap.ts';
import type { World } from '../../model/world.ts';

/** `IRTE 37 of dmar0`, `the unit dmar0`; without the unit where the trace gives it no name (`0`). */
export function irteName(world: World, object: ObjectId): string {
  const type = world.type(object);
  const node = world.node(object);
  if (type === irte || type === amdIrte) {
    const unit = node!.parent!.segment;
    return unit === '0' ? `IRTE ${node!.segment}` : `IRTE ${node!.segment} of ${unit}`;
  }
  return type === remapUnit && node!.segment !== '0' ? `the unit ${node!.segment}` : 'the remapping unit';
}

/** `0000:65:00.0`, or `a device` where the record does not tell the requester. `object`: what belongs to the unit. */
export function senderName(world: World, object: ObjectId, sid: number | undefined, segment?: number): string {
  if (sid === undefined) return 'a device';
  return segment === undefined ? requesterName(world.spaceOf(object), sid) : bdfOfRequester(segment, sid);
}

/** `irq 82`: the last part of the path of a thing that has a number. */
export const numbered = (word: string, world: World, object: ObjectId): string =>
  `${word} ${world.node(object)?.segment ?? '?'}`;
