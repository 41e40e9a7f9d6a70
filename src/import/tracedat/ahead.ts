/** Records that a thread of its own finds ahead of their reader; see thread.ts. What is read is the same as without it. */
import type { Thread } from '../helpers.ts';
import type { Loss, Ordered, Rings } from './merge.ts';
import { RecordBytes } from './record.ts';
import type { RecordAt } from './ring.ts';
import type { SymbolIndex } from './symbols.ts';
import { type Answer, type Batch, type Columns, columnsOf, type Request, type RingRequest } from './thread.ts';

/** Batches that are asked for before they are needed. */
const AHEAD = 8;
/** Records of a batch at most. */
const RECORDS = 1 << 12;

/** The thread, whose answers are those of all groups one behind the other. */
export class Reader {
  readonly #thread: Thread;
  readonly #waiting = new Map<number, Answer[]>();
  #lost = false;

  constructor(thread: Thread) {
    this.#thread = thread;
  }

  /** A number for another group. */
  enter(): number {
    const group = this.#waiting.size;
    this.#waiting.set(group, []);
    return group;
  }

  /** Has the thread make the index of a text; gives the function that waits for it: undefined where the thread failed. */
  index(text: Uint8Array): () => SymbolIndex | undefined {
    const group = this.enter();
    // The memory of the text may be that of the file.
    const copy = new Uint8Array(text);
    this.send({ is: 'index', group, text: copy }, [copy.buffer]);
    return () => {
      const answer = this.next(group);
      return answer?.is === 'indexed' ? answer.index : undefined;
    };
  }

  send(request: Request, moved: readonly ArrayBuffer[]): void {
    if (!this.#lost) this.#thread.send(request, moved);
  }

  /** The next answer for a group; undefined where the thread gives no answers any more. */
  next(group: number): Answer | undefined {
    const own = this.#waiting.get(group)!;
    while (own.length === 0 && !this.#lost) {
      const answer = this.#thread.receive() as Answer | undefined;
      if (answer === undefined) this.#lost = true;
      else this.#waiting.get(answer.group)!.push(answer);
    }
    return own.shift();
  }

  end(): void {
    this.#thread.end();
  }
}

/** Rings of one clock whose records the thread finds. */
export class RingsAhead implements Rings {
  readonly #reader: Reader;
  readonly #group: number;
  readonly #bytes: RecordBytes;
  readonly #wrong: (problem: string) => void;
  /** The same rings without the thread; used when it fails. */
  readonly #alone: () => Rings;
  #instead: Rings | undefined;
  #records: RecordsAhead | undefined;

  constructor(reader: Reader, rings: readonly RingRequest[], wrong: (problem: string) => void, alone: () => Rings) {
    this.#reader = reader;
    this.#wrong = wrong;
    this.#alone = alone;
    const { big, layout } = rings[0]!;
    this.#bytes = new RecordBytes(big, layout.long);
    this.#group = reader.enter();
    reader.send(
      { is: 'open', group: this.#group, rings, records: RECORDS },
      rings.map(({ packed }) => packed.buffer as ArrayBuffer),
    );
  }

  open(): bigint | undefined {
    const opened = this.#reader.next(this.#group);
    if (opened?.is !== 'opened') return (this.#instead = this.#alone()).open();
    for (const problem of opened.problems) this.#wrong(problem);
    return opened.stamp;
  }

  from(stamp: bigint): Ordered {
    if (this.#instead !== undefined) return this.#instead.from(stamp);
    const alone = (): Ordered => {
      const instead = (this.#instead = this.#alone());
      instead.open();
      return instead.from(stamp);
    };
    return (this.#records = new RecordsAhead(this.#reader, this.#group, this.#bytes, stamp, this.#wrong, alone));
  }

  behind(): readonly Loss[] {
    return this.#instead?.behind() ?? this.#records?.behind ?? [];
  }
}

/** The records of a group in their order: it stands at one of them. */
class RecordsAhead implements Ordered, RecordAt {
  readonly record: RecordBytes;
  readonly #reader: Reader;
  readonly #group: number;
  readonly #from: bigint;
  readonly #wrong: (problem: string) => void;
  readonly #alone: () => Ordered;
  #instead: Ordered | undefined;
  #columns: Columns = columnsOf(new ArrayBuffer(0), 0);
  #batch: Batch | undefined;
  #count = 0;
  #at = 0;
  /** The next loss of the batch that is to be told, and the record in front of which it stands. */
  #loss = 0;
  #lossAt = -1;
  /** Records of batches that were read. */
  #read = 0;
  cpu = 0;
  time = 0;
  offset = 0;
  missed = 0;
  event = -1;
  behind: readonly Loss[] = [];

  constructor(
    reader: Reader,
    group: number,
    record: RecordBytes,
    from: bigint,
    wrong: (problem: string) => void,
    alone: () => Ordered,
  ) {
    this.#reader = reader;
    this.#group = group;
    this.record = record;
    this.#from = from;
    this.#wrong = wrong;
    this.#alone = alone;
    for (let i = 0; i < AHEAD; i++) this.#ask(undefined);
  }

  get first(): RecordAt | undefined {
    if (this.#at < this.#count) return this;
    if (this.#instead !== undefined) return this.#instead.first;
    return this.#nextBatch();
  }

  next(): void {
    if (this.#instead !== undefined) this.#instead.next();
    else if (++this.#at < this.#count) this.#stand();
  }

  #ask(memory: ArrayBuffer | undefined): void {
    const moved = memory === undefined ? [] : [memory];
    this.#reader.send({ is: 'batch', group: this.#group, from: this.#from, memory }, moved);
  }

  /** Goes to the record at hand. */
  #stand(): void {
    const at = this.#at;
    const { times, offsets, starts, ends, events, cpus } = this.#columns;
    const { record } = this;
    this.time = times[at]!;
    this.offset = offsets[at]!;
    record.at = starts[at]!;
    record.end = ends[at]!;
    this.event = events[at]!;
    this.cpu = cpus[at]!;
    this.missed = at === this.#lossAt ? this.#nextLoss() : 0;
  }

  #nextLoss(): number {
    const { missed } = this.#batch!;
    const [, size] = missed[this.#loss++]!;
    this.#lossAt = missed[this.#loss]?.[0] ?? -1;
    return size;
  }

  #nextBatch(): RecordAt | undefined {
    for (;;) {
      const done = this.#batch;
      if (done?.behind !== undefined) return undefined;
      if (done !== undefined) {
        this.#read += done.count;
        this.#ask(done.memory);
      }
      const batch = this.#reader.next(this.#group);
      if (batch?.is !== 'batch') {
        this.#count = 0;
        const alone = (this.#instead = this.#alone());
        for (let i = 0; i < this.#read; i++) alone.next();
        return alone.first;
      }
      for (const problem of batch.problems) this.#wrong(problem);
      this.#batch = batch;
      this.#count = batch.count;
      this.#at = 0;
      this.#loss = 0;
      this.#lossAt = batch.missed[0]?.[0] ?? -1;
      this.behind = batch.behind ?? [];
      const columns = (this.#columns = columnsOf(batch.memory, RECORDS));
      this.record.buf = columns.data;
      this.record.view = new DataView(batch.memory, columns.data.byteOffset);
      if (batch.count === 0) continue;
      this.#stand();
      return this;
    }
  }
}
