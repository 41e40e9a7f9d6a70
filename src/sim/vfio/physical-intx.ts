import { pciCommand } from '../../model/registers/pci.ts';
import { device } from '../../model/things/pci.ts';
import type { IntxPin } from '../device/intx-pin.ts';
import { COMMAND } from '../device/offsets.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Host } from '../irq/host.ts';
import type { Actions } from '../machine.ts';

/** Nanoseconds of an access of config space. */
const CONFIG = 400;

/**
 * The INTx pin of a function that VFIO uses: a wire to the host's I/O APIC, whose interrupt VFIO requests. It masks at the function, with
 * Interrupt Disable, because others may share the wire (pci_check_and_mask_intx, pci_check_and_unmask_intx).
 */
export class PhysicalIntx {
  readonly #host: Host;
  readonly #fn: PciFunction;
  readonly pin: IntxPin;
  #virq = -1;

  constructor(of: Host, fn: PciFunction, pin: IntxPin) {
    this.#host = of;
    this.#fn = fn;
    this.pin = pin;
  }

  /** request_irq() for the wire: the irq, or an errno. `came`: an interrupt of the wire; whether it was one of this function. */
  *request(came: (virq: number) => boolean): Actions<number> {
    const { core } = this.#host;
    const fn = this.#fn;
    const virq = yield* this.#host.wireIrq(fn, `vfio ${fn.bdf}`);
    if (virq < 0) return virq;
    function* handler(): Actions<boolean> {
      yield CONFIG;
      return came(virq);
    }
    const ret = yield* core.request(virq, `vfio-intx(${fn.bdf})`, handler);
    if (ret < 0) {
      yield* core.release(virq);
      return ret;
    }
    this.#virq = virq;
    return virq;
  }

  /** free_irq() and what was allocated for the wire. */
  *free(): Actions {
    const virq = this.#virq;
    this.#virq = -1;
    if (virq < 0) return;
    yield* this.#host.core.freeIrq(virq);
    yield* this.#host.core.release(virq);
  }

  /** Irq of the wire; undefined while none is requested. */
  get irq(): number | undefined {
    return this.#virq < 0 ? undefined : this.#virq;
  }

  /** The function has a cause, or what waited is served. */
  drive(level: boolean): void {
    if (level) this.pin.raise();
    else this.pin.serve();
  }

  /** Sets or clears Interrupt Disable. */
  disable(disabled: boolean): void {
    const fn = this.#fn;
    const command = fn.machine.state.get(fn.object, device.at.command);
    fn.configRead(COMMAND, 2, command);
    const { intxDisable } = pciCommand.f;
    const wanted = (disabled ? command | intxDisable.mask : command & ~intxDisable.mask) >>> 0;
    if (wanted !== command) fn.configWrite(COMMAND, 2, wanted);
  }
}
