// The rules about VFIO and the VMM, each on a trace that breaks it and on one that does not.
import assert from 'node:assert/strict';
import { found, judged, made, verdict } from './made.ts';

const DEV = 'vfio/0000:03:00.0';
const V = `${DEV}/2`;

describe('rules about VFIO', () => {
  describe('F40', () => {
    const armed = `1 vfio.bind ${V}/0 eventfd=34 irq=28 entry=device/0000:03:00.0/msix/0`;
    const set = 'flags=0x24 index=2 start=0 count=1';
    it('a vector that is switched while armed is exposed for as long as the call takes', () => {
      const trace = made(`
        ${armed}
        10 vfio.set ${DEV} ${set}
        822 vfio.return ${DEV} index=2 start=0 count=1 ret=0
        900 vfio.set ${DEV} ${set}
        901 vfio.return ${DEV} index=2 start=0 count=1 ret=0`);
      assert.deepEqual(found(trace, 'F40'), [
        `2 ${V}/0: MSI-X vector 0 of 0000:03:00.0 had no handler while its eventfd was switched, 812.000 µs without a handler`,
      ]);
      assert.deepEqual(judged(trace, 'INV-SWITCH').findings[0]!.evidence, [1, 2]);
      assert.equal(judged(trace, 'F40').findings[0]!.severity, 'warning');
    });

    it('a vector without an eventfd, or of an index that was switched off, is not exposed', () => {
      const trace = made(`
        1 vfio.bind ${V}/0
        2 vfio.use ${V}/0 used=false
        10 vfio.set ${DEV} ${set}
        20 vfio.return ${DEV} index=2 start=0 count=1 ret=0`);
      assert.deepEqual(found(trace, 'F40'), []);
      assert.equal(verdict(trace, 'F40'), 'not-applicable');
    });

    const lossy = (after: string): string => `
        ${armed}
        10 vfio.set ${DEV} ${set}
        15 dev.raise device/0000:03:00.0/msix/0
        20 vfio.return ${DEV} index=2 start=0 count=1 ret=0
        ${after}
        90 dev.raise device/0000:03:00.0/msix/0`;
    it('a cause inside the window that nothing signals afterwards is lost', () => {
      const trace = made(lossy(`30 vfio.fire ${V}/1`), true);
      assert.deepEqual(found(trace, 'F40'), [
        `5 ${V}/0: MSI-X vector 0 of 0000:03:00.0 lost an interrupt while its eventfd was switched`,
      ]);
      const [lost] = judged(trace, 'F40').findings;
      assert.equal(lost!.severity, 'error');
      assert.deepEqual(lost!.evidence, [1, 2, 3]);
    });

    it('a cause inside the window that comes back afterwards is not lost', () => {
      assert.deepEqual(found(made(lossy(`30 vfio.fire ${V}/0`), true), 'F40'), []);
      assert.equal(verdict(made(lossy(`30 vfio.fire ${V}/0`), true), 'F40'), 'pass');
    });
  });

  describe('F41', () => {
    const armed = `1 vfio.bind ${V}/0 eventfd=34
      2 vfio.bind ${V}/1 eventfd=35`;
    const off = `vfio.set ${DEV} flags=0x21 index=2 start=0 count=0`;
    const on = (count: number): string => `vfio.set ${DEV} flags=0x24 index=2 start=0 count=${count}`;
    /** A thread of a VMM that runs a virtual CPU. */
    const runs = `3/qemu-7 kvm.entry vcpu/0
      4/qemu-7 kvm.exit vcpu/0 reason=EPT_VIOLATION`;
    const title = `${DEV}: All 2 armed vectors of 0000:03:00.0 went down to grow to 3`;
    it('the index goes off with two armed vectors and on again with three, and the guest waits meanwhile', () => {
      const trace = made(`${armed}
        ${runs}
        10/qemu-7 ${off}
        20/qemu-8 kvm.entry vcpu/1
        50/CPU_0/KVM-7 ${on(3)}
        60/qemu-7 kvm.entry vcpu/0`);
      assert.deepEqual(found(trace, 'F41'), [`6 ${title}`]);
      const simulated = made(`${armed}\n10/vmm/vfio ${off}\n50/vmm/vfio ${on(3)}`, true);
      assert.deepEqual(found(simulated, 'F41'), [`3 ${title}`]);
    });
    it('a driver of the guest that is loaded again sets up what it wants: the guest ran in between', () => {
      const again = `10/qemu-7 ${off}
        20/qemu-7 kvm.entry vcpu/0
        30/qemu-7 kvm.exit vcpu/0 reason=EPT_VIOLATION
        50/qemu-7 ${on(3)}`;
      assert.equal(verdict(made(`${armed}\n${runs}\n${again}`), 'F41'), 'pass');
      const reset = `10/qemu-7 ${off}\n20/qemu-7 vfio.reset ${DEV} how=hot\n50/qemu-7 ${on(3)}`;
      assert.deepEqual(found(made(`${armed}\n${runs}\n${reset}`), 'F41'), []);
    });
    it('of a thread that is not seen to run a guest nothing tells who asked', () => {
      const trace = made(`${armed}
        10/spdk-7 ${off}
        50/spdk-7 ${on(3)}
        60/qemu-8 kvm.entry vcpu/1`);
      assert.deepEqual(found(trace, 'F41'), []);
      assert.equal(verdict(trace, 'F41'), 'undecidable');
    });
    it('a guest that switches MSI-X off and on again tears nothing down unasked', () => {
      const trace = made(`${armed}
        ${runs}
        10/qemu-7 ${off}
        20/qemu-7 vfio.set ${DEV} flags=0x24 index=0 start=0 count=1
        30/qemu-7 vfio.set ${DEV} flags=0x21 index=0 start=0 count=0
        50/qemu-7 ${on(4)}`);
      assert.deepEqual(found(trace, 'F41'), []);
      const again = made(`${armed}
        ${runs}
        10/qemu-7 ${off}
        50/qemu-7 ${on(1)}`);
      assert.deepEqual(found(again, 'F41'), []);
      assert.equal(verdict(again, 'F41'), 'pass');
    });
  });

  describe('F42', () => {
    const set = (what: string): string => `vfio.set ${DEV} ${what}`;
    const again = (count: number): string => set(`flags=0x24 index=2 start=0 count=${count}`);
    const asked = `1 vfio.use ${V}/0 used=false
      10/qemu-7 ${again(8)}
      20/qemu-7 vfio.return ${DEV} index=2 start=0 count=8 ret=4`;
    const enters = '40/qemu-7 kvm.entry vcpu/0';
    const title = '0000:03:00.0 was granted 4 of 8 vectors, none is enabled, and the caller did not ask for 4';
    it('a caller that is granted fewer asks again for that many', () => {
      assert.equal(verdict(made(`${asked}\n30/qemu-7 ${again(4)}\n${enters}`), 'F42'), 'pass');
      assert.equal(verdict(made(`${asked}\n30/qemu-7 ${again(2)}\n${enters}`), 'F42'), 'pass', 'or for fewer');
    });
    it('other calls may come first: INTx is set up, the index is switched off, another device is served', () => {
      const others = `22/qemu-7 ${set('flags=0x21 index=2 start=0 count=0')}
        24/qemu-7 ${set('flags=0x24 index=0 start=0 count=1')}
        26/qemu-7 ${set('flags=0x21 index=0 start=0 count=0')}
        28/qemu-8 kvm.entry vcpu/1`;
      assert.equal(verdict(made(`${asked}\n${others}\n30/qemu-7 ${again(4)}\n${enters}`), 'F42'), 'pass');
      assert.deepEqual(found(made(`${asked}\n${others}\n${enters}`), 'F42'), [`7 ${DEV}: ${title}`]);
    });
    it('a caller that asks for as many again did not understand', () => {
      assert.deepEqual(found(made(`${asked}\n30/qemu-7 ${again(8)}`), 'F42'), [`3 ${DEV}: ${title}`]);
    });
    it('the guest goes on and nobody asked again', () => {
      assert.deepEqual(found(made(`${asked}\n${enters}`), 'F42'), [`3 ${DEV}: ${title}`]);
      assert.deepEqual(judged(made(`${asked}\n${enters}`), 'INV-RET').findings[0]!.evidence, [2]);
    });
    it('where the trace ends before, the call may follow; a simulation tells all', () => {
      assert.deepEqual(found(made(asked), 'F42'), []);
      assert.equal(verdict(made(asked), 'F42'), 'undecidable');
      assert.deepEqual(found(made(asked, true), 'F42'), [`2 ${DEV}: ${title}`]);
    });
  });

  describe('F43', () => {
    const entry = 'device/0000:03:00.0/msix/0';
    const kernel = `
      1 irq.identify irq/28 device=0000:03:00.0 hwirq=0 domain=PCI-MSIX-0000:03:00.0
      2 msix.ctrl device/0000:03:00.0 enable=true fmask=false
      3 tbl.write ${entry} offset=0x0 size=8 value=0xfee00000
      4 tbl.write ${entry} offset=0x8 size=8 value=0x25
      5 msg.write irq/28 address=0xfee00000 data=0x25`;
    it('an unmasked entry that reads another message than the kernel wrote', () => {
      const trace = made(`${kernel}
        9000 tbl.read ${entry} offset=0x0 size=4 value=0x0
        9001 tbl.read ${entry} offset=0x0 size=4 value=0x0`);
      assert.deepEqual(found(trace, 'F43'), [
        `5 ${entry}: entry 0 of 0000:03:00.0 holds 0x0/0x25, the kernel wrote 0xfee00000/0x25`,
      ]);
      assert.deepEqual(judged(trace, 'INV-TBL').findings[0]!.evidence, [4]);
    });
    it('the same message, a masked entry, or a read right behind the write is no difference', () => {
      assert.equal(
        verdict(made(`${kernel}\n9000 tbl.read ${entry} offset=0x0 size=4 value=0xfee00000`), 'F43'),
        'pass',
      );
      const masked = `${kernel}\n8 tbl.write ${entry} offset=0xc size=4 value=1\n9000 tbl.read ${entry} offset=0x0 size=4 value=0x0`;
      assert.deepEqual(found(made(masked), 'F43'), []);
      assert.deepEqual(found(made(`${kernel}\n9 tbl.read ${entry} offset=0x0 size=4 value=0x0`), 'F43'), []);
    });
  });

  it('F44 a vector that the device model gave up is raised', () => {
    const entry = 'device/0000:00:04.0/msix/3';
    const trace = made(`
      1 dev.use ${entry} used=true
      2 dev.raise ${entry}
      3 dev.use ${entry} used=false
      4 dev.raise ${entry}
      5 dev.use ${entry} used=true
      6 dev.raise ${entry}`);
    assert.deepEqual(found(trace, 'F44'), [
      `3 ${entry}: entry 3 of 0000:00:04.0 was raised although the device model does not use it`,
    ]);
    assert.deepEqual(judged(trace, 'INV-USE').findings[0]!.evidence, [2]);
  });

  describe('F45', () => {
    const fire = (v: number): string => `vfio.fire ${V}/${v} address=0xfee00000 data=0x2${v}`;
    const pba = (trapped: boolean): string => `vfio.pba ${DEV} trapped=${trapped}`;
    const masked = `1 ${pba(false)}
      2 vfio.use ${V}/0 used=false
      3 vfio.use ${V}/1 used=false`;
    it('QEMU keeps an interrupt and does not trap the pending bits', () => {
      assert.deepEqual(found(made(`${masked}\n10 ${fire(0)}`), 'F45'), [
        `3 ${V}/0: MSI-X vector 0 of 0000:03:00.0 waits in QEMU while reads of the pending bits go to the hardware`,
      ]);
    });
    it('QEMU stops to trap them while another vector waits', () => {
      const trace = made(`${masked}
        9 ${pba(true)}
        10 ${fire(0)}
        11 ${fire(1)}
        20 vfio.use ${V}/0 used=true
        21 ${pba(false)}`);
      assert.deepEqual(found(trace, 'INV-OVL'), [
        `7 ${V}/1: Reads of the pending bits of 0000:03:00.0 go to the hardware while MSI-X vector 1 of 0000:03:00.0 waits`,
      ]);
    });
    it('trapped before the interrupt and until the vector is used', () => {
      const trace = made(`${masked}
        9 ${pba(true)}
        10 ${fire(0)}
        20 vfio.use ${V}/0 used=true
        21 ${pba(false)}`);
      assert.equal(verdict(trace, 'F45'), 'pass');
    });
  });

  describe('F46', () => {
    const line = (level: boolean, source: number): string => `kvm.line kvm/0/gsi/10 level=${level} source=${source}`;
    const ack = 'kvm.ack kvm/0/irqchip chip=IOAPIC pin=10';
    it('the guest ends the interrupt and the line stays up', () => {
      const trace = made(`
        1 ${line(true, 1)}
        10 ${ack}
        2000 kvm.line kvm/0/gsi/4 level=false source=0`);
      assert.deepEqual(found(trace, 'INV-RESAMPLE'), [
        '2 kvm/0/gsi/10: GSI 10 stayed up after the guest ended its interrupt',
      ]);
      assert.deepEqual(judged(trace, 'F46').findings[0]!.evidence, [0, 1]);
    });
    it('the line goes down at once, or is none of the resampler', () => {
      const good = made(`
        1 ${line(true, 1)}
        10 ${ack}
        12 ${line(false, 1)}
        2000 kvm.line kvm/0/gsi/4 level=false source=0`);
      assert.equal(verdict(good, 'F46'), 'pass');
      const other = made(`
        1 ${line(true, 0)}
        10 ${ack}
        2000 kvm.line kvm/0/gsi/4 level=false source=0`);
      assert.deepEqual(found(other, 'F46'), []);
    });
  });

  describe('F47', () => {
    it('MASK of an MSI-X vector, and of INTx, which is allowed', () => {
      const trace = made(`
        1 vfio.set ${DEV} flags=0x9 index=0 start=0 count=1
        2 vfio.set ${DEV} flags=0x9 index=2 start=3 count=1
        3 vfio.set ${DEV} flags=0x11 index=2 start=0 count=2`);
      assert.deepEqual(found(trace, 'F47'), [
        `1 ${DEV}: SET_IRQS was asked to mask MSI-X vector 3 of 0000:03:00.0`,
        `2 ${DEV}: SET_IRQS was asked to unmask MSI-X vectors 0 to 1 of 0000:03:00.0`,
      ]);
    });
    it('a guest that masks a vector 16 times within a second', () => {
      const cycle = (i: number): string =>
        `${i * 100} vfio.use ${V}/0 used=true\n${i * 100 + 50} vfio.use ${V}/0 used=false`;
      const lines = Array.from({ length: 16 }, (_, i) => cycle(i)).join('\n');
      const [one, ...more] = judged(made(lines), 'F47').findings;
      assert.deepEqual(more, []);
      assert.equal(one!.severity, 'info');
      assert.equal(one!.step, 31);
      assert.equal(
        one!.title,
        'MSI-X vector 0 of 0000:03:00.0 was masked 16 times in 1.500 ms: each mask switches its eventfd',
      );
      const slow = Array.from({ length: 16 }, (_, i) => `${i * 100_000} vfio.use ${V}/0 used=false`).join('\n');
      assert.deepEqual(found(made(slow), 'F47'), []);
    });
  });

  describe('F48', () => {
    const sparse = `1 vfio.sparse ${DEV} region=0 offset=0x1000 size=0x1000`;
    const trap = (offset: string): string =>
      `vfio.trap ${DEV} register=MSIX_PERM latency=init wanted=true cost=2000 write=true offset=${offset}`;
    it('a register that has to be trapped lies in an area that may be mapped', () => {
      const trace = made(`${sparse}\n2 ${trap('0x1008')}\n3 ${trap('0x1010')}`);
      assert.deepEqual(found(trace, 'INV-TRAP'), [
        `1 ${DEV}: MSIX_PERM of 0000:03:00.0 lies in an area that user space may map`,
      ]);
      assert.deepEqual(
        found(made(`${sparse}\n2 ${trap('0x2008')}\n3 perm.write device/0000:03:00.0/perm/1 value=1`), 'F48'),
        [],
      );
    });
    it('the guest writes a permission entry that VFIO does not see', () => {
      const write = 'perm.write device/0000:03:00.0/perm/1 value=0x508';
      assert.deepEqual(found(made(`${sparse}\n2/guest-kernel/vm0.vcpu0 ${write}`), 'F48'), [
        '1 device/0000:03:00.0/perm/1: device/0000:03:00.0/perm/1 was written by the guest and VFIO did not see it',
      ]);
      assert.deepEqual(found(made(`${sparse}\n2/vfio/dev ${write}`), 'F48'), []);
    });
  });
});
