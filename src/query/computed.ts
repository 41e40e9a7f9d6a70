// The keys that are computed from cells.
import type { ObjectId } from '../base/ids.ts';
import { requesterText } from '../model/bdf.ts';
import type { Field } from '../model/field.ts';
import { effectivelyMasked } from '../model/masking.ts';
import type { ObjectType } from '../model/objects.ts';
import { countsOf } from '../model/percpu.ts';
import { amdIrte32, amdIrte128 } from '../model/registers/amd.ts';
import { msiControl, msixControl, msixPba, msixTable } from '../model/registers/pci.ts';
import { vtdIrte } from '../model/registers/vtd.ts';
import { functionsAt } from '../model/segments.ts';
import type { State } from '../model/state.ts';
import { imsEntry } from '../model/things/ims.ts';
import { domain, irq, irqDescriptor } from '../model/things/irq.ts';
import { msi, msixCap, msixEntry } from '../model/things/pci.ts';
import { amdIrte, irte } from '../model/things/remap.ts';
import { kernelCount } from '../model/things/snapshot.ts';
import { kvmRoute } from '../model/things/virt.ts';
import { irteDestination } from '../model/translate.ts';
import { messageOf, messageValue, type Value } from './cell-values.ts';

/** Whether a route carries what its MSI-X entry holds now; null while either is unknown. */
function routeCurrent(state: State, object: ObjectId): boolean | null {
  const entry = state.num(object, kvmRoute.at.entry);
  if (entry < 0) return null;
  const pairs = [
    [kvmRoute.at.address, msixEntry.at.address],
    [kvmRoute.at.address + 1, msixEntry.at.address + 1],
    [kvmRoute.at.data, msixEntry.at.data],
  ] as const;
  let unknown = false;
  for (const [mine, theirs] of pairs) {
    const a = state.num(object, mine);
    const b = state.num(entry, theirs);
    if (a < 0 || b < 0) unknown = true;
    else if (a !== b) return false;
  }
  return unknown ? null : true;
}

/** A key that is computed from cells, of its own object and of others. Evaluating the key shows which cells it reads. */
interface Derived {
  readonly name: string;
  /** The kind of value that it has where it is known. */
  readonly is: 'flag' | 'number' | 'text' | 'message' | 'list' | 'counts';
  readonly meaning: string;
  readonly value: (state: State, object: ObjectId) => Value;
}

/** The value of a field of the register that starts at a cell. */
const read =
  (field: Field, cell: number) =>
  (state: State, object: ObjectId): Value =>
    field.value(state, object, cell);

/** The same for a field whose unit is several units of the key. */
const scaled =
  (field: Field, cell: number, scale: (value: number) => number) =>
  (state: State, object: ObjectId): Value => {
    const value = field.get(state, object, cell);
    return value < 0 ? null : scale(value);
  };

/** The value of a field of an AMD entry, which lies elsewhere in entries of the 128-bit kind. */
const readAmd =
  (narrow: Field, wide: Field) =>
  (state: State, object: ObjectId): Value =>
    (state.flag(object, amdIrte.at.ga) ? wide : narrow).value(state, object, amdIrte.at.value);

/** Offsets of the MSI-X table and of its pending bits are in units of 8 bytes. */
const bytes = (units: number): number => units * 8;

const V = vtdIrte.f;

/** Texts that a cell joins by ", ", as a list. */
const listIn =
  (cell: number) =>
  (state: State, object: ObjectId): Value => {
    if (state.num(object, cell) < 0) return null;
    const text = state.text(object, cell);
    return text === '' ? [] : text.split(', ');
  };

/** Counts by CPU; null where none is known. */
function perCpu(state: State, object: ObjectId): Value {
  const counts = countsOf(state, object);
  return counts.length === 0 ? null : Object.fromEntries(counts);
}

/** The sum of counts on all CPUs that a snapshot shows, or the one number that it shows instead. */
function totalOf(state: State, object: ObjectId): Value {
  const counts = countsOf(state, object);
  if (counts.length > 0) return counts.reduce((sum, [, count]) => sum + count, 0);
  const low = state.num(object, kernelCount.at.total);
  const high = state.num(object, kernelCount.at.total + 1);
  return low < 0 || high < 0 ? null : high * 2 ** 32 + low;
}

const PER_CPU: Derived = {
  name: 'perCpu',
  is: 'counts',
  meaning: 'Count on each CPU that a snapshot shows, and what was handled there since.',
  value: perCpu,
};

