import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { devRaise, msgSend, tblWrite } from '../../model/events/msix.ts';
import { dropped, merged } from '../../model/events/outcome.ts';
import { effectivelyMasked, mayWrite, ownerOf } from '../../model/masking.ts';
import type { State } from '../../model/state.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { addressOf, entriesOf, messageText } from '../device/entries.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import { entryName } from '../names.ts';
import type { Happened, Rule } from '../rule.ts';

/** Another entry of the function that holds the same message and is not masked, or -1. */
function twin(state: State, entry: ObjectId): ObjectId {
  const A = msixEntry.at;
  const [lo, hi, data] = [state.num(entry, A.address), state.num(entry, A.address + 1), state.num(entry, A.data)];
  if (lo < 0 || hi < 0 || data < 0 || (lo === 0 && hi === 0)) return -1;
  for (const other of entriesOf(state, ownerOf(state, entry)))
    if (
      other !== entry &&
      state.num(other, A.address) === lo &&
      state.num(other, A.address + 1) === hi &&
      state.num(other, A.data) === data &&
      effectivelyMasked(state, other) === false
    )
      return other;
  return -1;
}

/** The message of an entry on the bus, where it is not the one that the entry holds; undefined where it is, or either is not known. */
function foreign(state: State, { object, words, at }: Happened): string | undefined {
  const { address, data, requester } = msgSend.read(words, at);
  const [held, own] = [addressOf(state, object), state.num(object, msixEntry.at.data)];
  if (held < 0 || own < 0) return undefined;
  const to = address(1) * 0x100000000 + address(0);
  // A record that names the requester may show the address behind an SMMU.
  if (data === own && (to === held || requester !== undefined)) return undefined;
  return `0x${to.toString(16)}/0x${data.toString(16)}`;
}

/** Time in which the message of a cause follows in the thread that recorded it, ns. */
const SOON = 1_000_000;

/** A cause whose message must be the next one that its thread sends. */
interface Cause {
  readonly entry: ObjectId;
  readonly step: Step;
  readonly time: number;
}

/** What each thread of a device model sends next after a cause: the message of that entry, and of no other one. */
class Threads {
  readonly #next = new Map<number, Cause>();
  /** Entries whose causes the trace shows, and whether one of them has no message yet. */
  readonly #waits = new Map<ObjectId, boolean>();

  raise(step: Step, { object, task, time }: Happened, state: State): void {
    this.#waits.set(object, true);
    this.#next.delete(task);
    const ready = effectivelyMasked(state, object) === false && messageText(state, object) !== undefined;
    if (task > 0 && ready && mayWrite(state, ownerOf(state, object)) !== false)
      this.#next.set(task, { entry: object, step, time });
  }

  /** The cause that a message follows whose entry had none: of another entry of the same function. */
  send({ object, task, time }: Happened, state: State): Cause | undefined {
    const cause = this.#next.get(task);
    this.#next.delete(task);
    const waited = this.#waits.get(object);
    if (waited === true) this.#waits.set(object, false);
    if (cause === undefined || waited !== false || cause.entry === object || !(time - cause.time <= SOON)) return;
    return ownerOf(state, cause.entry) === ownerOf(state, object) ? cause : undefined;
  }

  /** Something else happened. */
  other({ task }: Happened): void {
    this.#next.delete(task);
  }

  clear(): void {
    this.#next.clear();
    this.#waits.clear();
  }
}

const FATES: ReadonlySet<EventKind> = new Set<EventKind>([dropped, merged]);

/** Offset of Vector Control in an entry; the message lies before it. */
const CONTROL = 12;

