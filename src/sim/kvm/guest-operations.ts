import { barMap } from '../../model/events/pci.ts';
import { msixTable } from '../../model/registers/pci.ts';
import { msixCap } from '../../model/things/pci.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { maskEntry } from '../irq/msix-domain.ts';
import type { Actions } from '../machine.ts';
import type { OperationArg, OperationSpec, OperationValues } from '../operation.ts';
import type { Setup } from '../setup.ts';
import { disableGuestMsi, enableGuestMsi } from './guest-msi.ts';
import { type Vm, vms } from './vm.ts';
import { vmOf } from './vm-operations.ts';

const guest = { layer: 'guest-kernel', name: 'operator', cpu: 0 } as const;

/** A function on the bus of a virtual machine, or why there is none. */
interface OnBus {
  readonly vm?: Vm;
  readonly fn?: PciFunction;
  readonly problem?: string;
}

/** The virtual machine whose guest has a function. */
function guestFunction(setup: Setup, object: string): OnBus {
  const bdf = object.split('/')[1] ?? '';
  for (const vm of setup.find(vms)?.values() ?? []) {
    const fn = vm.functions.get(bdf);
    if (fn) return { vm, fn };
  }
  return { problem: `no guest has a function ${bdf}` };
}

/** Words of a value, lowest first, for an access of some bytes. */
function words(value: OperationValues[string], size: number): number[] {
  const wide = BigInt(typeof value === 'bigint' || typeof value === 'number' ? value : 0);
  const all = [Number(wide & 0xffffffffn), Number((wide >> 32n) & 0xffffffffn)];
  return size > 4 ? all : all.slice(0, 1);
}

const offset = (max: number, meaning: string): OperationArg => ({ name: 'offset', type: 'hex', min: 0, max, meaning });
const size: OperationArg = { name: 'size', type: 'number', min: 1, max: 8, default: 4, meaning: 'Bytes, 1 to 8.' };
const value: OperationArg = { name: 'value', type: 'hex', meaning: 'What is written, little endian; up to 64 bits.' };

/** An operation of the guest on one of its functions. */
function guestOperation(
  name: string,
  title: string,
  meaning: string,
  on: readonly string[],
  args: readonly OperationArg[],
  run: (vm: Vm, fn: PciFunction, values: OperationValues, object: string) => Actions<unknown>,
): OperationSpec {
  return {
    name,
    title,
    meaning,
    on,
    args,
    actor: guest,
    refuses: (setup, object) => guestFunction(setup, object).problem,
    run(setup, object, values) {
      const { vm, fn } = guestFunction(setup, object);
      return run(vm!, fn!, values, object);
    },
  };
}

const ENTRY = ['device/*/msix/*'];
const indexOf = (object: string): number => Number(object.split('/')[3]);

