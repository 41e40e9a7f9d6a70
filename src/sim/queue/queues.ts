import { queueState, queueUse } from '../../model/events/queue.ts';
import { queue as queueType } from '../../model/things/ims.ts';
import { queueUser } from '../../model/things/queue.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { errno } from '../irq/domain.ts';
import type { Host } from '../irq/host.ts';
import type { ImsFunction } from '../irq/ims-domain.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import { type HandleCommand, HandleTable } from './handle-table.ts';
import { PasidTable } from './pasid-table.ts';
import { QueueWork } from './queue-work.ts';

const Q = queueType.at;

/** What a function has for queues; taken from a scenario. */
export interface QueueLimits {
  /** Queues that it has. */
  readonly max: number;
  /** Queues that one owner may have. */
  readonly perOwner: number;
  /** Descriptors that one queue holds. */
  readonly depth: number;
}

/**
 * The interface of a request: the user interfaces are translations to the same operations (S1-15); the
 * kernel itself (a network device, an RDMA device) calls them.
 */
export type FrontEnd = 'cdev' | 'vfio' | 'kernel';

/** A request for a queue. */
export interface QueueRequest {
  readonly front: FrontEnd;
  readonly owner: string;
  /** Descriptors may act with supervisor privilege: only for the kernel itself. */
  readonly privileged?: boolean;
  /** Several PASIDs may submit to it. */
  readonly shared?: boolean;
}

const frontOf = (text: string): FrontEnd => (text === 'vfio' || text === 'kernel' ? text : 'cdev');

/** Nanoseconds that the operations take: a command of the device and its status. */
const COST = { create: 1500, bind: 300, enable: 1000, destroy: 1500 };

/**
 * The queues of a function and all that can be done to them: the internal interface that every front end uses. A queue
 * is a handle like a socket, no device: create, bind to a PASID, enable, submit, destroy. What is asked for out of
 * that order, above the limits, or with the PASID of another owner, is refused with a negative errno.
 */
export class Queues {
  readonly machine: Machine;
  readonly fn: PciFunction;
  readonly pasids: PasidTable;
  readonly limits: QueueLimits;
  readonly work: QueueWork;
  /** The interrupt message storage of the function: one allocator for all requesters. */
  readonly ims: ImsFunction | undefined;
  /** The handles by which descriptors name its entries. */
  readonly handles: HandleTable;
  /** Entries of the interrupts of users, by queue and PASID. */
  readonly #indexes = new Map<string, number>();
  /** Who carries operations out: the PCI driver, or the device itself. */
  readonly core: Actor;
  readonly #host: Host;
  readonly #shared = new Set<number>();
  readonly #perOwner = new Map<string, number>();
  readonly #free: number[] = [];
  /** Users whose interrupt is being allocated, as queue and PASID. */
  readonly #asking = new Set<string>();
  #next = 0;
  #live = 0;

  constructor(
    host: Host,
    fn: PciFunction,
    limits: QueueLimits,
    ims: ImsFunction | undefined,
    core: Actor,
    handleCommand: HandleCommand,
  ) {
    this.machine = host.machine;
    this.fn = fn;
    this.limits = limits;
    this.ims = ims;
    this.core = core;
    this.#host = host;
    this.pasids = new PasidTable(this.machine, fn);
    this.handles = new HandleTable(this.machine, fn, handleCommand);
    this.work = new QueueWork(this);
  }

  /** Queues that exist. */
  get live(): number {
    return this.#live;
  }

  /** Object of a queue. */
  object(n: number): number {
    return this.machine.world.child(queueType, this.fn.object, 'queue', n);
  }

