import type { ObjectId } from '../../base/ids.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import type { Composed, Domain, Irq } from '../irq/domain.ts';
import type { Actions } from '../machine.ts';
import type { Aplic } from './aplic.ts';
import type { ImsicDomain } from './imsic-domain.ts';

/** Nanoseconds of a write of a register of the APLIC. */
const ACCESS = 250;

/**
 * The domain of an APLIC in MSI delivery mode (Linux drivers/irqchip/irq-riscv-aplic-msi.c): stores a message in the target register of a source,
 * with one write, so that a move needs no second step and does not wait for an interrupt. The flow is that of a level (handle_fasteoi_irq); its end
 * writes setipnum, so that a level that is still up is sent again (AIA 4.9.2).
 */
export class AplicDomain implements Domain {
  readonly name = 'APLIC-MSI-0';
  readonly wired = true;
  readonly atomic = true;
  readonly object: ObjectId;
  readonly parent: ImsicDomain;
  readonly aplic: Aplic;
  readonly #retriggers: boolean;

  constructor(aplic: Aplic, parent: ImsicDomain, retriggers: boolean) {
    this.aplic = aplic;
    this.parent = parent;
    this.#retriggers = retriggers;
    this.object = aplic.machine.world.object(domainType, `domain/${this.name}`);
  }

  line(n: number, level: boolean): void {
    this.aplic.line(n, level);
  }

  /** aplic_msi_irq_set_type: sourcecfg, then setipnum, since a write of sourcecfg need not look at the input. */
  *alloc(irq: Irq): Actions<number> {
    this.aplic.map(irq.hwirq, irq.virq);
    yield ACCESS;
    this.aplic.configure(irq.hwirq);
    this.aplic.setPending(irq.hwirq);
    return 0;
  }

  *free(irq: Irq): Actions {
    this.aplic.map(irq.hwirq, undefined);
  }

  *activate(): Actions<number> {
    return 0;
  }

  /** The all-zero message. */
  *deactivate(irq: Irq): Actions {
    yield ACCESS;
    this.aplic.retarget(irq.hwirq, undefined);
  }

  /** aplic_msi_write_msg. */
  *store(irq: Irq, { address, data }: Composed): Actions {
    yield ACCESS;
    this.aplic.retarget(irq.hwirq, { hart: this.aplic.imsic.hartOf(address), identity: data });
  }

  /** aplic_msi_irq_mask, aplic_msi_irq_unmask: the source and the identity. */
  *mask(irq: Irq, masked: boolean): Actions {
    if (!masked) yield* this.parent.mask(irq, false);
    yield ACCESS;
    this.aplic.enable(irq.hwirq, !masked);
    if (masked) yield* this.parent.mask(irq, true);
  }

  /** aplic_msi_irq_eoi. A planted fault: the kernel leaves the write of setipnum out. */
  *end({ hwirq }: Irq): Actions {
    const { tamper } = this.aplic.machine;
    yield ACCESS;
    if (!this.#retriggers) return;
    const sent = this.aplic.sentAt(hwirq);
    if (sent !== undefined && this.aplic.asserted(hwirq) && tamper?.strikes('R27', undefined)) {
      tamper.tell(this.aplic.source(hwirq), sent);
      return;
    }
    this.aplic.setPending(hwirq);
  }
}
