/** What the options of a trace.dat file say of the machine and of the recording. */
import { textOf } from '../../base/bytes.ts';
import type { Source, ToldShift } from '../../trace/source.ts';
import { optionTexts, type StampClock } from './clock.ts';
import { type Contents, OPTION, optionCursor } from './contents.ts';
import { type Cursor, Trouble } from './file.ts';
import { checkCpus } from './parts.ts';

/** Bytes of lists of names that are read. */
const LONGEST_LIST = 1 << 24;

/** The names of processes by their numbers: lines `pid name` (saved_cmdlines of tracefs). */
export function processNames(cmdlines: Uint8Array): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of textOf(cmdlines, 0, Math.min(cmdlines.length, LONGEST_LIST)).split('\n')) {
    const m = /^(\d{1,10}) (.{1,64})$/.exec(line);
    if (m) names.set(Number(m[1]), m[2]!);
  }
  return names;
}

/** Says in words what the file tells: its version and packing, who wrote it, the kernel, its instances. */
export function tellFacts(source: Source, contents: Contents): void {
  const { head } = contents;
  const [writer] = optionTexts(contents, OPTION.version);
  // sysname, nodename, release, machine (uname); the name of the machine is nobody's business.
  const uname = optionTexts(contents, OPTION.uname)[0]?.split(' ') ?? [];
  if (uname.length >= 4) source.kernel = uname[2];
  const instances = contents.buffers.map(({ name }) => name).filter((name) => name !== '');
  const parts = [
    `version ${head.version}`,
    head.version === 6 ? '' : head.packing === 'none' ? 'not packed' : head.packing,
    head.big ? 'big-endian' : '',
    writer === undefined ? '' : `trace-cmd ${writer.split(' ')[0]}`,
    uname.length < 4 ? '' : `kernel ${uname[2]} ${uname.at(-1)}`,
    instances.length === 0 ? '' : `${instances.length === 1 ? 'instance' : 'instances'} ${instances.join(', ')}`,
  ];
  source.variant = parts.filter((part) => part !== '').join(', ');
}

/** How many CPUs the machine has, as an option tells; 0 where none does. */
export function cpuCount(contents: Contents): number {
  for (const option of contents.options)
    if (option.id === OPTION.cpuCount && option.data.size >= 4)
      return guarded(contents, 0, () =>
        checkCpus(optionCursor(option, contents.head.big).number(4, 'the number of CPUs'), option.place),
      );
  return 0;
}

/**
 * How many events the kernel lost, by CPU, as the options with the statistics of each buffer tell (per_cpu/cpuN/stats of tracefs): overwritten before they were read
 * (overrun), interrupted in the middle (commit overrun), and refused by a full buffer (dropped events; kernel/trace/ring_buffer.c). Statistics of instances
 * name the same CPUs again: then all are under -1.
 */
export function statedLosses({ options }: Contents): Map<number, number> {
  const losses = new Map<number, number>();
  let again = false;
  for (const { id, data } of options) {
    if (id !== OPTION.cpuStat) continue;
    const text = textOf(data.slice(0, Math.min(data.size, 1000)));
    const number = (name: string): number => Number(new RegExp(`^${name}: (\\d{1,15})`, 'm').exec(text)?.[1] ?? 0);
    const cpu = number('CPU');
    again ||= losses.has(cpu);
    const lost = number('overrun') + number('commit overrun') + number('dropped events');
    losses.set(cpu, (losses.get(cpu) ?? 0) + lost);
  }
  if (!again) return losses;
  return new Map([[-1, [...losses.values()].reduce((a, b) => a + b, 0)]]);
}

/** The threads that run CPUs of guests, as options tell: each CPU of a guest is a thread of the virtual machine monitor. */
export function guestThreads(contents: Contents): { readonly thread: number; readonly vcpu: number }[] {
  const threads: { thread: number; vcpu: number }[] = [];
  for (const option of contents.options) {
    if (option.id !== OPTION.guest) continue;
    guarded(contents, undefined, () => {
      const what = 'the option of a guest';
      const c = optionCursor(option, contents.head.big);
      c.text(what);
      c.number(8, what);
      const count = checkCpus(c.number(4, what), option.place);
      for (let i = 0; i < count; i++) {
        const vcpu = c.number(4, what);
        threads.push({ vcpu, thread: c.number(4, what) });
      }
    });
  }
  return threads;
}

