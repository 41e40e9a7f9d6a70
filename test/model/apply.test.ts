import assert from 'node:assert/strict';
import fc from 'fast-check';
import { pathTypes, typeOfPath } from '../../src/model/paths.ts';
import { State } from '../../src/model/state.ts';
import { apply, kindNamed, vocabulary } from '../../src/model/vocabulary.ts';
import { stateTree } from '../../src/query/state.ts';
import { randomEvents, smallWorld } from './random.ts';

describe('apply', () => {
  it('never throws, whatever the events, and what it leaves can be shown', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 600 }), (seed, count) => {
        const world = smallWorld();
        const state = new State(world);
        for (const { kind, cpu, object, words } of randomEvents(world, seed, count))
          apply(state, vocabulary[kind]!, { object, cpu, words, at: 0 });
        JSON.stringify(stateTree(state));
      }),
      { numRuns: 60 },
    );
  });

  it('an event about an object of another type than its kind expects changes nothing', () => {
    const world = smallWorld();
    for (const kind of vocabulary) {
      for (let object = 0; object < world.objects; object++) {
        if (kind.on.includes(world.type(object)!)) continue;
        const state = new State(world);
        apply(state, kind, { object, cpu: 0, words: new Uint32Array(64).fill(1), at: 0 });
        assert.deepEqual(state.changed(new State(world)), [], `${kind.name} on ${world.path(object)}`);
      }
    }
  });

  it('an event about no object changes nothing', () => {
    const world = smallWorld();
    for (const kind of vocabulary) {
      const state = new State(world);
      apply(state, kind, { object: world.objects + 7, cpu: 0, words: new Uint32Array(64).fill(1), at: 0 });
      assert.deepEqual(stateTree(state), {}, kind.name);
    }
  });

  it('is deterministic: the same events give the same state', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (seed) => {
        const texts = [0, 1].map(() => {
          const world = smallWorld();
          const state = new State(world);
          for (const { kind, cpu, object, words } of randomEvents(world, seed, 200))
            apply(state, vocabulary[kind]!, { object, cpu, words, at: 0 });
          return JSON.stringify(stateTree(state));
        });
        assert.equal(texts[0], texts[1]);
      }),
      { numRuns: 10 },
    );
  });
});

describe('the vocabulary', () => {
  it('names are unique, every kind is found by its name and says what it means', () => {
    assert.equal(new Set(vocabulary.map((k) => k.name)).size, vocabulary.length);
    for (const [i, kind] of vocabulary.entries()) {
      assert.equal(kindNamed(kind.name), kind);
      assert.equal(kind.number, i);
      assert.match(kind.meaning, /\.$/, kind.name);
    }
    assert.ok(vocabulary.length <= 65536, 'the kind column of a trace has 16 bits');
  });

  it('the arguments of a kind lie one behind the other, without gaps or overlaps', () => {
    for (const kind of vocabulary) {
      const optional = kind.args.some((a) => a.optional);
      let next = optional ? 1 : 0;
      const bits = new Set<number>();
      for (const arg of kind.args) {
        assert.equal(arg.at, next, `${kind.name}.${arg.name}`);
        next += arg.words;
        if (!arg.optional) assert.equal(arg.bit, 0);
        else assert.equal(Math.log2(arg.bit) % 1, 0, `${kind.name}.${arg.name}: one bit`);
        if (arg.optional) assert.ok(!bits.has(arg.bit) && bits.add(arg.bit));
      }
      assert.equal(kind.size, next);
    }
  });
});

describe('object paths', () => {
  it('the type of a path is that of its pattern, also for BDFs and names with dots', () => {
    for (const [pattern, type] of pathTypes) {
      const path = pattern.replaceAll('amdvi-*', 'amdvi-0x18').replaceAll('*', '0000:00:03.0');
      assert.equal(typeOfPath(path), type, path);
      assert.equal(typeOfPath(`${path}/x/y/z`).name, 'mention', path);
    }
    assert.equal(typeOfPath('').name, 'mention');
    assert.equal(typeOfPath('device').name, 'mention');
  });
});
