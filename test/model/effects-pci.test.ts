// What every event about config space, BARs, MSI-X, MSI and IMS changes. Values follow from the PCIe specification (6.1.4,
// 7.7.1, 7.7.2) and from docs/trace-format.md.
import { story } from '../helpers/story.ts';

describe('effects: MSI-X entries', () => {
  it('a pending vector is sent as soon as a table access shows that nothing masks it', () => {
    const raised = `
      msix.ctrl device/0000:00:03.0 enable=true fmask=false
      tbl.write device/0000:00:03.0/msix/1 offset=0xc size=4 value=0x1
      = device/0000:00:03.0/msix/1/effectivelyMasked true
      dev.raise device/0000:00:03.0/msix/1
      = device/0000:00:03.0/msix/1/pending true
      = device/0000:00:03.0/msix/1/raises 1
    `;
    story(`${raised}
      tbl.write device/0000:00:03.0/msix/1 offset=0x8 size=4 value=0x22
      = device/0000:00:03.0/msix/1/pending true
      tbl.write device/0000:00:03.0/msix/1 offset=0xc size=4 value=0x0
      = device/0000:00:03.0/msix/1/pending false
      = device/0000:00:03.0/msix/1/effectivelyMasked false
      = device/0000:00:03.0/msix/1/writes 3
    `);
    story(`${raised}
      tbl.read device/0000:00:03.0/msix/1 offset=0xc size=4 value=0x0
      = device/0000:00:03.0/msix/1/pending false
      = device/0000:00:03.0/msix/1/reads 1
    `);
  });

  it('the function mask masks every entry, and its end sends what waits', () => {
    story(`
      msix.ctrl device/0000:00:03.0 enable=true fmask=true
      = device/0000:00:03.0/msixcap/enable true
      = device/0000:00:03.0/msixcap/fmask true
      = device/0000:00:03.0/msixcap/control null
      tbl.write device/0000:00:03.0/msix/0 offset=0xc size=4 value=0x0
      = device/0000:00:03.0/msix/0/effectivelyMasked true
      tbl.write device/0000:00:03.0/msix/1 offset=0xc size=4 value=0x1
      dev.raise device/0000:00:03.0/msix/0 vector=0 cause=1
      dev.raise device/0000:00:03.0/msix/1 vector=1 cause=2
      = device/0000:00:03.0/msix/0/pending true
      msix.ctrl device/0000:00:03.0 enable=true fmask=false
      = device/0000:00:03.0/msixcap/fmask false
      = device/0000:00:03.0/msix/0/effectivelyMasked false
      = device/0000:00:03.0/msix/0/pending false
      = device/0000:00:03.0/msix/1/pending true
      msix.ctrl device/0000:00:03.0 enable=false fmask=false
      = device/0000:00:03.0/msixcap/enable false
      = device/0000:00:03.0/msix/0/effectivelyMasked true
    `);
  });

  it('a cause is not kept while MSI-X is off, nor where the mask is not known', () => {
    story(`
      msix.ctrl device/0000:00:03.0 enable=false fmask=false
      tbl.write device/0000:00:03.0/msix/0 offset=0xc size=4 value=0x1
      dev.raise device/0000:00:03.0/msix/0
      = device/0000:00:03.0/msix/0/pending null
      msix.ctrl device/0000:00:04.0 enable=true fmask=false
      dev.raise device/0000:00:04.0/msix/0
      = device/0000:00:04.0/msix/0/pending null
      = device/0000:00:04.0/msix/0/effectivelyMasked null
      dev.raise device/0000:00:05.0/msix/0
      tbl.write device/0000:00:05.0/msix/0 offset=0xc size=4 value=0x0
      = device/0000:00:05.0/msix/0/effectivelyMasked null
    `);
  });

  it('a message and a withdrawn cause end the pending state and are counted where they belong', () => {
    story(`
      msix.ctrl device/0000:00:03.0 enable=true fmask=true
      dev.raise device/0000:00:03.0/msix/0
      send device/0000:00:03.0/msix/0 address=0xfee00000 data=0x22
      = device/0000:00:03.0/msix/0/sends 1
      = device/0000:00:03.0/msix/0/pending false
      dev.raise device/0000:00:03.0/msix/0
      = device/0000:00:03.0/msix/0/pending true
      dev.withdraw device/0000:00:03.0/msix/0
      = device/0000:00:03.0/msix/0/pending false
      = device/0000:00:03.0/msix/0/raises 2
      send device/0000:00:03.0/msix/2 address=0xfee00000 data=0x22
      = device/0000:00:03.0/msix/2/pending null
      dev.withdraw device/0000:00:03.0/msix/3
      = device/0000:00:03.0/msix/3/pending false
      dev.raise device/0000:00:03.0
      dev.intx device/0000:00:03.0 level=true
      dev.intx device/0000:00:03.0 level=false
      dev.intx device/0000:00:03.0
      = device/0000:00:03.0/raises 3
      dev.raise device/0000:00:03.0/msi
      dev.raise device/0000:00:03.0/msi
      send device/0000:00:03.0/msi address=0xfee00000 data=0x22
      = device/0000:00:03.0/msi/raises 2
      = device/0000:00:03.0/msi/sends 1
    `);
  });

  it('a stale read tells nothing; a wide one both registers', () => {
    story(`
      tbl.read device/0000:00:03.0/msix/0 offset=0x0 size=8 value=0x1fee00298
      = device/0000:00:03.0/msix/0/address "0x1fee00298"
      tbl.read device/0000:00:03.0/msix/0 offset=0x0 size=4 value=0x0 stale=true
      = device/0000:00:03.0/msix/0/address "0x1fee00298"
      = device/0000:00:03.0/msix/0/reads 2
      tbl.read device/0000:00:03.0/msix/0 offset=0x0 size=4 value=0xfee002b8 stale=false
      = device/0000:00:03.0/msix/0/address "0x1fee002b8"
      tbl.write device/0000:00:03.0/msix/0 offset=0xc size=8 value=0xffffffff00000001
      = device/0000:00:03.0/msix/0/control "0x1"
      = device/0000:00:03.0/msix/0/pending null
    `);
  });
});

