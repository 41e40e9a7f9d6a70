/** The clocks of the ring buffer (trace_clocks of kernel/trace/trace.c), and what a file says of how its stamps become times. */
import { textOf } from '../../base/bytes.ts';
import { type Contents, OPTION, type Option, optionCursor } from './contents.ts';
import { Trouble } from './file.ts';

/** Clocks that count something else than nanoseconds. */
const COUNTING = new Set(['counter', 'uptime', 'x86-tsc', 'ppc-tb']);

/** How stamps become nanoseconds: times `mult`, divided by a power of two. */
export interface Scale {
  readonly mult: bigint;
  readonly shift: bigint;
}

/** How the stamps of a buffer are read. */
export interface StampClock {
  /** Its name, as the kernel calls it. */
  readonly name: string;
  /** Stamps are counts of something. */
  readonly ticks: boolean;
  readonly scale: Scale | undefined;
  /** Nanoseconds that are added, as options say. */
  readonly shift: bigint;
}

/** The texts of options of one number, without the NUL that ends them. */
export function optionTexts({ options }: Contents, id: number): string[] {
  return options.filter((option) => option.id === id).map(textOfOption);
}

function textOfOption({ data }: Option): string {
  const bytes = data.slice(0, Math.min(data.size, 1 << 16));
  const end = bytes.indexOf(0);
  return textOf(bytes, 0, end < 0 ? bytes.length : end);
}

/** The clock that the file tells for all its buffers: the one in brackets, in what the kernel says of its clocks. */
export function clockOfFile(contents: Contents): string {
  for (const text of optionTexts(contents, OPTION.traceClock)) {
    const name = /\[([\w-]{1,40})\]/.exec(text)?.[1];
    if (name !== undefined) return name;
  }
  return '';
}

/** How stamps of a clock are read. */
export function stampClock(name: string, contents: Contents): StampClock {
  const ticks = COUNTING.has(name);
  const scale = ticks ? scaleOf(contents) : undefined;
  // DATE tells microseconds, OFFSET nanoseconds; both count for nanoseconds only.
  const shift = sumOf(optionTexts(contents, OPTION.date)) * 1000n + sumOf(optionTexts(contents, OPTION.offset));
  const counts = ticks && scale === undefined;
  return { name, ticks: counts, scale, shift: counts ? 0n : shift };
}

/** Numbers in C notation, added. */
function sumOf(texts: readonly string[]): bigint {
  let sum = 0n;
  for (const text of texts) {
    const m = /^\s*(-?)(0x[\da-f]{1,16}|\d{1,20})/i.exec(text);
    if (m) sum += (m[1] === '-' ? -1n : 1n) * BigInt(m[2]!);
  }
  return BigInt.asIntN(64, sum);
}

/** What the option TSC2NSEC says. */
function scaleOf({ options, head, wrong }: Contents): Scale | undefined {
  const option = options.find(({ id, data }) => id === OPTION.tscToNs && data.size >= 16);
  if (option === undefined) return undefined;
  try {
    const c = optionCursor(option, head.big);
    const mult = c.number(4, 'the rate of the clock');
    const shift = c.number(4, 'the rate of the clock');
    return mult === 0 || shift > 63 ? undefined : { mult: BigInt(mult), shift: BigInt(shift) };
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    wrong(error.message);
    return undefined;
  }
}
