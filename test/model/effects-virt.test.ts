// What every event about KVM, VFIO, iommufd, queues, hypervisors and posted interrupts changes. The meaning of each kind is in
// docs/trace-format.md; sources: virt/kvm/eventfd.c, drivers/vfio/pci/vfio_pci_intrs.c, QEMU hw/vfio/pci.c, VT-d 9.11.
import { story } from '../helpers/story.ts';

describe('effects: virtual CPUs', () => {
  it('are in the guest between entry and exit', () => {
    story(`
      kvm.entry vcpu/0 rip=0x1000
      = vcpu/0/inGuest true
      kvm.exit vcpu/0 reason=EXTERNAL_INTERRUPT
      = vcpu/0/inGuest false
      = vcpu/0/exitReason "EXTERNAL_INTERRUPT"
      = vcpu/0/exits 1
      apic.local vcpu/1 lvt=0 deliveryMode=0
      = vcpu/1/exits 0
    `);
  });

  it('accept, take and end interrupts, counted for the vector and for the virtual CPU', () => {
    story(`
      apic.accept vcpu/0/vector/35 mode=Fixed posted=false
      = vcpu/0/vector/35/requested true
      = vcpu/0/vector/35/accepts 1
      = vcpu/0/accepts 1
      apic.inj vcpu/0/vector/35 reinjected=false
      = vcpu/0/vector/35/requested false
      = vcpu/0/vector/35/inService true
      = vcpu/0/vector/35/taken 1
      = vcpu/0/injections 1
      apic.eoi vcpu/0/vector/35
      = vcpu/0/vector/35/inService false
      = vcpu/0/vector/35/eois 1
      = vcpu/0/eois 1
      apic.eoi vcpu/0
      = vcpu/0/eois 2
      = vcpu/0/vector/35/eois 1
      apic.deliver vcpu/0/vector/36 dest=0 destMode=0 deliveryMode=0 vector=36 trigger=0
      = vcpu/0/vector/36/accepts 1
      = vcpu/0/vector/36/requested null
      = vcpu/0/accepts 2
      gic.ack vcpu/1/intid/8193
      = vcpu/1/intid/8193/requested false
      = vcpu/1/intid/8193/inService true
      = vcpu/1/intid/8193/taken 1
      = vcpu/1/acknowledges 1
      gic.eoi vcpu/1/intid/8193
      = vcpu/1/intid/8193/inService false
      = vcpu/1/intid/8193/eois 1
      = vcpu/1/eois 1
    `);
  });

  it('have APIC backing pages with AVIC, and an AMD IOMMU logs what it posts to those that do not run', () => {
    story(`
      avic.entry vcpu/0/avic value=0xc000000150000002
      = vcpu/0/avic/entry "0xc000000150000002"
      avic.post vcpu/0/avic vector=33 set=true signal=doorbell
      = vcpu/0/avic/irr null
      avic.doorbell vcpu/0 apicId=0x2
      = vcpu/0/avic/signals 1
      avic.galog vcpu/0 vm=1 index=0
      = vcpu/0/avic/wakes 1
      avic.ipi vcpu/1 high=0x0 low=0xfb reason=1 index=0
      galog.start galog/0 entries=512
      = galog/0/waiting 0
      galog.write galog/0 tag=0x1000
      = galog/0/waiting 1
      = galog/0/written 1
      galog.write galog/0 tag=0x1001 dropped=true
      = galog/0/overflow true
      = galog/0/dropped 1
      galog.read galog/0 tag=0x1000
      = galog/0/waiting 0
      = galog/0/read 1
      galog.start galog/0 entries=512
      = galog/0/overflow false
    `);
  });

  it('of an AMD guest entry IsRun, GALogIntr, GATag and Destination are read again, the vector is not', () => {
    story(`
      irte.writeAmdGa irte/amdvi-0x8/0 low=0x1000000000c1 high=0x150000021
      = irte/amdvi-0x8/0/wide "0x15000002100001000000000c1"
      = irte/amdvi-0x8/0/stale true
      irte.readAmd irte/amdvi-0x8/0 low=0x1000000000c1 high=0x150000021
      = irte/amdvi-0x8/0/stale false
      irte.writeAmdGa irte/amdvi-0x8/0 low=0x100000000285 high=0x150000021
      = irte/amdvi-0x8/0/value "0x1500000210000100000000285"
      = irte/amdvi-0x8/0/stale false
      irte.writeAmdGa irte/amdvi-0x8/0 low=0x100000000285 high=0x150000022
      = irte/amdvi-0x8/0/value "0x1500000210000100000000285"
      = irte/amdvi-0x8/0/stale true
    `);
  });

  it('have posted-interrupt descriptors: bit n of the PIR is vector n, ON is bit 0 of the control word', () => {
    const pir = (...vectors: readonly number[]): string =>
      `"0x${vectors.reduce((sum, v) => sum | (1n << BigInt(v)), 0n).toString(16)}"`;
    const clear = Array.from({ length: 256 }, (_, v) => `pi.post vcpu/0/pi vector=${v} set=false notified=false`);
    story(`
      pi.write vcpu/0/pi control=0x300f20002
      = vcpu/0/pi/control "0x300f20002"
      pi.post vcpu/0/pi vector=35 set=true notified=false
      = vcpu/0/pi/pir null
      = vcpu/0/pi/control "0x300f20002"
      pi.post vcpu/0/pi vector=35 set=true notified=true
      = vcpu/0/pi/control "0x300f20003"
      ${clear.join('\n')}
      pi.post vcpu/0/pi vector=35 set=true notified=false
      = vcpu/0/pi/pir ${pir(35)}
      pi.post vcpu/0/pi vector=255 set=true notified=false
      pi.post vcpu/0/pi vector=64 set=true notified=false
      = vcpu/0/pi/pir ${pir(35, 64, 255)}
      pi.post vcpu/0/pi vector=35 set=false notified=false
      = vcpu/0/pi/pir ${pir(64, 255)}
    `);
  });
});

