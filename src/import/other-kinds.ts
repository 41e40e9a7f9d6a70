/** Files that engineers have beside a trace: what they are, and how what is in them gets into a form that is read. */
import { textOf } from '../base/bytes.ts';

interface Kind {
  readonly title: string;
  /** The first bytes, as characters. */
  readonly magic?: string;
  /** A line of it; some of the first lines must have this form. */
  readonly line?: RegExp;
  /** Only a file in which no record was found is of this kind. */
  readonly empty?: true;
}

const RECORD_FTRACE = 'record with ftrace and keep the text: `cat /sys/kernel/tracing/trace`';

const KINDS: readonly Kind[] = [
  {
    magic: 'PERFILE2',
    title: 'a perf.data file: `perf script -i FILE > trace.txt` prints it',
  },
  {
    magic: '\xff\xff\xff\xff\xff\xff\xff\xff\xb4\x29\xa4\x0a\xcb\x77\xb1\xf2',
    title: 'a simpletrace file of QEMU, which is not read; build QEMU with --enable-trace-backends=log and use -D FILE',
  },
  { magic: '\xc1\x1f\xfc\xc1', title: `a CTF trace (LTTng), which is not read; ${RECORD_FTRACE}` },
  { magic: '\x75\xd1\x1d\x57', title: `metadata of a CTF trace (LTTng), which is not read; ${RECORD_FTRACE}` },
  { magic: '\x7fELF', title: 'an ELF file' },
  { magic: '\xfd7zXZ', title: 'an xz-compressed file: `xz -d FILE` unpacks it' },
  { magic: 'BZh', title: 'a bzip2-compressed file: `bzip2 -d FILE` unpacks it' },
  { magic: '\x1f\x8b', title: 'a gzip-compressed file within a packed one: unpack one of them first' },
  { magic: '\x28\xb5\x2f\xfd', title: 'a zstd-compressed file within a packed one: unpack one of them first' },
  { magic: 'MDMP', title: 'a minidump, which is no trace' },
  { magic: '\x04"M\x18', title: 'an lz4-compressed file: `lz4 -d FILE` unpacks it' },
  { magic: 'PK\x03\x04', title: 'a zip archive: `unzip FILE` unpacks it' },
  {
    line: /^[a-z]\w+ \d+\.\d{3} pid=\d+(?: |$)/,
    title:
      'what simpletrace.py prints of a simpletrace file, which is not read; build QEMU with --enable-trace-backends=log and use -D FILE',
  },
  {
    line: /^\[\d\d:\d\d:\d\d\.\d{9}\] \([+?]/,
    title: `an LTTng trace as babeltrace prints it, which is not read; ${RECORD_FTRACE}`,
  },
  {
    line: /^(?:\[pid +\d+\] |\d+ +)?(?:\d\d:\d\d:\d\d(?:\.\d+)? |\d+\.\d+ )?\w+\(.*\) += +(?:-?\d|0x|\?)/,
    title: `what strace prints, which shows no interrupts; ${RECORD_FTRACE}`,
  },
  {
    line: /^Attaching \d+ probes?\.\.\.|^@\w*\[.*\]: /,
    title: `what bpftrace prints, which is not read; ${RECORD_FTRACE}`,
  },
  {
    line: /^# tracer: /,
    empty: true,
    title:
      'the text of an ftrace buffer that holds no event; turn events on: `echo 1 > /sys/kernel/tracing/events/irq/enable`',
  },
  {
    line: /^content-transfer-encoding: base64$/i,
    empty: true,
    title: 'a mail whose text is in base64; save the text as the mail program shows it',
  },
  {
    line: /^[ >]*(?:-|\+-|\\-)\[[\da-f]{4,8}(?::[\da-f]{2}(?:-[\da-f]{2})?)?\]-/,
    empty: true,
    title:
      'the tree that lspci -t prints, which tells nothing of interrupts: `lspci -D -vvvxxxx`, run as root, tells them',
  },
  {
    line: /^0{6,8}:? +(?:[\da-f]{2} ?[\da-f]{2} +){3,}/,
    empty: true,
    title:
      'a hex dump of which no line says what it is of; config space needs the path of the function above it: `== /sys/bus/pci/devices/0000:00:03.0/config`',
  },
  {
    line: /^(?:\[ *\d+\.\d{6}\]|\[[A-Z][a-z]{2} [A-Z][a-z]{2} |<\d+>|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.,]\d+\S* (?:\S+ kernel: |[A-Z]\w+: |\w+ [\da-f]{4}:)|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ kernel: )/,
    title: `text with lines of a kernel log of which none tells of an interrupt; ${RECORD_FTRACE}`,
  },
];

/** A line of a list of event names; QEMU takes patterns with `*` in it, and `-` in front of what it shall not record (trace/control.c). */
const NAME_ALONE = /^-?[a-z]\w*_[\w*]+$/;

/** Whether a text is a list of event names, each on a line of its own and there once: QEMU takes one with `-trace events=FILE`. */
export function isNameList(head: Uint8Array): boolean {
  const lines = textOf(head)
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#'));
  const names = lines.filter((line) => NAME_ALONE.test(line));
  return names.length >= 3 && names.length * 10 >= lines.length * 9 && new Set(names).size === names.length;
}

/**
 * What a file is that holds no record, told from its first bytes; undefined when that cannot be said. `records`: it has lines that look
 * like records of unknown events.
 */
export function otherKind(head: Uint8Array, records = false): string | undefined {
  const start = String.fromCharCode(...head.subarray(0, 64));
  const byMagic = KINDS.find(({ magic }) => magic !== undefined && start.startsWith(magic));
  if (byMagic) return byMagic.title;
  const lines = textOf(head, 0, Math.min(head.length, 65_536)).split(/\r?\n/, 400);
  if (isNameList(head))
    return 'a list of event names, as `-trace events=FILE` of QEMU takes it; QEMU writes the trace into the file of -D';
  return KINDS.find(
    ({ line, empty }) => line !== undefined && !(records && empty) && lines.some((text) => line.test(text)),
  )?.title;
}

/** Whether bytes are no text: a twentieth of them or more are control characters. Returns their share in percent, or 0. */
export function binaryShare(head: Uint8Array): number {
  // NUL bytes stand where a file was truncated while it was written, or is longer than what was written.
  let length = 0;
  let odd = 0;
  for (let i = 0; i < head.length && length < 4096; i++) {
    const byte = head[i]!;
    if (byte === 0) continue;
    length++;
    if (byte < 8 || (byte > 13 && byte < 27) || (byte > 27 && byte < 32) || byte === 127) odd++;
  }
  if (length === 0) return 100;
  return odd * 20 > length ? Math.round((odd * 100) / length) : 0;
}
