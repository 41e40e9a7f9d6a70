import type { ObjectId } from '../../base/ids.ts';
import type { EventKind, Role } from '../../model/event.ts';
import { illegal } from '../../model/events/outcome.ts';
import { irWarn } from '../../model/events/remap.ts';
import { effectivelyMasked, pendingOf } from '../../model/masking.ts';
import type { State } from '../../model/state.ts';
import { avic } from '../../model/things/avic.ts';
import { piDescriptor } from '../../model/things/ims.ts';
import { intid, irq, irqThread, vector } from '../../model/things/irq.ts';
import { itsEvent, lpiConfig } from '../../model/things/remap.ts';
import { imsicId } from '../../model/things/riscv.ts';
import { kvmGsi, vcpuVector, vfioVector } from '../../model/things/virt.ts';
import type { Joined, Status } from './row.ts';

/** Where an interrupt stands, and whether a cause waits that nothing lets through. */
export interface Standing {
  readonly status: Status;
  readonly waiting: boolean;
}

/** What brings an interrupt nearer to its handler, and what ends it there. */
const MOVES: ReadonlySet<Role> = new Set<Role>(['raise', 'message', 'translate', 'deliver', 'handle', 'eoi']);
const ON_THE_WAY: ReadonlySet<Role> = new Set<Role>(['raise', 'message', 'translate', 'deliver']);

type Flag = boolean | undefined;

/** True when any is true, false when all that are known are false and some is; undefined when none is known. */
function any(...flags: readonly Flag[]): Flag {
  if (flags.includes(true)) return true;
  return flags.includes(false) ? false : undefined;
}

/** Faults that end nothing. */
const ONLY_DOUBT: ReadonlySet<EventKind> = new Set<EventKind>([illegal, irWarn]);

/** Whether events of a kind bring an interrupt nearer to its handler, or end it, there or on the way. */
export const isMove = (kind: EventKind): boolean =>
  MOVES.has(kind.role) || (kind.role === 'fault' && !ONLY_DOUBT.has(kind));

/**
 * Where a row stands in a state. `last`: the kind of the last such event about it; `ends`: the trace shows when interrupts end; `taken`:
 * vectors that a processor may have taken without a record; `lost`: a rule found that it was lost.
 */
export function standingOf(
  state: State,
  row: Joined,
  last: EventKind | undefined,
  ends: boolean,
  taken: ReadonlySet<ObjectId>,
  lost: boolean,
): Standing {
  const masked = isMasked(state, row);
  const pending = isPending(state, row, taken);
  const service = inService(state, row);
  const latched = row.irq >= 0 ? state.flag(row.irq, irq.at.latched) : undefined;
  const waiting = pending === true || latched === true;
  const status = (): Status => {
    if (lost) return 'lost';
    if (service === true) return 'in-service';
    if (pending === true) return 'pending';
    if (masked === true) return 'masked';
    if (isPosted(state, row)) return 'in-flight';
    if (ends && last !== undefined && ON_THE_WAY.has(last.role)) return 'in-flight';
    // Something is known of it, and nothing of that is at work.
    return ends || masked === false || any(pending, service, latched) === false ? 'idle' : 'unknown';
  };
  return { status: status(), waiting };
}

/** Whether a thread of an irq is at work: it was woken, it runs, or it left its processor before it was done. */
function threadWorks(state: State, object: ObjectId): Flag {
  const flags: Flag[] = [];
  const { woken, running, unfinished } = irqThread.at;
  for (const { object: thread } of state.world.node(object)?.children.get('thread')?.children.values() ?? [])
    if (state.present(thread)) for (const cell of [woken, running, unfinished]) flags.push(state.flag(thread, cell));
  return any(...flags) === true ? true : undefined;
}