describe('effects: KVM', () => {
  it('routes take the message of their entry, and say whether they still hold it', () => {
    story(`
      tbl.write device/0000:00:03.0/msix/1 offset=0x0 size=8 value=0x1fee00298
      tbl.write device/0000:00:03.0/msix/1 offset=0x8 size=4 value=0x22
      route.set kvm/0/route/24 device=0000:00:03.0 vector=1 entry=device/0000:00:03.0/msix/1
      = kvm/0/route/24/device "0000:00:03.0"
      = kvm/0/route/24/vector 1
      = kvm/0/route/24/address "0x1fee00298"
      = kvm/0/route/24/data "0x22"
      = kvm/0/route/24/current true
      tbl.write device/0000:00:03.0/msix/1 offset=0x4 size=4 value=0x2
      = kvm/0/route/24/current false
      = kvm/0/route/24/address "0x1fee00298"
      route.update kvm/0/route/24
      = kvm/0/route/24/address "0x2fee00298"
      = kvm/0/route/24/updates 1
      = kvm/0/route/24/current true
      tbl.write device/0000:00:03.0/msix/1 offset=0x8 size=4 value=0x23
      = kvm/0/route/24/current false
      route.commit kvm/0
      = kvm/0/commits 1
      route.set kvm/0/route/24 device=0000:00:03.0 vector=2 address=0x3fee00000 data=0x24
      = kvm/0/route/24/address "0x3fee00000"
      = kvm/0/route/24/data "0x24"
      = kvm/0/route/24/vector 2
      = kvm/0/route/24/current null
      route.set kvm/0/route/24 device=0000:00:03.0 vector=2
      = kvm/0/route/24/address null
      = kvm/0/route/24/data null
      route.update kvm/0/route/24
      = kvm/0/route/24/address null
      route.set kvm/0/route/25 device=0000:00:03.0 vector=1 entry=device/0000:00:03.0/msix/1 address=0x4fee00000 data=0x25
      = kvm/0/route/25/address "0x4fee00000"
      = kvm/0/route/25/data "0x25"
      route.release kvm/0/route/24
      = kvm/0/route/24 null
    `);
  });

  it('irqfds, posted irqs, lines, messages and calls', () => {
    story(`
      irqfd.assign kvm/0/irqfd/24 fd=32 resample=true
      = kvm/0/irqfd/24/fd 32
      = kvm/0/irqfd/24/resample true
      irqfd.assign kvm/0/irqfd/24 fd=33 resample=false
      = kvm/0/irqfd/24/fd 33
      = kvm/0/irqfd/24/resample false
      irqfd.assign kvm/0/irqfd/25
      = kvm/0/irqfd/25/fd null
      pi.update kvm/0/irqfd/24 enable=true hostIrq=140 vcpu=2 vector=35
      = kvm/0/irqfd/24/posted true
      = kvm/0/irqfd/24/hostIrq 140
      = kvm/0/irqfd/24/vcpu 2
      = kvm/0/irqfd/24/guestVector 35
      pi.update kvm/0/irqfd/24 enable=false hostIrq=140 vcpu=2 vector=35
      = kvm/0/irqfd/24/posted false
      irqfd.assign kvm/0/irqfd/24 fd=33 release=false
      = kvm/0/irqfd/24/fd 33
      irqfd.assign kvm/0/irqfd/24 fd=33 release=true
      = kvm/0/irqfd/24 null
      kvm.line kvm/0/gsi/4 level=true source=0
      = kvm/0/gsi/4/level true
      kvm.line kvm/0/gsi/4 level=false source=0
      = kvm/0/gsi/4/level false
      = kvm/0/gsi/4/changes 2
      kvm.msi kvm/0 dest=0x1 vector=35 mode=Fixed
      = kvm/0/messages 1
      ioctl kvm/0 name=KVM_SET_GSI_ROUTING ret=0
      = kvm/0/ioctls 1
    `);
  });

  it('tables that KVM serves', () => {
    story(`
      kvm.table kvm/0/msix/1 device=0000:00:03.0 entries=5 base=0x1fe002000 pendingBase=0x2fe003000
      = kvm/0/msix/1/device "0000:00:03.0"
      = kvm/0/msix/1/entries 5
      = kvm/0/msix/1/base "0x1fe002000"
      = kvm/0/msix/1/pendingBase "0x2fe003000"
      kvm.table.entry kvm/0/msix/1/entry/3 held=true gsi=24
      = kvm/0/msix/1/entry/3/held true
      = kvm/0/msix/1/entry/3/gsi 24
      kvm.table.entry kvm/0/msix/1/entry/3 gsi=-1
      = kvm/0/msix/1/entry/3/held true
      = kvm/0/msix/1/entry/3/gsi -1
      kvm.table.entry kvm/0/msix/1/entry/3 held=false
      = kvm/0/msix/1/entry/3/held false
      = kvm/0/msix/1/entry/3/gsi -1
      kvm.table.remove kvm/0/msix/1
      = kvm/0/msix/1 null
    `);
  });
});

