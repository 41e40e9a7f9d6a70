/**
 * /proc/softirqs: a header with the possible CPUs, and a line for each softirq. Source of the format: fs/proc/softirqs.c.
 * What it cannot tell: its time.
 */
import { listOf } from '../../base/cpu-list.ts';
import { snapCount } from '../../model/events/snapshot/listing.ts';
import { kernelCount } from '../../model/things/snapshot.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { BROKEN_OFF, isLabelled, SnapshotReader } from './reader.ts';

/** Names of softirqs (kernel/softirq.c softirq_to_name), of all versions. */
export const SOFTIRQS: ReadonlySet<string> = new Set([
  ...['HI', 'TIMER', 'NET_TX', 'NET_RX', 'BLOCK', 'IRQ_POLL', 'BLOCK_IOPOLL', 'TASKLET', 'SCHED', 'HRTIMER', 'RCU'],
]);

interface Row {
  readonly name: string;
  readonly counts: readonly number[];
}

const ROW = /^ *([A-Z_]{2,12}):((?: +\d{1,10})+)$/;

export class SoftirqsReader extends SnapshotReader<Row> {
  constructor(out: TraceBuilder) {
    super(out, 'proc-softirqs');
  }

  protected may(buf: Uint8Array, start: number): boolean {
    return isLabelled(buf, start);
  }

  protected parse(line: string): Row | typeof BROKEN_OFF | undefined {
    const m = ROW.exec(line);
    if (m === null || !SOFTIRQS.has(m[1]!)) return undefined;
    const counts = m[2]!.trim().split(/ +/).map(Number);
    if (this.cpus !== undefined && counts.length < this.cpus.length) return BROKEN_OFF;
    return { name: m[1]!, counts };
  }

  protected take({ name, counts }: Row): undefined {
    const { out } = this;
    const { strings } = out.world;
    const event = snapCount.put().counts(strings.intern(counts.join(' ')));
    if (this.cpus?.length === counts.length) event.cpus(strings.intern(listOf(this.cpus)));
    out.emit(event, out.world.object(kernelCount, `softirq/${name}`));
  }

  protected variant(): string {
    return '';
  }
}
