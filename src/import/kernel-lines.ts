/**
 * Lines of a kernel log that stand between the records of a trace: console output, or excerpts in a mail. Read is what tells of an
 * interrupt that a VT-d unit refused: drivers/iommu/intel/dmar.c dmar_fault_do_one, in the words of versions 2.6 to 7.2.
 */
import { bytesOf, textOf } from '../base/bytes.ts';
import type { StringTable } from '../base/strings.ts';
import { requesterId } from '../model/bdf.ts';
import type { Written } from '../model/event-args.ts';
import { irFault } from '../model/events/remap.ts';

const WORD = bytesOf('INTR-REMAP');
/** Bytes of a line that are looked at. */
const MOST = 400;

/** The device with or without segment and 0x, the index in hexadecimal with or without 0x, the reason decimal or with 0x. */
const FAULT =
  /INTR-REMAP\]?:? Request device \[+(?:(?:0x)?([\da-f]{4}):)?(?:0x)?([\da-f]{2}):(?:0x)?([01][\da-f])\.([0-7])\] fault index (?:0x)?([\da-f]+) \[fault reason (0x[\da-f]+|\d+)\]\s*(.*)$/i;

/** Whether a word stands anywhere in a line. */
function holds(line: Uint8Array, word: Uint8Array): boolean {
  for (let at = line.indexOf(word[0]!); at >= 0; at = line.indexOf(word[0]!, at + 1)) {
    let i = 1;
    while (i < word.length && line[at + i] === word[i]) i++;
    if (i === word.length) return true;
  }
  return false;
}

/** The event of a line that tells of a refused interrupt, or undefined. The line does not say which unit refused it. */
export function kernelFault(buf: Uint8Array, start: number, end: number, strings: StringTable): Written | undefined {
  const stop = Math.min(end, start + MOST);
  if (!holds(buf.subarray(start, stop), WORD)) return undefined;
  const m = FAULT.exec(textOf(buf, start, stop));
  if (!m) return undefined;
  const [, segment, bus, slot, fn, index, reason, text] = m;
  const event = irFault
    .put()
    .reason(Number(reason))
    .sid(requesterId(`0000:${bus!.toLowerCase()}:${slot!.toLowerCase()}.${fn!}`))
    .index(Number.parseInt(index!, 16));
  if (segment !== undefined) event.segment(Number.parseInt(segment, 16));
  if (text !== '') event.text(strings.intern(text!));
  return event;
}
