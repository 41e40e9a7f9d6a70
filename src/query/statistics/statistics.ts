import type { CellId, ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import * as apic from '../../model/events/apic.ts';
import {
  cpuAccept,
  cpuEoi,
  cpuReset,
  cpuTake,
  gicPend,
  softirqEntry,
  softirqExit,
  softirqRaise,
  sysEntry,
  sysExit,
  threadEntry,
  threadExit,
  threadWake,
} from '../../model/events/cpu.ts';
import { devReset } from '../../model/events/function.ts';
import { irqEntry, irqExit, irqMask } from '../../model/events/irq.ts';
import { devRaise, devWithdraw, msgSend } from '../../model/events/msix.ts';
import { msixCtrl } from '../../model/events/pci.ts';
import { imsicClaim, imsicPend } from '../../model/events/platform/imsic.ts';
import { kvmExit } from '../../model/events/virt.ts';
import type { State } from '../../model/state.ts';
import { imsEntry } from '../../model/things/ims.ts';
import { intid, irq, vector as vectorType } from '../../model/things/irq.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { imsicId } from '../../model/things/riscv.ts';
import { vcpu, vcpuVector } from '../../model/things/virt.ts';
import { argumentOf, type EventRow } from '../../trace/row.ts';
import type { Observer } from '../../trace/walk.ts';
import { Arrivals } from './arrivals.ts';
import { Causes } from './causes.ts';
import type { Clocks } from './clocks.ts';
import { type Group, Groups } from './group.ts';
import { type By, type Grouping, groupings, ownerOf, processorOf, processorPath, type Recorded } from './grouping.ts';
import { Handlers } from './handlers.ts';
import { maskChange } from './masks.ts';
import { Threads } from './threads.ts';

/** What an event does here. */
type Work = (row: EventRow, state: State) => void;

/** A handler whose interrupt was seen on its way. */
export interface LatencySample {
  /** The event with which the handler starts. */
  readonly step: Step;
  readonly time: number;
  readonly cpu: number;
  readonly irq: ObjectId;
  /** Nanoseconds from the cause of the interrupt, or from its acceptance where the trace tells no cause. */
  readonly latency: number;
  readonly since: 'cause' | 'acceptance';
}

/** Counts and measures what one walk over a trace shows. */
export class Statistics implements Observer {
  readonly recorded: Recorded = { handlers: false, arrivals: false, sends: false, irqMasks: false, exits: false };
  readonly groups = new Groups();
  readonly grouping: Grouping;
  readonly #by: By;
  readonly #handlers = new Handlers();
  readonly #systems = new Map<ObjectId, { readonly at: number; readonly cpu: number; readonly group: Group }>();
  /** When each softirq was raised, and since when it runs; NaN where it is neither. */
  readonly #softirqs = new Map<ObjectId, { raised: number; since: number; cpu: number }>();
  readonly #threads = new Threads();
  readonly #arrivals = new Arrivals();
  readonly #causes = new Causes();
  /** What to do with events of a kind, by its number. */
  readonly #work = new Map<number, Work>();
  /** Mask bits that the event at hand sets, by function. */
  readonly #masked: ObjectId[] = [];
  readonly #sample: ((sample: LatencySample) => void) | undefined;
  readonly #clocks: Clocks | undefined;
  #step: Step = -1;

  /** `sample` hears of each handler whose interrupt was seen on its way. `clocks`: of the trace, where durations are told with their digits. */
  constructor(by: By, sample?: (sample: LatencySample) => void, clocks?: Clocks) {
    this.#by = by;
    this.#clocks = clocks;
    this.#sample = sample;
    this.grouping = groupings[by];
    if (by !== 'kind') this.#prepare();
  }

  /** Changes are looked at for the mask bits of functions only. */
  change(state: State, object: ObjectId, cell: CellId, value: number, known: number): void {
    if (this.#by !== 'device') return;
    const change = maskChange(state, object, cell, value, known);
    if (change === 'no') return;
    const group = this.#group(this.grouping.owner?.(state, object));
    if (group === undefined) return;
    group.masksShown = true;
    if (change === 'masked') this.#masked.push(object);
  }

  event(step: Step, row: EventRow, state: State): void {
    const { kind } = row;
    this.#step = step;
    this.#clocks?.at(step);
    if (this.#by === 'kind') {
      this.groups.of(kind.name).handled++;
      return;
    }
    if (kind.role === 'loss' || kind.role === 'begin') this.#lose(row.cpu);
    const cause = kind.at['cause'] === undefined ? undefined : argumentOf(row, 'cause');
    if (cause !== undefined) {
      this.#clocks?.begins();
      this.#arrivals.cause(cause, row.time);
    }
    this.#work.get(kind.number)?.(row, state);
    if (this.#masked.length > 0) this.#settleMasks(kind, state);
  }

  #group(key: string | undefined): Group | undefined {
    return key === undefined || key === '' ? undefined : this.groups.of(key);
  }

  /** Records of a CPU are missing (-1: of any): what began there, and what was on its way, may have ended in between. */
  #lose(cpu: number): void {
    this.#handlers.lose(cpu);
    for (const [vector, running] of this.#systems) if (cpu < 0 || running.cpu === cpu) this.#systems.delete(vector);
    for (const [object, times] of this.#softirqs) if (cpu < 0 || times.cpu === cpu) this.#softirqs.delete(object);
    this.#threads.lose();
    this.#arrivals.lose();
    this.#causes.withdrawAll(() => true);
  }

  /** Software set mask bits: what a reset sets is no operation. */
  #settleMasks(kind: EventKind, state: State): void {
    if (kind.role === 'store' || kind.role === 'mask' || kind === msixCtrl)
      for (const object of this.#masked) {
        const group = this.#group(this.grouping.owner?.(state, object));
        if (group !== undefined) group.masks++;
      }
    this.#masked.length = 0;
  }

  #prepare(): void {
    this.#prepareHandlers();
    if (this.#by === 'vector') this.#prepareSoftirqs();
    if (this.#by === 'irq') this.#prepareThreads();
    this.#prepareArrivals();
    this.#prepareDevices();
    this.#on(kvmExit, ({ object }, state) => {
      this.recorded.exits = true;
      if (state.world.type(object) !== vcpu) return;
      const group = this.#group(this.grouping.exit?.(state, object));
      if (group !== undefined) group.exits++;
    });
  }

  #on(kind: EventKind, work: Work): void {
    this.#work.set(kind.number, work);
  }

  #prepareHandlers(): void {
    const { grouping, recorded } = this;
    this.#on(irqEntry, ({ object, cpu, time }, state) => {
      recorded.handlers = true;
      const irqs = state.world.node(object)?.parent;
      if (irqs === undefined) return;
      const processor = this.#arrivals.some ? state.world.find(processorPath(state, object, cpu)) : undefined;
      const { vector, latency, caused } = this.#arrivals.handle(processor, time);
      if (latency >= 0)
        this.#sample?.({
          step: this.#step,
          time,
          cpu,
          irq: object,
          latency,
          since: caused ? 'cause' : 'acceptance',
        });
      const group = this.#group(grouping.handler?.(state, object, cpu, vector));
      if (group !== undefined) {
        if (this.#by === 'vector') group.at(state.world.objectAt(group.key)).handled++;
        else group.handled++;
        if (this.#by === 'irq') {
          group.latency.add(latency, this.#clocks?.since);
          group.handlers = state.text(object, irq.at.name) || group.handlers;
        }
      }
      this.#handlers.begin(irqs, cpu, { irq: object, since: time, group });
    });
    this.#on(irqExit, ({ object, cpu, time }, state) => {
      const irqs = state.world.node(object)?.parent;
      if (irqs !== undefined) this.#handlers.end(irqs, cpu, object, time, this.#clocks?.own);
    });
    this.#on(irqMask, (row, state) => {
      recorded.irqMasks = true;
      if (this.#by !== 'irq' || irqMask.read(row.words, row.at).masked === false) return;
      const group = this.#group(grouping.handler?.(state, row.object, row.cpu, -1));
      if (group !== undefined) group.masks++;
    });
    this.#on(sysEntry, ({ object, cpu, time }, state) => {
      const group = this.#group(grouping.system?.(state, object));
      if (group === undefined) return;
      group.at(object).handled++;
      this.#systems.set(object, { at: time, cpu, group });
    });
    this.#on(sysExit, ({ object, time }) => {
      const running = this.#systems.get(object);
      this.#systems.delete(object);
      running?.group.service.add(time - running.at, this.#clocks?.own);
    });
  }

  /** Softirqs are vectors of their CPU, too: the latency is from the first raise to the run that serves it. */
  #prepareSoftirqs(): void {
    const at = (object: ObjectId): { raised: number; since: number; cpu: number } => {
      let times = this.#softirqs.get(object);
      if (times === undefined) this.#softirqs.set(object, (times = { raised: Number.NaN, since: Number.NaN, cpu: -1 }));
      return times;
    };
    this.#on(softirqRaise, ({ object, cpu, time }) => {
      const times = at(object);
      times.cpu = cpu;
      if (Number.isNaN(times.raised)) times.raised = time;
    });
    this.#on(softirqEntry, ({ object, cpu, time }, state) => {
      const times = at(object);
      const group = this.groups.of(state.world.path(object));
      group.at(object).handled++;
      group.latency.add(time - times.raised, this.#clocks?.own);
      Object.assign(times, { raised: Number.NaN, since: time, cpu });
    });
    this.#on(softirqExit, ({ object, time }, state) => {
      const times = at(object);
      if (!Number.isNaN(times.since))
        this.groups.of(state.world.path(object)).service.add(time - times.since, this.#clocks?.own);
      times.since = Number.NaN;
    });
  }

  /** Threads that handle irqs have rows of their own. */
  #prepareThreads(): void {
    const groupOf = ({ object }: EventRow, { world }: State): Group => {
      const group = this.groups.of(world.path(object));
      group.isThread = true;
      return group;
    };
    this.#on(threadWake, ({ object, time }) => this.#threads.woken(object, time));
    this.#on(threadEntry, (row, state) =>
      this.#threads.begins(row.object, row.time, groupOf(row, state), this.#clocks?.own),
    );
    this.#on(threadExit, (row, state) => {
      const { done } = threadExit.read(row.words, row.at);
      this.#threads.ends(row.object, row.time, groupOf(row, state), done, this.#clocks?.own);
    });
  }

  #prepareArrivals(): void {
    const arrivals = this.#arrivals;
    const groupOf = (state: State, vector: ObjectId): Group | undefined => {
      this.recorded.arrivals = true;
      // A record that does not tell the vector is about the processor.
      const type = state.world.type(vector);
      if (type !== vcpuVector && type !== vectorType && type !== intid && type !== imsicId) return undefined;
      return this.#group(this.grouping.arrival?.(state, vector));
    };
    const accept = ({ object, time }: EventRow, state: State, cause?: number): void => {
      const group = groupOf(state, object);
      if (group !== undefined) group.at(object).accepted++;
      this.#clocks?.begins();
      arrivals.accept(object, time, cause);
    };
    const take = ({ object, time }: EventRow, state: State): void => {
      const latency = arrivals.take(object, processorOf(state.world, object), time);
      this.#clocks?.begins();
      const group = groupOf(state, object);
      if (group === undefined) return;
      group.at(object).taken++;
      group.latency.add(latency, this.#clocks?.since);
    };
    const finish = ({ object, time }: EventRow, state: State): void => {
      if (state.world.type(object) === vcpu) {
        arrivals.finishSome(state.world.node(object)!);
        return;
      }
      const served = arrivals.finish(object, processorOf(state.world, object), time);
      groupOf(state, object)?.inService.add(served, this.#clocks?.since);
    };
    this.#on(cpuAccept, (row, state) => accept(row, state, argumentOf(row, 'cause')));
    this.#on(gicPend, (row, state) => {
      if (gicPend.read(row.words, row.at).pending) accept(row, state, argumentOf(row, 'cause'));
      else arrivals.forget(row.object);
    });
    this.#on(imsicPend, (row, state) => {
      if (imsicPend.read(row.words, row.at).pending) accept(row, state, argumentOf(row, 'cause'));
      else arrivals.forget(row.object);
    });
    this.#on(apic.apicAccept, (row, state) => {
      const { mode, posted } = apic.apicAccept.read(row.words, row.at);
      if (!apic.setsRequest(state.world.strings.text(mode))) return;
      accept(row, state);
      // The processor takes what is posted on its own, and no record tells when.
      if (posted) arrivals.forget(row.object);
    });
    this.#on(apic.apicDeliver, (row, state) => {
      accept(row, state);
      arrivals.forget(row.object);
    });
    this.#on(apic.gicSgi, accept);
    this.#on(apic.gicPending, (row, state) => {
      if (apic.gicPending.read(row.words, row.at).pending === true) accept(row, state);
      else arrivals.forget(row.object);
    });
    this.#on(apic.apicInject, (row, state) => {
      const { reinjected, extint } = apic.apicInject.read(row.words, row.at);
      if (reinjected) return;
      // What comes from the PIC was never accepted here, and no end of interrupt follows.
      if (extint === true) arrivals.forget(row.object);
      take(row, state);
    });
    for (const kind of [cpuTake, apic.vcpuTake, apic.gicAck, imsicClaim]) this.#on(kind, take);
    for (const kind of [cpuEoi, apic.apicEoi, apic.gicEoi]) this.#on(kind, finish);
    this.#on(cpuReset, ({ object }, state) => {
      const node = state.world.node(object);
      if (node !== undefined) arrivals.reset(node);
    });
  }

  #prepareDevices(): void {
    const causes = this.#causes;
    this.#on(devRaise, ({ object, time }, state) => {
      this.#clocks?.begins();
      causes.raise(object, time, isPending(state, object));
    });
    this.#on(devWithdraw, ({ object }) => causes.withdraw(object));
    this.#on(devReset, ({ object }, state) => {
      const node = state.world.node(object);
      causes.withdrawAll((entry) => ownerOf(state.world, entry) === node);
    });
    this.#on(msgSend, ({ object, time }, state) => {
      this.recorded.sends = true;
      const group = this.#group(this.grouping.owner?.(state, object));
      const latency = causes.send(object, time);
      if (group === undefined) return;
      group.sent++;
      group.latency.add(latency, this.#clocks?.since);
    });
  }
}

/** Whether a cause of an entry waits in its pending bit. */
function isPending(state: State, entry: ObjectId): boolean {
  const type = state.world.type(entry);
  const at = type === msixEntry ? msixEntry.at.pending : type === imsEntry ? imsEntry.at.pending : -1;
  return at >= 0 && state.flag(entry, at) === true;
}
