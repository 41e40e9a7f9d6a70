import { untold } from '../../model/events/outcome.ts';
import { queueComplete, queueSubmit } from '../../model/events/queue.ts';
import { packRegister } from '../../model/register.ts';
import { idxdMsixPermission } from '../../model/registers/ims.ts';
import { permission } from '../../model/things/ims.ts';
import { drop } from '../drop.ts';
import type { ImsFunction } from '../irq/ims-domain.ts';
import type { Machine } from '../machine.ts';
import type { PciFunction } from './pci-function.ts';

/** Where the interrupt of a handle lies: an IMS entry, or an MSI-X entry with its permission entry. */
export type HandleStore =
  | { readonly kind: 'ims'; readonly ims: ImsFunction }
  | { readonly kind: 'msix'; readonly fn: PciFunction };

/** What a permission says: each part null while it is not known. */
export interface Permission {
  readonly ignore: number | null;
  readonly pasidEnable: number | null;
  readonly pasid: number | null;
}

/** What comes of the comparison of the PASID of a descriptor with the entry of its handle. */
export type HandleCheck = 'fits' | 'differs' | 'unknown';

/** Completion status of descriptors (DSA): success, interrupt handle not valid, record address not translated. */
export const STATUS = { success: 0x01, handle: 0x19, translation: 0x1a } as const;

/** Errors of the command Request Interrupt Handle. */
export const HANDLE_ERROR = { index: 0x41, none: 0x42 } as const;

/** Reads the fields of a permission entry, low dword. */
export function permissionOf(value: number, known = 0xffffffff): Permission {
  const bits = { words: [value], known: [known] };
  const { ignore, pasidEnable, pasid } = idxdMsixPermission.f;
  return { ignore: ignore.read(bits), pasidEnable: pasidEnable.read(bits), pasid: pasid.read(bits) };
}

/** The low dword of a permission entry that lets one PASID pass. */
export function permissionFor(pasid: number): number {
  return packRegister(idxdMsixPermission, { pasidEnable: 1, pasid })[0]!;
}

/** Object of a permission entry of a function. */
export function permissionEntry(machine: Machine, fn: PciFunction, vector: number): number {
  return machine.world.child(permission, fn.object, 'perm', vector);
}

function stored(machine: Machine, store: HandleStore, handle: number): Permission | undefined {
  // A handle is granted once its allocation has returned: before, its entry is not written.
  if (store.kind === 'ims') return store.ims.irq(handle) ? store.ims.fields(handle) : undefined;
  const { fn } = store;
  if (fn.size >= 0 && handle >= fn.size) return undefined;
  const entry = permissionEntry(machine, fn, handle);
  const cell = permission.at.value;
  return permissionOf(machine.state.get(entry, cell), machine.state.known(entry, cell));
}

/** Whether a descriptor with a PASID may name a handle; the same check for both kinds of storage. */
export function checkHandle(machine: Machine, store: HandleStore, handle: number, pasid: number): HandleCheck {
  const entry = stored(machine, store, handle);
  return entry === undefined ? 'differs' : letsPass(entry, pasid);
}

/**
 * Whether an entry lets a PASID pass: nothing is compared with Ignore set or PASID Enable clear. Bits that are not known count
 * only where they decide.
 */
export function letsPass({ ignore, pasidEnable, pasid: stored }: Permission, pasid: number): HandleCheck {
  if (ignore === 1 || pasidEnable === 0 || stored === pasid) return 'fits';
  return ignore === 0 && pasidEnable === 1 && stored !== null ? 'differs' : 'unknown';
}

/** A descriptor as far as its interrupt goes. */
export interface InterruptDescriptor {
  /** PASID that the device sees: one of the host. */
  readonly pasid: number;
  /** Interrupt handle; undefined: the descriptor asks for no interrupt. */
  readonly handle: number | undefined;
}

/**
 * The device completes a descriptor: status 0x19 and no interrupt when the handle is not granted or its entry names another
 * PASID; else the interrupt of the handle is raised. The status, or undefined while it cannot be told.
 */
export function completeDescriptor(
  machine: Machine,
  queue: number,
  store: HandleStore,
  { pasid, handle }: InterruptDescriptor,
): number | undefined {
  const { actor } = store.kind === 'ims' ? store.ims.fn : store.fn;
  return machine.as(actor, () => {
    if (handle === undefined) {
      machine.emit(queueComplete, queue, { status: STATUS.success, pasid });
      return STATUS.success;
    }
    const revoked = machine.tamper?.strikes('F64', queue) === true;
    const checked = revoked ? 'differs' : checkHandle(machine, store, handle, pasid);
    if (checked === 'fits') {
      machine.emit(queueComplete, queue, { status: STATUS.success, pasid, handle });
      if (store.kind === 'ims') store.ims.raise(handle);
      else store.fn.raise(handle);
      return STATUS.success;
    }
    const cause = machine.ledger.open(machine.now);
    if (checked === 'unknown') {
      machine.emit(untold, queue, { what: 'the PASID of the entry that the handle names', cause });
      machine.ledger.note(cause, 'untold', machine.now);
      return undefined;
    }
    machine.emit(queueComplete, queue, { status: STATUS.handle, pasid, handle });
    const reason = `interrupt handle ${handle} is not valid for PASID 0x${pasid.toString(16)}: no interrupt`;
    drop(machine, queue, reason, cause);
    return STATUS.handle;
  });
}

/** Nanoseconds that a descriptor takes. */
export const EXECUTION = 2000;

/** A descriptor is submitted to a queue; it completes after its time. */
export function submitDescriptor(
  machine: Machine,
  queue: number,
  store: HandleStore,
  descriptor: InterruptDescriptor,
): void {
  const { actor } = store.kind === 'ims' ? store.ims.fn : store.fn;
  machine.emit(queueSubmit, queue, { pasid: descriptor.pasid, handle: descriptor.handle });
  machine.after(EXECUTION, actor, () => completeDescriptor(machine, queue, store, descriptor));
}
