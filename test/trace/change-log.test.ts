// The change log and its blocks of events, against a plain list of the same writes.
import assert from 'node:assert/strict';
import type { State } from '../../src/model/state.ts';
import { ChangeLog } from '../../src/trace/change-log.ts';
import { BLOCK, ObjectBlocks } from '../../src/trace/object-blocks.ts';
import { randomWords } from '../model/random.ts';

interface Write {
  readonly cell: number;
  /** Undefined: the cell was written with what it held. */
  readonly to?: readonly [value: number, known: number];
}

/** A log, and what was written to it, event by event. */
class Told {
  readonly log = new ChangeLog();
  readonly events: Write[][] = [];
  readonly objects: number[] = [];

  event(object: number, time: number, writes: readonly Write[]): void {
    this.log.begin(object, time);
    for (const { cell, to } of writes)
      if (to === undefined) this.log.rewritten(object, cell);
      else this.log.changed(object, cell, ...to);
    this.log.end();
    this.events.push([...writes]);
    this.objects.push(object);
  }

  truncate(events: number): void {
    this.log.truncate(events);
    this.events.length = events;
    this.objects.length = events;
  }

  /** All entries of events `from` to `to`, as the cursor reads them. */
  read(from: number, to: number): unknown[] {
    const seen: unknown[] = [];
    for (const cursor = this.log.read(from, to); cursor.next(); )
      seen.push([cursor.step, cursor.cell, ...(cursor.changes ? [cursor.value, cursor.known] : [])]);
    return seen;
  }

  expected(from: number, to: number): unknown[] {
    return this.events.flatMap((writes, step) =>
      step < from || step > to ? [] : writes.map(({ cell, to: now }) => [step, cell, ...(now ?? [])]),
    );
  }

  check(from: number, to: number): void {
    const wanted = this.expected(from, to);
    assert.deepEqual(this.read(from, to), wanted);
    const replayed: unknown[] = [];
    const state = { restore: (cell: number, value: number, known: number) => replayed.push([cell, value, known]) };
    this.log.replay(state as unknown as State, from - 1, to);
    const changes = (wanted as number[][]).filter((entry) => entry.length > 2);
    assert.deepEqual(
      replayed,
      changes.map(([, ...rest]) => rest),
    );
    const even = Uint8Array.from({ length: CELLS }, (_, cell) => (cell % 2 === 0 ? 1 : 0));
    const scanned: unknown[] = [];
    this.log.scan(from, to, even, (...change) => scanned.push(change));
    assert.deepEqual(
      scanned,
      changes.filter(([, cell]) => cell! % 2 === 0),
    );
  }
}

const CELLS = 50;

/** Events of zero to six writes of every form: all bits known, some, none, and what the cell held. */
function tell(told: Told, count: number, seed: number): void {
  const next = randomWords(seed);
  for (let i = 0; i < count; i++) {
    const writes = Array.from({ length: next() % 7 }, (): Write => {
      const cell = next() % CELLS;
      const forms: readonly Write[] = [
        { cell, to: [next(), 0xffffffff] },
        { cell, to: [next(), (next() | 1) & 0xfffffff] },
        { cell, to: [0, 0] },
        { cell },
      ];
      return forms[next() % 4]!;
    });
    told.event(next() % 30, next() % 1000, writes);
  }
}

describe('the change log', () => {
  // Two segments of 65536 words and a part of a third one: about 5.6 words an event.
  const COUNT = 30_000;

  it('gives back what was written, at the borders of its segments too', () => {
    const told = new Told();
    tell(told, COUNT, 1);
    assert.ok(told.log.words > 2 << 16, `${told.log.words} words`);
    assert.equal(told.log.events, COUNT);
    told.check(0, COUNT - 1);
    for (const from of [1, 777, 11_000, COUNT - 1]) told.check(from, Math.min(COUNT - 1, from + 500));
    assert.deepEqual(told.read(5, 4), []);
    assert.deepEqual(told.read(COUNT, COUNT + 10), []);
  });

  it('forgets the events behind a place, and takes others instead', () => {
    for (const keep of [0, 1, 5000, 11_700, 11_701, 11_702, 25_000, COUNT]) {
      const told = new Told();
      tell(told, COUNT, 2);
      told.truncate(keep);
      assert.deepEqual([told.log.events, told.read(0, COUNT).length], [keep, told.expected(0, COUNT).length]);
      tell(told, 2000, 3);
      told.check(Math.max(0, keep - 300), keep + 1999);
    }
  });

  it('a segment that is filled to its last word, and one that lacks room for the longest entry', () => {
    for (const short of [0, 1, 2, 3]) {
      const told = new Told();
      const fill = Array.from({ length: (1 << 16) - short }, (): Write => ({ cell: 1 }));
      told.event(0, 0, fill);
      told.event(0, 1, [
        { cell: 2, to: [7, 3] },
        { cell: 3, to: [8, 0xffffffff] },
      ]);
      told.event(0, 2, []);
      told.event(0, 3, [{ cell: 4 }]);
      assert.deepEqual(told.read(1, 3), told.expected(1, 3), `${short} words short`);
      told.truncate(1);
      told.event(0, 1, [{ cell: 5, to: [9, 1] }]);
      assert.deepEqual(told.read(1, 1), [[1, 5, 9, 1]]);
    }
  });
});

