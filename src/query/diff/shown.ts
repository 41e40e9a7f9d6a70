import { imsStore } from '../../model/events/ims.ts';
import { irqEntry } from '../../model/events/irq.ts';
import { msgSend, tblWrite } from '../../model/events/msix.ts';
import type { Namespace } from '../../model/namespace.ts';
import { imsControl } from '../../model/registers/ims.ts';
import { ENTRY_BYTES, msixVectorControl } from '../../model/registers/pci.ts';
import type { World } from '../../model/world.ts';
import { argumentOf, type EventRow } from '../../trace/row.ts';

/** What is counted of an interrupt, in the order in which it is shown. */
export const COUNTS = ['raises', 'sends', 'handled', 'moves', 'masks'] as const;
export type CountName = (typeof COUNTS)[number];

/** Offset of the control dword in an MSI-X or IMS entry. */
const CONTROL_AT = 12;

/** Whether an event masks (true) or unmasks (false); undefined when it does neither. */
export function maskedBy(row: EventRow): boolean | undefined {
  const { kind, words, at } = row;
  if (kind.role === 'mask') {
    const used = argumentOf(row, 'used');
    if (used !== undefined) return used === 0;
    const flag = argumentOf(row, 'masked') ?? argumentOf(row, 'disabled');
    return flag === undefined ? undefined : flag !== 0;
  }
  if (kind !== tblWrite && kind !== imsStore) return undefined;
  const { offset, size, value } = kind === tblWrite ? tblWrite.read(words, at) : imsStore.read(words, at);
  const own = offset % ENTRY_BYTES;
  // The mask is bit 0 of the control dword: in the low word of a write at that dword, in the high word of one before it.
  if (own !== CONTROL_AT && !(own === CONTROL_AT - 4 && size === 8)) return undefined;
  const field = kind === tblWrite ? msixVectorControl.f.mask : imsControl.f.mask;
  return field.of(value(own === CONTROL_AT ? 0 : 1)) !== 0;
}

/** What an event shows: with events of this sort in a trace, the trace can tell the count, also where it is 0. */
function shownBy(row: EventRow): CountName | undefined {
  const { kind } = row;
  if (kind === irqEntry) return 'handled';
  if (kind === msgSend) return 'sends';
  if (kind.role === 'raise') return 'raises';
  if (kind.role === 'move') return 'moves';
  return maskedBy(row) === undefined ? undefined : 'masks';
}

/** Which counts the records of each system of a trace can show: those of which they hold any event. */
export class ShownCounts {
  readonly #world: World;
  readonly #systems = new Map<Namespace, Set<CountName>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Takes an event of the trace. */
  event(row: EventRow): void {
    const name = shownBy(row);
    if (name === undefined) return;
    const system = this.#world.spaceOf(row.object);
    const known = this.#systems.get(system);
    if (known) known.add(name);
    else this.#systems.set(system, new Set([name]));
  }

  /** Whether the records of any of these systems can show a count. */
  has(name: CountName, systems: Iterable<Namespace>): boolean {
    for (const system of systems) if (this.#systems.get(system)?.has(name)) return true;
    return false;
  }
}