  #text(n: number, cell: number): string {
    const id = this.machine.state.num(this.object(n), cell);
    return id < 0 ? '' : this.machine.world.strings.text(id);
  }

  /** created, bound, enabled, draining or destroyed; the empty text for a queue that was never created. */
  state(n: number): string {
    return n < this.#next ? this.#text(n, Q.state) : '';
  }

  /** Whether there is such a queue. */
  exists(n: number): boolean {
    const state = this.state(n);
    return state !== '' && state !== 'destroyed';
  }

  /** Why nothing can be done to a queue any more: -ENOENT when it is gone, -EBUSY while it drains; 0 when it is there. */
  #gone(n: number): number {
    return !this.exists(n) ? errno.ENOENT : this.state(n) === 'draining' ? errno.EBUSY : 0;
  }

  /** Who a queue was created for. */
  owner(n: number): string {
    return this.#text(n, Q.owner);
  }

  /** Through which interface it was created. */
  front(n: number): FrontEnd {
    return frontOf(this.#text(n, Q.front));
  }

  /** Object of a user of a queue. */
  user(n: number, pasid: number): number {
    return this.machine.world.child(queueUser, this.object(n), 'user', pasid);
  }

  /** The PASIDs that are bound to a queue. */
  users(n: number): number[] {
    const nodes = this.machine.world.node(this.object(n))?.children.get('user')?.children;
    if (!nodes) return [];
    return [...nodes.values()].filter((u) => this.machine.state.present(u.object)).map((u) => Number(u.segment));
  }

  /** The submitter to a queue with a PASID: the user with that PASID, else the owner of the queue. */
  submitter(n: number, pasid: number): { readonly front: FrontEnd; readonly owner: string } {
    if (!this.users(n).includes(pasid)) return { front: this.front(n), owner: this.owner(n) };
    const { state, world } = this.machine;
    const text = (cell: number): string => world.strings.text(state.num(this.user(n, pasid), cell));
    return { front: frontOf(text(queueUser.at.front)), owner: text(queueUser.at.owner) };
  }

  /** The handle that a user of a queue got; -1 none. */
  handle(n: number, pasid: number): number {
    return this.users(n).includes(pasid) ? this.machine.state.num(this.user(n, pasid), queueUser.at.handle) : -1;
  }

  /** The entry of the interrupt of a user of a queue. */
  index(n: number, pasid: number): number | undefined {
    return this.#indexes.get(`${n} ${pasid}`);
  }

  /** A user of a queue learns the handle of its interrupt. */
  rename(n: number, pasid: number, handle: number): void {
    const { machine } = this;
    machine.emit(queueUse, this.user(n, pasid), { handle, off: false });
    machine.emit(queueState, this.object(n), { state: this.state(n), handle });
  }

  /** The queues that exist. */
  all(): number[] {
    return Array.from({ length: this.#next }, (_, n) => n).filter((n) => this.exists(n));
  }

  #refuse(n: number | undefined, state: string, ret: number, of: { front?: string; owner?: string } = {}): number {
    this.machine.emit(queueState, n === undefined ? this.fn.object : this.object(n), { state, ret, ...of });
    return ret;
  }

  /** Creates a queue: its number; -EPERM for a privilege that the owner has not, -ENOSPC above a limit. */
  *create({ front, owner, privileged = false, shared = false }: QueueRequest): Actions<number> {
    return yield* this.machine.within(this.core, this.#create(front, owner, privileged, shared));
  }

  *#create(front: FrontEnd, owner: string, privileged: boolean, shared: boolean): Actions<number> {
    yield COST.create;
    const mine = this.#perOwner.get(owner) ?? 0;
    const { max, perOwner } = this.limits;
    if (privileged && !owner.startsWith('kernel/'))
      return this.#refuse(undefined, 'created', errno.EPERM, { front, owner });
    if (this.#live >= max || mine >= perOwner)
      return this.#refuse(undefined, 'created', errno.ENOSPC, { front, owner });
    const n = this.#free.shift() ?? this.#next++;
    this.#live++;
    this.#perOwner.set(owner, mine + 1);
    if (shared) this.#shared.add(n);
    this.machine.emit(queueState, this.object(n), { state: 'created', front, owner });
    return n;
  }

  /**
   * Binds a queue to a PASID: 0; -ENOENT without such a queue or PASID, -EPERM when another owner has the PASID,
   * -EBUSY when the queue has one already (a shared queue takes several, each once).
   */
  *bind(n: number, pasid: number, owner: string, front: FrontEnd = this.front(n)): Actions<number> {
    return yield* this.machine.within(this.core, this.#bind(n, pasid, owner, front));
  }

  *#bind(n: number, pasid: number, owner: string, front: FrontEnd): Actions<number> {
    yield COST.bind;
    const entry = this.pasids.lookup(pasid);
    const gone = this.#gone(n);
    if (gone < 0 || entry === undefined) return this.#refuse(n, 'bound', gone < 0 ? gone : errno.ENOENT);
    const shared = this.#shared.has(n);
    if (entry.owner !== owner || (!shared && owner !== this.owner(n))) return this.#refuse(n, 'bound', errno.EPERM);
    if (shared ? this.users(n).includes(pasid) : this.state(n) !== 'created')
      return this.#refuse(n, 'bound', errno.EBUSY);
    this.machine.emit(queueUse, this.user(n, pasid), { front, owner, off: false });
    const state = this.state(n) === 'created' ? 'bound' : this.state(n);
    this.machine.emit(queueState, this.object(n), { state, pasid });
    return 0;
  }

  /**
   * Gets an IMS interrupt for a user of a queue: the handle that its descriptors name. -EPERM without a PASID (S1-19),
   * -EOPNOTSUPP without IMS, -EBUSY when it has one, or what the allocation returns.
   */
  *interrupt(n: number, pasid: number | undefined, owner?: string): Actions<number> {
    return yield* this.machine.within(this.core, this.#interrupt(n, pasid, owner));
  }

  *#interrupt(n: number, asked: number | undefined, label: string | undefined): Actions<number> {
    const { machine, ims } = this;
    const gone = this.#gone(n);
    if (gone < 0) return this.#refuse(n, 'interrupt', gone);
    const pasid = asked ?? this.users(n)[0];
    if (pasid === undefined || !this.users(n).includes(pasid)) return this.#refuse(n, 'interrupt', errno.EPERM);
    if (ims === undefined) return this.#refuse(n, 'interrupt', errno.EOPNOTSUPP);
    const user = `${n} ${pasid}`;
    if (this.handle(n, pasid) >= 0 || this.#asking.has(user)) return this.#refuse(n, 'interrupt', errno.EBUSY);
    this.#asking.add(user);
    const owner = label ?? machine.world.path(this.object(n));
    const irq = yield* ims.alloc({ pasid }, owner);
    const ret = typeof irq === 'number' ? irq : yield* this.#host.core.request(irq.virq, `queue-${n}`);
    if (typeof irq !== 'number' && ret < 0) yield* ims.free(irq.index);
    if (typeof irq === 'number' || ret < 0) {
      this.#asking.delete(user);
      return this.#refuse(n, 'interrupt', ret);
    }
    this.#indexes.set(user, irq.index);
    const handle = yield* this.handles.request(irq.index);
    this.#asking.delete(user);
    this.rename(n, pasid, handle);
    return handle;
  }

  /** Enables a queue: 0; -EINVAL before it has a PASID, -EBUSY when it is enabled already. */
  *enable(n: number): Actions<number> {
    return yield* this.machine.within(this.core, this.#enable(n));
  }

  *#enable(n: number): Actions<number> {
    yield COST.enable;
    const gone = this.#gone(n);
    if (gone < 0) return this.#refuse(n, 'enabled', gone);
    if (this.state(n) === 'enabled') return this.#refuse(n, 'enabled', errno.EBUSY);
    if (this.users(n).length === 0) return this.#refuse(n, 'enabled', errno.EINVAL);
    this.machine.emit(queueState, this.object(n), { state: 'enabled' });
    return 0;
  }

  /** Destroys a queue after the work that it holds: 0, -ENOENT without such a queue, -EPERM when another owner has it. */
  *destroy(n: number, owner: string): Actions<number> {
    return yield* this.machine.within(this.core, this.#destroy(n, owner));
  }

  *#destroy(n: number, owner: string): Actions<number> {
    const gone = this.#gone(n);
    if (gone < 0) return this.#refuse(n, 'destroyed', gone);
    if (owner !== this.owner(n)) return this.#refuse(n, 'destroyed', errno.EPERM);
    this.machine.emit(queueState, this.object(n), { state: 'draining' });
    // A request for an interrupt of the queue that runs right now ends first: the interrupt is freed below.
    while ([...this.#asking].some((user) => user.startsWith(`${n} `))) yield COST.destroy;
    yield* this.work.drain(n);
    yield COST.destroy;
    const { ims } = this;
    for (const pasid of this.users(n)) {
      const index = this.index(n, pasid);
      const irq = index === undefined ? undefined : ims?.irq(index);
      if (ims && irq) {
        yield* this.#host.core.freeIrq(irq.virq);
        this.handles.release(this.handle(n, pasid));
        yield* ims.free(irq.index);
      }
      this.#indexes.delete(`${n} ${pasid}`);
      this.machine.emit(queueUse, this.user(n, pasid), { off: true });
    }
    const of = this.owner(n);
    this.machine.emit(queueState, this.object(n), { state: 'destroyed' });
    this.work.forget(n);
    this.#perOwner.set(of, (this.#perOwner.get(of) ?? 1) - 1);
    this.#shared.delete(n);
    this.#live--;
    this.#free.push(n);
    return 0;
  }
}
