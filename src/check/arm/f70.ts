import { hex64 } from '../../base/hex.ts';
import type { ObjectId, Step } from '../../base/ids.ts';
import { requesterIn } from '../../model/bdf.ts';
import { devRaise, msgSend, tblWrite } from '../../model/events/msix.ts';
import { dropped } from '../../model/events/outcome.ts';
import { smmuBypass, smmuFault, smmuTrans } from '../../model/events/smmu.ts';
import { mayWrite } from '../../model/masking.ts';
import type { State } from '../../model/state.ts';
import { device, msi, msixEntry } from '../../model/things/pci.ts';
import { smmuStream } from '../../model/things/remap.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import type { Report, Rule, RuleObserver, Scene } from '../rule.ts';
import {
  doorbellAddress,
  doorbellPage,
  functionOf,
  holdsNoMessage,
  loneTableEntry,
  messageName,
  ownerOfMessage,
  pageOf,
  senderTo,
  showsMessages,
} from './doorbell.ts';

/** F70. */
export const mapsDoorbell: Rule<'F70'> = {
  id: 'F70',
  names: ['INV-DB'],
  title: 'Doorbell is not mapped',
  meaning:
    'The address that a device sends its messages to is mapped in each active stage of its SMMU, and leads to the doorbell.',
  severity: 'error',
  reference: 'Arm SMMUv3 (IHI 0070) 7.3.13 F_TRANSLATION; drivers/iommu/dma-iommu.c iommu_dma_prepare_msi',
  kinds: [devRaise, msgSend, tblWrite, smmuFault, smmuTrans, smmuBypass, dropped],
  needs: [[smmuFault, smmuTrans, smmuBypass]],
  needsAll: false,
  confirm:
    'iommu:map of the page of the doorbell (paddr of GITS_TRANSLATER) for the domain of the device, and the message that the device holds',
  watch: (report, scene) => new Doorbells(report, scene),
};

/** A cause and its message, and the accesses of one transfer, are no further apart, ns. */
const BURST = 1_000_000;

/** The accesses of each stream, and the causes before them. */
class Doorbells implements RuleObserver {
  judged = 0;
  readonly #report: Report;
  readonly #scene: Scene;
  readonly #now = new Now();
  /** The last cause of each function, by function, and the entry of it. */
  readonly #causes = new LastEvents();
  readonly #raised = new Map<ObjectId, ObjectId>();
  readonly #writes = new LastEvents();
  /** The page of each stream that the last fault told of (-1 not known), and its time: a burst of accesses is one fault. */
  readonly #faulted = new Map<ObjectId, number>();
  readonly #faults = new LastEvents();
  /** The entry of the last cause that no message followed yet, when it was raised or last written, and who recorded it. */
  #due: ObjectId = -1;
  #dueSince = Number.NaN;
  #dueTask = 0;
  /** The fault that was told of an entry just before it is said that its message ended. */
  #told: ObjectId = -1;
  /** The stream of the last access that was not translated. */
  #bypassed: ObjectId = -1;
  #bypassStep: Step = -1;

  constructor(report: Report, scene: Scene) {
    this.#report = report;
    this.#scene = scene;
  }

  event(...[step, happened, state]: Parameters<RuleObserver['event']>): void {
    const { kind, object, words, at } = happened;
    const time = this.#now.at(happened);
    switch (kind) {
      case devRaise: {
        const fn = ownerOfMessage(state.world, object);
        if (fn < 0) return;
        this.#causes.note(fn, step, time);
        this.#raised.set(fn, object);
        this.#due = object;
        this.#dueSince = time;
        this.#dueTask = happened.task;
        this.#told = -1;
        return;
      }
      case tblWrite:
        this.#writes.note(object, step, time);
        // An unmask sends what waits.
        this.#dueSince = time;
        return;
      case msgSend:
      case smmuTrans:
        this.judged++;
        this.#told = -1;
        if (kind === msgSend) this.#due = -1;
        if (kind === smmuTrans) this.#faulted.delete(object);
        return;
      case smmuBypass:
        this.judged++;
        this.#bypassed = object;
        this.#bypassStep = step;
        return;
      case smmuFault: {
        const fault = smmuFault.read(words, at);
        const page = fault.has.iova ? pageOf(fault.iova(0), fault.iova(1)) : -1;
        const address = fault.has.iova ? hex64(fault.iova(1), fault.iova(0)) : '';
        this.judged++;
        this.#fault(step, object, time, state, state.world.strings.text(fault.event), page, address, happened.task);
        return;
      }
      default:
        this.#drop(step, object, time, state, state.world.strings.text(dropped.read(words, at).reason));
    }
  }

  lost(): void {
    this.#causes.clear();
    this.#raised.clear();
    this.#faulted.clear();
    this.#writes.clear();
  }

