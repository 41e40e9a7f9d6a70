// A kernel log alone: every form in which it comes, what is counted, and what stands beside it in one file.
import assert from 'node:assert/strict';
import { viewEvent } from '../../src/query/events.ts';
import { traceInfo } from '../../src/query/info.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { importText } from '../helpers/fixtures.ts';
import { sample, wholly } from './samples.ts';

const FAULT =
  'DMAR: [INTR-REMAP] Request device [65:00.0] fault index 0x25 [fault reason 0x22] Present field in the IRTE entry is clear';
const times = (trace: Trace): (string | null)[] =>
  Array.from({ length: trace.length }, (_, step) => viewEvent(trace, step).time);

/** The form of the lines, the clock, and the times of two lines of which the second is a fault. */
const FORMS: readonly (readonly [
  name: string,
  text: string,
  clock: string | null,
  start: string | null,
  end: string | null,
])[] = [
  [
    'as the console prints it',
    `[    0.000000] Linux version 6.12.1\n[   12.345678] ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'with the thread that printed',
    `[    0.000000][    T0] Linux version 6.12.1\n[   12.345678][  T123] ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'with levels',
    `<5>[    0.000000] Linux version 6.12.1\n<3>[   12.345678] ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'dmesg -x',
    `kern  :notice: [    0.000000] Linux version 6.12.1\nkern  :err   : [   12.345678] ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'dmesg -d',
    `[    0.000000 <    0.000000>] Linux version 6.12.1\n[   12.345678 <   12.345678>] ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'dmesg --time-format delta',
    `[<    0.000000>] Linux version 6.12.1\n[<   12.345678>] ${FAULT}\n`,
    'since the first line',
    '0.000000',
    '12.345678',
  ],
  [
    'dmesg -e',
    `[Oct22 08:54] Linux version 6.12.1\n[  +0.345678] ${FAULT}\n`,
    'since the first line',
    '25520040.000000',
    '25520040.345678',
  ],
  [
    'dmesg -T',
    `[Thu Oct 22 08:54:51 2020] Linux version 5.8.1\n[Thu Oct 22 08:54:52 2020] ${FAULT}\n`,
    'wall',
    '1603356891',
    '1603356892',
  ],
  [
    'dmesg --time-format iso',
    `2024-07-11T08:26:30,123456+00:00 Linux version 6.12.1\n2024-07-11T10:26:31,123456+02:00 ${FAULT}\n`,
    'wall',
    '1720686390.123456',
    '1720686391.123456',
  ],
  [
    'journalctl -k',
    `Nov 20 10:00:00 host kernel: Linux version 6.12.1\nNov 20 10:00:01 host kernel: ${FAULT}\n`,
    'wall, without the year',
    '28029600',
    '28029601',
  ],
  [
    'journalctl -k -o short-precise',
    `Nov 20 10:00:00.000001 host kernel: Linux version 6.12.1\nNov 20 10:00:01.000002 host kernel: ${FAULT}\n`,
    'wall, without the year',
    '28029600.000001',
    '28029601.000002',
  ],
  [
    'journalctl -k -o short-iso',
    `2024-07-11T08:26:30+0000 host kernel: Linux version 6.12.1\n2024-07-11T08:26:31+0000 host kernel: ${FAULT}\n`,
    'wall',
    '1720686390',
    '1720686391',
  ],
  [
    'journalctl -k -o short-full',
    `Thu 2024-07-11 08:26:30 UTC host kernel: Linux version 6.12.1\nThu 2024-07-11 08:26:31 UTC host kernel: ${FAULT}\n`,
    'wall',
    '1720686390',
    '1720686391',
  ],
  [
    'journalctl -k -o short-unix',
    `1720686390.123456 host kernel: Linux version 6.12.1\n1720686391.123456 host kernel: ${FAULT}\n`,
    'wall',
    '1720686390.123456',
    '1720686391.123456',
  ],
  [
    'journalctl -k -o short-monotonic',
    `[    0.000000] host kernel: Linux version 6.12.1\n[   12.345678] host kernel: ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'journalctl -k -o with-unit',
    `Thu 2024-07-11 08:26:30 UTC host kernel[0]: Linux version 6.12.1\nThu 2024-07-11 08:26:31 UTC host kernel[0]: ${FAULT}\n`,
    'wall',
    '1720686390',
    '1720686391',
  ],
  [
    'a file of syslog',
    `Nov 20 10:00:00 host kernel: [    0.000000] Linux version 6.12.1\nNov 20 10:00:01 host kernel: [   12.345678] ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'syslog as it travels',
    `<5>Nov 20 10:00:00 host kernel: [    0.000000] Linux version 6.12.1\n<3>Nov 20 10:00:01 host kernel: [   12.345678] ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    '/dev/kmsg',
    `5,0,0,-;Linux version 6.12.1\n3,1,12345678,-,caller=C3;${FAULT}\n SUBSYSTEM=pci\n DEVICE=+pci:0000:65:00.0\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'netconsole, extended',
    `6.12.1,5,0,0,-;Linux version 6.12.1\n6.12.1,3,1,12345678,-;${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  ['no stamps', `Linux version 6.12.1\nCommand line: quiet\n${FAULT}\n`, 'none', null, null],
  [
    'journalctl -k -o json',
    `{"__REALTIME_TIMESTAMP":"1720686390123456","__MONOTONIC_TIMESTAMP":"500","_TRANSPORT":"kernel","MESSAGE":"Linux version 6.12.1"}\n{"MESSAGE":"${FAULT}","__MONOTONIC_TIMESTAMP":"12400000","_SOURCE_MONOTONIC_TIMESTAMP":"12345678","_TRANSPORT":"kernel","__REALTIME_TIMESTAMP":"1720686402123456"}\n`,
    'boot',
    '0.000500',
    '12.345678',
  ],
  [
    'journalctl -k -o json-pretty',
    `{\n\t"__REALTIME_TIMESTAMP" : "1720686390123456",\n\t"__MONOTONIC_TIMESTAMP" : "500",\n\t"MESSAGE" : "Linux version 6.12.1"\n}\n{\n\t"__REALTIME_TIMESTAMP" : "1720686402123456",\n\t"__MONOTONIC_TIMESTAMP" : "12345678",\n\t"MESSAGE" : "${FAULT}"\n}\n`,
    'boot',
    '0.000500',
    '12.345678',
  ],
  [
    'journalctl -k -o export',
    `__CURSOR=s=1\n__REALTIME_TIMESTAMP=1720686390123456\n__MONOTONIC_TIMESTAMP=500\n_TRANSPORT=kernel\nMESSAGE=Linux version 6.12.1\n\n__CURSOR=s=2\n__REALTIME_TIMESTAMP=1720686402123456\n__MONOTONIC_TIMESTAMP=12345678\n_TRANSPORT=kernel\nMESSAGE=${FAULT}\n\n`,
    'boot',
    '0.000500',
    '12.345678',
  ],
  [
    'journalctl -k -o verbose',
    `Thu 2024-07-11 08:26:30.123456 UTC [s=1;i=1]\n    _TRANSPORT=kernel\n    MESSAGE=Linux version 6.12.1\nThu 2024-07-11 08:26:31.123456 UTC [s=1;i=2]\n    _TRANSPORT=kernel\n    MESSAGE=${FAULT}\n`,
    'wall',
    '1720686390.123456',
    '1720686391.123456',
  ],
  [
    'dmesg --json',
    `{\n   "dmesg": [\n      {\n         "pri": 5,\n         "time":     0.000000,\n         "msg": "Linux version 6.12.1"\n      },{\n         "pri": 3,\n         "time":    12.345678,\n         "msg": "${FAULT}"\n      }\n   ]\n}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
];

describe('a kernel log', () => {
  for (const [name, text, clock, start, end] of FORMS)
    it(name, () => {
      const { trace, info } = wholly(text);
      assert.deepEqual([info.format, info.records, info.understood, info.events], ['dmesg', 1, 1, 1]);
      assert.deepEqual([info.clock, info.start, info.end], [clock, start, end]);
      const fault = viewEvent(trace, 0);
      assert.deepEqual([fault.kind, fault.object, fault.time], ['ir.fault', 'device/0000:65:00.0', end]);
      assert.equal(fault.source.offset <= text.indexOf(FAULT) && fault.source.line > 1, true);
    });

  it('the processor that printed a line is the CPU of its event', () => {
    const { trace } = wholly(`[   12.345678][   C3] ${FAULT}\n[   12.345679][  T77] ${FAULT}\n`);
    assert.deepEqual([viewEvent(trace, 0).cpu, viewEvent(trace, 1).cpu], [3, null]);
  });

  it('the processor stands in front of lines without a stamp, too; a mark in prose is none', () => {
    // printk_prefix() prints caller_id() in at least six columns.
    const { trace } = wholly(`[    C3] ${FAULT}\n[T12345] ${FAULT}\n`);
    assert.deepEqual([viewEvent(trace, 0).cpu, viewEvent(trace, 1).cpu], [3, null]);
    for (const mark of ['[C3] ', '[ C3] ', '[T1] '])
      assert.throws(() => importText(`${mark}a: b\n`.repeat(20)), /no line of it is a trace record/, mark);
  });

  it('without a message of interrupts it is one, and holds no record', () => {
    const boot = Array.from({ length: 5000 }, (_, i) => `[    ${i % 10}.000001] pci 0000:00:01.0: BAR 0: assigned\n`);
    const info = traceInfo(importText(boot.join('')));
    assert.deepEqual([info.format, info.records, info.lines, info.others], ['dmesg', 0, 5000, { 'kernel log': 5000 }]);
    assert.deepEqual([info.start, info.end], ['0.000001', '9.000001']);
  });

  it('all its lines are counted, and their stamps are its span', () => {
    const { info } = sample(`[    1.000000] a: b\n[    2.000000] ${FAULT}\n[    3.000000] c: d\n`);
    assert.deepEqual([info.start, info.end, info.others], ['1.000000', '3.000000', { 'kernel log': 2 }]);
  });

  it('lines that were left out are a loss of so many', () => {
    const text = (line: string): string => `[    1.000000] ${FAULT}\n[    2.000000] ${line}\n[    3.000000] ${FAULT}\n`;
    for (const [line, count] of [
      ['dmar_fault: 12 callbacks suppressed', 12],
      ['net_ratelimit: 7 callbacks suppressed', 7],
      ['** 33 printk messages dropped **', 33],
      ['dmar_fault: 5 output lines suppressed due to ratelimiting', 5],
    ] as const) {
      const { info, events } = wholly(text(line));
      assert.deepEqual([info.lost, info.records, info.others], [count, 2, { 'loss marker': 1 }], line);
      assert.equal(events[1], `lost log count=${count}`);
    }
    const kmsg = wholly(`3,7,1000000,-;${FAULT}\n3,11,2000000,-;${FAULT}\n`);
    assert.equal(kmsg.info.lost, 3, 'records 8 to 10 of /dev/kmsg are missing');
  });

  it('a line that ends too early is counted as skipped, with its place', () => {
    const text = `[    1.000000] ${FAULT}\n[    2.000000] DMAR: [INTR-REMAP] Request device [65:00`;
    const { info } = sample(text);
    assert.deepEqual([info.records, info.understood, info.skipped], [2, 1, { 'cut off at the end of the file': 1 }]);
    assert.deepEqual(info.samples, [
      { line: 2, offset: text.indexOf('\n') + 1, reason: 'cut off at the end of the file' },
    ]);
    const middle = sample(
      `[    1.000000] DMAR: [INTR-REMAP] Request device [zz:00.0] fault index\n[    2.000000] ${FAULT}\n`,
    ).info;
    assert.deepEqual([middle.records, middle.skipped], [2, { 'a message that is not as the kernel prints it': 1 }]);
  });

  it('a dump of the ring buffer in it is a source of its own, on the same clock', () => {
    const info = traceInfo(
      importText(
        `[    1.000000] ${FAULT}\n[   60.000001] Dumping ftrace buffer:\n[   60.000002]   <idle>-0       [001] d.h1.    30.000001: irq_handler_entry: irq=41 name=nvme0q1\n[   60.000003] ${FAULT}\n`,
      ),
    );
    assert.deepEqual(
      info.sources?.map((source) => [source.format, source.records, source.start, source.end]),
      [
        ['dmesg', 2, '1.000000', '60.000003'],
        ['ftrace-text', 1, '30.000001', '30.000001'],
      ],
    );
  });

  it('lines between the records of a trace stay where they stand', () => {
    const { trace, info } = sample(
      `7@1.000001:vtd_ir_enable enable 1\n[   61.099991] ${FAULT}\n7@1.000002:vtd_inv_qi_fetch \n`,
    );
    assert.equal(info.sources, undefined);
    const fault = viewEvent(trace, trace.lastAtLine(2));
    assert.deepEqual([fault.kind, fault.time, fault.source.line], ['ir.fault', null, 2]);
  });

  it('of several boots it is one source in the order of its lines', () => {
    const { trace, info } = wholly(
      `[    0.000000] Linux version 6.1\n[   50.000000] ${FAULT}\n[    0.000000] Linux version 6.1\n[    4.000000] ${FAULT}\n`,
    );
    assert.match(info.variant, /^2 boots/);
    assert.deepEqual(times(trace), ['50.000000', '4.000000']);
  });

  it('single messages in the text of a mail, without stamps, quoted or not', () => {
    const { trace, info } = sample(
      [
        'Hello,',
        '',
        'with this patch my disk is slow, and the log says',
        `  ${FAULT}`,
        '> nvme nvme0: I/O 24 QID 3 timeout, completion polled',
        'again and again. Before it, nothing at all was printed.',
        'Regards',
        '',
      ].join('\n'),
    );
    assert.deepEqual([info.format, info.records, info.clock], ['dmesg', 2, 'none']);
    assert.deepEqual([viewEvent(trace, 0).kind, viewEvent(trace, 0).source.line], ['ir.fault', 4]);
    assert.deepEqual([viewEvent(trace, 1).object, viewEvent(trace, 1).source.line], ['device/nvme0/queue/3', 5]);
  });

  it('words about messages, and the code that prints them, are no messages', () => {
    for (const text of [
      `The kernel said ${FAULT}`,
      '\tpr_err("DMAR: [INTR-REMAP] Request device [%02x:%02x.%d] fault index 0x%llx\\n");',
      'then nvme nvme0: I/O 24 QID 3 timeout, completion polled was printed',
    ])
      assert.throws(() => importText(`Hi,\n\n${text}\n\nRegards\n`), /no line of it is a trace record/, text);
  });
});
