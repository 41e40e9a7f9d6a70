// What rules about doorbells behind an SMMU share: pages, and who holds a message for one.
import { hex64 } from '../../base/hex.ts';
import type { ObjectId } from '../../base/ids.ts';
import { effectivelyMasked } from '../../model/masking.ts';
import type { State } from '../../model/state.ts';
import { device, msi, msixEntry } from '../../model/things/pci.ts';
import type { World } from '../../model/world.ts';
import { entryName } from '../names.ts';
import { functionAt } from './its-names.ts';

/** The smallest page of an SMMU: doorbells are mapped by pages. */
const PAGE = 4096;

/** Number of the page of an address, from its halves. */
export const pageOf = (lo: number, hi: number): number => Math.floor((hi * 0x100000000 + lo) / PAGE);

/** The function behind a stream: its StreamID is the requester ID. -1 where the trace names no such function. */
export const functionOf = (world: World, stream: ObjectId): ObjectId => functionAt(world.node(stream));

/** The page that an entry or MSI capability sends to; -1 while it is not known. */
export function doorbellPage(state: State, object: ObjectId): number {
  const type = state.world.type(object);
  if (type !== msixEntry && type !== msi) return -1;
  const at = type === msixEntry ? msixEntry.at.address : msi.at.address;
  const lo = state.num(object, at);
  // An MSI capability of 32 bits has no upper half.
  const hi = type === msi ? Math.max(0, state.num(object, at + 1)) : state.num(object, at + 1);
  return lo < 0 || hi < 0 ? -1 : pageOf(lo, hi);
}

/** The address that an entry or MSI capability sends to, as far as the trace shows it. */
export function doorbellAddress(state: State, object: ObjectId): string {
  const at = state.world.type(object) === msi ? msi.at.address : msixEntry.at.address;
  const lo = state.num(object, at);
  if (lo < 0) return 'an address that the trace does not show';
  const hi = state.num(object, at + 1);
  return hi >= 0 || state.world.type(object) === msi
    ? hex64(Math.max(0, hi), lo)
    : `an address that ends in ${hex64(0, lo)}`;
}

/** Whether an entry or MSI capability holds no message: as far as the trace shows it, its address is 0. */
export function holdsNoMessage(state: State, object: ObjectId): boolean {
  const at = state.world.type(object) === msi ? msi.at.address : msixEntry.at.address;
  return state.num(object, at) === 0 && state.num(object, at + 1) <= 0;
}

/** The entry of the same number in the only table whose function is not known: what an entry of a function holds whose table the trace does not tell. -1 for none. */
export function loneTableEntry(state: State, entry: ObjectId): ObjectId {
  const { world } = state;
  const tables = [...(world.spaceOf(entry).find('table')?.children.values() ?? [])].filter((n) =>
    state.present(n.object),
  );
  const index = world.node(entry)?.segment ?? '';
  return tables.length === 1 ? (tables[0]!.children.get('msix')?.children.get(index)?.object ?? -1) : -1;
}

/** The entry (or MSI capability) of a function that sends to a page and is not masked: `hint` if it does, else the first; -1 for none. */
export function senderTo(state: State, fn: ObjectId, page: number, hint: ObjectId): ObjectId {
  if (doorbellPage(state, hint) === page && belongsTo(state.world, hint, fn)) return hint;
  const children = state.world.node(fn)?.children;
  for (const { object } of children?.get('msix')?.children.values() ?? [])
    if (doorbellPage(state, object) === page && effectivelyMasked(state, object) !== true) return object;
  const single = children?.get('msi')?.object ?? -1;
  return doorbellPage(state, single) === page ? single : -1;
}

/** Whether the trace shows the address of any message of a function. */
export function showsMessages(state: State, fn: ObjectId): boolean {
  const children = state.world.node(fn)?.children;
  const entries = [...(children?.get('msix')?.children.values() ?? [])].map(({ object }) => object);
  return [...entries, children?.get('msi')?.object ?? -1].some((object) => doorbellPage(state, object) >= 0);
}

/** The function that an entry or MSI capability belongs to, or -1. */
export function ownerOfMessage(world: World, object: ObjectId): ObjectId {
  for (let node = world.node(object); node; node = node.parent)
    if (world.type(node.object) === device) return node.object;
  return -1;
}

/** Whether an entry or MSI capability belongs to a function. */
const belongsTo = (world: World, object: ObjectId, fn: ObjectId): boolean =>
  fn >= 0 && ownerOfMessage(world, object) === fn;

/** `entry 2 of 0000:00:03.0`, `MSI of 0000:00:06.0`, or the name of the function. */
export function messageName(world: World, object: ObjectId): string {
  const type = world.type(object);
  if (type === msi) return `MSI of ${world.node(object)?.parent?.segment ?? '?'}`;
  return type === device ? (world.node(object)?.segment ?? '?') : entryName(world, object);
}
