// Config accesses in a QEMU log, what they tell of functions and capabilities, and the forms of older versions.
import assert from 'node:assert/strict';
import { pathValue } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { wholly } from '../samples.ts';

/** A log of these lines, one thread, one microsecond apart. */
const log = (...lines: readonly string[]): Trace =>
  wholly(`${lines.map((l, i) => `7@1.${String(i).padStart(6, '0')}:${l}`).join('\n')}\n`).trace;

const map = (bdf: string, bar: number, address: number, size = 0x4000, name = 'nvme'): string =>
  `pci_update_mappings_add ${name} ${bdf} ${bar},0x${address.toString(16)}+0x${size.toString(16)}`;

const at = (trace: Trace, line: number, path: string): unknown =>
  pathValue(trace.stateAt(trace.lastAtLine(line)), path);
const BAR = 0xfe000000;

describe('`msix_write_config` names only the kind of device', () => {
  it('with two of a kind on two threads it is the one that this thread wrote before', () => {
    const { trace } = wholly(
      [
        '7@1.000001:pci_cfg_write nvme 00:03.0 @0x42 <- 0xc005',
        '8@1.000001:pci_cfg_write nvme 00:04.0 @0x42 <- 0xc005',
        '8@1.000002:msix_write_config dev nvme enabled 1 masked 1',
        '7@1.000003:msix_write_config dev nvme enabled 1 masked 1',
        '7@1.000004:pci_cfg_write nvme 00:03.0 @0x42 <- 0x8005',
        '8@1.000005:pci_cfg_read nvme 00:04.0 @0x42 -> 0xc005',
        '7@1.000006:msix_write_config dev nvme enabled 1 masked 0',
      ].join('\n'),
    );
    const masks = (line: number): unknown[] =>
      ['03', '04'].map((s) => at(trace, line, `device/0000:00:${s}.0/msixcap/fmask`) ?? null);
    assert.deepEqual(
      [masks(2), masks(3), masks(4), masks(7)],
      [
        [null, null],
        [null, true],
        [true, true],
        [false, true],
      ],
    );
  });

  it('without a config write before it is the only one of its kind, or nobody', () => {
    const one = log(map('00:03.0', 0, BAR), 'msix_write_config dev nvme enabled 1 masked 0');
    assert.equal(at(one, 2, 'device/0000:00:03.0/msixcap/enable'), true);
    const two = log(
      map('00:03.0', 0, BAR),
      map('00:04.0', 0, 0xfd000000),
      'msix_write_config dev nvme enabled 1 masked 0',
    );
    assert.equal(at(two, 3, 'device/nvme/msixcap/enable'), true);
    assert.equal(at(two, 3, 'device/0000:00:03.0/msixcap') ?? null, null);
  });
});

describe('a reset that the capability Advanced Features starts (ID 0x13, ECN AF)', () => {
  const reset = (capability: string, written: string): unknown =>
    at(
      log(
        'pci_cfg_read nvme 00:03.0 @0x34 -> 0x40',
        `pci_cfg_read nvme 00:03.0 @0x40 -> ${capability}`,
        'pci_cfg_write nvme 00:03.0 @0x4 <- 0x6',
        `pci_cfg_write nvme 00:03.0 @0x44 <- ${written}`,
      ),
      4,
      'device/0000:00:03.0/command.busMaster',
    );

  it('is a write of bit 0 of AF Control, in a function that has FLR', () => {
    assert.equal(reset('0x3060013', '0x1'), false);
    assert.equal(reset('0x3060013', '0x0'), true, 'the bit is not written');
    assert.equal(reset('0x1060013', '0x1'), true, 'AF Capabilities bit 1: the function has no FLR');
    assert.equal(reset('0x3060012', '0x1'), true, 'another capability');
  });
});

describe('registers of the MSI capability', () => {
  const cap = (control: string, ...accesses: readonly string[]): Trace =>
    log(
      'pci_cfg_read nvme 00:03.0 @0x34 -> 0x50',
      `pci_cfg_read nvme 00:03.0 @0x50 -> ${control}`,
      ...accesses.map((a) => `pci_cfg_${a.includes('<-') ? 'write' : 'read'} nvme 00:03.0 ${a}`),
    );
  const msi = (trace: Trace, key: string): unknown => pathValue(trace.head, `device/0000:00:03.0/msi/${key}`);

  it('lie at 8, 12 and 16 with a 32-bit address, at 12, 16 and 20 with a 64-bit one (PCIe Base 7.7.1)', () => {
    const narrow = cap('0x1000005', '@0x54 -> 0xfee00000', '@0x58 -> 0x41', '@0x5c -> 0x1', '@0x60 -> 0x80000001');
    const wide = cap('0x1800005', '@0x54 -> 0xfee00000', '@0x5c -> 0x41', '@0x60 -> 0x1', '@0x64 -> 0x80000001');
    for (const trace of [narrow, wide]) {
      assert.equal((msi(trace, 'mask') as { value: unknown }).value, '0x1');
      assert.equal((msi(trace, 'pending') as { value: unknown }).value, '0x80000001');
    }
  });
});

