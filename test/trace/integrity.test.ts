// The check of a trace that every import ends with: each thing it looks at is broken here in one place, at the first and at
// the last step, and it has to say so.
import assert from 'node:assert/strict';
import { checkIntegrity } from '../../src/trace/integrity.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { told } from '../helpers/told.ts';

const EVENTS = [
  'dev.seen device/0000:00:03.0 name=nvme',
  'tbl.bind table/0xfe002000 device=device/0000:00:03.0 first=0',
  'irq.entry irq/41 name=nvme0q1',
  'dev.seen device/0000:00:04.0 name=virtio',
];
const sound = told(...EVENTS);

type Column = 'kindNumber' | 'object' | 'task' | 'line' | 'offset' | 'time';

/** A trace of one source with these events and this accounting. */
const traceOf = (events: object, accounting: object = sound.first.accounting, { world } = sound): Trace =>
  ({ world, sources: [{ events, accounting, undone: [] }] }) as unknown as Trace;

/** The trace, but with one value of one column at one step changed. */
function broken(column: Column, step: number, value: number): string[] {
  const { table } = sound;
  const get = (name: Column) => (at: number) => (name === column && at === step ? value : table[name](at));
  const changed = {
    length: table.length,
    word: (at: number, word: number) => table.word(at, word),
    kindNumber: get('kindNumber'),
    object: get('object'),
    task: get('task'),
    line: get('line'),
    offset: get('offset'),
    time: get('time'),
  };
  return checkIntegrity(traceOf(changed));
}

/** The trace, but with another value in word `word` of the arguments at one step. */
function brokenWord(step: number, word: number, value: number): string[] {
  const { table } = sound;
  const first = {
    length: table.length,
    word: (at: number, w: number) => (at === step && w === word ? value : table.word(at, w)),
  };
  const rest = Object.fromEntries(
    (['kindNumber', 'object', 'task', 'line', 'offset', 'time'] as const).map((name) => [
      name,
      (at: number) => table[name](at),
    ]),
  );
  return checkIntegrity(traceOf({ ...first, ...rest }));
}

describe('the check of a trace', () => {
  const last = EVENTS.length - 1;
  const { world } = sound;

  it('finds nothing in a sound one', () => {
    assert.deepEqual(checkIntegrity(sound), []);
  });

  it('finds kinds, objects and texts that do not exist, at any step', () => {
    for (const step of [0, last]) {
      assert.deepEqual(broken('kindNumber', step, 5000), [`step ${step}: no event kind 5000`]);
      assert.deepEqual(broken('object', step, world.objects), [`step ${step}: no object ${world.objects}`]);
      assert.deepEqual(broken('object', step, world.objects - 1), []);
      assert.deepEqual(broken('task', step, world.strings.size), [`step ${step}: no text ${world.strings.size}`]);
      assert.deepEqual(broken('task', step, world.strings.size - 1), []);
    }
  });

  it('finds arguments that name no text or no object', () => {
    const { size } = world.strings;
    const kind = (step: number) => sound.table.kind(step);
    const name = kind(0).args.find((arg) => arg.name === 'name');
    assert.deepEqual(brokenWord(0, name!.at, size), [`step 0: dev.seen.name: no text ${size}`]);
    assert.deepEqual(brokenWord(0, name!.at, size - 1), []);
    const device = kind(1).args.find((arg) => arg.name === 'device')!;
    assert.deepEqual(brokenWord(1, device.at, world.objects), [`step 1: tbl.bind.device: no object ${world.objects}`]);
    assert.deepEqual(brokenWord(1, device.at, world.objects - 1), []);
  });

  it('does not look at an optional argument that is not there', () => {
    const host = sound.table.kind(0).args.find((arg) => arg.name === 'host')!;
    assert.deepEqual(brokenWord(0, host.at, world.strings.size), []);
    const bits = sound.table.word(0, 0) | host.bit;
    assert.deepEqual(brokenWord(0, 0, bits), [], 'text 0 exists');
  });

  it('finds lines and offsets that go back, and times without end', () => {
    const { table } = sound;
    assert.match(broken('line', 1, table.line(0) - 1)[0]!, /^step 1: line \d+ after line \d+$/);
    assert.deepEqual(broken('line', 1, table.line(0)), [], 'two events of one line');
    assert.match(broken('offset', 1, table.offset(0) - 1)[0]!, /^step 1: offset \d+ after \d+$/);
    assert.deepEqual(broken('offset', 1, table.offset(0)), []);
    assert.deepEqual(broken('time', last, Number.POSITIVE_INFINITY), [`step ${last}: time is infinite`]);
    assert.deepEqual(broken('time', 0, Number.NEGATIVE_INFINITY), ['step 0: time is infinite']);
    assert.deepEqual(broken('time', 0, Number.NaN), [], 'unknown');
  });

  it('finds accounts that do not add up', () => {
    const { accounting } = sound.first;
    const { lines } = accounting;
    const with_ = (change: object): string[] =>
      checkIntegrity(traceOf(sound.table, { ...accounting, lines, records: accounting.records, ...change }));
    const own = {
      understood: accounting.understood,
      unknown: new Map(),
      skipped: new Map(),
      others: accounting.others,
    };
    const more = (map: ReadonlyMap<string, number>) => new Map([...map, ['x', 1]]);
    assert.deepEqual(with_(own), []);
    assert.equal(with_({ ...own, understood: own.understood + 1 }).length, 1);
    assert.match(
      with_({ ...own, understood: own.understood - 1 })[0]!,
      /^understood \+ unknown \+ skipped = 3, but there are 4/,
    );
    assert.equal(with_({ ...own, unknown: more(own.unknown) }).length, 1);
    assert.equal(with_({ ...own, skipped: more(own.skipped) }).length, 1);
    assert.match(
      with_({ ...own, others: more(own.others) })[0]!,
      /^records and other lines make 7, but there are 6 lines$/,
    );
    // The last event stands on line 6 of 6.
    const short = with_({ ...own, lines: lines - 1, records: accounting.records });
    assert.equal(short[0], 'the last event stands on line 6 of 5');
  });

  it('says 50 things at most', () => {
    const many = told(...Array.from({ length: 80 }, () => 'dev.seen device/0000:00:03.0'));
    const { table } = many;
    const none = {
      length: table.length,
      word: () => 0,
      kindNumber: () => 5000,
      object: () => 0,
      task: () => 0,
      line: () => 0,
      offset: () => 0,
      time: () => 0,
    };
    const wrong = checkIntegrity(traceOf(none, many.first.accounting, many));
    assert.equal(wrong.filter((text) => text.startsWith('step ')).length, 50);
  });
});
