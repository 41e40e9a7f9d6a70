// What kit.json of the capture kit tells: how the clocks of the recording stand to each other, and when its snapshots were taken.
import type { Trace } from '../../trace/trace.ts';
import type { Taken } from '../join/taken.ts';
import { nanoseconds } from './seconds.ts';

/** One moment in the clocks of the machine: what the kit wrote down at the begin or the end of a snapshot. */
export interface KitClock {
  readonly snapshot: number;
  readonly at: 'begin' | 'end';
  /** The time of day lies between the two, in nanoseconds since 1970. */
  readonly realtime: bigint;
  readonly until: bigint;
  /** Nanoseconds since the machine was started; undefined where the kernel did not tell. */
  readonly uptime: bigint | undefined;
  /** The stamp that the trace gave to the mark, in nanoseconds; undefined where the mark was overwritten. */
  readonly trace: bigint | undefined;
}

/** What is read of kit.json. */
export interface Kit {
  /** Release of the kernel, such as `6.12.9`; null where it is not told. */
  readonly kernel: string | null;
  /** When the recording began, in milliseconds since 1970; null where it is not told. */
  readonly began: number | null;
  readonly traceClock: string;
  readonly clocks: readonly KitClock[];
}

const MILLI = 1_000_000n;

/** Bytes of a kit.json at most: it lists the events and the probes of a kernel. */
const MOST_BYTES = 1 << 20;

const BRACE = 0x7b;

/** Keeps the bytes of a file that may be a kit.json. */
export class KitReader {
  readonly #bytes: Uint8Array[] = [];
  #size = 0;
  #open = true;

  push(chunk: Uint8Array): void {
    if (!this.#open || chunk.length === 0) return;
    this.#size += chunk.length;
    if ((this.#bytes.length === 0 && chunk[0] !== BRACE) || this.#size > MOST_BYTES) {
      this.#open = false;
      this.#bytes.length = 0;
      return;
    }
    this.#bytes.push(new Uint8Array(chunk));
  }

  /** What the file tells; undefined where it is no kit.json. */
  end(): Kit | undefined {
    if (this.#bytes.length === 0) return undefined;
    const all = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#bytes) {
      all.set(chunk, at);
      at += chunk.length;
    }
    try {
      return kitOf(JSON.parse(new TextDecoder().decode(all)));
    } catch {
      return undefined;
    }
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a parsed kit.json tells; undefined for any other value. */
export function kitOf(value: unknown): Kit | undefined {
  if (!isObject(value) || typeof value['kit'] !== 'number' || !Array.isArray(value['clocks'])) return undefined;
  const clocks = value['clocks'].map(clockOf).filter((clock) => clock !== undefined);
  const { traceClock, kernel } = value;
  const [first] = clocks;
  return {
    kernel: typeof kernel === 'string' && kernel !== '' ? kernel : null,
    began: first === undefined ? null : Number(first.realtime / MILLI),
    traceClock: typeof traceClock === 'string' ? traceClock : '',
    clocks,
  };
}

function clockOf(value: unknown): KitClock | undefined {
  if (!isObject(value)) return undefined;
  const time = (name: string): bigint | undefined => {
    const text = value[name];
    return typeof text === 'string' ? nanoseconds(text) : undefined;
  };
  const { snapshot, at } = value;
  const [realtime, until] = [time('realtime'), time('until')];
  if (typeof snapshot !== 'number' || (at !== 'begin' && at !== 'end')) return undefined;
  if (realtime === undefined || until === undefined) return undefined;
  return { snapshot, at, realtime, until, uptime: time('uptime'), trace: time('trace') };
}

/** A file of a recording of the kit. */
interface KitFile {
  readonly file: string;
  readonly trace: Trace;
}

const NANO = 1_000_000_000n;
/** Clocks of the trace that count like /proc/uptime: seconds since the machine was started (mono: without those asleep). */
const SINCE_START = ['boot', 'mono'];

/**
 * Tells a recording of the kit what its kit.json says: the trace gets the name of its clock and its moments in the time of day. Returns when its
 * snapshots were taken, by file. `folder`: where kit.json lies; `files`: all files that were read.
 */
export function kitTimes<F extends KitFile>(folder: string, kit: Kit, files: readonly F[]): Map<F, Taken> {
  const inside = files.filter(({ file }) => file.startsWith(`${folder}/`));
  const recording = inside.find(({ file, trace }) => isBeside(file, folder) && !Number.isNaN(trace.first.start));
  const times = new Map<F, Taken>();
  if (recording === undefined) return times;
  const { trace } = recording;
  const own = (time: bigint): number => Number(time - trace.time.base * NANO);
  if (kit.traceClock !== '' && !trace.time.ticks) {
    trace.first.clock = kit.traceClock;
    trace.first.moments = kit.clocks.flatMap(({ trace: stamp, realtime, until }) =>
      stamp === undefined ? [] : [{ own: own(stamp), day: (realtime + until) / 2n }],
    );
  }
  const stampOf = ({ trace: stamp, uptime }: KitClock): bigint | undefined =>
    stamp ?? (SINCE_START.includes(kit.traceClock) ? uptime : undefined);
  for (const one of inside) {
    const number = /^snapshot-(\d+)\//.exec(one.file.slice(folder.length + 1))?.[1];
    if (number === undefined) continue;
    const stamps = (at: KitClock['at']): bigint | undefined => {
      const clock = kit.clocks.find((c) => c.at === at && c.snapshot === Number(number));
      return clock === undefined ? undefined : stampOf(clock);
    };
    const [begin, end] = [stamps('begin'), stamps('end')];
    const from = begin ?? end;
    if (from !== undefined) times.set(one, { from: own(from), to: own(end ?? from), clock: trace, by: 'kit.json' });
  }
  return times;
}

const isBeside = (file: string, folder: string): boolean => !file.slice(folder.length + 1).includes('/');