describe('blocks of events', () => {
  const EVENTS = 3 * BLOCK + 100;

  it('name the blocks in which an object occurs, and no others', () => {
    const blocks = new ObjectBlocks();
    const next = randomWords(5);
    const seen = new Map<number, Set<number>>();
    const note = (object: number, event: number): void => {
      seen.set(object, (seen.get(object) ?? new Set()).add(Math.floor(event / BLOCK)));
    };
    for (let event = 0; event < EVENTS; event++) {
      // Rare objects have high numbers; number 300 lies beyond the first size of the lists.
      const object = next() % 5000 === 0 ? 300 + (next() % 40) : next() % 3;
      blocks.begin(object, event);
      note(object, event);
      if (event % 1000 === 1) {
        blocks.note(900);
        note(900, event);
      }
    }
    for (const [object, all] of seen) assert.deepEqual([...blocks.of(object)], [...all], `object ${object}`);
    assert.deepEqual([...blocks.of(7)], []);
  });

  it('forgetting events keeps every block of the events that stay', () => {
    for (const keep of [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, EVENTS]) {
      const blocks = new ObjectBlocks();
      for (let event = 0; event < EVENTS; event++) blocks.begin(event % BLOCK === 0 ? 1 : 2, event);
      blocks.truncate(keep);
      const stay = Math.ceil(keep / BLOCK);
      const of1 = [...blocks.of(1)];
      assert.deepEqual(
        of1.slice(0, stay),
        Array.from({ length: stay }, (_, i) => i),
        `${keep} events`,
      );
      assert.ok(of1.length <= stay + 1, `${of1} after ${keep} events`);
      // What comes then is noted again, in its own block.
      for (let event = keep; event < keep + BLOCK; event++) blocks.begin(3, event);
      assert.deepEqual(
        [...blocks.of(3)],
        keep % BLOCK === 0 ? [keep / BLOCK] : [Math.floor(keep / BLOCK), Math.floor(keep / BLOCK) + 1],
      );
    }
  });

  it('find the last block with an event at or before a time', () => {
    const blocks = new ObjectBlocks();
    // Block 1 holds one early event; the first time of each block is its number times 1000, plus 500.
    for (let event = 0; event < EVENTS; event++) {
      const block = Math.floor(event / BLOCK);
      blocks.begin(0, event === BLOCK + 17 ? 3 : event % 50 === 0 ? Number.NaN : 1000 * block + 500);
    }
    assert.equal(blocks.lastAtTime(3, 5000), 3);
    assert.equal(blocks.lastAtTime(2, 5000), 2);
    assert.equal(blocks.lastAtTime(3, 2500), 2);
    assert.equal(blocks.lastAtTime(3, 2499), 1);
    assert.equal(blocks.lastAtTime(3, 3), 1);
    assert.equal(blocks.lastAtTime(0, 499), -1);
    assert.equal(blocks.lastAtTime(3, 2), -1);
    assert.equal(blocks.lastAtTime(-1, 9999), -1);
  });

  it('a block whose events were forgotten has other times', () => {
    const blocks = new ObjectBlocks();
    for (let event = 0; event < BLOCK; event++) blocks.begin(0, 100);
    for (let event = 0; event < 10; event++) blocks.begin(0, 1);
    blocks.truncate(BLOCK);
    blocks.begin(0, 200);
    assert.equal(blocks.lastAtTime(1, 150), 0);
    assert.equal(blocks.lastAtTime(1, 200), 1);
  });
});
