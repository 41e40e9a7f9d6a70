import type { ObjectId } from '../../base/ids.ts';
import { domCreate } from '../../model/events/domain.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { devRaise } from '../../model/events/msix.ts';
import { packRegister } from '../../model/register.ts';
import { msiControl, msiData } from '../../model/registers/pci.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import { msi } from '../../model/things/pci.ts';
import { MSI_AT, type PciFunction } from '../device/pci-function.ts';
import type { Actions, Machine } from '../machine.ts';
import { type Composed, type Domain, errno, type Irq } from './domain.ts';
import type { Host } from './host.ts';
import { sharedHwirq } from './kernel-era.ts';

/** Message Control with a 64-bit address, enabled and not. */
const OFF = packRegister(msiControl, { address64: 1 })[0]!;
const ON = packRegister(msiControl, { address64: 1, enable: 1 })[0]!;
/** Nanoseconds of an access of config space. */
const CONFIG = 400;

/** Object of the MSI capability of a function; -1 when it has none. */
export function msiObject(fn: PciFunction): number {
  return fn.machine.world.objectAt(`device/${fn.bdf}/msi`);
}

/**
 * The bus domain of MSI: stores the one message in config space. There is no mask bit, so nothing masks, and a vector is
 * taken when the irq is allocated (drivers/pci/msi/irqdomain.c, msi.c).
 */
export class MsiDomain implements Domain {
  readonly name: string;
  readonly object: ObjectId;
  readonly parent: Domain;
  readonly machine: Machine;
  readonly #fn: PciFunction;
  readonly #shared: boolean;

  /** `shared`: the name of the domain of all functions that it stands for. */
  constructor(machine: Machine, fn: PciFunction, parent: Domain, shared?: string) {
    this.machine = machine;
    this.name = shared ?? `PCI-MSI-${fn.bdf}`;
    this.#shared = shared !== undefined;
    this.parent = parent;
    this.object = machine.world.object(domainType, `domain/${this.name}`);
    this.#fn = fn;
  }

  hwirqOf(device: PciFunction, index: number): number {
    return this.#shared ? sharedHwirq(device, index) : index;
  }

  *alloc(): Actions<number> {
    return 0;
  }

  *free(): Actions {}

  *activate(): Actions<number> {
    return 0;
  }

  /** The all-zero message. */
  *deactivate(irq: Irq): Actions {
    yield* this.store(irq, { address: 0, data: 0 }, 'deactivate');
  }

  /** Address, upper address, data: three writes of config space, and a read that pushes them. */
  *store(irq: Irq, message: Composed, by: string): Actions {
    const { machine } = this;
    const { address, data } = message;
    const hwirq = this.hwirqOf(irq.device, irq.hwirq);
    machine.emit(msgWrite, irq.object, { hwirq, address, data, domain: this.name, by, where: 'config space' });
    yield CONFIG;
    this.#fn.configWrite(MSI_AT + 4, 4, address >>> 0);
    yield CONFIG;
    this.#fn.configWrite(MSI_AT + 8, 4, Math.floor(address / 0x100000000));
    yield CONFIG;
    this.#fn.configWrite(MSI_AT + 12, 2, msiData.f.data.of(data));
    yield CONFIG;
    this.#fn.configRead(MSI_AT + 12, 2, msiData.f.data.of(data));
    irq.written?.(message);
  }

  /** Sets or clears MSI Enable. */
  *enable(on: boolean): Actions {
    yield CONFIG;
    this.#fn.configWrite(MSI_AT + 2, 2, on ? ON : OFF);
  }
}

/** pci_alloc_irq_vectors() with MSI: the virq; -EINVAL while MSI-X is enabled, -ENODEV without the capability. */
export function* allocMsi(host: Host, fn: PciFunction, owner: string): Actions<number> {
  if (msiObject(fn) < 0) return errno.ENODEV;
  const own = host.era.perDevice;
  const domain = new MsiDomain(fn.machine, fn, host.parent, own ? undefined : host.sharedName);
  const created = fn.enabled === true ? errno.EINVAL : 0;
  // The domain of all functions is there since boot.
  if (own)
    fn.machine.as(host.kernel, () =>
      fn.machine.emit(domCreate, domain.object, { parent: host.parent.name, ret: created }),
    );
  if (created < 0) return created;
  const virq = yield* host.core.alloc({ domain, hwirq: 0, device: fn, owner, canReserve: false });
  if (virq < 0) return virq;
  const ret = yield* host.core.activate(host.core.irq(virq)!, true);
  if (ret < 0) return ret;
  yield* domain.enable(true);
  return virq;
}

/** A cause arises for the MSI of a function: sent, or lost while MSI is off. Its number. */
export function raiseMsi(fn: PciFunction): number {
  const { machine } = fn;
  return machine.as(fn.actor, () => {
    const { state } = machine;
    const object = msiObject(fn);
    const cause = machine.ledger.open(machine.now);
    machine.emit(devRaise, object, { vector: 0, cause });
    if (msiControl.f.enable.flag(state, object, msi.at.control) !== true) {
      fn.drop(object, cause, 'MSI is not enabled');
      return cause;
    }
    const address = state.get(object, msi.at.address) + state.get(object, msi.at.address + 1) * 0x100000000;
    fn.send(object, address, msiData.f.data.of(state.get(object, msi.at.data)), cause);
    return cause;
  });
}
