import assert from 'node:assert/strict';
import fc from 'fast-check';
import { objectType } from '../../src/model/objects.ts';
import { type Snapshot, State } from '../../src/model/state.ts';
import { World } from '../../src/model/world.ts';

const small = objectType('small', 'One cell.', { a: { kind: 'num', meaning: 'A.' } });
const wide = objectType('wide', 'Many cells.', { a: { kind: 'hex', words: 70, meaning: 'A.' } });
const OBJECTS = 12;

function newWorld(): World {
  const world = new World();
  for (let i = 0; i < OBJECTS; i++) world.object(i % 2 ? wide : small, `thing/${i}`);
  return world;
}

const cellsOf = (world: World, object: number): number => world.type(object)!.size;

/** The same cells kept in the simplest way: one entry per bit that is known. */
class Model {
  readonly bits: Map<string, 0 | 1>;

  constructor(from?: Model) {
    this.bits = new Map(from?.bits);
  }

  write(object: number, cell: number, value: number, mask: number): void {
    for (let bit = 0; bit < 32; bit++)
      if ((mask >>> bit) & 1) this.bits.set(`${object}.${cell}.${bit}`, ((value >>> bit) & 1) as 0 | 1);
  }

  forget(object: number, cell: number, mask: number): void {
    for (let bit = 0; bit < 32; bit++) if ((mask >>> bit) & 1) this.bits.delete(`${object}.${cell}.${bit}`);
  }

  read(object: number, cell: number): { value: number; known: number } {
    let value = 0;
    let known = 0;
    for (let bit = 0; bit < 32; bit++) {
      const held = this.bits.get(`${object}.${cell}.${bit}`);
      if (held === undefined) continue;
      known |= 1 << bit;
      value |= held << bit;
    }
    return { value: value >>> 0, known: known >>> 0 };
  }
}

type Op =
  | { do: 'set' | 'count' | 'touch' | 'remove'; which: number; object: number; cell: number; value: number }
  | { do: 'setBits' | 'forget'; which: number; object: number; cell: number; value: number; mask: number }
  | { do: 'fork'; which: number };

const word = fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom(0, 1, 0xff, 0xff00, 0xffffffff));
const place = {
  which: fc.nat(9),
  object: fc.nat(OBJECTS - 1),
  cell: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 70 })),
};
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ do: fc.constantFrom('set' as const, 'count' as const), ...place, value: word }),
  fc.record({ do: fc.constantFrom('touch' as const, 'remove' as const), ...place, value: word }),
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('setBits' as const, 'forget' as const),
      ...place,
      value: word,
      mask: word,
    }),
  },
  fc.record({ do: fc.constant('fork' as const), which: fc.nat(9) }),
);

function run(state: State, model: Model, o: Exclude<Op, { do: 'fork' }>): void {
  const { object } = o;
  const cell = 1 + ((o.cell - 1) % (cellsOf(state.world, object) - 1));
  const exists = (): void => model.write(object, 0, 1, 0xffffffff);
  switch (o.do) {
    case 'set':
      state.set(object, cell, o.value);
      exists();
      model.write(object, cell, o.value, 0xffffffff);
      break;
    case 'setBits':
      state.setBits(object, cell, o.value, o.mask);
      exists();
      model.write(object, cell, o.value, o.mask);
      break;
    case 'count':
      state.count(object, cell);
      exists();
      model.write(object, cell, (model.read(object, cell).value + 1) >>> 0, 0xffffffff);
      break;
    case 'touch':
      state.touch(object);
      exists();
      break;
    case 'forget':
      state.forget(object, cell, o.mask);
      model.forget(object, cell, o.mask);
      break;
    case 'remove':
      state.remove(object);
      for (let c = 0; c < cellsOf(state.world, object); c++) model.forget(object, c, 0xffffffff);
  }
}

function compare(state: State, model: Model): void {
  for (let object = 0; object < OBJECTS; object++) {
    for (let cell = 0; cell < cellsOf(state.world, object); cell++) {
      const { value, known } = model.read(object, cell);
      assert.deepEqual([state.get(object, cell), state.known(object, cell)], [value, known], `${object}.${cell}`);
      assert.equal(state.num(object, cell), known === 0xffffffff ? value : -1);
      assert.equal(state.flag(object, cell), known === 0xffffffff ? value !== 0 : undefined);
    }
    assert.equal(state.present(object), model.read(object, 0).value === 1);
  }
}

