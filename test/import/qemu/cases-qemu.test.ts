// Pieces of QEMU logs as people have them (test/fixtures/cases), and variants of the same kinds; what is right is told there
// by hand, from the specification or from QEMU's source.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathValue } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { sample } from '../samples.ts';

const folder = join(import.meta.dirname, '../../fixtures/cases');

/** A case with what its accounting says. Indentation is another test's matter. */
const load = (name: string) => sample(readFileSync(join(folder, name), 'utf8').replaceAll(/^ +/gm, ''));

/** A log of these lines. */
const log = (...lines: readonly string[]): Trace => sample(`${lines.join('\n')}\n`).trace;

const atEnd = (trace: Trace, path: string): unknown => pathValue(trace.head, path);
const atLine = (trace: Trace, line: number, path: string): unknown =>
  pathValue(trace.stateAt(trace.lastAtLine(line)), path);
const word = (register: unknown): unknown => (register as { value: unknown } | null)?.value;
const exists = (trace: Trace, path: string): boolean => (atEnd(trace, path) ?? null) !== null;

describe('config accesses of QEMU before 6.1 print no bus: it is unknown, not 0', () => {
  it('qemu-config-without-bus.log', () => {
    const { trace, info } = load('qemu-config-without-bus.log');
    assert.equal(info.records, 5);
    assert.equal(info.understood, 5);
    assert.ok(!exists(trace, 'device/0000:00:00.0'), 'no record names bus 0');
    assert.equal(atEnd(trace, 'device/0000:01:00.0/name'), 'virtio-net-pci');
    assert.equal(atEnd(trace, 'device/0000:01:00.0/bar/4/address'), '0xfea00000');
    assert.equal(atEnd(trace, 'device/0000:02:00.0/name'), 'nvme');
    assert.equal(atEnd(trace, 'device/0000:02:00.0/command.busMaster'), true, 'what was written before moves there');
    assert.ok(!exists(trace, 'device/nvme') && !exists(trace, 'device/virtio-net-pci'));
    assert.ok(exists(trace, 'device/mch'), 'nothing tells the bus of this one');
    assert.equal(atLine(trace, 4, 'device/nvme/command.busMaster'), true, 'until then it goes by its name');
    assert.equal(atLine(trace, 4, 'device/0000:02:00.0') ?? null, null);
  });

  it('qemu-config-old-and-new.log', () => {
    const { trace, info } = load('qemu-config-old-and-new.log');
    assert.equal(info.records, 8);
    assert.ok(exists(trace, 'device/0000:01:00.0'));
    assert.ok(!exists(trace, 'device/0000:00:00.0'));
    assert.equal(atEnd(trace, 'device/0000:01:00.0/bar/4/address'), '0xfea00000');
  });

  it('the mapping event behind a write of Command or a BAR tells whose it was, with its capabilities and entries', () => {
    const trace = log(
      'pci_cfg_read nvme 03:0 @0x34 -> 0x40',
      'pci_cfg_read nvme 03:0 @0x40 -> 0x70011',
      'pci_cfg_read nvme 03:0 @0x44 -> 0x2000',
      'pci_cfg_write nvme 03:0 @0x42 <- 0x8007',
      'msix_write_config dev nvme enabled 1 masked 0',
      'pci_nvme_irq_msix raising MSI-X IRQ vector 1',
      'pci_cfg_write nvme 03:0 @0x14 <- 0xc0',
      'pci_update_mappings_add d=0x55d0c0 02:03.0 0,0xc0fe000000+0x4000',
      "memory_region_ops_write cpu 0 mr 0x1 addr 0xc0fe002010 value 0xfee00298 size 4 name 'msix-table'",
      'pci_nvme_irq_msix raising MSI-X IRQ vector 1',
    );
    const nvme = 'device/0000:02:03.0';
    assert.equal(atEnd(trace, `${nvme}/msixcap/enable`), true);
    assert.equal(atEnd(trace, `${nvme}/msixcap/size`), 8);
    assert.equal(atEnd(trace, `${nvme}/msix/1/raises`), 2);
    assert.equal(atEnd(trace, `${nvme}/msix/1/writes`), 1);
    assert.ok(!exists(trace, 'device/nvme'));
    assert.equal(atLine(trace, 6, 'device/nvme/msix/1/raises'), 1);
  });

  it('a mapping that no write before it explains joins nothing', () => {
    // Another function number; another BAR; another address; mapped before any access was printed.
    for (const lines of [
      ['pci_cfg_write nvme 03:0 @0x4 <- 0x6', 'pci_update_mappings_add d=0x55 02:04.0 0,0xfe000000+0x4000'],
      ['pci_cfg_write nvme 03:0 @0x10 <- 0xfe000004', 'pci_update_mappings_add d=0x55 02:03.0 4,0xfe000000+0x4000'],
      ['pci_cfg_write nvme 03:0 @0x10 <- 0xfe000004', 'pci_update_mappings_add d=0x55 02:03.0 0,0xfd000000+0x4000'],
      ['pci_update_mappings_add d=0x55 02:03.0 0,0xfe000000+0x4000', 'pci_cfg_write nvme 03:0 @0x4 <- 0x6'],
      ['pci_cfg_write pcie-root-port 03:0 @0x3e <- 0x40', 'pci_update_mappings_del d=0x55 02:03.0 0,0xfe000000+0x4000'],
    ]) {
      const trace = log(...lines);
      const bdf = /0[0-9]:0[0-9]\.0/.exec(lines.join(' '))![0];
      assert.ok(exists(trace, `device/0000:${bdf}`), lines.join());
      assert.equal(atEnd(trace, `device/0000:${bdf}/name`) ?? null, null, lines.join());
      assert.equal(atEnd(trace, `device/0000:${bdf}/command.memory`) ?? null, null, lines.join());
      assert.ok(!exists(trace, 'device/0000:00:03.0'), lines.join());
    }
  });

  it('slots are decimal, and functions of one model in different slots stay apart', () => {
    const trace = log(
      'pci_cfg_write e1000e 10:1 @0x4 <- 0x6',
      'pci_cfg_write e1000e 11:0 @0x4 <- 0x0',
      'pci_cfg_write e1000e 10:1 @0x10 <- 0xfe000000',
      'pci_update_mappings_add d=0x55 00:0a.1 0,0xfe000000+0x20000',
    );
    assert.equal(atEnd(trace, 'device/0000:00:0a.1/command.busMaster'), true);
    assert.equal(atLine(trace, 3, 'device/e1000e/command.busMaster'), true);
  });

  it('two of a model in slot 0 of two buses: what cannot be told becomes unknown, what the mapping shows is known', () => {
    const trace = log(
      'pci_cfg_write nvme 00:0 @0x4 <- 0x506',
      'pci_update_mappings_add d=0x55 01:00.0 0,0xfe800000+0x4000',
      'pci_cfg_write nvme 00:0 @0x4 <- 0x106',
      'pci_update_mappings_add d=0x66 02:00.0 0,0xfe600000+0x4000',
      'pci_cfg_write nvme 00:0 @0x4 <- 0x0',
    );
    assert.equal(atLine(trace, 2, 'device/0000:01:00.0/command.intxDisable'), true);
    assert.equal(atLine(trace, 4, 'device/0000:01:00.0/command.intxDisable'), null, 'either may have been meant');
    assert.equal(atLine(trace, 4, 'device/0000:02:00.0/command.intxDisable'), false);
    assert.equal(atEnd(trace, 'device/0000:02:00.0/command.memory'), true, 'the last write may be about the other');
    assert.equal(atEnd(trace, 'device/0000:01:00.0/command.memory'), null);
  });
});

