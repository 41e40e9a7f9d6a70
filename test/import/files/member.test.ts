// The bytes of one file of an archive, once more.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { memberOf } from '../../../src/import/files/member.ts';
import { fixtureBytes } from '../../helpers/fixtures.ts';
import { tarOf } from '../../helpers/tar.ts';

const BYTES = fixtureBytes('x86-panic/qemu.log');
const MEMBERS = [
  { name: 'run/README', data: 'notes\n' },
  { name: 'run/qemu.log', data: BYTES },
  { name: 'run/empty', data: '' },
];

const ZIPPED = Object.fromEntries(
  MEMBERS.map(({ name, data }) => [name, typeof data === 'string' ? new TextEncoder().encode(data) : data]),
);

async function* inPieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 777) yield bytes.subarray(at, at + 777);
}

async function read(archive: Uint8Array, path: string): Promise<Buffer> {
  const found: Uint8Array[] = [];
  for await (const chunk of memberOf(inPieces(archive), path)) found.push(chunk);
  return Buffer.concat(found);
}

describe('a file of an archive', () => {
  const archives = { tar: tarOf(MEMBERS), 'tar.gz': new Uint8Array(gzipSync(tarOf(MEMBERS))), zip: zipSync(ZIPPED) };
  for (const [name, archive] of Object.entries(archives))
    it(`in ${name}`, async () => {
      assert.ok((await read(archive, 'run/qemu.log')).equals(Buffer.from(BYTES)));
      assert.equal((await read(archive, 'run/README')).toString(), 'notes\n');
      assert.equal((await read(archive, 'run/empty')).length, 0);
      assert.equal((await read(archive, 'elsewhere')).length, 0);
    });
});
