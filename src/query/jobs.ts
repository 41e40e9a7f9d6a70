import { hex64, hexText } from '../base/hex.ts';
import type { EventKind } from '../model/event.ts';
import { domAlloc, domCompose } from '../model/events/domain.ts';
import { imsStore } from '../model/events/ims.ts';
import { msgWrite } from '../model/events/irq.ts';
import { msgSend, tblWrite } from '../model/events/msix.ts';
import type { State } from '../model/state.ts';
import { irq as irqType } from '../model/things/irq.ts';
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
  readonly step: number;
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
  #seen = 0;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** The jobs of an irq at a step; undefined while no event up to that step tells of a hierarchy. */
  at(irq: number, state: State, cursor: number): readonly JobView[] | undefined {
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
  #atWork(irq: number, state: State, cursor: number): Job | undefined {
    const { table, world } = this.#trace;
    if (cursor < 0) return undefined;
    const kind: EventKind = table.kind(cursor);
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
      if (kind === domAlloc) this.#note(this.#seen, 'alloc', kind);
      else if (kind === domCompose) this.#note(this.#seen, 'compose', kind);
      else if (kind === msgWrite) this.#note(this.#seen, 'store', kind);
    }
  }

  #note(step: number, job: Job, kind: EventKind): void {
    const { table, world } = this.#trace;
    const has = (name: string): boolean => {
      const bit = kind.bit[name];
      return bit !== undefined && (bit === 0 || (table.word(step, 0) & bit) !== 0);
    };
    const word = (name: string, i = 0): number => table.word(step, kind.at[name]! + i);
    // A refused job was not done.
    if (has('ret') && word('ret') !== 0) return;
    const irq = table.object(step);
    const domain = has('domain') ? world.strings.text(word('domain')) : '';
    const free = job === 'alloc' && word('free') !== 0;
    const message = (): string =>
      `address ${hex64(word('address', 1), word('address'))}, data ${hexText(word('data'))}`;
    const result = job === 'alloc' ? '' : message();
    const list = this.#done.get(irq);
    const done = { step, job, domain, free, result };
    if (list) list.push(done);
    else this.#done.set(irq, [done]);
  }
}
