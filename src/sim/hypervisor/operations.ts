import { deviceOf } from '../find-function.ts';
import { errno } from '../irq/domain.ts';
import { type Vm, vms } from '../kvm/vm.ts';
import type { OperationSpec, OperationValues } from '../operation.ts';
import type { Setup } from '../setup.ts';
import { type Consumer, consumers } from './consumers.ts';
import { type Hypervisor, hypervisor } from './hypervisor.ts';

const driver = { layer: 'guest-driver', name: 'operator', cpu: -1 } as const;
const hardware = { layer: 'device', name: 'operator', cpu: -1 } as const;

const CONSUMER = { name: 'consumer', type: 'text', meaning: 'Name of the consumer of the scenario.' } as const;
const INDEX = {
  name: 'index',
  type: 'number',
  min: 0,
  max: 2047,
  default: 0,
  meaning: 'Interrupt of the consumer, from 0.',
} as const;

const found = (setup: Setup, { consumer }: OperationValues): Consumer | undefined =>
  setup.find(consumers)?.get(String(consumer));

const noConsumer = (setup: Setup, _object: string, values: OperationValues): string | undefined =>
  found(setup, values) ? undefined : `there is no consumer ${String(values['consumer'])}`;

const VM = {
  name: 'vm',
  type: 'number',
  min: 0,
  max: 1023,
  default: 0,
  meaning: 'Virtual machine that calls.',
} as const;
const TARGET = [
  { name: 'vcpu', type: 'number', min: 0, max: 254, default: 0, meaning: 'Virtual CPU, from 0 in its machine.' },
  { name: 'vector', type: 'hex', min: 0, max: 255, meaning: 'Vector in the guest; 0 to 15 are illegal.' },
] as const;

function caller(setup: Setup, values: OperationValues): { readonly hv: Hypervisor; readonly vm: Vm } | string {
  const hv = setup.find(hypervisor);
  const vm = setup.find(vms)?.get(Number(values['vm']));
  if (!hv) return 'the system has no hypervisor that grants messages';
  return vm ? { hv, vm } : `there is no virtual machine ${String(values['vm'])}`;
}

const noCaller = (setup: Setup, _object: string, values: OperationValues): string | undefined => {
  const one = caller(setup, values);
  return typeof one === 'string' ? one : undefined;
};

const calls = (setup: Setup, values: OperationValues): { readonly hv: Hypervisor; readonly vm: Vm } => {
  const one = caller(setup, values);
  if (typeof one === 'string') throw new Error(one);
  return one;
};

const target = ({ vcpu, vector }: OperationValues): { readonly cpu: number; readonly vector: number } => ({
  cpu: Number(vcpu),
  vector: Number(vector),
});

const grantOf = (object: string): number => Number(object.split('/')[2]);

