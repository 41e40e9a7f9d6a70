// What every event about irqs, vectors, the vector matrix and processors changes. Source of the rules: arch/x86/kernel/apic/vector.c,
// kernel/irq/matrix.c, and docs/trace-format.md.
import { story } from '../helpers/story.ts';

describe('effects: the vector domain', () => {
  it('a reserved irq gets its place at the request', () => {
    story(`
      vec.reserve irq/40 ret=0
      = irq/40/reserved true
      vec.config irq/40 vector=239 cpu=0 apicDest=0x0
      = irq/40/vector 239
      = irq/40/apicDest "0x0"
      vec.setup irq/40 legacy=false ret=0
      = irq/40/allocated true
      = irq/40/reserved true
      = irq/40/vector 239
      = irq/40/handledSinceSetup 0
      = cpu/0/vector/239 null
      vec.activate irq/40 managed=false canReserve=true reserve=true
      = irq/40/activated false
      = irq/40/managed false
      vec.activate irq/40 managed=false canReserve=true reserve=false
      = irq/40/activated true
      vec.alloc irq/40 vector=35 reserved=true ret=0
      = irq/40/reserved false
      vec.update irq/40 vector=35 cpu=2 prevVector=0 prevCpu=0
      = irq/40/vector 35
      = irq/40/cpu 2
      = irq/40/prevVector null
      = irq/40/prevCpu 0
      = irq/40/moving false
      = cpu/2/vector/35/irq 40
      = cpu/0/vector/0 null
      vec.config irq/40 vector=35 cpu=2 apicDest=0x4
      = irq/40/apicDest "0x4"
      vec.deactivate irq/40 managed=true canReserve=true reserve=false
      = irq/40/activated false
      = irq/40/managed true
    `);
  });

  it('refusals change nothing but say that the irq is there', () => {
    story(`
      vec.reserve irq/41 ret=-28
      = irq/41/reserved null
      = irq/41/vector null
      vec.alloc irq/41 vector=0 reserved=true ret=-28
      = irq/41/reserved null
      vec.setup irq/41 legacy=false ret=-28
      = irq/41/allocated null
      vec.allocManaged irq/42 vector=33 ret=0
      = irq/42/managed true
      vec.reserveManaged irq/43 ret=0
      = irq/43/managed true
    `);
  });

  it('a move keeps both vectors until the old one is released', () => {
    story(`
      vec.update irq/40 vector=35 cpu=1 prevVector=0 prevCpu=0
      = irq/40/allocated true
      vec.update irq/40 vector=36 cpu=2 prevVector=35 prevCpu=1
      = irq/40/moving true
      = irq/40/prevVector 35
      = irq/40/prevCpu 1
      = cpu/1/vector/35/irq 40
      = cpu/2/vector/36/irq 40
      vec.freeMoved irq/40 cpu=1 vector=35 managed=false
      = irq/40/moving false
      = irq/40/prevVector null
      = cpu/1/vector/35/irq null
      = cpu/2/vector/36/irq 40
    `);
  });

  it('the placeholder 239 is no vector to move away from; an offline CPU keeps nothing', () => {
    story(`
      vec.update irq/40 vector=36 cpu=2 prevVector=239 prevCpu=1
      = irq/40/moving false
      = cpu/1/vector/239 null
      cpu.state cpu/2 online=false
      vec.update irq/40 vector=37 cpu=3 prevVector=36 prevCpu=2
      = irq/40/moving false
      = cpu/2/vector/36/irq null
      = cpu/3/vector/37/irq 40
    `);
  });

  it('what was missed in between is undone: an irq is on no other vectors than its record says', () => {
    story(`
      vec.update irq/40 vector=35 cpu=1 prevVector=0 prevCpu=0
      vec.update irq/40 vector=36 cpu=2 prevVector=35 prevCpu=1
      vec.update irq/40 vector=38 cpu=4 prevVector=37 prevCpu=3
      = cpu/1/vector/35/irq null
      = cpu/2/vector/36/irq null
      = cpu/3/vector/37/irq 40
      = cpu/4/vector/38/irq 40
      vec.update irq/41 vector=40 cpu=5 prevVector=0 prevCpu=0
      vec.update irq/40 vector=40 cpu=5 prevVector=38 prevCpu=4
      = cpu/5/vector/40/irq 40
      vec.clear irq/41 vector=40 cpu=5 prevVector=0 prevCpu=0
      = cpu/5/vector/40/irq 40
      = cpu/4/vector/38/irq 40
    `);
  });

  it('a cleared irq has no vector; the move source that it still had is free too', () => {
    story(`
      vec.update irq/40 vector=35 cpu=1 prevVector=0 prevCpu=0
      vec.update irq/40 vector=36 cpu=2 prevVector=35 prevCpu=1
      vec.clear irq/40 vector=36 cpu=2 prevVector=35 prevCpu=1
      = irq/40/vector 0
      = irq/40/cpu 2
      = irq/40/prevVector null
      = irq/40/prevCpu 1
      = irq/40/moving false
      = cpu/1/vector/35/irq null
      = cpu/2/vector/36/irq null
    `);
  });

  it('after the tear-down the number is free, and its next life knows nothing of this one', () => {
    story(`
      vec.setup irq/40 legacy=false ret=0
      vec.update irq/40 vector=35 cpu=1 prevVector=0 prevCpu=0
      vec.activate irq/40 managed=true canReserve=true reserve=false
      irq.identify irq/40 device=0000:00:03.0 hwirq=2 domain=PCI-MSIX lpi=8193 owner=nvme
      = irq/40/device "0000:00:03.0"
      = irq/40/hwirq 2
      = irq/40/domain "PCI-MSIX"
      = irq/40/lpi 8193
      = irq/40/owner "nvme"
      msg.write irq/40 hwirq=3 address=0x1fee01000 data=0x23
      = irq/40/address "0x1fee01000"
      = irq/40/data "0x23"
      = irq/40/hwirq 3
      = irq/40/messageWrites 1
      irq.mask irq/40 masked=true hwirq=4
      = irq/40/masked true
      = irq/40/hwirq 4
      irq.mask irq/40 masked=false
      = irq/40/masked false
      vec.teardown irq/40 managed=true reserved=false
      = irq/40/allocated false
      = irq/40/activated false
      = irq/40/reserved false
      = irq/40/moving false
      = irq/40/vector 0
      = cpu/1/vector/35/irq null
      vec.reserve irq/40 ret=0
      = irq/40/vector null
      = irq/40/cpu null
      = irq/40/managed null
      = irq/40/activated null
      vec.setup irq/40 legacy=false ret=0
      = irq/40/device null
      = irq/40/hwirq null
      = irq/40/lpi null
      = irq/40/address null
      = irq/40/data null
      = irq/40/masked null
      = irq/40/reserved true
    `);
  });

  it('no vector lies outside 1 to 255', () => {
    story(`
      vec.update irq/40 vector=255 cpu=65535 prevVector=1 prevCpu=3
      = cpu/65535/vector/255/irq 40
      = cpu/3/vector/1/irq 40
      vec.update irq/41 vector=256 cpu=0 prevVector=0 prevCpu=0
      = cpu/0/vector/256 null
      vec.update irq/42 vector=33 cpu=65536 prevVector=0 prevCpu=0
      = cpu/65536 null
    `);
  });
});

