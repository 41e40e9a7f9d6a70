// Threads that handle irqs (kernel/irq/manage.c, include/trace/events/sched.h): when the kernel wakes one, when it runs and is done, and how
// the path of an interrupt goes on there. The captures are of Linux 7.2: booted with `threadirqs` (every handler is a thread, and
// nvme has a second one), and without (nvme asks for a thread of its own, IRQF_ONESHOT).
import assert from 'node:assert/strict';
import { checkTrace } from '../../../src/check/check-run.ts';
import { rules } from '../../../src/check/rules.ts';
import { pathAt } from '../../../src/query/delivery/path.ts';
import { interruptsAt } from '../../../src/query/interrupts/list.ts';
import { pathValue } from '../../../src/query/state.ts';
import { statisticsOf } from '../../../src/query/statistics/rows.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureLines, fixtureTrace } from '../../helpers/fixtures.ts';
import { ftraceRows, texts, wholly } from '../samples.ts';

const line = (cpu: number, time: string, payload: string): string =>
  `          <idle>-0       [00${cpu}] d.h1.    ${time}: ${payload}\n`;
const lines = (...all: string[]): string => `# tracer: nop\n${all.join('')}`;
const entry = (cpu: number, time: string, irq = 41, name = 'nvme0q1'): string =>
  line(cpu, time, `irq_handler_entry: irq=${irq} name=${name}`);
const exit = (cpu: number, time: string, irq = 41): string =>
  line(cpu, time, `irq_handler_exit: irq=${irq} ret=handled`);
const waking = (cpu: number, time: string, comm = 'irq/41-nvme0q1', pid = 147, event = 'sched_waking'): string =>
  line(cpu, time, `${event}: comm=${comm} pid=${pid} prio=49 target_cpu=003`);
const THREAD = 'irq/41-nvme0q1 147';
/** A switch: `comm pid` and the state on the left, `comm pid` on the right. */
function switches(cpu: number, time: string, from: string, state: string, to: string): string {
  const [, was, left] = /^(.*) (\d+)$/.exec(from)!;
  const [, comm, next] = /^(.*) (\d+)$/.exec(to)!;
  return line(
    cpu,
    time,
    `sched_switch: prev_comm=${was} prev_pid=${left} prev_prio=49 prev_state=${state} ==> next_comm=${comm} next_pid=${next} next_prio=49`,
  );
}
const IDLE = 'swapper/3 0';
const hopsOf = (trace: Trace, step: number): string[] =>
  (pathAt(trace, step)?.hops ?? []).map(({ object, detail, seen }) => `${object} ${detail}${seen ? '' : ' ?'}`);
const HANDLER = ['irq/41 irq.entry: name nvme0q1', 'irq/41 irq.exit: handled true'];

