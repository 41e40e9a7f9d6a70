import { PciFunction } from '../../device/pci-function.ts';
import { host } from '../../irq/host.ts';
import { vms } from '../../kvm/vm.ts';
import type { Actions } from '../../machine.ts';
import type { OperationSpec } from '../../operation.ts';
import { type Service, type Setup, service } from '../../setup.ts';
import { postedInterrupts } from '../posted-interrupts.ts';
import { amdUnit } from '../remap-domain.ts';
import { Avic } from './avic.ts';
import { GaLog } from './ga-log.ts';

/** AVIC, where the host has an AMD IOMMU and virtual machines. */
export const avicPart: Service<Avic> = service<Avic>('AMD IOMMU with virtual machines');

/** Entries of the GA log that Linux sets up (GA_LOG_ENTRIES). */
const ENTRIES = 512;

/** Lets the AMD IOMMU post to virtual CPUs; its log interrupts the host with a message of its own. */
export function installAvic(setup: Setup): void {
  const [unit, all, at] = [setup.find(amdUnit), setup.find(vms), setup.find(host)];
  if (!unit || !all || !at || all.size === 0) return;
  const { machine, scenario, design } = setup;
  const mode = design.avic;
  const log = new GaLog(machine, scenario.platform.gaLogEntries ?? ENTRIES);
  const part = new Avic(unit, log, all, mode, mode !== 'off' && design.gaLogIntr === 'always');
  setup.provide(avicPart, part);
  setup.provide(postedInterrupts, part);
  if (mode === 'off') return;
  unit.pages = part;
  machine.as(at.kernel, () => log.start());
  // The IOMMU is a function with an interrupt of its own, which no remapping unit translates.
  const fn = new PciFunction(machine, '0000:00:00.2', at.root);
  function* boot(): Actions {
    const { core, vectors } = at!;
    const ask = { domain: vectors, hwirq: 0, device: fn, owner: 'AMD-Vi', canReserve: false };
    const virq = yield* core.alloc(ask);
    if (virq < 0) return;
    yield* core.request(virq, 'AMD-Vi', function* () {
      yield* log.serve((tag) => part.notify(tag));
      return true;
    });
    log.onWrite = () => {
      const { cpu, vector } = vectors.target(core.irq(virq)!);
      at!.cpus.accept(cpu, vector, 0);
    };
  }
  machine.spawn(at.kernel, boot(), 0);
}

/** Operations on virtual CPUs of an AMD host. */
export const avicOperations: readonly OperationSpec[] = [
  {
    name: 'vcpu.ipi',
    title: 'Send an interprocessor interrupt',
    meaning:
      'The guest writes the ICR of a virtual CPU (AMD hosts). With AVIC the processor sets the request in the backing page of the target and rings; where the table says that the target does not run, the sender leaves the guest.',
    on: ['vcpu/*'],
    args: [
      { name: 'to', type: 'number', min: 0, max: 65535, meaning: 'Virtual CPU that gets it.' },
      { name: 'vector', type: 'hex', min: 16, max: 255, meaning: 'Its vector; 0 to 15 are illegal.' },
    ],
    actor: { layer: 'guest-kernel', name: 'operator', cpu: 0 },
    refuses(setup, object, { to }) {
      const part = setup.find(avicPart);
      if (!part) return 'the system has no AMD IOMMU with virtual machines';
      for (const vcpu of [Number(object.split('/')[1]), Number(to)])
        if (!part.has(vcpu)) return `there is no virtual CPU ${vcpu}`;
      return undefined;
    },
    *run(setup, object, { to, vector }) {
      const part = setup.use(avicPart);
      const target = part.of(Number(to))!;
      target.vm.serve(Number(vector));
      yield* part.ipi(Number(object.split('/')[1]), Number(to), Number(vector));
    },
  },
];
