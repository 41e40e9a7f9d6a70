import { kvmIoctl } from '../../model/events/virt.ts';
import { kvmRoute } from '../../model/things/virt.ts';
import { errno } from '../irq/domain.ts';
import type { Actions } from '../machine.ts';
import type { OperationArg, OperationSpec, OperationValues } from '../operation.ts';
import type { Setup } from '../setup.ts';
import { type Vm, vms } from './vm.ts';

const vmm = { layer: 'vmm', name: 'operator', cpu: 0 } as const;

/** KVM refused a call of the VMM: an event says with which errno. */
function refusedCall(vm: Vm, ret: number, gsi: number): void {
  if (ret < 0) vm.machine.emit(kvmIoctl, vm.object, { name: 'KVM_IRQFD', ret, gsi });
}

/** The virtual machine that an object names. */
export function vmOf(setup: Setup, object: string): { readonly vm?: Vm; readonly problem?: string } {
  const id = object.split('/')[1] ?? '';
  const vm = setup.find(vms)?.get(Number(id));
  return vm ? { vm } : { problem: `there is no virtual machine ${id}` };
}

/** An operation of the VMM on a virtual machine. */
export function vmmOperation(
  name: string,
  title: string,
  meaning: string,
  args: readonly OperationArg[],
  run: (vm: Vm, values: OperationValues) => Actions<unknown>,
  refuses?: (vm: Vm, values: OperationValues) => string | undefined,
): OperationSpec {
  return {
    name,
    title,
    meaning,
    on: ['kvm/*'],
    args,
    actor: vmm,
    refuses(setup, object, values) {
      const { vm, problem } = vmOf(setup, object);
      return vm ? refuses?.(vm, values) : problem;
    },
    run: (setup, object, values) => run(vmOf(setup, object).vm!, values),
  };
}

const gsi: OperationArg = { name: 'gsi', type: 'number', min: 0, max: 4095, meaning: 'GSI.' };
const fd: OperationArg = { name: 'fd', type: 'number', min: 0, max: 65535, meaning: 'File descriptor of the eventfd.' };
const noFd = (vm: Vm, { fd: n }: OperationValues): string | undefined =>
  vm.eventfd(Number(n)) ? undefined : `the VMM has no eventfd ${String(n)}`;

/** Operations of the VMM: routes, irqfds, eventfds, migration. */
export const vmOperations: readonly OperationSpec[] = [
  vmmOperation(
    'kvm.route.set',
    'Set a message route',
    'KVM_SET_GSI_ROUTING: the GSI stands for this message from now on.',
    [
      gsi,
      { name: 'address', type: 'hex', min: 0, max: 0xfffffffff000, meaning: 'Message address.' },
      { name: 'data', type: 'hex', min: 0, max: 0xffffffff, meaning: 'Message data.' },
    ],
    function* (vm, v) {
      const { state, world } = vm.machine;
      const at = vm.irqfds.route(Number(v.gsi));
      const device = state.num(at, kvmRoute.at.device);
      const entry = state.num(at, kvmRoute.at.entry);
      // A route that was made for an entry goes on to belong to it.
      vm.irqfds.set(
        Number(v.gsi),
        device < 0 ? '' : world.strings.text(device),
        Math.max(0, state.num(at, kvmRoute.at.vector)),
        { ...(entry < 0 ? {} : { entry }), address: Number(v.address), data: Number(v.data) },
      );
    },
  ),
  vmmOperation(
    'kvm.route.release',
    'Release a route',
    'The GSI has no route any more: what an irqfd with this GSI injects is lost.',
    [gsi],
    function* (vm, v) {
      vm.irqfds.release(Number(v.gsi));
    },
  ),
  vmmOperation(
    'kvm.irqfd.assign',
    'Assign an irqfd',
    'KVM_IRQFD ties an eventfd, of the machine or one that VFIO signals, to a GSI. What was signalled before is injected at once; -EBUSY when either is taken.',
    [gsi, { ...fd, optional: true, meaning: 'File descriptor of an eventfd that is there; a new one when absent.' }],
    function* (vm, v) {
      const eventfd = v.fd === undefined ? vm.openEventfd() : vm.eventfd(Number(v.fd));
      const ret = eventfd === undefined ? errno.EBADF : vm.irqfds.assign(Number(v.gsi), eventfd);
      refusedCall(vm, ret, Number(v.gsi));
    },
  ),
  vmmOperation(
    'kvm.irqfd.deassign',
    'Deassign an irqfd',
    'After it returns the GSI gets nothing more from its eventfd.',
    [gsi],
    function* (vm, v) {
      refusedCall(vm, vm.irqfds.deassign(Number(v.gsi)), Number(v.gsi));
    },
  ),
  vmmOperation(
    'eventfd.signal',
    'Signal an eventfd',
    'Signals an eventfd of the VMM.',
    [fd],
    function* (vm, v) {
      const { machine } = vm;
      vm.eventfd(Number(v.fd))!.signal(machine.ledger.open(machine.now));
    },
    noFd,
  ),
  vmmOperation(
    'kvm.signalMsi',
    'Inject a message',
    'KVM_SIGNAL_MSI: the VMM injects a message without a route.',
    [
      { name: 'address', type: 'hex', min: 0, max: 0xfffffffff000, meaning: 'Message address.' },
      { name: 'data', type: 'hex', min: 0, max: 0xffffffff, meaning: 'Message data.' },
    ],
    function* (vm, v) {
      const { machine } = vm;
      const cause = machine.ledger.open(machine.now);
      vm.deliver({ address: Number(v.address), data: Number(v.data), requester: 0, cause, from: vm.object });
    },
  ),
  vmmOperation(
    'vm.migrate',
    'Migrate live',
    'The machine is stopped, tables and pending bits are read, set on the destination, and it goes on.',
    [],
    (vm) => vm.migrate(),
  ),
];
