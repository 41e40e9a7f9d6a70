// Snapshots joined with traces: where they stand, which kernel they are of, what they add, what they contradict.
import assert from 'node:assert/strict';
import { type JoinPart, joinTraces } from '../../../src/import/join/join.ts';
import { viewEvent } from '../../../src/query/events.ts';
import { history } from '../../../src/query/history.ts';
import { joinedInfo } from '../../../src/query/info.ts';
import { interrupts } from '../../../src/query/interrupts/list.ts';
import { resolvePath } from '../../../src/query/paths.ts';
import { pathValue } from '../../../src/query/state.ts';
import { checkIntegrity } from '../../../src/trace/integrity.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes, fixtureTrace, grep, importBytes, importText } from '../../helpers/fixtures.ts';

const VTD = 'x86-vtd/ftrace.txt';
const X2APIC = 'x86-x2apic/irq-events.txt';

/** A fixture as a part of a joined trace, in a folder of its own. */
const part = (name: string, folder = 'guest'): JoinPart => ({
  trace: importBytes(fixtureBytes(name), undefined, `${folder}/${name.replace(/.*\//, '')}`),
});
const join = (...names: readonly string[]): Trace => joinTraces(names.map((name) => part(name)));

const views = (trace: Trace) => Array.from({ length: trace.length }, (_, step) => viewEvent(trace, step));
const at = (trace: Trace, path: string, step = trace.length - 1): unknown =>
  pathValue(trace.stateAt(step), path) ?? null;

/** Seconds of a marker in the bytes of a capture. */
const marker = (name: string, n: number): number =>
  Number(
    /(\d+\.\d+): tracing_mark_write: /.exec(grep(name, new RegExp(`tracing_mark_write: MARK ${n} `))[0]!.text)![1],
  );

/** Times of the events around the snapshot in a joined trace. */
function around(trace: Trace): [before: number, after: number] {
  const all = views(trace);
  const first = all.findIndex(({ kind }) => kind.startsWith('snap.'));
  const last = all.findLastIndex(({ kind }) => kind.startsWith('snap.'));
  const timed = (list: typeof all): number => Number(list.find(({ time }) => time !== null)?.time ?? Number.NaN);
  return [timed(all.slice(0, first).reverse()), timed(all.slice(last + 1))];
}

const HEAD = '          <idle>-0       [002] d.h1.    ';
const entry = (time: string, irq: number, name: string): string =>
  `${HEAD}${time}: irq_handler_entry: irq=${irq} name=${name}\n`;

