import type { ObjectId } from '../base/ids.ts';
import { dropped } from '../model/events/outcome.ts';
import type { Machine } from './machine.ts';

/** Why a write to address 0 reaches nobody, on every architecture. */
export const NEVER_PROGRAMMED = 'written to address 0: the message was never programmed or is torn down';

/** A cause (0: none is known) ends undelivered at an object. */
export function drop(machine: Machine, object: ObjectId, reason: string, cause: number): void {
  machine.emit(dropped, object, cause === 0 ? { reason } : { reason, cause });
  machine.ledger.note(cause, 'dropped', machine.now);
}

/** The handler at work on a processor (its key in the books of causes) serves nobody: what the processor took ends there. */
export function dropTaken(machine: Machine, processor: number, object: ObjectId, reason: string): void {
  drop(machine, object, reason, machine.ledger.takeBack(processor));
}