/** Whether a handler or a thread runs, or the processor has taken the interrupt and not ended it. */
function inService(state: State, row: Joined): Flag {
  const { irq: host, guestIrq, vector: place, vcpuVector: guest, previous } = row;
  const flags: Flag[] = [];
  for (const object of [host, guestIrq])
    if (object >= 0) flags.push(state.num(object, irq.at.running) >= 0 ? true : threadWorks(state, object));
  for (const object of [place, guest, previous]) {
    const type = state.world.type(object);
    if (type === vector) flags.push(any(state.flag(object, vector.at.inService), state.flag(object, vector.at.active)));
    else if (type === intid) flags.push(state.flag(object, intid.at.inService));
    else if (type === vcpuVector) flags.push(state.flag(object, vcpuVector.at.inService));
  }
  return any(...flags);
}

/** Whether a pending bit is set: at the function, or at a processor that has accepted the interrupt. */
function isPending(state: State, row: Joined, taken: ReadonlySet<ObjectId>): Flag {
  const { entry, guestEntry, line, vector: place, vcpuVector: guest, previous } = row;
  const flags: Flag[] = [];
  for (const object of [entry, guestEntry]) {
    flags.push(pendingOf(state, object));
  }
  if (line >= 0) flags.push(state.flag(line, kvmGsi.at.level));
  for (const object of [place, guest, previous]) {
    const type = state.world.type(object);
    if (type === vector) flags.push(state.flag(object, vector.at.requested));
    else if (type === intid) flags.push(state.flag(object, intid.at.requested));
    else if (type === imsicId) flags.push(state.flag(object, imsicId.at.requested));
    else if (type === vcpuVector && !taken.has(object)) flags.push(state.flag(object, vcpuVector.at.requested));
  }
  return any(...flags);
}

/** Whether something on the way of the interrupt is masked: entry, irq, vector of VFIO, LPI. */
function isMasked(state: State, row: Joined): Flag {
  const { entry, guestEntry, irq: host, guestIrq, vfio, translation } = row;
  const flags: Flag[] = [];
  for (const object of [entry, guestEntry]) if (object >= 0) flags.push(effectivelyMasked(state, object));
  // Of an irq that was given back, nothing is masked any more.
  for (const object of [host, guestIrq])
    if (object >= 0 && state.flag(object, irq.at.allocated) !== false)
      flags.push(
        any(
          state.flag(object, irq.at.masked),
          state.flag(object, irq.at.disabled),
          state.flag(object, irq.at.shutdown),
        ),
      );
  if (vfio >= 0) flags.push(state.flag(vfio, vfioVector.at.masked), released(state, row));
  if (state.world.type(translation) === itsEvent) flags.push(disabledLpi(state, translation));
  return any(...flags);
}

/** A vector that QEMU does not use is one that the guest has masked; where the entry is in the trace, its mask tells that itself. */
function released(state: State, { vfio, guestEntry }: Joined): Flag {
  const used = guestEntry >= 0 ? undefined : state.flag(vfio, vfioVector.at.used);
  return used === undefined ? undefined : !used;
}

function disabledLpi(state: State, event: ObjectId): Flag {
  const lpi = state.num(event, itsEvent.at.lpi);
  const object = lpi < 0 ? -1 : state.world.spaceOf(event).objectAt(`gic/0/lpi/${lpi}`);
  const enabled = object < 0 ? undefined : state.flag(object, lpiConfig.at.enabled);
  return enabled === undefined ? undefined : !enabled;
}

/** Whether it was posted and waits in the descriptor, or the APIC backing page, of the virtual CPU. */
function isPosted(state: State, { vcpu, vcpuVector: guest }: Joined): boolean {
  const waits = (name: string, cell: number): boolean => {
    const object = state.world.node(vcpu)?.children.get(name)?.object ?? -1;
    if (object < 0 || guest < 0 || !state.present(object)) return false;
    const v = Number(state.world.node(guest)?.segment);
    return (state.get(object, cell + (v >>> 5)) & (1 << (v & 31))) !== 0;
  };
  return waits('pi', piDescriptor.at.pir) || waits('avic', avic.at.irr);
}
