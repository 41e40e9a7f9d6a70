import { hexText } from '../../base/hex.ts';
import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { irFault, irMessage, irRemap, irRequest, irteWrite } from '../../model/events/remap.ts';
import { vtdFaultReasons } from '../../model/registers/vtd.ts';
import { amdIrte, irte, remapUnit } from '../../model/things/remap.ts';
import type { World } from '../../model/world.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import type { Breach, Report, Rule, RuleObserver, Scene } from '../rule.ts';
import { behindKinds, IrqsBehind } from './behind.ts';
import { irteName, numbered, senderName } from './names.ts';
import { type Refusal, RefusedMessages, refusedKinds, requestText } from './refused.ts';

/** What a rule about faults of remapping units says of one kind of fault. */
export interface FaultStory {
  /** The fault in the title of a finding, behind the sender: `used IRTE 37 of dmar0, which is not present`. */
  readonly did: (entry: string, index: number | undefined) => string;
  /** The record counts the entry that it names: not in a fault about a message of another format (FA7). */
  readonly named?: boolean;
}

/** What a record tells of a refused message. */
interface Fault {
  readonly reason: number | undefined;
  readonly said: string;
  readonly sid: number | undefined;
  readonly index: number | undefined;
  readonly segment: number | undefined;
}

/** A message at the unit. */
interface Request {
  readonly step: Step;
  readonly object: ObjectId;
  readonly text: string;
}

/** A refused message: what findings say of it, taken from the records around it. */
class Faults implements RuleObserver {
  judged = 0;
  readonly #report: Report;
  readonly #scene: Scene;
  readonly #story: FaultStory;
  readonly #mine: (reason: number | undefined, text: string) => boolean;
  readonly #now = new Now();
  readonly #writes = new LastEvents();
  readonly #behind = new IrqsBehind();
  /** Messages that were told of, by entry, sender and text, until the entry is written: a storm of faults is one fault. */
  readonly #told = new Map<ObjectId, Set<string>>();
  /** Refusals that only the content of the entry tells. A trace that shows everything has a record of each. */
  readonly #quiet: RefusedMessages | undefined;
  #request: Request = { step: -1, object: -1, text: '' };

  constructor(
    report: Report,
    scene: Scene,
    story: FaultStory,
    mine: (reason: number | undefined, text: string) => boolean,
  ) {
    this.#report = report;
    this.#scene = scene;
    this.#story = story;
    this.#mine = mine;
    this.#quiet = scene.complete ? undefined : new RefusedMessages((refusal) => this.#refused(refusal));
  }

