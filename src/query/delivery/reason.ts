import { hexText } from '../../base/hex.ts';
import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { apicAccept } from '../../model/events/apic.ts';
import { itsCteAccess, itsDteAccess, itsIteAccess } from '../../model/events/its.ts';
import { irteRead } from '../../model/events/remap.ts';
import { kvmMsi } from '../../model/events/virt.ts';
import {
  functionOf,
  isEntry,
  type MaskedBy,
  maskedBy,
  maskPlace,
  mayWrite,
  msiMaskBit,
  pendingOf,
} from '../../model/masking.ts';
import { ioApicEntry } from '../../model/registers/x86.ts';
import { requesterOf } from '../../model/segments.ts';
import type { State } from '../../model/state.ts';
import { imsEntry } from '../../model/things/ims.ts';
import { pin } from '../../model/things/irq.ts';
import { msi } from '../../model/things/pci.ts';
import { itsEvent } from '../../model/things/remap.ts';
import { refusalOf } from '../../model/translation.ts';
import { faultOf } from '../../model/vtd.ts';
import { argumentOf, eventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';
import { timeOf } from '../events.ts';
import { objectsBelow, resolvePath } from '../paths.ts';
import { Spans } from '../span.ts';
import { lastWrite } from '../writes.ts';
import type { Delivery, Hop, Stage } from './delivery.ts';
import { shows } from './inputs.ts';

/** How a delivery ended. */
export interface Outcome {
  /** Whether the processor got it; null where the trace cannot tell. */
  readonly delivered: boolean | null;
  /** Why it ended where it did; null where it took its regular end. */
  readonly reason: string | null;
}

/** `step 812 (38.735325)`. */
export function stepText(trace: Trace, step: Step): string {
  const time = timeOf(trace, step);
  return time === null ? `step ${step}` : `step ${step} (${time})`;
}

/** Since when a key holds what it holds: ` since step 12 (1.000003)`, empty when no event wrote it. */
function since(trace: Trace, object: ObjectId, key: string, until: Step): string {
  const target = resolvePath(trace.world, `${trace.world.path(object)}/${key}`);
  const step = target === undefined ? -1 : lastWrite(trace, target, until);
  return step < 0 ? '' : ` since ${stepText(trace, step)}`;
}

/** What masks an entry, or a vector of MSI, in words; undefined when nothing is known to. */
function maskText(trace: Trace, state: State, entry: ObjectId, vector: number, until: Step): string | undefined {
  const by = maskedBy(state, entry, vector);
  if (by === undefined || by === 'none') return undefined;
  const [object, key] = maskPlace(state, entry, by);
  const from = vector >= 0 && by === 'own' ? vectorMaskedAt(trace, entry, vector, until) : until;
  return `${MASKED[by](state, entry, vector)}${since(trace, object, key, from)}`;
}

/** Writes of the mask bits of MSI that are looked at, at most. */
const MOST_WRITES = 64;

/** The write of the mask bits that set the bit of a vector: later ones, of the bits of other vectors, left it set. */
function vectorMaskedAt(trace: Trace, cap: ObjectId, vector: number, until: Step): Step {
  const target = resolvePath(trace.world, `${trace.world.path(cap)}/mask`);
  let at = until;
  for (let writes = 0; target !== undefined && writes < MOST_WRITES; writes++) {
    const step = lastWrite(trace, target, at);
    if (step <= 0) return at;
    if (msiMaskBit(trace.stateAt(step - 1), cap, vector) !== true) return step;
    at = step - 1;
  }
  return at;
}

const indexOf = (state: State, entry: ObjectId): string => state.world.node(entry)?.segment ?? '?';

/** What each mask is called. */
const MASKED: Readonly<Record<MaskedBy, (state: State, entry: ObjectId, vector: number) => string>> = {
  off: (state, entry) => `${state.world.type(entry) === msi ? 'MSI' : 'MSI-X'} is disabled`,
  function: (state, entry) => `entry ${indexOf(state, entry)} is function-masked`,
  own: (state, entry, vector) => {
    const type = state.world.type(entry);
    if (type !== msi) return `${type === imsEntry ? 'IMS entry' : 'entry'} ${indexOf(state, entry)} is masked`;
    return vector < 0 ? 'all vectors of MSI in use are masked' : `vector ${vector} of MSI is masked`;
  },
};

/** Whether the trace holds messages of a function. */
function sends(trace: Trace, fn: ObjectId): boolean {
  const { head, world } = trace;
  const node = world.node(fn);
  return (
    node !== undefined &&
    objectsBelow(node).some((object) => {
      const cell = isEntry(world.type(object)) ? world.type(object)?.at['sends'] : undefined;
      return cell !== undefined && head.get(object, cell) > 0;
    })
  );
}

/** The vector that a cause of an MSI function names; -1 for none, and for other objects. */
function vectorOf(trace: Trace, { hops }: Delivery): number {
  const { step, object } = hops[0]!;
  if (trace.world.type(object) !== msi) return -1;
  return argumentOf(trace.table.read(step, eventRow(trace.table.kind(step))), 'vector') ?? -1;
}

/** Why a cause has no message. */
function stuckAtCause(trace: Trace, state: State, delivery: Delivery, until: Step, messages: boolean): Outcome {
  const entry = delivery.first;
  const pins = delivery.hops.map((hop) => hop.object).filter((object) => state.world.type(object) === pin);
  if (pins.length > 0 && pins.every((object) => ioApicEntry.f.mask.flag(state, object, pin.at.entry) === true)) {
    const names = pins.map((object) => `pin ${state.world.node(object)?.segment}`).join(' and ');
    return {
      delivered: false,
      reason: `${names} of the I/O APIC masked${since(trace, pins[0]!, 'entry.mask', until)}`,
    };
  }
  if (!isEntry(state.world.type(entry))) return { delivered: null, reason: 'the trace shows no message for it' };
  const vector = vectorOf(trace, delivery);
  const mask = maskText(trace, state, entry, vector, until);
  const end = until === trace.length - 1 ? 'no unmask follows' : 'it was not unmasked before';
  if (mask !== undefined) {
    const pending = pendingOf(state, entry, vector);
    const bit = pending === true ? ', pending set' : pending === false ? ', pending not set' : '';
    return { delivered: false, reason: `${mask}${bit}, ${end}` };
  }
  const fn = functionOf(state, entry);
  if (mayWrite(state, fn) === false)
    return {
      delivered: false,
      reason: `Bus Master Enable of the function is 0${since(trace, fn, 'command.busMaster', until)}: it may not send the message`,
    };
  if (maskedBy(state, entry, vector) === undefined)
    return {
      delivered: null,
      reason: 'nothing follows the cause, and the trace does not tell whether the entry is masked',
    };
  if (!messages || !sends(trace, fn))
    return { delivered: null, reason: 'nothing follows the cause, and the trace records no messages of the function' };
  const last = delivery.hops.at(-1)!.step;
  if (last === trace.length - 1) return { delivered: null, reason: 'the trace ends with the cause' };
  return { delivered: false, reason: 'nothing masks the entry, and no message follows' };
}

/** Why the table entry that a unit read last refuses the message, where no record behind it tells the fate of the message; undefined where it does not. */
function refusedBy(trace: Trace, { hops }: Delivery): string | undefined {
  const { step, object } = hops.at(-1)!;
  const row = trace.table.read(step, eventRow(trace.table.kind(step)));
  const { kind, words, at } = row;
  if (kind === itsIteAccess && !itsIteAccess.read(words, at).valid)
    return 'the ITS dropped the message: its EventID is not mapped';
  if (kind === itsDteAccess) {
    const { valid, size } = itsDteAccess.read(words, at);
    if (!valid) return 'the ITS dropped the message: its DeviceID is not mapped';
    const event = hops.find((hop) => trace.world.type(hop.object) === itsEvent)?.object ?? -1;
    const entries = 2 ** (size + 1);
    return Number(trace.world.node(event)?.segment) >= entries
      ? `the ITS dropped the message: its EventID is out of range, the table of the device has ${entries}`
      : undefined;
  }
  if (kind === itsCteAccess && !itsCteAccess.read(words, at).valid)
    return 'the ITS dropped the message: its collection is not mapped';
  const sent = hops.findLast((hop) => hop.stage === 'message');
  if (sent === undefined || kind !== irteRead) return undefined;
  const state = trace.stateAt(step);
  const reason = refusalOf(state, object, requesterOf(state, sent.object));
  if (reason === undefined) return undefined;
  return `the remapping unit refused the message, fault reason ${hexText(reason)}: ${faultOf(reason).text}`;
}

/** Events among which the next one of a CPU is looked for. */
const NEAR = 1 << 12;

/** Whether the CPU that recorded an event recorded another one behind it: what it did in one go is in the trace then. */
function goesOn(trace: Trace, step: Step): boolean {
  const { table, length } = trace;
  const cpu = table.cpu(step);
  if (cpu < 0) return step < length - 1;
  const source = trace.sourceOf(step);
  for (let next = step + 1; next < length && next <= step + NEAR; next++)
    if (table.cpu(next) === cpu && trace.sourceOf(next) === source) return true;
  return false;
}

/** Stages that only an interrupt reaches which a processor took. */
const TAKEN: readonly Stage[] = ['inject', 'handler', 'eoi'];

/**
 * The hops of the virtual interrupt where the handler of the host passes a delivery on to a guest: that handler ends the interrupt of the host,
 * not that of the guest. All hops otherwise.
 */
function onward({ hops }: Delivery): readonly Hop[] {
  const signal = hops.findIndex(({ stage }) => stage === 'signal');
  const before = hops.slice(0, Math.max(signal, 0));
  if (!before.some(({ stage }) => stage === 'handler')) return hops;
  const host = new Set(before.map(({ object }) => object));
  return hops.slice(signal).filter(({ object }) => !host.has(object));
}

/** How a delivery ended. `recorded`: whether the trace holds events of a kind. */
export function outcomeOf(trace: Trace, delivery: Delivery, recorded: (kind: EventKind) => boolean): Outcome {
  const { ending, into } = delivery;
  if (into) {
    const at = into.hops.find((hop) => hop.stage === 'accept' || hop.stage === 'post')?.step ?? into.hops[0]!.step;
    const { delivered } = outcomeOf(trace, into, recorded);
    return { delivered, reason: `merged with the interrupt that was still requested since ${stepText(trace, at)}` };
  }
  const told = ending === undefined || ending.reason === '' ? null : ending.reason;
  const hops = onward(delivery);
  const passedOn = hops.length < delivery.hops.length;
  if (ending && ending.delivered !== null && !(passedOn && ending.delivered))
    return { delivered: ending.delivered, reason: told };
  // What happened after the processor took it, such as lost events, does not undo that.
  if (hops.some(({ stage }) => TAKEN.includes(stage))) return { delivered: true, reason: told };
  if (told !== null) return { delivered: null, reason: told };
  const until = passedOn ? trace.length - 1 : (ending?.step ?? trace.length - 1);
  const accepted = hops.findLast((hop) => hop.stage === 'accept');
  if (accepted !== undefined) {
    if (!shows('inject', recorded) && !shows('handler', recorded)) return { delivered: true, reason: null };
    const waited = trace.table.time(until) - trace.table.time(accepted.step);
    const how = Number.isNaN(waited) ? '' : ` for ${new Spans(trace).text(waited, accepted.step, until)}`;
    return {
      delivered: null,
      reason: `requested since ${stepText(trace, accepted.step)}; no record shows that the processor took it${how}`,
    };
  }
  const last = hops.at(-1)!;
  if (last.stage === 'cause')
    return stuckAtCause(trace, trace.stateAt(until), delivery, until, shows('message', recorded));
  // The handler of the host signalled an eventfd. Where the trace records nothing of KVM, that is where the way ends.
  if (last.stage === 'signal' && passedOn && !shows('route', recorded)) return { delivered: true, reason: null };
  if (trace.table.kind(last.step) === kvmMsi && recorded(apicAccept) && goesOn(trace, last.step))
    return { delivered: false, reason: 'KVM sent the message, and no local APIC accepted it' };
  const refused = refusedBy(trace, delivery);
  if (refused !== undefined) return { delivered: false, reason: refused };
  if (shows('accept', recorded) || shows('inject', recorded))
    return { delivered: null, reason: `nothing follows the ${last.stage} stage in this trace` };
  return { delivered: null, reason: `no source records what follows the ${last.stage} stage` };
}
