import { irqEntry, irqExit, irqIdentify } from '../../model/events/irq.ts';
import { message } from '../../model/events/notes.ts';
import { vecConfig, vecSetup } from '../../model/events/vector.ts';
import { packRegister } from '../../model/register.ts';
import { destinationOf, vtdIrte } from '../../model/registers/vtd.ts';
import { irq } from '../../model/things/irq.ts';
import { type Host, host } from '../irq/host.ts';
import { IO_APIC_REQUESTER } from '../irq/io-apic.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import type { Setup } from '../setup.ts';
import { vtdUnit } from './remap-domain.ts';
import type { VtdUnit } from './vtd-unit.ts';

/** Pin of the I/O APIC that the timer drives (ISA interrupt 0 by override), which is its table entry as well; its vector (ISA_IRQ_VECTOR). */
const PIN = 2;
const VECTOR = 0x30;
/** Nanoseconds from tick to tick with HZ 100, for which the kernel waits ten times, and of these so many ticks must come. */
const TICK = 10_000_000;
const TICKS = 10;
const WANTED = 5;
/** Nanoseconds between two looks at the clock (delay_with_tsc), and of a handler of the timer. */
const LOOK = 50_000;
const WORK = 800;

/**
 * The timer of the platform at boot: a square wave on a pin of the I/O APIC. The kernel sets that pin up through the remapping
 * unit, and tests that the timer ticks before anything else starts (arch/x86/kernel/apic/io_apic.c check_timer, timer_irq_works).
 */
class BootTimer {
  readonly machine: Machine;
  readonly #host: Host;
  readonly #unit: VtdUnit;
  readonly #actor: Actor = { layer: 'bus', name: 'timer', cpu: -1 };
  #ticks = 0;
  /** It still runs: once the test is over, local timers take its place. */
  #runs = true;

  constructor(of: Host, unit: VtdUnit) {
    this.machine = of.machine;
    this.#host = of;
    this.#unit = unit;
    const before = of.cpus.handler;
    of.cpus.handler = (cpu, vector, eoi) => (vector === VECTOR ? this.#handle(eoi) : before!(cpu, vector, eoi));
  }

  get #irq(): number {
    return this.machine.world.object(irq, 'irq/0');
  }

  *#handle(eoi: () => void): Actions {
    const { machine } = this;
    eoi();
    this.#ticks++;
    machine.emit(irqEntry, this.#irq, { name: 'timer' });
    yield WORK;
    machine.emit(irqExit, this.#irq, { handled: true });
  }

  #setUp(): void {
    const { machine } = this;
    this.#host.vectors.matrix.assign(0, VECTOR);
    machine.emit(vecSetup, this.#irq, { legacy: true, ret: 0 });
    machine.emit(vecConfig, this.#irq, { vector: VECTOR, cpu: 0, apicDest: 0 });
    machine.emit(irqIdentify, this.#irq, { hwirq: PIN, domain: 'IO-APIC-0', owner: 'timer' });
    const { eim, verifies } = this.#unit.spec;
    const target = { vector: VECTOR, dest: destinationOf(0, eim) };
    const value = packRegister(vtdIrte, { present: 1, ...target, sid: IO_APIC_REQUESTER, svt: verifies ? 1 : 0 });
    this.#unit.write(PIN, value);
    this.#unit.invalidate(undefined, PIN);
    this.#host.ioApic.program(PIN, { vector: VECTOR, level: false, masked: false, cpu: 0, entry: PIN });
  }

  /** The wave rises; half a period later it falls. A planted fault: it stays up, and an edge-triggered pin sees no edge any more. */
  #rise(): void {
    const { machine } = this;
    if (!this.#runs) return;
    const at = machine.now;
    this.#host.ioApic.line(PIN, true);
    machine.at(at + TICK / 2, this.#actor, () => {
      if (machine.tamper?.strikes('R13', undefined)) return;
      this.#host.ioApic.line(PIN, false);
      machine.at(at + TICK, this.#actor, () => this.#rise());
    });
  }

  /** Whether the timer works: more than four of ten ticks come. Otherwise the kernel panics. */
  *test(): Actions<boolean> {
    const { machine } = this;
    this.#setUp();
    const end = machine.now + TICKS * TICK;
    machine.at(machine.now + TICK, this.#actor, () => this.#rise());
    while (machine.now < end) yield Math.min(LOOK, end - machine.now);
    this.#runs = false;
    if (this.#ticks >= WANTED) return true;
    const text = "Kernel panic - not syncing: timer doesn't work through Interrupt-remapped IO-APIC";
    machine.emit(message, this.#host.vectors.object, { text });
    return false;
  }
}

/** Lets the kernel of the host test the timer before it starts its drivers, where the scenario wants that. */
export function installBootTimer(setup: Setup): void {
  const [at, unit] = [setup.find(host), setup.find(vtdUnit)];
  if (!at || !unit || !setup.scenario.platform.timer) return;
  const timer = new BootTimer(at, unit);
  at.bootTest = () => timer.test();
}
