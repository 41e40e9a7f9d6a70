import { effectivelyMasked } from '../../model/masking.ts';
import { msiControl, msixControl, msixVectorControl } from '../../model/registers/pci.ts';
import type { State } from '../../model/state.ts';
import { msi, msixCap, msixEntry } from '../../model/things/pci.ts';

const A = msixEntry.at;

/** The message in an MSI-X entry; undefined while any bit of it is unknown. */
export function messageOf(state: State, entry: number): { address: number; data: number } | undefined {
  for (let cell = A.address; cell <= A.data; cell++) if (state.known(entry, cell) !== 0xffffffff) return undefined;
  return {
    address: state.get(entry, A.address) + state.get(entry, A.address + 1) * 0x100000000,
    data: state.get(entry, A.data),
  };
}

/** Indexes of the entries of a function that nothing masks: MSI-X enabled, function mask and own mask bit clear. */
export function exposed(state: State, device: number): Set<number> {
  const children = state.world.node(device)?.children;
  const cap = children?.get('msixcap')?.object ?? -1;
  const set = new Set<number>();
  const entries = children?.get('msix')?.children;
  const { enable, fmask } = msixControl.f;
  const control = state.get(cap, msixCap.at.control);
  if (!entries || !enable.in(control) || fmask.in(control)) return set;
  for (const { object, segment } of entries.values())
    if (object >= 0 && effectivelyMasked(state, object) === false) set.add(Number(segment));
  return set;
}

/** Indexes of the entries of a function that wait with a pending bit. */
export function pendingEntries(state: State, device: number): number[] {
  const entries = state.world.node(device)?.children.get('msix')?.children;
  const set: number[] = [];
  for (const { object, segment } of entries?.values() ?? [])
    if (object >= 0 && state.flag(object, msixEntry.at.pending) === true) set.push(Number(segment));
  return set;
}

/** Whether a write (words from a byte offset on) changes address or data of an entry, or may: what it replaces is unknown. */
export function changesMessage(state: State, entry: number, offset: number, value: readonly number[]): boolean {
  return value.some((word, i) => {
    const cell = A.address + (offset >>> 2) + i;
    return cell <= A.data && (state.known(entry, cell) !== 0xffffffff || state.get(entry, cell) !== word >>> 0);
  });
}

/** Whether a write changes bits 15:1 of Vector Control, which software must preserve. Bits 31:16 are the steering tag. */
export function changesReserved(state: State, entry: number, offset: number, value: readonly number[]): boolean {
  const word = value[(12 - offset) >>> 2];
  if (word === undefined) return false;
  const changed = (word ^ state.get(entry, A.control)) & state.known(entry, A.control);
  return msixVectorControl.f.reserved1.in(changed);
}

/** U4: how a function sends is undefined then. */
export const BOTH_ON = { rule: 'U4', text: 'MSI and MSI-X are both enabled, which software must not do' } as const;

/** Whether MSI and MSI-X of a function are both enabled. */
export function bothOn(state: State, device: number): boolean {
  const children = state.world.node(device)?.children;
  const [one, other] = ['msi', 'msixcap'].map((name) => children?.get(name)?.object ?? -1) as [number, number];
  if (one < 0 || other < 0) return false;
  const on = msiControl.f.enable.flag(state, one, msi.at.control) === true;
  return on && msixControl.f.enable.flag(state, other, msixCap.at.control) === true;
}