/** Operations of a guest: every access goes through an exit, and the part that serves the table answers. */
export const guestOperations: readonly OperationSpec[] = [
  guestOperation(
    'guest.write',
    'Guest writes to the entry',
    'The guest writes to its MSI-X table from an offset of this entry on. What is no aligned dword or qword is discarded.',
    ENTRY,
    [offset(15, 'Byte offset in the entry: 0 address, 8 data, 12 control.'), size, value],
    (vm, fn, v, object) =>
      vm.mmio.access({
        fn,
        region: 'table',
        offset: indexOf(object) * 16 + Number(v.offset),
        size: Number(v.size),
        value: words(v.value, Number(v.size)),
      }),
  ),
  guestOperation(
    'guest.read',
    'Guest reads from the entry',
    'The guest reads its MSI-X table. A completed read means that every interrupt sent before it has arrived.',
    ENTRY,
    [{ ...offset(15, 'Byte offset in the entry.'), default: 12 }, size],
    (vm, fn, v, object) =>
      vm.mmio.access({
        fn,
        region: 'table',
        offset: indexOf(object) * 16 + Number(v.offset),
        size: Number(v.size),
      }),
  ),
  guestOperation(
    'guest.toggle',
    'Guest masks and unmasks the entry',
    'As the kernel of the guest does at an interrupt: mask, unmask, and the reads that its age makes (guest.flushRead).',
    ENTRY,
    [],
    function* (vm, fn, _v, object) {
      for (const masked of [true, false]) yield* maskEntry(vm.guestAccess, fn, indexOf(object), masked, vm.flushRead);
    },
  ),
  guestOperation(
    'guest.pba.read',
    'Guest reads the pending bits',
    'The guest reads pending bits: from the VMM or from KVM, as the design has it.',
    ['device/*'],
    [
      { ...offset(0xff, 'Byte offset in the pending bit array.'), default: 0 },
      { ...size, default: 8 },
    ],
    (vm, fn, v) => vm.mmio.access({ fn, region: 'pba', offset: Number(v.offset), size: Number(v.size) }),
  ),
  guestOperation(
    'guest.pba.write',
    'Guest writes the pending bits',
    'The pending bit array is read-only: nothing changes.',
    ['device/*'],
    [{ ...offset(0xff, 'Byte offset in the pending bit array.'), default: 0 }, { ...size, default: 8 }, value],
    (vm, fn, v) =>
      vm.mmio.access({
        fn,
        region: 'pba',
        offset: Number(v.offset),
        size: Number(v.size),
        value: words(v.value, Number(v.size)),
      }),
  ),
  guestOperation(
    'guest.control',
    'Guest sets MSI-X enable and function mask',
    'The guest writes Message Control: an exit to the VMM, which defines or removes the table in KVM.',
    ['device/*', 'device/*/msixcap'],
    [
      { name: 'enable', type: 'flag', meaning: 'MSI-X Enable.' },
      { name: 'fmask', type: 'flag', default: false, meaning: 'Function Mask.' },
    ],
    (vm, fn, v) => vm.guestControl(fn, v.enable === true, v.fmask === true),
  ),
  guestOperation(
    'guest.enableMsi',
    'Guest enables MSI',
    'The kernel of the guest allocates so many vectors of the MSI capability, writes their one message to config space and enables MSI; each write is an exit. A block needs interrupt remapping inside the guest: without it the guest gets one vector. Nothing happens while MSI-X is on, or MSI is on already.',
    ['device/*'],
    [{ name: 'count', type: 'number', min: 1, max: 32, default: 1, meaning: 'Vectors.' }],
    (vm, fn, v) => enableGuestMsi(vm, fn, fn.bdf, Number(v.count)),
  ),
  guestOperation(
    'guest.disableMsi',
    'Guest disables MSI',
    'The guest frees the actions of the vectors and disables MSI: VFIO frees the interrupts of the host, KVM the routes.',
    ['device/*'],
    [],
    (vm, fn) => disableGuestMsi(vm, fn),
  ),
  guestOperation(
    'guest.config.write',
    'Guest writes config space',
    'The guest writes config space of a function: an exit to the VMM, which emulates or passes it on. Mask bits of MSI lie 16 bytes into their capability.',
    ['device/*'],
    [
      offset(0xfff, 'Offset in config space.'),
      { ...size, max: 4, meaning: 'Bytes: 1, 2 or 4.' },
      { ...value, max: 0xffffffff, meaning: 'What is written, little endian.' },
    ],
    (vm, fn, v) => vm.guestConfig(() => fn.configWrite(Number(v.offset), Number(v.size), Number(v.value))),
  ),
  guestOperation(
    'guest.command',
    'Guest sets the Command register',
    'The guest writes the Command register. Without Memory Space Enable, no part may answer accesses of the table.',
    ['device/*'],
    [
      { name: 'memory', type: 'flag', default: true, meaning: 'Memory Space Enable.' },
      { name: 'busMaster', type: 'flag', default: true, meaning: 'Bus Master Enable.' },
    ],
    (vm, fn, v) =>
      vm.guestConfig(() => fn.configWrite(4, 2, 0x400 | (v.memory === true ? 2 : 0) | (v.busMaster === true ? 4 : 0))),
  ),
  guestOperation(
    'guest.bar',
    'Guest moves the BAR of the table',
    'The guest programs another address into the BAR that holds table and pending bits. It refuses an address where another function answers.',
    ['device/*'],
    [{ name: 'address', type: 'hex', min: 0x80000000, max: 0xfffffffff000, meaning: 'New address of the BAR.' }],
    (vm, fn, v) =>
      vm.guestConfig(() => {
        const { state, world } = vm.machine;
        const cap = world.node(fn.object)?.children.get('msixcap')?.object ?? -1;
        const bar = msixTable.f.bir.of(state.get(cap, msixCap.at.table));
        const to = { bar, address: Number(v.address), size: 0x10000 };
        if (!vm.bars.claim(vm.machine, fn.object, { bdf: fn.bdf, ...to })) return;
        vm.machine.emit(barMap, fn.object, to);
        fn.onEntry?.(-1);
      }),
  ),
];

/** The machine and the number of an irq of a guest's kernel, or why there is none. */
function guestIrq(
  setup: Setup,
  object: string,
): { readonly vm?: Vm; readonly virq: number; readonly problem?: string } {
  const { vm, problem } = vmOf(setup, object);
  const virq = Number(object.split('/')[3]);
  if (!vm) return { virq, ...(problem ? { problem } : {}) };
  return vm.core.irq(virq) ? { vm, virq } : { virq, problem: `the guest has no irq ${virq}` };
}

/** Moves an interrupt inside a guest. */
export const guestAffinity: OperationSpec = {
  name: 'guest.affinity',
  title: 'Guest moves the interrupt',
  meaning:
    'User space of the guest writes smp_affinity_list: the irq goes to one virtual CPU of the mask, that with most vectors left (of several the first), unless it is on one of them. The kernel masks the entry, rewrites its message and unmasks. A virtual CPU that the machine does not have answers ERANGE, an empty mask EINVAL.',
  on: ['guest/*/irq/*'],
  args: [
    {
      name: 'vcpu',
      type: 'cpus',
      min: 0,
      max: 254,
      meaning: 'Virtual CPUs, counted from 0 in their machine: one, or a list such as `0-3`.',
    },
  ],
  actor: guest,
  refuses: (setup, object) => guestIrq(setup, object).problem,
  *run(setup, object, { vcpu }) {
    const { vm, virq } = guestIrq(setup, object);
    yield* vm!.core.setAffinity(virq, vcpu as readonly number[]);
  },
};