describe('effects: handlers and descriptors', () => {
  it('a handler runs on the recording CPU, is counted, and may find nothing', () => {
    story(`
      vec.setup irq/40 legacy=false ret=0
      cpu3 irq.entry irq/40 name=nvme0q1
      = irq/40/name "nvme0q1"
      = irq/40/running 3
      = irq/40/handled 1
      = irq/40/handledSinceSetup 1
      cpu3 irq.exit irq/40 handled=true
      = irq/40/running null
      = irq/40/unhandled 0
      cpu0 irq.entry irq/40 name=nvme0q1
      = irq/40/running 0
      irq.exit irq/40 handled=false
      = irq/40/unhandled 1
      vec.setup irq/40 legacy=false ret=0
      irq.entry irq/40 name=eth0
      = irq/40/running null
      = irq/40/handled 3
      = irq/40/handledSinceSetup 1
    `);
  });

  it('affinity, management, disabling', () => {
    story(`
      irq.affinity irq/40 mask=2 lpi=8193
      = irq/40/lpi 8193
      irq.affinity irq/41 mask=2
      = irq/41/lpi null
      irq.managed irq/40 shutdown=true
      = irq/40/shutdown true
      irq.managed irq/40 shutdown=false
      = irq/40/shutdown false
      irq.status irq/40 disabled=true pending=false
      = irq/40/disabled true
      = irq/40/latched false
      irq.status irq/40 disabled=false pending=true
      = irq/40/disabled false
      = irq/40/latched true
    `);
  });

  it('domains allocate, activate and take back; what they refuse changes nothing', () => {
    story(`
      dom.alloc irq/40 domain=PCI-MSIX-0000:00:03.0 free=false hwirq=1 vector=34 cpu=2 ret=0
      = irq/40/allocated true
      = irq/40/hwirq 1
      = irq/40/vector 34
      = irq/40/cpu 2
      = irq/40/handledSinceSetup 0
      dom.activate irq/40 domain=ITS activate=true reserve=true
      = irq/40/activated null
      dom.activate irq/40 domain=ITS activate=true ret=-22
      = irq/40/activated null
      dom.activate irq/40 domain=ITS activate=true reserve=false ret=0
      = irq/40/activated true
      dom.activate irq/40 domain=ITS activate=false
      = irq/40/activated false
      dom.activate irq/40 domain=ITS activate=true
      dom.alloc irq/40 domain=ITS free=true ret=-16
      = irq/40/allocated true
      dom.alloc irq/40 domain=ITS free=true
      = irq/40/allocated false
      = irq/40/activated false
      = irq/40/vector 34
    `);
  });
});