  #fault(
    step: Step,
    stream: ObjectId,
    time: number,
    state: State,
    event: string,
    page: number,
    address: string,
    task: number,
  ): void {
    const { world } = state;
    const fn = functionOf(world, stream);
    const due = this.#sender(fn, time, task, state);
    // Where the trace names no function of that requester ID, the cause just before tells which it is.
    const held =
      page >= 0 &&
      due >= 0 &&
      (doorbellPage(state, due) === page || doorbellPage(state, loneTableEntry(state, due)) === page);
    const known = page < 0 ? due : senderTo(state, fn, page, this.#raised.get(fn) ?? -1);
    const entry = known < 0 && held ? due : known;
    const last = this.#faulted.get(stream);
    const burst = last === page && (page >= 0 || this.#faults.ago(stream, time) <= BURST);
    this.#faulted.set(stream, page);
    this.#faults.note(stream, step, time);
    if (entry < 0) {
      if (!burst)
        this.#access(
          step,
          stream,
          world.node(fn)?.segment ?? `stream ${world.node(stream)?.segment ?? '?'}`,
          event,
          address,
          showsMessages(state, fn),
        );
      return;
    }
    this.#due = -1;
    this.#told = entry;
    const holder = doorbellPage(state, entry) >= 0 ? entry : loneTableEntry(state, entry);
    const target = doorbellAddress(state, holder);
    const name = messageName(world, entry);
    const cause = this.#causes.step(ownerOfMessage(world, entry));
    const ago = before(this.#scene, this.#causes.ago(ownerOfMessage(world, entry), time), cause, step);
    const wrote = before(this.#scene, this.#writes.ago(holder, time), this.#writes.step(holder), step);
    const empty = holdsNoMessage(state, holder);
    const what = empty
      ? 'address 0: no message was ever written for it, or it was torn down'
      : `${target}, which its SMMU does not map`;
    this.#report({
      step,
      object: entry,
      title: `${name} sent its message to ${empty ? 'address 0, where no doorbell is' : what} (${event})`,
      text: `${name} sent its message to ${what}. The SMMU refused the write with ${event}: the interrupt is lost, the device is not told and keeps nothing pending.${ago === '' ? '' : ` Its cause arose ${ago}.`}${wrote === '' ? '' : ` The entry was last written ${wrote}.`}`,
      evidence: steps(this.#writes.step(holder), cause),
      lost: true,
    });
  }

  /** The entry whose message a fault without an address is about: that of the cause just before, of the same thread. */
  #sender(fn: ObjectId, time: number, task: number, state: State): ObjectId {
    if (this.#due < 0 || this.#dueTask !== task || !(time - this.#dueSince <= BURST)) return -1;
    const owner = ownerOfMessage(state.world, this.#due);
    const known = requesterIn(state.world.node(owner)?.segment ?? '') >= 0;
    return !known || owner === fn ? this.#due : -1;
  }

  /** An access that is no message of which the trace tells. `shown`: it tells of some message of the function. */
  #access(step: Step, stream: ObjectId, who: string, event: string, address: string, shown: boolean): void {
    const what = shown
      ? 'No entry of it holds a message for that page: this is DMA, not an interrupt.'
      : 'The trace shows no message of its entries, so that this may be one, whose interrupt is lost, or DMA.';
    this.#report({
      step,
      object: stream,
      severity: 'warning',
      title: `${who} accessed ${address === '' ? 'an address' : address}, which its SMMU does not map (${event})`,
      text: `${who} accessed ${address === '' ? 'an address that the record does not tell' : `the I/O virtual address ${address}`}, and the SMMU refused that with ${event}. ${what} What it read or wrote there is lost. Further accesses of the same page right behind are not listed.`,
      evidence: [],
      confirm: 'iommu:map and iommu:unmap of that range, and what the driver gave to the device',
    });
  }

  /** A message ended without a fault of the SMMU. */
  #drop(step: Step, object: ObjectId, time: number, state: State, reason: string): void {
    const { world } = state;
    const type = world.type(object);
    if (type !== msixEntry && type !== msi && type !== device) return;
    const told = this.#told === object;
    this.#told = -1;
    const fn = ownerOfMessage(world, object);
    // Messages to no address, and those of a function that may not write, are other faults.
    if (told || doorbellPage(state, object) === 0) return;
    if (mayWrite(state, fn) === false) return;
    const names = world.spaceOf(object);
    if (names.find('smmu') === undefined && names.find('its') === undefined) return;
    const bypass = functionOf(world, this.#bypassed) === fn;
    const name = messageName(world, object);
    const ago = before(this.#scene, this.#causes.ago(fn, time), this.#causes.step(fn), step);
    this.#report({
      step,
      object,
      // Nothing translates any more, or not yet: what a system does that goes down.
      severity: bypass ? 'warning' : 'error',
      title: `${name} sent a message that reached no doorbell (${reason})`,
      text: `${name} sent a message, and it reached no doorbell: ${reason}.${ago === '' ? '' : ` Its cause arose ${ago}.`}${this.#leads(state, fn)}`,
      evidence: steps(this.#causes.step(fn), bypass ? this.#bypassStep : undefined),
      lost: true,
    });
  }

  /** Where the SMMU led the last access of a function, where it did. */
  #leads(state: State, fn: ObjectId): string {
    const requester = state.world.node(fn)?.segment ?? '';
    for (const { object } of state.world.spaceOf(fn).find('smmu/0/stream')?.children.values() ?? []) {
      if (functionOf(state.world, object) !== fn) continue;
      const lo = state.num(object, smmuStream.at.output);
      const hi = state.num(object, smmuStream.at.output + 1);
      if (lo >= 0 && hi >= 0) return ` The SMMU led the last access of ${requester} to ${hex64(hi, lo)}.`;
    }
    return '';
  }
}
