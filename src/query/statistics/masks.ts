import type { CellId, ObjectId } from '../../base/ids.ts';
import type { ObjectType } from '../../model/objects.ts';
import { imsControl } from '../../model/registers/ims.ts';
import { msixControl, msixVectorControl } from '../../model/registers/pci.ts';
import type { State } from '../../model/state.ts';
import { imsEntry } from '../../model/things/ims.ts';
import { msi, msixCap, msixEntry } from '../../model/things/pci.ts';

interface Bits {
  readonly cell: number;
  readonly bits: number;
}

/** The cells that hold mask bits, by type of object: which cell, and which of its bits. */
const MASKS: ReadonlyMap<ObjectType, Bits> = new Map<ObjectType, Bits>([
  [msixEntry, { cell: msixEntry.at.control, bits: msixVectorControl.f.mask.mask }],
  [imsEntry, { cell: imsEntry.at.control, bits: imsControl.f.mask.mask }],
  [msixCap, { cell: msixCap.at.control, bits: msixControl.f.fmask.mask }],
  [msi, { cell: msi.at.mask, bits: 0xffffffff }],
]);

/** Which mask bits of an object are known to be set; undefined for one that has none. */
export function maskBits(state: State, object: ObjectId): number | undefined {
  const type = state.world.type(object);
  const mask = type && MASKS.get(type);
  return mask && (state.get(object, mask.cell) & state.known(object, mask.cell) & mask.bits) >>> 0;
}

/** Whether a change is one of mask bits, and whether it sets one that is not known to be set: what no record showed before may have been clear. */
export function maskChange(
  state: State,
  object: ObjectId,
  at: CellId,
  value: number,
  known: number,
): 'no' | 'shown' | 'masked' {
  const type = state.world.type(object);
  const mask = type && MASKS.get(type);
  if (mask === undefined || at - state.world.base(object) !== mask.cell || (known & mask.bits) === 0) return 'no';
  const before = state.get(object, mask.cell) & state.known(object, mask.cell);
  return (value & known & mask.bits & ~before) !== 0 ? 'masked' : 'shown';
}