describe('MSI-X tables: whose an access is', () => {
  const write = (address: number, value: number, mr = ' mr 0x1'): string =>
    `memory_region_ops_write cpu 0${mr} addr 0x${address.toString(16)} value 0x${value.toString(16)} size 4 name 'msix-table'`;
  const map = (bdf: string, bar: number, address: number, size: number): string =>
    `pci_update_mappings_add vfio-pci ${bdf} ${bar},0x${address.toString(16)}+0x${size.toString(16)}`;
  const capability = (bdf: string, table: number): string[] => [
    `pci_cfg_read vfio-pci ${bdf} @0x34 -> 0x40`,
    `pci_cfg_read vfio-pci ${bdf} @0x40 -> 0x7ff0011`,
    `pci_cfg_read vfio-pci ${bdf} @0x44 -> 0x${table.toString(16)}`,
  ];
  const BAR = 0xfea83000;

  it('bar-neighbours.log', () => {
    const { trace } = load('bar-neighbours.log');
    const entry = 'device/0000:00:07.0/msix/0';
    assert.equal(word(atEnd(trace, `${entry}/data`)), '0x24');
    assert.equal(atEnd(trace, `${entry}/control.mask`), false);
    assert.equal(atEnd(trace, `${entry}/writes`), 4);
    assert.equal(atEnd(trace, 'device/0000:00:07.0/msix/1/address.lower') === null, false);
    assert.ok(!exists(trace, 'table'));
    assert.ok(!exists(trace, 'device/0000:00:08.0/msix'));
  });

  it('all writes before any BAR is known, the neighbour above, below, or both known first', () => {
    const writes = [write(BAR, 0xfee00000), write(BAR + 8, 0x24), write(BAR + 0xffc, 0)];
    const above = map('00:08.0', 0, BAR + 0x1000, 0x1000);
    const below = map('00:06.0', 0, BAR - 0x1000, 0x1000);
    for (const neighbours of [[above], [below], [above, below], [below, above]]) {
      const trace = log(...neighbours, ...writes, map('00:07.0', 1, BAR, 0x1000));
      assert.deepEqual(Object.keys(atEnd(trace, 'device/0000:00:07.0/msix') as object), ['0', '255']);
      assert.ok(!exists(trace, 'table') && !exists(trace, 'device/0000:00:08.0/msix'));
      assert.ok(!exists(trace, 'device/0000:00:06.0/msix'));
    }
  });

  it('a table of several pages whose first access lies on a later page stays in one piece', () => {
    const lines = [write(BAR + 0x1010, 1), write(BAR + 0x20, 2), write(BAR + 0x2000, 3)];
    const numbers = (trace: Trace): string[] =>
      Object.keys(atEnd(trace, 'device/0000:00:07.0/msix') as object).sort((a, b) => Number(a) - Number(b));
    const wanted = ['2', '257', '512'];
    assert.deepEqual(numbers(log(...lines, map('00:07.0', 1, BAR, 0x8000))), wanted, 'BAR known behind');
    assert.deepEqual(numbers(log(map('00:07.0', 1, BAR, 0x8000), ...lines)), wanted, 'BAR known before');
    const bare = lines.map((l) => l.replace(' mr 0x1', ''));
    assert.deepEqual(numbers(log(...bare, map('00:07.0', 1, BAR, 0x8000))), wanted, 'no pointers of regions');
    assert.deepEqual(numbers(log(lines[0]!, map('00:07.0', 1, BAR, 0x8000), ...lines.slice(1))), wanted, 'in between');
  });

  it('entries get their numbers when the capability shows that the table does not start on a page', () => {
    const trace = log(
      map('00:07.0', 1, BAR, 0x4000),
      write(BAR + 0x810, 0xfee00000),
      write(BAR + 0x818, 0x24),
      ...capability('00:07.0', 0x801),
      write(BAR + 0x81c, 0),
    );
    assert.equal(atLine(trace, 3, 'device/0000:00:07.0/msix/129/writes'), 2, 'until then counted from the page');
    assert.equal(atEnd(trace, 'device/0000:00:07.0/msix/1/writes'), 3);
    assert.equal(word(atEnd(trace, 'device/0000:00:07.0/msix/1/data')), '0x24');
    assert.deepEqual(Object.keys(atEnd(trace, 'device/0000:00:07.0/msix') as object), ['1']);
  });

  it('and when the table word was read before what leads to it', () => {
    const [pointer, head, table] = capability('00:07.0', 0x10801);
    const access = write(BAR + 0x10810, 0xfee00000);
    const trace = log(map('00:07.0', 1, BAR, 0x20000), access, table!, head!, pointer!);
    assert.equal(atLine(trace, 4, 'device/0000:00:07.0/msix/129/writes'), 1);
    assert.equal(atEnd(trace, 'device/0000:00:07.0/msix/1/writes'), 1);
  });

  it('accesses while the BAR is unmapped in the log find their function when it is mapped there', () => {
    const trace = log(
      map('00:07.0', 1, BAR, 0x1000),
      write(BAR + 8, 0x24),
      `pci_update_mappings_del vfio-pci 00:07.0 1,0x${BAR.toString(16)}+0x1000`,
      write(0x80000018, 0x25),
      map('00:07.0', 1, 0x80000000, 0x1000),
    );
    assert.equal(word(atEnd(trace, 'device/0000:00:07.0/msix/1/data')), '0x25');
    assert.ok(!exists(trace, 'table'));
    // What the entry counted at its old place and what came before the new place was known add up.
    const both = log(
      map('00:07.0', 1, BAR, 0x1000),
      write(BAR + 8, 0x24),
      write(BAR, 0xfee00000),
      `pci_update_mappings_del vfio-pci 00:07.0 1,0x${BAR.toString(16)}+0x1000`,
      write(0x80000008, 0x25),
      map('00:07.0', 1, 0x80000000, 0x1000),
    );
    assert.equal(atEnd(both, 'device/0000:00:07.0/msix/0/writes'), 3);
    assert.deepEqual(
      ['address', 'data'].map((key) => word(atEnd(both, `device/0000:00:07.0/msix/0/${key}`))),
      [null, '0x25'],
    );
  });
});

