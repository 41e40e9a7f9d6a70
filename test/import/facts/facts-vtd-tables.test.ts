// Facts of the VT-d capture about MSI-X tables and the MSI capability (QEMU log). The numbers are those of the list of
// facts that came with the capture; every expected value is taken from the same bytes by a regular expression.
import assert from 'node:assert/strict';
import type { RegisterView } from '../../../src/model/register.ts';
import { viewEvent } from '../../../src/query/events.ts';
import { history } from '../../../src/query/history.ts';
import { resolvePath } from '../../../src/query/paths.ts';
import { pathValue } from '../../../src/query/state.ts';
import { fixtureLines, fixtureTrace, grep, type SourceLine } from '../../helpers/fixtures.ts';
import { accessOf, hexOf, TableFold, type TablePlaces } from './fold.ts';

const LOG = 'x86-vtd/qemu.log';

/** `lspci -vvv` of the same guest: function, BAR and offset of the MSI-X table. */
const TABLES: TablePlaces = [
  ['00:03.0', 0, 0x2000],
  ['00:04.0', 3, 0],
  ['00:05.0', 1, 0],
  ['00:06.0', 1, 0],
  ['00:08.0', 0, 0],
  ['00:0a.0', 1, 0],
];

/** The same source: entries in the table, BAR and offset of the pending bit array. */
const SIZES: Readonly<Record<string, readonly [size: number, pbaBar: number, pbaOffset: number]>> = {
  '00:03.0': [6, 0, 0x3000],
  '00:04.0': [5, 3, 0x2000],
  '00:05.0': [4, 1, 0x800],
  '00:06.0': [5, 1, 0x800],
  '00:08.0': [1, 0, 0x800],
  '00:0a.0': [2, 1, 0x800],
};

const trace = fixtureTrace(LOG);
const lines = fixtureLines(LOG);
const stampOf = (text: string): string => /^\d+@(\d+\.\d+):/.exec(text)![1]!;

/** The step of the last event that stands at or before a line. */
const stepAt = (line: SourceLine): number => trace.lastAtLine(line.line);
const at = (step: number, path: string): unknown => pathValue(trace.stateAt(step), path);
const one = (pattern: RegExp, n = 0): SourceLine => {
  const line = grep(LOG, pattern).at(n);
  assert.ok(line, `no line ${pattern}`);
  return line;
};

interface EntryTree {
  readonly address: RegisterView;
  readonly data: RegisterView;
  readonly control: RegisterView;
  readonly writes: number;
  readonly reads: number;
  readonly effectivelyMasked: boolean | null;
}

function compareTables(fold: TableFold, step: number): void {
  const state = trace.stateAt(step);
  assert.ok(fold.entries.size > 0);
  for (const [path, entry] of fold.entries) {
    const tree = pathValue(state, path) as unknown as EntryTree;
    const where = `${path} at step ${step}`;
    assert.equal(tree.address.value, hexOf(entry.bytes.slice(0, 8)), `${where}: address`);
    assert.equal(tree.data.value, hexOf(entry.bytes.slice(8, 12)), `${where}: data`);
    assert.equal(tree.control.value, hexOf(entry.bytes.slice(12, 16)), `${where}: control`);
    assert.equal(tree.writes, entry.writes, `${where}: writes`);
    assert.equal(tree.reads, entry.reads, `${where}: reads`);
  }
}

