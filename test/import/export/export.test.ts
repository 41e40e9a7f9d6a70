// What is written in other formats says the same as the trace: read again, parsed by a reader of its own, or held against its rules.
import assert from 'node:assert/strict';
import { csv, EVENT_COLUMNS } from '../../../src/import/export/csv.ts';
import { ndjson } from '../../../src/import/export/ndjson.ts';
import { perfetto } from '../../../src/import/export/perfetto.ts';
import { joinTraces } from '../../../src/import/join/join.ts';
import { viewEvent } from '../../../src/query/events.ts';
import { stateTree } from '../../../src/query/state.ts';
import { irqtraceBytes } from '../../../src/trace/irqtrace.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureTrace, importBytes, importText } from '../../helpers/fixtures.ts';

/** An event without its place in a file. */
const said = (trace: Trace) =>
  Array.from({ length: trace.length }, (_, step) => {
    const { source: _source, ...event } = viewEvent(trace, step);
    return event;
  });

const joined = joinTraces([
  { trace: fixtureTrace('x86-nested/l1-vfio.txt') },
  { trace: fixtureTrace('x86-nested/l2-qemu.log') },
]);
const TRACES: readonly (readonly [string, Trace])[] = [
  ['ftrace text', fixtureTrace('x86-lost/trace-overrun.txt')],
  ['a QEMU log without stamps', fixtureTrace('arm64-gicv2m/qemu.log')],
  ['host and guest together', joined],
  ['threads of irqs', fixtureTrace('x86-threads/trace-cmd-report.txt')],
];