describe('a function that was reset', () => {
  const NVME = 'device/0000:01:00.0';
  /** An nvme function with PCI Express at 0x60 and MSI-X at 0x40, switched on, entry 0 written and unmasked. */
  const running = (bdf = '01:00.0', express = 0x10): string[] => [
    `pci_cfg_read nvme ${bdf} @0x34 -> 0x40`,
    `pci_cfg_read nvme ${bdf} @0x40 -> 0x8011`,
    `pci_cfg_read nvme ${bdf} @0x80 -> 0x60${express.toString(16)}`,
    `pci_cfg_write nvme ${bdf} @0x4 <- 0x406`,
    `pci_update_mappings_add nvme ${bdf} 0,0x10000000+0x4000`,
    `pci_cfg_write nvme ${bdf} @0x42 <- 0x800f`,
    "memory_region_ops_write cpu 0 mr 0x1 addr 0x10002000 value 0xfee00000 size 4 name 'msix-table'",
    "memory_region_ops_write cpu 0 mr 0x1 addr 0x1000200c value 0x0 size 4 name 'msix-table'",
  ];
  const isReset = (trace: Trace, path = NVME): unknown[] => [
    atEnd(trace, `${path}/command.busMaster`),
    atEnd(trace, `${path}/msixcap/enable`),
    atEnd(trace, `${path}/msix/0/control.mask`),
    atEnd(trace, `${path}/msix/0/effectivelyMasked`),
  ];
  const RESET = [false, false, true, true];
  const RUNNING = [true, true, false, false];

  it('nvme-flr.log', () => {
    const { trace, info } = load('nvme-flr.log');
    assert.deepEqual(isReset(trace), RESET);
    assert.equal(info.understood, info.records);
    assert.equal(atLine(trace, 12, `${NVME}/msixcap/enable`), true);
    assert.equal(atLine(trace, 13, `${NVME}/msixcap/enable`), false, 'from the write on that starts it');
    assert.equal(word(atEnd(trace, `${NVME}/msix/0/address`)), null);
  });

  it('by Device Control bit 15, whatever the width of the write, and only by that bit', () => {
    for (const written of ['@0x88 <- 0x8000', '@0x88 <- 0xa81f', '@0x88 <- 0x98000', '@0x89 <- 0x80'])
      assert.deepEqual(isReset(log(...running(), `pci_cfg_write nvme 01:00.0 ${written}`)), RESET, written);
    for (const written of ['@0x88 <- 0x7fff', '@0x8a <- 0x8000', '@0x86 <- 0x8000', '@0x68 <- 0x8000'])
      assert.deepEqual(isReset(log(...running(), `pci_cfg_write nvme 01:00.0 ${written}`)), RUNNING, written);
  });

  it('by Advanced Features, where the function has that capability', () => {
    const flr = 'pci_cfg_write nvme 01:00.0 @0x84 <- 0x1';
    assert.deepEqual(isReset(log(...running('01:00.0', 0x13), flr)), RESET);
    assert.deepEqual(isReset(log(...running('01:00.0', 0x10), flr)), RUNNING);
  });

  it('not when its capabilities say that it cannot be', () => {
    const able = (word: string): string => `pci_cfg_read nvme 01:00.0 @0x84 -> ${word}`;
    const flr = 'pci_cfg_write nvme 01:00.0 @0x88 <- 0x8000';
    assert.deepEqual(isReset(log(...running(), able('0x10008001'), flr)), RESET);
    assert.deepEqual(isReset(log(...running(), able('0x1008001'), flr)), RUNNING);
  });

  it('its MSI is off too and has no message', () => {
    const trace = log(
      'pci_cfg_read e1000e 00:05.0 @0x34 -> 0xd0',
      'pci_cfg_read e1000e 00:05.0 @0xd0 -> 0x80e005',
      'pci_cfg_read e1000e 00:05.0 @0xe0 -> 0x20010',
      'pci_cfg_write e1000e 00:05.0 @0xd4 <- 0xfee00000',
      'pci_cfg_write e1000e 00:05.0 @0xdc <- 0x4021',
      'pci_cfg_write e1000e 00:05.0 @0xd2 <- 0x81',
      'pci_cfg_write e1000e 00:05.0 @0xe8 <- 0x8000',
    );
    const cap = 'device/0000:00:05.0/msi';
    assert.equal(atLine(trace, 6, `${cap}/enable`), true);
    assert.equal(atEnd(trace, `${cap}/enable`), false);
    assert.equal(word(atEnd(trace, `${cap}/data`)), null);
  });

  it('an emulated nvme tells it itself: with one of them it is that one', () => {
    const reset = 'pci_nvme_pci_reset PCI Function Level Reset';
    assert.deepEqual(isReset(log(...running(), reset)), RESET);
    const two = log(...running(), 'pci_update_mappings_add nvme 02:00.0 0,0x20000000+0x4000', reset);
    assert.deepEqual(isReset(two), RUNNING, 'one of two cannot be told');
  });

  describe('by the bridge above it', () => {
    const port = (bdf: string, buses: string): string[] => [
      `pci_cfg_read pcie-root-port ${bdf} @0xe -> 0x81`,
      `pci_cfg_write pcie-root-port ${bdf} @0x18 <- ${buses}`,
    ];
    const reset = (bdf: string, at = '@0x3e <- 0x40'): string => `pci_cfg_write pcie-root-port ${bdf} ${at}`;

    it('whatever the width of the write, and only by bit 6 of Bridge Control', () => {
      const lines = [...port('00:04.0', '0x10100'), ...running()];
      for (const at of ['@0x3e <- 0x40', '@0x3e <- 0x42', '@0x3c <- 0x400000', '@0x3c <- 0x4201ff'])
        assert.deepEqual(isReset(log(...lines, reset('00:04.0', at))), RESET, at);
      for (const at of ['@0x3e <- 0xbf', '@0x3f <- 0x40', '@0x3c <- 0x40', '@0x3a <- 0x40', '@0x3d <- 0x40'])
        assert.deepEqual(isReset(log(...lines, reset('00:04.0', at))), RUNNING, at);
    });

    it('the bus numbers one by one, as firmware writes them, and of the buses behind the next bridge', () => {
      const bytes = ['@0x18 <- 0x0', '@0x19 <- 0x1', '@0x1a <- 0x1'].map((at) => reset('00:04.0', at));
      assert.deepEqual(isReset(log(port('00:04.0', '')[0]!, ...bytes, ...running(), reset('00:04.0'))), RESET);
      const beyond = running('04:00.0').map((line) => line.replace('0x1000', '0x2000'));
      const deep = log(...port('00:04.0', '0x030100'), ...running('03:00.0'), ...beyond, reset('00:04.0'));
      assert.deepEqual(isReset(deep, 'device/0000:03:00.0'), RESET);
      assert.deepEqual(isReset(deep, 'device/0000:04:00.0'), RUNNING);
    });

    it('read as well as written, and what was read last counts', () => {
      const read = 'pci_cfg_read pcie-root-port 00:04.0 @0x18 -> 0x20200';
      assert.deepEqual(isReset(log(...port('00:04.0', '0x10100'), read, ...running(), reset('00:04.0'))), RUNNING);
      assert.deepEqual(
        isReset(log(port('00:04.0', '')[0]!, read.replace('0x20200', '0x10100'), ...running(), reset('00:04.0'))),
        RESET,
      );
    });

    it('not another bus, and not where nothing shows a bridge or its buses', () => {
      const other = log(...port('00:04.0', '0x20200'), ...running(), reset('00:04.0'));
      assert.deepEqual(isReset(other), RUNNING);
      const unknown = log(port('00:04.0', '')[0]!, ...running(), reset('00:04.0'));
      assert.deepEqual(isReset(unknown), RUNNING);
      const endpoint = log(
        'pci_cfg_read edu 00:04.0 @0xe -> 0x0',
        'pci_cfg_write edu 00:04.0 @0x18 <- 0x10100',
        ...running(),
        'pci_cfg_write edu 00:04.0 @0x3e <- 0x40',
      );
      assert.deepEqual(isReset(endpoint), RUNNING);
      assert.deepEqual(isReset(log(port('00:04.0', '0x10100')[1]!, ...running(), reset('00:04.0'))), RUNNING);
    });

    it('once while the bit stays set, and again when it is set again; the record of the model tells the same reset', () => {
      const lines = [...port('00:04.0', '0x10100'), ...running()];
      const model = 'pci_nvme_pci_reset PCI Function Level Reset';
      const count = (...more: readonly string[]): number =>
        sample(`${[...lines, ...more].join('\n')}\n`).events.filter((e) => e.startsWith('dev.reset')).length;
      assert.equal(count(reset('00:04.0'), model, reset('00:04.0')), 1);
      assert.equal(count(reset('00:04.0'), reset('00:04.0', '@0x3e <- 0x0'), reset('00:04.0')), 2);
    });

    it('assigned devices too', () => {
      const lines = running().map((l) => l.replaceAll('nvme', 'vfio-pci'));
      assert.deepEqual(isReset(log(...port('00:04.0', '0x10100'), ...lines, reset('00:04.0'))), RESET);
    });

    it('a bridge behind it forgets its buses', () => {
      const lines = [...port('00:04.0', '0x020100'), ...port('01:00.0', '0x020201'), ...running('02:00.0')];
      const trace = log(...lines, reset('00:04.0'), ...running('02:00.0'), reset('01:00.0'));
      assert.deepEqual(isReset(trace, 'device/0000:02:00.0'), RUNNING);
    });
  });

  it('windows and bus numbers of a bridge are no BARs', () => {
    // Without mapping events BARs come from config accesses: a window at 0x20 would cover the table of a neighbour.
    const trace = log(
      'pci_cfg_read pcie-root-port 00:04.0 @0xe -> 0x1',
      'pci_cfg_write pcie-root-port 00:04.0 @0x20 <- 0xfe9ffe80',
      'pci_cfg_write nvme 01:00.0 @0x10 <- 0xffffffff',
      'pci_cfg_read nvme 01:00.0 @0x10 -> 0xffffc000',
      'pci_cfg_write nvme 01:00.0 @0x10 <- 0xfe9fc000',
      "memory_region_ops_write cpu 0 mr 0x1 addr 0xfe9ffe88 value 0x24 size 4 name 'msix-table'",
    );
    assert.ok(!exists(trace, 'device/0000:00:04.0/msix'));
    assert.ok(exists(trace, 'device/0000:01:00.0/msix'));
  });

  it('of an assigned device the kernel puts everything back after the reset that the guest asks for', () => {
    const lines = running().map((l) => l.replaceAll('nvme', 'vfio-pci'));
    assert.deepEqual(isReset(log(...lines, 'pci_cfg_write vfio-pci 01:00.0 @0x88 <- 0x8000')), RUNNING);
  });
});

