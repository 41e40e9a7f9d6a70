// What QEMU's trace events of the GIC, the SMMU, VFIO, KVM and emulated devices become, in the wordings of all versions (the
// trace-events files of hw/intc, hw/arm, hw/vfio, accel/kvm, target/i386/kvm, hw/nvme, hw/net, hw/virtio from 5.0 on).
import assert from 'node:assert/strict';
import { pathValue } from '../../../src/query/state.ts';
import { qemuRows as all, qemuEvents as of, wholly } from '../samples.ts';

describe('GIC and SMMU', () => {
  const P = 'GICv3 ITS: ';

  it('ITS commands', () => {
    const event = 'its/0/device/0x20/event/2';
    all([
      [
        `gicv3_its_cmd_mapd ${P}command MAPD DeviceID 0x20 Size 0x1 ITT_addr 0x47349a V 1`,
        'its.mapd its/0/device/0x20 size=1 itt=0x47349a00 valid=true',
      ],
      [
        `gicv3_its_cmd_mapc ${P}command MAPC ICID 0x1 RDbase 0x1 V 1`,
        'its.mapc its/0/collection/1 target=1 valid=true',
      ],
      [
        `gicv3_its_cmd_mapti ${P}command MAPTI DeviceID 0x20 EventID 0x2 ICID 0x1 pINTID 0x2002`,
        `its.mapti ${event} lpi=8194 collection=1`,
      ],
      [
        `gicv3_its_cmd_mapi ${P}command MAPI DeviceID 0x20 EventID 0x2 ICID 0x1`,
        `its.mapti ${event} lpi=2 collection=1`,
      ],
      [`gicv3_its_cmd_movi ${P}command MOVI DeviceID 0x20 EventID 0x2 ICID 0x1`, `its.movi ${event} collection=1`],
      [`gicv3_its_cmd_discard ${P}command DISCARD DeviceID 0x20 EventID 0x2`, `its.discard ${event}`],
      [`gicv3_its_cmd_inv ${P}command INV DeviceID 0x20 EventID 0x2`, `its.inv ${event}`],
      [`gicv3_its_cmd_int ${P}command INT DeviceID 0x20 EventID 0x2`, `its.int ${event} set=true`],
      [`gicv3_its_cmd_clear ${P}command CLEAR DeviceID 0x20 EventID 0x2`, `its.int ${event} set=false`],
      [`gicv3_its_cmd_sync ${P}command SYNC`, `its.cmd its/0 name=SYNC text=command SYNC`],
      [
        `gicv3_its_cmd_movall ${P}command MOVALL RDbase1 0x0 RDbase2 0x1`,
        'its.cmd its/0 name=MOVALL text=command MOVALL RDbase1 0x0 RDbase2 0x1',
      ],
      [
        `gicv3_its_cmd_vmapti ${P}command VMAPI DeviceID 0x20 EventID 0x2 vPEID 0x0 vINTID 0x2000 Dbell_pINTID 0x3ff`,
        'its.cmd its/0 name=VMAPTI text=command VMAPI DeviceID 0x20 EventID 0x2 vPEID 0x0 vINTID 0x2000 Dbell_pINTID 0x3ff',
      ],
      [`gicv3_its_cmd_unknown ${P}unknown command 0x7f`, 'its.cmd its/0 name=unknown text=unknown command 0x7f'],
    ]);
  });

  it('ITS tables: writes print the address without its lowest 8 bits, reads print it whole', () => {
    all([
      [
        `gicv3_its_dte_read ${P}Device Table read for DeviceID 0x20: valid 1 size 0x1 ITTaddr 0x47349a00`,
        'its.dte its/0/device/0x20 write=false valid=true size=1 itt=0x47349a00',
      ],
      [
        `gicv3_its_dte_write ${P}Device Table write for DeviceID 0x20: valid 1 size 0x1 ITTaddr 0x47349a`,
        'its.dte its/0/device/0x20 write=true valid=true size=1 itt=0x47349a00',
      ],
      [
        `gicv3_its_cte_read ${P}Collection Table read for ICID 0x1: valid 1 RDBase 0x1`,
        'its.cte its/0/collection/1 write=false valid=true target=1',
      ],
      [
        `gicv3_its_cte_write ${P}Collection Table write for ICID 0x1: valid 0 RDBase 0x0`,
        'its.cte its/0/collection/1 write=true valid=false target=0',
      ],
      [
        `gicv3_its_dte_read_fault ${P}Device Table read for DeviceID 0x20: faulted`,
        'its.error its/0 text=Device Table read for DeviceID 0x20: faulted',
      ],
    ]);
    const ite = `gicv3_its_ite_read ${P}Interrupt Table read for ITTaddr 0x47349a00 EventID 0x2: valid 1 inttype 1 intid 0x2002 ICID 0x1 vPEID 0x0 doorbell 0x3ff`;
    assert.deepEqual(
      of(
        [
          `gicv3_its_cmd_mapd ${P}command MAPD DeviceID 0x20 Size 0x1 ITT_addr 0x47349a V 1`,
          `gicv3_its_cmd_mapd ${P}command MAPD DeviceID 0x28 Size 0x1 ITT_addr 0x4734a2 V 1`,
          ite,
        ],
        1,
      ),
      ['its.ite its/0/device/0x20/event/2 write=false valid=true lpi=8194 collection=1'],
      'the table tells the device',
    );
    all([[ite]]);
  });

  it('translations, acknowledges, ends', () => {
    all([
      [
        'gicv3_its_translation_write GICv3 ITS TRANSLATER write: offset 0x40 data 0x2 size 4 requester_id 0x20',
        'its.trans its/0/device/0x20/event/2 device=0x20 event=0x2 size=4',
      ],
      ['gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x2002', 'gic.ack vcpu/1/intid/8194'],
      ['gicv3_icc_iar0_read GICv3 ICC_IAR0 read cpu 0x1 value 0x1b', 'gic.ack vcpu/1/intid/27'],
      ['gicv3_icc_nmiar1_read GICv3 ICC_NMIAR1 read cpu 0x1 value 0x1b', 'gic.ack vcpu/1/intid/27'],
      ['gicv3_icc_eoir_write GICv3 ICC_EOIR1 write cpu 0x1 value 0x2002', 'gic.eoi vcpu/1/intid/8194'],
      ['gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x3ff'],
      ['gic_acknowledge_irq cpu 1 acknowledged irq 82', 'gic.ack vcpu/1/intid/82'],
      ['gic_acknowledge_irq cpu 1 acknowledged irq 1023'],
      ['gic_set_irq irq 82 level 1 cpumask 0xff target 0x2', 'line.set gic/0/spi/82 level=true'],
      [
        'gicv3_redist_set_irq GICv3 redistributor 0x0 interrupt 27 level changed to 1',
        'line.set gic/0/redist/0/ppi/27 level=true',
      ],
    ]);
  });

  it('SMMU: stream ids decimal in old versions, hexadecimal later, a stage in the newest', () => {
    const shown = 'iova=0xfffff040 output=0x8090040 perm=0x3';
    const tail = 'iova=0xfffff040 translated=0x8090040 perm=0x3';
    all([
      [
        `smmuv3_translate_success smmuv3-iommu-memory-region-32-3 sid=32 ${tail}`,
        `smmu.trans smmu/0/stream/0x20 ${shown}`,
      ],
      [
        `smmuv3_translate_success smmuv3-iommu-memory-region-32-3 sid=0x20 ${tail}`,
        `smmu.trans smmu/0/stream/0x20 ${shown}`,
      ],
      [
        `smmuv3_translate_success smmuv3-iommu-memory-region-32-3 sid=0x20 ${tail} stage=1`,
        `smmu.trans smmu/0/stream/0x20 ${shown} stage=1`,
      ],
      [
        'smmuv3_translate_disable mr sid=0x20 bypass (smmu disabled) iova:0x1000 is_write=1',
        'smmu.bypass smmu/0/stream/0x20 iova=0x1000 write=true reason=SMMU disabled',
      ],
      [
        'smmuv3_translate_bypass mr sid=32 STE bypass iova:0x1000 is_write=0',
        'smmu.bypass smmu/0/stream/0x20 iova=0x1000 write=false reason=stream table entry says bypass',
      ],
      [
        'smmuv3_translate_abort mr sid=0x18 abort on iova:0x9000040 is_write=1',
        'smmu.abort smmu/0/stream/0x18 iova=0x9000040 write=true',
      ],
      [
        'smmuv3_record_event SMMU_EVT_F_TRANSLATION sid=0x18',
        'smmu.fault smmu/0/stream/0x18 event=SMMU_EVT_F_TRANSLATION reason=SMMU_EVT_F_TRANSLATION',
      ],
      [
        'smmuv3_record_event SMMU_EVT_F_TRANSLATION sid=24',
        'smmu.fault smmu/0/stream/0x18 event=SMMU_EVT_F_TRANSLATION reason=SMMU_EVT_F_TRANSLATION',
      ],
      [
        'smmuv3_propagate_event SMMU_EVT_F_STE_FETCH sid=0x8',
        'smmu.fault smmu/0/stream/0x8 event=SMMU_EVT_F_STE_FETCH reason=SMMU_EVT_F_STE_FETCH',
      ],
      ['kvm_arm_fixup_msi_route MSI iova = 0xfffff040 is translated into 0x8090040'],
    ]);
  });
});

