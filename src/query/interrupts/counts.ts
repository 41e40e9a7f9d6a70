import type { ObjectId, Step } from '../../base/ids.ts';
import type { Namespace } from '../../model/namespace.ts';
import { kernelOf } from '../../model/reference.ts';
import type { State } from '../../model/state.ts';
import { imsEntry } from '../../model/things/ims.ts';
import { irq } from '../../model/things/irq.ts';
import { device, msi, msixEntry } from '../../model/things/pci.ts';
import { amdIrte, irte, itsEvent } from '../../model/things/remap.ts';
import { kvmGsi, vcpuVector, vfioVector } from '../../model/things/virt.ts';
import type { PathNode, World } from '../../model/world.ts';
import type { Trace } from '../../trace/trace.ts';
import { countIn } from '../view.ts';
import { HandlerTimes } from './handler-times.ts';
import type { Joined } from './row.ts';

/** Counts of an interrupt so far; null where the trace cannot show them. */
export interface Counts {
  readonly raises: number | null;
  readonly sends: number | null;
  readonly handled: number | null;
}

const entryCells = new Map<unknown, { readonly raises: number; readonly sends: number }>([
  [msixEntry, msixEntry.at],
  [msi, msi.at],
  [imsEntry, imsEntry.at],
]);

/** What counts the messages that arrive at a translation table. */
const arrivals = new Map<unknown, number>([
  [irte, irte.at.remaps],
  [amdIrte, amdIrte.at.remaps],
  [itsEvent, itsEvent.at.translations],
]);

/** The node of the function or table that an entry belongs to. */
function functionOf(state: State, entry: ObjectId): PathNode | undefined {
  const node = state.world.node(entry);
  return state.world.type(entry) === msi ? node?.parent : node?.parent?.parent;
}

/** The kernel that an object belongs to: of a system, or of a simulated guest in it. */
const kernelIn = (world: World, object: ObjectId): string =>
  `${world.spaceOf(object).prefix}${kernelOf(world, object)}`;

/** Whether an object is an INTID of a virtual CPU: its GIC tells of all INTIDs what it tells of one. */
const isIntid = (world: World, object: ObjectId): boolean => world.node(object)?.parent?.segment === 'intid';

/**
 * What a trace records at all: a cause, a message, the run of a handler. What it records of one interrupt of a kernel or a system
 * counts 0 at the others of the same where there was none; of what it never records there nothing is known. A device model tells its
 * causes or does not, so that is a matter of each function. A local APIC tells the ends of some vectors only: with APICv of those
 * that are level-triggered (kvm_eoi, arch/x86/kvm/lapic.c).
 */
export class Recorded {
  readonly #complete: boolean;
  /** Functions of which causes with their vectors are recorded, and those of which messages are. */
  readonly #raises = new Set<PathNode | undefined>();
  readonly #sends = new Set<PathNode | undefined>();
  /** Kernels of which handlers are recorded. */
  readonly #handlers = new Set<string>();
  /** Systems of which messages, their arrivals at a translation table, signals of VFIO, and ends of INTIDs are recorded. */
  readonly #messages = new Set<Namespace>();
  readonly #arrivals = new Set<Namespace>();
  readonly #signals = new Set<Namespace>();
  readonly #intids = new Set<Namespace>();
  /** Vectors of virtual CPUs that were seen to end. */
  readonly #ended = new Set<ObjectId>();
  readonly #times: HandlerTimes;

  /** `complete`: the trace shows every cause, message and handler. */
  constructor(trace: Trace, complete: boolean) {
    const { head } = trace;
    const { world } = head;
    this.#times = new HandlerTimes(trace);
    this.#complete = complete;
    for (let object = 0; object < world.objects; object++) {
      const type = world.type(object)!;
      const space = world.spaceOf(object);
      const cells = entryCells.get(type);
      if (cells !== undefined) {
        if (head.get(object, cells.raises) > 0) this.#raises.add(functionOf(head, object));
        if (head.get(object, cells.sends) > 0) {
          this.#sends.add(functionOf(head, object));
          this.#messages.add(space);
        }
      } else if (type === irq) {
        if (head.flag(object, irq.at.ran) === true) this.#handlers.add(kernelIn(world, object));
      } else if (type === vfioVector) {
        if (head.get(object, vfioVector.at.fires) > 0) this.#signals.add(space);
      } else if (type === vcpuVector) {
        if (head.get(object, vcpuVector.at.eois) === 0) continue;
        this.#ended.add(object);
        if (isIntid(world, object)) this.#intids.add(space);
      } else if (arrivals.has(type)) {
        if (head.get(object, arrivals.get(type)!) > 0) this.#arrivals.add(space);
      }
    }
  }

