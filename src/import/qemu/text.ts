import { bytesAt, bytesOf, textOf } from '../../base/bytes.ts';
import { message } from '../../model/events/notes.ts';
import { kernelLine } from '../kernel-lines.ts';
import type { Qemu } from './context.ts';
import { refusedLine } from './refused.ts';

/** Lines that `-d guest_errors,unimp` mixes in tell of refused accesses; all of them start so. */
const STARTS = [
  'Invalid ',
  'invalid ',
  'do_process_its_cmd: ',
  'process_',
  'its_',
  'ITS ',
  'lookup_',
  'smmu',
  'gic',
  'vtd',
  'amdvi',
  'msix',
  'pci',
  'qemu: ',
].map(bytesOf);

/** Turns a line of text between the records into an event when it tells of something refused; false when it does not. */
export function textLine(q: Qemu, start: number, end: number): boolean {
  if (kernelLine(q, start, end, false)) return true;
  if (!STARTS.some((s) => bytesAt(q.buf, start, end, s))) return false;
  const text = q.intern(textOf(q.buf, start, Math.min(end, start + 500)));
  if (refusedLine(q, start, end, text)) return true;
  q.emit(message.put().text(text), q.object('log'));
  return true;
}
