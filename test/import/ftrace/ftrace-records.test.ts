// The heads of ftrace text records in all their forms, and the lines between the records. Forms: kernel/trace/trace_output.c
// (trace_print_context, trace_print_lat_context) and trace.c (headers, lost events, buffer starts).
import assert from 'node:assert/strict';
import { viewEvent } from '../../../src/query/events.ts';
import { sample, wholly } from '../samples.ts';

const EVENT = 'irq_handler_entry: irq=26 name=nvme0q0';

/** CPU, time and task of the first record of a text, and its count of digits. */
function headOf(text: string): [cpu: number | null, time: string | null, task: string | undefined] {
  const { trace, events } = wholly(`# tracer: nop\n#\n${text}\n`);
  assert.equal(events[0], 'irq.entry irq/26 name=nvme0q0');
  const event = viewEvent(trace, trace.length - 1);
  return [event.cpu, event.time, event.task];
}

describe('heads of ftrace records', () => {
  const heads: Record<string, [text: string, cpu: number, time: string, task: string]> = {
    '5 flag columns': ['          <idle>-0       [002] d.h1.    10.934596: ', 2, '10.934596', '<idle>-0'],
    '4 flag columns': ['    (agetty)-3004    [047] d...    81.777157: ', 47, '81.777157', '(agetty)-3004'],
    '6 flag columns': ['              sh-77      [001] d.h1.1  81.777157: ', 1, '81.777157', 'sh-77'],
    '7 flag columns': ['              sh-77      [001] dNh1..2  81.777157: ', 1, '81.777157', 'sh-77'],
    'no irq-info': ['              sh-77      [001]    81.777157: ', 1, '81.777157', 'sh-77'],
    'hard irq inside soft irq': ['              sh-77      [001] dNH3.    81.777157: ', 1, '81.777157', 'sh-77'],
    TGID: ['     CPU 3/KVM-41822   (  41790) [007] d..1.  5123.001234: ', 7, '5123.001234', 'CPU 3/KVM-41822'],
    'unknown TGID': ['          <idle>-0       (-------) [000] d.h1.     1.000001: ', 0, '1.000001', '<idle>-0'],
    'TGID, no irq-info': ['              sh-77      (     76) [003]     1.000001: ', 3, '1.000001', 'sh-77'],
    nanoseconds: ['              sh-77      [001] d.h1. 81.777157123: ', 1, '81.777157123', 'sh-77'],
    'a long CPU number': ['              sh-77      [1023] d.h1. 81.777157: ', 1023, '81.777157', 'sh-77'],
    'an older, shorter pid column': ['            bash-1447  [001] 1038282.286875: ', 1, '1038282.286875', 'bash-1447'],
    'comm not in the cache': ['           <...>-1447    [001] d.h1.  3.000001: ', 1, '3.000001', '<...>-1447'],
    'comm with a dash and digits': ['          foo-12-34      [001] d.h1.  3.000001: ', 1, '3.000001', 'foo-12-34'],
    'comm with blanks and brackets': [
      '     a [1] b: c)-34      [001] d.h1.  3.000001: ',
      1,
      '3.000001',
      'a [1] b: c)-34',
    ],
    'comm that looks like a head': ['      x-1 [2] y-34      [005] d.h1.  3.000001: ', 5, '3.000001', 'x-1 [2] y-34'],
    'comm with a colon and a slash': [
      '   kworker/u16:3-45      [003] .....    11.922685: ',
      3,
      '11.922685',
      'kworker/u16:3-45',
    ],
    'comm of parentheses': ['        ((sd-p))-45      [003] .....    11.922685: ', 3, '11.922685', '((sd-p))-45'],
    'comm outside ASCII': ['       wörker-日-45      [003] .....    11.922685: ', 3, '11.922685', 'wörker-日-45'],
    'comm that is empty': ['                -45      [003] .....    11.922685: ', 3, '11.922685', '-45'],
    'trace-cmd report': ['            bash-1447  [001] d..1.  1234.567890: ', 1, '1234.567890', 'bash-1447'],
    'trace-cmd report -R': ['            bash-1447  [001]-0x9  1234.567890: ', 1, '1234.567890', 'bash-1447'],
  };
  for (const [name, [head, cpu, time, task]] of Object.entries(heads)) {
    it(name, () => assert.deepEqual(headOf(head + EVENT), [cpu, time, task]));
  }

  it('trace-cmd pads event names', () => {
    assert.deepEqual(headOf('            bash-1447  [001]  1234.567890: irq_handler_entry:    irq=26 name=nvme0q0'), [
      1,
      '1234.567890',
      'bash-1447',
    ]);
  });

  it('stamps of a counter are ticks, in order, without a point', () => {
    const { trace, info } = wholly(
      ['# tracer: nop', `  sh-7 [000] d.h1.   4711: ${EVENT}`, `  sh-7 [000] d.h1.   9000000000123: ${EVENT}`].join(
        '\n',
      ),
    );
    assert.equal(info.clock, 'counter');
    assert.deepEqual([info.start, info.end], ['4711', '9000000000123']);
    assert.equal(trace.stepAtTime('4711.5'), undefined);
    assert.equal(trace.stepAtTime('5000'), trace.length - 2);
  });

  it('micro- and nanoseconds in one file keep all their digits', () => {
    const { info } = wholly(`# tracer: nop\n  sh-7 [000] 1.000001: ${EVENT}\n  sh-7 [000] 1.000001234: ${EVENT}\n`);
    assert.deepEqual([info.start, info.end], ['1.000001000', '1.000001234']);
  });

  it('the latency format: relative microseconds, CPU and flags glued together', () => {
    const text = [
      '# tracer: nop',
      '#',
      '# nop latency trace v1.1.5 on 6.12.107',
      '# --------------------------------------------------------------------',
      '# latency: 0 us, #4/4, CPU#0 | (M:desktop VP:0, KP:0, SP:0 HP:0 #P:4)',
      '#    -----------------',
      '#    | task: -0 (uid:0 nice:0 policy:0 rt_prio:0)',
      '#    -----------------',
      '#  cmd     pid  ||||| time   |   caller',
      `  <idle>-0         3d.h1. 37703us!: ${EVENT}`,
      `  <idle>-0         0d.h1. 37800us : ${EVENT}`,
      `kworker/-45      12d...  437900us+: ${EVENT}`,
      `  <idle>-0         0d.h1. 5437900us#: ${EVENT}`,
    ].join('\n');
    const { trace, info } = wholly(text);
    assert.equal(info.cpus, 4);
    assert.match(info.variant, /latency format/);
    const heads = Array.from({ length: trace.length }, (_, step) => viewEvent(trace, step))
      .filter((e) => e.kind === 'irq.entry')
      .map((e) => [e.cpu, e.time, e.task]);
    assert.deepEqual(heads, [
      [3, '0.037703', '<idle>-0'],
      [0, '0.037800', '<idle>-0'],
      [12, '0.437900', 'kworker/-45'],
      [0, '5.437900', '<idle>-0'],
    ]);
  });

  it('the verbose latency format', () => {
    const { trace, events } = wholly(
      [
        '# tracer: nop',
        '# nop latency trace v1.1.5 on 6.12.107',
        `          <idle>       0   2 4 00000001 00000017 [00009347] 37.703ms (+0.021ms): ${EVENT}`,
        `            bash    1447   1 0 00000000 00000018 [00009359] 1037.721ms (+0.000ms): ${EVENT}`,
      ].join('\n'),
    );
    assert.equal(events.length, 2);
    assert.deepEqual(
      [1, 3].map((step) => [viewEvent(trace, step).cpu, viewEvent(trace, step).time]),
      [
        [2, '0.037703'],
        [1, '1.037721'],
      ],
    );
  });
});

