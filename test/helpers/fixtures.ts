// The trimmed captures of test/fixtures, and imports of them. Every file is read and imported once per run.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ImportRun } from '../../src/import/run.ts';
import type { Trace } from '../../src/trace/trace.ts';

const root = resolve(import.meta.dirname, '../fixtures');

const contents = new Map<string, Uint8Array>();
const traces = new Map<string, Trace>();

/** Names of all fixtures with a record format, without `.gz`: `x86-vtd/qemu.log`. */
export function traceFixtures(): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => /(?:qemu\.log|ftrace[^/]*\.txt|trace[-_][^/]*\.txt|perf-script\.txt|dmesg\.txt)\.gz$/.test(name))
    .map((name) => name.replace(/\.gz$/, ''))
    .sort();
}

/** Names of all fixtures that are snapshots of /proc, /sys or debugfs, without `.gz`. */
export function snapshotFixtures(): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => /\/(?:snap-[^/]*|ir_translation_struct)\.txt\.gz$/.test(name))
    .map((name) => name.replace(/\.gz$/, ''))
    .sort();
}

/** The packed bytes of a fixture as they lie on disk. */
export function packedFixture(name: string): Uint8Array {
  return readFileSync(join(root, `${name}.gz`));
}

/** The bytes of a fixture. */
export function fixtureBytes(name: string): Uint8Array {
  let bytes = contents.get(name);
  if (bytes === undefined) contents.set(name, (bytes = gunzipSync(packedFixture(name))));
  return bytes;
}

/** A line of a source: number from 1, byte offset, text without line end. All fixtures are ASCII. */
export interface SourceLine {
  readonly line: number;
  readonly offset: number;
  readonly text: string;
}

/** The lines of a fixture. */
export function fixtureLines(name: string): SourceLine[] {
  let offset = 0;
  const texts = Buffer.from(fixtureBytes(name)).toString('latin1').split('\n');
  if (texts.at(-1) === '') texts.pop();
  return texts.map((text, i) => {
    const line = { line: i + 1, offset, text };
    offset += text.length + 1;
    return line;
  });
}

/** The lines of a fixture that match: what `grep -n` prints. */
export function grep(name: string, pattern: RegExp): SourceLine[] {
  return fixtureLines(name).filter((l) => pattern.test(l.text));
}

/** Imports bytes, in chunks of a size (by default all at once). */
export function importBytes(bytes: Uint8Array, chunk = bytes.length, file = 'test'): Trace {
  const run = new ImportRun(file);
  for (let at = 0; at < bytes.length; at += chunk) run.push(bytes.subarray(at, at + chunk));
  return run.end();
}

/** Imports a text. */
export function importText(text: string, file = 'test'): Trace {
  return importBytes(new TextEncoder().encode(text), undefined, file);
}

/** The trace of a fixture. */
export function fixtureTrace(name: string): Trace {
  let trace = traces.get(name);
  if (trace === undefined) traces.set(name, (trace = importBytes(fixtureBytes(name), 1 << 16, name)));
  return trace;
}
