import { hex64, hexText } from '../../base/hex.ts';
import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { irFault, irMessage, irRemap, irRequest, irteWrite } from '../../model/events/remap.ts';
import { vtdFaultReasons } from '../../model/registers/vtd.ts';
import type { State } from '../../model/state.ts';
import { amdIrte, irte, remapUnit } from '../../model/things/remap.ts';
import type { World } from '../../model/world.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import type { Breach, Report, Rule, RuleObserver, Scene } from '../rule.ts';
import { behindKinds, IrqsBehind } from './behind.ts';
import { irteName, numbered, senderName } from './names.ts';

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
  #requestStep: Step = -1;
  #requestObject: ObjectId = -1;
  #lo = 0;
  #hi = 0;
  #data = 0;

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
  }

  event(...[step, happened, state]: Parameters<RuleObserver['event']>): void {
    const { kind, object, words, at } = happened;
    const now = this.#now.at(happened);
    if (kind === irRemap || kind === irMessage) this.judged++;
    else if (kind === irRequest) {
      this.#requestStep = step;
      this.#requestObject = object;
      const request = irRequest.read(words, at);
      this.#lo = request.address(0);
      this.#hi = request.address(1);
      this.#data = request.data(0);
    } else if (kind === irteWrite) {
      this.#writes.note(object, step, now);
      this.#told.delete(object);
    } else if (kind === irFault) {
      const { reason, text, sid, index, segment } = irFault.read(words, at);
      const said = text === undefined ? '' : state.world.strings.text(text);
      this.judged++;
      if (this.#mine(reason, said)) this.#tell(step, object, now, state, { reason, said, sid, index, segment });
    } else this.#behind.note(step, happened, state, now);
  }

  lost(): void {
    this.#writes.clear();
  }

  #tell(step: Step, object: ObjectId, now: number, state: State, fault: Fault): void {
    const { world } = state;
    const told = this.#told.get(object) ?? new Set();
    const key = `${fault.segment} ${fault.sid} ${this.#requestObject === object ? messageText(this.#lo, this.#hi, this.#data) : ''} ${fault.reason}`;
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
    const request = this.#requestObject === object ? this.#requestStep : undefined;
    if (request !== undefined) lines.push(`The message was ${messageText(this.#lo, this.#hi, this.#data)}.`);
    const irq = this.#behind.irq(object);
    const wrote = before(this.#scene, this.#writes.ago(object, now));
    if (wrote !== '') lines.push(`The entry was last written ${wrote}.`);
    const down = irq < 0 ? undefined : this.#behind.down(irq);
    if (irq >= 0) {
      const since = before(this.#scene, this.#behind.downFor(irq, now));
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
      evidence: steps(request, this.#writes.step(object), down),
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
    needs: [[irFault, irRemap, irMessage]],
    needsAll: false,
    watch: (report, scene) =>
      new Faults(report, scene, story, (reason, text) =>
        reason === undefined ? texts.test(text) : reasons.includes(reason),
      ),
  };
}

/** A message as the unit got it: `0xfee00318/0x0`. */
export const messageText = (lo: number, hi: number, data: number): string => `${hex64(hi, lo)}/${hexText(data)}`;
