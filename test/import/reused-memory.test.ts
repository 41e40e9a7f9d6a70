// A reader of files may read into the same memory again and again, also into a Buffer of Node, whose slices are no copies.
import assert from 'node:assert/strict';
import { ImportRun } from '../../src/import/run.ts';
import { stateTree } from '../../src/query/state.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { fixtureBytes } from '../helpers/fixtures.ts';

function read(bytes: Uint8Array, memory: Uint8Array): Trace {
  const run = new ImportRun('capture');
  for (let at = 0; at < bytes.length; at += memory.length) {
    const part = bytes.subarray(at, at + memory.length);
    memory.set(part);
    run.push(memory.subarray(0, part.length));
  }
  return run.end();
}

describe('memory that is used again', () => {
  for (const name of ['x86-vtd/ftrace.txt', 'x86-vtd/qemu.log', 'x86-vtd/dmesg.txt'])
    it(`changes nothing in ${name}`, () => {
      const bytes = fixtureBytes(name);
      const whole = read(bytes, new Uint8Array(bytes.length));
      const pieces = read(bytes, Buffer.alloc(1000));
      assert.equal(pieces.length, whole.length);
      assert.equal(pieces.world.strings.size, whole.world.strings.size);
      assert.deepEqual(stateTree(pieces.head), stateTree(whole.head));
    });
});