describe('VFIO and KVM', () => {
  it('vectors and modes, with two blanks behind the name', () => {
    all([
      ['vfio_msix_vector_do_use  (0000:00:03.0) vector 0 used', 'vfio.use vfio/0000:00:03.0/2/0 used=true'],
      ['vfio_msix_vector_release  (0000:00:03.0) vector 2 released', 'vfio.use vfio/0000:00:03.0/2/2 used=false'],
      ['vfio_msix_enable  (0000:00:03.0)', 'vfio.mode vfio/0000:00:03.0 mode=msix enabled=true'],
      ['vfio_msix_disable  (0000:00:03.0)', 'vfio.mode vfio/0000:00:03.0 mode=msix enabled=false'],
      [
        'vfio_msi_enable  (0000:00:02.0) Enabled 4 MSI vectors',
        'vfio.mode vfio/0000:00:02.0 mode=msi enabled=true vectors=4',
      ],
      ['vfio_msi_disable  (0000:00:02.0)', 'vfio.mode vfio/0000:00:02.0 mode=msi enabled=false'],
      ['vfio_intx_enable  (0000:00:02.0)', 'vfio.mode vfio/0000:00:02.0 mode=intx enabled=true'],
      ['vfio_intx_disable  (0000:00:02.0)', 'vfio.mode vfio/0000:00:02.0 mode=intx enabled=false'],
      ['vfio_msix_pba_enable  (0000:00:02.0)', 'vfio.pba vfio/0000:00:02.0 trapped=true'],
      ['vfio_msix_pba_disable  (0000:00:02.0)', 'vfio.pba vfio/0000:00:02.0 trapped=false'],
    ]);
  });

  it('INTx, under its old and its new name', () => {
    all([
      ['vfio_intx_interrupt  (0000:00:02.0) Pin A', 'vfio.intx vfio/0000:00:02.0 what=asserted pin=A'],
      ['vfio_intx_eoi  (0000:00:02.0) EOI', 'vfio.intx vfio/0000:00:02.0 what=EOI'],
      ['vfio_pci_intx_eoi  (0000:00:02.0) EOI', 'vfio.intx vfio/0000:00:02.0 what=EOI'],
      ['vfio_intx_update  (0000:00:02.0) IRQ moved 0 -> 21', 'vfio.intx vfio/0000:00:02.0 what=moved'],
    ]);
  });

  it('interrupts that take the way through user space; devices without a BDF', () => {
    const uuid = '00000000-0000-0000-0000-000000000000';
    all([
      [
        `vfio_msi_interrupt  (${uuid}) vector 0 0xfee01004/0x4023`,
        `vfio.fire vfio/${uuid}/2/0 address=0xfee01004 data=0x4023`,
      ],
    ]);
    assert.deepEqual(
      of(
        [
          'vfio_msi_enable  (0000:00:02.0) Enabled 1 MSI vectors',
          'vfio_msi_interrupt  (0000:00:02.0) vector 0 0xfee01004/0x4023',
        ],
        1,
      ),
      ['vfio.fire vfio/0000:00:02.0/1/0 address=0xfee01004 data=0x4023'],
    );
  });

  it('regions, and the set-up of MSI-X with and without `noresize`', () => {
    all([
      [
        'vfio_region_write  (0000:00:02.0:region0+0x200c, 0x1, 4)',
        'vfio.region vfio/0000:00:02.0 write=true region=0 offset=0x200c value=0x1 size=4',
      ],
      [
        'vfio_region_read  (0000:00:02.0:region0+0x200c, 4) = 0x1',
        'vfio.region vfio/0000:00:02.0 write=false region=0 offset=0x200c value=0x1 size=4',
      ],
      [
        'vfio_msix_early_setup 0000:17:00.0 PCI MSI-X CAP @0x40, BAR 0, offset 0x2000, entries 6',
        'vfio.msix vfio/0000:17:00.0 capability=0x40 bar=0 offset=0x2000 entries=6',
      ],
      [
        'vfio_msix_early_setup 0000:17:00.0 PCI MSI-X CAP @0x40, BAR 0, offset 0x2000, entries 6, noresize 1',
        'vfio.msix vfio/0000:17:00.0 capability=0x40 bar=0 offset=0x2000 entries=6',
      ],
    ]);
  });

  it('routes', () => {
    all([
      ['kvm_irqchip_add_msi_route dev N/A vector 3 virq 24', 'route.set kvm/0/route/24 device=N/A vector=3'],
      ['kvm_irqchip_update_msi_route Updating MSI route virq=24', 'route.update kvm/0/route/24'],
      ['kvm_irqchip_release_virq virq 24', 'route.release kvm/0/route/24'],
      ['kvm_irqchip_commit_routes ', 'route.commit kvm/0'],
      ['kvm_irqchip_commit_routes', 'route.commit kvm/0'],
      ['kvm_resample_fd_notify gsi 10', 'irqfd.wakeup kvm/0/irqfd/10'],
      ['kvm_x86_add_msi_route Adding route entry for virq 24'],
      ['kvm_x86_remove_msi_route Removing route entry for virq 24'],
      ['kvm_x86_update_msi_routes Updated 3 MSI routes'],
    ]);
  });

  it('a route belongs to the vector that the same thread began to use just before', () => {
    assert.deepEqual(
      of(
        [
          'vfio_msix_vector_do_use  (0000:00:03.0) vector 1 used',
          'kvm_irqchip_add_msi_route dev vfio-pci vector 1 virq 24',
        ],
        2,
      ),
      ['route.set kvm/0/route/24 device=0000:00:03.0 vector=1', 'vfio.route vfio/0000:00:03.0/2/1 virq=24'],
    );
    assert.deepEqual(
      of(
        [
          'vfio_msix_vector_do_use  (0000:00:03.0) vector 1 used',
          'kvm_irqchip_add_msi_route dev vfio-pci vector 1 virq 24',
          'kvm_irqchip_release_virq virq 24',
        ],
        2,
      ),
      ['route.release kvm/0/route/24', 'vfio.route vfio/0000:00:03.0/2/1'],
    );
  });
});

