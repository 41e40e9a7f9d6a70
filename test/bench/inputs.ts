/** The files to measure: captures made larger, and files of the user unpacked. */
import { spawnSync } from 'node:child_process';
import { openSync, readFileSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { bytesOf } from '../../src/base/bytes.ts';
import { packingOf, Unpacker } from '../../src/import/decompress.ts';

/** A plain copy of a packed file; the file itself when it is plain. */
export function unpacked(file: string, folder: string): string {
  const bytes = readFileSync(file);
  if (packingOf(bytes) === 'none') return file;
  const copy = join(folder, basename(file).replace(/\.(gz|zst)$/, ''));
  const fd = openSync(copy, 'w');
  const unpacker = new Unpacker((chunk) => writeSync(fd, chunk));
  unpacker.push(bytes);
  unpacker.end();
  return copy;
}

/** A large input: the records of a capture over and over, with its header once. */
export function enlarged(source: string, size: number, folder: string, name = basename(source)): string {
  const plain = readFileSync(unpacked(source, folder));
  const headerEnd = plain.lastIndexOf(bytesOf('\n#')) + 1;
  const bodyStart = headerEnd > 0 ? plain.indexOf(10, headerEnd) + 1 : 0;
  const copy = join(folder, `large-${name.replaceAll('/', '-').replace(/\.gz$/, '')}`);
  const fd = openSync(copy, 'w');
  writeSync(fd, plain.subarray(0, bodyStart));
  for (let written = bodyStart; written < size; written += plain.length - bodyStart)
    writeSync(fd, plain.subarray(bodyStart));
  return copy;
}

/** The same trace in the forms that this program writes and reads. */
export function savedForms(file: string, folder: string): string[] {
  const cli = join(import.meta.dirname, '../../dist/cli.js');
  return ['irqtrace', 'ndjson'].map((form) => {
    const saved = join(folder, `large.${form}`);
    const made = spawnSync(process.execPath, [cli, 'convert', file, '--to', form, '--out', saved], {
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(`convert of ${file} failed: ${made.stderr}`);
    return saved;
  });
}
