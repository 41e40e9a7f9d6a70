// Which deliveries lost events of a CPU leave alone, and of which nothing more is known.
import assert from 'node:assert/strict';
import type { Trace } from '../../../src/trace/trace.ts';
import { hopLines, lines, pathThrough, text } from './lines.ts';

describe('lost events of a CPU', () => {
  const stamp = (n: number): string => `48.8537${String(n).padStart(2, '0')}`;
  const enter = (cpu: number, n: number): string =>
    `          <idle>-0       [00${cpu}] d.h1.    ${stamp(n)}: irq_handler_entry: irq=28 name=vfio-msix[1](0000:00:03.0)`;
  const leave = (cpu: number, n: number): string =>
    `          <idle>-0       [00${cpu}] d.h1.    ${stamp(n)}: irq_handler_exit: irq=28 ret=handled`;
  const event = (cpu: number, n: number, text: string): string =>
    `          <idle>-0       [00${cpu}] d.h1.    ${stamp(n)}: ${text}`;
  const lose = (cpu: number): string => `CPU:${cpu} [LOST 5 EVENTS]`;
  const LOST = 'the trace lost events of CPU 0 here: what follows may be among them';

  it('what was taken before was delivered, what waited is not known', () => {
    const trace = text([
      event(1, 43, 'kvm_apic_accept_irq: apicid 1 vec 34 (Fixed|edge)'),
      enter(0, 50).replace('irq=28 name=vfio-msix[1](0000:00:03.0)', 'irq=30 name=nvme0q1'),
      enter(0, 51),
      lose(0),
      leave(0, 90),
    ]);
    for (const [line, hops, delivered] of [
      [1, '1:accept', null],
      [2, '2:handler', true],
      // Its handler passes it on to a guest, whose virtual CPU may have got it.
      [3, '3:handler 3:signal', null],
    ] as const) {
      const path = pathThrough(trace, line)!;
      assert.equal(hopLines(trace, path), hops);
      assert.equal(path.delivered, delivered);
      assert.equal(path.reason, LOST);
    }
  });

  it('a handler returns on the CPU on which it was entered: losses of another CPU do not touch it', () => {
    const trace = text([enter(1, 10), enter(0, 11), lose(0), leave(1, 20), leave(0, 21)]);
    assert.equal(lines(trace, 1), '1:handler 1:signal 4:handler');
    assert.equal(pathThrough(trace, 1)!.reason, null);
    assert.equal(lines(trace, 2), '2:handler 2:signal');
    assert.equal(pathThrough(trace, 2)!.reason, LOST);
  });

  it('a handler signals and injects on its CPU; then the thread of the virtual CPU goes on at any', () => {
    const accepted = event(1, 14, 'kvm_apic_accept_irq: apicid 0 vec 37 (Fixed|edge)');
    const route = event(1, 13, 'kvm_msi_set_irq: dst 0 vec 37 (Fixed|physical|edge)');
    const inject = '     CPU 0/KVM-77    [001] d..1.    48.853730: kvm_inj_virq: IRQ 0x25';
    const run = '     CPU 0/KVM-77    [001] d..1.    48.853701: kvm_entry: vcpu 0, rip 0x1000';
    const trace = text([run, enter(1, 10), lose(0), route, accepted, leave(1, 20), inject]);
    assert.equal(lines(trace, 2), '2:handler 2:signal 4:route 5:accept 6:handler 7:inject');
    const later = text([run, enter(1, 10), route, accepted, lose(0), leave(1, 20), inject]);
    // The return of the handler belongs to it all the same.
    assert.equal(lines(later, 2), '2:handler 2:signal 3:route 4:accept 6:handler');
    assert.equal(pathThrough(later, 2)!.reason, LOST);
    assert.equal(lines(later, 7), '7:inject', 'it may have been injected before, and this be another one');
  });

  /** Of a trace file, whose first record is in line 3. */
  const file = (...records: readonly string[]): Trace =>
    text([
      '#irqtrace 1',
      '#clock seconds digits=9 "model time"',
      ...records.map((record, i) => `0.00000000${i} ${record}`),
    ]);

  it('what the local APIC of a CPU holds, that CPU takes', () => {
    const accept = 'cpu1 - cpu.accept cpu/1/vector/33';
    const take = 'cpu1 - cpu.take cpu/1/vector/33';
    const eoi = 'cpu1 - cpu.eoi cpu/1/vector/33';
    assert.equal(lines(file(accept, 'cpu0 - lost buffer/0 count=5', take, eoi), 3), '3:accept 5:inject 6:eoi');
    assert.equal(lines(file(accept, take, 'cpu0 - lost buffer/0 count=5', eoi), 3), '3:accept 4:inject 6:eoi');
    assert.equal(lines(file(accept, 'cpu1 - lost buffer/1 count=5', take, eoi), 3), '3:accept');
    // Where the record names no CPU, it may have been any.
    assert.equal(lines(file(accept, '- - lost log count=5', take, eoi), 3), '3:accept');
    // Buffers of another system hold nothing of this one.
    assert.equal(lines(file(accept, 'cpu1 - lost guest:buffer/1 count=5', take, eoi), 3), '3:accept 5:inject 6:eoi');
  });

  it('a message that names its vector arrives there; one that a table translates may be sent elsewhere by now', () => {
    const irq = '- - vec.config irq/25 vector=33 cpu=1 apicDest=1';
    const owner = '- - vec.update irq/25 vector=33 cpu=1 prevVector=0 prevCpu=0';
    const table = '- - tbl.write device/0000:00:03.0/msix/1 offset=0x0 size=8';
    const data = '- - tbl.write device/0000:00:03.0/msix/1 offset=0x8 size=8';
    const loss = 'cpu0 - lost buffer/0 count=5';
    const enters = 'cpu1 - irq.entry irq/25 name=nvme0';
    // Compatibility format, physical destination 1, vector 0x21; and remappable format, handle 24 (VT-d 5.1.2).
    const direct = '- - send device/0000:00:03.0/msix/1 address=0xfee01000 data=0x21';
    const named = file(owner, irq, `${table} value=0xfee01000`, `${data} value=0x21`, direct, loss, enters);
    assert.equal(lines(named, 7), '7:message 9:handler');
    const remapped = '- - send device/0000:00:03.0/msix/1 address=0xfee00318 data=0x0';
    const entry = '- - irte.write irte/dmar0/24 value=0x0000000000000000000001000000000000210001';
    const selects = file(owner, irq, entry, `${table} value=0xfee00318`, `${data} value=0x0`, remapped, loss, enters);
    assert.equal(lines(selects, 8), '8:message');
    assert.equal(pathThrough(selects, 8)!.reason, LOST);
  });

  it('of a cause that waits in its device nothing more is known', () => {
    const sent = '- - send device/0000:00:03.0/msix/1 address=0xfee01000 data=0x21';
    const trace = file('- - dev.raise device/0000:00:03.0/msix/1 vector=1', 'cpu0 - lost buffer/0 count=5', sent);
    assert.equal(lines(trace, 3), '3:cause');
    assert.equal(pathThrough(trace, 3)!.reason, LOST);
  });
});
