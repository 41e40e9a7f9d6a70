import { byName } from '../../base/by-name.ts';
import { queueCall, queueReturn } from '../../model/events/queue.ts';
import { vfioRegion } from '../../model/events/vfio.ts';
import { IDXD_COMMAND, idxdCommand, idxdHandleOperand, idxdWqConfig } from '../../model/registers/ims.ts';
import { host } from '../irq/host.ts';
import { imsFunctions } from '../irq/ims-domain.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import { type Service, type Setup, service } from '../setup.ts';
import { type FrontEnd, type QueueRequest, Queues } from './queues.ts';

/** Nanoseconds of a system call, and of an access that a guest makes and VFIO emulates. */
const SYSCALL = 500;
const TRAP = 2500;

/** A value of the command register. */
const command = (code: number, operand: number): number =>
  idxdCommand.f.command.put(code) | idxdCommand.f.operand.put(operand);

/**
 * The registers that the VFIO front end emulates, by operation (layout of the IDXD registers): work queue configuration
 * at 0x500, 32 bytes a queue; command register at 0xa0.
 */
const REGISTERS: Readonly<Record<string, (n: number, value: number) => readonly [offset: number, value: number]>> =
  byName({
    // Dword 0 of the configuration: size of the queue.
    create: (n) => [0x500 + 32 * n, 16],
    // Dword 2: the PASID.
    bind: (n, pasid) => [0x508 + 32 * n, idxdWqConfig.f.pasidEnable.mask | idxdWqConfig.f.pasid.put(pasid)],
    interrupt: (n) => [
      0xa0,
      command(IDXD_COMMAND.requestInterruptHandle, idxdHandleOperand.f.ims.mask | idxdHandleOperand.f.index.put(n)),
    ],
    enable: (n) => [0xa0, command(IDXD_COMMAND.enableWq, n)],
    destroy: (n) => [0xa0, command(IDXD_COMMAND.resetWq, n)],
  });

/**
 * The user interfaces to the queues of a function: the character device with its ioctls, and VFIO with emulated
 * accesses. They only translate requests: `Queues` operates the device.
 */
export class QueueFrontEnds {
  readonly machine: Machine;
  readonly queues: Queues;
  readonly #driver: Actor;
  readonly #rpc: boolean;
  readonly #actors = new Map<string, Actor>();

  /** `rpc`: the driver asks the device for a queue; else it answers itself. */
  constructor(queues: Queues, driver: Actor, rpc: boolean) {
    this.machine = queues.machine;
    this.queues = queues;
    this.#driver = driver;
    this.#rpc = rpc;
  }

  /** The actor of an owner at an interface. */
  actor(front: FrontEnd, owner: string): Actor {
    const key = `${front} ${owner}`;
    let actor = this.#actors.get(key);
    if (actor === undefined)
      this.#actors.set(key, (actor = { layer: front === 'kernel' ? 'driver' : front, name: owner, cpu: 0 }));
    return actor;
  }