describe('the cells of a state', () => {
  it('hold what was written bit by bit; forks and snapshots never see what is written elsewhere', () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 80 }), (ops) => {
        const world = newWorld();
        const pairs: [State, Model][] = [[new State(world), new Model()]];
        const frozen: [Snapshot, Model][] = [];
        for (const o of ops) {
          const [state, model] = pairs[o.which % pairs.length]!;
          if (o.do !== 'fork') run(state, model, o);
          else if (pairs.length < 6) {
            pairs.push([state.fork(), new Model(model)]);
            frozen.push([state.snapshot(), new Model(model)]);
          }
        }
        for (const [state, model] of pairs) compare(state, model);
        for (const [snapshot, model] of frozen) compare(new State(world, snapshot), model);
      }),
      { numRuns: 150 },
    );
  });

  it('changed() names exactly the objects of which a cell differs, in order', () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60 }), fc.nat(60), (ops, from) => {
        const world = newWorld();
        const state = new State(world);
        const model = new Model();
        let before = state.fork();
        let old = new Model();
        for (const [i, o] of ops.entries()) {
          if (i === from) {
            before = state.fork();
            old = new Model(model);
          }
          if (o.do !== 'fork') run(state, model, o);
        }
        const differ: number[] = [];
        for (let object = 0; object < OBJECTS; object++) {
          const cells = Array.from({ length: cellsOf(world, object) }, (_, c) => c);
          const same = cells.every((c) => {
            const a = model.read(object, c);
            const b = old.read(object, c);
            return a.known === b.known && a.value === b.value;
          });
          if (!same) differ.push(object);
        }
        assert.deepEqual(state.changed(before), differ);
        assert.deepEqual(before.changed(state), differ);
        assert.deepEqual(state.changed(state.fork()), []);
      }),
      { numRuns: 150 },
    );
  });

  it('a partial write makes only its bits known', () => {
    const world = newWorld();
    const state = new State(world);
    state.setBits(1, 1, 0xab00, 0xff00);
    assert.deepEqual([state.get(1, 1), state.known(1, 1), state.num(1, 1)], [0xab00, 0xff00, -1]);
    state.setBits(1, 1, 0xffff_ffff, 0x00ff);
    assert.deepEqual([state.get(1, 1), state.known(1, 1)], [0xabff, 0xffff]);
    state.forget(1, 1, 0x0ff0);
    assert.deepEqual([state.get(1, 1), state.known(1, 1)], [0xa00f, 0xf00f]);
  });

  it('objects that the world gets later are absent in older states', () => {
    const world = newWorld();
    const state = new State(world);
    state.set(0, 1, 5);
    const before = state.fork();
    const late = world.object(wide, 'thing/late');
    assert.equal(before.present(late), false);
    assert.equal(before.num(late, 3), -1);
    state.set(late, 70, 9);
    assert.deepEqual(state.changed(before), [late]);
    assert.equal(before.present(late), false);
  });
});

describe('the world', () => {
  it('a path is one object, found by path, by parent and by numbers alike', () => {
    const world = new World();
    const a = world.object(small, 'x/1/y');
    assert.equal(world.object(small, 'x/1/y'), a);
    assert.equal(world.object(wide, 'x/1/y'), a, 'a path keeps the type it was made with');
    assert.equal(world.type(a), small);
    assert.equal(world.find('x/1/y')?.object, a);
    assert.equal(world.find('x/1')?.object, -1);
    assert.equal(world.find('x/2'), undefined);
    const parent = world.object(wide, 'x/1');
    assert.equal(world.child(small, parent, 'y'), a);
    assert.equal(
      world.byNumbers(small, 1, 2, (n, m) => `x/${n}/${m}`),
      world.object(small, 'x/1/2'),
    );
    let calls = 0;
    world.byNumbers(small, 1, 2, (n, m) => `x/${n}/${m}/${calls++}`);
    assert.equal(calls, 0, 'no path is built the second time');
    assert.equal(world.path(a), 'x/1/y');
    assert.equal(world.path(999), '');
  });

  it('cells of objects do not overlap, however many there are', () => {
    const world = new World();
    for (let i = 0; i < 2000; i++) world.object(i % 3 ? small : wide, `o/${i}`);
    let next = 0;
    for (let i = 0; i < 2000; i++) {
      assert.equal(world.base(i), next);
      next += world.type(i)!.size;
    }
    assert.equal(world.cells, next);
  });
});
