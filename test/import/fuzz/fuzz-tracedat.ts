// trace.dat files of any machine, version and packing, whole or damaged where it hurts: sizes, offsets, counts, page headers, formats. Each is
// read or refused; every record is counted once, and what was not damaged is read whole.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { unzstd } from '../../../src/cli/unzstd.ts';
import type { Helpers } from '../../../src/import/helpers.ts';
import { ImportRun } from '../../../src/import/run.ts';
import { traceInfo } from '../../../src/query/info.ts';
import { irqtraceBytes } from '../../../src/trace/irqtrace.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes } from '../../helpers/fixtures.ts';
import { threadOf } from '../../helpers/thread.ts';
import {
  Bytes,
  type Dat,
  datV6,
  datV7,
  type Entry,
  type FieldSpec,
  formatText,
  type Machine,
  type Packing,
  type Page,
  recordOf,
} from '../../helpers/trace-dat.ts';
import { randomWords } from '../../model/random.ts';
import { checkAccounting, checkState, importMutant } from './fuzz-captures.ts';
import type { Trial } from './fuzz-kinds.ts';

type Rng = (below: number) => number;

const u32 = (name: string): FieldSpec => [`unsigned int ${name}`, 4];
const u64 = (name: string): FieldSpec => [`u64 ${name}`, 8];
const EVENTS: readonly (readonly [system: string, name: string, fields: readonly FieldSpec[], print: string])[] = [
  [
    'irq_vectors',
    'vector_config',
    ['irq', 'vector', 'cpu', 'apicdest'].map(u32),
    '"irq=%u vector=%u cpu=%u apicdest=0x%08x", REC->irq, REC->vector, REC->cpu, REC->apicdest',
  ],
  [
    'irq',
    'irq_handler_entry',
    [u32('irq'), ['__data_loc char[] name', 4]],
    '"irq=%d name=%s", REC->irq, __get_str(name)',
  ],
  [
    'kvm',
    'kvm_exit',
    [u32('exit_reason'), u64('guest_rip'), u32('isa'), u32('vcpu_id'), u32('intr_info')],
    '"vcpu %u reason %s rip 0x%lx", REC->vcpu_id, (REC->isa == 1) ? __print_symbolic(REC->exit_reason, { 1, "EXTERNAL_INTERRUPT" }) : __print_flags(REC->exit_reason, "|", { 1, "a" }, { 2, "b" }), REC->guest_rip',
  ],
  [
    'kprobes',
    'msiwrite',
    [u64('__probe_ip'), u32('irq'), u32('lo'), u32('data'), ['__data_loc char[] s', 4]],
    '"(%lx) irq=%u lo=0x%x data=%u s=\\"%s\\"", REC->__probe_ip, REC->irq, REC->lo, REC->data, __get_str(s)',
  ],
  [
    'ipi',
    'ipi_send_cpumask',
    [['__data_loc unsigned long[] cpumask', 4], u64('callsite'), u64('callback')],
    '"cpumask=%s callsite=%pS callback=%pS", __get_bitmask(cpumask), REC->callsite, REC->callback',
  ],
  ['ftrace', 'print', [u64('ip'), ['char buf[]', 0]], '"%ps: %s", (void *)REC->ip, REC->buf'],
  ['ftrace', 'bprint', [u64('ip'), u64('fmt'), ['u32 buf[]', 0]], '"%ps: %s", (void *)REC->ip, REC->fmt'],
  ['sched', 'sched_waking', [u32('pid')], '"pid=%d", REC->pid'],
];
const FIRST_ID = 20;

function entry(machine: Machine, rng: Rng): Entry {
  const kind = rng(12);
  if (kind === 0) return { extend: rng(2 ** 31) };
  if (kind === 1) return { stamp: BigInt(rng(2 ** 31)) * BigInt(rng(2 ** 27)) };
  if (kind === 2) return { discarded: 8 + 4 * rng(20), after: 1 + rng(1000) };
  const n = rng(EVENTS.length);
  const [, , fields] = EVENTS[n]!;
  const tail = Uint8Array.from({ length: rng(40) }, () => (rng(3) ? 97 + rng(26) : rng(256)));
  let at = 8;
  for (const [, size] of fields)
    at = Math.ceil(at / Math.max(1, Math.min(8, size))) * Math.max(1, Math.min(8, size)) + size;
  const values = fields.map(([declared, size]) =>
    declared.startsWith('__data_loc')
      ? rng(6) === 0
        ? rng(2 ** 31)
        : (tail.length << 16) | at
      : size === 0
        ? new Uint8Array(0)
        : rng(3)
          ? rng(300)
          : rng(2 ** 31),
  );
  return { after: rng(5000), data: recordOf(machine, FIRST_ID + n, rng(5), fields, values, tail), long: rng(10) === 0 };
}

