import { type FileHandle, open } from 'node:fs/promises';
import { textOf } from '../../base/bytes.ts';
import { PACKING_BYTES, packingOf } from '../../import/decompress.ts';

/** Bytes of a line that are shown. */
const SHOWN = 160;

/** The lines at these offsets of a plain file; undefined where they cannot be read again (a packed file, a pipe, a deleted file). */
export async function readSamples(
  file: string,
  samples: readonly { readonly offset: number }[],
): Promise<(string | undefined)[]> {
  if (samples.length === 0) return [];
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    if (!(await handle.stat()).isFile()) return [];
    if (packingOf(await bytesAt(handle, 0, PACKING_BYTES)) !== 'none') return [];
    const texts: string[] = [];
    for (const { offset } of samples) texts.push(firstLine(await bytesAt(handle, offset, SHOWN)));
    return texts;
  } catch {
    return [];
  } finally {
    await handle?.close();
  }
}

async function bytesAt(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length);
  const { bytesRead } = await handle.read(buffer, 0, length, offset);
  return buffer.subarray(0, bytesRead);
}

function firstLine(bytes: Uint8Array): string {
  const end = bytes.indexOf(10);
  return end < 0 ? `${textOf(bytes)}${bytes.length === SHOWN ? '…' : ''}` : textOf(bytes, 0, end);
}