describe('effects: tables whose device is found later', () => {
  it('all that an entry holds moves with it; entries before the first and beyond the last stay nowhere', () => {
    story(`
      tbl.seen table/0xfe002000 address=0x1fe002000
      = table/0xfe002000/address "0x1fe002000"
      tbl.write table/0xfe002000/msix/3 offset=0x0 size=8 value=0x2fee00298
      tbl.write table/0xfe002000/msix/3 offset=0x8 size=4 value=0x23
      tbl.write table/0xfe002000/msix/2050 offset=0x8 size=4 value=0x24
      tbl.write table/0xfe002000/msix/2051 offset=0x8 size=4 value=0x25
      tbl.write table/0xfe002000/msix/2 offset=0x8 size=4 value=0x26
      tbl.bind table/0xfe002000 device=device/0000:00:03.0 first=3
      = device/0000:00:03.0/msix/0/address "0x2fee00298"
      = device/0000:00:03.0/msix/0/data "0x23"
      = device/0000:00:03.0/msix/0/writes 2
      = device/0000:00:03.0/msix/2047/data "0x24"
      = device/0000:00:03.0/msix/2048 null
      = device/0000:00:03.0/msix/-1 null
      = table/0xfe002000 null
    `);
  });
});

describe('effects: the pending bit array', () => {
  it('an array of 2048 bits is the largest (7.7.2.2: Table Size is 11 bits)', () => {
    story(`
      pba.read device/0000:00:03.0 first=2040 size=8 value=0xffff
      = device/0000:00:03.0/msix/2040/pending true
      = device/0000:00:03.0/msix/2047/pending true
      = device/0000:00:03.0/msix/2048 null
    `);
  });

  it('clear bits say something of entries that exist only; a stale read says nothing', () => {
    story(`
      tbl.write device/0000:00:03.0/msix/33 offset=0x8 size=4 value=0x21
      pba.read device/0000:00:03.0 first=0 size=8 value=0x100000001 stale=true
      = device/0000:00:03.0/msix/0 null
      pba.read device/0000:00:03.0 first=0 size=8 value=0x100000001
      = device/0000:00:03.0/msix/0/pending true
      = device/0000:00:03.0/msix/32/pending true
      = device/0000:00:03.0/msix/33/pending false
      = device/0000:00:03.0/msix/1 null
      pba.read device/0000:00:03.0 first=64 size=1 value=0x1ff stale=false
      = device/0000:00:03.0/msix/64/pending true
      = device/0000:00:03.0/msix/71/pending true
      = device/0000:00:03.0/msix/72 null
    `);
  });
});

