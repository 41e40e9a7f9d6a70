import * as zlib from 'node:zlib';
import type { Helpers } from '../import/helpers.ts';

/** Least size of the pieces in which the runtime unpacks. */
const SMALLEST_PIECE = 64;

/** Unpacks zstd data with the runtime: Node 22.15, 23.8 and newer ones can. Undefined where the data are damaged or longer than told. */
function unpack(packed: Uint8Array, size: number): Uint8Array | undefined {
  try {
    return zlib.zstdDecompressSync(packed, { maxOutputLength: size, chunkSize: Math.max(SMALLEST_PIECE, size) });
  } catch {
    return undefined;
  }
}

/** Older ones cannot. */
export const unzstd: Helpers['unzstd'] = typeof zlib.zstdDecompressSync === 'function' ? unpack : undefined;
