import { eventKind } from '../event.ts';
import { apicIdOf, covers, vtdIrte } from '../registers/vtd.ts';
import type { State } from '../state.ts';
import { device } from '../things/pci.ts';
import { amdIrte, irte, remapUnit } from '../things/remap.ts';

const R = irte.at;
const U = remapUnit.at;

/** The entries of a unit that the trace has named, as object numbers. */
function* entriesOf(state: State, unit: number): Generator<number> {
  const children = state.world.node(unit)?.children;
  if (children) for (const node of children.values()) if (node.object >= 0) yield node.object;
}

/** The unit that an entry belongs to. */
const unitOf = (state: State, entry: number): number =>
  state.world.object(remapUnit, state.world.node(entry)?.parent?.path ?? 'irte/0');

/** The unit that an entry lies under, -1 while the trace has not named it. */
const unitAbove = (state: State, entry: number): number => state.world.node(entry)?.parent?.object ?? -1;

/**
 * Whether the unit holds no copy of an entry for certain: it threw it away, and the trace would show that it read it again; or what
 * it read was not present (Caching Mode 0).
 */
export function holdsNone(state: State, entry: number): boolean {
  const amd = state.world.type(entry) === amdIrte;
  const cached = state.flag(entry, amd ? amdIrte.at.cached : R.cached);
  if (cached !== false) return cached === true && !amd && vtdIrte.f.present.flag(state, entry, R.value) === false;
  const unit = unitAbove(state, entry);
  return unit >= 0 && state.flag(unit, U.told) === true;
}

/**
 * Whether it is not known what a unit makes of an entry now: it threw its copy away, and the trace does not show what is written
 * to the table.
 */
export function isOutdated(state: State, entry: number): boolean {
  const type = state.world.type(entry);
  const at = type === irte ? R : type === amdIrte ? amdIrte.at : undefined;
  return at !== undefined && state.flag(entry, at.cached) === false && state.flag(entry, at.told) !== true;
}

/** What the unit uses is what lies in memory. */
function takeOver(state: State, entry: number): void {
  let same = true;
  for (let i = 0; i < 4; i++) {
    const word = state.get(entry, R.table + i);
    if (state.num(entry, R.value + i) !== word) same = false;
    state.set(entry, R.value + i, word);
  }
  state.setFlag(entry, R.stale, false);
  state.setFlag(entry, R.cached, false);
  if (!same) state.forget(entry, R.destId);
}

/** The unit throws away what it cached of an entry: from now on it uses what the table in memory holds, where the trace shows that. */
function invalidate(state: State, entry: number): void {
  const type = state.world.type(entry);
  if (type === irte) {
    state.count(entry, R.invalidations);
    state.setFlag(entry, R.stale, false);
    state.setFlag(entry, R.cached, false);
    if (state.flag(entry, R.told) === true) takeOver(state, entry);
  } else if (type === amdIrte) {
    const { at } = amdIrte;
    state.count(entry, at.invalidations);
    state.setFlag(entry, at.stale, false);
    state.setFlag(entry, at.cached, false);
    if (state.flag(entry, at.told) === true) state.set(entry, at.value, state.get(entry, at.table));
  }
}

/** Interrupt remapping on or off. Object: the unit. */
export const irEnable = eventKind(
  'ir.enable',
  'configure',
  [remapUnit],
  'Interrupt remapping was switched on or off.',
  { enable: 'flag' },
  (state, e, a) => {
    state.setFlag(e.object, U.enabled, a.enable);
  },
);

/** Where the remapping table lies. Object: the unit. */
export const irTable = eventKind(
  'ir.table',
  'configure',
  [remapUnit],
  'Where the interrupt remapping table lies and how many entries it has.',
  { address: 'xx', entries: 'u' },
  (state, e, a) => {
    state.set(e.object, U.table, a.address(0));
    state.set(e.object, U.table + 1, a.address(1));
    state.set(e.object, U.entries, a.entries);
  },
);

/** Write of the IRTA register. Object: the unit. */
export const irMode = eventKind(
  'ir.mode',
  'configure',
  [remapUnit],
  'Extended interrupt mode (IRTA bit 11), and with it the format of destinations.',
  { eim: 'flag' },
  (state, e, a) => {
    state.setFlag(e.object, U.eim, a.eim);
  },
);

/** A message reached the remapping unit. Object: the entry that its handle names, or the unit. */
export const irRequest = eventKind(
  'ir.request',
  'message',
  [irte, amdIrte, remapUnit],
  'A message reached the remapping unit.',
  { address: 'xx', data: 'xx', sid: 'x?' },
  (state, e) => {
    const type = state.world.type(e.object);
    const unit = type === remapUnit ? e.object : unitOf(state, e.object);
    if (unit >= 0 && state.world.type(unit) === remapUnit) state.count(unit, U.requests);
  },
);