/** Operations of guests and their hypervisor about messages. */
export const hypervisorOperations: readonly OperationSpec[] = [
  {
    name: 'consumer.raise',
    title: 'Raise an interrupt of a consumer',
    meaning:
      'A cause arises in the function for an interrupt of a consumer; the function uses the message that is stored for it.',
    on: [],
    args: [CONSUMER, INDEX],
    actor: hardware,
    refuses: noConsumer,
    *run(setup, _object, values) {
      const one = found(setup, values)!;
      one.hardware.raise(one.spec.first + Number(values['index']));
    },
  },
  {
    name: 'consumer.store',
    title: 'Store any message',
    meaning:
      'The driver of a consumer writes any message where its messages are stored. In queue memory, or without a trap, the message reaches the device unchanged.',
    on: [],
    args: [
      CONSUMER,
      INDEX,
      { name: 'address', type: 'hex', min: 0, max: Number.MAX_SAFE_INTEGER, meaning: 'Message address.' },
      { name: 'data', type: 'hex', min: 0, max: 0xffffffff, meaning: 'Message data.' },
    ],
    actor: driver,
    refuses: noConsumer,
    *run(setup, _object, values) {
      const one = found(setup, values)!;
      const message = { address: Number(values['address']), data: Number(values['data']) };
      const index = one.spec.first + Number(values['index']);
      const store = one.path.store(index, message, one.virqs[Number(values['index'])] ?? 0);
      yield* setup.machine.within(one.core.actor, store);
    },
  },
  {
    name: 'consumer.move',
    title: 'Move an interrupt of a consumer',
    meaning:
      'The kernel of the consumer moves one of its interrupts to a CPU of a mask: of the guest, or of the host. ERANGE: it has no such CPU; EINVAL: no CPU of the mask is online.',
    on: [],
    args: [
      CONSUMER,
      INDEX,
      { name: 'cpu', type: 'cpus', min: 0, max: 4095, meaning: 'CPUs to move to: one, or a list such as `0-3,8`.' },
    ],
    actor: driver,
    refuses: (setup, object, values) => {
      const one = found(setup, values);
      if (!one) return noConsumer(setup, object, values);
      const { index } = values;
      return one.virqs[Number(index)] === undefined ? `${one.spec.name} has no interrupt ${String(index)}` : undefined;
    },
    *run(setup, _object, values) {
      const one = found(setup, values)!;
      yield* one.core.setAffinity(one.virqs[Number(values['index'])]!, values['cpu'] as readonly number[]);
    },
  },
  {
    name: 'consumer.mask',
    title: 'Disable or enable an interrupt of a consumer',
    meaning:
      'The driver of a consumer disables or enables one of its interrupts: at the entry, or on Xen at the event channel.',
    on: [],
    args: [CONSUMER, INDEX, { name: 'masked', type: 'flag', default: true, meaning: 'Disable it.' }],
    actor: driver,
    refuses: noConsumer,
    *run(setup, _object, values) {
      const one = found(setup, values)!;
      const virq = one.virqs[Number(values['index'])];
      if (virq !== undefined) yield* one.core.mask(virq, values['masked'] === true);
    },
  },
  {
    name: 'hcall.map',
    title: 'Ask for a message (hypercall)',
    meaning:
      'A guest asks the hypervisor for the message of an entry of a function. -ENODEV: not its function or entry; -EINVAL: no such virtual CPU, or vector below 16; -EEXIST: granted already; -ENOSPC: granted as many as it may have.',
    on: ['device/*'],
    args: [VM, { ...INDEX, name: 'entry', meaning: 'Entry of the function.' }, ...TARGET],
    actor: driver,
    refuses: (setup, object, values) => deviceOf(setup, object).problem ?? noCaller(setup, object, values),
    *run(setup, object, values) {
      const { hv, vm } = calls(setup, values);
      const device = deviceOf(setup, object).fn!;
      yield* setup.machine.within(vm.core.actor, hv.map(vm, device, Number(values['entry']), target(values)));
    },
  },
  {
    name: 'hcall.unmap',
    title: 'Give a message back (hypercall)',
    meaning: `A guest gives a granted message back. What still sends it is refused. ${errno.ENOENT}: no such grant; ${errno.EPERM}: another guest has it.`,
    on: ['hypervisor/grant/*'],
    args: [VM],
    actor: driver,
    refuses: noCaller,
    *run(setup, object, values) {
      const { hv, vm } = calls(setup, values);
      yield* setup.machine.within(vm.core.actor, hv.unmap(vm, grantOf(object)));
    },
  },
  {
    name: 'hcall.retarget',
    title: 'Send a granted interrupt elsewhere (hypercall)',
    meaning: 'A guest names another virtual CPU and vector for a granted message. The message itself stays.',
    on: ['hypervisor/grant/*'],
    args: [VM, ...TARGET],
    actor: driver,
    refuses: noCaller,
    *run(setup, object, values) {
      const { hv, vm } = calls(setup, values);
      yield* setup.machine.within(vm.core.actor, hv.retarget(vm, grantOf(object), target(values)));
    },
  },
];
