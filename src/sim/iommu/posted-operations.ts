import { piUpdate } from '../../model/events/virt.ts';
import { kvmIrqfd } from '../../model/things/virt.ts';
import { host } from '../irq/host.ts';
import type { Vm } from '../kvm/vm.ts';
import type { OperationSpec } from '../operation.ts';
import type { Setup } from '../setup.ts';
import { postedInterrupts } from './posted-interrupts.ts';
import { remapDomain } from './remap-domain.ts';

const kvm = { layer: 'kvm', name: 'operator', cpu: 0 } as const;
const scheduler = { layer: 'kvm', name: 'scheduler', cpu: 0 } as const;

const NO_UNIT = 'the system has no remapping unit with virtual machines';

const numberOf = (object: string): number => Number(object.split('/')[1]);

function noVcpu(setup: Setup, vcpu: number): string | undefined {
  const posted = setup.find(postedInterrupts);
  if (!posted) return NO_UNIT;
  return posted.has(vcpu) ? undefined : `there is no virtual CPU ${vcpu}`;
}

function noIrq(setup: Setup, object: string): string | undefined {
  const irq = setup.find(host)?.core.irq(numberOf(object));
  const domain = setup.find(remapDomain);
  if (!irq || !domain || domain.index(irq) === undefined) return `${object} has no remapping table entry`;
  return setup.find(postedInterrupts) ? undefined : NO_UNIT;
}

/** Operations on posted interrupts and their virtual CPUs. */
export const postedOperations: readonly OperationSpec[] = [
  {
    name: 'irq.post',
    title: 'Post to a virtual CPU',
    meaning:
      'KVM lets the remapping table entry of a host irq post a guest vector to one virtual CPU. Afterwards the host sees nothing of these interrupts.',
    on: ['irq/*'],
    args: [
      { name: 'vcpu', type: 'number', min: 0, max: 65535, meaning: 'Virtual CPU.' },
      { name: 'vector', type: 'hex', min: 16, max: 255, meaning: 'Vector that the guest sees; 0 to 15 are illegal.' },
    ],
    actor: kvm,
    refuses: (setup, object, { vcpu }) => noIrq(setup, object) ?? noVcpu(setup, Number(vcpu)),
    *run(setup, object, { vcpu, vector }) {
      const posted = setup.use(postedInterrupts);
      const target = posted.of(Number(vcpu))!;
      const irq = setup.use(host).core.irq(numberOf(object))!;
      const ret = setup.use(remapDomain).setPosting(irq, { descriptor: target.address, vector: Number(vector) });
      if (ret < 0) return;
      target.vm.serve(Number(vector));
      tell(setup, irq.virq, target.vm, true, Number(vcpu), Number(vector), target.address);
    },
  },
  {
    name: 'irq.unpost',
    title: 'Let the host take the interrupt again',
    meaning: 'The remapping table entry of a host irq goes back to the CPU and vector of the host.',
    on: ['irq/*'],
    args: [],
    actor: kvm,
    refuses: noIrq,
    *run(setup, object) {
      const domain = setup.use(remapDomain);
      const irq = setup.use(host).core.irq(numberOf(object))!;
      const was = domain.posting(irq);
      domain.setPosting(irq, undefined);
      const target = was && setup.use(postedInterrupts).at(was.descriptor);
      if (target) tell(setup, irq.virq, target.vm, false, target.vcpu, was.vector, was.descriptor);
    },
  },
  {
    name: 'vcpu.run',
    title: 'Run the virtual CPU',
    meaning: 'The host runs a virtual CPU on one of its CPUs; one that runs elsewhere migrates.',
    on: ['vcpu/*'],
    args: [{ name: 'cpu', type: 'number', min: 0, max: 4095, meaning: 'CPU of the host.' }],
    actor: scheduler,
    refuses: (setup, object, { cpu }) =>
      noVcpu(setup, numberOf(object)) ??
      (setup.use(host).cpus.online(Number(cpu)) ? undefined : `the host has no CPU ${String(cpu)} online`),
    run: (setup, object, { cpu }) => setup.use(postedInterrupts).run(numberOf(object), Number(cpu)),
  },
  {
    name: 'vcpu.preempt',
    title: 'Preempt the virtual CPU',
    meaning: 'The host takes a virtual CPU off its CPU. It sets SN: posts are recorded, but no notification is sent.',
    on: ['vcpu/*'],
    args: [],
    actor: scheduler,
    refuses: (setup, object) => noVcpu(setup, numberOf(object)),
    run: (setup, object) => setup.use(postedInterrupts).preempt(numberOf(object)),
  },
  {
    name: 'vcpu.block',
    title: 'Halt the virtual CPU',
    meaning: 'The guest halts: a post now sends the wakeup vector to the host, which runs the virtual CPU again.',
    on: ['vcpu/*'],
    args: [],
    actor: scheduler,
    refuses: (setup, object) => noVcpu(setup, numberOf(object)),
    run: (setup, object) => setup.use(postedInterrupts).block(numberOf(object)),
  },
];

/** The GSI of each posted irq in its virtual machine: one that nothing else there has. */
const gsis = new WeakMap<Vm, Map<number, number>>();

function gsiOf(vm: Vm, hostIrq: number): number {
  let known = gsis.get(vm);
  if (known === undefined) gsis.set(vm, (known = new Map()));
  let gsi = known.get(hostIrq);
  if (gsi === undefined) known.set(hostIrq, (gsi = vm.nextGsi()));
  return gsi;
}

/** kvm_pi_irte_update, as KVM traces it. */
function tell(
  setup: Setup,
  hostIrq: number,
  vm: Vm,
  enable: boolean,
  vcpu: number,
  vector: number,
  descriptor: number,
): void {
  const { machine } = setup;
  const irqfd = machine.world.object(kvmIrqfd, `kvm/${vm.id}/irqfd/${gsiOf(vm, hostIrq)}`);
  machine.emit(piUpdate, irqfd, { enable, hostIrq, vcpu, vector, descriptor });
}