/** The unit read a VT-d table entry. Object: the entry. */
export const irteRead = eventKind(
  'irte.read',
  'look',
  [irte],
  'The remapping unit read a table entry.',
  { value: 'xxxx' },
  (state, e, a) => {
    for (let i = 0; i < 4; i++) state.set(e.object, R.value + i, a.value(i));
    state.forget(e.object, R.destId);
    state.setFlag(e.object, R.stale, false);
    state.setFlag(e.object, R.cached, true);
    state.count(e.object, R.reads);
    state.setFlag(unitOf(state, e.object), U.told, true);
  },
);

/** The kernel wrote a VT-d table entry. The unit goes on with what it has in its cache. Object: the entry. */
export const irteWrite = eventKind(
  'irte.write',
  'store',
  [irte],
  'The kernel wrote a table entry in memory. It takes effect for certain only after the interrupt entry cache was invalidated.',
  { value: 'xxxx' },
  (state, e, a) => {
    let same = state.known(e.object, R.value) === 0xffffffff;
    for (let i = 0; i < 4; i++) {
      const word = a.value(i);
      state.set(e.object, R.table + i, word);
      if (state.get(e.object, R.value + i) !== word) same = false;
    }
    state.setFlag(e.object, R.told, true);
    if (same) state.setFlag(e.object, R.stale, false);
    else if (holdsNone(state, e.object)) takeOver(state, e.object);
    else state.setFlag(e.object, R.stale, true);
  },
);

/** The kernel wrote an AMD table entry. Object: the entry. */
export const amdWrite = eventKind(
  'irte.writeAmd',
  'store',
  [amdIrte],
  'The kernel wrote a 32-bit AMD table entry in memory. The unit may hold an older copy until the table is invalidated.',
  { value: 'x' },
  (state, e, a) => {
    const value = a.value;
    const { at } = amdIrte;
    state.set(e.object, at.table, value);
    state.setFlag(e.object, at.told, true);
    if (holdsNone(state, e.object)) state.set(e.object, at.value, value);
    state.setFlag(e.object, at.stale, state.num(e.object, at.value) !== value);
  },
);

/** The unit remapped a message. Object: the entry. */
export const irRemap = eventKind(
  'ir.remap',
  'translate',
  [irte, amdIrte],
  'The remapping unit used an entry: this is where the message goes.',
  { vector: 'u', dest: 'x', destMode: 'u?', deliveryMode: 'u?', trigger: 'u?' },
  (state, e, a) => {
    const dest = a.dest;
    const type = state.world.type(e.object);
    if (type === irte) {
      state.count(e.object, R.remaps);
      state.set(e.object, R.destId, dest);
      // The printed id tells how the unit reads the DST field: as it is (x2APIC) or bits 15:8 of it (xAPIC).
      const raw = vtdIrte.f.dest.get(state, e.object, R.value);
      const unit = unitOf(state, e.object);
      if (raw > 0 && unit >= 0) {
        if (dest === apicIdOf(raw, true)) state.setFlag(unit, U.eim, true);
        else if (dest === apicIdOf(raw, false)) state.setFlag(unit, U.eim, false);
      }
    } else if (type === amdIrte) {
      state.count(e.object, amdIrte.at.remaps);
    }
  },
);

/** The message that left the unit. Object: the entry, or the unit. */
export const irMessage = eventKind(
  'ir.message',
  'translate',
  [irte, amdIrte, remapUnit],
  'The message as the remapping unit passed it on. `entry`: no other record tells that the entry was used.',
  { address: 'xx', data: 'x', newAddress: 'xx', newData: 'x', entry: 'flag?' },
  (state, e, a) => {
    if (a.entry !== true) return;
    const type = state.world.type(e.object);
    if (type === irte) state.count(e.object, R.remaps);
    else if (type === amdIrte) state.count(e.object, amdIrte.at.remaps);
  },
);

/** The unit refused or questioned a message. Object: the entry, or the unit. */
export const irFault = eventKind(
  'ir.fault',
  'fault',
  [irte, amdIrte, remapUnit],
  'The remapping unit refused a message. `segment`: PCI segment of the requester, where the record tells it.',
  { reason: 'u?', sid: 'x?', index: 'u?', text: 's?', segment: 'u?' },
  (state, e) => {
    const unit = state.world.type(e.object) === remapUnit ? e.object : unitOf(state, e.object);
    if (unit >= 0) state.count(unit, U.faults);
  },
);

/** A mismatch that the unit found and accepted. Object: the entry, or the unit. */
export const irWarn = eventKind(
  'ir.warn',
  'fault',
  [irte, amdIrte, remapUnit],
  'The remapping unit found a mismatch and went on.',
  { sid: 'x?', what: 's', found: 'u', expected: 'u' },
);