function page(machine: Machine, stamp: bigint, rng: Rng): Page {
  const entries = Array.from({ length: rng(25) }, () => entry(machine, rng));
  if (rng(8) === 0) entries.push({ rest: true });
  return { stamp, entries, ...(rng(6) === 0 ? { lost: rng(2) ? -1 : rng(1000) } : {}) };
}

/** A file, and how many records it holds. */
function made(rng: Rng): { readonly bytes: Uint8Array; readonly story: string; readonly records: number } {
  const machine: Machine = { big: rng(2) === 0, long: rng(2) ? 8 : 4 };
  const rings = Array.from({ length: rng(4) ? 1 : 2 }, (_, r) => ({
    name: r === 0 ? '' : 'instance',
    clock: r === 0 || rng(2) ? 'local' : 'x86-tsc',
    cpus: Array.from({ length: 1 + rng(3) }, (_cpu, cpu) => ({
      cpu,
      pages: Array.from({ length: rng(4) }, (_page, n) => page(machine, BigInt(1e9 + n * 1e6 + rng(1000)), rng)),
    })),
  }));
  const dat: Dat = {
    machine,
    formats: EVENTS.map(([system, name, fields, print], i) => [system, formatText(name, FIRST_ID + i, fields, print)]),
    kallsyms:
      'ffffffff81000000 T a\nffffffff81000100 T pci_msi_domain_write_msg\nffffffff81000200 T b\t[m]\n0000000000000010 A c\n',
    printk: '0x10 : "n %d %s %p %5.3x %*d\\n"\n',
    cmdlines: '1 init\n2 a b\n',
    rings,
  };
  const form = rng(4);
  const packing: Packing = form === 2 ? 'zstd' : form === 3 ? 'zlib' : 'none';
  const bytes = form === 0 ? datV6(dat) : datV7(dat, packing, 1 + rng(3));
  const records = rings.flatMap((r) =>
    r.cpus.flatMap((c) => c.pages.flatMap((p) => p.entries.filter((e) => 'data' in e))),
  ).length;
  return {
    bytes,
    story: `version ${form === 0 ? 6 : 7}, ${packing}, ${machine.big ? 'big' : 'little'}, ${machine.long}`,
    records,
  };
}

const FIXTURES = ['x86-vtd/trace.dat', 'x86-nested/l1-trace.dat'];

const ABSURD = [
  0n,
  1n,
  4n,
  255n,
  4095n,
  4096n,
  65_535n,
  2n ** 27n - 1n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 33n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** Writes an absurd number, one of the file's size, or an offset in the file. */
function absurd(bytes: Uint8Array, at: number, rng: Rng): void {
  const width = [1, 2, 4, 8][rng(4)]!;
  const size = BigInt(bytes.length);
  const values = [...ABSURD, size, size - 1n, size + 1n, BigInt(rng(bytes.length)), BigInt(at)];
  const number = new Bytes(rng(2) === 0).n(width, values[rng(values.length)]!).bytes;
  bytes.set(number.subarray(0, Math.max(0, bytes.length - at)), at);
}

/** Offsets at which numbers stand that tell where other things are: the head, sections and options of version 7, headers of pages. */
function places(bytes: Uint8Array, rng: Rng): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const little = bytes[12] === 0;
  switch (rng(5)) {
    case 0:
      return rng(Math.min(80, bytes.length));
    case 1: {
      // The header of a page, and its first entries.
      const start = 4096 * rng(Math.ceil(bytes.length / 4096));
      return Math.min(bytes.length - 1, start + rng(48));
    }
    case 2: {
      // A section: number, flags, description, size; or a number in its content.
      let at = bytes[10] === 0x37 ? 18 : 0;
      while (at > 0 && at < 60 && bytes[at] !== 0) at++;
      at += 9;
      for (let n = rng(12); n > 0 && at + 16 < bytes.length; n--) {
        const next = at + 16 + Number(view.getBigUint64(at + 8, little));
        if (!(next < bytes.length)) break;
        at = next;
      }
      return Math.min(bytes.length - 1, at + rng(40));
    }
    default:
      return rng(bytes.length);
  }
}

