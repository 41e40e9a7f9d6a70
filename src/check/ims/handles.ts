// What rules about interrupt handles of IDXD queues share.
import { hexText } from '../../base/hex.ts';
import type { ObjectId } from '../../base/ids.ts';
import { queueComplete } from '../../model/events/queue.ts';
import { idxdMsixPermission, imsControl } from '../../model/registers/ims.ts';
import type { State } from '../../model/state.ts';
import { imsEntry, permission } from '../../model/things/ims.ts';
import { interruptHandle } from '../../model/things/queue.ts';
import type { Happened } from '../rule.ts';

/** Completion status without the bit that says that the faulting access was a write. */
const STATUS = 0x80;
/** DSA_COMP_INT_HANDLE_INVAL. */
export const HANDLE_INVALID = 0x19;

/** A descriptor that completed, with what is known of the entry that its handle names. */
export interface Completion {
  readonly status: number;
  readonly pasid: number;
  readonly handle: number;
  /** The entry of the interrupt storage, or of the permission table: -1 when the handle names none that exists. */
  readonly entry: ObjectId;
  /** The handle was granted and revoked since, or nothing was ever granted by a command. */
  readonly revoked: boolean;
  /** PASID that the entry lets pass; undefined: any, or not known. */
  readonly wants: number | undefined;
}

/** Reads `qd.complete`; undefined when the descriptor asked for no interrupt. */
export function completionOf({ object, words, at }: Happened, state: State): Completion | undefined {
  const { status, pasid, handle } = queueComplete.read(words, at);
  if (handle === undefined || pasid === undefined) return undefined;
  const fn = state.world.node(object)?.parent?.parent;
  // Where the driver requested handles, the handle tells the entry; else its number is that of the entry.
  const granted = fn?.children.get('handle')?.children.get(String(handle))?.object ?? -1;
  const isGranted = granted < 0 || !state.present(granted) || state.flag(granted, interruptHandle.at.granted) !== false;
  const index = granted >= 0 && state.present(granted) ? state.num(granted, interruptHandle.at.index) : handle;
  const ims = isGranted ? (fn?.children.get('ims')?.children.get(String(index))?.object ?? -1) : -1;
  const perm = isGranted ? (fn?.children.get('perm')?.children.get(String(handle))?.object ?? -1) : -1;
  const entry = state.present(ims) ? ims : state.present(perm) ? perm : -1;
  const wants =
    entry < 0
      ? undefined
      : entry === ims
        ? pasidOf(state, entry, imsControl.f, imsEntry.at.control)
        : pasidOf(state, entry, idxdMsixPermission.f, permission.at.value);
  const revoked = granted < 0 || !state.present(granted) || !isGranted;
  return { status: status % STATUS, pasid, handle, entry, revoked, wants };
}

/** The fields that permission entries and control dwords share. */
type Pasid = Pick<typeof imsControl.f, 'ignore' | 'pasidEnable' | 'pasid'>;

function pasidOf(state: State, entry: ObjectId, f: Pasid, cell: number): number | undefined {
  if (f.ignore.flag(state, entry, cell) !== false || f.pasidEnable.flag(state, entry, cell) !== true) return undefined;
  const pasid = f.pasid.get(state, entry, cell);
  return pasid < 0 ? undefined : pasid;
}

/** `PASID 0x105`. */
export const pasidText = (pasid: number): string => `PASID ${hexText(pasid)}`;