describe('iommufd', () => {
  const map = (ret: number): string =>
    `iommufd_backend_map_dma  iommufd=5 ioas=2 iova=0x8000000 size=0x1000 addr=0x7f0000001000 readonly=0 (${ret})`;
  const path = 'iommufd/5/ioas/2/map/0x8000000';

  it('mappings come and go; a refused one is none', () => {
    assert.deepEqual(of(map(0)), [`iommufd.map ${path} output=0x7f0000001000 size=0x1000 ret=0`]);
    assert.deepEqual(of(map(-17)), [`iommufd.map ${path} output=0x7f0000001000 size=0x1000 ret=-17`]);
    const unmap = 'iommufd_backend_unmap_dma  iommufd=5 ioas=2 iova=0x8000000 size=0x1000 (0)';
    assert.deepEqual(of([map(0), unmap], 1), [`iommufd.unmap ${path}`]);
    const state = (...lines: string[]): unknown =>
      pathValue(wholly(lines.map((l) => `7@1.000000:${l}`).join('\n')).trace.head, `${path}/size`);
    assert.equal(state(map(0)), '0x1000');
    assert.equal(state(map(-17)), null);
    assert.equal(state(map(0), unmap), null);
    all([
      ['iommufd_backend_unmap_dma  iommufd=5 ioas=2 iova=0x8000000 size=0x1000 (-2)'],
      ['iommufd_backend_alloc_ioas  iommufd=5 ioas=2'],
      ['iommufd_backend_connect fd=5 owned=1 users=1'],
    ]);
  });
});

