/** Records that a thread of its own finds ahead of their reader; see thread.ts. What is read is the same as without it. */
import type { Thread } from '../helpers.ts';
import { RecordBytes } from './record.ts';
import type { RecordStream } from './ring.ts';
import { type Answer, type Batch, type BatchRequest, type Columns, columnsOf, type OpenRequest } from './thread.ts';

/** Batches of a ring that are asked for before they are needed. */
const AHEAD = 2;
const NO_RECORDS = new ArrayBuffer(0);

/** The thread, whose answers are those of all rings one behind the other. */
export class Reader {
  readonly #thread: Thread;
  readonly #waiting = new Map<number, Answer[]>();
  #rings = 0;
  #lost = false;

  constructor(thread: Thread) {
    this.#thread = thread;
  }

  /** A number for another ring. */
  enter(): number {
    this.#waiting.set(this.#rings, []);
    return this.#rings++;
  }

  send(request: OpenRequest | BatchRequest, moved: readonly ArrayBuffer[]): void {
    if (!this.#lost) this.#thread.send(request, moved);
  }

  /** The next answer for a ring; undefined where the thread gives no answers any more. */
  next(ring: number): Answer | undefined {
    const own = this.#waiting.get(ring)!;
    while (own.length === 0 && !this.#lost) {
      const answer = this.#thread.receive() as Answer | undefined;
      if (answer === undefined) this.#lost = true;
      else this.#waiting.get(answer.ring)!.push(answer);
    }
    return own.shift();
  }

  end(): void {
    this.#thread.end();
  }
}

/** The records of one CPU that the thread finds. */
export class RingAhead implements RecordStream {
  readonly cpu: number;
  readonly record: RecordBytes;
  readonly #reader: Reader;
  readonly #request: Omit<OpenRequest, 'is' | 'ring' | 'packed'>;
  readonly #ring: number;
  readonly #wrong: (problem: string) => void;
  /** The same records without the thread; used when it fails. */
  readonly #alone: () => RecordStream;
  #instead: RecordStream | undefined;
  #from = 0n;
  #columns: Columns = columnsOf(NO_RECORDS, 0, 0);
  #batch: Batch | undefined;
  #at = -1;
  /** Places in the batch at which something is to be told. */
  #missed = 0;
  #problem = 0;
  /** Records of batches that were read. */
  #read = 0;
  time = 0;
  offset = 0;
  missed = 0;
  event = -1;

  constructor(
    reader: Reader,
    cpu: number,
    request: Omit<OpenRequest, 'is' | 'ring'>,
    wrong: (problem: string) => void,
    alone: () => RecordStream,
  ) {
    this.cpu = cpu;
    this.#reader = reader;
    this.#request = request;
    this.#wrong = wrong;
    this.#alone = alone;
    this.record = new RecordBytes(request.big, request.layout.long);
    this.#ring = reader.enter();
    reader.send({ is: 'open', ring: this.#ring, ...request }, [request.packed.buffer as ArrayBuffer]);
  }

  open(): bigint | undefined {
    const opened = this.#reader.next(this.#ring);
    if (opened?.is !== 'opened') {
      const alone = this.#goAlone();
      const stamp = alone.open();
      this.missed = alone.missed;
      return stamp;
    }
    this.missed = opened.missed;
    for (const problem of opened.problems) this.#wrong(problem);
    return opened.stamp;
  }

  from(stamp: bigint): void {
    this.#from = stamp;
    if (this.#instead === undefined) for (let i = 0; i < AHEAD; i++) this.#ask(undefined);
    else this.#instead.from(stamp);
  }

  #ask(memory: ArrayBuffer | undefined): void {
    this.#reader.send(
      { is: 'batch', ring: this.#ring, from: this.#from, memory },
      memory === undefined ? [] : [memory],
    );
  }

  next(): boolean {
    if (this.#instead !== undefined) return this.#nextAlone(this.#instead);
    const at = ++this.#at;
    const batch = this.#batch;
    if (batch === undefined || at >= batch.count) return this.#nextBatch();
    const { times, offsets, starts, ends, events } = this.#columns;
    const { record } = this;
    this.time = times[at]!;
    this.offset = offsets[at]!;
    record.at = starts[at]!;
    record.end = ends[at]!;
    this.event = events[at]!;
    this.#tell(batch, at);
    return true;
  }

  /** Tells what stands in front of the record at a place. */
  #tell(batch: Batch, at: number): void {
    while (this.#problem < batch.problems.length && batch.problems[this.#problem]![0] === at)
      this.#wrong(batch.problems[this.#problem++]![1]);
    this.missed = 0;
    if (this.#missed < batch.missed.length && batch.missed[this.#missed]![0] === at)
      this.missed = batch.missed[this.#missed++]![1];
  }

  #nextBatch(): boolean {
    const done = this.#batch;
    if (done?.last === true) {
      this.#at = done.count;
      this.#tell(done, done.count);
      return false;
    }
    if (done !== undefined) {
      this.#read += done.count;
      this.#ask(done.memory);
    }
    const batch = this.#reader.next(this.#ring);
    if (batch?.is !== 'batch') {
      const alone = this.#goAlone();
      alone.open();
      alone.from(this.#from);
      for (let i = 0; i < this.#read; i++) alone.next();
      return this.#nextAlone(alone);
    }
    const { pages, layout } = this.#request;
    this.#batch = batch;
    this.#columns = columnsOf(batch.memory, pages, layout.size);
    this.record.buf = this.#columns.pages;
    this.record.view = new DataView(batch.memory, this.#columns.pages.byteOffset);
    this.#at = -1;
    this.#missed = this.#problem = 0;
    return this.next();
  }

  #goAlone = (): RecordStream => (this.#instead ??= this.#alone());

  #nextAlone(alone: RecordStream): boolean {
    const { record } = this;
    const found = alone.next();
    this.missed = alone.missed;
    this.time = alone.time;
    this.offset = alone.offset;
    this.event = alone.event;
    record.buf = alone.record.buf;
    record.view = alone.record.view;
    record.at = alone.record.at;
    record.end = alone.record.end;
    return found;
  }
}
