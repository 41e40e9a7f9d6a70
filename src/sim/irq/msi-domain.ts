import type { ObjectId } from '../../base/ids.ts';
import { domCreate } from '../../model/events/domain.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { devRaise } from '../../model/events/msix.ts';
import { packRegister } from '../../model/register.ts';
import { msiControl, msiData } from '../../model/registers/pci.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import { msi } from '../../model/things/pci.ts';
import { allowIntx } from '../device/legacy-interrupts.ts';
import { MSI_AT } from '../device/offsets.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Actions, Machine } from '../machine.ts';
import { type Composed, type Domain, errno, type Irq } from './domain.ts';
import type { Host } from './host.ts';
import { sharedHwirq } from './kernel-era.ts';

/** Nanoseconds of an access of config space. */
const CONFIG = 400;

/** Object of the MSI capability of a function; -1 when it has none. */
export function msiObject(fn: PciFunction): number {
  return fn.machine.world.objectAt(`device/${fn.bdf}/msi`);
}

/**
 * The bus domain of MSI: stores the one message in config space; of a block of interrupts that of the first, the function makes the others from it. There is no mask bit, so nothing masks, and a vector is
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
  constructor(machine: Machine, fn: PciFunction, parent: Domain, prefix: string, shared?: string) {
    this.machine = machine;
    this.name = shared ?? `${prefix}PCI-MSI-${fn.bdf}`;
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

  /** Address, upper address, data: three writes of config space, and a read that pushes them. Nothing for others of a block than its first. */
  *store(irq: Irq, message: Composed, by: string): Actions {
    const { machine } = this;
    const { address, data } = message;
    // Further interrupts of a block share the message of the first.
    if (irq.hwirq !== 0) return;
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

  /** Sets or clears MSI Enable, with how many messages software grants, and with INTx disabled while it is set. */
  *enable(on: boolean, count = 1): Actions {
    const { machine } = this;
    const { multipleCapable, multipleEnable } = msiControl.f;
    const capable = multipleCapable.of(machine.state.get(msiObject(this.#fn), msi.at.control));
    const granted = on ? Math.ceil(Math.log2(count)) : 0;
    if (on) allowIntx(this.#fn, false);
    yield CONFIG;
    const value = packRegister(msiControl, { address64: 1, enable: on ? 1 : 0, multipleCapable: capable })[0]!;
    this.#fn.configWrite(MSI_AT + 2, 2, value | multipleEnable.put(granted));
    if (!on) allowIntx(this.#fn, true);
  }
}

/** Interrupts that a function was given for its MSI. */
export interface MsiBlock {
  readonly domain: MsiDomain;
  readonly virqs: readonly number[];
}

/**
 * pci_alloc_irq_vectors() with MSI for up to so many vectors: what it gave, which can be one where more were asked for (a block that fails is
 * asked for again as a single vector, msi_handle_pci_fail); -EINVAL while MSI-X is enabled, -ENODEV without the capability. `most`: what the
 * platform grants.
 */
export function* allocMsi(
  host: Host,
  fn: PciFunction,
  owner: string,
  count = 1,
  most = Number.POSITIVE_INFINITY,
): Actions<MsiBlock | number> {
  if (msiObject(fn) < 0) return errno.ENODEV;
  const own = host.era.perDevice;
  const domain = new MsiDomain(fn.machine, fn, host.parent, host.prefix, own ? undefined : host.sharedName);
  const created = fn.enabled === true ? errno.EINVAL : 0;
  // The domain of all functions is there since boot.
  if (own)
    fn.machine.as(host.kernel, () =>
      fn.machine.emit(domCreate, domain.object, { parent: host.parent.name, ret: created }),
    );
  if (created < 0) return created;
  for (const wanted of count > 1 ? [count, 1] : [1]) {
    if (wanted > 1 && host.parent.blocks !== true) continue;
    const virqs = wanted > most ? errno.ENOSPC : yield* allocBlock(host, fn, owner, domain, wanted);
    if (typeof virqs !== 'number') {
      yield* domain.enable(true, wanted);
      return { domain, virqs };
    }
    if (wanted === 1) return virqs;
  }
  return errno.ENOSPC;
}

/** Allocates and activates the interrupts of one message; when one fails, those before it are freed. */
function* allocBlock(
  host: Host,
  fn: PciFunction,
  owner: string,
  domain: MsiDomain,
  count: number,
): Actions<number[] | number> {
  const { core } = host;
  const block = count > 1 ? { block: { count } } : {};
  const virqs: number[] = [];
  for (let hwirq = 0; hwirq < count; hwirq++) {
    const virq = yield* core.alloc({ domain, hwirq, device: fn, owner, canReserve: false, ...block });
    if (virq >= 0) virqs.push(virq);
    const ret = virq < 0 ? virq : yield* core.activate(core.irq(virq)!, true);
    if (ret >= 0) continue;
    for (const one of virqs) yield* core.release(one);
    return ret;
  }
  return virqs;
}

/** pci_free_irq_vectors() with MSI: nobody may use the interrupts any more. */
export function* freeMsi(host: Host, { domain, virqs }: MsiBlock): Actions {
  yield* domain.enable(false);
  for (const virq of virqs) yield* host.core.release(virq);
}

/** Messages that the capability of a function asks for; 0 without one. */
export const msiVectors = (fn: PciFunction): number => {
  const object = msiObject(fn);
  return object < 0 ? 0 : 2 ** msiControl.f.multipleCapable.of(fn.machine.state.get(object, msi.at.control));
};

/**
 * A cause arises for a message of the MSI of a function: sent, or lost while MSI is off. A function that was granted fewer messages than it
 * has causes for shares them; this one drops the upper bits of the number. The number of the cause.
 */
export function raiseMsi(fn: PciFunction, vector = 0): number {
  const { machine } = fn;
  return machine.as(fn.actor, () => {
    const { state } = machine;
    const object = msiObject(fn);
    const cause = machine.ledger.open(machine.now);
    machine.emit(devRaise, object, { vector, cause });
    if (msiControl.f.enable.flag(state, object, msi.at.control) !== true) {
      fn.drop(object, cause, 'MSI is not enabled');
      return cause;
    }
    const granted = 2 ** msiControl.f.multipleEnable.of(state.get(object, msi.at.control));
    const address = state.get(object, msi.at.address) + state.get(object, msi.at.address + 1) * 0x100000000;
    const data = msiData.f.data.of(state.get(object, msi.at.data));
    fn.send(object, address, data - (data % granted) + (vector % granted), cause);
    return cause;
  });
}