describe('effects: config space', () => {
  it('a write changes only the bits that software may write; a read tells all', () => {
    story(`
      cfg.read device/0000:00:03.0 offset=0x0 size=4 value=0x10411af4
      = device/0000:00:03.0/vendor "0x10411af4"
      cfg.read device/0000:00:03.0 offset=0x4 size=2 value=0x6
      = device/0000:00:03.0/command "0x6"
      cfg.write device/0000:00:03.0 offset=0x0 size=4 value=0x0
      = device/0000:00:03.0/vendor "0x10411af4"
      cfg.write device/0000:00:03.0 offset=0x4 size=2 value=0x400
      = device/0000:00:03.0/command.intxDisable true
      = device/0000:00:03.0/command.memory false
      = device/0000:00:03.0/command.busMaster false
      cfg.write device/0000:00:03.0 offset=0x4 size=1 value=0x2
      = device/0000:00:03.0/command.memory true
      = device/0000:00:03.0/command.intxDisable true
      cfg.write device/0000:00:03.0 offset=0x5 size=1 value=0x0
      = device/0000:00:03.0/command.intxDisable false
      = device/0000:00:03.0/command.memory true
    `);
  });

  it('a read of the capability list shows where MSI-X lies, and what was read of it before', () => {
    story(`
      cfg.read device/0000:00:03.0 offset=0x54 size=4 value=0x2001
      cfg.read device/0000:00:03.0 offset=0x58 size=4 value=0x3002
      cfg.read device/0000:00:03.0 offset=0x34 size=1 value=0x40
      = device/0000:00:03.0/msixAt null
      cfg.read device/0000:00:03.0 offset=0x40 size=4 value=0x5009
      cfg.read device/0000:00:03.0 offset=0x50 size=4 value=0x80420011
      = device/0000:00:03.0/msixAt "0x50"
      = device/0000:00:03.0/msixcap/enable true
      = device/0000:00:03.0/msixcap/fmask false
      = device/0000:00:03.0/msixcap/size 67
      = device/0000:00:03.0/msixcap/tableBar 1
      = device/0000:00:03.0/msixcap/tableOffset 8192
      = device/0000:00:03.0/msixcap/pbaBar 2
      = device/0000:00:03.0/msixcap/pbaOffset 12288
      = device/0000:00:03.0/msiAt null
      cfg.write device/0000:00:03.0 offset=0x50 size=4 value=0x4fff0000
      = device/0000:00:03.0/msixcap/size 67
      = device/0000:00:03.0/msixcap/fmask true
      = device/0000:00:03.0/msixcap/enable false
      cfg.write device/0000:00:03.0 offset=0x54 size=4 value=0xffffffff
      = device/0000:00:03.0/msixcap/tableOffset 8192
      cfg.write device/0000:00:03.0 offset=0x53 size=1 value=0x80
      = device/0000:00:03.0/msixcap/enable true
      = device/0000:00:03.0/msixcap/fmask false
      cfg.write device/0000:00:03.0 offset=0x5c size=4 value=0xffffffff
      = device/0000:00:03.0/msixcap/pbaOffset 12288
    `);
  });

  it('MSI with 64-bit address and masks: data, mask and pending lie 4 bytes further', () => {
    story(`
      cfg.read device/0000:00:03.0 offset=0x34 size=1 value=0x60
      cfg.read device/0000:00:03.0 offset=0x60 size=4 value=0x1810005
      = device/0000:00:03.0/msiAt "0x60"
      = device/0000:00:03.0/msi/enable true
      cfg.write device/0000:00:03.0 offset=0x64 size=4 value=0xfee01003
      cfg.write device/0000:00:03.0 offset=0x68 size=4 value=0x1
      = device/0000:00:03.0/msi/address "0x1fee01000"
      cfg.write device/0000:00:03.0 offset=0x6c size=2 value=0x4022
      = device/0000:00:03.0/msi/data "0x4022"
      cfg.write device/0000:00:03.0 offset=0x70 size=4 value=0xf
      = device/0000:00:03.0/msi/mask "0xf"
      cfg.read device/0000:00:03.0 offset=0x74 size=4 value=0x2
      = device/0000:00:03.0/msi/pending "0x2"
      cfg.write device/0000:00:03.0 offset=0x74 size=4 value=0x0
      = device/0000:00:03.0/msi/pending "0x2"
      cfg.write device/0000:00:03.0 offset=0x62 size=2 value=0x0
      = device/0000:00:03.0/msi/enable false
      cfg.write device/0000:00:03.0 offset=0x78 size=4 value=0xffffffff
      = device/0000:00:03.0/msi/pending "0x2"
    `);
  });

  it('MSI with 32-bit address and no masks: data lies at +8', () => {
    story(`
      cfg.read device/0000:00:03.0 offset=0x34 size=1 value=0x60
      cfg.read device/0000:00:03.0 offset=0x60 size=4 value=0x10005
      cfg.read device/0000:00:03.0 offset=0x64 size=4 value=0xfee01000
      cfg.read device/0000:00:03.0 offset=0x68 size=2 value=0x4022
      = device/0000:00:03.0/msi/address "0xfee01000"
      = device/0000:00:03.0/msi/data "0x4022"
      = device/0000:00:03.0/msi/mask null
      cfg.read device/0000:00:03.0 offset=0x70 size=4 value=0xf
      = device/0000:00:03.0/msi/mask null
    `);
  });

  it('a function is named, grouped, and reset', () => {
    story(`
      dev.seen device/0000:00:03.0 name=nvme
      = device/0000:00:03.0/name "nvme"
      = device/0000:00:03.0/vfio null
      dev.seen device/0000:00:03.0 host=0000:01:00.0
      = device/0000:00:03.0/name "nvme"
      = device/0000:00:03.0/vfio "0000:01:00.0"
      iommu.attach device/0000:00:03.0 group=7
      = device/0000:00:03.0/group 7
      iommu.attach device/0000:00:03.0
      = device/0000:00:03.0/group 7
      cfg.write device/0000:00:03.0 offset=0x4 size=2 value=0x6
      msix.ctrl device/0000:00:03.0 enable=true fmask=true
      tbl.write device/0000:00:03.0/msix/0 offset=0x0 size=8 value=0x1fee00298
      tbl.write device/0000:00:03.0/msix/0 offset=0x8 size=8 value=0x22
      dev.raise device/0000:00:03.0/msix/0
      = device/0000:00:03.0/msix/0/pending true
      dev.reset device/0000:00:03.0
      = device/0000:00:03.0/command "0x0"
      = device/0000:00:03.0/msixcap/enable false
      = device/0000:00:03.0/msixcap/fmask false
      = device/0000:00:03.0/msix/0/address null
      = device/0000:00:03.0/msix/0/data null
      = device/0000:00:03.0/msix/0/control "0x1"
      = device/0000:00:03.0/msix/0/pending false
      dev.reset device/0000:00:04.0
      = device/0000:00:04.0/command "0x0"
      = device/0000:00:04.0/msixcap null
    `);
  });

  it('a BAR is mapped and unmapped', () => {
    story(`
      bar.map device/0000:00:03.0 bar=4 address=0x38000004000 size=0x100004000
      = device/0000:00:03.0/bar/4/address "0x38000004000"
      = device/0000:00:03.0/bar/4/size "0x100004000"
      = device/0000:00:03.0/bar/4/mapped true
      bar.unmap device/0000:00:03.0 bar=4 address=0x38000004000 size=0x100004000
      = device/0000:00:03.0/bar/4/mapped false
      = device/0000:00:03.0/bar/4/address "0x38000004000"
    `);
  });
});

