import { deviceOf } from '../find-function.ts';
import type { OperationSpec } from '../operation.ts';
import type { Setup } from '../setup.ts';
import type { Irq } from './domain.ts';
import { type Host, host } from './host.ts';

const user = { layer: 'user', name: 'operator', cpu: 0 } as const;
const driver = { layer: 'driver', name: 'operator', cpu: 0 } as const;

/** The irq of a path `irq/<virq>`, with the host that it belongs to. */
function irqOf(setup: Setup, object: string): { readonly of?: Host; readonly irq?: Irq } {
  const of = setup.find(host);
  const irq = of?.core.irq(Number(object.split('/')[1]));
  return { ...(of ? { of } : {}), ...(irq ? { irq } : {}) };
}

const noIrq = (setup: Setup, object: string): string | undefined =>
  irqOf(setup, object).irq ? undefined : `${object} is no irq of the host`;

const cpuOf = (setup: Setup, object: string): number => {
  const n = Number(object.split('/')[1]);
  return Number.isInteger(n) && n < (setup.find(host)?.cpus.count ?? 0) ? n : -1;
};

const noCpu = (setup: Setup, object: string): string | undefined =>
  cpuOf(setup, object) >= 0 ? undefined : `the host has no ${object}`;

/** Why a driver cannot have these CPUs as an affinity. */
function noCpus(setup: Setup, cpus: readonly number[]): string | undefined {
  const { count } = setup.use(host).cpus;
  return cpus.some((n) => n >= count) ? `the host has CPUs 0 to ${count - 1}` : undefined;
}

const ON = ['irq/*'];

