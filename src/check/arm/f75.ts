import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import {
  itsCteAccess,
  itsDiscard,
  itsDteAccess,
  itsError,
  itsInt,
  itsInv,
  itsIteAccess,
  itsMapd,
  itsMapti,
  itsMovi,
  itsTrans,
} from '../../model/events/its.ts';
import { devRaise, msgSend, tblWrite } from '../../model/events/msix.ts';
import type { State } from '../../model/state.ts';
import { itsCollection, itsDevice, itsEvent } from '../../model/things/remap.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import type { Report, Rule, RuleObserver, Scene } from '../rule.ts';
import { messageName, ownerOfMessage } from './doorbell.ts';
import { eventName, functionAt, refusesMapd } from './its-names.ts';

const COMMANDS: readonly EventKind[] = [itsMapd, itsMapti, itsMovi, itsDiscard, itsInv, itsInt];
const isCommand: ReadonlySet<EventKind> = new Set(COMMANDS);

const NO_DEVICE = 'DeviceID is not mapped (no MAPD)';
const NO_EVENT = 'EventID is not mapped (no MAPTI)';
const noCollection = (id: number): string => `collection ${id} is not mapped (no MAPC)`;

/** Entries of the table of a device, by its Size field: EventID bits minus one. */
const entriesOf = (size: number): number => 2 ** (size + 1);
const tooLarge = (size: number): string => `EventID is out of range: the table of the device has ${entriesOf(size)}`;

/** Whether an event is behind the end of the table of its device. */
const isOutside = (state: State, event: ObjectId, size: number): boolean =>
  Number(state.world.node(event)?.segment) >= entriesOf(size);

/** Where the DeviceID of a message is mapped at another ITS of the same system: a sentence; empty: it is not. */
function whoMaps(state: State, event: ObjectId): string {
  const dev = state.world.node(event)?.parent?.parent;
  const own = dev?.parent?.parent;
  const others = [...(own?.parent?.children.values() ?? [])].filter(
    (one) =>
      one !== own &&
      state.flag(one.children.get('device')?.children.get(dev!.segment)?.object ?? -1, itsDevice.at.valid) === true,
  );
  if (others.length === 0) return '';
  const names = others.map(({ object }) => state.world.path(object)).join(', ');
  return ` ${names} has this DeviceID mapped: the message went to the doorbell of ${state.world.path(own!.object)}.`;
}

/** F75. */
export const translatesEvents: Rule<'F75'> = {
  id: 'F75',
  names: ['INV-ITS'],
  title: 'ITS does not know the event',
  meaning:
    'A message for an ITS names a DeviceID that is mapped (MAPD), an EventID below the size of its table that is mapped (MAPTI), and a collection that is mapped (MAPC).',
  severity: 'error',
  reference: 'Arm GIC (IHI 0069) 5.2, 6.2; hw/intc/arm_gicv3_its.c lookup_ite',
  kinds: [itsTrans, itsError, itsIteAccess, itsDteAccess, itsCteAccess, devRaise, msgSend, tblWrite, ...COMMANDS],
  needs: [[itsTrans, itsError]],
  needsAll: false,
  confirm:
    'the MAPD, MAPTI and DISCARD commands of the DeviceID (kprobes on its_send_mapd, its_send_mapti, its_send_discard), and the data that the device holds',
  watch: (report, scene) => new Translations(report, scene),
};

class Translations implements RuleObserver {
  judged = 0;
  readonly #report: Report;
  readonly #scene: Scene;
  readonly #now = new Now();
  /** The last message at the doorbell that was not judged yet, by its ITT entry. */
  #object: ObjectId = -1;
  #step: Step = -1;
  #time = Number.NaN;
  /** The collection that the ITT entry of that message names, as the ITS read it just before; -1 for none. */
  #collection = -1;
  /** What the ITS works on: a message, or a command. */
  #command = '';
  /** A look-up that failed, where the trace also has words of the ITS about it: they should come next. */
  #held: { readonly step: Step; readonly object: ObjectId; readonly reason: string; readonly state: State } | undefined;
  /** The last cause of each function. */
  readonly #causes = new LastEvents();
  /** The last write of each entry, and the entry whose message was seen last. */
  readonly #writes = new LastEvents();
  #sender: ObjectId = -1;

  constructor(report: Report, scene: Scene) {
    this.#report = report;
    this.#scene = scene;
  }

