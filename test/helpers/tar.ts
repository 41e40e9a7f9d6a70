// Writes tar archives as POSIX.1-1988 describes them, byte by byte, for tests of the reader.
const BLOCK = 512;

export interface Member {
  readonly name: string;
  readonly data: Uint8Array | string;
  /** `0` a file, `5` a folder, `2` a link, `x` a pax header, `L` a long name of GNU tar. */
  readonly type?: string;
  /** Seconds since 1970. */
  readonly mtime?: number;
  readonly prefix?: string;
}

/** An archive with these members. */
export function tarOf(members: readonly Member[]): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const { name, data, type = '0', mtime = 1_700_000_000, prefix = '' } of members) {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    const header = new Uint8Array(BLOCK);
    const put = (at: number, text: string): void => header.set(new TextEncoder().encode(text), at);
    put(0, name);
    put(100, '0000644\0');
    put(124, `${bytes.length.toString(8).padStart(11, '0')}\0`);
    put(136, `${mtime.toString(8).padStart(11, '0')}\0`);
    put(148, '        ');
    put(156, type);
    put(257, 'ustar\x0000');
    put(345, prefix);
    put(
      148,
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
    );
    const padded = new Uint8Array(Math.ceil(bytes.length / BLOCK) * BLOCK);
    padded.set(bytes);
    blocks.push(header, padded);
  }
  blocks.push(new Uint8Array(2 * BLOCK));
  return Buffer.concat(blocks);
}
