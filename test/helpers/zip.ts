// The table of contents of a zip file, which a VSIX is.
import { readFileSync } from 'node:fs';

export interface ZipEntry {
  name: string;
  size: number;
}

/** Reads the central directory (APPNOTE.TXT 4.3.12); no Zip64, a VSIX of this project is small. */
export function listZip(path: string): ZipEntry[] {
  const data = readFileSync(path);
  const end = data.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0) throw new Error(`${path} is not a zip file`);
  const entries: ZipEntry[] = [];
  let at = data.readUInt32LE(end + 16);
  for (let left = data.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = data.readUInt16LE(at + 28);
    entries.push({ name: data.toString('utf8', at + 46, at + 46 + nameLength), size: data.readUInt32LE(at + 24) });
    at += 46 + nameLength + data.readUInt16LE(at + 30) + data.readUInt16LE(at + 32);
  }
  return entries;
}
