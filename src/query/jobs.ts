import { hex64, hexText } from '../base/hex.ts';
import type { Step } from '../base/ids.ts';
import { refused } from '../model/event.ts';
import type { WordOf } from '../model/event-args.ts';
import { domAlloc, domCompose } from '../model/events/domain.ts';
import { imsStore } from '../model/events/ims.ts';
import { msgWrite } from '../model/events/irq.ts';
import { msgSend, tblWrite } from '../model/events/msix.ts';
import type { State } from '../model/state.ts';
import { irq as irqType } from '../model/things/irq.ts';
import { eventRow } from '../trace/row.ts';
import type { Trace } from '../trace/trace.ts';

/** The four jobs of a hierarchy of irq domains, in the order in which an interrupt is set up and used. */
export const JOBS = ['alloc', 'compose', 'store', 'use'] as const;

/** Allocates what the interrupt needs; composes its message; stores it for the device; uses it. */
export type Job = (typeof JOBS)[number];

/** The domains or device that do a job for an irq at a step. */
export interface JobView {
  readonly job: Job;
  /** The domains that do it, the one closest to the CPU first; for `use` the device. Empty: the trace has not shown it. */
  readonly by: readonly string[];
  /** The one of them that is at work in the event at the cursor. */
  readonly working: string | undefined;
  /** The result: the message that was composed or stored. */
  readonly result: string;
}

/** One event about a job of an irq. */
interface Done {
  readonly step: Step;
  readonly job: Job;
  readonly domain: string;
  /** What was allocated is freed. */
  readonly free: boolean;
  readonly result: string;
}

/**
 * Which domain did which job for which irq, from the events that name the domains: `dom.alloc`, `dom.compose` and `msg.write`. It is
 * made once for a trace and grows with it.
 */
export class Jobs {
  readonly #trace: Trace;
  readonly #done = new Map<number, Done[]>();
  readonly #row = eventRow(domAlloc);
  #seen = 0;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** The jobs of an irq at a step; undefined while no event up to that step tells of a hierarchy. */
  at(irq: number, state: State, cursor: Step): readonly JobView[] | undefined {
    this.#read();
    const done = (this.#done.get(irq) ?? []).filter(({ step }) => step <= cursor);
    if (done.length === 0) return undefined;
    const allocated: string[] = [];
    for (const { job, domain, free } of done) {
      if (job !== 'alloc') continue;
      const at = allocated.indexOf(domain);
      if (free && at >= 0) allocated.splice(at, 1);
      if (!free && at < 0) allocated.push(domain);
    }
    const current = done.at(-1)?.step === cursor ? done.at(-1) : undefined;
    const device = state.text(irq, irqType.at.device);
    return JOBS.map((job): JobView => {
      const last = done.findLast((d) => d.job === job);
      const at = this.#atWork(irq, state, cursor);
      if (job === 'use')
        return { job, by: device === '' ? [] : [device], working: at === 'use' ? device : undefined, result: '' };
      const by = job === 'alloc' ? allocated : last && last.domain !== '' ? [last.domain] : [];
      const working = current?.job === job ? current.domain : at === job ? by[0] : undefined;
      return { job, by, working, result: last?.result ?? '' };
    });
  }

  /** The job that an access of the device's memory, or a message of the device, is part of. */
  #atWork(irq: number, state: State, cursor: Step): Job | undefined {
    const { table, world } = this.#trace;
    if (cursor < 0) return undefined;
    const kind = table.kind(cursor);
    if (kind !== tblWrite && kind !== imsStore && kind !== msgSend) return undefined;
    const device = state.text(irq, irqType.at.device);
    const hwirq = state.num(irq, irqType.at.hwirq);
    const path = world.path(table.object(cursor));
    if (path !== `device/${device}/msix/${hwirq}` && path !== `device/${device}/ims/${hwirq}`) return undefined;
    if (kind === msgSend) return 'use';
    // Offset 12 is the control dword: a write there masks or unmasks, it stores no message.
    return table.word(cursor, kind.at['offset']!) === 12 ? undefined : 'store';
  }

  #read(): void {
    const { table, length } = this.#trace;
    for (; this.#seen < length; this.#seen++) {
      const kind = table.kind(this.#seen);
      // A refused job was not done.
      if (kind !== domAlloc && kind !== domCompose && kind !== msgWrite) continue;
      const { words, at } = table.read(this.#seen, this.#row);
      if (kind === domAlloc) {
        const a = domAlloc.read(words, at);
        if (!refused(a.ret)) this.#note('alloc', this.#text(a.domain), a.free, '');
      } else if (kind === domCompose) {
        const a = domCompose.read(words, at);
        if (!refused(a.ret)) this.#note('compose', this.#text(a.domain), false, messageText(a.address, a.data));
      } else {
        const a = msgWrite.read(words, at);
        this.#note('store', a.domain === undefined ? '' : this.#text(a.domain), false, messageText(a.address, a.data));
      }
    }
  }

  #text(id: number): string {
    return this.#trace.world.strings.text(id);
  }

  /** Takes a job down that the event of `#row` tells of. */
  #note(job: Job, domain: string, free: boolean, result: string): void {
    const irq = this.#row.object;
    const step = this.#seen;
    const list = this.#done.get(irq);
    const done = { step, job, domain, free, result };
    if (list) list.push(done);
    else this.#done.set(irq, [done]);
  }
}

const messageText = (address: WordOf, data: number): string =>
  `address ${hex64(address(1), address(0))}, data ${hexText(data)}`;