/** Operations on the interrupts of the host's kernel and on its processors. */
export const irqOperations: readonly OperationSpec[] = [
  {
    name: 'irq.affinity',
    title: 'Set the affinity',
    meaning:
      'User space writes smp_affinity_list: a mask of which the kernel takes one CPU. Managed interrupts answer EPERM, a CPU that the host does not have ERANGE, an empty mask or CPUs that are all offline EINVAL. The vector domain takes the online CPU of the mask with most vectors left (of several the first), an ITS the one with fewest LPIs, GICv2m the first; x86 and RISC-V stay where they are when that is in the mask. Without remapping the move waits for the next interrupt; while the previous vector is not cleaned up it is EBUSY and tried again then.',
    on: ON,
    args: [
      {
        name: 'cpus',
        type: 'cpus',
        min: 0,
        max: 4095,
        meaning: 'CPUs that it may go to: one, or a list such as `0-3,8`.',
      },
    ],
    actor: user,
    refuses: noIrq,
    *run(setup, object, { cpus }) {
      const { of, irq } = irqOf(setup, object);
      yield* of!.core.setAffinity(irq!.virq, cpus as readonly number[], 'user');
    },
  },
  {
    name: 'irq.balance',
    title: 'Balance the interrupts',
    meaning:
      'One round of irqbalance: it moves interrupts away from CPUs that have more of them than others. Those that a driver keeps on a CPU it leaves alone.',
    on: [],
    args: [],
    actor: { layer: 'user', name: 'irqbalance', cpu: 0 },
    refuses: (setup) => (setup.scenario.platform.arch === 'x86' ? undefined : 'irqbalance runs on x86 hosts here'),
    *run(setup) {
      yield* setup.use(host).balancer.round();
    },
  },
  {
    name: 'irq.free',
    title: 'Free the action',
    meaning: 'The driver calls free_irq(): masked, then deactivated from the device up, the message becomes all zero.',
    on: ON,
    args: [],
    actor: driver,
    refuses: (setup, object) =>
      noIrq(setup, object) ?? (irqOf(setup, object).irq!.action === undefined ? `${object} has no action` : undefined),
    *run(setup, object) {
      const { of, irq } = irqOf(setup, object);
      yield* of!.core.freeIrq(irq!.virq);
    },
  },
  {
    name: 'irq.request',
    title: 'Request the irq',
    meaning: 'The driver calls request_irq(): activated from the CPU down, started, unmasked.',
    on: ON,
    args: [{ name: 'name', type: 'text', default: 'operator', meaning: 'Name of the action.' }],
    actor: driver,
    refuses: (setup, object) =>
      noIrq(setup, object) ??
      (irqOf(setup, object).irq!.action === undefined ? undefined : `${object} has an action already`),
    *run(setup, object, { name }) {
      const { of, irq } = irqOf(setup, object);
      yield* of!.core.request(irq!.virq, String(name));
    },
  },
  ...([true, false] as const).map(
    (masked): OperationSpec => ({
      name: masked ? 'irq.mask' : 'irq.unmask',
      title: masked ? 'Mask at the chip' : 'Unmask at the chip',
      meaning: masked
        ? 'The kernel masks the irq at its chip: written to the device and read back.'
        : 'The kernel unmasks the irq at its chip; what is pending is sent.',
      on: ON,
      args: [],
      actor: driver,
      refuses: noIrq,
      *run(setup, object) {
        const { of, irq } = irqOf(setup, object);
        yield* of!.core.mask(irq!.virq, masked);
      },
    }),
  ),
  {
    name: 'irq.alloc',
    title: 'Allocate an irq',
    meaning:
      'The driver allocates one more MSI-X interrupt (pci_msix_alloc_irq_at). An index that is taken answers EEXIST, no vector ENOSPC, an empty affinity EINVAL; kernels before 6.2 cannot do that.',
    on: ['device/*'],
    args: [
      { name: 'index', type: 'number', min: 0, max: 2047, meaning: 'Entry of the MSI-X table.' },
      {
        name: 'affinity',
        type: 'cpus',
        min: 0,
        max: 4095,
        optional: true,
        meaning: 'CPUs, such as `0-3,8`; with them a vector is taken at once instead of promised.',
      },
      { name: 'managed', type: 'flag', default: false, meaning: 'Affinity is managed by the kernel.' },
    ],
    actor: driver,
    refuses: (setup, object, { managed, affinity }) =>
      deviceOf(setup, object).problem ??
      (affinity !== undefined
        ? noCpus(setup, affinity as readonly number[])
        : managed === true
          ? 'a managed irq needs affinity'
          : undefined),
    *run(setup, object, { index, affinity, managed }) {
      const of = setup.use(host);
      const { fn } = deviceOf(setup, object);
      if (of.era.canAdd(fn!, Number(index)) < 0) return;
      const virq = yield* of.core.alloc({
        domain: of.msixDomain(fn!),
        hwirq: Number(index),
        device: fn!,
        owner: 'operator',
        ...(affinity === undefined ? {} : { affinity: affinity as readonly number[] }),
        managed: managed === true,
      });
      if (virq >= 0) yield* of.core.activate(of.core.irq(virq)!, true);
    },
  },
  {
    name: 'irq.activate',
    title: 'Activate',
    meaning: 'The irq core activates the hierarchy of domains, from the CPU to the device.',
    on: ON,
    args: [{ name: 'reserve', type: 'flag', default: false, meaning: 'Only the placeholder vector.' }],
    actor: driver,
    refuses: noIrq,
    *run(setup, object, { reserve }) {
      const { of, irq } = irqOf(setup, object);
      yield* of!.core.activate(irq!, reserve === true);
    },
  },
  {
    name: 'irq.deactivate',
    title: 'Deactivate',
    meaning: 'The irq core deactivates the hierarchy of domains, from the device to the CPU. Nothing masks the device.',
    on: ON,
    args: [],
    actor: driver,
    refuses: noIrq,
    *run(setup, object) {
      const { of, irq } = irqOf(setup, object);
      yield* of!.core.deactivate(irq!);
    },
  },
  {
    name: 'irq.release',
    title: 'Free the descriptor',
    meaning: 'The driver gives the irq back: every domain frees what it holds. While it has an action: EBUSY.',
    on: ON,
    args: [],
    actor: driver,
    refuses: noIrq,
    *run(setup, object) {
      const { of, irq } = irqOf(setup, object);
      yield* of!.core.release(irq!.virq);
    },
  },
  {
    name: 'cpu.offline',
    title: 'Take the CPU offline',
    meaning:
      'Its interrupts move away, managed ones whose last CPU it is are shut down, what waits in its IRR is raised again. ENOSPC when the other CPUs have too few vectors.',
    on: ['cpu/*'],
    args: [],
    actor: user,
    refuses: noCpu,
    *run(setup, object) {
      yield* setup.use(host).hotplug.offline(cpuOf(setup, object));
    },
  },
  {
    name: 'cpu.online',
    title: 'Bring the CPU online',
    meaning: 'Its vector map comes back, and managed interrupts that waited for it start.',
    on: ['cpu/*'],
    args: [],
    actor: user,
    refuses: noCpu,
    *run(setup, object) {
      yield* setup.use(host).hotplug.online(cpuOf(setup, object));
    },
  },
];