  event(...[step, happened, state]: Parameters<RuleObserver['event']>): void {
    const { kind, object, words, at } = happened;
    const now = this.#now.at(happened);
    this.#quiet?.event(step, happened, state);
    if (kind === irRemap || kind === irMessage) {
      this.judged++;
      // An entry that served in between fails in another way the next time.
      if (kind === irRemap) this.#told.delete(object);
    } else if (kind === irRequest) {
      this.#request = { step, object, text: requestText(happened) };
    } else if (kind === irteWrite) {
      this.#writes.note(object, step, now);
      this.#told.delete(object);
    } else if (kind === irFault) {
      const { reason, text, sid, index, segment } = irFault.read(words, at);
      const said = text === undefined ? '' : state.world.strings.text(text);
      this.judged++;
      if (this.#mine(reason, said)) this.#tell(step, object, now, { reason, said, sid, index, segment }, this.#request);
    } else this.#behind.note(step, happened, state, now);
  }

  lost(): void {
    this.#writes.clear();
    this.#quiet?.lost();
  }

  end(): void {
    this.#quiet?.end();
  }

  /** An entry refuses a message by what it holds, and no record says more. */
  #refused({ reason, requester: sid, entry, text, request, message, read, time }: Refusal): void {
    this.judged++;
    if (!this.#mine(reason, '')) return;
    const index = Number(this.#scene.world.node(entry)?.segment);
    const fault = { reason, said: '', sid, index, segment: undefined };
    this.#tell(read, entry, time, fault, { step: request, object: entry, text }, message);
  }

  /** `sent`: the write of the message, where only the content of the entry tells that it is refused. */
  #tell(step: Step, object: ObjectId, now: number, fault: Fault, asked: Request, sent?: Step): void {
    const { world } = this.#scene;
    const request = asked.object === object ? asked : undefined;
    const told = this.#told.get(object) ?? new Set();
    const key = `${fault.segment} ${fault.sid} ${request?.text ?? ''} ${fault.reason}`;
    if (told.has(key)) return;
    this.#told.set(object, told.add(key));
    const story = this.#story;
    const entry = entryOf(world, object, story.named === false ? undefined : fault.index);
    const sender = senderName(world, object, fault.sid, fault.segment);
    const did = story.did(entry, story.named === false ? undefined : fault.index);
    const known = fault.reason === undefined ? undefined : vtdFaultReasons[fault.reason];
    const lines = [`${sender} ${did}; the message is lost.`];
    if (known) lines.push(`Fault reason ${hexText(fault.reason!)}: ${known.text}. ${known.cause}`);
    else lines.push(`The unit says: ${fault.said}.`);
    if (request !== undefined) lines.push(`The message was ${request.text}.`);
    if (sent !== undefined)
      lines.push(
        'The log has no record of the fault: the unit read the entry for this message and translated nothing.',
      );
    const irq = this.#behind.irq(object);
    const wrote = before(this.#scene, this.#writes.ago(object, now), this.#writes.step(object), step);
    if (wrote !== '') lines.push(`The entry was last written ${wrote}.`);
    const down = irq < 0 ? undefined : this.#behind.down(irq);
    if (irq >= 0) {
      const since = before(this.#scene, this.#behind.downFor(irq, now), down, step);
      const name = numbered('irq', world, irq);
      lines.push(
        down === undefined ? `It serves ${name}.` : `It served ${name}, which was deactivated ${since || 'before'}.`,
      );
    }
    this.#report({
      step,
      object,
      title: `${sender} ${did}`,
      text: lines.join(' '),
      evidence: steps(sent, request?.step, this.#writes.step(object), down),
      ...(sent !== undefined && { absent: { since: step, kinds: [irRemap, irMessage] } }),
      lost: true,
    } satisfies Breach);
  }
}

/** What a fault is about that names neither an entry nor an index. */
export const UNNAMED = 'the remapping unit';

/** The entry of a fault; a line of the kernel's log names its index and no unit. */
function entryOf(world: World, object: ObjectId, index: number | undefined): string {
  const type = world.type(object);
  return type === undefined || (type !== irte && type !== amdIrte && type !== remapUnit && index !== undefined)
    ? index === undefined
      ? UNNAMED
      : `IRTE ${index}`
    : irteName(world, object);
}

const KINDS: readonly EventKind[] = [irFault, irRemap, irMessage, irRequest, irteWrite, ...behindKinds];

/** Makes a rule about the faults of remapping units with some reasons (VT-d), or texts of other units that say the same. */
export function faultRule<const Id extends string>(
  rule: Pick<Rule<Id>, 'id' | 'names' | 'title' | 'meaning' | 'reference' | 'confirm'> & {
    readonly severity?: Rule['severity'];
  },
  reasons: readonly number[],
  texts: RegExp,
  story: FaultStory,
): Rule<Id> {
  return {
    severity: 'error',
    ...rule,
    kinds: KINDS,
    beside: refusedKinds,
    needs: [[irFault, irRemap, irMessage]],
    needsAll: false,
    watch: (report, scene) =>
      new Faults(report, scene, story, (reason, text) =>
        reason === undefined ? texts.test(text) : reasons.includes(reason),
      ),
  };
}
