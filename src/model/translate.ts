// What the state tells of the way that messages go.

import type { ObjectId } from '../base/ids.ts';
import type { MessageKind } from './message.ts';
import { apicIdOf, vtdIrte } from './registers/vtd.ts';
import type { State } from './state.ts';
import { irte, remapUnit } from './things/remap.ts';
import type { PathNode } from './world.ts';

/** Whether any object at a node or below it is present. */
export const anyPresent = (state: State, node: PathNode | undefined): boolean =>
  node !== undefined &&
  (state.present(node.object) || [...node.children.values()].some((child) => anyPresent(state, child)));

/**
 * Which decoder reads the messages of the system that an object belongs to, as far as the state shows what is underneath.
 * Only objects that are present count: what a later event brings does not change how a message reads now.
 */
export function messageKind(state: State, object: ObjectId): MessageKind {
  const space = state.world.spaceOf(object);
  const units = space.find('irte')?.children.values() ?? [];
  for (const node of units) {
    if (node.object < 0 || !state.present(node.object)) continue;
    return node.segment.startsWith('amdvi-') ? 'amd' : 'vtd';
  }
  if (anyPresent(state, space.find('its'))) return 'its';
  if (anyPresent(state, space.find('gic'))) return 'gicv2m';
  return 'x86';
}

const { posted, dest } = vtdIrte.f;

/** DST of a remapped VT-d entry: a whole x2APIC id, or an xAPIC id in bits 15:8, depending on the mode of the unit. */
export function irteDestination(state: State, object: ObjectId): number | null {
  const printed = state.num(object, irte.at.destId);
  if (printed >= 0) return printed;
  if (posted.flag(state, object, irte.at.value) !== false) return null;
  const raw = dest.get(state, object, irte.at.value);
  if (raw <= 0) return raw === 0 ? 0 : null;
  const unit = state.world.node(object)?.parent?.object ?? -1;
  const eim = unit < 0 ? undefined : state.flag(unit, remapUnit.at.eim);
  return eim === undefined ? null : apicIdOf(raw, eim);
}