  event(...[step, happened, state]: Parameters<RuleObserver['event']>): void {
    const { kind, object, words, at } = happened;
    const time = this.#now.at(happened);
    if (kind === devRaise) {
      const fn = ownerOfMessage(state.world, object);
      if (fn >= 0) this.#causes.note(fn, step, time);
    } else if (kind === msgSend) this.#sender = object;
    else if (kind === tblWrite) this.#writes.note(object, step, time);
    else if (kind === itsTrans) {
      this.#tellHeld();
      this.judged++;
      this.#object = object;
      this.#step = step;
      this.#time = time;
      this.#command = '';
      this.#collection = -1;
      if (!this.#says()) this.#byState(step, object, state);
    } else if (kind === itsError) {
      const { text, reason } = itsError.read(words, at);
      const said = state.world.strings.text(reason ?? text);
      this.#held = undefined;
      if (object === this.#object && this.#command === '') this.#lost(step, object, said, state);
      else if (!refusesMapd(state.world.strings.text(text))) this.#refused(step, object, said, state);
    } else if (isCommand.has(kind)) {
      this.#tellHeld();
      this.judged++;
      this.#command = kind.name.replace('its.', '').toUpperCase();
    } else if (this.#command === '') this.#looked(step, happened.kind, object, words, at, state);
  }

  end(): void {
    this.#tellHeld();
  }

  lost(): void {
    this.#object = -1;
    this.#collection = -1;
    this.#held = undefined;
    this.#causes.clear();
    this.#writes.clear();
  }

  /** The trace tells itself which messages the ITS refuses. */
  #says(): boolean {
    return this.#scene.recorded(itsError);
  }

  /** A table entry that the ITS looked up for the message and that is not valid. */
  #looked(step: Step, kind: EventKind, object: ObjectId, words: Uint32Array, at: number, state: State): void {
    const named = this.#collection;
    this.#collection = -1;
    if (kind === itsIteAccess) {
      const { write, valid, collection } = itsIteAccess.read(words, at);
      if (write || object !== this.#object) return;
      if (valid) this.#collection = collection;
      else this.#failed(step, object, NO_EVENT, state);
    } else if (kind === itsDteAccess) {
      const { write, valid, size } = itsDteAccess.read(words, at);
      if (write || state.world.node(this.#object)?.parent?.parent?.object !== object) return;
      if (!valid) this.#failed(step, this.#object, NO_DEVICE, state);
      else if (isOutside(state, this.#object, size)) this.#failed(step, this.#object, tooLarge(size), state);
    } else if (kind === itsCteAccess) {
      const { write, valid } = itsCteAccess.read(words, at);
      const mine = named >= 0 && Number(state.world.node(object)?.segment) === named;
      if (!write && !valid && mine) this.#failed(step, this.#object, noCollection(named), state);
    }
  }

  #failed(step: Step, object: ObjectId, reason: string, state: State): void {
    if (this.#says()) this.#held = { step, object, reason, state };
    else this.#lost(step, object, reason, state);
  }

  /** The words that should have come did not come: the look-up tells enough. */
  #tellHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined && held.object === this.#object) this.#lost(held.step, held.object, held.reason, held.state);
  }

  /** Where only commands and messages are recorded: what the commands left. */
  #byState(step: Step, object: ObjectId, state: State): void {
    if (this.#scene.recorded(itsIteAccess, itsDteAccess) || state.world.type(object) !== itsEvent) return;
    const dev = state.world.node(object)?.parent?.parent?.object ?? -1;
    const size = state.num(dev, itsDevice.at.size);
    const named = state.num(object, itsEvent.at.collection);
    const its = state.world.node(dev)?.parent?.parent;
    const collection = its?.children.get('collection')?.children.get(String(named))?.object ?? -1;
    if (state.flag(dev, itsDevice.at.valid) === false) this.#lost(step, object, NO_DEVICE, state);
    else if (size >= 0 && isOutside(state, object, size)) this.#lost(step, object, tooLarge(size), state);
    else if (state.flag(object, itsEvent.at.valid) === false) this.#lost(step, object, NO_EVENT, state);
    else if (collection >= 0 && state.flag(collection, itsCollection.at.valid) === false)
      this.#lost(step, object, noCollection(named), state);
  }

  #lost(step: Step, object: ObjectId, reason: string, state: State): void {
    const { world } = state;
    const { event, device } = eventName(world, object);
    const fn = functionAt(world.node(object)?.parent?.parent);
    const elsewhere = reason === NO_DEVICE ? whoMaps(state, object) : '';
    const ago = before(this.#scene, this.#causes.ago(fn, this.#time), this.#causes.step(fn), step);
    const from = ownerOfMessage(world, this.#sender) === fn ? this.#sender : -1;
    const wrote = before(this.#scene, this.#writes.ago(from, this.#time), this.#writes.step(from), step);
    const sender =
      from < 0
        ? ''
        : `: the message of ${messageName(world, from)}${wrote === '' ? '' : `, which was last written ${wrote}`}`;
    this.#object = -1;
    this.#report({
      step,
      object,
      title: `A message of ${device} is lost in the ITS: ${reason.replace(/^EventID is/, `${event} is`)}`,
      text: `${device} wrote ${event} to the doorbell${sender}. The ITS has no translation for it: ${reason}.${elsewhere} No LPI becomes pending; neither device nor driver is told.${ago === '' ? '' : ` The cause arose ${ago} the write.`}`,
      evidence: steps(this.#writes.step(from), this.#causes.step(fn), this.#step),
      lost: true,
    });
  }

  #refused(step: Step, object: ObjectId, reason: string, state: State): void {
    const command = this.#command;
    this.#report({
      step,
      object,
      severity: 'warning',
      title: `The ITS refused ${command === '' ? 'a command' : command}: ${reason}`,
      text: `The ITS ignored ${command === '' ? 'a command' : `the command ${command}`} for ${state.world.path(object)}: ${reason}. What it should have set up is not there.`,
      evidence: [],
    });
  }
}
