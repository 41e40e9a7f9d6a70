// Pieces of QEMU logs as people have them (test/fixtures/cases), and variants of the same kinds: config space and MSI-X tables. What
// is right is told there by hand, from the specification or from QEMU's source.
import assert from 'node:assert/strict';
import type { Trace } from '../../../src/trace/trace.ts';
import { atEnd, atLine, exists, load, log, word } from './case.ts';

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

describe('one blank where the format has two', () => {
  it('vfio-one-blank.log', () => {
    const { trace, info } = load('vfio-one-blank.log');
    assert.equal(info.records, 2);
    assert.equal(info.understood, 2);
    assert.equal(atEnd(trace, 'vfio/0000:81:00.1/2/0/used'), true);
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
