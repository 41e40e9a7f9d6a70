// Outlines: what the rows of the trees say about a real capture, and that a movement refreshes all that looks different.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Session } from '../../src/session/session.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { Outline } from '../../src/view/outline/outline.ts';
import { OUTLINES, type OutlineRow, type RowText } from '../../src/view/outline/rows.ts';
import { type OutlineName, outlineOf } from '../../src/view/presentation/sections.ts';
import { fixtureTrace, importBytes, importText } from '../helpers/fixtures.ts';
import { randomTrace, randomWords } from '../model/random.ts';

/** What a view that shows everything has on the screen. */
interface Shown {
  readonly row: OutlineRow;
  readonly text: RowText;
  readonly children: readonly Shown[];
}

function show(outline: Outline, row: OutlineRow): Shown {
  return { row, text: outline.text(row), children: outline.children(row).map((child) => show(outline, child)) };
}

const whole = (outline: Outline): Shown[] => outline.children().map((row) => show(outline, row));

/** A view with some rows drawn again, each with all that is below it, as the editor does. */
function refresh(outline: Outline, shown: readonly Shown[], rows: ReadonlySet<OutlineRow>): Shown[] {
  return shown.map((s) =>
    rows.has(s.row) ? show(outline, s.row) : { ...s, children: refresh(outline, s.children, rows) },
  );
}

const lines = (shown: readonly Shown[], depth = 0): string[] =>
  shown.flatMap(({ row, text, children }) => [
    `${'  '.repeat(depth)}${row.id} | ${text.label} | ${text.description} | ${text.mark ?? ''} | ${text.icon}`,
    ...lines(children, depth + 1),
  ]);

function rowAt(outline: Outline, path: string): OutlineRow {
  return outline.row(path) ?? assert.fail(`no row for ${path}`);
}

const UNMASK = '1795148664.565645';
const example = (): Trace => importBytes(readFileSync(join(import.meta.dirname, '../../examples/x86-vtd-qemu.log')));

describe('outline: the example capture at the first unmask of nvme entry 0', () => {
  const session = new Session(example());
  const devices = new Outline('devices', session);
  const at = (path: string): RowText => devices.text(rowAt(devices, path));
  before(() => session.move({ to: 'time', time: UNMASK }));

  it('names functions by BDF and model', () => {
    const labels = devices.children().map((row) => devices.text(row).label);
    assert.ok(labels.includes('00:03.0 nvme'), labels.join('\n'));
    assert.equal(at('device/0000:00:03.0').description, 'MSI-X on, 6 entries · 0000:00:03.0');
  });

  it('leads from the function to the mask bit', () => {
    const rows: OutlineRow[] = [];
    for (
      let row: OutlineRow | undefined = rowAt(devices, 'device/0000:00:03.0/msix/0/control.mask');
      row;
      row = row.parent
    )
      rows.unshift(row);
    assert.deepEqual(
      rows.map((row) => devices.text(row).label),
      ['00:03.0 nvme', 'MSI-X table', 'entry 0', 'control: 0x0 unmasked', 'mask: 0 unmasked'],
    );
    for (const [i, row] of rows.entries()) assert.ok(devices.children(rows[i - 1]).includes(row), row.id);
  });

  it('sums up an entry', () => {
    const { label, description, icon, spoken } = at('device/0000:00:03.0/msix/0');
    assert.equal(label, 'entry 0');
    assert.equal(description, '0xfee00298 / 0x0  unmasked  → IRTE 20');
    assert.equal(icon, 'bell');
    assert.match(spoken, /entry 0, .*unmasked.*, changed$/);
    assert.equal(at('device/0000:00:03.0/msix/1').description, '? / ?  masked');
  });

  it('marks what the step changed, with the value before', () => {
    const mask = at('device/0000:00:03.0/msix/0/control.mask');
    assert.equal(mask.mark, 'M');
    assert.equal(mask.description, 'was 1 masked');
    assert.equal(mask.label.slice(...mask.highlight!), '0 unmasked');
    assert.equal(at('device/0000:00:03.0/msix/0').mark, 'M');
    assert.equal(at('device/0000:00:03.0/msix/0/address').mark, undefined);
    assert.equal(at('device/0000:00:03.0/msix/1').mark, undefined);
    const marked = devices.marked().map((row) => row.path);
    assert.ok(marked.includes('device/0000:00:03.0/msix/0'));
    assert.ok(marked.includes('device/0000:00:03.0/msix/0/control.mask'));
  });

  it('explains a field: bits, access, reset, meaning, old and new value, specification', () => {
    const text = devices.explain(rowAt(devices, 'device/0000:00:03.0/msix/0/control.mask'));
    for (const part of ['bit 0', 'RW', 'Reset value: `1`', '`0` unmasked', '`1 masked` → `0 unmasked`', 'PCIe Base'])
      assert.ok(text.includes(part), `${part} in ${text}`);
  });

  it('says when nothing is known', () => {
    assert.equal(at('device/0000:00:03.0/msix/1/data').label, 'data: ?');
    assert.match(devices.explain(rowAt(devices, 'device/0000:00:03.0/msix/1/data')), /has not shown it/);
  });

  it('shows only what changed, on demand', () => {
    session.showOnlyChanged(true);
    assert.deepEqual(
      lines(whole(devices)).map((line) => line.split(' | ')[1]),
      [
        '00:03.0 nvme',
        'MSI-X table',
        'entry 0',
        'control: 0x0 unmasked',
        'mask: 0 unmasked',
        'writes: 8',
        'effectivelyMasked: no',
      ],
    );
    assert.deepEqual(new Outline('cpus', session).children(), []);
    session.showOnlyChanged(false);
  });

  it('gives the same rows again, also after the cursor moved', () => {
    const row = rowAt(devices, 'device/0000:00:03.0/msix/0');
    session.move({ to: 'next' });
    assert.equal(rowAt(devices, 'device/0000:00:03.0/msix/0'), row);
    session.move({ to: 'previous' });
  });
});