describe('effects: IMS', () => {
  it('a store changes its bytes, names place, owner and irq, and sends what waits when it unmasks', () => {
    story(`
      ims.store device/0000:6a:01.0/ims/2 offset=0x0 size=8 value=0x1fee00298 where="device memory" owner=wq1 virq=140
      = device/0000:6a:01.0/ims/2/address "0x1fee00298"
      = device/0000:6a:01.0/ims/2/store "device memory"
      = device/0000:6a:01.0/ims/2/owner "wq1"
      = device/0000:6a:01.0/ims/2/virq 140
      ims.store device/0000:6a:01.0/ims/2 offset=0x8 size=8 value=0x500b00000023
      = device/0000:6a:01.0/ims/2/data "0x23"
      = device/0000:6a:01.0/ims/2/control "0x500b"
      = device/0000:6a:01.0/ims/2/control.pasid 5
      = device/0000:6a:01.0/ims/2/writes 2
      dev.raise device/0000:6a:01.0/ims/2
      = device/0000:6a:01.0/ims/2/pending true
      ims.store device/0000:6a:01.0/ims/2 offset=0xc size=4 value=0x500a
      = device/0000:6a:01.0/ims/2/pending false
      dev.raise device/0000:6a:01.0/ims/2
      = device/0000:6a:01.0/ims/2/pending false
      = device/0000:6a:01.0/ims/2/raises 2
      ims.store device/0000:6a:01.0/ims/2 offset=0xc size=4 value=0x500b
      dev.raise device/0000:6a:01.0/ims/2
      dev.withdraw device/0000:6a:01.0/ims/2
      = device/0000:6a:01.0/ims/2/pending false
      dev.raise device/0000:6a:01.0/ims/2
      send device/0000:6a:01.0/ims/2 address=0xfee00298 data=0x23
      = device/0000:6a:01.0/ims/2/sends 1
      = device/0000:6a:01.0/ims/2/pending false
      ims.free device/0000:6a:01.0/ims/2
      = device/0000:6a:01.0/ims/2 null
      perm.write device/0000:6a:01.0/perm/1 value=0x100005008
      = device/0000:6a:01.0/perm/1/value "0x100005008"
    `);
  });
});
