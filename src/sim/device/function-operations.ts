import { pciCommand, vectorControl } from '../../model/registers/pci.ts';
import { device } from '../../model/things/pci.ts';
import { deviceOf, entryOf } from '../find-function.ts';
import type { OperationSpec } from '../operation.ts';
import { COMMAND } from './offsets.ts';

const software = { layer: 'driver', name: 'operator', cpu: 0 } as const;
const hardware = { layer: 'device', name: 'operator', cpu: -1 } as const;

const ENTRY = ['device/*/msix/*'];

/** Operations on PCI functions and their MSI-X tables. */
export const functionOperations: readonly OperationSpec[] = [
  {
    name: 'device.raise',
    title: 'Raise',
    meaning:
      'A cause arises in the device for this vector: sent, kept pending while masked, or lost while MSI-X is off.',
    on: ENTRY,
    args: [],
    actor: hardware,
    refuses: (setup, object) => entryOf(setup, object).problem,
    run(setup, object) {
      const { fn, index } = entryOf(setup, object);
      fn!.raise(index);
      return undefined;
    },
  },
  {
    name: 'device.withdraw',
    title: 'Withdraw the cause',
    meaning:
      'The cause goes away before its message was sent (software served it by polling): the pending bit is cleared.',
    on: ENTRY,
    args: [],
    actor: hardware,
    refuses: (setup, object) => entryOf(setup, object).problem,
    *run(setup, object) {
      const { fn, index } = entryOf(setup, object);
      fn!.withdraw(index);
    },
  },
  {
    name: 'intx.raise',
    title: 'Raise at the pin',
    meaning:
      'A cause arises in a function without messages: it asserts its INTx pin until its driver has served the cause.',
    on: ['device/*'],
    args: [],
    actor: hardware,
    refuses: (setup, object) => {
      const { fn, problem } = deviceOf(setup, object);
      return problem ?? (fn!.pin ? undefined : `${object} has no INTx pin`);
    },
    *run(setup, object) {
      deviceOf(setup, object).fn!.pin!.raise();
    },
  },
  {
    name: 'entry.write',
    title: 'Write to the entry',
    meaning:
      'Software writes the table at an offset of this entry. Aligned dwords and qwords are defined; all else is discarded.',
    on: ENTRY,
    args: [
      {
        name: 'offset',
        type: 'hex',
        min: 0,
        max: 15,
        meaning: 'Byte offset in the entry: 0 address, 8 data, 12 control.',
      },
      { name: 'size', type: 'number', min: 1, max: 8, default: 4, meaning: 'Bytes.' },
      { name: 'value', type: 'hex', meaning: 'What is written, little endian; up to 64 bits.' },
    ],
    actor: software,
    refuses: (setup, object) => entryOf(setup, object).problem,
    *run(setup, object, { offset, size, value }) {
      const { fn, index } = entryOf(setup, object);
      const wide = BigInt(value as number | bigint);
      const words = [Number(wide & 0xffffffffn), Number((wide >> 32n) & 0xffffffffn)];
      fn!.table(index, Number(offset), Number(size), Number(size) > 4 ? words : words.slice(0, 1));
    },
  },
  {
    name: 'entry.read',
    title: 'Read from the entry',
    meaning: 'Software reads the table. A completed read means that every message sent before it has arrived.',
    on: ENTRY,
    args: [
      { name: 'offset', type: 'hex', min: 0, max: 15, default: 12, meaning: 'Byte offset in the entry.' },
      { name: 'size', type: 'number', min: 1, max: 8, default: 4, meaning: 'Bytes.' },
    ],
    actor: software,
    refuses: (setup, object) => entryOf(setup, object).problem,
    *run(setup, object, { offset, size }) {
      const { fn, index } = entryOf(setup, object);
      fn!.table(index, Number(offset), Number(size), undefined);
    },
  },
  ...([true, false] as const).map(
    (masked): OperationSpec => ({
      name: masked ? 'entry.mask' : 'entry.unmask',
      title: masked ? 'Mask' : 'Unmask',
      meaning: masked
        ? 'Software sets the mask bit of the entry. A message that is already in flight still arrives, until a read has completed.'
        : 'Software clears the mask bit of the entry; what is pending is sent.',
      on: ENTRY,
      args: [],
      actor: software,
      refuses: (setup, object) => entryOf(setup, object).problem,
      *run(setup, object) {
        const { fn, index } = entryOf(setup, object);
        fn!.table(index, 12, 4, [vectorControl(masked === true)]);
      },
    }),
  ),
  {
    name: 'msix.control',
    title: 'Set MSI-X enable and function mask',
    meaning: 'Software writes Message Control of the MSI-X capability.',
    on: ['device/*', 'device/*/msixcap'],
    args: [
      { name: 'enable', type: 'flag', meaning: 'MSI-X Enable.' },
      { name: 'fmask', type: 'flag', default: false, meaning: 'Function Mask.' },
    ],
    actor: software,
    refuses: (setup, object) => deviceOf(setup, object).problem,
    *run(setup, object, { enable, fmask }) {
      deviceOf(setup, object).fn!.control(enable === true, fmask === true);
    },
  },
  {
    name: 'device.command',
    title: 'Set the Command register',
    meaning:
      'Software writes Memory Space Enable and Bus Master Enable, and leaves Interrupt Disable as it is. Without the first the table is not decoded, without the second no message is sent.',
    on: ['device/*'],
    args: [
      { name: 'memory', type: 'flag', default: true, meaning: 'Memory Space Enable.' },
      { name: 'busMaster', type: 'flag', default: true, meaning: 'Bus Master Enable.' },
    ],
    actor: software,
    refuses: (setup, object) => deviceOf(setup, object).problem,
    *run(setup, object, { memory, busMaster }) {
      const { f } = pciCommand;
      const fn = deviceOf(setup, object).fn!;
      const silent = f.intxDisable.flag(setup.machine.state, fn.object, device.at.command) !== false;
      const bits = (memory ? f.memory.mask : 0) | (busMaster ? f.busMaster.mask : 0);
      fn.configWrite(COMMAND, 2, bits | (silent ? f.intxDisable.mask : 0));
    },
  },
  {
    name: 'config.write',
    title: 'Write config space',
    meaning:
      'Software writes config space: Command, MSI or MSI-X Message Control, anything. Only bits that software may write change.',
    on: ['device/*'],
    args: [
      { name: 'offset', type: 'hex', min: 0, max: 0xff, meaning: 'Byte offset in config space.' },
      { name: 'size', type: 'number', min: 1, max: 4, default: 2, meaning: 'Bytes: 1, 2 or 4.' },
      { name: 'value', type: 'hex', min: 0, max: 0xffffffff, meaning: 'What is written, little endian.' },
    ],
    actor: software,
    refuses: (setup, object, { offset, size }) =>
      deviceOf(setup, object).problem ??
      (Number(size) === 3 || Number(offset) % Number(size) !== 0
        ? `config accesses are aligned and of 1, 2 or 4 bytes, not ${Number(size)} at ${Number(offset)}`
        : undefined),
    *run(setup, object, { offset, size, value }) {
      deviceOf(setup, object).fn!.configWrite(Number(offset), Number(size), Number(value));
    },
  },
  {
    name: 'pba.write',
    title: 'Write the pending bits',
    meaning: 'Software writes the pending bit array, which is read-only (U3): undefined, and here without effect.',
    on: ['device/*'],
    args: [
      { name: 'first', type: 'number', min: 0, max: 2016, default: 0, meaning: 'First vector, a multiple of 32.' },
      { name: 'size', type: 'number', min: 4, max: 8, default: 4, meaning: 'Bytes: 4 or 8.' },
      { name: 'value', type: 'hex', min: 0, max: 0xffffffff, default: 0, meaning: 'What is written.' },
    ],
    actor: software,
    refuses: (setup, object) => deviceOf(setup, object).problem,
    *run(setup, object, { first, size, value }) {
      const words = Number(size) > 4 ? [Number(value), 0] : [Number(value)];
      deviceOf(setup, object).fn!.writePba(Number(first) & ~31, Number(size), words);
    },
  },
  {
    name: 'pba.read',
    title: 'Read the pending bits',
    meaning: 'Software reads 32 or 64 pending bits.',
    on: ['device/*'],
    args: [
      { name: 'first', type: 'number', min: 0, max: 2016, default: 0, meaning: 'First vector, a multiple of 32.' },
      { name: 'size', type: 'number', min: 4, max: 8, default: 8, meaning: 'Bytes: 4 or 8.' },
    ],
    actor: software,
    refuses: (setup, object) => deviceOf(setup, object).problem,
    *run(setup, object, { first, size }) {
      deviceOf(setup, object).fn!.readPba(Number(first) & ~31, Number(size));
    },
  },
  {
    name: 'device.reset',
    title: 'Reset the function',
    meaning: 'Function level reset: MSI-X off, Command 0, what was pending is gone.',
    on: ['device/*'],
    args: [],
    actor: software,
    refuses: (setup, object) => deviceOf(setup, object).problem,
    *run(setup, object) {
      deviceOf(setup, object).fn!.reset();
    },
  },
];
