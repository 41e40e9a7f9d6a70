import type { ObjectId } from '../../base/ids.ts';
import { irqfdAssign, kvmAck, kvmIoapic, kvmIoctl, kvmLine } from '../../model/events/virt.ts';
import { mention } from '../../model/things/pci.ts';
import { kvmGsi, kvmIrqfd } from '../../model/things/virt.ts';
import { errno } from '../irq/domain.ts';
import type { PinProgram, PinTable } from '../irq/io-apic.ts';
import type { Actor, Machine } from '../machine.ts';
import type { Eventfd } from '../vfio/eventfd.ts';
import type { Vcpus } from './vcpus.ts';

/** KVM_IRQFD_RESAMPLE_IRQ_SOURCE_ID: the source of a line that the resampler of an irqfd drives. */
const RESAMPLER = 1;

/** A line of the virtual machine: a pin of KVM's I/O APIC with the same number. */
interface GuestLine {
  program: PinProgram | undefined;
  level: boolean;
  /** Its interrupt was sent and has not ended (Remote IRR). */
  sent: boolean;
  /** Signalled when its interrupt has ended and the line is down. */
  resample: Eventfd | undefined;
}

/**
 * The level-triggered lines of a virtual machine: the I/O APIC in KVM, and irqfds with a resample eventfd. A signal raises the line; the end of
 * the interrupt lowers it and signals the resample eventfd (virt/kvm/eventfd.c irqfd_resampler_ack).
 */
export class GuestLines implements PinTable {
  readonly machine: Machine;
  readonly #vm: ObjectId;
  readonly #vcpus: Vcpus;
  readonly #actor: Actor = { layer: 'kvm', name: 'irqchip', cpu: -1 };
  readonly #lines = new Map<number, GuestLine>();

  constructor(machine: Machine, vm: ObjectId, vcpus: Vcpus) {
    this.machine = machine;
    this.#vm = vm;
    this.#vcpus = vcpus;
    vcpus.onEoi = (n, vector) => machine.as(this.#actor, () => this.#ended(n, vector));
  }

  #line(gsi: number): GuestLine {
    let line = this.#lines.get(gsi);
    if (line === undefined)
      this.#lines.set(gsi, (line = { program: undefined, level: false, sent: false, resample: undefined }));
    return line;
  }

  #gsi(gsi: number): ObjectId {
    return this.machine.world.child(kvmGsi, this.#vm, 'gsi', gsi);
  }

  /** The guest writes the redirection entry of a pin. */
  program(gsi: number, program: PinProgram): void {
    const line = this.#line(gsi);
    line.program = program;
    this.#send(gsi, line, 0);
  }

  /** KVM_IRQFD with a resample eventfd. */
  assign(gsi: number, eventfd: Eventfd, resample: Eventfd): void {
    if (this.#vcpus.hidden()) {
      // kvm_arch_irqfd_allowed: only an I/O APIC in KVM tells the end of an interrupt, and a hidden guest can have none.
      this.machine.emit(kvmIoctl, this.#vm, { name: 'KVM_IRQFD', ret: errno.EINVAL, gsi });
      return;
    }
    const irqfd = this.machine.world.child(kvmIrqfd, this.#vm, 'irqfd', gsi);
    this.machine.emit(irqfdAssign, irqfd, { fd: eventfd.fd, release: false, resample: true });
    this.#line(gsi).resample = resample;
    eventfd.wait((cause) => this.machine.as(this.#actor, () => this.#set(gsi, true, cause)));
  }

  #set(gsi: number, level: boolean, cause: number): void {
    const line = this.#line(gsi);
    this.machine.emit(kvmLine, this.#gsi(gsi), { level, source: RESAMPLER });
    line.level = level;
    this.#send(gsi, line, cause);
  }

  #send(gsi: number, line: GuestLine, cause: number): void {
    const { program } = line;
    if (!line.level || line.sent || program === undefined || program.masked) return;
    const { cpu, vector } = program;
    this.machine.emit(kvmIoapic, this.#vm, { pin: gsi, dest: cpu, vector, mode: 'Fixed' });
    line.sent = true;
    this.#vcpus.accept(cpu, vector, cause);
  }

  /** The end of an interrupt of a virtual CPU reaches the I/O APIC, which tells who waits for it and sends again what is still up. */
  #ended(n: number, vector: number): void {
    const { machine } = this;
    for (const [gsi, line] of this.#lines) {
      if (!line.sent || line.program?.vector !== vector || line.program.cpu !== n) continue;
      const chip = machine.world.child(mention, this.#vm, 'irqchip');
      machine.emit(kvmAck, chip, { chip: 'IOAPIC', pin: gsi });
      line.sent = false;
      // A planted fault: the resampler is not told.
      if (line.resample && !machine.tamper?.spoils('F46', this.#gsi(gsi))) {
        this.#set(gsi, false, 0);
        line.resample.signal(0);
      }
      this.#send(gsi, line, 0);
    }
  }
}