  /** One request at an interface: asked, translated, carried out, answered. The kernel just calls. */
  *#call(
    front: FrontEnd,
    owner: string,
    call: string,
    n: number,
    value: number,
    core: Actions<number>,
  ): Actions<number> {
    const { machine, queues } = this;
    if (front === 'kernel') return yield* core;
    const actor = this.actor(front, owner);
    const where = n < 0 ? queues.fn.object : queues.object(n);
    machine.as(actor, () => {
      machine.emit(queueCall, where, { front, call, owner });
      const access = REGISTERS[call];
      if (front !== 'vfio' || !access) return;
      const [offset, word] = access(Math.max(n, 0), value);
      machine.emit(vfioRegion, where, { write: true, region: 0, offset, value: word, size: 4 });
    });
    yield front === 'vfio' ? TRAP : SYSCALL;
    const ret = yield* core;
    const answered = call === 'create' && ret >= 0 ? queues.object(ret) : where;
    machine.as(actor, () => machine.emit(queueReturn, answered, { front, call, ret }));
    return ret;
  }

  /** The driver asks the device for a queue (mlx5), or is the one who answers (IDXD). */
  *#create(request: QueueRequest): Actions<number> {
    if (!this.#rpc) return yield* this.queues.create(request);
    const { machine, queues } = this;
    const rpc = { front: 'rpc', call: 'create' };
    machine.as(this.#driver, () => machine.emit(queueCall, queues.fn.object, { ...rpc, owner: request.owner }));
    const ret = yield* queues.create(request);
    const where = ret < 0 ? queues.fn.object : queues.object(ret);
    machine.as(this.#driver, () => machine.emit(queueReturn, where, { ...rpc, ret }));
    return ret;
  }

  /** Asks for a queue. */
  *create(request: QueueRequest): Actions<number> {
    return yield* this.#call(request.front, request.owner, 'create', -1, 0, this.#create(request));
  }

  /** Asks to bind a queue to a PASID. */
  *bind(front: FrontEnd, owner: string, n: number, pasid: number): Actions<number> {
    return yield* this.#call(front, owner, 'bind', n, pasid, this.queues.bind(n, pasid, owner, front));
  }

  /** Asks for an interrupt for a user of a queue; its first user when none is named. */
  *interrupt(front: FrontEnd, owner: string, n: number, pasid?: number, label?: string): Actions<number> {
    return yield* this.#call(front, owner, 'interrupt', n, 0, this.queues.interrupt(n, pasid, label));
  }

  /** Asks to enable a queue. */
  *enable(front: FrontEnd, owner: string, n: number): Actions<number> {
    return yield* this.#call(front, owner, 'enable', n, 0, this.queues.enable(n));
  }

  /** Asks to destroy a queue. */
  *destroy(front: FrontEnd, owner: string, n: number): Actions<number> {
    return yield* this.#call(front, owner, 'destroy', n, 0, this.queues.destroy(n, owner));
  }

  /** The whole way of a user to a queue that works: create, bind, interrupt if asked for, enable. The number, or the first errno. */
  *open(request: QueueRequest, pasid: number, interrupt: boolean): Actions<number> {
    const { front, owner } = request;
    const n = yield* this.create(request);
    if (n < 0) return n;
    const bound = yield* this.bind(front, owner, n, pasid);
    if (bound < 0) return bound;
    const handle = interrupt ? yield* this.interrupt(front, owner, n, pasid) : 0;
    if (handle < 0) return handle;
    const enabled = yield* this.enable(front, owner, n);
    return enabled < 0 ? enabled : n;
  }
}

/** The functions with queues, by BDF. */
export const queueFrontEnds: Service<Map<string, QueueFrontEnds>> = service('queues');

/** Gives functions of the scenario their queues. */
export function installQueues(setup: Setup): void {
  const part = setup.find(host);
  const specs = setup.scenario.devices.filter((d) => d.queues !== undefined);
  if (part === undefined || specs.length === 0) return;
  const rpc = setup.design.queueAuthority === 'firmware';
  const all = setup.provide(queueFrontEnds, new Map<string, QueueFrontEnds>());
  for (const { bdf, name, queues } of specs) {
    const fn = part.functions.get(bdf);
    if (!fn || !queues) continue;
    const driver: Actor = { layer: 'driver', name, cpu: 0 };
    const ims = setup.find(imsFunctions)?.get(bdf);
    if (ims) {
      const carrier = setup.design.imsCarrier;
      if (carrier !== 'function') ims.carrier = `${carrier}-${name}`;
    }
    const { max, depth } = queues;
    const limits = { max, perOwner: queues.perOwner ?? max, depth };
    all.set(
      bdf,
      new QueueFrontEnds(
        new Queues(part, fn, limits, ims, rpc ? fn.actor : driver, setup.design.handleCommand),
        driver,
        rpc,
      ),
    );
  }
}