/** The name of the recording; undefined where the file tells none. */
export function recordingOf(contents: Contents): string | undefined {
  const option = contents.options.find(({ id, data }) => id === OPTION.traceId && data.size >= 8);
  if (option === undefined) return undefined;
  return guarded(contents, undefined, () =>
    hexOf(optionCursor(option, contents.head.big).wide('the name of the recording')),
  );
}

const hexOf = (n: bigint): string => n.toString(16).padStart(16, '0');

/** One measurement of a guest's clock against that of its host: stamps of the guest, times `scale`, plus `offset` are those of the host. */
interface Measured {
  readonly time: bigint;
  readonly offset: bigint;
  readonly scale: number;
}

/** What the file tells of its clock and that of its host: the measurements of the first CPU that has some, and those of the others. */
export function shiftOf(
  contents: Contents,
  { ticks, scale, shift: added }: StampClock,
  base: bigint,
): ToldShift | undefined {
  const option = contents.options.find(({ id }) => id === OPTION.timeShift);
  if (option === undefined || ticks) return undefined;
  const found = guarded(contents, undefined, () => measurements(optionCursor(option, contents.head.big), option.place));
  const [first] = found?.samples ?? [];
  const last = found?.samples.at(-1);
  if (found === undefined || first === undefined || last === undefined) return undefined;
  /** Counts of the clock, or differences of them, in nanoseconds. */
  const ns = (n: bigint): bigint => (scale === undefined ? n : (n * scale.mult) >> scale.shift);
  const origin = Number(ns(first.time) + added - base);
  const span = Number(ns(last.time - first.time));
  const differ = Number(ns(last.offset - first.offset));
  // Between measurements the offset goes over from one to the next; a scale counts for the whole stamp.
  const scaled = (first.scale - 1) * Number(ns(first.time));
  const rate = first.scale - 1 + (span > 0 ? differ / span : 0);
  const offset = ns(first.offset) + BigInt(Math.round(scaled));
  const line = ({ time }: Measured): number =>
    Number(ns(first.offset)) + (span > 0 ? (differ * Number(ns(time - first.time))) / span : 0);
  const uncertainty = Math.ceil(
    found.all.reduce((most, each) => Math.max(most, Math.abs(Number(ns(each.offset)) - line(each))), 0),
  );
  return { to: found.peer, offset, rate, origin, uncertainty };
}

function measurements(
  c: Cursor,
  place: string,
): { readonly peer: string; readonly samples: readonly Measured[]; readonly all: readonly Measured[] } {
  const what = 'the option of clock shifts';
  const peer = hexOf(c.wide(what));
  c.number(4, what);
  const cpus = checkCpus(c.number(4, what), place);
  const signed = (): bigint => BigInt.asIntN(64, c.wide(what));
  const lists: { time: bigint; offset: bigint; scaling: bigint; fraction: bigint }[][] = [];
  for (let cpu = 0; cpu < cpus; cpu++) {
    const list: (typeof lists)[number] = [];
    const count = c.number(4, what);
    if (count * 24 > c.left) throw new Trouble(`has too few bytes for ${what} ${place}`);
    for (let i = 0; i < count; i++) list.push({ time: c.wide(what), offset: 0n, scaling: 1n, fraction: 0n });
    for (const each of list) each.offset = signed();
    for (const each of list) each.scaling = c.wide(what);
    lists.push(list);
  }
  // Programs before 3.0 of trace-cmd wrote no fractions.
  if (c.left > 0) for (const list of lists) for (const each of list) each.fraction = c.wide(what);
  const measured = lists.map((list) =>
    list
      .map(({ time, offset, scaling, fraction }) => ({
        time,
        offset,
        scale: scaling === 0n || fraction > 63n ? 1 : Number(scaling) / 2 ** Number(fraction),
      }))
      .sort((x, y) => (x.time < y.time ? -1 : x.time > y.time ? 1 : 0)),
  );
  return { peer, samples: measured.find((list) => list.length > 0) ?? [], all: measured.flat() };
}

function guarded<T>(contents: Contents, otherwise: T, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    contents.wrong(error.message);
    return otherwise;
  }
}
