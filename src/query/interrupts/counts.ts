import type { ObjectId } from '../../base/ids.ts';
import type { State } from '../../model/state.ts';
import { imsEntry } from '../../model/things/ims.ts';
import { irq } from '../../model/things/irq.ts';
import { device, msi, msixEntry } from '../../model/things/pci.ts';
import { amdIrte, irte, itsEvent } from '../../model/things/remap.ts';
import { kvmGsi, vcpuVector, vfioVector } from '../../model/things/virt.ts';
import type { PathNode } from '../../model/world.ts';
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

/**
 * What a trace records at all: a cause, a message, the run of a handler. Whatever it records somewhere counts 0 where there was
 * none; what it never records is not known. A device model tells its causes or does not, so that is a matter of each function.
 */
export class Recorded {
  readonly #complete: boolean;
  /** Functions of which causes with their vectors are recorded, and those of which messages are. */
  readonly #raises = new Set<PathNode | undefined>();
  readonly #sends = new Set<PathNode | undefined>();
  #arrivals = false;
  #handlers = false;
  #ends = false;
  #messages = false;
  #signals = false;

  /** `head`: the state after the last event; `complete`: the trace shows every cause, message and handler. */
  constructor(head: State, complete: boolean) {
    const { world } = head;
    this.#complete = complete;
    for (let object = 0; object < world.objects; object++) {
      const type = world.type(object)!;
      const cells = entryCells.get(type);
      if (cells !== undefined) {
        if (head.get(object, cells.raises) > 0) this.#raises.add(functionOf(head, object));
        if (head.get(object, cells.sends) > 0) {
          this.#sends.add(functionOf(head, object));
          this.#messages = true;
        }
      } else if (type === irq) this.#handlers ||= head.get(object, irq.at.handled) > 0;
      else if (type === vfioVector) this.#signals ||= head.get(object, vfioVector.at.fires) > 0;
      else if (type === vcpuVector) this.#ends ||= head.get(object, vcpuVector.at.eois) > 0;
      else if (arrivals.has(type)) this.#arrivals ||= head.get(object, arrivals.get(type)!) > 0;
    }
  }

  /** Whether the trace shows when an interrupt ends: handlers, or ends of interrupt at processors. */
  ends({ irq: host, guestIrq, vcpu, translation }: Joined): boolean {
    if (this.#complete) return true;
    return (this.#handlers && (host >= 0 || guestIrq >= 0)) || (this.#ends && (vcpu >= 0 || translation >= 0));
  }

  /** The counts of a row in a state. */
  counts(state: State, row: Joined): Counts {
    const entry = row.entry >= 0 ? row.entry : row.guestEntry;
    const owner = row.irq >= 0 ? row.irq : row.guestIrq;
    return {
      raises: this.#raised(state, entry),
      sends: this.#sent(state, entry, row.translation),
      handled: owner >= 0 && (this.#complete || this.#handlers) ? state.get(owner, irq.at.handled) : null,
    };
  }

  /**
   * Signs of use beside the counts, as counts: signals of VFIO, messages that arrived at the translation table, changes of the line;
   * undefined where the trace shows none of them.
   */
  used(state: State, { vfio, line, translation }: Joined): number | undefined {
    const signs: number[] = [];
    const cell = arrivals.get(state.world.type(translation));
    if (vfio >= 0 && (this.#complete || this.#signals)) signs.push(state.get(vfio, vfioVector.at.fires));
    if (cell !== undefined && (this.#complete || this.#arrivals)) signs.push(state.get(translation, cell));
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
    const some = this.#complete || this.#sends.has(at) || (this.#messages && !isAssigned(state, at));
    if (cells !== undefined && some) return state.get(entry, cells.sends);
    const cell = arrivals.get(state.world.type(translation));
    return cell !== undefined && this.#arrivals ? state.get(translation, cell) : null;
  }
}

/** Whether a function is one of the host that a guest sees: the hardware sends its messages, where no log of the guest sees them. */
function isAssigned(state: State, node: PathNode | undefined): boolean {
  const object = node?.object ?? -1;
  return state.world.type(object) === device && state.num(object, device.at.vfio) >= 0;
}
