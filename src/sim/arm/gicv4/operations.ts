import { irqForward } from '../../../model/events/arm/gicv4.ts';
import { FIRST_LPI } from '../../../model/registers/its.ts';
import { host } from '../../irq/host.ts';
import type { OperationArg, OperationSpec, OperationValues } from '../../operation.ts';
import type { Setup } from '../../setup.ts';
import type { VirtualCommand } from '../its-command.ts';
import { DEVICE, EVENT, missingIts, VALID } from '../its-operations.ts';
import { itsUnits } from '../units/its-units.ts';
import { forwarding } from './forwarding.ts';
import { NO_DOORBELL } from './vpe-maps.ts';

const kvm = { layer: 'kvm', name: 'operator', cpu: 0 } as const;
const scheduler = { layer: 'kvm', name: 'scheduler', cpu: 0 } as const;
const driver = { layer: 'irq-core', name: 'its-driver', cpu: 0 } as const;

const numberOf = (object: string): number => Number(object.split('/')[1]);
const n = (value: OperationValues[string]): number => Number(value);

function noVcpu(setup: Setup, vcpu: number): string | undefined {
  const part = setup.find(forwarding);
  if (!part) return 'the system is no Arm host with an ITS and virtual machines';
  return part.vpes.of(vcpu) ? undefined : `there is no virtual CPU ${vcpu}`;
}

function noIrq(setup: Setup, object: string): string | undefined {
  const irq = setup.find(host)?.core.irq(numberOf(object));
  return irq && (setup.find(itsUnits)?.target(irq) ?? -1) >= 0 ? undefined : `${object} has no LPI that is mapped`;
}

const VPE: OperationArg = { name: 'vpe', type: 'number', min: 0, max: 0xffff, meaning: 'vPEID.' };
const TARGET: OperationArg = { name: 'target', type: 'number', min: 0, max: 0xffff, meaning: 'Processor.' };
const DOORBELL: OperationArg = {
  name: 'doorbell',
  type: 'number',
  min: 0,
  max: 0xffffffff,
  default: NO_DOORBELL,
  meaning: 'LPI that is raised while the vPE is not resident; 1023 for none.',
};
const VLPI: OperationArg = {
  name: 'vlpi',
  type: 'number',
  min: 0,
  max: 0xffffffff,
  meaning: `INTID that the guest sees, ${FIRST_LPI} or more.`,
};

/** One operation of a command of GICv4. */
const command = (
  op: VirtualCommand['op'],
  title: string,
  meaning: string,
  args: readonly OperationArg[],
  order: (values: OperationValues) => VirtualCommand,
): OperationSpec => ({
  name: `its.${op.toLowerCase()}`,
  title,
  meaning: `${op}: ${meaning} A command that is refused changes nothing; an event says so.`,
  on: ['its/*'],
  args,
  actor: driver,
  refuses: missingIts,
  *run(setup, object, values) {
    setup.use(itsUnits).at(object)!.its.command(order(values));
  },
});

const onVpe = (op: 'VINVALL' | 'VSYNC' | 'INVDB', title: string, meaning: string): OperationSpec =>
  command(op, title, meaning, [VPE], (v) => ({ op, vpe: n(v['vpe']) }));

