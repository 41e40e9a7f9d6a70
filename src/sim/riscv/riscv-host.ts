import { hexText } from '../../base/hex.ts';
import { domCreate } from '../../model/events/domain.ts';
import { ArmHotplug } from '../arm/arm-hotplug.ts';
import type { Message, MessagePort } from '../device/message.ts';
import { drop, dropTaken, NEVER_PROGRAMMED } from '../drop.ts';
import type { Irq } from '../irq/domain.ts';
import { host } from '../irq/host.ts';
import { MsixDomain } from '../irq/msix-domain.ts';
import type { Actions, Machine } from '../machine.ts';
import { type Service, type Setup, service } from '../setup.ts';
import { Aplic } from './aplic.ts';
import { AplicDomain } from './aplic-domain.ts';
import { Imsic } from './imsic.ts';
import { ImsicDomain } from './imsic-domain.ts';

/** The root complex of a RISC-V host: a message is a write to the page of a hart. */
class RiscvRoot implements MessagePort {
  readonly machine: Machine;
  readonly imsic: Imsic;

  constructor(machine: Machine, imsic: Imsic) {
    this.machine = machine;
    this.imsic = imsic;
  }

  accept({ address, data, cause, from, requester }: Message): void {
    const hart = this.imsic.hartOf(address);
    if (hart >= 0) {
      this.imsic.accept(hart, data, { cause, requester });
      return;
    }
    const reason =
      address === 0 ? NEVER_PROGRAMMED : `${hexText(address)} is no page of an interrupt file: an ordinary DMA write`;
    drop(this.machine, from, reason, cause);
  }
}

/** The MSI-X domain of a function: masks the entry and the identity (imsic_pci_mask_irq). */
class ImsicMsixDomain extends MsixDomain {
  readonly #base: ImsicDomain;

  constructor(machine: Machine, name: string, base: ImsicDomain) {
    super(machine, name, base);
    this.#base = base;
  }

  override *mask(irq: Irq, masked: boolean): Actions {
    if (masked) yield* super.mask(irq, true);
    yield* this.#base.mask(irq, masked);
    if (!masked) yield* super.mask(irq, false);
  }
}

/** The IMSIC of a RISC-V host, with its domain. */
export const imsicDomain: Service<ImsicDomain> = service<ImsicDomain>('imsic-domain');

/** The APLIC of a RISC-V host, where functions are wired to it, with its domain. */
export const aplicDomain: Service<AplicDomain> = service<AplicDomain>('aplic-domain');

/** Puts the IMSIC in place of what an x86 host has; brings harts and their interrupt files up. */
export function installRiscvHost(setup: Setup): void {
  const { scenario, machine } = setup;
  if (scenario.platform.arch !== 'riscv64') return;
  const part = setup.use(host);
  const { cpus, core } = part;
  const imsic = new Imsic(machine, cpus);
  const domain = setup.provide(imsicDomain, new ImsicDomain(imsic, setup.design.imsicMove === 'stepwise'));
  for (let n = 0; n < cpus.count; n++)
    machine.as(cpus.actor(n), () => {
      cpus.setOnline(n, true);
      domain.comes(n);
    });
  machine.emit(domCreate, domain.object, { ret: 0 });
  imsic.handler = function* (cpu, identity) {
    const irq = domain.owner(cpu, identity);
    if (irq) yield* core.handle(irq.virq, cpu);
    else dropTaken(machine, cpu, imsic.identity(cpu, identity), 'no irq of this identity');
  };
  part.hotplug = new ArmHotplug(machine, cpus, core, {
    target: (irq) => domain.target(irq),
    leaves: (cpu) => domain.leaves(cpu),
    comes(cpu) {
      domain.comes(cpu);
      imsic.wake(cpu);
    },
  });
  part.reserves = false;
  part.parent = domain;
  part.port = new RiscvRoot(machine, imsic);
  part.busDomain = (fn) => {
    const made = new ImsicMsixDomain(machine, `PCI-MSIX-${fn.bdf}`, domain);
    machine.emit(domCreate, made.object, { parent: domain.name, ret: 0 });
    return made;
  };
  for (const fn of part.functions.values()) fn.port = part.port;
  if (!scenario.devices.some(({ intx }) => intx)) return;
  const wires = new Aplic(imsic);
  part.lines = setup.provide(aplicDomain, new AplicDomain(wires, domain, setup.design.aplicRetrigger === 'eoi'));
  machine.as(cpus.actor(0), () => wires.boot());
  machine.emit(domCreate, part.lines.object, { parent: domain.name, ret: 0 });
}