describe('outline: places', () => {
  it('knows in which view a path is shown', () => {
    const places: [string, OutlineName][] = [
      ['device/0000:00:03.0/msix/0', 'devices'],
      ['table/0xfe7c2000', 'devices'],
      ['cpu/1/vector/39', 'cpus'],
      ['vcpu/0', 'cpus'],
      ['irq/41', 'domains'],
      ['irte/0/20', 'domains'],
      ['kvm/0/route/24', 'domains'],
      ['device', 'devices'],
    ];
    for (const [path, name] of places) assert.equal(outlineOf(path), name, path);
  });

  it('shows an irq below the vector domain, and below the vector that it is assigned to', () => {
    const session = new Session(fixtureTrace('x86-vtd/ftrace.txt'));
    session.move({ to: 'last' });
    const domains = new Outline('domains', session);
    const cpus = new Outline('cpus', session);
    const irq = rowAt(domains, 'irq/41');
    assert.equal(irq.parent?.path, 'irq');
    assert.equal(irq.parent?.parent?.path, 'domain/VECTOR');
    assert.match(domains.text(irq).label, /^41 /);
    assert.match(domains.text(irq).description, /^cpu \d+ vector \d+/);
    const links = whole(cpus).flatMap((cpu) =>
      cpu.children.flatMap((v) => v.children.filter((c) => c.row.path === 'irq/41')),
    );
    assert.equal(links.length, 1);
    assert.match(links[0]!.row.id, /^cpu\/\d+\/vector\/\d+\/@irq\/41$/);
  });

  it('cuts long tables into ranges', () => {
    const session = new Session(longTable(2048));
    session.move({ to: 'last' });
    const devices = new Outline('devices', session);
    const entry = devices
      .children()
      .flatMap((row) => lines([show(devices, row)]))
      .find((line) => line.includes('entry 700'));
    assert.ok(entry, 'entry 700 is there');
    const row = [...find(whole(devices), (r) => r.path.endsWith('/msix/700'))][0]!;
    assert.equal(row.parent?.kind, 'range');
    assert.equal(devices.text(row.parent!).label, '[512 … 767]');
    assert.equal(rowAt(devices, row.path), row);
    assert.equal(devices.children(row.parent!.parent).length, 8 + keysBefore(devices, row));
  });
});