describe('effects: VFIO', () => {
  it('a device: what the guest sees, its modes, its table, its traps', () => {
    story(`
      vfio.guest vfio/0000:01:00.0 guest=0000:00:05.0
      = vfio/0000:01:00.0/guest "0000:00:05.0"
      vfio.mode vfio/0000:01:00.0 mode=msix enabled=true vectors=4
      = vfio/0000:01:00.0/msix true
      = vfio/0000:01:00.0/msi null
      = vfio/0000:01:00.0/intx null
      vfio.mode vfio/0000:01:00.0 mode=msi enabled=false
      = vfio/0000:01:00.0/msi false
      = vfio/0000:01:00.0/msix true
      vfio.mode vfio/0000:01:00.0 mode=intx enabled=true
      = vfio/0000:01:00.0/intx true
      vfio.msix vfio/0000:01:00.0 capability=0x70 bar=3 offset=0x2000 entries=5
      = vfio/0000:01:00.0/tableBar 3
      = vfio/0000:01:00.0/tableOffset 8192
      = vfio/0000:01:00.0/entries 5
      vfio.pba vfio/0000:01:00.0 trapped=true
      = vfio/0000:01:00.0/pbaTrapped true
      vfio.pba vfio/0000:01:00.0 trapped=false
      = vfio/0000:01:00.0/pbaTrapped false
      vfio.trap vfio/0000:01:00.0 register=table latency=rare wanted=true cost=1 write=true offset=0x2000
      = vfio/0000:01:00.0/traps 1
      = vfio/0000:01:00.0/collateral 0
      vfio.trap vfio/0000:01:00.0 register=doorbell latency=hot wanted=false cost=1 write=true offset=0x1000
      = vfio/0000:01:00.0/traps 1
      = vfio/0000:01:00.0/collateral 1
    `);
  });

  it('a vector: use, route, signal, what stands behind it', () => {
    story(`
      vfio.use vfio/0000:01:00.0/2/3 used=true
      = vfio/0000:01:00.0/2/3/used true
      vfio.use vfio/0000:01:00.0/2/3 used=false
      = vfio/0000:01:00.0/2/3/used false
      vfio.route vfio/0000:01:00.0/2/3 virq=24
      = vfio/0000:01:00.0/2/3/virq 24
      vfio.route vfio/0000:01:00.0/2/3
      = vfio/0000:01:00.0/2/3/virq null
      vfio.fire vfio/0000:01:00.0/2/3 irq=140
      = vfio/0000:01:00.0/2/3/irq 140
      = vfio/0000:01:00.0/2/3/fires 1
      vfio.fire vfio/0000:01:00.0/2/3
      = vfio/0000:01:00.0/2/3/irq 140
      = vfio/0000:01:00.0/2/3/fires 2
      vfio.bind vfio/0000:01:00.0/2/3 backend=pci eventfd=33 irq=141 entry=device/0000:01:00.0/msix/3
      = vfio/0000:01:00.0/2/3/backend "pci"
      = vfio/0000:01:00.0/2/3/eventfd 33
      = vfio/0000:01:00.0/2/3/irq 141
      = vfio/0000:01:00.0/2/3/entry "device/0000:01:00.0/msix/3"
      vfio.bind vfio/0000:01:00.0/2/3 eventfd=34
      = vfio/0000:01:00.0/2/3/backend null
      = vfio/0000:01:00.0/2/3/eventfd 34
      = vfio/0000:01:00.0/2/3/irq null
      = vfio/0000:01:00.0/2/3/entry null
      vfio.mask vfio/0000:01:00.0/0/0 masked=true by=automask
      = vfio/0000:01:00.0/0/0/masked true
      vfio.mask vfio/0000:01:00.0/0/0 masked=false by=ioctl
      = vfio/0000:01:00.0/0/0/masked false
      vfio.meta vfio/0000:01:00.0/2/3 guestPasid=0x5 pasid=0x12 by=guest
      = vfio/0000:01:00.0/2/3/guestPasid "0x5"
      = vfio/0000:01:00.0/2/3/pasid "0x12"
      vfio.meta vfio/0000:01:00.0/2/3 guestPasid=0x6 by=guest
      = vfio/0000:01:00.0/2/3/guestPasid "0x6"
      = vfio/0000:01:00.0/2/3/pasid null
    `);
  });
});

