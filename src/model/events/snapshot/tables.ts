// What debugfs shows of translation tables: IRTEs of VT-d (drivers/iommu/intel/debugfs.c), and the GIC that KVM emulates
// (arch/arm64/kvm/vgic/vgic-debug.c).

import type { ObjectId } from '../../../base/ids.ts';
import { eventKind } from '../../event.ts';
import { vtdIrte } from '../../registers/vtd.ts';
import type { State } from '../../state.ts';
import { irte, itsCollection, itsDevice, itsEvent, remapUnit } from '../../things/remap.ts';
import { vcpuVector } from '../../things/virt.ts';

const R = irte.at;
const U = remapUnit.at;
const V = vcpuVector.at;
const { present } = vtdIrte.f;

/** A remapping unit. Object: the unit. */
export const snapUnit = eventKind(
  'snap.unit',
  'look',
  [remapUnit],
  'A snapshot shows a remapping unit: whether it remaps, its table, and whether destinations are x2APIC ids.',
  { enabled: 'flag?', table: 'xx?', entries: 'u?', eim: 'flag?' },
  (state, e, a) => {
    state.touch(e.object);
    if (a.enabled !== undefined) state.setFlag(e.object, U.enabled, a.enabled);
    if (a.eim !== undefined) state.setFlag(e.object, U.eim, a.eim);
    if (a.entries !== undefined) state.set(e.object, U.entries, a.entries);
    if (a.has.table) for (let i = 0; i < 2; i++) state.set(e.object, U.table + i, a.table(i));
  },
);

/** An entry in the table in memory. Object: the entry. */
export const snapIrte = eventKind(
  'snap.irte',
  'look',
  [irte],
  'A snapshot shows an interrupt remapping table entry, as it lies in memory.',
  { value: 'xxxx' },
  (state, e, a) => {
    let same = true;
    for (let i = 0; i < 4; i++) {
      const word = a.value(i);
      if (state.known(e.object, R.value + i) !== 0xffffffff || state.get(e.object, R.value + i) !== word) same = false;
      state.set(e.object, R.value + i, word);
      state.set(e.object, R.table + i, word);
    }
    if (!same) state.forget(e.object, R.destId);
    state.setFlag(e.object, R.stale, false);
  },
);

/** The listed entry is not in use. */
function isAbsent(state: State, object: ObjectId): void {
  if (!state.present(object)) return;
  for (const cell of [R.value, R.table]) state.setBits(object, cell + present.word, 0, present.mask);
}

/** A whole table. Object: the unit. */
export const snapIrtes = eventKind(
  'snap.irtes',
  'look',
  [remapUnit],
  'A snapshot lists all entries of a unit that are present, by their numbers.',
  { indexes: 's' },
  (state, e, a) => {
    state.touch(e.object);
    const listed = new Set(state.world.strings.text(a.indexes).split(' '));
    for (const { object, segment } of state.world.node(e.object)?.children.values() ?? [])
      if (state.world.type(object) === irte && !listed.has(segment)) isAbsent(state, object);
  },
);

/** An interrupt of a virtual GIC. Object: the INTID at its virtual CPU. */
export const snapVgic = eventKind(
  'snap.vgic',
  'look',
  [vcpuVector],
  'A snapshot shows an INTID of the GIC that KVM emulates. While a virtual CPU runs, its list registers may hold something newer.',
  {
    pending: 'flag',
    line: 'flag',
    active: 'flag',
    enabled: 'flag',
    hardware: 'flag',
    level: 'flag',
    group: 'u',
    hwintid: 'u',
    priority: 'u',
  },
  (state, e, a) => {
    // What the hardware delivers itself (GICv4), it keeps itself.
    if (!a.hardware) state.setFlag(e.object, V.requested, a.pending || (a.level && a.line));
    state.setFlag(e.object, V.inService, a.active);
    state.setFlag(e.object, V.enabled, a.enabled);
    state.set(e.object, V.priority, a.priority);
    if (a.hardware) state.set(e.object, V.hwintid, a.hwintid);
    else state.forget(e.object, V.hwintid);
  },
);

/** A device of a virtual ITS. Object: the device. */
export const snapItsDevice = eventKind(
  'snap.itsDevice',
  'look',
  [itsDevice],
  'A snapshot shows a device of an ITS, and the highest EventID that it may send.',
  { last: 'u' },
  (state, e, a) => {
    state.setFlag(e.object, itsDevice.at.valid, true);
    // The size field holds the number of bits of an EventID less one.
    const bits = 32 - Math.clz32(a.last);
    if (bits > 0) state.set(e.object, itsDevice.at.size, bits - 1);
  },
);

/** An entry of an interrupt translation table. Object: the event. */
export const snapItsEvent = eventKind(
  'snap.itsEvent',
  'look',
  [itsEvent],
  'A snapshot shows an entry of an interrupt translation table, and the processor that its collection goes to.',
  { lpi: 'u', collection: 'u', target: 'u' },
  (state, e, a) => {
    const { lpi, collection, valid } = itsEvent.at;
    state.setFlag(e.object, valid, true);
    state.set(e.object, lpi, a.lpi);
    state.set(e.object, collection, a.collection);
    const its = state.world.node(e.object)?.parent?.parent?.parent?.parent;
    if (its === undefined || a.collection > MOST_COLLECTION) return;
    const other = state.world.object(itsCollection, `${its.path}/collection/${a.collection}`);
    state.setFlag(other, itsCollection.at.valid, true);
    state.set(other, itsCollection.at.target, a.target);
  },
);

/** ICIDs have 16 bits. */
const MOST_COLLECTION = 0xffff;
