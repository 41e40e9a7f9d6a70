import type { ObjectId } from '../../base/ids.ts';
import { domCreate } from '../../model/events/domain.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { packRegister } from '../../model/register.ts';
import { msiControl, msiData } from '../../model/registers/pci.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import { msi } from '../../model/things/pci.ts';
import { commandFor } from '../device/legacy-interrupts.ts';
import { MSI_MASK, msiMaskable, msiObject, msiOffset } from '../device/msi-messages.ts';
import { COMMAND } from '../device/offsets.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import { type Composed, type Domain, errno, type Irq } from './domain.ts';
import type { IrqCore } from './irq-core.ts';
import { sharedHwirq } from './kernel-era.ts';

/** Nanoseconds of an access of config space. */
const CONFIG = 400;

/** How a kernel reaches config space: of a guest each access exits. */
export interface ConfigAccess {
  write(fn: PciFunction, offset: number, size: number, value: number): Actions;
  read(fn: PciFunction, offset: number, size: number, value: number): Actions;
}

const hardwareConfig: ConfigAccess = {
  *write(fn, offset, size, value) {
    yield CONFIG;
    fn.configWrite(offset, size, value);
  },
  *read(fn, offset, size, value) {
    yield CONFIG;
    fn.configRead(offset, size, value);
  },
};

/** A kernel that gives functions their MSI: that of the host, or of a guest. */
export interface MsiKernel {
  readonly core: IrqCore;
  readonly kernel: Actor;
  readonly parent: Domain;
  /** The one for a function, where they differ. */
  readonly parentOf?: (fn: PciFunction) => Domain;
  readonly era: { readonly perDevice: boolean };
  readonly prefix: string;
  readonly sharedName: string;
  /** What stands before the paths of its objects; absent: nothing. */
  readonly path?: string;
  /** Absent: it reaches the hardware itself. */
  readonly config?: ConfigAccess;
}

/**
 * The bus domain of MSI: stores the one message in config space; of a block of interrupts that of the first, the function makes the others from it.
 * Where the function has no mask bits nothing masks, and a vector is taken when the irq is allocated (drivers/pci/msi/irqdomain.c, msi.c).
 */
export class MsiDomain implements Domain {
  readonly name: string;
  readonly object: ObjectId;
  readonly parent: Domain;
  readonly machine: Machine;
  readonly #fn: PciFunction;
  readonly #shared: boolean;

  readonly #config: ConfigAccess;
  /** Masks a vector; a function without mask bits has none. */
  readonly mask?: NonNullable<Domain['mask']>;
  #masks = 0;

  /** `shared`: the name of the domain of all functions that it stands for. */
  constructor(machine: Machine, fn: PciFunction, of: MsiKernel, shared?: string) {
    this.machine = machine;
    this.name = shared ?? `${of.prefix}PCI-MSI-${fn.bdf}`;
    this.#shared = shared !== undefined;
    this.parent = of.parentOf?.(fn) ?? of.parent;
    this.object = machine.world.object(domainType, `${of.path ?? ''}domain/${this.name}`);
    this.#fn = fn;
    this.#config = of.config ?? hardwareConfig;
    if (msiMaskable(fn)) this.mask = (irq, masked) => this.#mask(1 << irq.hwirq, masked);
  }

