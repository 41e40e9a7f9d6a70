// Snapshots, events as JSON lines, archives (tar and zip with several captures, joined), and session files: whole or damaged where it hurts.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { ndjson } from '../../../src/import/export/ndjson.ts';
import type { FileRead } from '../../../src/import/files/file-read.ts';
import { FileRun } from '../../../src/import/files/file-run.ts';
import { joinTraces } from '../../../src/import/join/join.ts';
import { ImportError } from '../../../src/import/run.ts';
import { readSessionFile, SessionFileError, sessionFileText } from '../../../src/session/session-file.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes, fixtureTrace, snapshotFixtures, traceFixtures } from '../../helpers/fixtures.ts';
import { tarOf } from '../../helpers/tar.ts';
import { randomWords } from '../../model/random.ts';
import { checkAccounting, checkState, importMutant } from './fuzz-captures.ts';
import type { Trial } from './fuzz-kinds.ts';
import { ABSURD, HOSTILE, mutate, type Rng } from './mutate.ts';

const rngOf =
  (next: () => number): Rng =>
  (below) =>
    below <= 1 ? 0 : next() % below;

const DAT = 'x86-vtd/trace.dat';
/** Where files of a machine lie, which readers may go by. */
const PATHS = [
  'proc/interrupts',
  'proc/softirqs',
  'proc/irq/41/smp_affinity_list',
  'proc/irq/99999999999/effective_affinity',
  'sys/kernel/irq/41/actions',
  'sys/kernel/debug/irq/irqs/41',
  'sys/kernel/debug/irq/domains/default',
  'sys/kernel/debug/iommu/intel/ir_translation_struct',
  'sys/bus/pci/devices/0000:00:03.0/msi_irqs/41',
  'a/'.repeat(400),
  '../../etc/passwd',
  '',
];

/** A snapshot, in a file of any path. */
export function fuzzSnapshot(seed: number): Trial {
  const next = randomWords(seed);
  const rng = rngOf(next);
  const fixtures = snapshotFixtures();
  const name = fixtures[rng(fixtures.length)]!;
  const { bytes, story } = mutate(fixtureBytes(name), rng);
  const path = rng(2) ? PATHS[rng(PATHS.length)]! : undefined;
  return {
    story: `${name}${story}${path === undefined ? '' : `, as ${path.slice(0, 60)}`}`,
    run: () => {
      const trace = importMutant(bytes, 1 + rng(5000), path);
      if (trace === undefined) return { read: false, events: 0 };
      checkAccounting(trace);
      checkState(trace, next);
      return { read: true, events: trace.length };
    },
  };
}

/** Events as JSON lines. */
export function fuzzNdjson(seed: number): Trial {
  const next = randomWords(seed);
  const rng = rngOf(next);
  const fixtures = traceFixtures();
  const name = fixtures[rng(fixtures.length)]!;
  const from = rng(fixtureTrace(name).length);
  const lines: string[] = [];
  let step = 0;
  for (const line of ndjson(fixtureTrace(name))) {
    if (step++ < from) continue;
    lines.push(line.endsWith('\n') ? line : `${line}\n`);
    if (lines.length > 60) break;
  }
  const { bytes, story } = mutate(new TextEncoder().encode(lines.join('')), rng);
  return {
    story: `${name} as JSON lines${story}`,
    run: () => {
      const trace = importMutant(bytes, 1 + rng(5000));
      if (trace === undefined) return { read: false, events: 0 };
      checkAccounting(trace);
      checkState(trace, next);
      return { read: true, events: trace.length };
    },
  };
}

/** What a capture kit notes beside its files, with members that are left out, or hold something else. */
function kitNotes(rng: Rng): string {
  const value = (): unknown =>
    [null, -1, 1e300, '', '2026-01-01T00:00:00Z', [], {}, '12.5', true, HOSTILE[rng(HOSTILE.length)]][rng(10)];
  const notes: Record<string, unknown> = {
    version: 1,
    kernel: '6.12.0',
    clocks: [{ monotonic: '12.5', realtime: '1700000000.25' }],
    snapshots: [{ folder: 'snapshot-1', monotonic: '13.0', realtime: '1700000001.0' }],
  };
  for (const key of Object.keys(notes)) if (rng(3) === 0) notes[key] = value();
  return JSON.stringify(notes);
}

/** A file of an archive: a capture, a snapshot, a trace.dat, notes; half of them changed. */
function member(rng: Rng, i: number): { readonly name: string; readonly data: Uint8Array } {
  const kind = rng(8);
  if (kind === 0) return { name: `kit/kit.json`, data: new TextEncoder().encode(kitNotes(rng)) };
  if (kind === 1) return { name: `kit/trace${i}.dat`, data: fixtureBytes(DAT) };
  const fixtures = kind < 5 ? snapshotFixtures() : traceFixtures();
  const name = fixtures[rng(fixtures.length)]!;
  const whole = fixtureBytes(name);
  const from = kind < 5 ? 0 : rng(whole.length);
  const piece = whole.subarray(from, from + 20_000);
  const data = rng(2) ? piece : mutate(piece, rng).bytes;
  const path = kind < 5 && rng(2) ? `snapshot-${rng(3)}/${PATHS[rng(PATHS.length - 3)]}` : `file-${i}.txt`;
  return { name: `kit/${path}`, data };
}

