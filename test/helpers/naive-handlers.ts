// Counts and times of handlers from the text of a kernel trace, as a script of a few lines would take them: one pass over the
// lines with regular expressions. It shares no code with the product.
import assert from 'node:assert/strict';

/** Counts and service times (in microseconds) by key. */
export class Tally {
  readonly count = new Map<string, number>();
  readonly times = new Map<string, number[]>();

  add(key: string): void {
    this.count.set(key, (this.count.get(key) ?? 0) + 1);
  }

  time(key: string, us: number): void {
    const times = this.times.get(key);
    if (times) times.push(us);
    else this.times.set(key, [us]);
  }

  /** The value that at least so many percent of the times do not exceed, as seconds with six digits; null without any. */
  percentile(key: string, percent: number): string | null {
    const sorted = [...(this.times.get(key) ?? [])].sort((a, b) => a - b);
    if (sorted.length === 0) return null;
    let rank = 0;
    while (((rank + 1) / sorted.length) * 100 < percent) rank++;
    return (sorted[rank]! / 1e6).toFixed(6);
  }
}

export interface Naive {
  readonly irqs: Tally;
  readonly cpus: Tally;
  /** System vectors, by CPU and number: `cpu/0/vector/236`. */
  readonly vectors: Tally;
  /** Exits of virtual CPUs. */
  readonly exits: Map<string, number>;
  readonly lossMarks: number;
}

/** A stamp in microseconds. */
function micros(seconds: string, fraction: string): number {
  assert.equal(fraction.length, 6);
  return Number(seconds) * 1_000_000 + Number(fraction);
}

/** Reads a trace with stamps of six digits. Lines of lost events end whatever ran on their CPU. */
export function naiveHandlers(text: string): Naive {
  const [irqs, cpus, vectors] = [new Tally(), new Tally(), new Tally()];
  const exits = new Map<string, number>();
  const open = new Map<string, number>();
  let lossMarks = 0;
  for (const line of text.split('\n')) {
    const loss = /^CPU:(\d+) \[LOST/.exec(line);
    if (loss) {
      lossMarks++;
      for (const key of open.keys()) if (key.startsWith(`${loss[1]} `)) open.delete(key);
      continue;
    }
    const m = /\[(\d+)\]\s+(?:\S+\s+)?(\d+)\.(\d+): (\w+): (.*)$/.exec(line);
    if (!m) continue;
    const [, place, seconds, fraction, name, rest] = m;
    const cpu = String(Number(place));
    const irq = /^irq=(\d+)/.exec(rest!)?.[1];
    const vector = /^vector=(\d+)$/.exec(rest!)?.[1];
    const now = micros(seconds!, fraction!);
    if (name === 'irq_handler_entry') {
      irqs.add(`irq/${irq}`);
      cpus.add(`cpu/${cpu}`);
      open.set(`${cpu} irq ${irq}`, now);
    } else if (name === 'irq_handler_exit') {
      const since = open.get(`${cpu} irq ${irq}`);
      open.delete(`${cpu} irq ${irq}`);
      if (since === undefined) continue;
      irqs.time(`irq/${irq}`, now - since);
      cpus.time(`cpu/${cpu}`, now - since);
    } else if (vector !== undefined && name!.endsWith('_entry')) {
      vectors.add(`cpu/${cpu}/vector/${vector}`);
      open.set(`${cpu} vector ${vector}`, now);
    } else if (vector !== undefined && name!.endsWith('_exit')) {
      const since = open.get(`${cpu} vector ${vector}`);
      open.delete(`${cpu} vector ${vector}`);
      if (since !== undefined) vectors.time(`cpu/${cpu}/vector/${vector}`, now - since);
    } else if (name === 'kvm_exit') {
      const vcpu = /^vcpu (\d+) /.exec(rest!)?.[1];
      if (vcpu !== undefined) exits.set(`vcpu/${vcpu}`, (exits.get(`vcpu/${vcpu}`) ?? 0) + 1);
    }
  }
  return { irqs, cpus, vectors, exits, lossMarks };
}