const derived: ReadonlyMap<ObjectType, readonly Derived[]> = new Map<ObjectType, readonly Derived[]>([
  [irq, [{ name: 'actions', is: 'list', meaning: 'Names of its actions.', value: listIn(irq.at.name) }, PER_CPU]],
  [
    irqDescriptor,
    [
      {
        name: 'flags',
        is: 'list',
        meaning: 'Names of the set bits, as the kernel prints them.',
        value: listIn(irqDescriptor.at.flagNames),
      },
    ],
  ],
  [
    domain,
    [
      {
        name: 'flagList',
        is: 'list',
        meaning: 'Names of the set flags, as the kernel prints them.',
        value: listIn(domain.at.flagNames),
      },
    ],
  ],
  [kernelCount, [{ name: 'handled', is: 'number', meaning: 'Sum over the CPUs.', value: totalOf }, PER_CPU]],
  [
    msixCap,
    [
      { name: 'enable', is: 'flag', meaning: 'MSI-X enable.', value: read(msixControl.f.enable, msixCap.at.control) },
      { name: 'fmask', is: 'flag', meaning: 'Function mask.', value: read(msixControl.f.fmask, msixCap.at.control) },
      {
        name: 'size',
        is: 'number',
        meaning: 'Entries in the table.',
        value: scaled(msixControl.f.size, msixCap.at.control, (size) => size + 1),
      },
      {
        name: 'tableBar',
        is: 'number',
        meaning: 'BAR that holds the table.',
        value: read(msixTable.f.bir, msixCap.at.table),
      },
      {
        name: 'tableOffset',
        is: 'number',
        meaning: 'Offset of the table in that BAR, in bytes.',
        value: scaled(msixTable.f.offset, msixCap.at.table, bytes),
      },
      {
        name: 'pbaBar',
        is: 'number',
        meaning: 'BAR that holds the pending bit array.',
        value: read(msixPba.f.bir, msixCap.at.pba),
      },
      {
        name: 'pbaOffset',
        is: 'number',
        meaning: 'Offset of the pending bit array in that BAR, in bytes.',
        value: scaled(msixPba.f.offset, msixCap.at.pba, bytes),
      },
    ],
  ],
  [
    msixEntry,
    [
      {
        name: 'effectivelyMasked',
        is: 'flag',
        meaning:
          'MSI-X is off, or the function mask or the mask bit of the entry is set: the function sends no message.',
        value: (s, o) => effectivelyMasked(s, o) ?? null,
      },
      {
        name: 'message',
        is: 'message',
        meaning: 'What address and data mean to the irq domain underneath.',
        value: (s, o) => messageValue(messageOf(s, o, msixEntry.at.address, msixEntry.at.data)),
      },
    ],
  ],
  [
    msi,
    [
      { name: 'enable', is: 'flag', meaning: 'MSI enable.', value: read(msiControl.f.enable, msi.at.control) },
      {
        name: 'message',
        is: 'message',
        meaning: 'What address and data mean to the irq domain underneath.',
        value: (s, o) => messageValue(messageOf(s, o, msi.at.address, msi.at.data)),
      },
    ],
  ],
  [
    imsEntry,
    [
      {
        name: 'message',
        is: 'message',
        meaning: 'What address and data mean to the irq domain underneath.',
        value: (s, o) => messageValue(messageOf(s, o, imsEntry.at.address, imsEntry.at.data)),
      },
    ],
  ],
  [
    irte,
    [
      {
        name: 'present',
        is: 'flag',
        meaning: 'P: the entry may be used.',
        value: read(V.present, irte.at.value),
      },
      {
        name: 'posted',
        is: 'flag',
        meaning: 'IM: the entry posts into a descriptor instead of remapping.',
        value: read(V.posted, irte.at.value),
      },
      {
        name: 'vector',
        is: 'number',
        meaning: 'Vector (virtual vector of a posted entry).',
        value: read(V.vector, irte.at.value),
      },
      {
        name: 'dest',
        is: 'number',
        meaning: 'Destination APIC id, read according to the mode of the unit.',
        value: irteDestination,
      },
      {
        name: 'sid',
        is: 'number',
        meaning: 'Source id that may use the entry.',
        value: read(V.sid, irte.at.value),
      },
      {
        name: 'requester',
        is: 'text',
        meaning: 'The function with that source id; unknown where functions of several segments have it.',
        value: (s, o) => {
          const sid = V.sid.get(s, o, irte.at.value);
          if (sid < 0) return null;
          const [fn, ...more] = functionsAt(s, o, sid);
          return more.length > 0 ? null : (fn?.segment ?? requesterText(sid));
        },
      },
    ],
  ],
  [
    amdIrte,
    [
      {
        name: 'present',
        is: 'flag',
        meaning: 'RemapEn: the entry may be used.',
        value: read(amdIrte128.f.present, amdIrte.at.value),
      },
      {
        name: 'posted',
        is: 'flag',
        meaning: 'GuestMode: the entry posts into a virtual APIC.',
        value: (s, o) => (s.flag(o, amdIrte.at.ga) ? amdIrte128.f.guestMode.value(s, o, amdIrte.at.value) : false),
      },
      {
        name: 'vector',
        is: 'number',
        meaning: 'Vector.',
        value: readAmd(amdIrte32.f.vector, amdIrte128.f.vector),
      },
      {
        name: 'dest',
        is: 'number',
        meaning: 'Destination APIC id, bits 23:0.',
        value: readAmd(amdIrte32.f.dest, amdIrte128.f.dest),
      },
    ],
  ],
  [
    kvmRoute,
    [
      {
        name: 'current',
        is: 'flag',
        meaning: 'The route carries what its MSI-X entry holds now.',
        value: routeCurrent,
      },
    ],
  ],
]);

/** The computed keys of a type. */
export function derivedKeys(type: ObjectType): readonly Derived[] {
  return derived.get(type) ?? [];
}