const MUTATIONS: Readonly<Record<string, (bytes: Uint8Array, rng: Rng) => Uint8Array>> = {
  'numbers absurd': (bytes, rng) => {
    for (let n = 1 + rng(4); n > 0; n--) absurd(bytes, places(bytes, rng), rng);
    return bytes;
  },
  'bits flipped': (bytes, rng) => {
    for (let n = 1 + rng(8); n > 0; n--) bytes[places(bytes, rng)]! ^= 1 << rng(8);
    return bytes;
  },
  'cut off': (bytes, rng) => bytes.subarray(0, 10 + rng(bytes.length - 10)),
  'a piece lost': (bytes, rng) => {
    const at = rng(bytes.length);
    return new Uint8Array(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + rng(5000))]));
  },
  'a piece overwritten': (bytes, rng) => {
    const at = rng(bytes.length);
    const from = rng(bytes.length);
    bytes.set(
      bytes.slice(from, Math.min(bytes.length - Math.max(0, at - from), from + rng(3000), from + bytes.length - at)),
      at,
    );
    return bytes;
  },
  'noise behind': (bytes, rng) =>
    new Uint8Array(Buffer.concat([bytes, Buffer.from(Uint8Array.from({ length: rng(9000) }, () => rng(256)))])),
  'words of formats changed': (bytes, rng) => {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const words = [
      'offset:',
      'size:',
      'signed:',
      'field:',
      'REC->',
      '"',
      '{',
      '(',
      ')',
      '%',
      '__print_symbolic',
      'ID: ',
      'name: ',
      'print fmt',
    ];
    for (let n = 1 + rng(10); n > 0; n--) {
      const word = words[rng(words.length)]!;
      const at = text.indexOf(word, rng(text.length));
      if (at < 0) continue;
      const digits = '0123456789(){}"%,\n\\*[]-?:';
      for (let i = 0; i <= rng(4); i++)
        text[Math.min(text.length - 1, at + rng(word.length + 4))] = digits.charCodeAt(rng(digits.length));
    }
    return bytes;
  },
};
const names = Object.keys(MUTATIONS);

/** What is read with these helpers. */
function readWith(bytes: Uint8Array, helpers: Helpers): Trace {
  const run = new ImportRun('mutant', undefined, undefined, helpers);
  run.push(bytes);
  return run.end();
}

/**
 * What is read is the same with a thread that reads ahead, which may fail behind so many answers. Where the runtime unpacks zstd data, it
 * does so in both: it takes some damaged data without a checksum for good.
 */
function checkAhead(bytes: Uint8Array, own: Trace, answers: number, quick: Helpers['unzstd']): void {
  const alone = quick === undefined ? own : readWith(bytes, { unzstd: quick });
  const ahead = readWith(bytes, { unzstd: quick, thread: () => threadOf({ unzstd: quick }, answers) });
  assert.deepEqual(traceInfo(ahead), traceInfo(alone), 'read ahead');
  const saved = (trace: Trace): Buffer => Buffer.concat([...irqtraceBytes(trace)]);
  assert.ok(saved(ahead).equals(saved(alone)), 'read ahead');
}

/** A file of trace-cmd. */
export function fuzzTracedat(seed: number): Trial {
  const next = randomWords(seed);
  const rng: Rng = (below) => (below <= 1 ? 0 : next() % below);
  const own = rng(12) > 0;
  const base = own
    ? made(rng)
    : { bytes: fixtureBytes(FIXTURES[rng(FIXTURES.length)]!), story: 'a capture', records: -1 };
  let bytes: Uint8Array = new Uint8Array(base.bytes);
  let { story } = base;
  const isWhole = own && rng(4) === 0;
  for (let n = isWhole ? 0 : 1 + rng(3); n > 0 && bytes.length > 40; n--) {
    const mutation = names[rng(names.length)]!;
    bytes = MUTATIONS[mutation]!(bytes, rng);
    story += `, ${mutation}`;
  }
  const isPacked = rng(8) === 0;
  return {
    story,
    run: () => {
      const trace = importMutant(isPacked ? gzipSync(bytes) : bytes, 1 + rng(rng(2) ? 100_000 : 3000));
      if (trace === undefined) return { read: false, events: 0 };
      checkAccounting(trace);
      const info = traceInfo(trace);
      if (info.format === 'trace-dat') {
        assert.equal(info.lines, info.records, 'every line is a record');
        if (info.problem !== null) assert.match(info.problem, /^(?:the file [^\n]{5,400}|the gzip data [^\n]+)$/);
      }
      if (isWhole) {
        assert.equal(info.problem, null);
        assert.equal(info.records, base.records, 'records of a whole file');
      }
      checkState(trace, next);
      if (!isPacked && rng(3) === 0)
        checkAhead(bytes, trace, rng(4) ? Number.POSITIVE_INFINITY : rng(20), rng(2) ? unzstd : undefined);
      return { read: true, events: trace.length };
    },
  };
}
