// Messages that a VT-d unit refuses without a record that says so: QEMU before 8.1 prints the entry that it reads, and nothing behind.
import { hex64, hexText } from '../../base/hex.ts';
import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { msgSend } from '../../model/events/msix.ts';
import { irFault, irMessage, irRemap, irRequest, irteRead } from '../../model/events/remap.ts';
import { requesterOf } from '../../model/segments.ts';
import type { State } from '../../model/state.ts';
import { refusalOf } from '../../model/translation.ts';
import type { Happened, RuleObserver } from '../rule.ts';

/** A message that met an entry which refuses it. */
export interface Refusal {
  /** The write of the message on the bus, the request at the unit, and the read of the entry. */
  readonly message: Step;
  readonly request: Step;
  readonly read: Step;
  readonly entry: ObjectId;
  /** The message as the unit got it. */
  readonly text: string;
  /** Fault reason by the content of the entry. */
  readonly reason: number;
  /** Requester ID, or undefined. */
  readonly requester: number | undefined;
  /** Time of the read, ns. */
  readonly time: number;
}

/** Kinds that it looks at. */
export const refusedKinds: readonly EventKind[] = [msgSend, irRequest, irteRead, irRemap, irMessage, irFault];

/** How far a thread is with its last message. */
interface Turn {
  message: Step;
  sender: ObjectId;
  request: Step;
  entry: ObjectId;
  text: string;
  refusal: Refusal | undefined;
}

/**
 * Follows the threads that translate messages. Only what stands behind the write of a message counts: the emulator also reads entries
 * for the routes of KVM, where nothing was sent.
 */
export class RefusedMessages {
  readonly #turns = new Map<number, Turn>();
  readonly #tell: (refusal: Refusal) => void;

  constructor(tell: (refusal: Refusal) => void) {
    this.#tell = tell;
  }

  event(...[step, happened, state]: Parameters<RuleObserver['event']>): void {
    const { kind, object, task, time } = happened;
    const turn = this.#turns.get(task);
    if (kind === msgSend || kind === irRequest) this.#next(turn);
    if (kind === msgSend)
      this.#turns.set(task, { message: step, sender: object, request: -1, entry: -1, text: '', refusal: undefined });
    else if (turn === undefined) return;
    else if (kind === irRequest) {
      if (turn.request >= 0) this.#turns.delete(task);
      else {
        turn.request = step;
        turn.entry = object;
        turn.text = requestText(happened);
      }
    } else if (kind === irteRead && turn.entry === object && turn.request >= 0) {
      turn.refusal = this.#judge(step, turn, time, state);
    } else if (kind !== irteRead) this.#turns.delete(task);
  }

  /** The trace lost events. */
  lost(): void {
    this.#turns.clear();
  }

  /** The trace is over. What would follow the last read may be missing, so only an entry that is not present counts. */
  end(): void {
    for (const turn of this.#turns.values()) if (turn.refusal?.reason === NOT_PRESENT) this.#next(turn);
    this.#turns.clear();
  }

  #next(turn: Turn | undefined): void {
    if (turn?.refusal === undefined) return;
    const { refusal } = turn;
    turn.refusal = undefined;
    this.#tell(refusal);
  }

  #judge(read: Step, turn: Turn, time: number, state: State): Refusal | undefined {
    const { message: sent, sender, request, entry, text } = turn;
    const sid = requesterOf(state, sender);
    const reason = refusalOf(state, entry, sid);
    if (reason === undefined) return undefined;
    return { message: sent, request, read, entry, text, reason, requester: sid < 0 ? undefined : sid, time };
  }
}

/** The message of a request at a unit: `0xfee00318/0x0`. */
export function requestText({ words, at }: Pick<Happened, 'words' | 'at'>): string {
  const { address, data } = irRequest.read(words, at);
  return `${hex64(address(1), address(0))}/${hexText(data(0))}`;
}

/** The entry is not present (VT-d 5.1.4.1). */
const NOT_PRESENT = 0x22;
