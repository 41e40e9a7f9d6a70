import type { ObjectId } from '../base/ids.ts';
import type { RegisterView } from '../model/register.ts';
import type { State } from '../model/state.ts';
import { device } from '../model/things/pci.ts';
import { amdIrte, irte } from '../model/things/remap.ts';
import { vfioDevice } from '../model/things/virt.ts';
import { cellValue, isList, type Value } from './cell-values.ts';
import { derivedKeys } from './computed.ts';

export { messageKind } from '../model/translate.ts';
export { cellBits, cellValue, countIn, messageOf, type Value } from './cell-values.ts';
export { derivedKeys } from './computed.ts';

/** An object as answers print it: its keys in the order of its type, unknown values null. */
export type ObjectView = Record<string, Value>;

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
  if (isList(value)) return value.join(', ');
  if (typeof value === 'object') {
    if ('value' in value) return valueText(value['value'] as Value);
    if ('text' in value) return valueText(value['text'] as Value);
    const numbers = Object.entries(value);
    if (numbers.every(([, n]) => typeof n === 'number')) return numbers.map(([key, n]) => `${key}:${n}`).join(' ');
    return JSON.stringify(value);
  }
  return String(value);
}