describe('threads of irqs', () => {
  it('are told by what the scheduler does with threads of that name', () => {
    ftraceRows([
      [
        'sched_waking: comm=irq/41-nvme0q1 pid=147 prio=49 target_cpu=001',
        'thread.wake irq/41/thread/147 name=irq/41-nvme0q1',
      ],
      [
        'sched_wakeup: comm=irq/41-s-nvme0q pid=148 prio=49 target_cpu=001',
        'thread.wake irq/41/thread/148 name=irq/41-s-nvme0q late=true',
      ],
      [
        'sched_wakeup: irq/41-nvme0q1:147 [49] success=1 CPU:001',
        'thread.wake irq/41/thread/147 name=irq/41-nvme0q1 late=true',
      ],
      [
        'sched_switch: prev_comm=swapper/1 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=irq/9-acpi next_pid=59 next_prio=49',
        'thread.entry irq/9/thread/59 name=irq/9-acpi',
      ],
      [
        'sched_switch: irq/9-acpi:59 [49] S ==> swapper/1:0 [120]',
        'thread.exit irq/9/thread/59 name=irq/9-acpi done=true',
      ],
      // One switches to the other.
      [
        'sched_switch: prev_comm=irq/41-nvme0q1 prev_pid=147 prev_prio=49 prev_state=S ==> next_comm=irq/41-s-nvme0q next_pid=148 next_prio=50',
        'thread.exit irq/41/thread/147 name=irq/41-nvme0q1 done=true',
        'thread.entry irq/41/thread/148 name=irq/41-s-nvme0q',
      ],
      // The fields option prints numbers.
      [
        'sched_switch: prev_comm=irq/9-acpi prev_pid=0x3b (59) prev_prio=0x31 (49) prev_state=0x1 (1) next_comm=sh next_pid=0x1 (1) next_prio=0x78 (120)',
        'thread.exit irq/9/thread/59 name=irq/9-acpi done=true',
      ],
      // The name of an action may hold blanks and brackets, and is cut.
      [
        'sched_waking: comm=irq/37-ahci[000 pid=162 prio=49 target_cpu=002',
        'thread.wake irq/37/thread/162 name=irq/37-ahci[000',
      ],
      [
        'sched_waking: comm=irq/16-i801 smb pid=162 prio=49 target_cpu=002',
        'thread.wake irq/16/thread/162 name=irq/16-i801 smb',
      ],
    ]);
  });

  it('are not done where they are preempted, or block', () => {
    const text = (state: string): string => wholly(lines(switches(3, '10.000100', THREAD, state, IDLE))).events[0]!;
    for (const [state, told] of [
      ['S', ' done=true'],
      ['D', ' done=false'],
      ['R', ' done=false'],
      ['R+', ' done=false'],
      ['S+', ' done=false'],
      ['X', ''],
    ])
      assert.equal(text(state!), `thread.exit irq/41/thread/147 name=irq/41-nvme0q1${told}`, state);
  });

  it('other threads are without effect', () => {
    ftraceRows([
      ['sched_waking: comm=irqbalance pid=147 prio=120 target_cpu=001'],
      ['sched_waking: comm=irq/x-y pid=147 prio=120 target_cpu=001'],
      ['sched_waking: comm=irq/41 pid=147 prio=120 target_cpu=001'],
      ['sched_waking: comm=/irq/41-a pid=147 prio=120 target_cpu=001'],
      ['sched_switch: prev_comm=a prev_pid=1 prev_prio=120 prev_state=S ==> next_comm=b next_pid=2 next_prio=120'],
    ]);
  });

  it('one wake-up has two records', () => {
    const { trace, events } = wholly(
      lines(waking(2, '10.000100'), waking(3, '10.000110', 'irq/41-nvme0q1', 147, 'sched_wakeup')),
    );
    assert.deepEqual(events, ['thread.wake irq/41/thread/147 name=irq/41-nvme0q1']);
    assert.equal(pathValue(trace.head, 'irq/41/thread/147/wakes'), 1);
  });

  it('the path of an interrupt goes on to the thread that its handler woke, on another CPU', () => {
    const { trace } = wholly(
      lines(
        entry(2, '10.000100'),
        exit(2, '10.000102'),
        waking(2, '10.000103'),
        switches(3, '10.000115', IDLE, 'R', THREAD),
        switches(3, '10.000145', THREAD, 'S', IDLE),
      ),
    );
    const hops = [
      ...HANDLER,
      'irq/41/thread/147 thread irq/41-nvme0q1 is woken',
      'irq/41/thread/147 thread irq/41-nvme0q1 runs on CPU 3',
      'irq/41/thread/147 thread irq/41-nvme0q1 ran 12 µs later for 30 µs on CPU 3',
    ];
    for (let n = 2; n <= 6; n++) assert.deepEqual(hopsOf(trace, trace.lastAtLine(n)), hops, `line ${n}`);
    const path = pathAt(trace, trace.lastAtLine(2));
    assert.deepEqual([path?.delivered, path?.reason], [true, null]);
    const state = (n: number, key: string): unknown =>
      pathValue(trace.stateAt(trace.lastAtLine(n)), `irq/41/thread/147/${key}`) ?? null;
    assert.deepEqual([state(4, 'woken'), state(4, 'running'), state(4, 'runs')], [true, null, 0]);
    assert.deepEqual([state(5, 'woken'), state(5, 'running'), state(5, 'cpu'), state(5, 'runs')], [false, true, 3, 1]);
    assert.deepEqual([state(6, 'running'), state(6, 'unfinished')], [false, false]);
    const status = (n: number): string =>
      interruptsAt(trace, trace.stateAt(trace.lastAtLine(n)), trace.lastAtLine(n))[0]!.row.status;
    assert.deepEqual([4, 5, 6].map(status), ['in-service', 'in-service', 'idle']);
  });

  it('goes on where the thread is preempted and where it blocks', () => {
    const { trace } = wholly(
      lines(
        entry(2, '10.000100'),
        exit(2, '10.000102'),
        waking(2, '10.000103'),
        switches(3, '10.000115', IDLE, 'R', THREAD),
        switches(3, '10.000120', THREAD, 'R+', 'migration/3 9'),
        switches(1, '10.000150', 'swapper/1 0', 'R', THREAD),
        switches(1, '10.000160', THREAD, 'S', 'swapper/1 0'),
      ),
    );
    assert.deepEqual(hopsOf(trace, trace.lastAtLine(2)).slice(3), [
      'irq/41/thread/147 thread irq/41-nvme0q1 runs on CPU 3',
      'irq/41/thread/147 thread irq/41-nvme0q1 ran 12 µs later for 5 µs on CPU 3, and is not done: it was preempted, or blocks',
      'irq/41/thread/147 thread irq/41-nvme0q1 runs on CPU 1',
      'irq/41/thread/147 thread irq/41-nvme0q1 ran 30 µs later for 10 µs on CPU 1',
    ]);
    assert.equal(pathValue(trace.head, 'irq/41/thread/147/runs'), 1);
  });

  it('a wake-up that is not that of a handler belongs to no interrupt', () => {
    // A new affinity wakes the thread (irq_set_thread_affinity): on another CPU, or later on the same.
    for (const cpu of [1, 2]) {
      const { trace } = wholly(
        lines(
          entry(2, '10.000100'),
          exit(2, '10.000102'),
          line(2, '10.000110', 'softirq_raise: vec=1 [action=TIMER]'),
          waking(cpu, '10.000203'),
          switches(3, '10.000215', IDLE, 'R', THREAD),
          switches(3, '10.000245', THREAD, 'S', IDLE),
        ),
      );
      assert.deepEqual(hopsOf(trace, trace.lastAtLine(2)), HANDLER, `CPU ${cpu}`);
    }
  });

  it('where no record tells who woke it, the run behind the handler is taken for its, and marked as inferred', () => {
    const run = switches(3, '10.000115', IDLE, 'R', THREAD) + switches(3, '10.000145', THREAD, 'S', IDLE);
    const again = switches(3, '11.000115', IDLE, 'R', THREAD) + switches(3, '11.000145', THREAD, 'S', IDLE);
    const { trace } = wholly(lines(entry(2, '10.000100'), exit(2, '10.000102'), run, again));
    assert.deepEqual(hopsOf(trace, trace.lastAtLine(2)), [
      ...HANDLER,
      'irq/41/thread/147 thread irq/41-nvme0q1 runs on CPU 3 ?',
      'irq/41/thread/147 thread irq/41-nvme0q1 ran 13 µs later for 30 µs on CPU 3',
    ]);
  });

  it('the actions of a shared irq each wake their own thread, for one interrupt', () => {
    const { trace } = wholly(
      lines(
        entry(2, '10.000100', 16, 'a'),
        exit(2, '10.000102', 16),
        waking(2, '10.000103', 'irq/16-a', 50),
        entry(2, '10.000105', 16, 'b'),
        exit(2, '10.000106', 16),
        waking(2, '10.000107', 'irq/16-b', 51),
        switches(3, '10.000115', IDLE, 'R', 'irq/16-a 50'),
        switches(3, '10.000145', 'irq/16-a 50', 'S', 'irq/16-b 51'),
        switches(3, '10.000165', 'irq/16-b 51', 'S', IDLE),
      ),
    );
    const objects = pathAt(trace, trace.lastAtLine(2))!.hops.map(({ object }) => object);
    const [first, second] = ['irq/16/thread/50', 'irq/16/thread/51'];
    assert.deepEqual(objects, [
      ...['irq/16', 'irq/16', first, 'irq/16', 'irq/16', second],
      ...[first, first, second, second],
    ]);
  });

  it('of every form of one recording the same comes', () => {
    const dat = fixtureTrace('x86-threads/trace.dat');
    const report = fixtureTrace('x86-threads/trace-cmd-report.txt');
    const threads = (trace: Trace): string[] => texts(trace).filter((text) => text.startsWith('thread.'));
    assert.deepEqual(threads(report), threads(dat));
    // What the text of the records says: wakings, and threads on either side of a switch; each wake-up was told by sched_waking.
    const told = fixtureLines('x86-threads/trace-cmd-report.txt').reduce(
      (sum, { text }) =>
        sum +
        (/sched_waking: +comm=irq\//.test(text) ? 1 : 0) +
        (text.includes('sched_switch:') ? text.match(/(?:prev|next)_comm=irq\//g)!.length : 0),
      0,
    );
    assert.equal(told, 362);
    assert.equal(threads(dat).length, told);
  });

  it('threadirqs: the first thread of an nvme irq wakes the second, and both are of the interrupt', () => {
    const trace = fixtureTrace('x86-threads/trace-cmd-report.txt');
    const at = fixtureLines('x86-threads/trace-cmd-report.txt').find(
      ({ text }) => text.includes('17.994494538') && text.includes('irq_handler_entry'),
    )!.line;
    assert.deepEqual(hopsOf(trace, trace.lastAtLine(at)), [
      'irq/30 irq.entry: name nvme0q1',
      'irq/30 irq.exit: handled true',
      'irq/30/thread/147 thread irq/30-nvme0q1 is woken',
      'irq/30/thread/147 thread irq/30-nvme0q1 runs on CPU 1',
      'irq/30/thread/148 thread irq/30-s-nvme0q is woken',
      'irq/30/thread/147 thread irq/30-nvme0q1 ran 21.171 µs later for 17.116 µs on CPU 1',
      'irq/30/thread/148 thread irq/30-s-nvme0q runs on CPU 1',
      'irq/30/thread/148 thread irq/30-s-nvme0q ran 11.818 µs later for 34.270 µs on CPU 1',
    ]);
  });

  it('every interrupt whose handler woke a thread has that thread in its path', () => {
    for (const name of ['trace-cmd-report.txt', 'ftrace-oneshot.txt', 'perf-script.txt']) {
      const trace = fixtureTrace(`x86-threads/${name}`);
      let woken = 0;
      for (let step = 0; step < trace.length; step++) {
        const { name: kind } = trace.table.kind(step);
        if (kind !== 'thread.wake') continue;
        woken++;
        const path = pathAt(trace, step)!;
        const own = path.hops.filter(({ object }) => object === trace.world.path(trace.table.object(step)));
        assert.ok(path.hops[0]!.detail.startsWith('irq.entry'), `${name} ${step}: ${path.hops[0]!.detail}`);
        assert.match(own.at(-1)!.detail, /ran .* later for .* on CPU \d/, `${name} ${step}`);
        assert.ok(own.every(({ seen }) => seen));
      }
      assert.ok(woken > 20, `${name}: ${woken}`);
    }
  });

  it('statistics by irq tell how long threads waited and ran', () => {
    const trace = wholly(
      lines(
        waking(2, '10.000103'),
        switches(3, '10.000115', IDLE, 'R', THREAD),
        switches(3, '10.000120', THREAD, 'R+', 'migration/3 9'),
        switches(1, '10.000150', 'swapper/1 0', 'R', THREAD),
        switches(1, '10.000160', THREAD, 'S', 'swapper/1 0'),
      ),
    ).trace;
    const work = statisticsOf(trace, 'irq');
    let result = work.next();
    while (!result.done) result = work.next();
    const [row] = result.value;
    assert.deepEqual([row?.key, row?.name, row?.count], ['irq/41/thread/147', 'irq/41-nvme0q1', 1]);
    assert.deepEqual([row?.latency.max, row?.service.max, row?.masks], ['0.000012', '0.000015', null]);
  });

  it('no rule finds anything in a machine that works', () => {
    for (const name of ['trace.dat', 'trace-cmd-report.txt', 'ftrace-oneshot.txt', 'perf-script.txt'])
      assert.deepEqual(checkTrace(fixtureTrace(`x86-threads/${name}`), rules).findings, [], name);
  });
});