  /** pci_msi_update_mask: the mask bits of all vectors are one register. */
  *#mask(bits: number, masked: boolean): Actions {
    this.#masks = (masked ? this.#masks | bits : this.#masks & ~bits) >>> 0;
    yield* this.#write(MSI_MASK, 4, this.#masks);
  }

  *#write(at: number, size: number, value: number): Actions {
    yield* this.#config.write(this.#fn, msiOffset(this.#fn) + at, size, value);
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
    yield* this.#write(4, 4, address >>> 0);
    yield* this.#write(8, 4, Math.floor(address / 0x100000000));
    yield* this.#write(12, 2, msiData.f.data.of(data));
    yield* this.#config.read(this.#fn, msiOffset(this.#fn) + 12, 2, msiData.f.data.of(data));
    irq.written?.(message);
  }

  /**
   * Sets or clears MSI Enable, with how many messages software grants, and with INTx disabled while it is set. Vectors that can be masked are so
   * before it is set, and not behind that it is cleared (msi_capability_init, pci_msi_shutdown).
   */
  *enable(on: boolean, count = 1): Actions {
    const { machine } = this;
    const { multipleCapable, multipleEnable, maskable } = msiControl.f;
    const control = machine.state.get(msiObject(this.#fn), msi.at.control);
    const granted = on ? Math.ceil(Math.log2(count)) : 0;
    const all = (2 ** (2 ** multipleEnable.of(on ? multipleEnable.put(granted) : control)) - 1) >>> 0;
    if (on && this.mask) yield* this.#mask(all, true);
    if (on) yield* this.#intx(false);
    const value = packRegister(msiControl, {
      address64: 1,
      enable: on ? 1 : 0,
      multipleCapable: multipleCapable.of(control),
      maskable: maskable.of(control),
    })[0]!;
    yield* this.#write(2, 2, value | multipleEnable.put(granted));
    if (on) return;
    yield* this.#intx(true);
    if (this.mask) yield* this.#mask(all, false);
  }

  *#intx(allowed: boolean): Actions {
    const command = commandFor(this.#fn, allowed);
    if (command === undefined) return;
    // The host writes Command in the access before that of Message Control.
    if (this.#config === hardwareConfig) this.#fn.configWrite(COMMAND, 2, command);
    else yield* this.#config.write(this.#fn, COMMAND, 2, command);
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
  host: MsiKernel,
  fn: PciFunction,
  owner: string,
  count = 1,
  most = Number.POSITIVE_INFINITY,
): Actions<MsiBlock | number> {
  if (msiObject(fn) < 0) return errno.ENODEV;
  const own = host.era.perDevice;
  const domain = new MsiDomain(fn.machine, fn, host, own ? undefined : host.sharedName);
  const created = fn.enabled === true ? errno.EINVAL : 0;
  // The domain of all functions is there since boot.
  if (own)
    fn.machine.as(host.kernel, () =>
      fn.machine.emit(domCreate, domain.object, { parent: domain.parent.name, ret: created }),
    );
  if (created < 0) return created;
  for (const wanted of count > 1 ? [count, 1] : [1]) {
    if (wanted > 1 && domain.parent.blocks !== true) continue;
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
  host: MsiKernel,
  fn: PciFunction,
  owner: string,
  domain: MsiDomain,
  count: number,
): Actions<number[] | number> {
  const { core } = host;
  const block = count > 1 ? { block: { count } } : {};
  const virqs: number[] = [];
  for (let hwirq = 0; hwirq < count; hwirq++) {
    const virq = yield* core.alloc({
      domain,
      hwirq,
      device: fn,
      owner,
      canReserve: domain.mask !== undefined,
      ...block,
    });
    if (virq >= 0) virqs.push(virq);
    const ret = virq < 0 ? virq : yield* core.activate(core.irq(virq)!, true);
    if (ret >= 0) continue;
    for (const one of virqs) yield* core.release(one);
    return ret;
  }
  return virqs;
}

/** pci_free_irq_vectors() with MSI: nobody may use the interrupts any more. */
export function* freeMsi(host: MsiKernel, { domain, virqs }: MsiBlock): Actions {
  yield* domain.enable(false);
  for (const virq of virqs) yield* host.core.release(virq);
}

/** Messages that the capability of a function asks for; 0 without one. */
export const msiVectors = (fn: PciFunction): number => {
  const object = msiObject(fn);
  return object < 0 ? 0 : 2 ** msiControl.f.multipleCapable.of(fn.machine.state.get(object, msi.at.control));
};
