// Pieces of QEMU logs as people have them (test/fixtures/cases), and variants of the same kinds: resets. What
// is right is told there by hand, from the specification or from QEMU's source.
import assert from 'node:assert/strict';
import type { Trace } from '../../../src/trace/trace.ts';
import { sample } from '../samples.ts';
import { atEnd, atLine, exists, load, log, word } from './case.ts';

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