/** Damages an archive: numbers of headers, names, bits, its end. */
function damage(bytes: Uint8Array, rng: Rng): Uint8Array {
  const out = new Uint8Array(bytes);
  const at = rng(3)
    ? 512 * rng(Math.ceil(out.length / 512)) + [0, 100, 124, 136, 148, 156, 257, 345][rng(8)]!
    : rng(out.length);
  switch (rng(4)) {
    case 0:
      return out.subarray(0, rng(out.length));
    case 1: {
      const text = rng(2) ? ABSURD[rng(ABSURD.length)]! : '\uffff\u0000'.repeat(6);
      out.set(new TextEncoder().encode(text).subarray(0, Math.max(0, out.length - at)), Math.min(at, out.length));
      return out;
    }
    case 2: {
      // What the central directory and the local headers of a zip file say: sizes, counts, offsets.
      const view = new DataView(out.buffer);
      const place = out.length < 64 ? 0 : rng(2) ? out.length - 4 - rng(60) : rng(out.length - 4);
      if (out.length > 4) view.setUint32(place, [0, 1, 0xffffffff, 0x7fffffff, out.length, 0xffff][rng(6)]!, true);
      return out;
    }
    default:
      for (let n = 1 + rng(10); n > 0; n--) out[rng(out.length)]! ^= 1 << rng(8);
      return out;
  }
}

/** An archive of several files, which are read and joined. */
export function fuzzArchive(seed: number): Trial {
  const next = randomWords(seed);
  const rng = rngOf(next);
  const members = Array.from({ length: 1 + rng(5) }, (_, i) => member(rng, i));
  const isZip = rng(2) === 0;
  let bytes = isZip
    ? zipSync(Object.fromEntries(members.map(({ name, data }) => [name, data])), { level: rng(3) ? 6 : 0 })
    : tarOf(members);
  const isPacked = !isZip && rng(3) === 0;
  if (isPacked) bytes = gzipSync(bytes);
  const isWhole = rng(3) === 0;
  if (!isWhole) for (let n = 1 + rng(3); n > 0 && bytes.length > 0; n--) bytes = damage(bytes, rng);
  return {
    story: `${isZip ? 'zip' : isPacked ? 'tar.gz' : 'tar'} of ${members.map(({ name }) => name.slice(0, 60)).join(', ')}${isWhole ? '' : ', damaged'}`,
    run: () => {
      const found = readArchive(bytes, 1 + rng(rng(2) ? 100_000 : 3000));
      if (found === undefined) return { read: false, events: 0 };
      // Files of single irqs are gathered.
      const files = found.reduce((sum, one) => sum + (one.files ?? 1), 0);
      if (isWhole && !isPacked && new Set(members.map(({ name }) => name)).size === members.length)
        assert.equal(files, members.length, 'files of a whole archive');
      const traces: Trace[] = [];
      for (const { file, trace, problem } of found) {
        assert.ok(
          trace !== undefined || (problem !== undefined && /^[^\n]{3,600}$/.test(problem)),
          `${file}: ${problem}`,
        );
        if (trace === undefined) continue;
        checkAccounting(trace);
        traces.push(trace);
      }
      const whole = traces.filter(({ length }) => length > 0);
      if (whole.length === 0) return { read: traces.length > 0, events: 0 };
      const joined = joinTraces(whole.map((trace) => ({ trace })));
      checkState(joined, next);
      return { read: true, events: joined.length };
    },
  };
}

function readArchive(bytes: Uint8Array, chunk: number): FileRead[] | undefined {
  const run = new FileRun('archive');
  try {
    for (let at = 0; at < bytes.length; at += chunk) run.push(bytes.subarray(at, at + chunk));
    return run.end();
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    assert.match(error.message, /^[^\n]{5,400}$/);
    return undefined;
  }
}

/** A session file: what is read is written again, and reads the same. */
export function fuzzSession(seed: number): Trial {
  const next = randomWords(seed);
  const rng = rngOf(next);
  const text = sessionFileText({
    irqsession: 1,
    sources: Array.from({ length: 1 + rng(4) }, (_, i) => ({
      file: rng(3) ? `trace-${i}.txt` : HOSTILE[rng(HOSTILE.length)] || 'x',
      ...(rng(2) ? { system: `guest${i}` } : {}),
      ...(rng(2) ? { offset: ['-12.5', '0', '+9999999999999999999.999999999'][rng(3)]! } : {}),
    })),
    ...(rng(2) ? { cursor: rng(2 ** 31), filter: 'kind == irq.entry' } : {}),
    ...(rng(2) ? { bookmarks: [{ step: rng(1000), name: 'a' }], lanes: ['irq/1', HOSTILE[rng(HOSTILE.length)]!] } : {}),
  });
  const isWhole = rng(3) === 0;
  const { bytes, story } = isWhole
    ? { bytes: new TextEncoder().encode(text), story: '' }
    : mutate(new TextEncoder().encode(text), rng);
  return {
    story: `a session${story}`,
    run: () => {
      try {
        const session = readSessionFile(new TextDecoder().decode(bytes));
        assert.deepEqual(readSessionFile(sessionFileText(session)), session);
        return { read: true, events: 0 };
      } catch (error) {
        if (!(error instanceof SessionFileError)) throw error;
        assert.ok(!isWhole, error.message);
        assert.match(error.message, /^[^\n]{5,600}$/);
        return { read: false, events: 0 };
      }
    },
  };
}