describe('resets of assigned devices by QEMU', () => {
  const HOST = 'vfio/0000:81:00.1';
  const before = [
    'vfio_msix_enable  (0000:81:00.1)',
    'vfio_msix_vector_do_use  (0000:81:00.1) vector 0 used',
    'vfio_msix_vector_do_use  (0000:81:00.0) vector 3 used',
    'vfio_intx_enable  (0000:81:00.0)',
  ];
  const state = (trace: Trace): unknown[] => [atEnd(trace, `${HOST}/2/0/used`), atEnd(trace, `${HOST}/msix`)];

  it('vfio-hot-reset.log', () => {
    const { trace, info } = load('vfio-hot-reset.log');
    assert.equal(info.understood, 5);
    assert.equal(atLine(trace, 3, `${HOST}/2/0/used`), true);
    assert.deepEqual(state(trace), [false, false]);
  });

  it('each way to reset it', () => {
    for (const line of [
      'vfio_pci_reset  (0000:81:00.1)',
      'vfio_pci_reset (0000:81:00.1)',
      'vfio_pci_reset_flr 0000:81:00.1 FLR/VFIO_DEVICE_RESET',
      'vfio_pci_reset_pm 0000:81:00.1 PCI PM Reset',
      'vfio_pci_hot_reset  (0000:81:00.1) one',
      'vfio_pci_hot_reset_result 0000:81:00.1 hot reset: Success',
    ])
      assert.deepEqual(state(log(...before, line)), [false, false], line);
    const failed = 'vfio_pci_hot_reset_result 0000:81:00.1 hot reset: Operation not permitted';
    assert.deepEqual(state(log(...before, failed)), [true, true]);
  });

  it('of a whole bus: the others that are listed are reset with it', () => {
    for (const list of [
      'vfio_pci_hot_reset_dep_devices \t0000:81:00.0 group 12',
      'vfio_pci_hot_reset_dep_devices_iommufd  0000:81:00.0 devid 2',
      'iommufd_cdev_pci_hot_reset_dep_devices 0000:81:00.0 devid 2',
    ]) {
      const result = 'vfio_pci_hot_reset_result 0000:81:00.1 hot reset: Success';
      const trace = log(...before, 'vfio_pci_hot_reset  (0000:81:00.1) multi', list, result);
      assert.equal(atEnd(trace, 'vfio/0000:81:00.0/2/3/used'), false, list);
      assert.equal(atEnd(trace, 'vfio/0000:81:00.0/intx'), false, list);
    }
    const alone = log(...before, 'vfio_pci_hot_reset  (0000:81:00.1) one');
    assert.equal(atEnd(alone, 'vfio/0000:81:00.0/2/3/used'), true);
  });

  it('the function that the guest sees is reset with it, and what is set up behind it holds', () => {
    const trace = log(
      'pci_cfg_write vfio-pci 00:01.0 @0x4 <- 0x406',
      'vfio_pci_write_config  (0000:81:00.1, @0x4, 0x406, len=0x2)',
      ...before,
      'vfio_pci_reset  (0000:81:00.1)',
      'vfio_intx_enable  (0000:81:00.1)',
    );
    assert.equal(atLine(trace, 2, 'device/0000:00:01.0/command.busMaster'), true);
    assert.equal(atEnd(trace, 'device/0000:00:01.0/command.busMaster'), false);
    assert.equal(atEnd(trace, `${HOST}/intx`), true);
  });
});

describe('one blank where the format has two', () => {
  it('vfio-one-blank.log', () => {
    const { trace, info } = load('vfio-one-blank.log');
    assert.equal(info.records, 2);
    assert.equal(info.understood, 2);
    assert.equal(atEnd(trace, 'vfio/0000:81:00.1/2/0/used'), true);
  });
});