/** Operations on virtual LPIs, vPEs and their virtual CPUs. */
export const gicv4Operations: readonly OperationSpec[] = [
  {
    name: 'irq.forward',
    title: 'Forward to a virtual CPU',
    meaning:
      'KVM hands a host irq to a virtual CPU as an LPI of its guest: by the GIC (policy gicv4), or by itself. EINVAL where the ITS has it not mapped.',
    on: ['irq/*'],
    args: [
      { name: 'vcpu', type: 'number', min: 0, max: 65535, meaning: 'Virtual CPU.' },
      { ...VLPI, min: FIRST_LPI, max: 65535 },
    ],
    actor: kvm,
    refuses: (setup, object, { vcpu }) => noVcpu(setup, Number(vcpu)) ?? noIrq(setup, object),
    *run(setup, object, { vcpu, vlpi }) {
      const part = setup.use(forwarding);
      const irq = setup.use(host).core.irq(numberOf(object))!;
      const ret = yield* part.set(irq, part.vpes.of(Number(vcpu))!, Number(vlpi));
      setup.machine.emit(irqForward, irq.object, { forward: true, vcpu: Number(vcpu), vlpi: Number(vlpi), ret });
    },
  },
  {
    name: 'irq.unforward',
    title: 'Let the host take a forwarded interrupt again',
    meaning: 'KVM takes the forwarding of a host irq back. EINVAL where it is not forwarded.',
    on: ['irq/*'],
    args: [],
    actor: kvm,
    refuses: (setup, object) => noVcpu(setup, 0) ?? noIrq(setup, object),
    *run(setup, object) {
      const irq = setup.use(host).core.irq(numberOf(object))!;
      const ret = yield* setup.use(forwarding).unset(irq);
      setup.machine.emit(irqForward, irq.object, { forward: false, ret });
    },
  },
  {
    name: 'vpe.load',
    title: 'Run the virtual CPU on a CPU',
    meaning: 'The host runs a virtual CPU on one of its CPUs: its vPE moves there (VMOVP) and becomes resident.',
    on: ['vcpu/*'],
    args: [{ name: 'cpu', type: 'number', min: 0, max: 4095, meaning: 'CPU of the host.' }],
    actor: scheduler,
    refuses: (setup, object, { cpu }) =>
      noVcpu(setup, numberOf(object)) ??
      (setup.use(host).cpus.online(Number(cpu)) ? undefined : `the host has no CPU ${String(cpu)} online`),
    *run(setup, object, { cpu }) {
      const { vpes } = setup.use(forwarding);
      yield* vpes.schedule(vpes.of(numberOf(object))!, Number(cpu));
    },
  },
  {
    name: 'vpe.put',
    title: 'Take the virtual CPU off its CPU',
    meaning:
      'The vPE leaves its redistributor: preempted, or (waits) because the guest waits for an interrupt, which its doorbell announces.',
    on: ['vcpu/*'],
    args: [{ name: 'waits', type: 'flag', default: false, meaning: 'The guest waits for an interrupt (WFI).' }],
    actor: scheduler,
    refuses: (setup, object) => noVcpu(setup, numberOf(object)),
    *run(setup, object, { waits }) {
      const { vpes } = setup.use(forwarding);
      yield* vpes.deschedule(vpes.of(numberOf(object))!, waits === true);
    },
  },
  command(
    'VMAPP',
    'Map a vPE',
    'a vPE gets its redistributor and its pending table, or loses them.',
    [VPE, TARGET, DOORBELL, VALID],
    (v) => ({
      op: 'VMAPP',
      vpe: n(v['vpe']),
      target: n(v['target']),
      valid: v['valid'] === true,
      defaultDoorbell: n(v['doorbell']),
      pendingAddress: 0,
      pendingSize: 15,
    }),
  ),
  command(
    'VMAPTI',
    'Map an EventID to a virtual LPI',
    'an EventID raises a virtual LPI at a vPE.',
    [DEVICE, EVENT, VPE, VLPI, DOORBELL],
    (v) => ({
      op: 'VMAPTI',
      device: n(v['device']),
      event: n(v['event']),
      vpe: n(v['vpe']),
      vlpi: n(v['vlpi']),
      doorbell: n(v['doorbell']),
    }),
  ),
  command(
    'VMAPI',
    'Map an EventID to the virtual LPI of its own number',
    'VMAPTI with the EventID as INTID.',
    [DEVICE, EVENT, VPE, DOORBELL],
    (v) => ({
      op: 'VMAPI',
      device: n(v['device']),
      event: n(v['event']),
      vpe: n(v['vpe']),
      doorbell: n(v['doorbell']),
    }),
  ),
  command(
    'VMOVI',
    'Move an EventID to another vPE',
    'an EventID goes to another vPE, with its pending state.',
    [DEVICE, EVENT, VPE],
    (v) => ({
      op: 'VMOVI',
      device: n(v['device']),
      event: n(v['event']),
      vpe: n(v['vpe']),
      doorbellValid: false,
      doorbell: NO_DOORBELL,
    }),
  ),
  command('VMOVP', 'Move a vPE', 'interrupts of a vPE are sent to another redistributor.', [VPE, TARGET], (v) => ({
    op: 'VMOVP',
    vpe: n(v['vpe']),
    target: n(v['target']),
    sequence: 0,
    itsList: 0,
  })),
  onVpe('VINVALL', 'Invalidate a vPE', 'the configuration of its virtual LPIs is read again.'),
  onVpe('VSYNC', 'Wait for a vPE', 'earlier commands about a vPE have taken effect when the ITS takes the next one.'),
  onVpe('INVDB', 'Invalidate a default doorbell', 'the configuration of the default doorbell is read again (GICv4.1).'),
];
