// What tells how two clocks belong together: marks, entries of virtual CPUs, stamps of who took a console down; and wrong pairs that do not.
import assert from 'node:assert/strict';
import { joinTraces } from '../../../src/import/join/join.ts';
import { joinedInfo } from '../../../src/query/info.ts';
import { fixtureLines, grep, importText } from '../../helpers/fixtures.ts';

const seconds = (text: string): number => Number(text);

/** What info tells of the clock of the second of two texts. */
function clockOf(first: string, second: string) {
  const trace = joinTraces([{ trace: importText(first, 'first') }, { trace: importText(second, 'second') }]);
  const { clocks, sources } = joinedInfo(trace);
  return { ...clocks[1]!, start: seconds(sources[1]!.start!), day: trace.sources[1]!.alignment?.day };
}

const FTRACE = '# tracer: nop\n#\n';
const task = (name: string, cpu: number, time: number, event: string): string =>
  `${name.padStart(16)}-1       [${String(cpu).padStart(3, '0')}] d..1.  ${time.toFixed(6)}: ${event}\n`;

describe('evidence for clocks', () => {
  it('marks of a trace and bytes at the debug console, which come later by any time', () => {
    // The bytes of the capture come 17 to 118 ms behind its marks: its messages tell the offset to the microsecond.
    const marks = grep('x86-vtd/ftrace.txt', /tracing_mark_write: MARK \d/).map(({ text }) => text);
    const bytes = grep('x86-vtd/qemu.log', /isa-debugcon/).map(({ text }) => text);
    assert.ok(marks.length >= 20 && bytes.length >= 20);
    // Something that becomes an event, so that the log is a trace.
    const event = grep('x86-vtd/qemu.log', /vtd_inv_desc_iec/)[0]!.text;
    const { offset, uncertainty, drift, evidence, start, day } = clockOf(
      `${FTRACE}${marks.join('\n')}\n`,
      `${event}\n${bytes.join('\n')}\n`,
    );
    assert.equal(drift, 0);
    assert.ok(evidence.length >= 20);
    assert.equal(day, false);
    for (const { what } of evidence) assert.equal(what, 'the same mark was written');
    // 1795148652.6314 by the messages of the whole capture.
    const whole = joinedInfo(
      joinTraces([
        {
          trace: importText(
            fixtureLines('x86-vtd/ftrace.txt')
              .map(({ text }) => text)
              .join('\n'),
          ),
        },
        {
          trace: importText(
            fixtureLines('x86-vtd/qemu.log')
              .map(({ text }) => text)
              .join('\n'),
          ),
        },
      ]),
    );
    const miss = Math.abs(seconds(offset) - seconds(whole.clocks[1]!.offset));
    assert.ok(miss < seconds(uncertainty!), `${miss} s of ${uncertainty} s, from ${start}`);
    assert.ok(seconds(uncertainty!) < 0.25);
    // With messages beside them, marks cost nothing.
    assert.ok(seconds(whole.clocks[1]!.uncertainty!) < 0.0005);
    assert.ok(Math.abs(whole.clocks[1]!.drift) < 50);
  });

  it('texts at the debug console are the same marks', () => {
    const texts = ['begin of the run', 'queues are up', 'traffic', 'end of the run'];
    const kernel = texts.map((text, i) => task('sh', 0, 10 + 3 * i, `tracing_mark_write: ${text}`)).join('');
    const log = texts
      .flatMap((text, i) =>
        [...`${text}\n`].map(
          (char, k) =>
            `7@${(1_700_000_000 + 3 * i + 0.004 + k / 1e5).toFixed(6)}:memory_region_ops_write cpu 0 mr 0x1 addr 0xe9 value 0x${char.charCodeAt(0).toString(16)} size 1 name 'isa-debugcon'`,
        ),
      )
      .join('\n');
    const event = '7@1699999999.000000:vtd_inv_desc_iec granularity 0x1 index 0x14 mask 0x0\n';
    const { offset, uncertainty, evidence } = clockOf(FTRACE + kernel, `${event}${log}\n`);
    assert.equal(evidence.length, texts.length);
    assert.ok(Math.abs(seconds(offset) - (10 - 1_700_000_000 - 0.004)) < 1e-5, offset);
    assert.ok(seconds(uncertainty!) < 0.05);
  });

  it('vectors that KVM injects at an entry, and the kernel in the machine handles; sleeps between accept and entry do not blur it', () => {
    let [host, guest] = ['', ''];
    const offset = 5.25;
    for (let i = 0; i < 24; i++) {
      // Uneven distances: the same would fit in several ways.
      const at = 20 + i * 0.731 + (i % 7) * 0.113;
      const sleep = (i % 5) * 0.0009;
      const vector = i % 2 === 0 ? 34 : 35;
      host += task('qemu', 1, at, `kvm_apic_accept_irq: apicid 0 vec ${vector} (Fixed|edge)`);
      host += task('qemu', 1, at + sleep + 0.000002, `kvm_inj_virq: IRQ 0x${vector.toString(16)}`);
      host += task('qemu', 1, at + sleep + 0.000003, 'kvm_entry: vcpu 0, rip 0xffffffff81000000');
      const handled = at + sleep + 0.000008 - offset;
      guest += task('idle', 0, handled, `irq_handler_entry: irq=${vector - 10} name=eth${vector}`);
      guest += task('idle', 0, handled + 0.00001, `irq_handler_exit: irq=${vector - 10} ret=handled`);
      host += task(
        'qemu',
        1,
        at + sleep + 0.0001,
        'kvm_exit: vcpu 0 reason hlt rip 0xffffffff81000000 info1 0x0 info2 0x0 intr_info 0x0 error_code 0x0',
      );
    }
    const setUp = [34, 35]
      .map((vector) =>
        task(
          'init',
          0,
          1 + vector / 100,
          `vector_config: irq=${vector - 10} vector=${vector} cpu=0 apicdest=0x00000000`,
        ),
      )
      .join('');
    const { offset: found, uncertainty, evidence } = clockOf(FTRACE + host, FTRACE + setUp + guest);
    assert.ok(
      evidence.some(({ what }) => what === 'the same vector was injected at an entry and handled'),
      JSON.stringify(evidence),
    );
    assert.ok(Math.abs(seconds(found) - offset) < 0.0001, found);
    assert.ok(seconds(uncertainty!) < 0.001, uncertainty!);
  });

  it('lines of a console with the stamp of who took them down: the soonest one tells the time of day', () => {
    const lines = [
      ['2023-11-14T22:13:30.500000+00:00', '10.400000'],
      ['2023-11-14T22:13:31.020000+00:00', '11.000000'],
      ['2023-11-14T22:13:32.900000+00:00', '12.000000'],
    ].map(([day, own]) => `${day} [   ${own}] irq_handler_entry: irq=24 name=eth0\n`);
    const log = [0, 20, 40].map(
      (s) => `7@${1_700_000_000 + s}.000000:vtd_inv_desc_iec granularity 0x1 index 0x14 mask 0x0\n`,
    );
    const { offset, uncertainty, evidence, day } = clockOf(lines.join(''), log.join(''));
    assert.equal(day, true);
    // 22:13:31.02 is 1700000011.02; the kernel stamped 11.0.
    assert.equal(offset, '-1700000000.020000000');
    // No event of both shows it.
    assert.deepEqual([uncertainty, evidence], [null, []]);
  });

  it('marks that agree on nothing tell nothing', () => {
    const kernel = [1, 2, 3, 4, 5, 6].map((n) => task('sh', 0, 10 + 7 * n, `tracing_mark_write: MARK ${n}`)).join('');
    const log = [5, 1, 4, 2, 6, 3].map(
      (n, i) =>
        `7@${1_700_000_000 + 11 * i}.000000:memory_region_ops_write cpu 0 mr 0x1 addr 0xe9 value 0x${n} size 1 name 'isa-debugcon'\n`,
    );
    const event = '7@1699999999.000000:vtd_inv_desc_iec granularity 0x1 index 0x14 mask 0x0\n';
    const { uncertainty, evidence } = clockOf(FTRACE + kernel, event + log.join(''));
    assert.deepEqual([uncertainty, evidence], [null, []]);
  });

  describe('a driver that was loaded twice (x86-amd)', () => {
    const text = (name: string): string =>
      fixtureLines(name)
        .map((line) => `${line.text}\n`)
        .join('');
    /** The trace of the guest, with what kit.json of its recording says of the time of day: whole seconds. */
    const guest = (moments: boolean) => {
      const trace = importText(text('x86-amd/guest.txt'), 'trace');
      const base = Number(trace.first.time.base);
      if (moments) trace.first.moments = [{ own: (70.742324 - base) * 1e9, day: 1795822208n * 1_000_000_000n }];
      trace.first.clock = 'mono';
      return trace;
    };
    const log = () => importText(text('x86-amd/qemu.log'), 'qemu.log');

    it('may have stored its messages once by chance, among many files; not where the time of day agrees', () => {
      const third = importText(`${FTRACE}${task('swapper', 0, 5, 'irq_handler_entry: irq=1 name=i8042')}`, 'other');
      const parts = (moments: boolean) => [{ trace: log() }, { trace: guest(moments) }, { trace: third }];
      assert.equal(joinedInfo(joinTraces(parts(false))).clocks[1]!.uncertainty, null);
      const { offset, uncertainty, evidence } = joinedInfo(joinTraces(parts(true))).clocks[1]!;
      // The kernel stores data 3 in entry 3 of the igb at 71.010247; the machine shows it at 1795822209.359041, and before at …178.784991.
      const [stored] = grep('x86-amd/guest.txt', /__pci_write_msi_msg: .* msi_index=3 .*data=0x3$/);
      const shown = grep('x86-amd/qemu.log', /write .* addr 0xfebc4038 value 0x3 size 4 name 'msix-table'/);
      assert.equal(shown.length, 3);
      const own = seconds(/ (\d+\.\d{6}): /.exec(stored!.text)![1]!);
      const other = seconds(/@(\d+\.\d{6}):/.exec(shown.at(-1)!.text)![1]!);
      assert.ok(Math.abs(other - own - seconds(offset)) < 2 * seconds(uncertainty!), `${other - own} for ${offset}`);
      assert.ok(seconds(uncertainty!) < 2e-4);
      assert.ok(evidence.length >= 8);
    });

    it('lines of the kernel log stand in the trace, too; of two runs of one driver those near the clock of the log', () => {
      const dmesg = [
        ['40.898809', '71.372959', 'added PHC on eth1'],
        ['40.899789', '71.373776', 'Intel(R) Gigabit Ethernet Network Connection'],
        ['40.900431', '71.374367', 'eth1: (PCIe:unknown:unknown) 52:54:00:12:34:56'],
        ['40.901276', '71.374964', 'eth1: PBA No: 1040FF-0FF'],
        ['40.909680', '71.375383', 'Using MSI-X interrupts. 4 rx queue(s), 4 tx queue(s)'],
      ];
      const lines = [0, 1].flatMap((run) => dmesg.map((row) => `[   ${row[run]}] igb 0000:00:04.0: ${row[2]}\n`));
      // A line that becomes an event, so that the log is a trace.
      const fault = '[    5.000000] do_IRQ: 1.34 No irq handler for vector\n';
      const parts = [{ trace: guest(false) }, { trace: importText(`${fault}${lines.join('')}`, 'dmesg.txt') }];
      const { offset, uncertainty, evidence } = joinedInfo(joinTraces(parts)).clocks[1]!;
      // 71.449358 of the last line in the trace, less 71.375383.
      assert.ok(Math.abs(seconds(offset) - 0.073975) < seconds(uncertainty!), offset);
      assert.deepEqual(new Set(evidence.map(({ what }) => what)), new Set(['the same line was logged']));
      assert.equal(evidence.length, 5);
      // One of the five came 150 µs later than the others.
      assert.ok(seconds(uncertainty!) < 3e-4);
    });
  });
});