describe('config space that only VFIO shows', () => {
  const HOST = 'vfio/0000:81:00.1';
  const W = (at: string, value: string, size: number): string =>
    `vfio_pci_write_config  (0000:81:00.1, @${at}, ${value}, len=0x${size})`;
  const R = (at: string, size: number, value: string): string =>
    `vfio_pci_read_config  (0000:81:00.1, @${at}, len=0x${size}) ${value}`;

  it('vfio-config-only.log', () => {
    const { trace, info } = load('vfio-config-only.log');
    assert.equal(info.understood, info.records);
    const command = atEnd(trace, `${HOST}/command`) as Record<string, unknown>;
    assert.equal(command['value'], '0x546');
    assert.deepEqual([command['memory'], command['busMaster'], command['intxDisable']], [true, true, true]);
    assert.deepEqual(
      ['enable', 'fmask'].map((k) => atLine(trace, 5, `${HOST}/msixcap/${k}`)),
      [true, true],
    );
    assert.deepEqual(
      ['enable', 'fmask'].map((k) => atEnd(trace, `${HOST}/msixcap/${k}`)),
      [true, false],
    );
  });

  it('MSI: control, address and data, of both layouts', () => {
    const wide = log(
      'vfio_msi_setup 0000:81:00.1 PCI MSI CAP @0x50',
      R('0x52', 2, '0x80'),
      W('0x54', '0xfee01000', 4),
      W('0x58', '0x1', 4),
      W('0x5c', '0x4023', 2),
      W('0x52', '0x81', 2),
    );
    assert.equal(atEnd(wide, `${HOST}/msicap/enable`), true);
    assert.equal(word(atEnd(wide, `${HOST}/msicap/address`)), '0x1fee01000');
    assert.equal(word(atEnd(wide, `${HOST}/msicap/data`)), '0x4023');
    const narrow = log(
      'vfio_msi_setup 0000:81:00.1 PCI MSI CAP @0x50',
      R('0x50', 4, '0x0005'),
      W('0x54', '0xfee02000', 4),
      W('0x58', '0x4031', 2),
    );
    assert.equal(word(atEnd(narrow, `${HOST}/msicap/address`)), '0xfee02000');
    assert.equal(word(atEnd(narrow, `${HOST}/msicap/data`)), '0x4031');
  });

  it('capabilities that reads of the list show, and what was read before the list was known', () => {
    const trace = log(
      R('0xb2', 2, '0x4'),
      R('0xb4', 4, '0x4'),
      R('0x34', 1, '0xb0'),
      R('0xb0', 2, '0x11'),
      W('0xb2', '0x8004', 2),
    );
    assert.equal(atEnd(trace, `${HOST}/msixcap/size`), 5);
    assert.equal(atEnd(trace, `${HOST}/msixcap/tableBar`), 4);
    assert.equal(atEnd(trace, `${HOST}/msixcap/enable`), true);
  });

  it('goes to the function of the guest as soon as an access of the guest shows it, and stays there', () => {
    const lines = [
      'vfio_msix_early_setup 0000:81:00.1 PCI MSI-X CAP @0xb0, BAR 4, offset 0x0, entries 5',
      R('0x4', 2, '0x142'),
      W('0xb2', '0xc004', 2),
    ];
    const links = [
      ['pci_cfg_write vfio-pci 02:00.0 @0x4 <- 0x546', W('0x4', '0x546', 2)],
      [R('0x4', 2, '0x142'), 'pci_cfg_read vfio-pci 02:00.0 @0x4 -> 0x142'],
    ];
    for (const link of links) {
      const trace = log(...lines, ...link, W('0xb2', '0x8004', 2));
      const guest = 'device/0000:02:00.0';
      assert.equal(atLine(trace, 3, `${HOST}/msixcap/fmask`), true);
      assert.equal(atLine(trace, 5, `${guest}/msixcap/fmask`), true, 'what was known goes with it');
      assert.equal(atEnd(trace, `${guest}/msixcap/fmask`), false);
      assert.equal(atEnd(trace, `${guest}/command.memory`), true);
      assert.equal(word(atEnd(trace, `${HOST}/command`)), null);
      assert.ok(!exists(trace, `${HOST}/msixcap`));
    }
    const other = log(...lines, 'pci_cfg_write nvme 02:00.0 @0x4 <- 0x546', W('0x4', '0x546', 2));
    assert.equal(atEnd(other, 'device/0000:02:00.0/vfio') ?? null, null, 'no other model is an assigned device');
  });

  it('a write that the guest did not make is one of its own', () => {
    const trace = log(
      'pci_cfg_write vfio-pci 02:00.0 @0x4 <- 0x546',
      W('0x4', '0x546', 2),
      W('0x4', '0x140', 2),
      'pci_cfg_write vfio-pci 02:00.0 @0x4 <- 0x546',
      W('0x4', '0x546', 2),
    );
    const writes = [...Array(trace.length).keys()].filter((step) => trace.table.kind(step).name === 'cfg.write');
    assert.equal(writes.length, 3);
    assert.equal(atLine(trace, 3, 'device/0000:02:00.0/command.busMaster'), false);
    assert.equal(atEnd(trace, 'device/0000:02:00.0/command.busMaster'), true);
  });

  it('a reset ends it', () => {
    const trace = log(R('0x4', 2, '0x546'), 'vfio_pci_reset_flr 0000:81:00.1 FLR/VFIO_DEVICE_RESET');
    assert.equal(word(atEnd(trace, `${HOST}/command`)), '0x0');
  });

  it('one blank or two in front of the bracket', () => {
    const trace = log(R('0x4', 2, '0x142').replace('  ', ' '), W('0x4', '0x546', 2).replace('  ', ' '));
    assert.equal(word(atEnd(trace, `${HOST}/command`)), '0x546');
  });
});

