import { remapUnit } from '../../model/things/remap.ts';
import { deviceOf } from '../find-function.ts';
import { vms } from '../kvm/vm.ts';
import type { OperationSpec } from '../operation.ts';
import type { Setup } from '../setup.ts';
import { vtdUnit } from './remap-domain.ts';
import type { VtdUnit } from './vtd-unit.ts';

const kernel = { layer: 'irq-core', name: 'operator', cpu: 0 } as const;
const rogue = { layer: 'device', name: 'operator', cpu: -1 } as const;

/** The VT-d unit whose path an object has or lies under, of the host or of a guest; a text when there is none. */
function unitOf(setup: Setup, object: string): VtdUnit | string {
  const path = object.split('/').slice(0, 2).join('/');
  const guests = [...(setup.find(vms)?.values() ?? [])].map((vm) => vm.remapping?.unit);
  const named = setup.machine.world.object(remapUnit, path);
  const unit = [setup.find(vtdUnit), ...guests].find((one) => one?.object === named);
  return unit ?? `the system has no VT-d unit ${path}`;
}

const refuses = (setup: Setup, object: string): string | undefined => {
  const unit = unitOf(setup, object);
  if (typeof unit === 'string') return unit;
  const index = object.split('/')[2];
  if (index !== undefined && !(Number(index) < unit.spec.entries)) return `the table has ${unit.spec.entries} entries`;
  return undefined;
};

const found = (setup: Setup, object: string): VtdUnit => unitOf(setup, object) as VtdUnit;
const indexOf = (object: string): number => Number(object.split('/')[2]);

const words = (value: number | bigint, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Number((BigInt(value) >> BigInt(32 * i)) & 0xffffffffn));

/** Operations on remapping tables, and messages without a driver's request. */
export const remapOperations: readonly OperationSpec[] = [
  {
    name: 'irte.write',
    title: 'Write the table entry',
    meaning:
      'The kernel writes an entry of the remapping table. Until the interrupt entry cache is invalidated the unit may use what it has cached.',
    on: ['irte/*/*'],
    args: [
      { name: 'value', type: 'hex', meaning: 'The 128 bits of the entry.' },
      { name: 'invalidate', type: 'flag', default: true, meaning: 'Invalidate the interrupt entry cache afterwards.' },
    ],
    actor: kernel,
    refuses,
    *run(setup, object, { value, invalidate }) {
      const unit = found(setup, object);
      unit.write(indexOf(object), words(value as number | bigint, 4));
      if (invalidate === true) yield* unit.carryOut(indexOf(object));
    },
  },
  {
    name: 'irte.clear',
    title: 'Clear the table entry',
    meaning:
      'The kernel writes zeros to an entry: what still names it is refused with fault 0x22 once the cache is invalidated.',
    on: ['irte/*/*'],
    args: [
      { name: 'invalidate', type: 'flag', default: true, meaning: 'Invalidate the interrupt entry cache afterwards.' },
    ],
    actor: kernel,
    refuses,
    *run(setup, object, { invalidate }) {
      const unit = found(setup, object);
      unit.write(indexOf(object), [0, 0, 0, 0]);
      if (invalidate === true) yield* unit.carryOut(indexOf(object));
    },
  },
  {
    name: 'iec.invalidate',
    title: 'Invalidate the interrupt entry cache',
    meaning:
      'The unit forgets what it has cached: of an entry and its neighbours, or all of it. Other entries stay as they are.',
    on: ['irte/*', 'irte/*/*'],
    args: [
      {
        name: 'mask',
        type: 'number',
        min: 0,
        max: 15,
        default: 0,
        meaning: 'Index Mask: the aligned block of 2^mask entries in which the entry lies.',
      },
    ],
    actor: kernel,
    refuses,
    *run(setup, object, { mask }) {
      const unit = found(setup, object);
      if (object.split('/').length === 2) yield* unit.carryOut(undefined);
      else yield* unit.carryOut(indexOf(object), Number(mask));
    },
  },
  {
    name: 'irtable.access',
    title: 'Make the remapping table readable or not',
    meaning: 'While the table cannot be read from memory, messages whose entry is not cached end in fault 0x23.',
    on: ['irte/*'],
    args: [{ name: 'readable', type: 'flag', meaning: 'Whether the unit can read the table.' }],
    actor: kernel,
    refuses,
    *run(setup, object, { readable }) {
      found(setup, object).unreadable = readable !== true;
    },
  },
  {
    name: 'device.write',
    title: 'Write to memory',
    meaning:
      'The function writes 32 bits to any address, as a rogue driver can make it do. In 0xfee00000 to 0xfeefffff that is a message.',
    on: ['device/*'],
    args: [
      { name: 'address', type: 'hex', min: 0, max: Number.MAX_SAFE_INTEGER, meaning: 'Where it writes.' },
      { name: 'data', type: 'hex', min: 0, max: 0xffffffff, meaning: 'What it writes.' },
    ],
    actor: rogue,
    refuses: (setup, object) => deviceOf(setup, object).problem,
    *run(setup, object, { address, data }) {
      const fn = deviceOf(setup, object).fn!;
      const { machine } = setup;
      machine.as(fn.actor, () => fn.send(fn.object, Number(address), Number(data), machine.ledger.open(machine.now)));
    },
  },
];
