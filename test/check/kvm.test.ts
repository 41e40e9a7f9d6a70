// The rules about KVM, each on a trace that breaks it and on one that does not.
import assert from 'node:assert/strict';
import { importText } from '../helpers/fixtures.ts';
import { found, judged, made, verdict } from './made.ts';

const V = 'vfio/0000:03:00.0/2';
const entry = 'device/0000:00:04.0/msix/1';

/** An interrupt of an assigned device on CPU 2 as the host records it, up to the message. */
const delivery = (at: number, message = true, accepted = true): string => `
  ${at}@2 irq.entry irq/28 name=vfio-msix[0](0000:03:00.0)
  ${at + 1}@2 vfio.fire ${V}/0 irq=28
  ${at + 2}@2 irqfd.wakeup kvm/0/irqfd
  ${message ? `${at + 3}@2 kvm.msi kvm/0 dest=0 vector=34 mode=Fixed|physical|edge` : ''}
  ${message && accepted ? `${at + 4}@2 apic.accept vcpu/0/vector/34 mode=Fixed|edge posted=false` : ''}
  ${at + 5}@2 irq.exit irq/28 handled=true`;

describe('rules about KVM', () => {
  describe('F50', () => {
    it('a handler that signals and no message follows, between two deliveries that are whole', () => {
      const trace = made(`${delivery(100)}${delivery(5000, false)}${delivery(9000)}`);
      assert.deepEqual(found(trace, 'INV-ROUTE'), [
        `8 ${V}/0: MSI-X vector 0 of 0000:03:00.0 signalled its irqfd and KVM sent no message`,
      ]);
    });
    it('nothing is said where no delivery was ever whole, or none follows: the record may be filtered', () => {
      assert.deepEqual(found(made(`${delivery(100, false)}${delivery(9000)}`), 'F50'), []);
      assert.deepEqual(found(made(`${delivery(100)}${delivery(9000, false)}`), 'F50'), []);
    });
    it('a line that a worker raises instead explains it', () => {
      const slow = '5800@0 kvm.line kvm/0/gsi/30 level=true source=0\n5801@0 kvm.msi kvm/0 dest=0 vector=34 mode=Fixed';
      assert.deepEqual(found(made(`${delivery(100)}${delivery(5000, false)}\n${slow}${delivery(9000)}`), 'F50'), []);
    });
    it('a GSI above those of the I/O APIC is raised and sends nothing', () => {
      const raise = (at: number, gsi: number): string => `${at}@1 kvm.line kvm/0/gsi/${gsi} level=true source=0`;
      const msi = (at: number): string => `${at}@1 kvm.msi kvm/0 dest=0 vector=40 mode=Fixed`;
      const trace = made(`${raise(1, 30)}\n${msi(2)}\n${raise(10, 31)}\n${raise(20, 30)}\n${msi(5000)}`);
      assert.deepEqual(found(trace, 'F50'), ['2 kvm/0/gsi/31: GSI 31 was raised and no route took it']);
      const pin = made(`${raise(1, 30)}\n${msi(2)}\n${raise(10, 4)}\n${raise(20, 30)}\n${msi(5000)}`);
      assert.deepEqual(found(pin, 'F50'), []);
    });
    it('an irqfd whose route was taken away', () => {
      const route = 'route.set kvm/0/route/24 device=0000:00:04.0 vector=1 address=0xfee00000 data=0x22';
      const trace = made(`1 ${route}
        2 irqfd.wakeup kvm/0/irqfd/24
        3 route.release kvm/0/route/24
        4 irqfd.wakeup kvm/0/irqfd/24`);
      assert.deepEqual(found(trace, 'F50'), [
        '3 kvm/0/irqfd/24: The irqfd of GSI 24 was signalled while GSI 24 has no route',
      ]);
    });
  });

  describe('F51', () => {
    const route = 'route.set kvm/0/route/24 device=0000:00:04.0 vector=1';
    it('the irqfd comes before the route, or the route goes before the irqfd', () => {
      const first = made(`1 irqfd.assign kvm/0/irqfd/24 fd=30 release=false\n2 ${route}`);
      assert.deepEqual(found(first, 'INV-ORDER2'), [
        '1 kvm/0/irqfd/24: The irqfd of GSI 24 was assigned before GSI 24 had a route',
      ]);
      const last = made(
        `1 ${route}\n2 irqfd.assign kvm/0/irqfd/24 fd=30 release=false\n3 route.release kvm/0/route/24`,
      );
      assert.deepEqual(found(last, 'F51'), [
        '2 kvm/0/irqfd/24: The route of GSI 24 was taken away while its irqfd is assigned',
      ]);
    });
    it('in the order in which it has to be, and a route that is only set again', () => {
      const trace = made(`1 ${route}
        2 irqfd.assign kvm/0/irqfd/24 fd=30 release=false
        3 ${route}
        4 irqfd.assign kvm/0/irqfd/24 fd=30 release=true
        5 route.release kvm/0/route/24`);
      assert.equal(verdict(trace, 'F51'), 'pass');
    });
  });

  describe('F52', () => {
    const open = `
      1 msix.ctrl device/0000:00:04.0 enable=true fmask=false
      2 tbl.write ${entry} offset=0x0 size=8 value=0xfee00000
      3 tbl.write ${entry} offset=0x8 size=8 value=0x22
      4 route.set kvm/0/route/24 device=0000:00:04.0 vector=1 entry=${entry}`;
    const moved = `10 tbl.write ${entry} offset=0x8 size=4 value=0x23`;
    it('the message changes while unmasked and the route keeps the old one', () => {
      const expected = [
        `4 ${entry}: The route of GSI 24 has 0xfee00000/0x22, entry 1 of 0000:00:04.0 has 0xfee00000/0x23`,
      ];
      assert.deepEqual(
        found(made(`${open}\n${moved}\n200000 tbl.write device/0000:00:04.0/msix/2 offset=0xc size=4 value=1`), 'F52'),
        expected,
      );
      assert.deepEqual(found(made(`${open}\n${moved}\n20 irqfd.wakeup kvm/0/irqfd/24`), 'INV-SYNC'), expected);
    });
    it('the VMM updates the route, or the entry is masked meanwhile', () => {
      const late = '200000 tbl.write device/0000:00:04.0/msix/2 offset=0xc size=4 value=1';
      assert.deepEqual(found(made(`${open}\n${moved}\n15 route.update kvm/0/route/24\n${late}`), 'F52'), []);
      const masked = `9 tbl.write ${entry} offset=0xc size=4 value=1\n${moved}\n${late}`;
      assert.equal(verdict(made(`${open}\n${masked}`), 'F52'), 'pass');
    });
    it('a message for the remapping unit of the guest is translated on its way', () => {
      const remapped = open.replace('0xfee00000', '0xfee00018');
      assert.deepEqual(found(made(`${remapped}\n${moved}\n20 irqfd.wakeup kvm/0/irqfd/24`), 'F52'), []);
    });
  });

  describe('F53', () => {
    const irqfd = 'kvm/0/irqfd/24';
    const tie = (at: number): string => `${at}/qemu-7 irqfd.assign ${irqfd} fd=30 release=false`;
    const release = (at: number): string => `${at}/qemu-7 irqfd.assign ${irqfd} fd=30 release=true`;
    const returned = (at: number, ret = 0): string => `${at}/qemu-7 irqfd.return ${irqfd} release=true ret=${ret}`;
    const signal = (at: number): string => `${at} irqfd.wakeup ${irqfd}`;
    const title = `${irqfd}: GSI 24 was signalled after its irqfd was released`;
    const lines = (...all: string[]): string => all.join('\n');
    it('an eventfd signals after the call that released it returned', () => {
      const trace = made(lines(tie(1), signal(2), release(3), returned(10), signal(11), tie(12), signal(13)));
      assert.deepEqual(found(trace, 'INV-DEASSIGN'), [`4 ${title}`]);
      assert.deepEqual(judged(trace, 'F53').findings[0]!.evidence, [2, 3]);
    });
    it('what was under way when the call began is legal until it returns', () => {
      assert.equal(verdict(made(lines(tie(1), release(3), signal(4), returned(10))), 'F53'), 'pass');
      const unknown = made(lines(tie(1), release(3), signal(4)));
      assert.deepEqual(found(unknown, 'F53'), []);
      assert.equal(verdict(unknown, 'F53'), 'undecidable', 'nothing tells when it returned');
    });
    it('the thread goes on: its call had returned', () => {
      for (const next of [
        '8/qemu-7 kvm.entry vcpu/0',
        '8/CPU_0/KVM-7 vfio.set vfio/0000:03:00.0 flags=0x24 index=2 start=0 count=1',
        '8/qemu-7 irqfd.assign kvm/0/irqfd/25 fd=31 release=true',
      ])
        assert.deepEqual(found(made(lines(tie(1), release(3), next, signal(9))), 'F53'), [`3 ${title}`], next);
      const other = made(lines(tie(1), release(3), '8/qemu-9 kvm.entry vcpu/1', signal(9)));
      assert.deepEqual(found(other, 'F53'), []);
      assert.equal(verdict(other, 'F53'), 'undecidable', 'another thread tells nothing of it');
    });
    it('a release that failed released nothing', () => {
      assert.deepEqual(found(made(lines(tie(1), release(3), returned(5, -9), signal(9))), 'F53'), []);
    });
    it('in a simulation the event is the release', () => {
      assert.deepEqual(found(made(lines(tie(1), release(3), signal(4)), true), 'F53'), [`2 ${title}`]);
    });
    it('posting and lines: of a line, other eventfds may have been tied before', () => {
      const posts = `11 pi.update ${irqfd} enable=true hostIrq=40 vcpu=0 vector=34`;
      assert.deepEqual(found(made(lines(tie(1), release(3), returned(10), posts)), 'F53'), [
        `3 ${irqfd}: GSI 24 was posted to a virtual CPU after its irqfd was released`,
      ]);
      const level = lines(
        `${tie(1)} resample=true`,
        release(3),
        returned(10),
        '12 kvm.line kvm/0/gsi/24 level=true source=1',
      );
      assert.equal(verdict(made(level), 'F53'), 'undecidable');
      assert.deepEqual(found(made(level, true), 'F53'), [`3 ${irqfd}: GSI 24 was raised after its irqfd was released`]);
      const shared = made(`
        1 irqfd.assign kvm/0/irqfd/10 fd=30 release=false
        2 irqfd.assign kvm/0/irqfd/10 fd=31 release=false
        3/qemu-7 irqfd.assign kvm/0/irqfd/10 fd=30 release=true
        4/qemu-7 irqfd.return kvm/0/irqfd/10 release=true ret=0
        5 irqfd.wakeup kvm/0/irqfd/10`);
      assert.deepEqual(found(shared, 'F53'), []);
    });
    it('probes at kvm_irqfd and at its return, as ftrace prints them', () => {
      const trace = importText(
        [
          '# tracer: nop',
          '#',
          ' qemu-system-x86-7       [000] .....    61.200001: irqfd: (kvm_irqfd+0x4/0x600 [kvm]) fd=21 gsi=24 flags=0',
          ' qemu-system-x86-7       [000] .....    61.200002: irqfd_ret: (kvm_vm_ioctl+0x1a2/0x9c0 [kvm] <- kvm_irqfd) ret=0',
          ' qemu-system-x86-7       [000] .....    62.200001: irqfd: (kvm_irqfd+0x4/0x600 [kvm]) fd=21 gsi=24 flags=1',
          ' qemu-system-x86-7       [000] d....    62.200010: kvm_pi_irte_update: PI is enabled for irq 28, vcpu 0, gsi: 0x18, gvec: 0x22, pi_desc_addr: 0x10a7c1000',
          ' qemu-system-x86-7       [000] .....    62.200020: irqfd_ret: (kvm_vm_ioctl+0x1a2/0x9c0 [kvm] <- kvm_irqfd) ret=0',
          ' qemu-system-x86-9       [001] d....    62.200030: kvm_pi_irte_update: PI is enabled for irq 28, vcpu 0, gsi: 0x18, gvec: 0x22, pi_desc_addr: 0x10a7c1000',
          '',
        ].join('\n'),
      );
      assert.deepEqual(
        judged(trace, 'F53').findings.map(({ step, title: told }) => [trace.table.time(step) % 1e9, told]),
        [[200_030_000, 'GSI 24 was posted to a virtual CPU after its irqfd was released']],
      );
    });
  });

  describe('F54', () => {
    it('a delivered message that no local APIC accepts', () => {
      const trace = made(`${delivery(100)}${delivery(5000, true, false)}${delivery(9000)}`);
      assert.deepEqual(found(trace, 'F54'), ['9 kvm/0: The message to 0 with vector 34 reached no local APIC']);
    });
    it('what KVM could not deliver in the handler is delivered by a worker, which decodes the message again', () => {
      const worker = (cpu: number, vector: number): string => `
        5100@${cpu} kvm.line kvm/0/gsi/25 level=true source=0
        5101@${cpu} kvm.msi kvm/0 dest=0x0 vector=${vector} mode=Fixed|physical|edge
        5102@${cpu} apic.accept vcpu/0/vector/${vector} mode=Fixed|edge posted=false
        5103@${cpu} kvm.line kvm/0/gsi/25 level=false source=0`;
      const tried = (rest: string) => made(`${delivery(100)}${delivery(5000, true, false)}${rest}${delivery(9000)}`);
      for (const cpu of [2, 3]) {
        assert.deepEqual(found(tried(worker(cpu, 34)), 'F54'), [], `a worker on CPU ${cpu}`);
        assert.equal(found(tried(worker(cpu, 35)), 'F54').length, 1, 'another message');
      }
      assert.equal(
        found(tried(worker(2, 34).replace(/.*apic.accept.*\n/, '')), 'F54').length,
        1,
        'nor the second time',
      );
    });
    it('another vector that is accepted is not the one of the message', () => {
      const other = delivery(5000).replace('apic.accept vcpu/0/vector/34', 'apic.accept vcpu/0/vector/50');
      assert.deepEqual(found(made(`${delivery(100)}${other}${delivery(9000)}`), 'F54'), [
        '9 kvm/0: The message to 0 with vector 34 reached no local APIC',
      ]);
      const simulated = `${delivery(100)}${other}${delivery(9000)}`.replaceAll('@2', '');
      assert.equal(found(made(simulated, true), 'F54').length, 1, 'a simulation');
    });
    it('an interrupt of the host that brings a message of its own in between takes nothing away', () => {
      const within = `
        5003@2 irqfd.wakeup kvm/0/irqfd
        5003@2 kvm.msi kvm/0 dest=0 vector=50 mode=Fixed|physical|edge
        5003@2 apic.accept vcpu/0/vector/50 mode=Fixed|edge posted=false
        5004@2 apic.accept`;
      const nested = delivery(5000).replace(/5004@2 apic.accept/, within.trim());
      assert.deepEqual(found(made(`${delivery(100)}${nested}${delivery(9000)}`), 'F54'), []);
    });
    it('a message that is printed twice is one', () => {
      const twice = delivery(5000).replace(/(.*kvm\.msi.*\n)/, '$1$1');
      assert.deepEqual(found(made(`${delivery(100)}${twice}${delivery(9000)}`), 'F54'), []);
    });
    it('messages that are decoded because routes change are delivered to nobody', () => {
      const routes =
        '4000@2 kvm.msi kvm/0 dest=0 vector=34 mode=Fixed\n4001@2 kvm.msi kvm/0 dest=0 vector=35 mode=Fixed';
      assert.equal(verdict(made(`${delivery(100)}\n${routes}${delivery(9000)}`), 'F54'), 'pass');
    });
    it('three interrupts of the device that become two of the guest are no loss', () => {
      const coalesced = delivery(5000).replace('mode=Fixed|edge', 'mode=Fixed|edge|coalesced');
      const trace = made(`${delivery(100)}${coalesced}${delivery(9000)}
        9100@0 apic.inj vcpu/0/vector/34 reinjected=false
        9200@0 apic.eoi vcpu/0/vector/34`);
      assert.equal(verdict(trace, 'INV-COAL'), 'pass');
    });
  });

  /** Control words of a descriptor: ON bit 0, SN bit 1, NV bits 23:16, NDST bits 63:32. */
  const control = (nv: number, sn: number, on = 0, ndst = 0): string =>
    `0x${((BigInt(ndst) << 32n) | BigInt((nv << 16) | (sn << 1) | on)).toString(16)}`;
  const pi = (at: number, word: string): string => `${at} pi.write vcpu/0/pi control=${word}`;
  const post = (at: number, notified: boolean): string =>
    `${at} pi.post vcpu/0/pi vector=81 set=true notified=${notified}`;

  describe('F55', () => {
    const halts = `${pi(1, control(0xf1, 1))}\n2 kvm.exit vcpu/0 reason=HLT`;
    const sched = (at: number, what: string): string => `${at} vcpu.sched vcpu/0 ${what}`;
    const title = 'vcpu/0/pi: Vector 81 was posted to vcpu/0, which is halted with SN set: nothing wakes it';
    it('SN stays set while the virtual CPU is blocked', () => {
      const blocked = made(`${halts}\n${sched(5, 'on=false sleeps=true')}\n${post(10, false)}`);
      assert.deepEqual(found(blocked, 'INV-SN'), [`3 ${title}`]);
      assert.deepEqual(found(made(`${halts}\n${post(10, false)}`, true), 'F55'), [`2 ${title}`], 'a simulated host');
    });
    it('one that was preempted, that polls or that was woken is not blocked, also behind a halt', () => {
      for (const before of [
        sched(5, 'on=false sleeps=false'),
        `${sched(5, 'on=false sleeps=true')}\n${sched(6, 'on=true')}`,
        `${sched(5, 'on=false sleeps=true')}\n${sched(6, 'on=false sleeps=false')}`,
        '5 kvm.exit vcpu/0 reason=EXTERNAL_INTERRUPT',
        `6 kvm.userspace vcpu/0 reason=KVM_EXIT_INTR\n${sched(7, 'on=false sleeps=true')}`,
      ])
        assert.equal(verdict(made(`${halts}\n${before}\n${post(10, false)}`), 'F55'), 'pass', before);
    });
    it('a halt alone does not tell: the rule is undecidable', () => {
      for (const before of [
        '',
        sched(5, 'on=false'),
        `${sched(5, 'on=false sleeps=true')}\n6 lost buffer/0 count=1\n7 kvm.exit vcpu/0 reason=HLT`,
      ])
        assert.equal(verdict(made(`${halts}\n${before}\n${post(10, false)}`), 'F55'), 'undecidable', before);
    });
    it('a running one has SN 0 and the notification vector', () => {
      const runs = made(`${pi(1, control(0xf2, 1))}\n2 kvm.entry vcpu/0`);
      assert.deepEqual(found(runs, 'F55'), ['1 vcpu/0/pi: vcpu/0 runs with SN 1 and notification vector 0xf2']);
      const preempted = made(
        `${pi(1, control(0xf2, 1))}\n2 kvm.exit vcpu/0 reason=EXTERNAL_INTERRUPT\n${post(10, false)}`,
      );
      assert.equal(verdict(preempted, 'F55'), 'pass');
      // Every entry until the descriptor is put right shows the same fault.
      const [wrong, right] = [pi(1, control(0xf2, 1)), pi(4, control(0xf2, 0))];
      const enters = (...at: readonly number[]): string => at.map((t) => `${t} kvm.entry vcpu/0`).join('\n');
      assert.equal(found(made(`${wrong}\n${enters(2, 3)}`), 'F55').length, 1);
      assert.equal(
        found(made(`${wrong}\n${enters(2, 3)}\n${right}\n${wrong.replace('1 ', '5 ')}\n${enters(6)}`), 'F55').length,
        2,
      );
      assert.equal(verdict(made(`${pi(1, control(0xf2, 0))}\n2 kvm.entry vcpu/0`), 'F55'), 'pass');
    });
  });

  it('F56 a notified post that a running virtual CPU does not take', () => {
    const ran = `${pi(1, control(0xf2, 0))}\n2 kvm.entry vcpu/0\n${post(10, true)}`;
    assert.deepEqual(found(made(`${ran}\n5000 kvm.exit vcpu/0 reason=HLT`), 'INV-ON'), [
      '2 vcpu/0/pi: vcpu/0 ran 4.990 ms and did not take posted vector 81',
    ]);
    const taken = `${pi(11, control(0xf2, 0))}\n11 pi.post vcpu/0/pi vector=81 set=false notified=false`;
    assert.equal(verdict(made(`${ran}\n${taken}\n5000 kvm.exit vcpu/0 reason=HLT`), 'F56'), 'pass');
    const atOnce = made(`${ran}\n30 kvm.exit vcpu/0 reason=EXTERNAL_INTERRUPT`);
    assert.deepEqual(found(atOnce, 'F56'), []);
  });

  it('F57 a notification goes to the CPU that the virtual CPU left', () => {
    const apic = (cpu: number, id: number): string => `1 vec.config irq/2${cpu} vector=40 cpu=${cpu} apicDest=${id}`;
    const run = (ndst: number): string => `${apic(1, 2)}\n${apic(3, 6)}
      2 pi.write vcpu/0/pi control=${control(0xf2, 0, 0, ndst)}
      3@3 kvm.entry vcpu/0
      10 pi.post vcpu/0/pi vector=81 set=true notified=true`;
    assert.deepEqual(found(made(run(2)), 'F57'), [
      '4 vcpu/0/pi: Vector 81 for vcpu/0 notified APIC id 2, the virtual CPU runs on CPU 3',
    ]);
    assert.equal(verdict(made(run(6)), 'F57'), 'pass');
    assert.equal(verdict(made(run(6 << 8)), 'F57'), 'pass', 'xAPIC: the id in bits 15:8');
    assert.equal(
      verdict(made(run(2).replaceAll(/.*vec.config.*\n/g, '')), 'F57'),
      'not-applicable',
      'APIC ids are not known',
    );
  });

  it('F57 NDST is an APIC id also where the kernel writes logical destinations', () => {
    // x2APIC cluster mode: APIC ids 0, 2 and 0x20 have the logical ids 1, 4 and 0x20001 (SDM vol. 3).
    const cluster = [0x1, 0x4, 0x20001].map(
      (dest, cpu) => `1 vec.config irq/2${cpu} vector=40 cpu=${cpu} apicDest=${dest}`,
    );
    const run = (ndst: number): string => `2 pi.write vcpu/0/pi control=${control(0xf2, 0, 0, ndst)}
      3@1 kvm.entry vcpu/0
      ${post(10, true)}`;
    assert.equal(verdict(made(`${cluster.join('\n')}\n${run(2)}`), 'F57'), 'pass');
    assert.equal(found(made(`${cluster.join('\n')}\n${run(0x20)}`), 'F57').length, 1);
    // xAPIC flat mode: which APIC id has bit 1 is not told.
    const flat = [1, 2, 4].map((dest, cpu) => `1 vec.config irq/2${cpu} vector=40 cpu=${cpu} apicDest=${dest}`);
    assert.equal(verdict(made(`${flat.join('\n')}\n${run(1)}`), 'F57'), 'not-applicable');
  });

  it('F58 a vector is posted that the route no longer has', () => {
    const route = '1 route.set kvm/0/route/24 device=0000:00:04.0 vector=1 address=0xfee00000 data=0x22';
    const update = (vector: number): string =>
      `5 pi.update kvm/0/irqfd/24 enable=true hostIrq=40 vcpu=0 vector=${vector}`;
    assert.deepEqual(found(made(`${route}\n${update(0x23)}`), 'INV-GV'), [
      '1 kvm/0/irqfd/24: GSI 24 is posted as vector 35, its route says 34',
    ]);
    assert.equal(verdict(made(`${route}\n${update(0x22)}`), 'F58'), 'pass');
  });

  it('F59 an interrupt comes through the host after posting was switched off', () => {
    const off = '1 pi.update kvm/0/irqfd/24 enable=false hostIrq=28 vcpu=0 vector=0';
    const [one, ...more] = judged(made(`${off}${delivery(100)}${delivery(200)}`), 'F59').findings;
    assert.deepEqual(more, []);
    assert.equal(one!.severity, 'info');
    assert.equal(one!.step, 3);
    assert.equal(one!.title, 'MSI-X vector 0 of 0000:03:00.0 is not posted: its interrupts go through host irq 28');
    const on = '50 pi.update kvm/0/irqfd/24 enable=true hostIrq=28 vcpu=0 vector=34';
    assert.deepEqual(found(made(`${off}\n${on}${delivery(100)}`), 'F59'), []);
    const released = '50 irqfd.assign kvm/0/irqfd/24 fd=30 release=true';
    assert.deepEqual(found(made(`${off}\n${released}${delivery(100)}`), 'F59'), []);
  });
});
