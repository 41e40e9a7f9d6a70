// Facts of the captures with lost events: D1 (overrun ring buffer) and D2 (trace_pipe). Also: every trimmed capture is
// read whole, with its accounting and its integrity in order, and the log of the guest that panicked.
import assert from 'node:assert/strict';
import { viewEvent } from '../../../src/query/events.ts';
import { traceInfo } from '../../../src/query/info.ts';
import { pathValue } from '../../../src/query/state.ts';
import { checkIntegrity } from '../../../src/trace/integrity.ts';
import { fixtureLines, fixtureTrace, grep, traceFixtures } from '../../helpers/fixtures.ts';

const sum = (tally: Readonly<Record<string, number>>): number => Object.values(tally).reduce((a, b) => a + b, 0);
const RECORD = /^ *.+-\d+ +(?:\( *[\d-]+\) +)?\[\d{3}\] (?:[^ ]{3,8} +)?\d+\.\d{6}: /;

describe('lost events', () => {
  it('D1: the header of an overrun buffer: 9954 written, 467 kept, 9487 lost', () => {
    const name = 'x86-lost/trace-overrun.txt';
    const header = /entries-written: (\d+)\/(\d+) /.exec(fixtureLines(name)[2]!.text)!;
    const info = traceInfo(fixtureTrace(name));
    assert.equal(info.lost, Number(header[2]) - Number(header[1]));
    assert.equal(info.lost, 5261 + 4226, 'the overruns of both CPUs, as the kernel counts them per CPU');
    assert.equal(info.records, grep(name, RECORD).length);
    assert.deepEqual(info.others, {
      header: grep(name, /^#(?!####)/).length,
      'buffer start': grep(name, /^##### CPU \d+ buffer started/).length,
    });
  });

  it('D2: each LOST line is an event on its CPU with its count, and the counts add up', () => {
    const name = 'x86-lost/trace_pipe.txt';
    const trace = fixtureTrace(name);
    const printed = grep(name, /^CPU:\d+ \[LOST/).map((l) => {
      const m = /CPU:(\d+) \[LOST (\d+) EVENTS\]/.exec(l.text)!;
      return { line: l.line, cpu: Number(m[1]), count: Number(m[2]) };
    });
    assert.equal(printed.length, 5);
    const seen: unknown[] = [];
    for (let step = 0; step < trace.length; step++) {
      if (trace.table.kind(step).name !== 'lost') continue;
      const event = viewEvent(trace, step);
      seen.push({ line: event.source.line, cpu: event.cpu, count: event.fields['count'] });
    }
    assert.deepEqual(seen, printed);
    const info = traceInfo(trace);
    assert.equal(
      info.lost,
      printed.reduce((a, p) => a + p.count, 0),
    );
    assert.equal(info.gaps, 0);
  });
});

/** Formats by what the names of captures end with. */
const FORMATS: readonly (readonly [end: string, format: string])[] = [
  ['.log', 'qemu-log'],
  ['/perf-script.txt', 'perf-script'],
  ['/trace-cmd-report.txt', 'trace-cmd-report'],
  ['/dmesg.txt', 'dmesg'],
];

describe('all trimmed captures', () => {
  for (const name of traceFixtures()) {
    it(`${name} is read whole`, () => {
      const trace = fixtureTrace(name);
      const info = traceInfo(trace);
      const lines = fixtureLines(name);
      assert.deepEqual(checkIntegrity(trace), []);
      assert.equal(info.lines, lines.length);
      assert.equal(info.understood + sum(info.unknown) + sum(info.skipped), info.records);
      assert.equal(info.records + sum(info.others), info.lines);
      assert.deepEqual(info.skipped, {});
      assert.equal(info.format, FORMATS.find(([end]) => name.endsWith(end))?.[1] ?? 'ftrace-text');
      // Only block events, which are not about interrupts, are not known, and they are named (perf: with their system).
      for (const [event, count] of Object.entries(info.unknown)) {
        assert.match(event, /^block_/);
        assert.equal(count, grep(name, new RegExp(`[ :]${event}: `)).length);
      }
      if (info.format === 'ftrace-text') assert.equal(info.records, grep(name, RECORD).length);
    });
  }

  it('the guest that panicked: 259 nvme pin interrupts, IO-APIC lines as last driven', () => {
    const name = 'x86-panic/qemu.log';
    const trace = fixtureTrace(name);
    const pins = grep(name, /pci_nvme_irq_pin/).length;
    assert.equal(pins, 259);
    const nvme = grep(name, /pci_cfg_write nvme /)[0]!;
    const bdf = `0000:${/nvme (\S+) /.exec(nvme.text)![1]}`;
    assert.equal(pathValue(trace.head, `device/${bdf}/raises`), pins);
    const levels = new Map<number, boolean>();
    for (const l of grep(name, /ioapic_set_irq vector: /)) {
      const m = /vector: (\d+) level: (\d)/.exec(l.text)!;
      levels.set(Number(m[1]), m[2] === '1');
    }
    for (const [pin, level] of levels) assert.equal(pathValue(trace.head, `ioapic/0/pin/${pin}/level`), level);
  });
});
