/**
 * Lines of a kernel log that tell of an interrupt: in the trace itself (printk:console), or between its records, as console output or as
 * excerpts in a mail. Refused interrupts of VT-d units, AMD units and SMMUs become events of their own; of other lines the text is kept, and
 * rules say what it means. Forms: drivers/iommu/intel/dmar.c of 2.6 to 7.2, Xen, drivers/iommu/amd/init.c and iommu.c,
 * drivers/iommu/arm/arm-smmu-v3 since 7.2, kernel/irq, arch/x86/kernel/apic, arch/x86/kernel/irq.c, drivers/irqchip, drivers of devices.
 */
import { BRACKET_OPEN, COLON, LESS, textOf } from '../base/bytes.ts';
import { hexText } from '../base/hex.ts';
import { requesterId } from '../model/bdf.ts';
import { message } from '../model/events/notes.ts';
import { irFault } from '../model/events/remap.ts';
import { smmuFault } from '../model/events/smmu.ts';
import type { RuleContext } from './rules.ts';

/** Bytes of a line that are looked at. */
const MOST = 400;

const BDF = String.raw`(?:(?:0x)?([\da-f]{4}):)?(?:0x)?([\da-f]{2}):(?:0x)?([01][\da-f])\.([0-7])`;
const form = (text: string): RegExp => new RegExp(text.replaceAll('BDF', BDF), 'i');

/** The device with or without segment and 0x, the index in hexadecimal with or without 0x, the reason decimal or with 0x. */
const FAULT = form(
  String.raw`INTR-REMAP\]?:? Request device \[+BDF\] fault index (?:0x)?([\da-f]+) \[fault reason (0x[\da-f]+|\d+)\]\s*(.*)$`,
);
/** Linux before 4.0 and Xen print the reason in a line of its own; that of Xen is hexadecimal without 0x. */
const REQUEST = form(String.raw`INTR-REMAP: ?Request device \[+BDF\] fault index (?:0x)?([\da-f]+)\s*$`);
const REASON = /INTR-REMAP: ?(?:\[fault reason (\d+)\]|reason ([\da-f]+) -)\s*(.*)$/i;

const AMD = form(String.raw`AMD-Vi: Event logged \[(\w+) (?:device=)?BDF .*\bflags=0x([\da-f]+)\]`);
/** Flags of an event (AMD IOMMU 2.5): it was an interrupt; its entry is remapped; reserved bits were set. */
const EVENT = { interrupt: 0x8, present: 0x10, reserved: 0x80 };

const SMMU = /\bevent: ([CF]_\w+) client: \S+ sid: 0x([\da-f]{1,8})\b(?:.*? iova: 0x([\da-f]{1,16})\b)?/i;

