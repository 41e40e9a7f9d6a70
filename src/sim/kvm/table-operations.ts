import type { Actions } from '../machine.ts';
import type { OperationArg, OperationSpec, OperationValues } from '../operation.ts';
import { EmulatedFunction } from './emulated-function.ts';
import type { Vm } from './vm.ts';
import { vmmOperation } from './vm-operations.ts';
import type { VmmTables } from './vmm-tables.ts';

const table: OperationArg = {
  name: 'table',
  type: 'number',
  min: 0,
  max: 65535,
  default: 0,
  meaning: 'Number of the table.',
};
const entry: OperationArg = { name: 'entry', type: 'number', min: 0, max: 65535, meaning: 'Index of the entry.' };

/** An ioctl of the proposal; it needs a design in which KVM has tables. */
function ioctl(
  name: string,
  title: string,
  meaning: string,
  args: readonly OperationArg[],
  run: (tables: VmmTables, values: OperationValues, vm: Vm) => void,
  refuses?: (vm: Vm, values: OperationValues) => string | undefined,
): OperationSpec {
  return vmmOperation(
    name,
    title,
    meaning,
    args,
    function* (vm, values): Actions {
      if (vm.tables) run(vm.tables, values, vm);
    },
    (vm, values) =>
      vm.tables ? refuses?.(vm, values) : 'KVM serves no tables in this design: choose another msixOwner',
  );
}

const emulated = (vm: Vm, { device }: OperationValues): EmulatedFunction | undefined => {
  const fn = vm.functions.get(String(device));
  return fn instanceof EmulatedFunction ? fn : undefined;
};

/** The calls about MSI-X tables that were proposed for KVM; each returns an errno where it is wrong. */
export const kvmOperations: readonly OperationSpec[] = [
  ioctl(
    'kvm.defineTable',
    'KVM_DEFINE_MSIX_TABLE',
    'KVM serves a table. -EINVAL: 0 or more than 2048 entries, or in RAM; -EEXIST: the number or the addresses are taken.',
    [
      table,
      { name: 'device', type: 'text', meaning: 'BDF of the function in the guest.' },
      { name: 'entries', type: 'number', min: 0, max: 65535, meaning: 'Entries.' },
      { name: 'base', type: 'hex', min: 0, max: 0xfffffffff000, meaning: 'Guest-physical address of the table.' },
      { name: 'pendingBase', type: 'hex', min: 0, max: 0xfffffffff000, meaning: 'Address of the pending bits.' },
    ],
    (tables, v, vm) => {
      tables.tables.define(Number(v.table), emulated(vm, v)!, Number(v.entries), Number(v.base), Number(v.pendingBase));
    },
    (vm, v) => (emulated(vm, v) ? undefined : `the guest has no emulated function ${String(v.device)}`),
  ),
  ioctl(
    'kvm.removeTable',
    'KVM_REMOVE_MSIX_TABLE',
    'KVM no longer serves a table; -ENOENT: it has none.',
    [table],
    (t, v) => {
      t.tables.remove(Number(v.table));
    },
  ),
  ioctl(
    'kvm.setEntry',
    'KVM_SET_MSIX_ENTRY',
    'KVM holds the entry from now on. -EINVAL: the table has no such entry; -ENOENT: no such table.',
    [table, entry],
    (t, v) => {
      t.tables.setEntry(Number(v.table), Number(v.entry));
    },
  ),
  ioctl(
    'kvm.getEntry',
    'KVM_GET_MSIX_ENTRY',
    'What KVM holds of an entry. One that it does not hold: -EINVAL or a flag, as the policy missingEntry says.',
    [table, entry],
    (t, v) => {
      t.tables.getEntry(Number(v.table), Number(v.entry));
    },
  ),
  ioctl(
    'kvm.setEntryIrq',
    'KVM_SET_MSIX_ENTRY_IRQ',
    'Ties an entry to the GSI of its source, or to none (-1): its interrupts are dropped then.',
    [table, entry, { name: 'gsi', type: 'number', min: -1, max: 65535, meaning: 'GSI, or -1.' }],
    (t, v) => {
      t.tables.setEntryIrq(Number(v.table), Number(v.entry), Number(v.gsi));
    },
  ),
  ioctl(
    'kvm.getClearPending',
    'KVM_GET_CLEAR_PENDING',
    'The VMM takes over what is pending and serves it by polling.',
    [table],
    (t, v) => {
      t.tables.getClearPending(Number(v.table));
    },
  ),
];
