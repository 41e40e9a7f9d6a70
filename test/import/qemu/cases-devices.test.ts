// Pieces of QEMU logs as people have them (test/fixtures/cases), and variants of the same kinds: assigned devices, device models and calls into KVM. What
// is right is told there by hand, from the specification or from QEMU's source.
import assert from 'node:assert/strict';
import { sample } from '../samples.ts';
import { atEnd, atLine, exists, load, log, word } from './case.ts';

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

  it('PVSCSI tells the level before it looks whether MSI is on: then it is no cause on the line', () => {
    const config = [
      'pci_cfg_read pvscsi 00:05.0 @0x34 -> 0x80',
      'pci_cfg_read pvscsi 00:05.0 @0x80 -> 0x80a805',
      'pci_cfg_write pvscsi 00:05.0 @0x82 <- 0x81',
    ];
    const records = [
      'pvscsi_update_irq_level interrupt level set to 1 (MASK: 0x1, STATUS: 0x1)',
      'pvscsi_update_irq_msi sending MSI notification',
    ];
    const on = log(...config, ...records);
    assert.equal(atEnd(on, 'device/0000:00:05.0/msi/raises'), 1);
    assert.equal(atEnd(on, 'device/0000:00:05.0/raises'), 0);
    const off = log(...config, 'pci_cfg_write pvscsi 00:05.0 @0x82 <- 0x80', records[0]!);
    assert.equal(atEnd(off, 'device/0000:00:05.0/raises'), 1);
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
