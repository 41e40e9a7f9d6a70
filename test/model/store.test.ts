import assert from 'node:assert/strict';
import fc from 'fast-check';
import { State } from '../../src/model/state.ts';
import { storeBytes } from '../../src/model/store.ts';
import { msixEntry } from '../../src/model/things/pci.ts';
import { World } from '../../src/model/world.ts';

/** The 16 bytes of a table entry, and which of them are known. */
interface Memory {
  readonly bytes: number[];
  readonly known: boolean[];
}

function memoryOf(state: State, object: number): Memory {
  const view = new DataView(new ArrayBuffer(32));
  for (let i = 0; i < 4; i++) {
    view.setUint32(4 * i, state.get(object, msixEntry.at.address + i), true);
    view.setUint32(16 + 4 * i, state.known(object, msixEntry.at.address + i), true);
  }
  const all = Array.from({ length: 32 }, (_, i) => view.getUint8(i));
  return { bytes: all.slice(0, 16), known: all.slice(16).map((byte) => byte === 0xff) };
}

describe('bytes stored into cells', () => {
  it('are those of a little-endian memory, wherever the access starts and however long it is', () => {
    const access = fc.record({
      offset: fc.integer({ min: 0, max: 15 }),
      size: fc.integer({ min: 0, max: 12 }),
      value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    });
    fc.assert(
      fc.property(fc.array(access, { maxLength: 5 }), (accesses) => {
        const world = new World();
        const object = world.object(msixEntry, 'device/0000:00:01.0/msix/0');
        const state = new State(world);
        const bytes = new Array<number>(16).fill(0);
        const known = new Array<boolean>(16).fill(false);
        for (const { offset, size, value } of accesses) {
          const lo = Number(value & 0xffffffffn);
          const hi = Number(value >> 32n);
          storeBytes(state, object, msixEntry.at.address, 16, offset, size, lo, hi);
          const memory = Buffer.alloc(8);
          memory.writeBigUInt64LE(value);
          for (let i = 0; i < Math.min(size, 8) && offset + i < 16; i++) {
            bytes[offset + i] = memory[i]!;
            known[offset + i] = true;
          }
        }
        assert.deepEqual(memoryOf(state, object), { bytes, known });
        assert.equal(state.known(object, msixEntry.at.pending), 0, 'what follows the entry');
      }),
      { numRuns: 1000 },
    );
  });
});