const keysBefore = (outline: Outline, row: OutlineRow): number =>
  outline.children(row.parent!.parent).filter((r) => r.kind !== 'range').length;

function* find(shown: readonly Shown[], test: (row: OutlineRow) => boolean): Generator<OutlineRow> {
  for (const { row, children } of shown) {
    if (test(row)) yield row;
    yield* find(children, test);
  }
}

/** A capture in which every entry of a table without a known device is masked. */
function longTable(entries: number): Trace {
  const base = 0xfe000000;
  return importText(
    Array.from({ length: entries }, (_, i) => {
      const address = (base + i * 16 + 12).toString(16);
      return `1@100.${String(i).padStart(6, '0')}:memory_region_ops_write cpu 0 mr 0x1 addr 0x${address} value 0x1 size 4 name 'msix-table'\n`;
    }).join(''),
  );
}

describe('outline: movements', () => {
  /** Moves about in a trace; after each movement the view that was only refreshed must equal one that is drawn from the start. */
  function follow(trace: Trace, moves: readonly number[]): void {
    const session = new Session(trace);
    const outlines = OUTLINES.map((name) => new Outline(name, session));
    const views = outlines.map(whole);
    for (const [i, move] of moves.entries()) {
      if (move === 0) session.move({ to: 'next' });
      else if (move === 1) session.move({ to: 'previous' });
      else session.move({ to: 'step', step: move % Math.max(1, trace.length) });
      if (i % 7 === 6) session.showOnlyChanged(!session.onlyChanged);
      for (const [o, outline] of outlines.entries()) {
        const rows = outline.moved();
        views[o] = rows === undefined ? whole(outline) : refresh(outline, views[o]!, new Set(rows));
        assert.deepEqual(
          lines(views[o]!),
          lines(whole(new Outline(outline.name, session))),
          `${outline.name}, move ${i}`,
        );
      }
    }
  }

  const moves = fc.array(
    fc.oneof(fc.constant(0), fc.constant(0), fc.constant(1), fc.integer({ min: 2, max: 0xffffff })),
    {
      minLength: 10,
      maxLength: 40,
    },
  );

  it('refreshes every row that looks different, in random traces', () => {
    const seeds = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(seeds, moves, (seed, list) => follow(randomTrace(seed, 300), list)),
      { numRuns: 40 },
    );
  });

  for (const name of ['x86-vtd/ftrace.txt', 'x86-vtd/qemu.log', 'arm64-a/qemu.log', 'x86-nested/l2-qemu.log']) {
    it(`refreshes every row that looks different, in ${name}`, function () {
      this.timeout(60_000);
      const trace = fixtureTrace(name);
      const next = randomWords(7);
      // Runs of short hops, here and there, and single steps where something new begins.
      const places = Array.from({ length: 12 }, () => 2 + (next() % trace.length));
      const hops = places.flatMap((at) =>
        Array.from({ length: 12 }, (_, i) => Math.min(at + i * (next() % 40), trace.length - 1)),
      );
      follow(trace, hops);
    });
  }

  it('knows what a row tells of other objects', () => {
    // The name of an irq comes with its first handler, long after its vector was set.
    const trace = fixtureTrace('x86-vtd/ftrace.txt');
    const session = new Session(trace);
    const cpus = new Outline('cpus', session);
    const first = new Map<number, number>();
    for (let step = 0; step < trace.length; step++)
      if (trace.table.kind(step).name === 'irq.entry' && !first.has(trace.table.object(step)))
        first.set(trace.table.object(step), step);
    let refreshed = 0;
    for (const step of first.values()) {
      session.move({ to: 'step', step: step - 1 });
      whole(cpus);
      cpus.moved();
      session.move({ to: 'next' });
      const named = /irq \d+ \S/;
      const rows = cpus.moved() ?? [];
      refreshed += rows.filter((row) => row.path.includes('/vector/') && named.test(cpus.text(row).description)).length;
    }
    assert.ok(refreshed > 3, `${refreshed}`);
  });
});
