import { bytesAt, bytesOf, textOf } from '../../base/bytes.ts';
import { itsError } from '../../model/events/its.ts';
import { message } from '../../model/events/notes.ts';
import { Pattern } from '../pattern.ts';
import type { Qemu } from './context.ts';

/** Lines that `-d guest_errors,unimp` mixes in tell of refused accesses; all of them start so. */
const STARTS = [
  'Invalid ',
  'invalid ',
  'do_process_its_cmd: ',
  'process_',
  'its_',
  'smmu',
  'gic',
  'vtd',
  'amdvi',
  'msix',
  'pci',
  'qemu: ',
].map(bytesOf);

const itsCommandError = new Pattern('do_process_its_cmd: invalid command attributes: {what:r}');

/** Turns a line of text between the records into an event when it tells of something refused; false when it does not. */
export function textLine(q: Qemu, start: number, end: number): boolean {
  if (!STARTS.some((s) => bytesAt(q.buf, start, end, s))) return false;
  const text = q.intern(textOf(q.buf, start, Math.min(end, start + 500)));
  if (itsCommandError.match(q.buf, start, end)) {
    q.emit(itsError.put().text(text), q.thread.itsEvent >= 0 ? q.thread.itsEvent : q.object('its/0'));
    return true;
  }
  q.emit(message.put().text(text), q.object('log'));
  return true;
}