describe('emulated devices', () => {
  const NVME = '7:pci_cfg_write nvme 00:03.0 @0x4 <- 0x6'.slice(2);

  it('nvme, before and after 5.1', () => {
    for (const prefix of ['pci_nvme', 'nvme']) {
      assert.deepEqual(of([NVME, `${prefix}_irq_msix raising MSI-X IRQ vector 2`], 1), [
        'dev.raise device/0000:00:03.0/msix/2 vector=2',
      ]);
      assert.deepEqual(of([NVME, `${prefix}_irq_pin pulsing IRQ pin`], 1), ['dev.intx device/0000:00:03.0']);
      assert.deepEqual(of([`${prefix}_irq_masked IRQ is masked`]), []);
    }
    assert.deepEqual(of([NVME, 'pci_nvme_irq_pin asserting IRQ pin'], 1), ['dev.intx device/0000:00:03.0']);
  });

  it('names of several words, as QEMU 5.2 has them', () => {
    const model = 'ICH9 SMB';
    const config = (at: string): string[] =>
      of([
        `pci_cfg_write ${model} ${at} @0x4 <- 0x103`,
        `pci_cfg_read ${model} ${at} @0x0 -> 0x8086`,
        `msix_write_config dev ${model} enabled 1 masked 0`,
      ]);
    const said = (device: string): string[] => [
      `dev.seen ${device} name=${model}`,
      `cfg.write ${device} offset=0x4 size=2 value=0x103`,
      `cfg.read ${device} offset=0x0 size=2 value=0x8086`,
      `msix.ctrl ${device} enable=true fmask=false`,
    ];
    assert.deepEqual(config('00:1f.3'), said('device/0000:00:1f.3'));
    // Logs of that version tell no bus.
    assert.deepEqual(config('31:3'), said(`device/${model}`));
  });

  it('with two of a kind a line that names none belongs to neither', () => {
    const second = 'pci_cfg_write nvme 00:04.0 @0x4 <- 0x6';
    assert.deepEqual(of([NVME, second, 'pci_nvme_irq_msix raising MSI-X IRQ vector 2'], 1), [
      'dev.raise device/nvme/msix/2 vector=2',
    ]);
  });

  it('e1000e and igb share their events; which it is shows in the functions of the log', () => {
    const on = (model: string, line: string): string[] => of([`pci_cfg_write ${model} 00:05.0 @0x4 <- 0x6`, line], 1);
    for (const model of ['e1000e', 'igb']) {
      assert.deepEqual(on(model, 'e1000e_irq_msix_notify_vec MSI-X notify vector 0x1'), [
        'dev.raise device/0000:00:05.0/msix/1 vector=1',
      ]);
      assert.deepEqual(on(model, 'e1000e_irq_msix_notify_postponed_vec Sending MSI-X postponed by EITR[1]'), [
        'dev.raise device/0000:00:05.0/msix/1 vector=1',
      ]);
      assert.deepEqual(on(model, 'e1000e_irq_msi_notify MSI notify 0x80000004'), [
        'dev.raise device/0000:00:05.0/msi vector=0',
      ]);
    }
  });

  it('virtio names device and queue by pointers, or repeats the name of the event', () => {
    all([
      ['virtio_notify vdev 0x55d0 vq 0x7f10', 'dev.raise virtio/0x55d0/0x7f10'],
      ['virtio_notify_irqfd vdev 0x55d0 vq 0x7f10', 'dev.raise virtio/0x55d0/0x7f10 eventfd=true'],
      ['virtio_pci_notify virtio_pci_notify vec 0x1', 'dev.raise virtio/pci vector=1'],
      ['virtio_pci_notify vec 0x1', 'dev.raise virtio/pci vector=1'],
      ['virtio_notify_irqfd_deferred_fn vdev 0x55d0 vq 0x7f10'],
    ]);
  });
});