/** Lines of which the text is kept, by what stands in them. */
const TOLD: readonly RegExp[] = [
  // DMAR: [DMA Write] …, VT-d detected Invalidation Time-out Error; AMD-Vi: Event logged …
  /\bINTR-REMAP\b|\bDMAR: (?:\[DMA|DRHD: handling fault|VT-d detected|QI |Invalidation)|\bAMD-Vi: Event logged|\bIRTE\b/,
  /\bNo irq handler for\b|\bnobody cared\b|\bDisabling IRQ #|\bSpurious (?:APIC )?interrupt\b/,
  /\bAffinity broken\b|\bset affinity failed\b|\bIRQ fixup\b|\bCannot disable CPU\b|\bno vector available\b/,
  /\bMoved interrupt pending\b|\bschedule cleanup for offline CPU\b|\bInterrupt reservation exceeds\b/,
  /\bITS queue (?:timeout|not draining)\b|\bITS cmd .* failed\b|\bTable too large, reduce ids\b/,
  /\barm-smmu-v3\b.*\bevent\b|\bNo interrupt remapping support\b|\birq bypass (?:producer|consumer)\b/,
  /\btimeout, completion polled\b|\blost interrupt\b|\bTimeout waiting for hardware interrupt\b|\bRecovered \d+ EQEs\b/,
  /\bPI descriptor SN field set\b/,
];

/** A line of the kernel log as its console, dmesg or a logger prints it: a stamp in brackets, or the name of the logger. Prose has neither. */
const STAMPED = /^(?:<\d+>)?\[ *\d+\.\d{6}\]|^\[\w{3} \w{3} +\d+ [\d:]{8} \d{4}\] |\bkernel: /;

/** The function that sent a message; its PCI segment, where the line tells it. */
interface Requester {
  readonly segment: number | undefined;
  readonly sid: number;
}

/** A VT-d unit refused an interrupt; the reason follows in the next line. */
interface Request extends Requester {
  readonly index: number;
}

const open = new WeakMap<RuleContext, Request>();

/** By what `BDF` captured. */
const requester = (segment: string | undefined, bus: string, slot: string, fn: string): Requester => ({
  segment: segment === undefined ? undefined : Number.parseInt(segment, 16),
  sid: requesterId(`0000:${bus.toLowerCase()}:${slot.toLowerCase()}.${fn}`),
});

/** Emits the fault of a VT-d unit. The line does not say which unit it was. */
function vtdFault(c: RuleContext, reason: number, { segment, sid, index }: Partial<Request>, text: string): void {
  const event = irFault.put().reason(reason);
  if (sid !== undefined) event.sid(sid);
  if (index !== undefined) event.index(index);
  if (segment !== undefined) event.segment(segment);
  if (text !== '') event.text(c.intern(text));
  c.emit(event, c.object('log'));
}

/** What the flags of an event of an AMD unit say of an interrupt, in the words of the specification. */
function amdReason(event: string, flags: number): string {
  if (event !== 'IO_PAGE_FAULT') return `${event}: invalid interrupt request`;
  if ((flags & EVENT.reserved) !== 0) return `${event}: reserved bits are set`;
  return (flags & EVENT.present) === 0 ? `${event}: the entry is not present (RemapEn 0)` : `${event}: invalid entry`;
}

/**
 * Takes a line that may be one of a kernel log; false when it tells of no interrupt. `stands`: it is one for certain (printk:console); else only
 * what no prose says is taken, and other lines only with the stamp of a log.
 */
export function kernelLine(c: RuleContext, start: number, end: number, stands: boolean): boolean {
  // Most other lines have neither.
  const stamp = c.buf[start] === BRACKET_OPEN || c.buf[start] === LESS;
  if (!stands && !stamp && c.buf.subarray(start, Math.min(end, start + MOST)).indexOf(COLON) < 0) return false;
  const text = textOf(c.buf, start, Math.min(end, start + MOST));
  if (faultLine(c, text)) return true;
  if (!(stands || STAMPED.test(text)) || !TOLD.some((pattern) => pattern.test(text))) return false;
  // The first of two lines: the second one makes the event.
  if (REQUEST.test(text)) return true;
  c.emit(message.put().text(c.intern(text)), c.object('log'));
  return true;
}

/** A line that tells of an access that was refused. */
function faultLine(c: RuleContext, text: string): boolean {
  if (text.includes('INTR-REMAP')) {
    const m = FAULT.exec(text);
    if (m) {
      const [, segment, bus, slot, fn, index, reason, said] = m;
      const from = requester(segment, bus!, slot!, fn!);
      vtdFault(c, Number(reason), { ...from, index: Number.parseInt(index!, 16) }, said!);
      return true;
    }
    const request = REQUEST.exec(text);
    if (request) {
      const [, segment, bus, slot, fn, index] = request;
      open.set(c, { ...requester(segment, bus!, slot!, fn!), index: Number.parseInt(index!, 16) });
      return true;
    }
    const reason = REASON.exec(text);
    if (!reason) return false;
    const number = reason[1] === undefined ? Number.parseInt(reason[2]!, 16) : Number(reason[1]);
    vtdFault(c, number, open.get(c) ?? {}, reason[3]!);
    open.delete(c);
    return true;
  }
  const amd = text.includes('AMD-Vi: Event logged') ? AMD.exec(text) : null;
  if (amd) {
    const [, event, segment, bus, slot, fn, flags] = amd;
    const bits = Number.parseInt(flags!, 16);
    if ((bits & EVENT.interrupt) === 0) return false;
    const from = requester(segment, bus!, slot!, fn!);
    const said = c.intern(amdReason(event!, bits));
    const fault = irFault.put().sid(from.sid).text(said);
    if (from.segment !== undefined) fault.segment(from.segment);
    c.emit(fault, c.object('log'));
    return true;
  }
  const smmu = text.includes(' client: ') ? SMMU.exec(text) : null;
  if (!smmu) return false;
  const [, event, sid, iova] = smmu;
  const fault = smmuFault.put().event(c.intern(event!));
  if (iova !== undefined)
    fault.iova(Number.parseInt(iova.slice(-8), 16), Number.parseInt(iova.slice(0, -8) || '0', 16));
  c.emit(fault, c.object(`smmu/0/stream/${hexText(Number.parseInt(sid!, 16))}`));
  return true;
}