/** Lines of comma-separated values (RFC 4180), read one character after the other. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let [row, cell, quoted]: [string[], string, boolean] = [[], '', false];
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') cell += text[++i];
      else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === ',') {
      row.push(cell);
      cell = '';
    } else if (c === '\r' && text[i + 1] === '\n') {
      i++;
      rows.push([...row, cell]);
      [row, cell] = [[], ''];
    } else cell += c;
  }
  return rows;
}

interface Event {
  ph: string;
  pid: number;
  tid: number;
  ts?: number;
  name?: string;
  id?: number;
  cat?: string;
  args?: { step?: number; name?: string };
}

describe('a trace in another format', () => {
  for (const [name, trace] of TRACES) {
    it(`JSON lines, read again: ${name}`, () => {
      const again = importText([...ndjson(trace)].join(''));
      assert.equal(again.first.format, 'ndjson');
      assert.deepEqual(said(again), said(trace));
      assert.deepEqual(stateTree(again.head), stateTree(trace.head));
      assert.equal(again.first.accounting.understood, trace.length);
      // Written again it is the same, but for the places.
      const places = /,"source":\{.*?\}/g;
      assert.equal(
        [...ndjson(again)].join('').replaceAll(places, ''),
        [...ndjson(trace)].join('').replaceAll(places, ''),
      );
    });

    it(`irqtrace, read again: ${name}`, () => {
      const again = importBytes(Buffer.concat([...irqtraceBytes(trace)]));
      assert.deepEqual(said(again), said(trace));
    });

    it(`comma-separated values: ${name}`, () => {
      const [head, ...rows] = parseCsv([...csv(trace)].join(''));
      assert.deepEqual(head, [...EVENT_COLUMNS]);
      assert.equal(rows.length, trace.length);
      for (const [step, row] of rows.entries()) {
        const event = viewEvent(trace, step);
        assert.deepEqual(row, [
          trace.first.file,
          String(step),
          event.time ?? '',
          event.cpu === null ? '' : String(event.cpu),
          event.kind,
          event.object,
          JSON.stringify(event.fields),
          event.source.file,
          String(event.source.line),
        ]);
      }
    });

    it(`Trace Event JSON holds its rules: ${name}`, () => {
      const { traceEvents } = JSON.parse([...perfetto(trace)].join('')) as { traceEvents: Event[] };
      const last = new Map<string, number>();
      const open = new Map<string, number>();
      const named = new Set<string>();
      const flows = new Map<number, string[]>();
      const steps = new Set<number>();
      for (const { ph, pid, tid, ts, name: what, id, args } of traceEvents) {
        const track = `${pid}/${tid}`;
        if (ph === 'M') {
          if (what === 'thread_name') named.add(track);
          continue;
        }
        assert.ok(named.has(track), `track ${track} has no name`);
        assert.ok(ts! >= 0 && ts! >= (last.get(track) ?? 0), `${ts} behind ${last.get(track)}`);
        last.set(track, ts!);
        if (args?.step !== undefined) steps.add(args.step);
        if (ph === 'B') open.set(track, (open.get(track) ?? 0) + 1);
        if (ph === 'E') {
          assert.ok((open.get(track) ?? 0) > 0, `nothing is open on ${track}`);
          open.set(track, open.get(track)! - 1);
        }
        if (id !== undefined) flows.set(id, [...(flows.get(id) ?? []), ph]);
      }
      assert.deepEqual(
        [...open.values()].filter((n) => n !== 0),
        [],
      );
      assert.equal(steps.size, trace.length, 'every event is there');
      for (const phases of flows.values()) assert.match(phases.join(''), /^st*f$/);
    });
  }

  it('threads of irqs are spans on the CPU on which they run', () => {
    const { traceEvents } = JSON.parse([...perfetto(fixtureTrace('x86-threads/trace-cmd-report.txt'))].join('')) as {
      traceEvents: Event[];
    };
    const cpu1 = traceEvents.find(({ ph, args }) => ph === 'M' && args?.name === 'cpu/1')!;
    const spans = traceEvents.filter(({ ph, cat }) => ph === 'B' && cat === 'thread.entry');
    // 39 switches to that thread stand in the report, all on CPU 1.
    const own = spans.filter(({ name }) => name === 'irq/30/thread/147 irq/30-nvme0q1');
    assert.deepEqual(new Set(own.map(({ tid }) => tid)), new Set([cpu1.tid]));
    assert.equal(own.length, 39);
  });

  it('flows of Trace Event JSON are the deliveries: as many as there are interrupts with a handler behind an accepted vector', () => {
    const { traceEvents } = JSON.parse([...perfetto(joined)].join('')) as { traceEvents: Event[] };
    const starts = traceEvents.filter(({ ph }) => ph === 's').length;
    assert.ok(starts > 20, `${starts} flows`);
    assert.equal(starts, traceEvents.filter(({ ph }) => ph === 'f').length);
  });

  it('lost events end what ran on that CPU in Trace Event JSON, not the virtual CPU of that number', () => {
    const line = (cpu: number, kind: string, object: string): string =>
      JSON.stringify({ step: 0, time: `1.00000${cpu}`, cpu, kind, object, fields: { reason: 'HLT' } });
    const ends = (lost: number): boolean[] => {
      const lines = [line(2, 'kvm.entry', 'vcpu/1'), line(lost, 'lost', `cpu/${lost}`), line(2, 'kvm.exit', 'vcpu/1')];
      const trace = importText(lines.join('\n'));
      assert.equal(trace.length, 3);
      const { traceEvents } = JSON.parse([...perfetto(trace)].join('')) as { traceEvents: Event[] };
      // An E with arguments is the record of the end; one without ends what nobody saw end.
      return traceEvents.filter(({ ph }) => ph === 'E').map((event) => 'args' in event);
    };
    assert.deepEqual([ends(1), ends(2)], [[true], [false]]);
  });

  it('JSON lines that say no event are skipped with the reason; kinds and fields of a newer version are kept', () => {
    const line = (event: object): string => JSON.stringify({ step: 0, time: '1.5', cpu: 0, ...event });
    const trace = importText(
      [
        line({ kind: 'irq.entry', object: 'irq/9', fields: { name: 'x', later: 7 } }),
        line({ kind: 'new.kind', object: 'irq/9', fields: { a: 'b c' } }),
        line({ kind: 'irq.entry', object: 'irq/9', fields: { name: 5.5, cpu: {} } }),
        line({ kind: 'irq.entry', object: '', fields: {} }),
        line({ kind: 'irq.entry', object: 'irq/9', cpu: -1 }),
        line({ kind: 'irq.entry', object: 'irq/9', time: 1.5 }),
        '[1]',
        'nonsense',
        '',
      ].join('\n'),
    );
    const { accounting } = trace.first;
    assert.deepEqual(accounting.unknown, new Map([['new.kind', 1]]));
    assert.equal(
      accounting.records,
      accounting.understood + 1 + [...accounting.skipped.values()].reduce((a, b) => a + b, 0),
    );
    assert.deepEqual(viewEvent(trace, 0).fields, { name: 'x', later: '7' });
    assert.equal(viewEvent(trace, 1).kind, 'other');
    assert.ok(accounting.skipped.has('not JSON') && accounting.skipped.has('not a JSON object'));
    assert.ok(accounting.skipped.has('an event has an object') && accounting.skipped.has('a CPU is a number or null'));
    assert.ok(accounting.skipped.has('a time is a decimal text or null'));
  });
});
