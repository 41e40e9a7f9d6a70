import type { ObjectId, Step } from '../../base/ids.ts';
import {
  aplicConfigure,
  aplicDomain,
  aplicEnable,
  aplicLine,
  aplicMap,
  aplicPend,
  aplicRetarget,
  aplicSend,
} from '../../model/events/platform/aplic.ts';
import { packRegister } from '../../model/register.ts';
import {
  APLIC_LEVEL_HIGH,
  APLIC_LEVEL_LOW,
  aplicDomainConfig,
  aplicSourceConfig,
  aplicTarget,
} from '../../model/registers/riscv.ts';
import { aplic, aplicSource } from '../../model/things/riscv.ts';
import type { Actor, Machine } from '../machine.ts';
import type { Imsic } from './imsic.ts';

/** Nanoseconds that a message needs from the APLIC to the page of a hart. */
const FLIGHT = 300;
/** Sources: 1 to this number (QEMU, virt). */
export const SOURCES = 96;
const { mode } = aplicSourceConfig.f;

/**
 * An interrupt domain of an APLIC in MSI delivery mode (RISC-V AIA 4.5 to 4.9). The pending bit of a source is set when its rectified input rises,
 * and by setipnum: at a level only while the input is high. A source that is pending and enabled sends its message, and that clears the bit. So a
 * level that stays up is sent once; it is sent again when software writes setipnum.
 */
export class Aplic {
  readonly machine: Machine;
  readonly imsic: Imsic;
  readonly object: ObjectId;
  readonly #actor: Actor = { layer: 'bus', name: 'aplic0', cpu: -1 };
  /** Who holds the wire of a source up: its function, or something else. */
  readonly #holders = new Map<number, Set<string>>();
  /** The step of the last message of a source. */
  readonly #sent = new Map<number, Step>();

  constructor(imsic: Imsic) {
    this.machine = imsic.machine;
    this.imsic = imsic;
    this.object = this.machine.world.object(aplic, 'aplic/0');
  }

  /** Software switches the domain on. */
  boot(): void {
    this.machine.emit(aplicDomain, this.object, {
      config: packRegister(aplicDomainConfig, { enable: 1, messages: 1, marker: 0x80 })[0]!,
    });
  }

  /** Object of a source. */
  source(n: number): ObjectId {
    return this.machine.world.object(aplicSource, `aplic/0/source/${n}`);
  }

  /** Whether the rectified input of a source is high. */
  asserted(n: number): boolean {
    return this.machine.state.flag(this.source(n), aplicSource.at.input) === true;
  }

  /** The step of the last message of a source; undefined: it sent none. */
  sentAt(n: number): Step | undefined {
    return this.#sent.get(n);
  }

  /** The irq of a source; undefined: none any more. */
  map(n: number, virq: number | undefined): void {
    this.machine.emit(aplicMap, this.source(n), virq === undefined ? {} : { irq: virq });
  }

  /** Software writes sourcecfg: the wire is a level, high. Whether that alone makes a high input pending is open (4.5.2); here it does not. */
  configure(n: number): void {
    this.machine.emit(aplicConfigure, this.source(n), {
      config: packRegister(aplicSourceConfig, { mode: APLIC_LEVEL_HIGH })[0]!,
    });
    this.#rectify(n);
  }

  /** Software writes target; without a place, zero. */
  retarget(n: number, place: { readonly hart: number; readonly identity: number } | undefined): void {
    const target = place === undefined ? 0 : packRegister(aplicTarget, place)[0]!;
    this.machine.emit(aplicRetarget, this.source(n), { target });
  }

  /** Software writes setienum or clrienum. */
  enable(n: number, enabled: boolean): void {
    this.machine.emit(aplicEnable, this.source(n), { enabled });
    this.#send(n);
  }

  /** Software writes setipnum: of a level only while the input is high (4.7). */
  setPending(n: number): void {
    const { state } = this.machine;
    const at = this.source(n);
    const how = mode.of(state.get(at, aplicSource.at.config));
    const level = how === APLIC_LEVEL_HIGH || how === APLIC_LEVEL_LOW;
    if (how === 0 || (level && state.flag(at, aplicSource.at.input) !== true)) return;
    this.#pend(n, true, 'setipnum');
    this.#send(n);
  }

  /** Something drives the wire of a source: it is up while one of them holds it up. */
  line(n: number, level: boolean, holder = 'function'): void {
    let holders = this.#holders.get(n);
    if (holders === undefined) this.#holders.set(n, (holders = new Set()));
    if (level) holders.add(holder);
    else holders.delete(holder);
    this.machine.as(this.#actor, () => this.#rectify(n));
  }

  /** The rectified input follows the wire; an inactive source has none. */
  #rectify(n: number): void {
    const { machine } = this;
    const { state } = machine;
    const at = this.source(n);
    const active = mode.of(state.get(at, aplicSource.at.config)) !== 0;
    const input = active && (this.#holders.get(n)?.size ?? 0) > 0;
    if (input === (state.flag(at, aplicSource.at.input) === true)) return;
    machine.emit(aplicLine, at, { input });
    if (input) this.#pend(n, true, 'line');
    else if (state.flag(at, aplicSource.at.requested) === true) this.#pend(n, false, 'line');
    this.#send(n);
  }

  #pend(n: number, pending: boolean, by: string): void {
    this.machine.emit(aplicPend, this.source(n), { pending, by });
  }

  /** Sends the message of a source that is pending and enabled. */
  #send(n: number): void {
    const { machine, imsic } = this;
    const { state } = machine;
    const at = this.source(n);
    if (state.flag(at, aplicSource.at.requested) !== true || state.flag(at, aplicSource.at.enabled) !== true) return;
    const target = state.get(at, aplicSource.at.target);
    const cpu = aplicTarget.f.hart.of(target);
    const identity = aplicTarget.f.identity.of(target);
    machine.as(this.#actor, () => machine.emit(aplicSend, at, { cpu, identity }));
    this.#sent.set(n, machine.recorder.length - 1);
    machine.after(FLIGHT, this.#actor, () => {
      if (imsic.cpus.exists(cpu)) imsic.accept(cpu, identity);
    });
  }
}
