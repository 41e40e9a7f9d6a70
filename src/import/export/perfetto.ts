/**
 * Trace Event JSON, which ui.perfetto.dev and chrome://tracing open ("Trace Event Format", Google, 2016): a track for each object, spans for
 * handlers and for runs of virtual CPUs, and flows for deliveries.
 */

import { byName } from '../../base/by-name.ts';
import { u32Column } from '../../base/columns.ts';
import type { Step } from '../../base/ids.ts';
import { sysEntry, sysExit, threadEntry, threadExit } from '../../model/events/cpu.ts';
import { irqEntry, irqExit } from '../../model/events/irq.ts';
import { kvmEntry, kvmExit } from '../../model/events/virt.ts';
import type { Delivery } from '../../query/delivery/delivery.ts';
import { DeliveryTracker } from '../../query/delivery/tracker.ts';
import { viewEvent } from '../../query/events.ts';
import type { Trace } from '../../trace/trace.ts';
import { Walk } from '../../trace/walk.ts';

/** Groups of tracks, called processes in the format, in the order in which they are shown. */
const GROUPS = ['devices', 'irqs', 'translation', 'CPUs', 'virtual CPUs', 'VFIO and KVM', 'other'] as const;
type Group = (typeof GROUPS)[number];

const GROUP_OF: Readonly<Record<string, Group>> = byName({
  device: 'devices',
  table: 'devices',
  irq: 'irqs',
  irte: 'translation',
  its: 'translation',
  iommufd: 'translation',
  domain: 'irqs',
  cpu: 'CPUs',
  vcpu: 'virtual CPUs',
  kvm: 'VFIO and KVM',
  vfio: 'VFIO and KVM',
});

/** A track: who it belongs to, its system as paths begin with it, the time of its last event, and the spans that are open on it. */
interface Track {
  readonly pid: number;
  readonly tid: number;
  readonly system: string;
  last: number;
  readonly open: Span[];
}

/** What runs on a track: the object, and the CPU whose record told its beginning. */
interface Span {
  readonly object: string;
  readonly cpu: number | null;
}

/** The system of an object as its path begins with it: `guest:`; empty for the first one. */
const systemOf = (path: string): string => /^[^:/]+:(?=[^:/])/.exec(path)?.[0] ?? '';

/** What a delivery does at an event: it begins, goes on, or ends there. */
interface FlowPoint {
  readonly id: number;
  readonly phase: 's' | 't' | 'f';
}

/** Pairs of kinds between which something runs; the first names it. */
const BEGINS = new Set([irqEntry.name, sysEntry.name, threadEntry.name, kvmEntry.name]);
const ENDS = new Set([irqExit.name, sysExit.name, threadExit.name, kvmExit.name]);

/** The events of a trace as one JSON document, in pieces. */
export function* perfetto(trace: Trace): Generator<string> {
  const flows = new Flows(trace);
  const writer = new Writer(trace);
  yield '{"displayTimeUnit":"ns","traceEvents":[\n';
  yield* writer.groups();
  for (let step = 0; step < trace.length; step++) yield* writer.event(step, flows.at(step));
  yield* writer.end();
  yield `\n],"otherData":${JSON.stringify({ source: trace.first.file, clock: trace.first.clock })}}\n`;
}

const PHASES = ['s', 't', 'f'] as const;

/** The points of all deliveries that more than one event belongs to, by step: numbers in columns, as a long trace has more of them than a Map holds. */
class Flows {
  /** Of each step, one more than the place of its last point; 0 none. */
  readonly #last: Uint32Array;
  /** Of each point, one more than the place of the point before it at the same step; 0 none. */
  readonly #before = u32Column();
  /** Of each point, three times the number of its delivery, and its phase. */
  readonly #points = u32Column();

  constructor(trace: Trace) {
    this.#last = new Uint32Array(trace.length);
    let id = 0;
    const done = ({ hops }: Delivery): void => {
      if (hops.length < 2) return;
      id++;
      for (const [i, { step }] of hops.entries()) this.#add(step, id, i === 0 ? 0 : i === hops.length - 1 ? 2 : 1);
    };
    const tracker = new DeliveryTracker(trace, done);
    new Walk(trace, [tracker]).advance(trace.length);
    for (const delivery of tracker.slots.open) done(delivery);
  }

  #add(step: Step, id: number, phase: number): void {
    this.#before.push(this.#last[step]!);
    this.#points.push(id * PHASES.length + phase);
    this.#last[step] = this.#points.length;
  }

  /** The points at a step, in the order of their deliveries. */
  at(step: Step): FlowPoint[] {
    const found: FlowPoint[] = [];
    for (let at = this.#last[step]!; at > 0; at = this.#before.get(at - 1)) {
      const point = this.#points.get(at - 1);
      found.push({ id: Math.floor(point / PHASES.length), phase: PHASES[point % PHASES.length]! });
    }
    return found.reverse();
  }
}

