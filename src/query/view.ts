import { hexWords } from '../base/hex.ts';
import type { ObjectId } from '../base/ids.ts';
import { requesterText } from '../model/bdf.ts';
import { effectivelyMasked } from '../model/masking.ts';
import { decodersById, type MessageView } from '../model/message.ts';
import type { CellSpec, ObjectType } from '../model/objects.ts';
import { type Bits, type Field, type FieldValue, type RegisterView, viewRegister } from '../model/register.ts';
import { amdIrte32, amdIrte128 } from '../model/registers/amd.ts';
import { msiControl, msixControl, msixPba, msixTable } from '../model/registers/pci.ts';
import { vtdIrte } from '../model/registers/vtd.ts';
import { functionsAt } from '../model/segments.ts';
import type { State } from '../model/state.ts';
import { imsEntry } from '../model/things/ims.ts';
import { device, msi, msixCap, msixEntry } from '../model/things/pci.ts';
import { amdIrte, irte } from '../model/things/remap.ts';
import { kvmRoute, vfioDevice } from '../model/things/virt.ts';
import { irteDestination, messageKind } from '../model/translate.ts';

export { messageKind } from '../model/translate.ts';

/** A value as answers print it. */
export type Value = null | boolean | number | string | RegisterView | { readonly [key: string]: Value | undefined };

/** An object as answers print it: its keys in the order of its type, unknown values null. */
export type ObjectView = Record<string, Value>;

/** The bits of a cell of an object. */
export function cellBits(state: State, object: ObjectId, cell: CellSpec, type: ObjectType): Bits {
  const at = type.at[cell.name]!;
  const words: number[] = [];
  const known: number[] = [];
  for (let i = 0; i < cell.words; i++) {
    words.push(state.get(object, at + i));
    known.push(state.known(object, at + i));
  }
  return { words, known };
}

/** What a cell holds, as answers print it. */
export function cellValue(state: State, object: ObjectId, cell: CellSpec, type: ObjectType): Value {
  const bits = cellBits(state, object, cell, type);
  if (cell.kind === 'reg') return viewRegister(cell.register!, bits);
  const words = Array.from(bits.words);
  const whole = Array.from(bits.known).every((k) => k === 0xffffffff);
  const word = words[0]!;
  if (cell.kind === 'count') return word;
  if (!whole) return null;
  switch (cell.kind) {
    case 'flag':
      return word !== 0;
    case 'num':
      return word;
    case 'int':
      return word | 0;
    case 'text':
      return state.world.strings.text(word);
    case 'object':
      return state.world.path(word);
    case 'hex':
      return hexWords(words);
  }
}

/** The message that an address and a data register hold, decoded for this system; undefined while they are unknown. */
export function messageOf(state: State, object: ObjectId, address: number, data: number): MessageView | undefined {
  const lo = state.num(object, address);
  const hi = state.num(object, address + 1);
  const word = state.num(object, data);
  if (lo < 0 || hi < 0 || word < 0) return undefined;
  return decodersById[messageKind(state, object)].decode(lo, hi, word);
}

function messageValue(message: MessageView | undefined): Value {
  if (message === undefined) return null;
  const { format, text, index, vector, destination } = message;
  return { format, text, index, vector, destination, fields: message.fields as Record<string, FieldValue> };
}

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
  readonly is: 'flag' | 'number' | 'text' | 'message';
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

const derived: ReadonlyMap<ObjectType, readonly Derived[]> = new Map<ObjectType, readonly Derived[]>([
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

/** The value of a key (cell or computed) of an object; undefined when its type has no such key. */
export function keyValue(state: State, object: ObjectId, key: string): Value | undefined {
  const type = state.world.type(object);
  if (type === undefined) return undefined;
  const computed = derivedKeys(type).find((d) => d.name === key);
  if (computed) return computed.value(state, object);
  const cell = type.cells.find((c) => c.name === key);
  if (cell === undefined) return undefined;
  const value = cellValue(state, object, cell, type);
  if ((type === device || type === vfioDevice) && key === 'command')
    return withFlags(value as RegisterView, ['memory', 'busMaster', 'intxDisable']);
  if ((type === irte || type === amdIrte) && key === 'value') return (value as RegisterView).value;
  return value;
}

function withFlags(view: RegisterView, names: readonly string[]): Value {
  return {
    ...Object.fromEntries(names.map((n) => [n, view.fields[n] ?? null])),
    value: view.value,
    fields: view.fields,
  };
}

/** All keys of an object with their values. */
export function viewObject(state: State, object: ObjectId): ObjectView {
  const type = state.world.type(object);
  const view: ObjectView = {};
  if (type === undefined) return view;
  for (const cell of type.cells) if (!cell.hidden) view[cell.name] = keyValue(state, object, cell.name)!;
  for (const key of derivedKeys(type)) view[key.name] = key.value(state, object);
  if (type === irte || type === amdIrte) {
    const cell = type.cells[0]!;
    view['fields'] = (cellValue(state, object, cell, type) as RegisterView).fields;
  }
  return view;
}

/** A value in one short text: registers by their value, flags as yes and no, unknown as a question mark. */
export function valueText(value: Value | undefined): string {
  if (value === null || value === undefined) return '?';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'object') {
    if ('value' in value) return valueText(value['value'] as Value);
    if ('text' in value) return valueText(value['text'] as Value);
    return JSON.stringify(value);
  }
  return String(value);
}