describe('device models report a cause', () => {
  it('xhci-msix.log', () => {
    const { trace, info } = load('xhci-msix.log');
    assert.equal(info.understood, 5);
    const dev = 'device/nec-usb-xhci';
    assert.equal(atEnd(trace, `${dev}/msix/3/raises`), 1);
    assert.equal(atLine(trace, 2, `${dev}/msix/3/raises`), 0);
    assert.equal(atLine(trace, 2, `${dev}/msix/3/effectivelyMasked`), false);
    assert.equal(atEnd(trace, `${dev}/msi/raises`), 1);
    assert.equal(atEnd(trace, `${dev}/raises`), 1);
  });

  it('nvme-msix-annotated.log: the records of models in it', () => {
    const trace = log('pci_nvme_irq_msix raising MSI-X IRQ vector 0', 'pci_nvme_irq_msix raising MSI-X IRQ vector 6');
    assert.equal(atEnd(trace, 'device/nvme/msix/6/raises'), 1);
  });

  it('each of them, for the one function of its kind that the log shows', () => {
    for (const [model, record, path] of [
      ['qemu-xhci', 'usb_xhci_irq_msix nr 7', 'msix/7/raises'],
      ['qemu-xhci', 'usb_xhci_irq_msi nr 1', 'msi/raises'],
      ['usb-ehci', 'usb_ehci_irq level 1, frindex 0x0010, sts 0x1, mask 0x37', 'raises'],
      ['megasas-gen2', 'megasas_msix_raise vector 2', 'msix/2/raises'],
      ['megasas', 'megasas_msi_raise vector 0', 'msi/raises'],
      ['megasas', 'megasas_irq_raise INTx', 'raises'],
      ['mptsas1068', 'mptsas_irq_msi dev 0x55d0 ', 'msi/raises'],
      ['mptsas1068', 'mptsas_irq_intx dev 0x55d0 level 1', 'raises'],
      ['pvscsi', 'pvscsi_update_irq_msi sending MSI notification', 'msi/raises'],
      ['pvscsi', 'pvscsi_update_irq_level interrupt level set to 1 (MASK: 0x1, STATUS: 0x1)', 'raises'],
      ['lsi53c895a', 'lsi_update_irq Update IRQ level 1 dstat 0x04 sist 0x0000', 'raises'],
      ['am53c974', 'esp_raise_irq Raise IRQ', 'raises'],
      ['ich9-ahci', 'ahci_irq_raise ahci(0x55d0): raise irq', 'raises'],
      ['ufs', 'ufs_irq_raise INTx', 'raises'],
      ['tulip', 'tulip_irq mask 0x00010001 ie 0x00010041 assert', 'raises'],
      ['igb', 'e1000e_irq_msix_notify_vec MSI-X notify vector 0x3', 'msix/3/raises'],
      ['e1000e', 'e1000e_irq_legacy_notify IRQ line state: 1', 'raises'],
    ] as const) {
      const { trace, info } = sample(`pci_update_mappings_add ${model} 00:05.0 0,0xfe000000+0x4000\n${record}\n`);
      assert.equal(info.understood, 2, record);
      assert.equal(atEnd(trace, `device/0000:00:05.0/${path}`), 1, record);
    }
  });

  it('a pin that goes low is no cause, and two of a kind leave it open whose it is', () => {
    const quiet = log('pci_update_mappings_add tulip 00:05.0 1,0xfe000000+0x80', 'tulip_irq mask 0x0 ie 0x0 deassert');
    assert.equal(atEnd(quiet, 'device/0000:00:05.0/raises') ?? 0, 0);
    const low = log('pci_update_mappings_add ufs 00:05.0 0,0xfe000000+0x4000', 'ufs_irq_lower INTx');
    assert.equal(atEnd(low, 'device/0000:00:05.0/raises'), 0);
    const two = log(
      'pci_update_mappings_add qemu-xhci 00:05.0 0,0xfe000000+0x4000',
      'pci_update_mappings_add qemu-xhci 00:06.0 0,0xfd000000+0x4000',
      'usb_xhci_irq_msix nr 0',
    );
    assert.ok(!exists(two, 'device/0000:00:05.0/msix') && !exists(two, 'device/0000:00:06.0/msix'));
    assert.equal(atEnd(two, 'device/qemu-xhci/msix/0/raises'), 1);
  });

  it('AHCI by MSI where that is on', () => {
    const trace = log(
      'pci_cfg_read ich9-ahci 00:1f.2 @0x34 -> 0x80',
      'pci_cfg_read ich9-ahci 00:1f.2 @0x80 -> 0x80a805',
      'pci_cfg_write ich9-ahci 00:1f.2 @0x82 <- 0x81',
      'ahci_irq_raise ahci(0x55d0): raise irq',
      'ahci_irq_lower ahci(0x55d0): lower irq',
    );
    assert.equal(atEnd(trace, 'device/0000:00:1f.2/msi/raises'), 1);
    assert.equal(atEnd(trace, 'device/0000:00:1f.2/raises'), 0);
  });

  it('a vector that the model stops to use is masked, unless accesses of the table tell its mask bit', () => {
    const masked = (...lines: string[]): unknown =>
      atEnd(log(...lines), 'device/0000:00:05.0/msix/1/control.mask') ?? null;
    const map = 'pci_update_mappings_add qemu-xhci 00:05.0 0,0xfe000000+0x4000';
    assert.equal(masked(map, 'usb_xhci_irq_msix_use nr 1'), false);
    assert.equal(masked(map, 'usb_xhci_irq_msix_use nr 1', 'usb_xhci_irq_msix_unuse nr 1'), true);
    const write = "memory_region_ops_write cpu 0 mr 0x1 addr 0xfe00001c value 0x0 size 4 name 'msix-table'";
    assert.equal(masked(map, write, 'usb_xhci_irq_msix_unuse nr 1'), false);
  });

  it('e1000e takes a pending cause back', () => {
    const trace = log(
      'pci_update_mappings_add e1000e 00:05.0 3,0xfe000000+0x4000',
      "memory_region_ops_read cpu 0 mr 0x1 addr 0xfe00001c value 0x1 size 4 name 'msix-table'",
      'msix_write_config dev e1000e enabled 1 masked 0',
      'e1000e_irq_msix_notify_vec MSI-X notify vector 0x1',
      'e1000e_irq_msix_pending_clearing Clearing MSI-X pending bit for cause 0x100000, IVAR config 0x9, vector 1',
    );
    assert.equal(atLine(trace, 4, 'device/0000:00:05.0/msix/1/pending'), true);
    assert.equal(atEnd(trace, 'device/0000:00:05.0/msix/1/pending'), false);
  });
});

describe('-d int tells which interrupts are taken', () => {
  const deliver = (dest: number, vector: number): string =>
    `apic_deliver_irq dest ${dest} dest_mode 0 delivery_mode 0 vector ${vector} trigger_mode 0`;

  it('qemu-d-int.log', () => {
    const { trace, info } = load('qemu-d-int.log');
    assert.ok(info.understood >= 2);
    assert.deepEqual(info.skipped, {});
    assert.equal(atEnd(trace, 'vcpu/0/vector/49/taken'), 1);
    assert.equal(atLine(trace, 1, 'vcpu/0/vector/49/taken'), 0);
  });

  it('x86 of versions that only print the entry of the handler', () => {
    const line = (v: string, i: number): string =>
      `    12: v=${v} e=0000 i=${i} cpl=0 IP=0010:ffffffff81e3c1d6 pc=ffffffff81e3c1d6 SP=0018:ffffffff82a03e80 env->regs[R_EAX]=0`;
    const trace = log(deliver(1, 236), line('ec', 0), line('0e', 0), line('80', 1));
    assert.equal(atEnd(trace, 'vcpu/1/vector/236/taken'), 1);
    assert.ok(!exists(trace, 'vcpu/1/vector/14') && !exists(trace, 'vcpu/1/vector/128'));
  });

  it('each time that one is taken counts once', () => {
    const entry = (v: string): string => `     7: v=${v} e=0000 i=0 cpl=3 IP=0033:00 pc=00 SP=002b:00 EAX=0`;
    const trace = log(
      deliver(0, 49),
      'Servicing hardware INT=0x31',
      entry('31'),
      deliver(0, 49),
      'Servicing hardware INT=0x31',
      entry('31'),
      'Servicing hardware INT=0xffffffff',
    );
    assert.equal(atEnd(trace, 'vcpu/0/vector/49/taken'), 2);
    assert.equal(atEnd(trace, 'vcpu/0/injections'), 2);
  });

  it('with several CPUs that the vector may be of it belongs to none of them', () => {
    const trace = log(deliver(0, 49), deliver(1, 49), 'Servicing hardware INT=0x31', 'Servicing hardware INT=0x08');
    assert.equal(atEnd(trace, 'vcpu/0/vector/49/taken'), 0);
    assert.equal(atEnd(trace, 'apic/vector/49/taken'), 1);
    assert.equal(atEnd(trace, 'apic/vector/8/taken'), 1);
  });

  it('Arm with and without the CPU, and only interrupts', () => {
    const trace = log(
      'gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x1e',
      'Taking exception 5 [IRQ] on CPU 1',
      '...from EL0 to EL1',
      'Taking exception 2 [SVC] on CPU 1',
      'Taking exception 5 [IRQ]',
    );
    assert.equal(atEnd(trace, 'vcpu/1/vector/5/taken'), 2);
    assert.ok(!exists(trace, 'vcpu/1/vector/2'));
  });

  it('RISC-V, as a line and as a trace event', () => {
    const trace = log(
      'riscv_cpu_do_interrupt: hart:1, async:1, cause:0000000000000009, epc:0x80000f2c, tval:0x0, desc=s_external',
      'riscv_trap hart:1, async:1, cause:9, epc:0x80000f2c, tval:0x0, desc=s_external',
      'riscv_cpu_do_interrupt: hart:0, async:0, cause:0000000000000008, epc:0x80000f2c, tval:0x0, desc=user_ecall',
    );
    assert.equal(atEnd(trace, 'vcpu/1/vector/9/taken'), 2);
    assert.ok(!exists(trace, 'vcpu/0'));
  });
});

