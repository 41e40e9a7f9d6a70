import type { Step } from '../../base/ids.ts';
import { imsStore } from '../../model/events/ims.ts';
import { irqEntry } from '../../model/events/irq.ts';
import { msgSend, tblWrite } from '../../model/events/msix.ts';
import { imsControl } from '../../model/registers/ims.ts';
import { ENTRY_BYTES, msixVectorControl } from '../../model/registers/pci.ts';
import type { EventRow } from '../../trace/row.ts';
import { argumentOf, eventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';
import { isMove } from './phases.ts';

/** What is counted of an interrupt, in the order in which it is shown. */
export const COUNTS = ['raises', 'sends', 'handled', 'moves', 'masks'] as const;
export type CountName = (typeof COUNTS)[number];

/** Times of deliveries, in units of the trace (nanoseconds, or ticks); each the time from a cause to its handler. */
export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What happened to one interrupt in one trace. */
export interface Tally {
  /** How often its cause arose; its message was sent; a handler began; it got another target; it was masked. */
  readonly counts: Readonly<Record<CountName, number>>;
  /** Null where the trace does not tell both ends of any delivery. */
  readonly latency: Latency | null;
}

/** Offset of the control dword in an MSI-X or IMS entry. */
const CONTROL_AT = 12;

/** Counts what happened to an interrupt, from its events. */
export function tallyOf(trace: Trace, steps: Int32Array): Tally {
  const row = eventRow(irqEntry);
  const counts: Record<CountName, number> = { raises: 0, sends: 0, handled: 0, moves: 0, masks: 0 };
  const masked = new Map<number, boolean>();
  for (const step of steps) {
    const { kind, object } = trace.table.read(step, row);
    if (kind.role === 'raise') counts.raises++;
    if (kind === msgSend) counts.sends++;
    if (kind === irqEntry) counts.handled++;
    if (isMove(trace, step)) counts.moves++;
    const now = maskedBy(row);
    if (now === undefined) continue;
    if (now && masked.get(object) !== true) counts.masks++;
    masked.set(object, now);
  }
  return { counts, latency: latencyOf(trace, steps) };
}

/** Whether an event masks (true) or unmasks (false); undefined when it does neither. */
function maskedBy(row: EventRow): boolean | undefined {
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

/** Roles that a delivery can begin with and end with, the best first: the trace need not tell all of them. */
const BEGINNINGS = ['raise', 'message'] as const;
const ENDS = ['handle', 'deliver'] as const;

function latencyOf(trace: Trace, steps: Int32Array): Latency | null {
  const { table } = trace;
  const has = (role: string): boolean => steps.some((step: Step) => table.kind(step).role === role);
  const begins = BEGINNINGS.find(has);
  const ends = ENDS.find(has);
  if (begins === undefined || ends === undefined) return null;
  const times: number[] = [];
  // A cause that meets a waiting one is served with it: the first one counts.
  let since = Number.NaN;
  for (const step of steps) {
    const { role, name } = table.kind(step);
    if (role === begins && Number.isNaN(since)) since = table.time(step);
    else if (role === ends && name !== 'irq.exit' && !Number.isNaN(since)) {
      const time = table.time(step) - since;
      if (time >= 0) times.push(time);
      since = Number.NaN;
    }
  }
  if (times.length === 0) return null;
  times.sort((x, y) => x - y);
  const at = (part: number): number => times[Math.min(times.length - 1, Math.ceil(part * times.length) - 1)]!;
  return { count: times.length, p50: at(0.5), p99: at(0.99), max: times.at(-1)! };
}
