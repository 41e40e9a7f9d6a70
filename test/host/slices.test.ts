// Work that is done in slices leaves the extension host to others in between, and ends when nobody wants it any more.
import assert from 'node:assert/strict';
import { gathered } from '../../src/vscode/views/slices.ts';

/** Pieces that each take some milliseconds. */
function* pieces(count: number, ms: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    for (const end = performance.now() + ms; performance.now() < end; );
    yield Uint8Array.of(i);
  }
}

describe('bytes that are made in slices', () => {
  it('come all, with turns for other work', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const made = await gathered(pieces(12, 3), { ms: 5, wanted: () => true });
    clearInterval(timer);
    assert.deepEqual(
      made?.map(([byte]) => byte),
      Array.from({ length: 12 }, (_, i) => i),
    );
    assert.ok(turns >= 5, `${turns} turns`);
  });

  it('end when they are not wanted', async () => {
    let asked = 0;
    assert.equal(await gathered(pieces(100, 3), { ms: 5, wanted: () => ++asked < 3 }), undefined);
    assert.equal(asked, 3);
  });
});