/** R10. */
export const sendsOwnMessage: Rule<'R10'> = {
  id: 'R10',
  names: [],
  title: 'Crossed vectors',
  meaning:
    'Two entries of a function that are in use hold different messages, and each sends its own, so that each vector arrives at its own handler.',
  severity: 'warning',
  reference:
    'PCIe 6.1.4.5: a message is address and data of its entry; 6.1.4.2 lets software give several entries the same message; Linux never does',
  kinds: [msgSend, tblWrite],
  beside: [devRaise, dropped, merged],
  needs: [[msgSend]],
  needsAll: false,
  confirm:
    'the messages of both entries (lspci -vvv shows none; read the table), and which handler ran (/proc/interrupts)',
  watch(report, scene) {
    /** The last write of each entry that changed its message, and that message. */
    const writes = new LastEvents();
    const messages = new Map<ObjectId, string | undefined>();
    const told = new Set<ObjectId>();
    /** Entries whose message was written while nothing masked them: they may send the old one until they are masked (PCIe 7.7.2.6). */
    const open = new Set<ObjectId>();
    const threads = new Threads();
    const now = new Now();
    let lost = false;
    let judged = 0;
    const strange = (step: Step, happened: Happened, state: State): void => {
      const { object } = happened;
      const message = foreign(state, happened);
      if (message === undefined || open.has(object) || (lost && !messages.has(object))) return;
      const name = entryName(state.world, object);
      report({
        step,
        object,
        title: `${name} sent ${message} and holds ${messageText(state, object) ?? ''}`,
        text: `The message of ${name} is ${messageText(state, object) ?? ''}, written while it was masked; it sent ${message}, which arrives elsewhere.`,
        evidence: steps(writes.step(object)),
      });
    };
    const crossed = (step: Step, happened: Happened, { step: since, entry, time }: Cause, { world }: State): void => {
      const name = entryName(world, entry);
      const index = world.node(happened.object)?.segment ?? '?';
      const span = scene.span(happened.time - time, since, step);
      report({
        step,
        object: entry,
        title: `${name} had a cause, and the message of entry ${index} was sent`,
        text: `${name} had a cause that nothing masks; ${span} later the same thread sent the message of entry ${index}, which had no cause: this interrupt arrives at the handler of entry ${index}.`,
        evidence: steps(since),
      });
    };
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        const time = now.at(happened);
        if (state.world.type(object) !== msixEntry) {
          threads.other(happened);
          return;
        }
        if (kind === devRaise) threads.raise(step, happened, state);
        else if (FATES.has(kind)) threads.other(happened);
        if (kind !== tblWrite && kind !== msgSend) return;
        if (kind === tblWrite) {
          threads.other(happened);
          if (effectivelyMasked(state, object) !== false) open.delete(object);
          if (tblWrite.read(words, at).offset >= CONTROL) return;
          if (effectivelyMasked(state, object) === false) open.add(object);
          const message = messageText(state, object);
          if (message !== undefined && messages.get(object) === message) return;
          messages.set(object, message);
          writes.note(object, step, time);
          told.delete(object);
          return;
        }
        judged++;
        const cause = threads.send(happened, state);
        if (cause !== undefined) crossed(step, happened, cause, state);
        strange(step, happened, state);
        if (told.has(object)) return;
        const other = twin(state, object);
        if (other < 0) return;
        // Of the two, the one that got the message later has what belongs to the other one.
        const [own, its] = [writes.step(object) ?? -1, writes.step(other) ?? -1];
        if (its > own) return;
        told.add(object);
        if (its === own) told.add(other);
        const { world } = state;
        const index = world.node(other)?.segment ?? '?';
        const ago = before(scene, writes.ago(object, time), writes.step(object), step);
        report({
          step,
          object,
          title: `${entryName(world, object)} sent the message of entry ${index} (${messageText(state, object) ?? ''})`,
          text: `${entryName(world, object)} and entry ${index} hold the same message ${messageText(state, object) ?? ''} and both are in use: this interrupt arrives at the handler of entry ${index}.${ago === '' ? '' : ` ${entryName(world, object)} was last written ${ago}.`}`,
          evidence: steps(writes.step(object), writes.step(other)),
        });
      },
      lost() {
        lost = true;
        threads.clear();
        open.clear();
        writes.clear();
        messages.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
