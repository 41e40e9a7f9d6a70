/** The names of events that readers of traces know. */
import { events as ftrace } from './ftrace/events.ts';
import { events as qemu } from './qemu/events.ts';

/** Whether bytes `start` to `end` (exclusive) are the name of a known event. */
export const isEventName = (buf: Uint8Array, start: number, end: number): boolean =>
  qemu.find(buf, start, end) >= 0 || ftrace.find(buf, start, end) >= 0;
