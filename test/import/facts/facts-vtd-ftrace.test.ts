// Facts of the VT-d capture about Linux irqs (ftrace text of the guest): A1, A6, A7, A10, A11, A13, A17, A26. Expected
// values come from the same bytes by regular expressions.
import assert from 'node:assert/strict';
import { eventText, viewEvent } from '../../../src/query/events.ts';
import { traceInfo } from '../../../src/query/info.ts';
import { pathValue } from '../../../src/query/state.ts';
import { checkIntegrity } from '../../../src/trace/integrity.ts';
import { fixtureLines, fixtureTrace, grep, type SourceLine } from '../../helpers/fixtures.ts';

const TEXT = 'x86-vtd/ftrace.txt';
const trace = fixtureTrace(TEXT);
const lines = fixtureLines(TEXT);

const stepAt = (line: SourceLine): number => trace.lastAtLine(line.line);
const at = (line: SourceLine, path: string): unknown => pathValue(trace.stateAt(stepAt(line)), path);
const timeOf = (text: string): string => / (\d+\.\d{6}): /.exec(text)![1]!;
const numbers = (text: string): Record<string, number> =>
  Object.fromEntries([...text.matchAll(/(\w+)=(\d+)(?= |$)/g)].map((m) => [m[1]!, Number(m[2])]));
/** The lines from the first that matches `from` up to, not with, the first that matches `to`. */
const window = (from: RegExp, to: RegExp): SourceLine[] => {
  const first = lines.findIndex((l) => from.test(l.text));
  const last = lines.findIndex((l) => to.test(l.text));
  assert.ok(first >= 0 && last > first);
  return lines.slice(first, last);
};
/** The events of the records on these lines, of one kind. */
function events(on: readonly SourceLine[], kind: string): ReturnType<typeof viewEvent>[] {
  const out: ReturnType<typeof viewEvent>[] = [];
  for (let step = stepAt(on[0]!); step <= stepAt(on.at(-1)!); step++) {
    const event = viewEvent(trace, step);
    if (event.kind === kind && event.source.line >= on[0]!.line) out.push(event);
  }
  return out;
}

interface IrqTree {
  readonly cpu: number | null;
  readonly vector: number | null;
  readonly prevCpu: number | null;
  readonly prevVector: number | null;
  readonly moving: boolean | null;
  readonly allocated: boolean | null;
  readonly managed: boolean | null;
  readonly address: string | null;
  readonly data: string | null;
  readonly hwirq: number | null;
  readonly handled: number;
  readonly handledSinceSetup: number;
}
const irq = (line: SourceLine, n: number): IrqTree => at(line, `irq/${n}`) as unknown as IrqTree;