/** Interrupt entry cache invalidation. Object: the unit (global) or the first entry. */
export const iecInvalidate = eventKind(
  'iec.inv',
  'invalidate',
  [irte, remapUnit],
  'The interrupt entry cache was invalidated: globally, or the aligned block of 2^mask entries around an index. The kernel waits for the end of it; qi_submit is recorded at the begin of that wait.',
  { global: 'flag', index: 'u', mask: 'u' },
  (state, e, a) => {
    const unit = state.world.type(e.object) === irte ? unitOf(state, e.object) : e.object;
    if (unit < 0) return;
    state.count(unit, U.invalidations);
    const mask = a.mask;
    if (a.global) {
      for (const entry of entriesOf(state, unit)) if (state.present(entry)) invalidate(state, entry);
      return;
    }
    if (state.world.type(e.object) === irte) state.touch(e.object);
    const { index } = a;
    if (mask === 0) {
      if (state.world.type(e.object) === irte) invalidate(state, e.object);
      return;
    }
    for (const entry of entriesOf(state, unit)) {
      const own = Number(state.world.node(entry)!.segment);
      if (covers(index, mask, own) && state.present(entry)) invalidate(state, entry);
    }
  },
);

/** An invalidation waits in the queue of a unit. Object: the unit (global) or the first entry. */
export const iecQueue = eventKind(
  'iec.queue',
  'invalidate',
  [irte, remapUnit],
  'The kernel put an invalidation into the queue of the unit, which goes on with what it has cached until it has carried it out (iec.inv).',
  { global: 'flag', index: 'u', mask: 'u' },
);

/** Object: the unit. */
export const iecDone = eventKind(
  'iec.done',
  'invalidate',
  [remapUnit],
  'The unit carried out the wait descriptor behind an invalidation (inv_wait): it wrote `data` to the status `address`, for which the kernel waits in qi_submit_sync. All that was in its queue before is done; `took`: nanoseconds since the kernel put it there.',
  { address: 'xx?', data: 'x?', took: 'u?' },
  (state, e, a) => {
    state.count(e.object, U.waits);
    if (a.took !== undefined) state.set(e.object, U.longestWait, Math.max(a.took, state.num(e.object, U.longestWait)));
  },
);

/** The unit read an AMD table entry. Object: the entry. */
export const amdRead = eventKind(
  'irte.readAmd',
  'look',
  [amdIrte],
  'The AMD remapping unit read a table entry: 32 bits, or 128 in guest-APIC format.',
  { low: 'xx', high: 'xx?' },
  (state, e, a) => {
    const wide = a.has.high;
    state.set(e.object, amdIrte.at.value, a.low(0));
    state.setFlag(e.object, amdIrte.at.ga, wide);
    if (wide) {
      state.set(e.object, amdIrte.at.value + 1, a.low(1));
      state.set(e.object, amdIrte.at.value + 2, a.high(0));
      state.set(e.object, amdIrte.at.value + 3, a.high(1));
    } else {
      for (let i = 1; i < 4; i++) state.forget(e.object, amdIrte.at.value + i);
    }
    state.setFlag(e.object, amdIrte.at.stale, false);
    state.setFlag(e.object, amdIrte.at.cached, true);
    state.count(e.object, amdIrte.at.reads);
    state.setFlag(unitOf(state, e.object), U.told, true);
  },
);

/** INVALIDATE_INTERRUPT_TABLE. Object: the unit. */
export const amdInvalidate = eventKind(
  'irte.invAmd',
  'invalidate',
  [remapUnit],
  'An AMD interrupt table was invalidated.',
  {},
  (state, e) => {
    state.count(e.object, U.invalidations);
    for (const entry of entriesOf(state, e.object)) if (state.present(entry)) invalidate(state, entry);
  },
);

/** A remapping unit was seen. Object: the unit. */
export const irSeen = eventKind(
  'ir.seen',
  'look',
  [remapUnit],
  'The trace shows a remapping unit.',
  { kind: 's' },
  (state, e, a) => {
    state.set(e.object, U.kind, a.kind);
  },
);

/** A mapping of DMA addresses. Object: the IOMMU. */
export const iommuMap = eventKind('iommu.map', 'configure', [], 'A range of I/O virtual addresses was mapped.', {
  iova: 'xx',
  paddr: 'xx',
  size: 'xx',
});
export const iommuUnmap = eventKind('iommu.unmap', 'configure', [], 'A range of I/O virtual addresses was unmapped.', {
  iova: 'xx',
  size: 'xx',
});
export const iommuFault = eventKind('iommu.fault', 'fault', [], 'The IOMMU reported a page fault.', {
  device: 's',
  iova: 'xx',
  flags: 'x',
});
export const iommuAttach = eventKind(
  'iommu.attach',
  'configure',
  [device],
  'A device was put into an IOMMU group, or attached to an IOMMU domain.',
  { group: 'u?' },
  (state, e, a) => {
    if (a.group !== undefined) state.set(e.object, device.at.group, a.group);
    else state.touch(e.object);
  },
);

export const remapEvents = [
  irEnable,
  irTable,
  irMode,
  irRequest,
  irteRead,
  irteWrite,
  amdWrite,
  irRemap,
  irMessage,
  irFault,
  irWarn,
  iecInvalidate,
  iecQueue,
  iecDone,
  amdRead,
  amdInvalidate,
  irSeen,
  iommuMap,
  iommuUnmap,
  iommuFault,
  iommuAttach,
];
