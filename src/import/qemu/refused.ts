/**
 * Lines of text that `-d guest_errors` mixes into the log and that tell why a message ended: an access that no region answers
 * (system/memory.c memory_region_access_valid), one that the SMMU refused (hw/arm/smmuv3.c), a translation or command that the
 * ITS refused (hw/intc/arm_gicv3_its.c). They have no stamp and no thread: they belong to the record just before.
 */
import { hex64, hexText } from '../../base/hex.ts';
import { itsError } from '../../model/events/its.ts';
import { dropped } from '../../model/events/outcome.ts';
import { effectivelyMasked, ownerOf } from '../../model/masking.ts';
import { pciCommand, pciRequester } from '../../model/registers/pci.ts';
import { device, msi, msixEntry } from '../../model/things/pci.ts';
import { requesterObject } from '../objects.ts';
import { captures, Pattern } from '../pattern.ts';
import type { Qemu } from './context.ts';
import { refuse, tellRefused } from './smmu.ts';

/** What refuses, by function or command, and what it found. */
const ITS_REFUSAL = /^(?:(?:do_)?process_\w+|lookup_\w+|update_\w+|ITS MAP[A-Z]+): (.*)$/;

/** What the ITS found, for the texts of the emulator's versions; other texts speak for themselves. */
const REASONS: readonly (readonly [RegExp, (m: RegExpExecArray) => string])[] = [
  [/eventid (\d+) >= (\d+)/, (m) => `EventID ${m[1]!} is out of range: the table of the device has ${m[2]!}`],
  [/devid (\d+) ?>= ?(\d+)/, (m) => `DeviceID ${hexText(Number(m[1]))} is out of range: the device table has ${m[2]!}`],
  [/invalid dte/i, () => 'DeviceID is not mapped (no MAPD)'],
  [/invalid ite/i, () => 'EventID is not mapped (no MAPTI)'],
  [/invalid cte/i, () => 'its collection is not mapped (no MAPC)'],
  [/invalid ICID (0x[\da-f]+)/i, (m) => `collection ${m[1]!} is out of range`],
];

const smmuFailed = new Pattern('{mr:w} translation failed for iova={iova:x}{event:r}');
const unanswered = new Pattern("Invalid write at addr {addr:x}, size {size:u}, region '(null)', reason: rejected");

/** The ITS refuses what the thread asked of it last: a translation or a command. */
function itsRefused(q: Qemu, text: number): boolean {
  const what = ITS_REFUSAL.exec(q.out.world.strings.text(text))?.[1];
  if (what === undefined) return false;
  let reason = what;
  for (const [form, say] of REASONS) {
    const m = form.exec(what);
    if (m === null) continue;
    reason = say(m);
    break;
  }
  const { itsEvent, itsDevice } = q.thread;
  const object = itsEvent >= 0 ? itsEvent : q.object(itsDevice >= 0 ? `its/0/device/${hexText(itsDevice)}` : 'its/0');
  q.emit(itsError.put().text(text).reason(q.intern(reason)), object);
  return true;
}

/** The SMMU refused an access: the record or the failed access that follows is about it. */
function smmuRefused(q: Qemu, start: number, end: number): void {
  if (!smmuFailed.match(q.buf, start, end)) return;
  const { slot } = smmuFailed;
  const region = q.str(slot.mr);
  const lo = captures.lo[slot.iova]!;
  const hi = captures.hi[slot.iova]!;
  // Versions before 7.1 print no blank before the bracket.
  const why = q
    .text(slot.event)
    .trim()
    .replace(/^\((.*)\)$/, '$1');
  refuse(q, lo, hi, q.streams.get(region) ?? -1, why, false);
}

/** Nobody answers a write: when it is a message, that ends here. */
function unansweredWrite(q: Qemu, start: number, end: number): boolean {
  if (!unanswered.match(q.buf, start, end)) return false;
  const lo = captures.lo[unanswered.slot.addr]!;
  const hi = captures.hi[unanswered.slot.addr]!;
  const { thread, refused } = q;
  const { world } = q.out;
  const bySmmu = refused.lo === lo && refused.hi === hi;
  if (bySmmu) tellRefused(q);
  const sid = bySmmu && refused.stream >= 0 ? Number(world.node(refused.stream)?.segment) : -1;
  const sender = sid >= 0 ? requesterObject(world, sid % 2 ** pciRequester.width) : -1;
  const from = holds(q, thread.raised, lo, hi) ? thread.raised : q.pci.holders.at(lo, sender);
  const why = bySmmu ? refused.why : '';
  refused.lo = -1;
  if (from < 0) return false;
  thread.raised = -1;
  q.emit(dropped.put().reason(q.intern(reasonOf(q, from, hex64(hi, lo), why))), from);
  return true;
}

/** Whether a cause was reported for an entry (or MSI capability) that holds a message for an address. */
function holds(q: Qemu, object: number, lo: number, hi: number): boolean {
  const { world, state } = q.out;
  const type = world.type(object);
  if (type !== msixEntry && type !== msi) return false;
  if (type === msixEntry && effectivelyMasked(state, object) === true) return false;
  const at = type === msixEntry ? msixEntry.at.address : msi.at.address;
  return state.num(object, at) === lo && state.num(object, at + 1) === hi;
}

/** Why a message reached nobody, by what the log showed. */
function reasonOf(q: Qemu, from: number, address: string, why: string): string {
  const { world, state } = q.out;
  if (why !== '') return `${why} for the doorbell address ${address}`;
  const type = world.type(from);
  const owner =
    type === msixEntry ? ownerOf(state, from) : type === msi ? (world.node(from)?.parent?.object ?? -1) : from;
  const master =
    world.type(owner) === device ? pciCommand.f.busMaster.flag(state, owner, device.at.command) : undefined;
  return master === false
    ? `Bus Master Enable is 0: the write to ${address} never left the function`
    : `nobody answers the write to ${address}`;
}

/** Takes a line of text that tells why something ended; false when it is told as it stands, as a message. */
export function refusedLine(q: Qemu, start: number, end: number, text: number): boolean {
  smmuRefused(q, start, end);
  return itsRefused(q, text) || unansweredWrite(q, start, end);
}
