// Which CPU of a kernel a destination in a message or a table entry names.
import type { ObjectId } from '../base/ids.ts';
import type { PathNode } from './namespace.ts';
import { processorsOf } from './reference.ts';
import { x2apicId, x2apicLogicalId } from './registers/x86.ts';
import type { State } from './state.ts';
import { cpu } from './things/irq.ts';

/** How a destination counts: an APIC id, or a set of CPUs (SDM vol. 3, "Determining IPI Destination"). */
type Mode = 'physical' | 'logical';

/** How the destinations of a kernel count, and whether that is certain or only what the numbers look like. */
interface Told {
  readonly mode: Mode;
  readonly sure: boolean;
}

/** APIC ids of CPUs that Linux takes are below that (MAX_LOCAL_APIC, arch/x86/include/asm/apicdef.h). */
const MOST_IDS = 0x8000;
/** So many CPUs with one bit each count in logical mode. */
const FEW = 3;
/** The id that all local APICs of 8 bits have in common. */
const XAPIC_BROADCAST = 0xff;

/** The number of the only CPU in a logical destination, within its cluster; -1 for none, or several. Flat mode of xAPIC has one cluster. */
function onlyMember(dest: number): number {
  const members = x2apicLogicalId.f.members.of(dest);
  return members !== 0 && (members & (members - 1)) === 0 ? Math.log2(members) : -1;
}

/** The logical id that a local APIC in x2APIC mode has: its cluster, and a bit in it. */
export function logicalOf(apicId: number): number {
  const { cluster, members } = x2apicLogicalId.f;
  const own = x2apicId.f;
  return (cluster.put(own.cluster.of(apicId)) | members.put(2 ** own.member.of(apicId))) >>> 0;
}

/** The APIC id of the only CPU in a logical destination of x2APIC mode. */
const apicIdOfLogical = (dest: number): number =>
  (x2apicId.f.cluster.put(x2apicLogicalId.f.cluster.of(dest)) | x2apicId.f.member.put(onlyMember(dest))) >>> 0;

/**
 * The destinations of the CPUs of a kernel, as it writes them (vector_config: `apicdest`). That is the APIC id where its driver of the local
 * APIC uses physical mode, else the logical id: in xAPIC flat mode bit n for CPU n (the kernel writes it into LDR), in x2APIC mode what
 * follows from the APIC id. One driver is at work, so that all of them count in one way, which the numbers tell in most cases.
 */
export class Destinations {
  readonly #cpus = new Map<number, number>();
  readonly #dests = new Map<number, number>();
  readonly #told: Told | undefined;

  /** `node`: above the CPUs of the kernel. */
  constructor(state: State, node: PathNode | undefined) {
    for (const { object, segment } of node?.children.values() ?? []) {
      const dest = object < 0 || !state.present(object) ? -1 : state.num(object, cpu.at.apicDest);
      if (dest < 0) continue;
      // Two with the same one: one of them is out of date.
      this.#cpus.set(dest, this.#cpus.has(dest) ? -1 : Number(segment));
      this.#dests.set(Number(segment), dest);
    }
    this.#told = this.#tell();
  }

  /** How the destinations count; undefined where they may be either. */
  #tell(): Told | undefined {
    const pairs = [...this.#dests];
    // What is no set of one CPU is an APIC id; what is too large for one is a cluster and a bit.
    const ids = pairs.some(([, dest]) => onlyMember(dest) < 0);
    const sets = pairs.some(([, dest]) => dest >= MOST_IDS);
    if (ids !== sets) return { mode: ids ? 'physical' : 'logical', sure: true };
    if (ids) return undefined;
    if (pairs.every(([n, dest]) => dest === n)) return { mode: 'physical', sure: false };
    // Numbers of APIC ids that are all powers of two are rare.
    const logical = pairs.length >= FEW || pairs.every(([n, dest]) => dest === logicalOf(n));
    return logical ? { mode: 'logical', sure: false } : undefined;
  }

  /**
   * The number of the only CPU that a destination names; -1: none, several, or not known. `logical`: destination mode of the message or
   * entry. `x2apic`: the local APICs are in x2APIC mode; undefined while not known.
   */
  cpuOf(dest: number, logical: boolean, x2apic: boolean | undefined): number {
    if (logical ? onlyMember(dest) < 0 : dest === XAPIC_BROADCAST && x2apic !== true) return -1;
    const mode: Mode = logical ? 'logical' : 'physical';
    // What one kernel writes counts in one way: where its numbers may be either, the entry tells.
    const told = this.#told ?? { mode, sure: true };
    if (told.mode === mode) return this.#cpus.get(dest) ?? -1;
    // A table that firmware or an earlier driver wrote. Only in x2APIC mode one number follows from the other.
    if (!told.sure || !(x2apic === true || dest > XAPIC_BROADCAST)) return -1;
    return this.#cpus.get(logical ? apicIdOfLogical(dest) : logicalOf(dest)) ?? -1;
  }

  /** The APIC id of a CPU; -1 not known. */
  apicIdOf(n: number): number {
    const dest = this.#dests.get(n) ?? -1;
    if (dest < 0 || this.#told?.mode === 'physical') return dest;
    return this.#told?.mode === 'logical' && this.#told.sure ? apicIdOfLogical(dest) : -1;
  }
}

/** The destinations of the CPUs of the kernel that an object belongs to. CPUs of a guest's kernel are not listed beside those of the host. */
export const destinationsOf = (state: State, object: ObjectId): Destinations =>
  new Destinations(
    state,
    processorsOf(state.world, object) === 'vcpu' ? undefined : state.world.spaceOf(object).find('cpu'),
  );

/** The APIC id that a destination names by itself; -1: several, or it does not tell. */
export function apicIdIn(dest: number, logical: boolean, x2apic: boolean | undefined): number {
  if (!logical) return dest === XAPIC_BROADCAST && x2apic !== true ? -1 : dest;
  return onlyMember(dest) >= 0 && (x2apic === true || dest > XAPIC_BROADCAST) ? apicIdOfLogical(dest) : -1;
}