describe('snapshots in joined traces', () => {
  // Steps of the capture: 9 snapshot-before, 10 io; 12 CPU 1 off, 13 CPU 3 off, 14 on; 15 nvme unbound, 16 bound.
  for (const [name, from, to] of [
    ['x86-vtd/snap-interrupts-before.txt', 9, 10],
    ['x86-vtd/snap-interrupts-cpu1-off.txt', 12, 13],
    ['x86-vtd/snap-interrupts-cpu13-off.txt', 13, 15],
    ['x86-vtd/snap-interrupts-nvme-unbound.txt', 15, 16],
  ] as const)
    it(`${name}: its counts put it where it was taken`, () => {
      const trace = join(VTD, name);
      assert.deepEqual(checkIntegrity(trace), []);
      const [before, after] = around(trace);
      assert.ok(before > marker(VTD, from), `${before} is behind marker ${from}`);
      // The counts allow it to stand until the next interrupt that they do not count, soon behind the next marker.
      assert.ok(before < marker(VTD, to) + 0.2 && after >= before, `${before} is before marker ${to}`);
      const [, clock] = joinedInfo(trace).clocks;
      assert.equal(clock!.place, 'its counts');
      const [steps] = clock!.evidence;
      assert.match(
        steps!.what,
        /no irq was handled more often than the snapshot counts; (2[05]) of (2[16]) were exactly as often/,
      );
      assert.equal(steps!.steps[1] + 1, steps!.steps[0]);
    });

  it('the order in which the sources are given does not move it', () => {
    const name = 'x86-vtd/snap-interrupts-cpu1-off.txt';
    const [one, other] = [join(VTD, name), join(name, VTD)];
    assert.deepEqual(around(one), around(other));
    const [first] = joinedInfo(other).sources;
    assert.deepEqual([first!.format, first!.start, first!.end], ['proc-interrupts', null, null]);
    // The times are those of the trace.
    assert.equal(
      views(other).find(({ time }) => time !== null)!.time,
      views(one).find(({ time }) => time !== null)!.time,
    );
  });

  it('from the snapshot on its count holds, and handlers add to it', () => {
    const name = 'x86-vtd/snap-interrupts-cpu1-off.txt';
    const trace = join(VTD, name);
    const all = views(trace);
    const step = all.findIndex(({ kind, object }) => kind === 'snap.irq' && object === 'irq/41');
    assert.equal(at(trace, 'irq/41/handled', step), 155);
    const later = all.findIndex(
      ({ kind, object, cpu }, i) => i > step && kind === 'irq.entry' && object === 'irq/41' && cpu === 2,
    );
    const entries = all
      .slice(step, later + 1)
      .filter(({ kind, object }) => kind === 'irq.entry' && object === 'irq/41');
    assert.equal(at(trace, 'irq/41/handled', later), 155 + entries.length);
    // 67 on CPU 2 at the snapshot.
    const perCpu = at(trace, 'irq/41/perCpu', later) as Record<string, number>;
    assert.equal(perCpu['2'], 67 + entries.filter(({ cpu }) => cpu === 2).length);
  });

  it('shared irqs: one interrupt runs all actions', () => {
    const text =
      '           CPU0       CPU1       CPU2\n 16:          0          0          5   IO-APIC  16-fasteoi   one, other\n';
    const trace = joinTraces([
      {
        trace: importText(
          `# tracer: nop\n${Array(5)
            .fill(entry('1.000000', 16, 'one') + entry('1.000001', 16, 'other'))
            .join('')}${entry('2.000000', 16, 'one')}${entry('2.000001', 16, 'other')}`,
        ),
      },
      { trace: importText(text, 'interrupts') },
    ]);
    // Five interrupts are counted before it, ten handler entries; the sixth follows.
    const step = views(trace).findIndex(({ kind }) => kind === 'snap.irq');
    assert.deepEqual([trace.table.time(step - 2), views(trace)[step + 1]!.time], [1000, '2.000000']);
    assert.deepEqual([at(trace, 'irq/16/handled'), at(trace, 'irq/16/perCpu')], [6, { 0: 0, 1: 0, 2: 6 }]);
    assert.equal(at(trace, 'irq/16/name'), 'one, other');
  });

  it('with the log of the machine: rows get names of actions, chips and counts', () => {
    const trace = join('x86-vtd/qemu.log', 'x86-vtd/snap-interrupts-before.txt');
    const rows = interrupts(trace, trace.length - 1).map(({ row }) => row);
    for (const { text } of grep('x86-vtd/snap-interrupts-before.txt', /PCI-MSIX/)) {
      const [, irq, counts, bdf, index, action] = /^ *(\d+): +([\d ]+?) +IR-PCI-MSIX-(\S+) +(\d+)-edge +(.*)$/.exec(
        text,
      )!;
      const row = rows.find((r) => r.entry === `device/${bdf}/msix/${index}`)!;
      assert.deepEqual([row.irq, row.action], [`irq/${irq}`, action], text);
      assert.equal(
        row.handled,
        counts!.split(/ +/).reduce((sum, n) => sum + Number(n), 0),
        text,
      );
      assert.equal(at(trace, `${row.irq}/chip`), `IR-PCI-MSIX-${bdf}`, text);
    }
    // No record of a handler: its counts do not tell where it stands.
    assert.equal(joinedInfo(trace).clocks[1]!.place, 'the order in which the sources were given');
    assert.deepEqual(joinedInfo(trace).clocks[1]!.evidence, []);
  });

  it('what a dump contradicts is an event, and both values are in the history', () => {
    const trace = join(X2APIC, 'x86-x2apic/snap-interrupts-cpu1-off.txt', 'x86-x2apic/snap-debug-irq-cpu1-off.txt');
    assert.deepEqual(checkIntegrity(trace), []);
    const all = views(trace);
    const found = all.filter(({ kind }) => kind === 'snap.resync');
    // CPU 1 went offline: tracepoints are silent there. The managed irq of it was shut down, unobserved.
    assert.deepEqual(
      found.map(({ object, fields: { key, old, new: now } }) => [object, key, old, now]),
      [
        ['cpu/1', 'online', 'yes', 'no'],
        ['irq/30', 'vector', '33', '0'],
        ['irq/30', 'activated', 'yes', 'no'],
      ],
    );
    // The last record of it before the snapshot: vector_config.
    const stamps = grep(X2APIC, /irq=30 vector=33/).map(({ text }) => /([\d.]+): vector/.exec(text)![1]!);
    assert.equal(found[1]!.fields['since'], stamps.filter((stamp) => Number(stamp) < around(trace)[0]).at(-1));
    // Each stands right before the event that it is about, in the lines of the snapshot.
    for (const { step, source } of found) {
      const next = all.slice(step).find(({ kind }) => kind !== 'snap.resync')!;
      assert.match(next.kind, /^snap\./);
      assert.deepEqual(source, next.source);
    }
    const values = [...history(trace, resolvePath(trace.world, 'irq/30/vector')!)];
    const change = values.find(({ old, new: now }) => old === 33 && now === 0)!;
    assert.equal(all[change.step]!.kind, 'snap.vector');
    assert.equal(joinedInfo(trace).clocks[2]!.place, 'the counts of the snapshot in its folder');
  });

  it('what the fold knows agrees with the dumps of the kernel', () => {
    const trace = join(X2APIC, 'x86-x2apic/snap-interrupts-cpu1-off.txt', 'x86-x2apic/snap-debug-irq-cpu1-off.txt');
    // Vectors that the events told, as they were right before the dump.
    const first = views(trace).findIndex(({ kind }) => kind === 'snap.vector');
    let same = 0;
    for (let step = first; step < trace.length; step++) {
      const view = viewEvent(trace, step);
      if (view.kind !== 'snap.vector' || view.fields['vector'] === 0) continue;
      const before = at(trace, `${view.object}/vector`, first - 1);
      if (before === null) continue;
      assert.equal(before, view.fields['vector'], view.object);
      same++;
    }
    assert.ok(same >= 10, `${same} irqs`);
  });

  it('affinity that changed unobserved: the example of the two values', () => {
    const update =
      '            init-1       [001] d..2.    54.981213: vector_update: irq=41 vector=39 cpu=3 prev_vector=0 prev_cpu=0\n';
    const trace = joinTraces([
      { trace: importText(`# tracer: nop\n${update}`) },
      { trace: importText('/proc/irq/41/effective_affinity_list:2\n', 'proc_irq.txt') },
    ]);
    const found = views(trace).filter(({ kind }) => kind === 'snap.resync');
    assert.deepEqual(
      found.map(({ object, fields }) => [object, fields]),
      [['irq/41', { key: 'cpu', old: '3', new: '2', since: '54.981213' }]],
    );
    assert.deepEqual([at(trace, 'irq/41/cpu'), at(trace, 'irq/41/vector')], [2, null]);
    // CPU 3 no longer has it, as far as is known.
    assert.equal(at(trace, 'cpu/3/vector/39/irq'), null);
  });

  it('what agrees is no event; nor are names that are more, or counts', () => {
    const trace = joinTraces([
      { trace: importText(`# tracer: nop\n${entry('1.000000', 16, 'other')}`) },
      {
        trace: importText(
          '           CPU0       CPU1       CPU2\n 16:          0          0          9   IO-APIC  16-fasteoi   one, other\n',
          'a',
        ),
      },
    ]);
    assert.deepEqual(
      views(trace).filter(({ kind }) => kind === 'snap.resync'),
      [],
    );
    assert.deepEqual(at(trace, 'irq/16/actions'), ['one', 'other']);
  });

  it('an irq that it lists was not freed then', () => {
    const vec = (time: string, what: string): string => `${HEAD}${time}: ${what}\n`;
    const text = `# tracer: nop\n${vec('1.000000', 'vector_setup: irq=28 is_legacy=0 ret=0')}${entry('2.000000', 28, 'nvme0q0')}${entry('3.000000', 28, 'nvme0q0')}${vec('4.000000', 'vector_teardown: irq=28 is_managed=0 has_reserved=1')}${vec('5.000000', 'vector_setup: irq=30 is_legacy=0 ret=0')}`;
    const shot =
      '           CPU0       CPU1       CPU2\n 28:          0          0          1   IR-PCI-MSIX-0000:00:03.0   0-edge      nvme0q0\n';
    const trace = joinTraces([{ trace: importText(text) }, { trace: importText(shot, 'a') }]);
    // Behind its only interrupt, before the second one; after the teardown it could not be listed.
    assert.deepEqual(around(trace), [2, 3]);
  });

  it('a snapshot without counts stands where it was given', () => {
    const text = '/proc/irq/16/smp_affinity_list:0-3\n';
    const ftrace = { trace: importText(`# tracer: nop\n${entry('1.000000', 16, 'x')}${entry('2.000000', 16, 'x')}`) };
    const shot = { trace: importText(text, 'proc_irq.txt') };
    const kinds = (trace: Trace): string[] =>
      views(trace)
        .map(({ kind }) => kind)
        .filter((kind) => kind !== 'cpu.online');
    assert.deepEqual(kinds(joinTraces([ftrace, shot])), ['irq.entry', 'irq.entry', 'snap.irq']);
    assert.deepEqual(kinds(joinTraces([shot, ftrace])), ['snap.irq', 'irq.entry', 'irq.entry']);
  });

  it('with traces of a host and its guest: it is of the kernel whose irqs it has', () => {
    const host = part('x86-nested/l1-vfio.txt', 'a').trace;
    const rows = ['nvme0q0', 'nvme0q1', 'nvme0q2', 'nvme0q3', 'nvme0q4'].map(
      (name, i) => ` ${26 + i}:          1          0   IR-PCI-MSIX-0000:00:03.0   ${i}-edge      ${name}\n`,
    );
    const shot = importText(`           CPU0       CPU1\n${rows.join('')}`, 'b/interrupts');
    const guest = fixtureTrace(VTD);
    const names = joinedInfo(
      joinTraces([{ trace: host, system: 'host' }, { trace: guest, system: 'guest' }, { trace: shot }]),
    ).sources.map(({ system }) => system);
    assert.deepEqual(names, ['host', 'guest', 'guest']);
  });

  it('several listings of one file are placed one by one', () => {
    const [one, other] = ['before', 'cpu13-off'].map((name) =>
      Buffer.from(fixtureBytes(`x86-vtd/snap-interrupts-${name}.txt`)),
    );
    const trace = joinTraces([part(VTD), { trace: importBytes(Buffer.concat([one!, other!]), undefined, 'both.txt') }]);
    const starts = views(trace).filter(({ kind, fields }) => kind === 'snap.listing' && fields['cpus'] !== undefined);
    const [first, second] = starts.map(
      ({ step }) =>
        views(trace)
          .slice(step)
          .find(({ time }) => time !== null)!.time,
    );
    assert.ok(Number(first) < marker(VTD, 10) && Number(second) > marker(VTD, 13), `${first}, ${second}`);
  });
});