  /**
   * Whether the trace shows when an interrupt ends: handlers, or ends of interrupt at processors. `at`: the object of the last event
   * about it, at `step`; what has come to a virtual CPU, no handler of the host ends.
   */
  ends({ world }: State, row: Joined, at: ObjectId, step: Step): boolean {
    const { irq: host, guestIrq, vector: place, vcpuVector: guest, previous, translation } = row;
    const told = (object: ObjectId): boolean =>
      this.#handled(world, object) && this.#times.tells(world.spaceOf(object), step);
    if (this.#complete || told(guestIrq)) return true;
    if ([place, guest, previous].some((object) => this.#ended.has(object))) return true;
    const ofGic = (object: ObjectId): boolean =>
      (isIntid(world, object) || world.type(object) === itsEvent) && this.#intids.has(world.spaceOf(object));
    if (ofGic(guest) || ofGic(place) || ofGic(translation)) return true;
    return world.type(at) !== vcpuVector && told(host);
  }

  /** Whether the runs of the handlers of the kernel of an irq are recorded. */
  #handled(world: World, object: ObjectId): boolean {
    return object >= 0 && this.#handlers.has(kernelIn(world, object));
  }

  /** The counts of a row in a state. */
  counts(state: State, row: Joined): Counts {
    const entry = row.entry >= 0 ? row.entry : row.guestEntry;
    const counted = (object: ObjectId): boolean =>
      this.#complete || this.#handled(state.world, object) || state.flag(object, irq.at.told) === true;
    const owner = [row.irq, row.guestIrq].find((object) => object >= 0 && counted(object));
    return {
      raises: this.#raised(state, entry),
      sends: this.#sent(state, entry, row.translation),
      handled: owner === undefined ? null : countIn(state, owner, irq.at.handled),
    };
  }

  /**
   * Signs of use beside the counts, as counts: signals of VFIO, messages that arrived at the translation table, changes of the line;
   * undefined where the trace shows none of them.
   */
  used(state: State, { vfio, line, translation }: Joined): number | undefined {
    const signs: number[] = [];
    const { world } = state;
    const cell = arrivals.get(world.type(translation));
    const shown = (systems: ReadonlySet<Namespace>, object: ObjectId): boolean =>
      this.#complete || systems.has(world.spaceOf(object));
    if (vfio >= 0 && shown(this.#signals, vfio)) signs.push(state.get(vfio, vfioVector.at.fires));
    if (cell !== undefined && shown(this.#arrivals, translation)) signs.push(state.get(translation, cell));
    if (line >= 0) signs.push(state.get(line, kvmGsi.at.changes));
    return signs.length === 0 ? undefined : Math.max(...signs);
  }

  #raised(state: State, entry: ObjectId): number | null {
    const cells = entryCells.get(state.world.type(entry));
    if (cells === undefined) return null;
    return this.#complete || this.#raises.has(functionOf(state, entry)) ? state.get(entry, cells.raises) : null;
  }

  /** Messages on the bus; where none of those is recorded, messages that arrived at the translation table. */
  #sent(state: State, entry: ObjectId, translation: ObjectId): number | null {
    const cells = entryCells.get(state.world.type(entry));
    const at = functionOf(state, entry);
    const { world } = state;
    const messages = entry >= 0 && this.#messages.has(world.spaceOf(entry));
    const some = this.#complete || this.#sends.has(at) || (messages && !isAssigned(state, at));
    if (cells !== undefined && some) return state.get(entry, cells.sends);
    const cell = arrivals.get(world.type(translation));
    return cell !== undefined && this.#arrivals.has(world.spaceOf(translation)) ? state.get(translation, cell) : null;
  }
}

/** Whether a function is one of the host that a guest sees: the hardware sends its messages, where no log of the guest sees them. */
function isAssigned(state: State, node: PathNode | undefined): boolean {
  const object = node?.object ?? -1;
  return state.world.type(object) === device && state.num(object, device.at.vfio) >= 0;
}
