import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import {
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
import { itsDevice, itsEvent } from '../../model/things/remap.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import type { Report, Rule, RuleObserver, Scene } from '../rule.ts';
import { messageName, ownerOfMessage } from './doorbell.ts';
import { eventName, functionAt } from './its-names.ts';

const COMMANDS: readonly EventKind[] = [itsMapd, itsMapti, itsMovi, itsDiscard, itsInv, itsInt];
const isCommand: ReadonlySet<EventKind> = new Set(COMMANDS);

/** F75. */
export const translatesEvents: Rule<'F75'> = {
  id: 'F75',
  names: ['INV-ITS'],
  title: 'ITS does not know the event',
  meaning:
    'A message for an ITS names a DeviceID that is mapped (MAPD), an EventID below the size of its table that is mapped (MAPTI), and a collection that is mapped (MAPC).',
  severity: 'error',
  reference: 'Arm GIC (IHI 0069) 5.2, 6.2; hw/intc/arm_gicv3_its.c lookup_ite',
  kinds: [itsTrans, itsError, itsIteAccess, itsDteAccess, devRaise, msgSend, tblWrite, ...COMMANDS],
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
      if (!this.#says()) this.#byState(step, object, state);
    } else if (kind === itsError) {
      const { text, reason } = itsError.read(words, at);
      const said = state.world.strings.text(reason ?? text);
      this.#held = undefined;
      if (object === this.#object && this.#command === '') this.#lost(step, object, said, state);
      else if (!/MAPD/.test(said + state.world.strings.text(text))) this.#refused(step, object, said, state);
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
    if (kind === itsIteAccess) {
      const { write, valid } = itsIteAccess.read(words, at);
      if (!write && !valid && object === this.#object)
        this.#failed(step, object, 'EventID is not mapped (no MAPTI)', state);
    } else if (kind === itsDteAccess) {
      const { write, valid } = itsDteAccess.read(words, at);
      const mine = state.world.node(this.#object)?.parent?.parent?.object === object;
      if (!write && !valid && mine) this.#failed(step, this.#object, 'DeviceID is not mapped (no MAPD)', state);
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
    if (state.flag(dev, itsDevice.at.valid) === false)
      this.#lost(step, object, 'DeviceID is not mapped (no MAPD)', state);
    else if (state.flag(object, itsEvent.at.valid) === false)
      this.#lost(step, object, 'EventID is not mapped (no MAPTI)', state);
  }

  #lost(step: Step, object: ObjectId, reason: string, state: State): void {
    const { world } = state;
    const { event, device } = eventName(world, object);
    const fn = functionAt(world.node(object)?.parent?.parent);
    const ago = before(this.#scene, this.#causes.ago(fn, this.#time));
    const from = ownerOfMessage(world, this.#sender) === fn ? this.#sender : -1;
    const wrote = before(this.#scene, this.#writes.ago(from, this.#time));
    const sender =
      from < 0
        ? ''
        : `: the message of ${messageName(world, from)}${wrote === '' ? '' : `, which was last written ${wrote}`}`;
    this.#object = -1;
    this.#report({
      step,
      object,
      title: `A message of ${device} is lost in the ITS: ${reason.replace(/^EventID is/, `${event} is`)}`,
      text: `${device} wrote ${event} to the doorbell${sender}. The ITS has no translation for it: ${reason}. No LPI becomes pending; neither device nor driver is told.${ago === '' ? '' : ` The cause arose ${ago} the write.`}`,
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
