import type { ObjectId, Step } from '../../base/ids.ts';
import { durationText } from '../../base/time.ts';
import type { EventKind } from '../../model/event.ts';
import { effectivelyMasked, ownerOf } from '../../model/events/msix.ts';
import type { ObjectType } from '../../model/objects.ts';
import { imsControl } from '../../model/registers/ims.ts';
import { msiControl, msixControl, msixVectorControl, pciCommand } from '../../model/registers/pci.ts';
import { ioApicEntry } from '../../model/registers/x86.ts';
import type { State } from '../../model/state.ts';
import { imsEntry } from '../../model/things/ims.ts';
import { pin } from '../../model/things/irq.ts';
import { device, msi, msixCap, msixEntry } from '../../model/things/pci.ts';
import type { Trace } from '../../trace/trace.ts';
import { timeOf } from '../events.ts';
import { objectsBelow, resolvePath } from '../paths.ts';
import { lastWrite } from '../writes.ts';
import type { Delivery, Stage } from './delivery.ts';
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

/** What masks an entry, in words; undefined when nothing is known to. */
export function maskText(trace: Trace, state: State, entry: ObjectId, until: Step): string | undefined {
  const type = state.world.type(entry);
  if (type === imsEntry) {
    const masked = imsControl.f.mask.flag(state, entry, imsEntry.at.control) === true;
    return masked
      ? `IMS entry ${state.world.node(entry)?.segment} is masked${since(trace, entry, 'control.mask', until)}`
      : undefined;
  }
  if (type === msi) {
    if (msiControl.f.enable.flag(state, entry, msi.at.control) === false)
      return `MSI is disabled${since(trace, entry, 'control.enable', until)}`;
    return effectivelyMasked(state, entry) === true
      ? `all vectors of MSI in use are masked${since(trace, entry, 'mask', until)}`
      : undefined;
  }
  if (type !== msixEntry) return undefined;
  const cap = state.world.node(ownerOf(state, entry))?.children.get('msixcap')?.object ?? -1;
  const { enable, fmask } = msixControl.f;
  const index = `entry ${state.world.node(entry)?.segment}`;
  if (cap >= 0 && enable.flag(state, cap, msixCap.at.control) === false)
    return `MSI-X is disabled${since(trace, cap, 'control.enable', until)}`;
  if (cap >= 0 && fmask.flag(state, cap, msixCap.at.control) === true)
    return `${index} is function-masked${since(trace, cap, 'control.fmask', until)}`;
  if (msixVectorControl.f.mask.flag(state, entry, msixEntry.at.control) === true)
    return `${index} is masked${since(trace, entry, 'control.mask', until)}`;
  return undefined;
}

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

/** Whether objects of a type hold a message and may be masked. */
const isEntry = (type: ObjectType | undefined): boolean => type === msixEntry || type === msi || type === imsEntry;

/** The function that an entry belongs to; -1 while only its table is known. */
function functionOf(state: State, entry: ObjectId): ObjectId {
  let node = state.world.node(entry);
  while (node && state.world.type(node.object) !== device) node = node.parent;
  return node?.object ?? -1;
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
  const mask = maskText(trace, state, entry, until);
  const end = until === trace.length - 1 ? 'no unmask follows' : 'it was not unmasked before';
  if (effectivelyMasked(state, entry) === true && mask !== undefined) {
    const type = state.world.type(entry);
    // The pending bits of MSI are one register for all vectors.
    const pending = type === msi ? undefined : state.flag(entry, type!.at['pending']!);
    const bit = pending === true ? ', pending set' : pending === false ? ', pending not set' : '';
    return { delivered: false, reason: `${mask}${bit}, ${end}` };
  }
  const fn = functionOf(state, entry);
  if (fn >= 0 && pciCommand.f.busMaster.flag(state, fn, device.at.command) === false)
    return {
      delivered: false,
      reason: `Bus Master Enable of the function is 0${since(trace, fn, 'command.busMaster', until)}: it may not send the message`,
    };
  if (effectivelyMasked(state, entry) === undefined)
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

/** Stages that only an interrupt reaches which a processor took. */
const TAKEN: readonly Stage[] = ['inject', 'handler', 'eoi'];

/** How a delivery ended. `recorded`: whether the trace holds events of a kind. */
export function outcomeOf(trace: Trace, delivery: Delivery, recorded: (kind: EventKind) => boolean): Outcome {
  const { ending, into } = delivery;
  if (into) {
    const at = into.hops.find((hop) => hop.stage === 'accept' || hop.stage === 'post')?.step ?? into.hops[0]!.step;
    const { delivered } = outcomeOf(trace, into, recorded);
    return { delivered, reason: `merged with the interrupt that was still requested since ${stepText(trace, at)}` };
  }
  const told = ending === undefined || ending.reason === '' ? null : ending.reason;
  if (ending && ending.delivered !== null) return { delivered: ending.delivered, reason: told };
  // What happened after the processor took it, such as lost events, does not undo that.
  if (TAKEN.some((stage) => delivery.has(stage))) return { delivered: true, reason: told };
  if (told !== null) return { delivered: null, reason: told };
  const until = ending?.step ?? trace.length - 1;
  if (delivery.has('accept')) {
    if (!shows('inject', recorded) && !shows('handler', recorded)) return { delivered: true, reason: null };
    const accepted = delivery.hops.findLast((hop) => hop.stage === 'accept')!;
    const waited = trace.table.time(until) - trace.table.time(accepted.step);
    const how = Number.isNaN(waited) ? '' : ` for ${durationText(waited)}`;
    return {
      delivered: null,
      reason: `requested since ${stepText(trace, accepted.step)}; no record shows that the processor took it${how}`,
    };
  }
  const last = delivery.hops.at(-1)!;
  if (last.stage === 'cause')
    return stuckAtCause(trace, trace.stateAt(until), delivery, until, shows('message', recorded));
  if (shows('accept', recorded) || shows('inject', recorded))
    return { delivered: null, reason: `nothing follows the ${last.stage} stage in this trace` };
  return { delivered: null, reason: `no source records what follows the ${last.stage} stage` };
}