class Writer {
  readonly #trace: Trace;
  readonly #tracks = new Map<string, Track>();
  readonly #start: number;
  #first = true;
  /** The last time of all, in microseconds: where an event has none, it stands there. */
  #now = 0;

  constructor(trace: Trace) {
    this.#trace = trace;
    let start = Number.POSITIVE_INFINITY;
    for (let step = 0; step < trace.length; step++) {
      const time = trace.table.time(step);
      if (time < start) start = time;
    }
    this.#start = Number.isFinite(start) ? start : 0;
  }

  /** Names the groups. */
  *groups(): Generator<string> {
    for (const [i, name] of GROUPS.entries()) {
      yield this.#json({ ph: 'M', name: 'process_name', pid: i + 1, tid: 0, args: { name } });
      yield this.#json({ ph: 'M', name: 'process_sort_index', pid: i + 1, tid: 0, args: { sort_index: i } });
    }
  }

  *event(step: Step, flows: readonly FlowPoint[]): Generator<string> {
    const { kind, object, fields, cpu, task } = viewEvent(this.#trace, step);
    const time = this.#trace.table.time(step);
    if (!Number.isNaN(time)) this.#now = (time - this.#start) / (this.#trace.time.ticks ? 1 : 1000);
    const begins = BEGINS.has(kind);
    const ends = ENDS.has(kind);
    // What runs, runs on a processor.
    const place =
      (begins || ends) && cpu !== null && kind !== kvmEntry.name && kind !== kvmExit.name
        ? this.#cpu(object, cpu)
        : object;
    const track = this.#track(place);
    if (track.fresh)
      yield this.#json({ ph: 'M', name: 'thread_name', pid: track.pid, tid: track.tid, args: { name: place } });
    const { of } = track;
    const ts = Math.max(of.last, this.#now);
    of.last = ts;
    const { pid, tid } = of;
    const args = { step, ...fields, ...(task === undefined ? {} : { task }) };
    const name = typeof fields['name'] === 'string' ? `${object} ${fields['name']}` : object;
    if (begins) {
      of.open.push({ object, cpu });
      yield this.#json({ ph: 'B', name, cat: kind, pid, tid, ts, args });
    } else if (ends && of.open.at(-1)?.object === object) {
      of.open.pop();
      yield this.#json({ ph: 'E', pid, tid, ts, args });
    } else yield this.#json({ ph: 'X', name: kind, cat: kind, pid, tid, ts, dur: 0, args });
    for (const { id, phase } of flows)
      yield this.#json({
        ph: phase,
        id,
        name: 'delivery',
        cat: 'delivery',
        pid,
        tid,
        ts,
        ...(phase === 'f' ? { bp: 'e' } : {}),
      });
    if (this.#trace.table.kind(step).role === 'loss') yield* this.#close(systemOf(object), cpu);
  }

  /** Ends what is still open. */
  *end(): Generator<string> {
    yield* this.#close(undefined, null);
  }

  /**
   * Ends the spans of a system (undefined: of all) that began on a CPU (null: on any): events were lost, or there are no more. Of a virtual
   * CPU counts where it ran, not its number.
   */
  *#close(system: string | undefined, cpu: number | null): Generator<string> {
    for (const track of this.#tracks.values()) {
      if (system !== undefined && track.system !== system) continue;
      if (cpu !== null && !track.open.some((span) => span.cpu === cpu)) continue;
      track.last = Math.max(track.last, this.#now);
      for (; track.open.length > 0; track.open.pop())
        yield this.#json({ ph: 'E', pid: track.pid, tid: track.tid, ts: track.last });
    }
  }

  /** The CPU that records an event, in the system of the object. */
  #cpu(object: string, cpu: number): string {
    return `${systemOf(object)}cpu/${cpu}`;
  }

  #track(place: string): { readonly of: Track; readonly fresh: boolean; readonly pid: number; readonly tid: number } {
    const known = this.#tracks.get(place);
    if (known !== undefined) return { of: known, fresh: false, pid: known.pid, tid: known.tid };
    const system = systemOf(place);
    const root = place.slice(system.length).split('/')[0]!;
    const pid = GROUPS.indexOf(GROUP_OF[root] ?? 'other') + 1;
    const track: Track = { pid, tid: this.#tracks.size + 1, system, last: 0, open: [] };
    this.#tracks.set(place, track);
    return { of: track, fresh: true, pid, tid: track.tid };
  }

  #json(event: object): string {
    const separator = this.#first ? '' : ',\n';
    this.#first = false;
    return separator + JSON.stringify(event);
  }
}
