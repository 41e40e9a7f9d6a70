// MSI-X tables that a log knows by their address only: an lspci dump of the same run tells whose they are.
import assert from 'node:assert/strict';
import { joinTraces } from '../../../src/import/join/join.ts';
import { viewEvent } from '../../../src/query/events.ts';
import { pathValue, stateTree } from '../../../src/query/state.ts';
import { checkIntegrity } from '../../../src/trace/integrity.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes, fixtureTrace, grep, importBytes, importText } from '../../helpers/fixtures.ts';

const LOG = 'x86-vtd/qemu.log';
const LSPCI = 'x86-vtd/snap-lspci-before.txt';

// biome-ignore lint/suspicious/noExplicitAny: answers are JSON, looked at as users do.
type Json = any;

/** Accesses of MSI-X tables, and nothing that tells of functions. */
const accesses = grep(LOG, /name 'msix-table'/).map(({ text }) => text);
const log = (): Trace => importText(`${accesses.join('\n')}\n`, 'run/qemu.log');
const lspci = (): Trace => importBytes(fixtureBytes(LSPCI), undefined, 'run/lspci.txt');
const tree = (trace: Trace, step = trace.length - 1): Json => stateTree(trace.stateAt(step));
const at = (trace: Trace, path: string): Json => pathValue(trace.stateAt(trace.length - 1), path) ?? null;

/** What an access of the log leaves at an address: the last value that was written. */
function lastWritten(address: number): string {
  const text = accesses
    .filter((line) => line.includes(`ops_write`) && line.includes(`addr 0x${address.toString(16)} `))
    .at(-1)!;
  return /value (0x[\da-f]+)/.exec(text)![1]!;
}

/** Where the guest put the virtio disk after lspci was run (`pci_update_mappings_add virtio-blk-pci 00:06.0 1,0x80000000`). */
const LATER = '0x80000000';

/** Entry 1 of the table of a function: lspci tells the BAR and where in it the table lies. */
const ENTRIES: Readonly<Record<string, number>> = {
  '0000:00:03.0': 0xfe7c0000 + 0x2000 + 16,
  '0000:00:04.0': 0xfe7c4000 + 16,
  '0000:00:05.0': 0xfe7c8000 + 16,
};

/** What lspci prints of one function as root: the capability, which tells where the table starts, stands behind the BARs. */
const dump = (offset: string): string =>
  [
    '00:03.0 Non-Volatile memory controller: A B',
    '\tRegion 0: Memory at fe7c0000 (64-bit, non-prefetchable) [size=16K]',
    '\tCapabilities: [40] MSI-X: Enable+ Count=65 Masked-',
    `\t\tVector table: BAR=0 offset=${offset}`,
    '\t\tPBA: BAR=0 offset=00003000\n',
  ].join('\n');

