import { ntbPublish, ntbTrigger } from '../../model/events/queue.ts';
import { INTERRUPT_WINDOW } from '../../model/registers/x86.ts';
import { irq as irqType } from '../../model/things/irq.ts';
import { ntbCopy } from '../../model/things/queue.ts';
import { type Composed, errno, type Irq } from '../irq/domain.ts';
import { type Host, host } from '../irq/host.ts';
import type { Actor, Machine } from '../machine.ts';
import { type Service, type Setup, service } from '../setup.ts';
import type { PciFunction } from './pci-function.ts';

/** Nanoseconds until a peer sees what this side writes to its scratchpads, and until a write of a peer arrives here. */
const PUBLISH = 1500;
const LINK = 900;

/**
 * A non-transparent bridge whose peers raise interrupts of this side: they write (offset, data) of a descriptor into
 * a memory window over the interrupt addresses (drivers/ntb/msi.c). They hold a copy: after every message
 * write this side has to publish it again, or the next write of the peer carries an old message.
 */
export class Ntb {
  readonly machine: Machine;
  readonly fn: PciFunction;
  readonly peers: number;
  readonly #host: Host;
  readonly #tells: boolean;
  readonly #driver: Actor;

  /** `tells`: whether message writes are published. */
  constructor(of: Host, fn: PciFunction, name: string, peers: number, tells: boolean) {
    this.machine = of.machine;
    this.fn = fn;
    this.peers = peers;
    this.#host = of;
    this.#tells = tells;
    this.#driver = { layer: 'driver', name, cpu: 0 };
  }

  /** Object of what a peer holds of a descriptor. */
  copy(peer: number, index: number): number {
    return this.machine.world.object(ntbCopy, `ntb/${this.fn.bdf}/peer/${peer}/desc/${index}`);
  }

  /** The irq whose message is in an MSI-X entry of the bridge. */
  #irq(index: number): Irq | undefined {
    for (const irq of this.#host.core.irqs.values())
      if (irq.device === this.fn && irq.hwirq === index && irq.domain === this.#host.msixDomain(this.fn)) return irq;
    return undefined;
  }

  /**
   * Lets the peers raise the interrupt of an entry (ntbm_msi_request_irq): tells them its message, and again whenever
   * it is written. -ENOENT while the interrupt was not requested.
   */
  share(index: number): number {
    const irq = this.#irq(index);
    if (!irq?.started) return errno.ENOENT;
    const { state } = this.machine;
    const at = irqType.at.address;
    const address = state.get(irq.object, at) + state.get(irq.object, at + 1) * 0x100000000;
    this.#publish(index, irq, { address, data: state.get(irq.object, irqType.at.data) }, 'request');
    irq.written = (message) => {
      // The all-zero message of a teardown is no message: the callback is gone by then (devm order of ntb/msi.c).
      if (this.#tells && message.address !== 0) this.#publish(index, irq, message, 'message write');
    };
    return 0;
  }

  #publish(index: number, irq: Irq, { address, data }: Composed, by: string): void {
    const { machine } = this;
    const offset = address - INTERRUPT_WINDOW.base;
    const fits = offset >= 0 && offset < INTERRUPT_WINDOW.size;
    for (let peer = 0; peer < this.peers; peer++) {
      const copy = this.copy(peer, index);
      const told = { virq: irq.virq, offset: fits ? offset : 0, data, by };
      if (fits) machine.after(PUBLISH, this.#driver, () => machine.emit(ntbPublish, copy, told));
      else machine.as(this.#driver, () => machine.emit(ntbPublish, copy, { ...told, ret: errno.EFAULT }));
    }
  }

  /** Whether a peer was told anything of a descriptor. */
  told(peer: number, index: number): boolean {
    const object = this.machine.world.objectAt(`ntb/${this.fn.bdf}/peer/${peer}/desc/${index}`);
    return object >= 0 && this.machine.state.num(object, ntbCopy.at.virq) >= 0;
  }

  /** A peer writes what it holds into the window; the bridge passes it on as a write of its own. Returns the cause. */
  trigger(peer: number, index: number): number {
    const { machine, fn } = this;
    const copy = this.copy(peer, index);
    const offset = machine.state.get(copy, ntbCopy.at.offset);
    const data = machine.state.get(copy, ntbCopy.at.data);
    const cause = machine.ledger.open(machine.now);
    machine.as({ layer: 'device', name: `peer${peer}`, cpu: -1 }, () =>
      machine.emit(ntbTrigger, copy, { offset, data, cause }),
    );
    machine.after(LINK, fn.actor, () => fn.send(copy, INTERRUPT_WINDOW.base + offset, data, cause));
    return cause;
  }
}

/** The bridges, by BDF. */
export const ntbs: Service<Map<string, Ntb>> = service('ntb');

/** Makes bridges of the functions of the scenario that are some. */
export function installNtb(setup: Setup): void {
  const part = setup.find(host);
  const specs = setup.scenario.devices.filter((d) => d.ntb !== undefined);
  if (part === undefined || specs.length === 0) return;
  const all = setup.provide(ntbs, new Map<string, Ntb>());
  const tells = setup.design.ntbPublish === 'onWrite';
  for (const { bdf, name, ntb } of specs) {
    const fn = part.functions.get(bdf);
    if (fn && ntb) all.set(bdf, new Ntb(part, fn, name, ntb.peers, tells));
  }
}