describe('effects: the vector matrix', () => {
  const globals = 'onlineMaps=4 available=800 reserved=9 total=21';
  const perCpu = (vector: number, cpu: number): string =>
    `vector=${vector} cpu=${cpu} online=true available=199 allocated=2 managed=1 onlineMaps=5 globalAvailable=801 reserved=10 total=22`;

  it('carries the numbers of the whole and of a CPU after each operation', () => {
    story(`
      cpu1 mtx.online domain/VECTOR ${globals}
      = domain/VECTOR/onlineMaps 4
      = domain/VECTOR/available 800
      = domain/VECTOR/reserved 9
      = domain/VECTOR/allocated 21
      = cpu/1/online true
      cpu1 mtx.offline domain/VECTOR ${globals}
      = cpu/1/online false
      cpu2 mtx.reserve domain/VECTOR ${globals}
      = cpu/2 null
      mtx.online domain/VECTOR ${globals}
      mtx.alloc domain/VECTOR ${perCpu(35, 1)}
      = domain/VECTOR/onlineMaps 5
      = domain/VECTOR/available 801
      = domain/VECTOR/reserved 10
      = domain/VECTOR/allocated 22
      = cpu/1/online true
      = cpu/1/available 199
      = cpu/1/allocated 2
      = cpu/1/managed 1
      = cpu/1/vector/35/allocated true
      mtx.free domain/VECTOR ${perCpu(35, 1)}
      = cpu/1/vector/35/allocated false
      mtx.reserveManaged domain/VECTOR ${perCpu(36, 1)}
      = cpu/1/vector/36 null
      mtx.removeManaged domain/VECTOR ${perCpu(36, 1)}
      = cpu/1/vector/36 null
      mtx.allocManaged domain/VECTOR ${perCpu(36, 1)}
      = cpu/1/vector/36/allocated true
      mtx.allocReserved domain/VECTOR ${perCpu(37, 1)}
      = cpu/1/vector/37/allocated true
      mtx.assign domain/VECTOR ${perCpu(38, 65535)}
      = cpu/65535/vector/38/allocated true
      mtx.alloc domain/VECTOR ${perCpu(39, 65536)}
      = cpu/65536 null
      mtx.assignSystem domain/VECTOR vector=48 onlineMaps=6 available=3 reserved=2 total=1
      = domain/VECTOR/onlineMaps 6
      = domain/VECTOR/available 3
      mtx.removeReserved domain/VECTOR ${globals}
      = domain/VECTOR/reserved 9
    `);
  });
});

describe('effects: processors', () => {
  it('a message is accepted, taken and ended; a reset drops what was on its way', () => {
    story(`
      cpu.accept cpu/1/vector/35
      = cpu/1/vector/35/requested true
      = cpu/1/vector/35/accepts 1
      cpu.take cpu/1/vector/35
      = cpu/1/vector/35/requested false
      = cpu/1/vector/35/inService true
      cpu.eoi cpu/1/vector/35
      = cpu/1/vector/35/inService false
      cpu.accept cpu/1/vector/36
      cpu.take cpu/1/vector/36
      cpu.accept cpu/1/vector/36
      cpu.accept cpu/2/vector/36
      cpu.reset cpu/1
      = cpu/1/vector/36/requested false
      = cpu/1/vector/36/inService false
      = cpu/2/vector/36/requested true
      = cpu/2/vector/36/inService null
      gic.pend cpu/1/intid/8193 pending=true
      = cpu/1/intid/8193/requested true
      = cpu/1/intid/8193/accepts 1
      gic.pend cpu/1/intid/8193 pending=false
      = cpu/1/intid/8193/requested false
      = cpu/1/intid/8193/accepts 1
      gic.pend cpu/1/intid/8193 pending=true
      gic.ack cpu/1/intid/8193
      = cpu/1/intid/8193/requested false
      = cpu/1/intid/8193/inService true
      = cpu/1/intid/8193/taken 1
      gic.eoi cpu/1/intid/8193
      = cpu/1/intid/8193/inService false
      = cpu/1/intid/8193/eois 1
    `);
  });

  it('go offline and come online, or are refused', () => {
    story(`
      cpu.online cpu/1
      = cpu/1/online true
      cpu.state cpu/1 online=false ret=-16
      = cpu/1/online true
      cpu.state cpu/1 online=false ret=0
      = cpu/1/online false
      cpu.state cpu/1 online=true
      = cpu/1/online true
    `);
  });

  it('system vectors and wired lines', () => {
    story(`
      vector.entry cpu/1/vector/236 name=local_timer
      = cpu/1/vector/236/name "local_timer"
      = cpu/1/vector/236/active true
      = cpu/1/vector/236/entries 1
      vector.exit cpu/1/vector/236 name=local_timer
      = cpu/1/vector/236/active false
      vector.exit cpu/1/vector/253 name=reschedule
      = cpu/1/vector/253/name "reschedule"
      = cpu/1/vector/253/active false
      = cpu/1/vector/253/entries 0
      line.set ioapic/0/pin/4 level=true
      = ioapic/0/pin/4/level true
      line.set ioapic/0/pin/4 level=false
      = ioapic/0/pin/4/level false
      = ioapic/0/pin/4/changes 2
    `);
  });
});