describe('tables of a log, and lspci of the same run', () => {
  it('alone, the log knows them by their address', () => {
    const all = tree(log());
    assert.deepEqual(Object.keys(all), ['table']);
    assert.ok('0xfe7c2000' in all.table);
  });

  for (const [order, parts] of [
    ['behind', () => [{ trace: log() }, { trace: lspci() }]],
    ['in front', () => [{ trace: lspci() }, { trace: log() }]],
  ] as const)
    it(`lspci ${order}: all entries are those of their functions at the end`, () => {
      const trace = joinTraces(parts());
      assert.deepEqual(checkIntegrity(trace), []);
      assert.deepEqual(Object.keys(tree(trace).table), [LATER], 'no other table is left');
      for (const [bdf, address] of Object.entries(ENTRIES)) {
        assert.equal(at(trace, `device/${bdf}/msix/1/data`).value, lastWritten(address + 8), bdf);
        const writes = accesses.filter((line) => {
          const where = /ops_write .*addr (0x[\da-f]+) /.exec(line)?.[1];
          return where !== undefined && Number(where) >= address && Number(where) < address + 16;
        });
        assert.equal(at(trace, `device/${bdf}/msix/1/writes`), writes.length, bdf);
      }
    });

  it('behind: before lspci stands, an entry is where the log knew it', () => {
    const trace = joinTraces([{ trace: log() }, { trace: lspci() }]);
    const first = Array.from({ length: trace.length }, (_, step) => trace.table.kind(step).name).indexOf(
      'snap.function',
    );
    assert.ok(first > 0);
    assert.ok('0xfe7c2000' in tree(trace, first - 1).table);
  });

  it('in front: accesses are those of the function from the first one on', () => {
    const trace = joinTraces([{ trace: lspci() }, { trace: log() }]);
    const kinds = Array.from({ length: trace.length }, (_, step) => viewEvent(trace, step));
    const paths = kinds.flatMap(({ kind, object }) => (/^tbl\.(?:read|write)$/.test(kind) ? [object ?? ''] : []));
    assert.equal(paths.length, accesses.length);
    const others = paths.filter((path) => !path.startsWith('device/0000:00:'));
    assert.ok(others.every((path) => path.startsWith(`table/${LATER}/`)));
    const later = accesses.filter((line) => line.includes(`addr ${LATER.slice(0, -2)}`));
    assert.equal(others.length, later.length);
  });

  it('without the capability (another user than root), the only table in a BAR begins where it was accessed first', () => {
    const text =
      '00:03.0 Non-Volatile memory controller: A B\n\tRegion 0: Memory at fe7c0000 (64-bit, non-prefetchable) [size=16K]\n\tCapabilities: <access denied>\n';
    const trace = joinTraces([{ trace: log() }, { trace: importText(text, 'run/lspci.txt') }]);
    assert.equal(at(trace, 'device/0000:00:03.0/msix/1/data').value, lastWritten(0xfe7c2010 + 8));
    assert.ok('0xfe7c4000' in tree(trace).table, 'that of another function stays');
  });

  it('counts its entries from where the dump says that the table starts, wherever it says so', () => {
    // The table of this function starts at 0x2000: the log holds entry 1 at 0xfe7c2010, which is entry 0 of one that starts there.
    const trace = joinTraces([{ trace: log() }, { trace: importText(dump('00002010'), 'run/lspci.txt') }]);
    assert.deepEqual(checkIntegrity(trace), []);
    assert.equal(at(trace, 'device/0000:00:03.0/msix/0/data').value, lastWritten(0xfe7c2010 + 8));
    assert.equal(at(trace, 'device/0000:00:03.0/msix/1/data').value, lastWritten(0xfe7c2020 + 8));
  });

  it('a table that starts at half an entry stays under its address: its accesses were taken for those of other fields', () => {
    const joined = (offset: string): Trace =>
      joinTraces([{ trace: log() }, { trace: importText(dump(offset), 'run/lspci.txt') }]);
    assert.ok(!('0xfe7c2000' in tree(joined('00002000')).table));
    // Bits 31:3 of the register are the offset (PCIe 7.7.2.3).
    const trace = joined('00002008');
    assert.deepEqual(checkIntegrity(trace), []);
    assert.ok('0xfe7c2000' in tree(trace).table);
    assert.equal(at(trace, 'device/0000:00:03.0/msix'), null);
  });

  it('a region of I/O ports holds no table', () => {
    const text = '00:03.0 Ethernet controller: A B\n\tRegion 0: I/O ports at fe7c0000 [size=16K]\n';
    const trace = joinTraces([{ trace: log() }, { trace: importText(text, 'run/lspci.txt') }]);
    assert.ok('0xfe7c2000' in tree(trace).table);
  });

  it('a machine of an emulator and its lspci are one system', () => {
    const trace = joinTraces([{ trace: fixtureTrace(LOG) }, { trace: lspci() }]);
    assert.deepEqual(
      trace.sources.map(({ system }) => system),
      ['', ''],
    );
  });
});

describe('the machine of lspci', () => {
  const part = (name: string): { readonly trace: Trace } => ({
    trace: importBytes(fixtureBytes(name), undefined, `run/${name.replace(/.*\//, '')}`),
  });

  it('is the guest whose regions lie where the log of its emulator maps them', () => {
    // grep pci_update_mappings_add of the log: vfio-pci 00:01.0 0,0xfebf8000; ich9-ahci 00:1f.2 5,0xfebfc000. lspci has both.
    const { sources } = joinTraces([
      part('x86-nested/l1-ftrace.txt'),
      part('x86-nested/l2-qemu.log'),
      part('x86-nested/l2-lspci.txt'),
      part('x86-nested/snap-l1-lspci.txt'),
    ]);
    const named = sources
      .filter(({ derived }) => !derived)
      .map(({ file, system }) => [file.replace('run/', ''), system]);
    assert.deepEqual(named, [
      ['l1-ftrace.txt', 'host'],
      ['l2-qemu.log', 'guest'],
      ['l2-lspci.txt', 'guest'],
      ['snap-l1-lspci.txt', 'host'],
    ]);
  });
});

describe('lspci against what events told', () => {
  it('a function mask that was set unobserved is an event with both values', () => {
    const before = importBytes(fixtureBytes(LSPCI), undefined, 'a/lspci.txt');
    const after = importBytes(fixtureBytes('x86-vtd/snap-lspci-funcmasked.txt'), undefined, 'b/lspci.txt');
    const trace = joinTraces([{ trace: before }, { trace: after }]);
    assert.deepEqual(checkIntegrity(trace), []);
    const told = Array.from({ length: trace.length }, (_, step) => viewEvent(trace, step)).filter(
      ({ kind }) => kind === 'snap.resync',
    );
    assert.deepEqual(
      told.map(({ object, fields }) => [object, fields['key'], fields['old'], fields['new']]),
      [['device/0000:00:04.0/msixcap', 'control', 'fmask=no', 'fmask=yes']],
    );
  });

  it('text that tells fewer bits than were known contradicts nothing', () => {
    const text = '00:04.0 Ethernet controller: A B\n\tFlags: bus master, fast devsel, latency 0, IRQ 20\n';
    const trace = joinTraces([{ trace: lspci() }, { trace: importText(text, 'b/lspci.txt') }]);
    const kinds = Array.from({ length: trace.length }, (_, step) => trace.table.kind(step).name);
    assert.ok(!kinds.includes('snap.resync'));
  });
});