describe('AMD remapping: request, entry and result of one thread belong together', () => {
  const request = (data: number, devid: number): string =>
    `amdvi_ir_remap_msi_req addr 0xfee00000 data 0x${data.toString(16)} devid 0x${devid.toString(16)}`;
  const entry = (vector: number): string => `amdvi_ir_irte_ga_val hi 0x${vector.toString(16)} lo 0x1`;
  const result = (data: number, to: number): string =>
    `amdvi_ir_remap_msi (addr 0xfee00000, data 0x${data.toString(16)}) -> (addr 0xfee00000, data 0x${to.toString(16)})`;

  it('amd-remaps.log', () => {
    const { trace } = load('amd-remaps.log');
    const path = 'irte/amdvi-0xa0/2';
    assert.deepEqual(
      ['remaps', 'reads', 'vector'].map((k) => atEnd(trace, `${path}/${k}`)),
      [3, 3, 48],
    );
    assert.equal(atLine(trace, 6, `${path}/remaps`), 1);
  });

  it('two threads whose records are mixed', () => {
    const trace = log(
      `7@1.000001:${request(2, 0xa0)}`,
      `8@1.000002:${request(5, 0x18)}`,
      `8@1.000003:${entry(0x41)}`,
      `7@1.000004:${entry(0x30)}`,
      `8@1.000005:${result(5, 0x41)}`,
      `7@1.000006:${result(2, 0x30)}`,
    );
    assert.equal(atEnd(trace, 'irte/amdvi-0xa0/2/vector'), 0x30);
    assert.equal(atEnd(trace, 'irte/amdvi-0x18/5/vector'), 0x41);
    assert.equal(atEnd(trace, 'irte/amdvi-0xa0/2/remaps'), 1);
    assert.equal(atEnd(trace, 'irte/amdvi-0x18/5/remaps'), 1);
  });

  it('a message that is passed on as it came used no entry; one that was refused has no result', () => {
    const passed = log(request(2, 0xa0), result(2, 2));
    assert.equal(atEnd(passed, 'irte/amdvi-0xa0/2/remaps') ?? 0, 0);
    const refused = log(request(2, 0xa0), 'amdvi_ir_err device is not allowed', result(9, 0x30));
    assert.equal(atEnd(refused, 'irte/amdvi-0xa0/2/remaps') ?? 0, 0);
    assert.ok(!exists(log('amdvi_ir_err no request before'), 'irte/amdvi-0x0'), 'no unit is made up');
  });

  it('a requester that the emulator does not know is not told', () => {
    for (const line of [request(2, 0xffff), 'vtd_warn_ir_vector sid 0xffff index 3 vec 1 (should be: 2)'])
      assert.ok(!sample(`${line}\n`).events.join('\n').includes('sid='), line);
    assert.match(sample(`${request(2, 0xa0)}\n`).events.join('\n'), /sid=0xa0/);
  });
});

describe('the interrupt controllers of an emulated x86 machine', () => {
  const onVcpu1 = "memory_region_ops_write cpu 1 mr 0x1 addr 0x3f8 value 0x41 size 1 name 'serial'";

  it('writes and reads of the redirection table', () => {
    const write = (select: number, value: string): string =>
      `ioapic_mem_write ioapic mem write addr 0x10 regsel: 0x${select.toString(16)} size 0x4 val ${value}`;
    const trace = log(
      write(0x12, '0x10031'),
      write(0x13, '0x1000000'),
      write(0x12, '0xa031'),
      'ioapic_mem_read ioapic mem read addr 0x10 regsel: 0x12 size 0x4 retval 0xe031',
      'ioapic_mem_write ioapic mem write addr 0x0 regsel: 0x12 size 0x4 val 0x14',
      'ioapic_eoi_broadcast EOI broadcast for vector 49',
    );
    const entry = (line: number, field: string): unknown => atLine(trace, line, `ioapic/0/pin/1/entry.${field}`);
    assert.deepEqual(
      [entry(1, 'mask'), entry(3, 'mask'), entry(3, 'vector'), entry(3, 'dest')],
      [true, false, 0x31, 1],
    );
    assert.deepEqual([entry(3, 'remoteIrr'), entry(4, 'remoteIrr'), entry(6, 'remoteIrr')], [null, true, false]);
    assert.ok(!exists(trace, 'ioapic/0/pin/2'), 'a write of IOREGSEL is none of the table');
  });

  it('Remote IRR as the emulator tells it, and an end of interrupt of another vector', () => {
    const trace = log(
      'ioapic_set_remote_irr set remote irr for pin 9',
      'ioapic_eoi_broadcast EOI broadcast for vector 49',
      'ioapic_clear_remote_irr clear remote irr for pin 9 vector 33',
    );
    const irr = (line: number): unknown => atLine(trace, line, 'ioapic/0/pin/9/entry.remoteIrr');
    assert.deepEqual([irr(1), irr(2), irr(3)], [true, true, false]);
  });

  it('the local vector table, in both ways that versions print it', () => {
    for (const line of ['apic_register_write register 0x32 = 0x200ec', 'apic_mem_writel 0x320 = 0x000200ec']) {
      const trace = log(onVcpu1, line);
      const timer = atEnd(trace, 'vcpu/1/lvtTimer') as { fields: Record<string, unknown> };
      assert.equal(timer.fields['vector'], 0xec, line);
      assert.equal(timer.fields['mask'], false);
      assert.equal(timer.fields['timerMode'], 1);
      assert.equal(timer.fields['status'], null, 'of the hardware');
    }
    assert.ok(!exists(log('apic_register_write register 0x32 = 0x200ec'), 'vcpu'), 'of which CPU is not told');
  });

  it('an interrupt that a CPU sends to others', () => {
    const ipi = (...lines: string[]): string => sample(`${[onVcpu1, ...lines].join('\n')}\n`).events.at(-1)!;
    assert.equal(
      ipi('apic_mem_writel 0x310 = 0x02000000', 'apic_mem_writel 0x300 = 0x000008fd'),
      'apic.ipi vcpu/1 dest=0x2 vector=253 mode=Fixed',
    );
    assert.equal(
      ipi('apic_register_write register 0x30 = 0x1000004500'),
      'apic.ipi vcpu/1 dest=0x10 vector=0 mode=INIT',
      'x2APIC: the destination is the upper half',
    );
    assert.equal(
      ipi('apic_register_write register 0x30 = 0xc08fb'),
      'apic.ipi vcpu/1 vector=251 mode=Fixed',
      'all others',
    );
  });
});