describe('effects: iommufd, hypervisors, domains', () => {
  it('mappings come and go, and are counted at their address space', () => {
    story(`
      iommufd.map iommufd/0/ioas/1/map/0x8000000 output=0x108090000 size=0x100001000 ret=0
      = iommufd/0/ioas/1/map/0x8000000/output "0x108090000"
      = iommufd/0/ioas/1/map/0x8000000/size "0x100001000"
      = iommufd/0/ioas/1/maps 1
      iommufd.map iommufd/0/ioas/1/map/0x9000000 output=0x0 size=0x1000 ret=-17
      = iommufd/0/ioas/1/map/0x9000000 null
      = iommufd/0/ioas/1/maps 1
      iommufd.unmap iommufd/0/ioas/1/map/0x8000000 ret=-2
      = iommufd/0/ioas/1/map/0x8000000/output "0x108090000"
      iommufd.unmap iommufd/0/ioas/1/map/0x8000000 ret=0
      = iommufd/0/ioas/1/map null
      iommufd.swmsi iommufd/0/hwpt/2/map/0x8000000 output=0x108090000 size=0x100001000
      = iommufd/0/hwpt/2/map/0x8000000/output "0x108090000"
      = iommufd/0/hwpt/2/map/0x8000000/size "0x100001000"
      iommufd.unmap iommufd/0/hwpt/2/map/0x8000000
      = iommufd/0/hwpt/2/map/0x8000000 null
      iommufd.vmsi iommufd/0/vmsi/dev/1 iova=0x1ffff0040 ret=0
      = iommufd/0/vmsi/dev/1/iova "0x1ffff0040"
      iommufd.vmsi iommufd/0/vmsi/dev/1 iova=0xffff0080 ret=-22
      = iommufd/0/vmsi/dev/1/iova "0x1ffff0040"
      vmsi.window iommufd/0/vmsi/dev/1 open=true
      vmsi.window iommufd/0/vmsi/dev/1 open=false
      iommufd.vmsi iommufd/0/vmsi/dev/1 iova=0x100000000
      = iommufd/0/vmsi/dev/1/iova "0x100000000"
      iommufd.vmsi iommufd/0/vmsi/dev/1 iova=0x40
      = iommufd/0/vmsi/dev/1/iova "0x40"
      iommufd.vmsi iommufd/0/vmsi/dev/1 iova=0x0
      = iommufd/0/vmsi/dev/1 null
    `);
  });

  it('a hypervisor grants a message and takes it back; a domain stands on another', () => {
    story(`
      hcall.grant hypervisor/grant/1 device=0000:00:03.0 address=0x1fee00000 data=0x31 release=false
      = hypervisor/grant/1/device "0000:00:03.0"
      = hypervisor/grant/1/address "0x1fee00000"
      = hypervisor/grant/1/data "0x31"
      hcall.grant hypervisor/grant/1 device=0000:00:03.0 address=0x0 data=0x0 release=true
      = hypervisor/grant/1 null
      dom.create domain/IMS parent=VECTOR ret=-22 side=bus
      = domain/IMS null
      dom.create domain/IMS parent=VECTOR ret=0 side=bus
      = domain/IMS/parent "VECTOR"
      = domain/IMS/side "bus"
      dom.create domain/X ret=0
      = domain/X/parent null
    `);
  });

  it('queues, their users, PASIDs and peers behind a bridge', () => {
    story(`
      queue.state device/0000:6a:01.0/queue/1 state=created front=cdev pasid=5 handle=2 ret=0 owner=app
      = device/0000:6a:01.0/queue/1/state "created"
      = device/0000:6a:01.0/queue/1/front "cdev"
      = device/0000:6a:01.0/queue/1/pasid 5
      = device/0000:6a:01.0/queue/1/handle 2
      = device/0000:6a:01.0/queue/1/owner "app"
      queue.state device/0000:6a:01.0/queue/1 state=enabled ret=-22
      = device/0000:6a:01.0/queue/1/state "created"
      queue.state device/0000:6a:01.0/queue/1 state=enabled
      = device/0000:6a:01.0/queue/1/state "enabled"
      qd.submit device/0000:6a:01.0/queue/1 ret=-11
      = device/0000:6a:01.0/queue/1/submitted 0
      qd.submit device/0000:6a:01.0/queue/1 ret=0
      qd.submit device/0000:6a:01.0/queue/1 pasid=5
      = device/0000:6a:01.0/queue/1/submitted 2
      qd.complete device/0000:6a:01.0/queue/1 status=0x1
      qd.complete device/0000:6a:01.0/queue/1 status=0x0
      = device/0000:6a:01.0/queue/1/completed 2
      = device/0000:6a:01.0/queue/1/failed 0
      qd.complete device/0000:6a:01.0/queue/1 status=0x19
      qd.complete device/0000:6a:01.0/queue/1 status=0x2
      = device/0000:6a:01.0/queue/1/failed 2
      = device/0000:6a:01.0/queue/1/completed 2
      queue.use device/0000:6a:01.0/queue/1/user/5 front=vfio owner=vm handle=3 off=false
      = device/0000:6a:01.0/queue/1/user/5/front "vfio"
      = device/0000:6a:01.0/queue/1/user/5/owner "vm"
      = device/0000:6a:01.0/queue/1/user/5/handle 3
      queue.use device/0000:6a:01.0/queue/1/user/5 off=true
      = device/0000:6a:01.0/queue/1/user null
      pasid.bind device/0000:6a:01.0/pasid/5 table=mm/app owner=app ret=-22
      = device/0000:6a:01.0/pasid/5 null
      pasid.bind device/0000:6a:01.0/pasid/5 table=mm/app owner=app ret=0
      = device/0000:6a:01.0/pasid/5/table "mm/app"
      = device/0000:6a:01.0/pasid/5/owner "app"
      pasid.unbind device/0000:6a:01.0/pasid/5 ret=-16
      = device/0000:6a:01.0/pasid/5/owner "app"
      pasid.unbind device/0000:6a:01.0/pasid/5
      = device/0000:6a:01.0/pasid/5 null
      ntb.publish ntb/0000:02:00.0/peer/0/desc/1 virq=40 offset=0x1000 data=0x22 ret=-5
      = ntb/0000:02:00.0/peer/0/desc/1 null
      ntb.publish ntb/0000:02:00.0/peer/0/desc/1 virq=40 offset=0x1000 data=0x22
      = ntb/0000:02:00.0/peer/0/desc/1/virq 40
      = ntb/0000:02:00.0/peer/0/desc/1/offset "0x1000"
      = ntb/0000:02:00.0/peer/0/desc/1/data "0x22"
      = ntb/0000:02:00.0/peer/0/desc/1/publications 1
      ntb.trigger ntb/0000:02:00.0/peer/0/desc/1 offset=0x1000 data=0x22
      = ntb/0000:02:00.0/peer/0/desc/1/triggers 1
    `);
  });
});