describe('logs of older versions', () => {
  it('before 6.2: memory accesses without the name of the region, from the known place of the table', () => {
    const { trace, info } = wholly(
      [
        'pci_cfg_read nvme 00:03.0 @0x34 -> 0x40',
        'pci_cfg_read nvme 00:03.0 @0x40 -> 0x50011',
        'pci_cfg_read nvme 00:03.0 @0x44 -> 0x2000',
        'pci_cfg_read nvme 00:03.0 @0x48 -> 0x3000',
        'pci_update_mappings_add nvme 00:03.0 0,0xfe000000+0x4000',
        'memory_region_ops_write cpu 0 mr 0x55 addr 0xfe002010 value 0xfee00298 size 4',
        'memory_region_ops_write cpu 0 mr 0x55 addr 0xfe001000 value 0x1 size 4',
        'memory_region_ops_read cpu 0 mr 0x56 addr 0xfe003000 value 0x2 size 8',
        'memory_region_ops_write cpu -1 mr 0x57 addr 0xfee01004 value 0x4023 size 4',
        'memory_region_ops_write cpu 1 addr 0xfe002020 value 0xfee002b8 size 4',
      ].join('\n'),
    );
    assert.equal(at(trace, 10, 'device/0000:00:03.0/msix/1/writes'), 1);
    assert.equal(at(trace, 10, 'device/0000:00:03.0/msix/2/writes'), 1, 'without the pointer of the region too');
    assert.equal(at(trace, 10, 'device/0000:00:03.0/msix/1/pending'), true);
    assert.equal(info.withoutEffect['memory_region_ops_write'], 1, 'a doorbell of the device is none of ours');
  });

  it('without mapping events: BARs from config accesses, sized by all ones, 64 bits wide', () => {
    const { trace } = wholly(
      [
        'pci_cfg_read nvme 00:03.0 @0x10 -> 0x4',
        'pci_cfg_write nvme 00:03.0 @0x10 <- 0xffffffff',
        'pci_cfg_read nvme 00:03.0 @0x10 -> 0xffffc004',
        'pci_cfg_write nvme 00:03.0 @0x10 <- 0x0',
        'pci_cfg_write nvme 00:03.0 @0x14 <- 0xffffffff',
        'pci_cfg_read nvme 00:03.0 @0x14 -> 0xffffffff',
        'pci_cfg_write nvme 00:03.0 @0x14 <- 0xc0',
        "memory_region_ops_write cpu 0 mr 0x1 addr 0xc000002010 value 0xfee00298 size 4 name 'msix-table'",
      ].join('\n'),
    );
    assert.equal(at(trace, 8, 'device/0000:00:03.0/msix/1/writes'), 1);
  });
});

describe('config accesses', () => {
  it('their size is that of the memory access beside them', () => {
    const read = (size: number, value: string, got: string): Trace =>
      log(
        `pci_cfg_read nvme 00:03.0 @0x0 -> ${value}`,
        `memory_region_ops_read cpu 0 mr 0x1 addr 0xcfc value ${got} size ${size} name 'pci-conf-data'`,
      );
    assert.equal(pathValue(read(4, '0x10', '0x10').head, 'device/0000:00:03.0/vendor'), '0x10');
    assert.equal(
      pathValue(read(2, '0x10', '0x10').head, 'device/0000:00:03.0/vendor'),
      null,
      'the device id was not read',
    );
  });

  it('writes change only what software may write', () => {
    const trace = log('pci_cfg_read nvme 00:03.0 @0x4 -> 0x100000', 'pci_cfg_write nvme 00:03.0 @0x4 <- 0xffff');
    const command = at(trace, 2, 'device/0000:00:03.0/command') as Record<string, unknown>;
    assert.deepEqual([command['memory'], command['busMaster'], command['intxDisable']], [true, true, true]);
    assert.equal((Number(command['value']) & 0xf800).toString(16), '0', 'reserved bits stay');
  });

  it('of nobody are no device', () => {
    const { events } = wholly(
      '7@1.000000:pci_cfg_read empty 00:1f.7 @0x0 -> 0xffffffff\n7@1.000001:vtd_ir_enable enable 1\n',
    );
    assert.deepEqual(
      events.filter((e) => e.includes('device')),
      [],
    );
  });

  it('an assigned device has two BDFs, and either leads to the other', () => {
    const trace = log(
      'pci_cfg_write vfio-pci 00:01.0 @0x42 <- 0xc005',
      'vfio_pci_write_config  (0000:00:03.0, @0x42, 0xc005, len=0x2)',
      'vfio_msix_vector_do_use  (0000:00:03.0) vector 0 used',
      'kvm_irqchip_add_msi_route dev vfio-pci vector 0 virq 2',
    );
    assert.equal(at(trace, 2, 'device/0000:00:01.0/vfio'), '0000:00:03.0');
    assert.equal(at(trace, 2, 'vfio/0000:00:03.0/guest'), '0000:00:01.0');
    assert.equal(at(trace, 4, 'kvm/0/route/2/device'), '0000:00:01.0', 'the route is for what the guest sees');
  });
});
