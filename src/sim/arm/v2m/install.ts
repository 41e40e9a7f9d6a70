import { domCreate } from '../../../model/events/domain.ts';
import { dropTaken } from '../../drop.ts';
import { host } from '../../irq/host.ts';
import type { Setup } from '../../setup.ts';
import { ArmHotplug } from '../arm-hotplug.ts';
import { DmaIommu } from '../iommufd.ts';
import { GicDomain } from '../its-domain.ts';
import { ArmRoot, type Smmu } from '../smmu.ts';
import { GicFrame } from './frame.ts';
import { Spis } from './spis.ts';
import { V2mDomain, V2mMsixDomain } from './v2m-domain.ts';

/** Gives an Arm host a GICv2m frame, and no ITS. */
export function installV2m(setup: Setup, smmu: Smmu | undefined): void {
  const { scenario, machine } = setup;
  const part = setup.use(host);
  const { cpus, core } = part;
  const spis = new Spis(machine, cpus);
  const frame = new GicFrame(machine, spis, scenario.platform.spis);
  const root = new GicDomain(machine);
  const domain = new V2mDomain(root, frame);
  if (smmu) domain.owner = new DmaIommu(machine, smmu);
  machine.emit(domCreate, root.object, { ret: 0 });
  frame.announce();
  machine.emit(domCreate, domain.object, { parent: root.name, ret: 0 });
  spis.handler = function* (cpu, spi) {
    const irq = domain.bySpi(spi);
    if (irq) yield* core.handle(irq.virq, cpu);
    else dropTaken(machine, cpu, spis.at(cpu, spi), 'no irq of this SPI');
  };
  part.hotplug = new ArmHotplug(machine, cpus, core, {
    target: (irq) => domain.target(irq),
    comes: (cpu) => spis.wake(cpu),
  });
  part.reserves = false;
  part.parent = domain;
  part.prefix = 'GICv2m-';
  part.port = new ArmRoot(machine, [frame], frame.what, smmu);
  part.busDomain = (fn) => {
    const made = new V2mMsixDomain(machine, `${part.prefix}PCI-MSIX-${fn.bdf}`, domain);
    machine.emit(domCreate, made.object, { parent: domain.name, ret: 0 });
    return made;
  };
  for (const fn of part.functions.values()) fn.port = part.port;
}
