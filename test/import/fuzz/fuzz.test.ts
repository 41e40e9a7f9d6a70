// Thousands of mutated inputs of every kind: each is read, or refused in one line, without crash, hang or lost accounting.
//   IRQSCOPE_SEED=123  begins with the input of that number, such as the one that a failure names; npm run fuzz runs for longer, with others
import assert from 'node:assert/strict';
import { patient } from '../../../scripts/test/patience.ts';
import { seed } from '../../../scripts/test/seed.ts';
import { fuzzKinds } from './fuzz-kinds.ts';
import { fuzz } from './fuzz-run.ts';
import { mutantOf } from './mutate.ts';

describe('mutated inputs', () => {
  /** Inputs of each kind: most runs end with these, within two seconds on a quiet machine; and the share that is read at least. */
  const COUNTS: Readonly<Record<string, readonly [count: number, read: number]>> = {
    archives: [40, 0.3],
    captures: [1000, 0.6],
    irqtrace: [300, 0.6],
    json: [400, 0.5],
    ndjson: [150, 0.3],
    packed: [100, 0.2],
    pci: [300, 0.6],
    scenarios: [60, 0.1],
    sessions: [300, 0.3],
    snapshots: [300, 0.5],
    tracedat: [60, 0.6],
  };
  for (const kind of Object.keys(fuzzKinds)) {
    it(`${kind}: are read or refused, never lost`, async function () {
      this.timeout(90_000);
      const [count, share] = COUNTS[kind]!;
      const { done, read, events, failure } = await fuzz({ kind, seed, count, milliseconds: patient(2500) });
      if (failure)
        assert.fail(
          `npm run fuzz -- --kind ${kind} --seed ${failure.seed} makes it again (${failure.story})\n${failure.error}`,
        );
      assert.ok(done >= count / 10, `only ${done} inputs`);
      assert.ok(read >= done * share, `only ${read} of ${done} were read`);
      if (kind !== 'packed' && kind !== 'sessions') assert.ok(events > done, 'inputs with hardly any events');
    });
  }

  it('are the same for the same number', () => {
    for (const seed of [1, 2, 3]) assert.deepEqual(mutantOf(seed), mutantOf(seed));
    assert.notDeepEqual(mutantOf(1), mutantOf(2));
  });
});