describe('dumps of the buffer to the kernel log', () => {
  it('have the stamp of the log in front, with and without the thread or CPU that printed', () => {
    const { trace, info } = wholly(
      [
        '[   12.345678] Dumping ftrace buffer:',
        '[   12.345679] ---------------------------------',
        `[   12.345680]   <idle>-0       0d.h1. 37703us : ${EVENT}`,
        `[   12.345681][   C3]   <idle>-0       1d.h1. 37704us : ${EVENT}`,
        `[   12.345682][  T77]             bash-1447    [002] d.h1.    10.934598: ${EVENT}`,
        '[   12.345683] ---------------------------------',
      ].join('\n'),
    );
    assert.equal(info.records, 3);
    const heads = Array.from({ length: trace.length }, (_, step) => viewEvent(trace, step))
      .filter((e) => e.kind === 'irq.entry')
      .map((e) => [e.cpu, e.time]);
    assert.deepEqual(heads, [
      [0, '0.037703'],
      [1, '0.037704'],
      [2, '10.934598'],
    ]);
  });
});

describe('between ftrace records', () => {
  const record = `          <idle>-0       [002] d.h1.    10.934596: ${EVENT}`;

  it('the header tells the flag columns, TGID, CPUs and what was lost', () => {
    const header = (columns: string, tgid: string): string =>
      `# tracer: nop\n#\n# entries-in-buffer/entries-written: 10/250   #P:8\n#\n#           TASK-PID   ${tgid}  CPU#  ${columns}  TIMESTAMP  FUNCTION\n${record}\n`;
    const five = wholly(header('|||||', '')).info;
    assert.deepEqual([five.lost, five.cpus, five.others], [240, 8, { header: 5 }]);
    assert.match(five.variant, /^default format, 5 flag columns$/);
    assert.match(wholly(header('||||', '')).info.variant, /4 flag columns/);
    assert.match(wholly(header('|||||||', '  TGID ')).info.variant, /7 flag columns, TGID/);
    assert.match(wholly(header('', '')).info.variant, /no flag columns/);
  });

  it('lost events: with and without a count, in the words of the kernel and of trace-cmd', () => {
    const { info, events, trace } = wholly(
      [
        'CPU:0 [LOST 5261 EVENTS]',
        record,
        'CPU:13 [LOST EVENTS]',
        record,
        'CPU:1 [780 EVENTS DROPPED]',
        record,
        'CPU:2 [EVENTS DROPPED]',
        record,
      ].join('\n'),
    );
    const notes = events.filter((e) => e.startsWith('lost'));
    assert.deepEqual(notes, ['lost buffer/0 count=5261', 'lost buffer/13', 'lost buffer/1 count=780', 'lost buffer/2']);
    assert.deepEqual([info.lost, info.gaps, info.others], [null, 2, { 'loss marker': 4 }]);
    const cpus = Array.from({ length: trace.length }, (_, s) => viewEvent(trace, s)).filter((e) => e.kind === 'lost');
    assert.deepEqual(
      cpus.map((e) => e.cpu),
      [0, 13, 1, 2],
    );
  });

  it('the start of a buffer', () => {
    const { events, info } = wholly(`# tracer: nop\n${record}\n##### CPU 3 buffer started ####\n${record}\n`);
    assert.equal(events[1], 'start buffer/3');
    assert.deepEqual(info.others, { header: 1, 'buffer start': 1 });
  });

  it('stack traces, blank lines and graph lines are no records', () => {
    const { info, events } = wholly(
      [
        '# tracer: nop',
        record,
        '          <idle>-0       [002] d.h1.    10.934597: <stack trace>',
        ' => __schedule',
        ' => schedule',
        '',
        ' 1)   0.123 us    |  native_apic_msr_eoi();',
        ' ------------------------------------------',
        '            bash-1447    [002] d.h1.    10.934598: kernel_stack: <stack trace >',
        '=> foo (ffffffff81000000)',
        record,
      ].join('\n'),
    );
    assert.equal(events.length, 2);
    assert.deepEqual(info.others, { header: 1, 'stack trace': 3, blank: 1, 'function graph': 2 });
    assert.equal(info.records, 4);
  });

  it('the function tracer’s records are known and without effect', () => {
    const { info } = wholly(
      '# tracer: function\n  bash-7 [000] d.h1. 1.000001: irq_enter_rcu <-sysvec_apic\n  bash-7 [000] d.h1. 1.000002: vfio_msihandler [vfio_pci_core] <-__handle_irq\n',
    );
    assert.deepEqual(info.withoutEffect, { function: 2 });
    assert.match(info.variant, /tracer function/);
  });

  it('what the kernel could not print is skipped with that reason', () => {
    const { info } = sample(`# tracer: nop\n${record}\n[LINE TOO BIG]\nUnknown type 17\nsomething else\n${record}\n`);
    assert.deepEqual(info.skipped, {
      'the kernel printed [LINE TOO BIG]': 1,
      'the kernel printed Unknown type': 1,
    });
    assert.deepEqual(
      info.samples.map((s) => s.line),
      [3, 4],
    );
    // Prose between records is no bad record.
    assert.deepEqual(info.others, { header: 1, text: 1 });
  });

  it('markers may hold anything', () => {
    const texts = ['MARK 1 boot-start', ' {"a": [1, 2]} => #x -> [003] 1.2: y: z', 'irq=5 name=x', 'x'.repeat(900)];
    const lines = texts.map((t) => `  init-1 [000] ..... 1.000001: tracing_mark_write: ${t}`);
    const { events } = wholly(`# tracer: nop\n${lines.join('\n')}\n`);
    assert.deepEqual(
      events,
      texts.map((t) => `mark marker text=${t}`),
    );
  });

  it('a name that is not known is counted by that name, and its stamp still counts for its CPU', () => {
    const { info, trace } = sample('# tracer: nop\n  a-1 [004] ..... 1.000001: sched_migrate_task: comm=a pid=1\n');
    assert.deepEqual(info.unknown, { sched_migrate_task: 1 });
    assert.equal(trace.length, 1);
  });
});