describe('GICv3: what is active and pending', () => {
  const iar = (intid: string): string => `gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value ${intid}`;
  const eoi = (intid: string): string => `gicv3_icc_eoir_write GICv3 ICC_EOIR1 write cpu 0x1 value ${intid}`;
  const dir = (intid: string): string => `gicv3_icc_dir_write GICv3 ICC_DIR write cpu 0x1 value ${intid}`;
  const ctlr = (value: string): string => `gicv3_icc_ctlr_write GICv3 ICC_CTLR write cpu 0x1 value ${value}`;
  const active = (n: number, ...lines: string[]): unknown => atEnd(log(...lines), `vcpu/1/intid/${n}/inService`);

  it('gicv3-spi-move.log', () => {
    const { trace, info } = load('gicv3-spi-move.log');
    assert.equal(info.records, 21);
    assert.ok(info.understood >= 19);
    assert.equal(atEnd(trace, 'gic/0/spi/33/route.aff0'), 1);
    assert.equal(atLine(trace, 3, 'gic/0/spi/33/level'), true);
    assert.equal(atEnd(trace, 'gic/0/spi/33/level'), false);
    assert.equal(atEnd(trace, 'gic/0/redist/1/ppi/30/level'), false);
    assert.equal(atLine(trace, 6, 'vcpu/1/intid/33/requested'), true);
    assert.equal(atLine(trace, 17, 'vcpu/1/intid/33/inService'), true);
    assert.equal(atLine(trace, 18, 'vcpu/1/intid/33/inService'), true, 'a write of ICC_DIR before showed EOImode 1');
    assert.equal(atEnd(trace, 'vcpu/1/intid/33/inService'), false);
    assert.equal(atEnd(trace, 'vcpu/1/intid/33/eois'), 1);
  });

  it('EOIR ends an LPI whatever EOImode is', () => {
    for (const mode of ['0x0', '0x2']) assert.equal(active(8197, ctlr(mode), iar('0x2005'), eoi('0x2005')), false);
    assert.equal(active(8197, iar('0x2005'), eoi('0x2005')), false);
    // The first LPI is 8192 (IHI 0069 2.2.1); the INTID before it is none.
    assert.equal(active(8192, ctlr('0x402'), iar('0x2000'), eoi('0x2000')), false);
    assert.equal(active(8191, ctlr('0x402'), iar('0x1fff'), eoi('0x1fff')), true);
  });

  it('of other INTIDs EOIR only drops the priority with EOImode 1, and DIR deactivates', () => {
    assert.equal(active(33, ctlr('0x402'), iar('0x21'), eoi('0x21')), true);
    assert.equal(active(33, ctlr('0x402'), iar('0x21'), eoi('0x21'), dir('0x21')), false);
    assert.equal(active(33, ctlr('0x400'), iar('0x21'), eoi('0x21')), false);
    assert.equal(active(33, iar('0x21'), eoi('0x21')), null, 'the mode is not known');
    const other = ctlr('0x402').replace('cpu 0x1', 'cpu 0x0');
    assert.equal(active(33, other, iar('0x21'), eoi('0x21')), null, 'of another CPU');
  });

  it('what was shown as pending is not known to be so when the CPU has nothing to take', () => {
    const shown = (cpu: number, irq: number, prio: number): string =>
      `gicv3_cpuif_update GICv3 CPU i/f 0x${cpu} HPPI update: irq ${irq} group 1 prio ${prio}`;
    const none = shown(1, 1023, 255);
    const pending = (...lines: string[]): unknown => atEnd(log(...lines), 'vcpu/1/intid/27/requested') ?? null;
    assert.equal(pending(shown(1, 27, 160)), true);
    // It went away, or it was disabled: the record does not tell which.
    assert.equal(pending(shown(1, 27, 160), none), null);
    assert.equal(pending(shown(1, 27, 160), shown(1, 33, 128), none), null, 'behind one of a higher priority');
    assert.equal(pending(shown(1, 27, 160), none, shown(1, 27, 160)), true);
    assert.equal(pending(shown(1, 27, 160), iar('0x1b'), none), false, 'it was acknowledged');
    assert.equal(pending(shown(1, 27, 160), shown(0, 1023, 255)), true, 'another CPU');
  });

  it('redistributors: SGIs, and writes of the pending and active registers', () => {
    const write = (offset: string, data: string): string =>
      `gicv3_redist_write GICv3 redistributor 0x1 write: offset ${offset} data ${data} size 4 secure 0`;
    const sgi = log('gicv3_redist_send_sgi GICv3 redistributor 0x1 pending SGI 2');
    assert.equal(atEnd(sgi, 'vcpu/1/intid/2/requested'), true);
    assert.equal(atEnd(sgi, 'vcpu/1/intid/2/accepts'), 1);
    const trace = log(
      write('0x10200', '0x8000'),
      write('0x10280', '0xffffffff'),
      write('0x10300', '0x8'),
      write('0x10380', '0x8'),
    );
    assert.deepEqual(
      [1, 2].map((l) => atLine(trace, l, 'vcpu/1/intid/15/requested')),
      [true, false],
    );
    assert.deepEqual(
      [3, 4].map((l) => atLine(trace, l, 'vcpu/1/intid/3/inService')),
      [true, false],
    );
    assert.ok(!exists(trace, 'vcpu/1/intid/7'), 'what is cleared without having occurred makes no object');
  });
});

describe('calls of QEMU into KVM', () => {
  it('are told by name where they are about interrupts', () => {
    const { events, info } = sample(
      [
        'kvm_vm_ioctl type 0x4020ae76, arg 0x7ffd2c6b4f10',
        'kvm_vm_ioctl type 0x4008ae6a, arg 0x55d0c0',
        'kvm_vm_ioctl type 0x4020aea5, arg 0x7ffd2c6b4f10',
        'kvm_vm_ioctl type 0xc008ae67, arg 0x7ffd2c6b4f10',
        'kvm_vm_ioctl type 0x4020ae46, arg 0x7ffd2c6b4f10',
        'kvm_vm_ioctl type 0xae60, arg (nil)',
      ].join('\n'),
    );
    assert.deepEqual(
      events,
      ['KVM_IRQFD', 'KVM_SET_GSI_ROUTING', 'KVM_SIGNAL_MSI', 'KVM_IRQ_LINE_STATUS', 'KVM_CREATE_IRQCHIP'].map(
        (name) => `ioctl kvm/0 name=${name}`,
      ),
    );
    assert.equal(info.understood, 6);
  });
});

describe('a walk through config space in steps of 4 bytes', () => {
  const read = (offset: number, value: number): string =>
    `pci_cfg_read nvme 00:03.0 @0x${offset.toString(16)} -> 0x${value.toString(16)}`;
  /** MSI-X at 0x60, behind a capability at 0x80: what leads to it is read after it. */
  const words = new Map([
    [0x34, 0x80],
    [0x60, 0x7ff0011],
    [0x64, 0x2000],
    [0x68, 0x3000],
    [0x80, 0x6001],
  ]);
  const walk = (from: number, step: number): string[] => {
    const lines: string[] = [];
    for (let at = from; at < 0x100; at += step) lines.push(read(at, words.get(at) ?? 0));
    return lines;
  };
  const offsets = (...lines: string[]): unknown[] => {
    const trace = log(...lines);
    return ['tableBar', 'tableOffset', 'pbaBar', 'pbaOffset'].map(
      (k) => atEnd(trace, `device/0000:00:03.0/msixcap/${k}`) ?? null,
    );
  };

  it('tells where table and pending bits lie, though the values are small', () => {
    assert.deepEqual(offsets(...walk(0, 4)), [0, 0x2000, 0, 0x3000]);
  });

  it('also where it begins right at the capability', () => {
    assert.deepEqual(offsets(read(0x34, 0x80), ...walk(0x60, 4)), [0, 0x2000, 0, 0x3000]);
  });

  it('and not where single registers are read', () => {
    const single = [read(0x64, 0x2000), read(0x60, 0x7ff0011), read(0x34, 0x80), read(0x80, 0x6001)];
    assert.deepEqual(offsets(...single), [0, null, null, null], 'two bytes of it are known');
    const two = [read(0x64, 0x2000), read(0x68, 0x3000), read(0x60, 0x7ff0011), read(0x34, 0x80), read(0x80, 0x6001)];
    assert.deepEqual(offsets(...two), [0, null, 0, null]);
  });
});

describe('the lower half of a message address', () => {
  it('is shown as an address', () => {
    const trace = log(
      'pci_update_mappings_add nvme 00:03.0 0,0xfe000000+0x4000',
      "memory_region_ops_write cpu 0 mr 0x1 addr 0xfe002000 value 0xfee01298 size 4 name 'msix-table'",
    );
    assert.equal(atEnd(trace, 'device/0000:00:03.0/msix/0/address.lower'), 0xfee01298);
  });
});