describe('VT-d capture, Linux irqs', () => {
  it('A1: nothing lost, 4 CPUs; every line of the selection is accounted for', () => {
    const header = /entries-written: (\d+)\/(\d+) +#P:(\d+)/.exec(lines[2]!.text)!;
    const info = traceInfo(trace);
    assert.equal(info.lost, Number(header[2]) - Number(header[1]));
    assert.equal(info.lost, 0);
    assert.equal(info.cpus, Number(header[3]));
    assert.equal(info.cpus, 4);
    assert.equal(info.records, grep(TEXT, /^ *.+-\d+ +\[\d{3}\] .{5} +\d+\.\d{6}: /).length);
    assert.equal(info.understood, info.records);
    assert.equal(info.lines, lines.length);
  });

  it('A6: irq 41 moves from CPU 2 vector 38 to CPU 1 vector 39 at 52.632267; the old vector is free at 52.639616', () => {
    const moves = grep(TEXT, / (vector_update|vector_free_moved): irq=41 /);
    assert.deepEqual(
      moves.slice(1, 3).map((l) => timeOf(l.text)),
      ['52.632267', '52.639616'],
    );
    for (const line of moves) {
      const printed = numbers(line.text);
      const tree = irq(line, 41);
      if (line.text.includes('vector_update')) {
        assert.deepEqual([tree.cpu, tree.vector], [printed['cpu'], printed['vector']], line.text);
        assert.deepEqual(
          [tree.prevCpu, tree.prevVector],
          [printed['prev_cpu'], printed['prev_vector'] || null],
          line.text,
        );
        assert.equal(tree.moving, printed['prev_vector'] !== 0, line.text);
        assert.equal(at(line, `cpu/${printed['cpu']}/vector/${printed['vector']}/irq`), 41, line.text);
        if (tree.moving) assert.equal(at(line, `cpu/${printed['prev_cpu']}/vector/${printed['prev_vector']}/irq`), 41);
      } else {
        assert.equal(tree.moving, false, line.text);
        assert.equal(tree.prevVector, null, line.text);
        assert.equal(at(line, `cpu/${printed['cpu']}/vector/${printed['vector']}/irq`), null, line.text);
      }
      const event = viewEvent(trace, stepAt(line));
      assert.equal(event.time, timeOf(line.text));
    }
    const [, update, free] = moves as [SourceLine, SourceLine, SourceLine];
    const moved = irq(update, 41);
    assert.deepEqual([moved.cpu, moved.vector, moved.prevCpu, moved.prevVector, moved.moving], [1, 39, 2, 38, true]);
    assert.equal(irq(free, 41).moving, false);
  });

  it('A7: those moves rewrite no MSI-X entry, they invalidate IRTE 0x23 three times', () => {
    const inside = window(/AFF irq=41 list=1/, /AFF irq=41 list=0-3/);
    const writes = inside.filter((l) => /msiwrite.*irq=41 /.test(l.text)).length;
    const invalidations = inside.filter((l) => l.text.includes('iec_inv dmar0: 0x2300000014')).length;
    assert.deepEqual([writes, invalidations], [0, 3]);
    assert.equal(events(inside, 'msg.write').filter((e) => e.object === 'irq/41').length, writes);
    const index = Number(BigInt('0x2300000014') >> 32n);
    const seen = events(inside, 'iec.inv').filter((e) => e.object === `irte/dmar0/${index}`);
    assert.equal(seen.length, invalidations);
    assert.deepEqual(seen[0]!.fields, { global: false, index, mask: 0 });
  });

  it('A10: CPU 1 goes: managed irqs 28 and 33 get an all-zero message; it comes back: vectors 34 and 35', () => {
    const inside = window(/MARK 12 /, /MARK 15 /);
    const printed = inside.filter((l) => / (msiwrite|vector_update):.* irq=(28|33) /.test(l.text));
    assert.equal(printed.length, 6);
    for (const line of printed) {
      const values = numbers(line.text);
      const tree = irq(line, values['irq']!);
      const event = viewEvent(trace, stepAt(line));
      assert.equal(event.time, timeOf(line.text));
      if (line.text.includes('msiwrite')) {
        const m = /hwirq=(0x[0-9a-f]+) lo=(0x[0-9a-f]+) hi=(0x[0-9a-f]+) data=(0x[0-9a-f]+)/.exec(line.text)!;
        assert.equal(event.kind, 'msg.write');
        assert.equal(tree.hwirq, Number(m[1]));
        assert.equal(tree.address, `0x${((BigInt(m[3]!) << 32n) | BigInt(m[2]!)).toString(16)}`);
        assert.equal(tree.data, m[4]);
      } else {
        assert.equal(event.kind, 'vec.update');
        assert.deepEqual([tree.cpu, tree.vector, tree.moving], [values['cpu'], values['vector'], false], line.text);
      }
      assert.equal(tree.managed, true, line.text);
    }
    const end = inside.at(-1)!;
    assert.deepEqual([irq(end, 28).cpu, irq(end, 28).vector], [1, 34]);
    assert.deepEqual([irq(end, 33).cpu, irq(end, 33).vector], [1, 35]);
  });

  it('A11: the blind spot stays blind: what is printed is taken, nothing is claimed across the gap', () => {
    const printed = grep(TEXT, / (vector_update|vector_clear): irq=41 /);
    const [last, clear] = printed.slice(3, 5) as [SourceLine, SourceLine];
    assert.match(last.text, /vector_update.* vector=39 cpu=3 /);
    assert.match(clear.text, /vector_clear.* vector=42 cpu=2 prev_vector=0 prev_cpu=2/);
    assert.deepEqual(checkIntegrity(trace), []);
    const before = irq(last, 41);
    assert.deepEqual([before.cpu, before.vector], [3, 39]);
    const after = irq(clear, 41);
    assert.deepEqual([after.vector, after.cpu], [0, 2], 'cleared, on the CPU that the record names');
    assert.deepEqual([after.prevVector, after.prevCpu, after.moving], [null, 2, false]);
    assert.equal(at(clear, 'cpu/2/vector/42/irq'), null);
    assert.equal(at(clear, 'cpu/3/vector/39/irq'), null, 'an irq without a vector is on no vector of any CPU');
    // Between the two records the trace tells of irq 41 only what handlers and messages tell.
    for (let step = stepAt(last) + 1; step < stepAt(clear); step++) {
      const event = viewEvent(trace, step);
      if (event.object === 'irq/41') assert.doesNotMatch(event.kind, /^vec\.(update|clear)$/, eventText(trace, step));
    }
    const next = lines.find((l) => l.line > clear.line && / vector_update: irq=41 /.test(l.text));
    assert.ok(next, 'irq 41 gets a vector again later');
    const values = numbers(next.text);
    assert.deepEqual([irq(next, 41).cpu, irq(next, 41).vector], [values['cpu'], values['vector']]);
  });

  it('no irq is ever on a vector that it does not claim', () => {
    const state = trace.stateAt(trace.length - 1);
    for (const [n, tree] of Object.entries(
      pathValue(state, 'cpu') as unknown as Record<string, Record<string, never>>,
    )) {
      for (const [v, vector] of Object.entries((tree['vector'] ?? {}) as Record<string, { irq: number | null }>)) {
        if (vector.irq === null) continue;
        const owner = pathValue(state, `irq/${vector.irq}`) as unknown as IrqTree;
        const here = [Number(n), Number(v)];
        const claims = [[owner.cpu, owner.vector], ...(owner.moving ? [[owner.prevCpu, owner.prevVector]] : [])];
        assert.ok(
          claims.some((c) => c[0] === here[0] && c[1] === here[1]),
          `cpu/${n}/vector/${v} says irq ${vector.irq}, which is on ${JSON.stringify(claims)}`,
        );
      }
    }
  });

  it('A13: unbinding nvme tears down irqs 26 to 30, and 23', () => {
    const inside = window(/MARK 15 /, /MARK 16 /);
    const printed = inside.flatMap((l) => /vector_teardown: irq=(\d+)/.exec(l.text)?.[1] ?? []).map(Number);
    assert.deepEqual(printed, [26, 27, 28, 29, 30, 23]);
    assert.deepEqual(
      events(inside, 'vec.teardown').map((e) => e.object),
      printed.map((n) => `irq/${n}`),
    );
    for (const n of printed) assert.equal(irq(inside.at(-1)!, n).allocated, false, `irq ${n}`);
  });

  it('A17: edu through VFIO: INTx irq 23 three times, MSI irq 44 eleven times, both tied to 0000:00:07.0', () => {
    const count = (name: string): number => grep(TEXT, new RegExp(`irq_handler_entry: irq=\\d+ name=${name}`)).length;
    assert.deepEqual([count('vfio-intx'), count('vfio-msi\\[0\\]')], [3, 11]);
    assert.equal(pathValue(trace.head, 'irq/44/handled'), grep(TEXT, /irq_handler_entry: irq=44 /).length);
    assert.deepEqual(
      [pathValue(trace.head, 'irq/44/device'), pathValue(trace.head, 'irq/44/hwirq')],
      ['0000:00:07.0', 0],
    );
    assert.equal(pathValue(trace.head, 'vfio/0000:00:07.0/intx/0/fires'), count('vfio-intx'));
    assert.equal(pathValue(trace.head, 'vfio/0000:00:07.0/1/0/fires'), count('vfio-msi\\[0\\]'));
  });

  it('A26: irq 26 is set up twice before MARK 12: 22 handler entries, 16 of them since the last set-up', () => {
    const marker = lines.find((l) => / MARK 12 /.test(l.text))!;
    const before = lines.filter((l) => l.line < marker.line);
    const entries = before.filter((l) => /irq_handler_entry: irq=26 /.test(l.text));
    const setup = before.findLast((l) => /vector_setup: irq=26 /.test(l.text))!;
    const since = entries.filter((l) => l.line > setup.line);
    assert.deepEqual([entries.length, since.length], [22, 16]);
    const tree = irq(marker, 26);
    assert.deepEqual([tree.handled, tree.handledSinceSetup], [entries.length, since.length]);
    const life = before.filter((l) => /vector_(setup|teardown): irq=26 /.test(l.text));
    assert.deepEqual(
      life.map((l) => irq(l, 26).allocated),
      life.map((l) => l.text.includes('vector_setup')),
    );
  });

  it('the vector matrix is at every record what the record prints', () => {
    const printed = grep(TEXT, / irq_matrix_(alloc|free|alloc_managed|assign|reserve_managed|remove_managed): /);
    assert.ok(printed.length > 50);
    for (const line of printed) {
      const { cpu, avl, alloc, managed } = numbers(line.text);
      const m = /global_avl=(\d+), global_rsvd=(\d+), total_alloc=(\d+)/.exec(line.text)!;
      const tree = at(line, `cpu/${cpu}`) as unknown as Record<string, number>;
      assert.deepEqual([tree['available'], tree['allocated'], tree['managed']], [avl, alloc, managed], line.text);
      const domain = at(line, 'domain/VECTOR') as unknown as Record<string, number>;
      assert.deepEqual(
        [domain['available'], domain['reserved'], domain['allocated']],
        m.slice(1).map(Number),
        line.text,
      );
    }
  });
});