describe('VT-d capture, MSI-X tables', () => {
  it('every entry at the end, and at 40 points on the way, is what a fold over the accesses gives', () => {
    const fold = new TableFold(TABLES);
    const accesses = lines.filter((l) => accessOf(l.text)?.region === 'msix-table');
    const points = new Set(
      Array.from({ length: 40 }, (_, i) => accesses[Math.floor((i * accesses.length) / 40)]!.line),
    );
    for (const line of lines) {
      fold.take(line);
      if (points.has(line.line)) compareTables(fold, stepAt(line));
    }
    assert.equal(fold.strays, 0);
    compareTables(fold, trace.length - 1);
    assert.equal(pathValue(trace.head, 'table'), undefined, 'no table is left without its device');
  });

  it('A2: the MSI-X capabilities are those that lspci prints in that guest', () => {
    for (const [bdf, bar, offset] of TABLES) {
      const cap = pathValue(trace.head, `device/0000:${bdf}/msixcap`) as Record<string, unknown>;
      const { size, tableBar, tableOffset, pbaBar, pbaOffset } = cap;
      assert.deepEqual([size, pbaBar, pbaOffset], SIZES[bdf], bdf);
      assert.deepEqual([tableBar, tableOffset], [bar, offset], bdf);
    }
  });

  it('A3: nvme enables MSI-X with the function mask, masks all 6 entries, clears the function mask', () => {
    const first = one(/msix_write_config dev nvme enabled 1 masked 1/);
    const last = lines.find(
      (l) => l.line > first.line && /msix_write_config dev nvme enabled 1 masked 0/.test(l.text),
    )!;
    const control = lines.findLast((l) => l.line < first.line && /pci_cfg_write nvme \S+ @0x42/.test(l.text))!;
    const bdf = /nvme (\S+) /.exec(control.text)![1]!;
    const device = `device/0000:${bdf}`;
    assert.deepEqual(
      [at(stepAt(first), `${device}/msixcap/enable`), at(stepAt(first), `${device}/msixcap/fmask`)],
      [true, true],
    );
    assert.deepEqual(
      [at(stepAt(last), `${device}/msixcap/enable`), at(stepAt(last), `${device}/msixcap/fmask`)],
      [true, false],
    );
    // "Count=6 Masked-" says lspci; Message Control as written here holds the same 6 - 1 in bits 10:0.
    const written = Number(/<- (0x[0-9a-f]+)/.exec(control.text)![1]);
    assert.equal(at(stepAt(last), `${device}/msixcap/size`), (written & 0x7ff) + 1);
    const window = lines.slice(first.line - 1, last.line).flatMap((l) => accessOf(l.text) ?? []);
    const masked = window.filter((a) => a.write && a.address % 16 === 12 && a.value === 1n);
    assert.equal(masked.length, 6);
    for (const i of masked.keys()) {
      const entry = at(stepAt(last), `${device}/msix/${i}`) as unknown as EntryTree;
      assert.equal(entry.control.fields['mask'], true, `entry ${i}`);
      assert.equal(entry.effectivelyMasked, true, `entry ${i}`);
    }
    const low = window.find((a) => a.write && a.address % 16 === 0)!;
    const entry0 = at(stepAt(last), `${device}/msix/0`) as unknown as EntryTree;
    assert.equal(entry0.address.value, `0x${low.value.toString(16)}`);
    assert.equal(entry0.data.value, '0x0');
  });

  it('A4: entry 0 of nvme is unmasked for the first time where the log writes 0 to table + 0xc', () => {
    const line = one(/_write .*addr 0xfe7c200c value 0x0 .*msix-table/);
    const target = resolvePath(trace.world, 'device/0000:00:03.0/msix/0/control.mask')!;
    const unmask = [...history(trace, target)].find((h) => h.new === false)!;
    assert.equal(unmask.old, true);
    assert.equal(unmask.source.line, line.line);
    assert.equal(unmask.source.offset, line.offset);
    assert.equal(unmask.time, stampOf(line.text));
  });

  it('A8: no write to the table of e1000e while its irqs move, over 49 seconds and over 102 seconds', () => {
    const gaps = (times: readonly string[]): string[] =>
      times.flatMap((t, i) => (i > 0 && Number(t) - Number(times[i - 1]) > 10 ? [`${times[i - 1]} -> ${t}`] : []));
    const printed = gaps(grep(LOG, /_write .*addr 0xfe7c40.*msix-table/).map((l) => stampOf(l.text)));
    const written: string[] = [];
    for (let step = 0; step < trace.length; step++) {
      if (trace.table.kind(step).name !== 'tbl.write') continue;
      const event = viewEvent(trace, step);
      if (event.object.startsWith('device/0000:00:04.0/msix/')) written.push(event.time!);
    }
    assert.equal(printed.length, 2);
    assert.deepEqual(gaps(written), printed);
  });

  it('A14: MSI-X of nvme is off after the unbind', () => {
    const line = grep(LOG, /msix_write_config dev nvme/)[5]!;
    assert.match(line.text, /enabled 0 masked 0$/);
    const config = lines.findLast((l) => l.line < line.line && / nvme 00:03\.0 @0x42 <- /.test(l.text))!;
    assert.equal(at(stepAt(config) - 1, 'device/0000:00:03.0/msixcap/enable'), true);
    assert.equal(at(stepAt(line), 'device/0000:00:03.0/msixcap/enable'), false);
    assert.equal(at(stepAt(line), 'device/0000:00:03.0/msix/0/effectivelyMasked'), true);
  });

  it('A15: the function mask of e1000e is set and cleared; what was pending is sent on the CPU that cleared it', () => {
    const writes = grep(LOG, /pci_cfg_write e1000e 00:04\.0 @0xa2 <- /);
    const set = writes.findLast((l) => l.text.endsWith('0xc004'))!;
    const clear = writes.find((l) => l.line > set.line)!;
    assert.match(clear.text, /<- 0x8004$/);
    const fmask = 'device/0000:00:04.0/msixcap/fmask';
    assert.deepEqual([at(stepAt(set) - 1, fmask), at(stepAt(set), fmask)], [false, true]);
    assert.deepEqual([at(stepAt(clear) - 1, fmask), at(stepAt(clear), fmask)], [true, false]);
    assert.equal(at(stepAt(set), 'device/0000:00:04.0/msixcap/size'), 5, 'lspci: Count=5');
    const raised = lines.filter(
      (l) => l.line > set.line && l.line < clear.line && l.text.includes('e1000e_irq_msix_notify_vec '),
    );
    const vectors = raised.map((l) => Number(/vector (0x[0-9a-f]+)/.exec(l.text)![1]));
    assert.ok(vectors.length > 0);
    const before = trace.stateAt(stepAt(clear) - 1);
    const after = trace.stateAt(stepAt(clear));
    for (const v of vectors) {
      assert.equal(pathValue(before, `device/0000:00:04.0/msix/${v}/pending`), true, `vector ${v} waits`);
      assert.equal(pathValue(after, `device/0000:00:04.0/msix/${v}/pending`), false, `vector ${v} is sent`);
    }
    const sent = lines.find((l) => l.line > clear.line && accessOf(l.text)?.region === 'vtd-ir')!;
    const event = viewEvent(trace, stepAt(sent));
    assert.equal(event.kind, 'send');
    assert.equal(event.cpu, accessOf(sent.text)!.cpu);
    assert.equal(event.cpu, 1, 'a vCPU, not the main loop');
    assert.equal(event.object, `device/0000:00:04.0/msix/${vectors[0]}`);
    const address = accessOf(sent.text)!.address;
    assert.equal(event.fields['address'], `0x${address.toString(16)}`);
  });

  it('A16: while e1000e is masked it raises vectors and sends nothing', () => {
    const control = grep(LOG, /msix_write_config dev e1000e/);
    const third = control.filter((l) => l.text.endsWith('enabled 1 masked 1'))[2]!;
    const end = control.find((l) => l.line > third.line && l.text.endsWith('masked 0'))!;
    const inside = lines.slice(third.line, end.line - 1);
    const raised = inside.filter((l) => /msix_notify_vec/.test(l.text)).length;
    const late = inside.filter((l) => /msix_notify_postponed_vec/.test(l.text)).length;
    const sent = inside.filter((l) => /addr 0xfee004[79]8 .*vtd-ir/.test(l.text)).length;
    assert.deepEqual([raised, sent], [2, 0]);
    let raises = 0;
    let sends = 0;
    for (let step = stepAt(third) + 1; step <= stepAt(end); step++) {
      const event = viewEvent(trace, step);
      if (!event.object.startsWith('device/0000:00:04.0/')) continue;
      if (event.kind === 'dev.raise') raises++;
      if (event.kind === 'send') sends++;
    }
    assert.deepEqual([raises, sends], [raised + late, sent]);
  });

  it('A17: the MSI capability of edu is written with its message, then enabled', () => {
    const writes = grep(LOG, /pci_cfg_write edu 00:07\.0 @0x4[248c] <-/).slice(1, 6);
    const by = (offset: string): string =>
      /<- (0x[0-9a-f]+)/.exec(writes.find((l) => l.text.includes(offset))!.text)![1]!;
    const enable = writes.at(-1)!;
    assert.match(enable.text, /@0x42 <- 0x81$/);
    const msi = 'device/0000:00:07.0/msi';
    assert.equal(at(stepAt(enable) - 1, `${msi}/enable`), false);
    const tree = at(stepAt(enable), msi) as unknown as EntryTree & { readonly enable: boolean };
    assert.equal(tree.enable, true);
    assert.equal(tree.address.value, hexOf([...bytes(by('@0x44')), ...bytes(by('@0x48'))]));
    assert.equal(tree.data.value, by('@0x4c'));
  });

  it('A18: remove and rescan of virtio-blk moves BAR 1 with the table; the entries stay the same objects', () => {
    const maps = grep(LOG, /pci_update_mappings_\w+ virtio-blk-pci 00:06\.0 1,/).slice(-3);
    const address = (l: SourceLine): string => /1,(0x[0-9a-f]+)\+/.exec(l.text)![1]!;
    const [old, gone, moved] = maps as [SourceLine, SourceLine, SourceLine];
    assert.match(gone.text, /mappings_del/);
    assert.notEqual(address(old), address(moved));
    const bar = 'device/0000:00:06.0/bar/1';
    assert.deepEqual([at(stepAt(old), `${bar}/address`), at(stepAt(old), `${bar}/mapped`)], [address(old), true]);
    assert.equal(at(stepAt(gone), `${bar}/mapped`), false);
    assert.deepEqual([at(stepAt(moved), `${bar}/address`), at(stepAt(moved), `${bar}/mapped`)], [address(moved), true]);
    const accesses = lines.flatMap((l) => {
      const a = accessOf(l.text);
      return a?.region === 'msix-table' ? [a.address] : [];
    });
    const within = (base: string): number =>
      accesses.filter((a) => a >= Number(base) && a < Number(base) + 0x1000).length;
    assert.deepEqual([within(address(old)), within(address(moved))], [117, 77]);
    let count = 0;
    for (let step = 0; step < trace.length; step++) {
      if (!/^tbl\.(read|write)$/.test(trace.table.kind(step).name)) continue;
      if (viewEvent(trace, step).object.startsWith('device/0000:00:06.0/msix/')) count++;
    }
    assert.equal(count, within(address(old)) + within(address(moved)));
  });

  it('A21: 6 entry addresses are written for virtio-net, as many as its kernel wrote messages', () => {
    const end = one(
      /isa-debugcon/,
      grep(LOG, /isa-debugcon/).findIndex((l) => / value 0x1a /.test(l.text)),
    );
    const printed = lines.filter(
      (l) => l.line < end.line && /_write .*addr 0xfe7c80[0-9a-f]0 .*msix-table/.test(l.text),
    );
    const kernel = grep('x86-vtd/ftrace.txt', /msiwrite.* irq=(38|39|40) /);
    assert.equal(printed.length, kernel.length);
    let addresses = 0;
    for (let step = 0; step <= stepAt(end); step++) {
      if (trace.table.kind(step).name !== 'tbl.write') continue;
      const event = viewEvent(trace, step);
      if (event.object.startsWith('device/0000:00:05.0/msix/') && event.fields['offset'] === '0x0') addresses++;
    }
    assert.equal(addresses, printed.length);
    const guest = fixtureTrace('x86-vtd/ftrace.txt');
    const messages = [38, 39, 40].map((n) => pathValue(guest.head, `irq/${n}/messageWrites`) as number);
    assert.equal(messages[0]! + messages[1]! + messages[2]!, kernel.length);
  });
});

/** The 4 bytes of a hexadecimal number. */
function bytes(text: string): number[] {
  return [0, 8, 16, 24].map((shift) => (Number(text) >>> shift) & 0xff);
}
