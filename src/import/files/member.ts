import { Unpacker } from '../decompress.ts';
import { isTar, Tar } from './tar.ts';
import { isZip, Zip } from './zip.ts';

/** Bytes that tell an archive from other files. */
const HEAD = 512;

/** The bytes of one file of an archive, by its path there. */
export async function* memberOf(archive: AsyncIterable<Uint8Array>, path: string): AsyncIterable<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let wanted = false;
  const taker = {
    file: (file: { readonly path: string }) => {
      wanted = file.path === path;
    },
    data: (chunk: Uint8Array) => {
      if (wanted) waiting.push(chunk.slice());
    },
    fileEnd: () => {
      wanted = false;
    },
  };
  let reader: Tar | Zip | undefined;
  let head = new Uint8Array(0);
  const open = (): void => {
    reader = isTar(head) || !isZip(head) ? new Tar(taker) : new Zip(taker);
    reader.push(head);
  };
  const unpacker = new Unpacker((chunk) => {
    if (reader !== undefined) return reader.push(chunk);
    const both = new Uint8Array(head.length + chunk.length);
    both.set(head);
    both.set(chunk, head.length);
    head = both;
    if (head.length >= HEAD) open();
  });
  for await (const chunk of archive) {
    unpacker.push(chunk);
    yield* waiting;
    waiting = [];
  }
  unpacker.end();
  if (reader === undefined) open();
  reader?.end();
  yield* waiting;
}
