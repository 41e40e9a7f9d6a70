// One delivery of each kind: coalescing, re-raise, level, several vectors at once, posted, nested.
import assert from 'node:assert/strict';
import { devRaise, msgSend } from '../../../src/model/events/msix.ts';
import { msixEntry } from '../../../src/model/things/pci.ts';
import { type PathView, pathAt } from '../../../src/query/delivery/path.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { made } from '../../check/made.ts';
import { fixtureTrace, grep, importText } from '../../helpers/fixtures.ts';
import { bundled, run, start } from '../../sim/run.ts';

const stages = (path: PathView | undefined): string => (path?.hops ?? []).map((hop) => hop.stage).join(' ');

/** The steps at which events of a kind stand. */
const stepsOf = (trace: Trace, kind: string): number[] =>
  Array.from({ length: trace.length }, (_, step) => step).filter((step) => trace.table.kind(step).name === kind);

/** The first step of a line. */
function stepOf(trace: Trace, line: number): number {
  let step = trace.lastAtLine(line);
  while (step > 0 && trace.table.line(step - 1) === line) step--;
  return step;
}

describe('kinds of deliveries', () => {
  it('coalescing: causes that wait behind a mask are served by one message (scenario first-run)', () => {
    const simulation = run({
      devices: [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 2 }],
      workload: [
        { at: '100us', op: 'entry.mask', object: 'device/0000:03:00.0/msix/1' },
        { at: '110us', op: 'device.raise', object: 'device/0000:03:00.0/msix/1' },
        { at: '120us', op: 'device.raise', object: 'device/0000:03:00.0/msix/1' },
        { at: '130us', op: 'entry.unmask', object: 'device/0000:03:00.0/msix/1' },
      ],
    });
    const { trace } = simulation;
    const [first, second] = stepsOf(trace, 'dev.raise') as [number, number];
    const path = pathAt(trace, second)!;
    assert.equal(stages(path), 'cause cause message accept inject eoi handler handler');
    assert.equal(path.hops[0]!.step, first);
    assert.equal(path.delivered, true);
    assert.match(path.hops[0]!.detail, /entry mask 1, pending 1 \(masked: no message now\)/);
  });

  it('coalescing: a message for an LPI that is pending merges with it (Arm capture)', () => {
    const name = 'arm64-a/qemu.log';
    const trace = fixtureTrace(name);
    // Two doorbell writes for one INTID without an acknowledge between: the second one merges.
    const lines = grep(name, /gicv3_its_(translation_write|dte_read|ite_read)|gicv3_icc_iar1_read/);
    const pending = new Map<string, number>();
    const merged: number[] = [];
    for (const [i, { line, text }] of lines.entries()) {
      // Commands read the table too.
      if (/ite_read/.test(text) && !/translation_write/.test(lines[i - 2]?.text ?? '')) continue;
      const sent = /valid 1 .*intid 0x(\w+)/.exec(text)?.[1];
      const taken = /iar1_read .*value 0x(\w+)/.exec(text)?.[1];
      if (taken !== undefined) pending.delete(taken);
      else if (sent !== undefined && pending.has(sent)) merged.push(line);
      else if (sent !== undefined) pending.set(sent, line);
    }
    assert.ok(merged.length > 0, 'the capture holds such messages');
    for (const line of merged) {
      const path = pathAt(trace, stepOf(trace, line))!;
      assert.match(path.reason ?? '', /^merged with the interrupt that was still requested/, `line ${line}`);
    }
  });

  it('re-raise: a message that comes while its vector is in service is taken after it (KVM capture)', () => {
    const name = 'x86-nested/l1-vfio.txt';
    const trace = fixtureTrace(name);
    // Of vector 34 of virtual CPU 0: accepted on line 134, while the one before (injected on 128) is not ended; then 139, 141.
    const lines = grep(name, /kvm_apic_accept_irq: apicid 0 vec 34|kvm_inj_virq: IRQ 0x22|kvm_eoi: apicid 0 vector 34/);
    const at = (n: number): string => /(accept|inj|eoi)/.exec(lines[n]!.text)![1]!;
    let n = 0;
    while (!(at(n) === 'inj' && at(n + 1) === 'accept' && at(n + 2) === 'eoi' && at(n + 3) === 'inj')) n++;
    const path = pathAt(trace, stepOf(trace, lines[n + 1]!.line))!;
    const inject = path.hops.find((hop) => hop.stage === 'inject')!;
    assert.equal(trace.table.line(inject.step), lines[n + 3]!.line);
    assert.ok(
      !path.hops.some((hop) => trace.table.line(hop.step) === lines[n + 2]!.line),
      'the end is of the one before',
    );
  });

  it('level: a wired interrupt through the I/O APIC, remapped, up to the EOI that clears Remote IRR', () => {
    // x86 capture with VT-d, lines 545384 to 545441, those about the line of edu (pin 23).
    const trace = importText(
      [
        "30206@1795148743.779320:memory_region_ops_write cpu 1 mr 0x55a560479e00 addr 0xfec00000 value 0x3e size 4 name 'ioapic'",
        '30206@1795148743.779327:ioapic_mem_write ioapic mem write addr 0x0 regsel: 0x3e size 0x4 val 0x3e',
        "30206@1795148743.779329:memory_region_ops_write cpu 1 mr 0x55a560479e00 addr 0xfec00010 value 0x8017 size 4 name 'ioapic'",
        '30206@1795148743.779330:ioapic_mem_write ioapic mem write addr 0x10 regsel: 0x3e size 0x4 val 0x8017',
        "30206@1795148743.780121:memory_region_ops_write cpu 1 mr 0x55a560ca20f0 addr 0xfe600060 value 0x1 size 4 name 'edu-mmio'",
        '30206@1795148743.780128:ioapic_set_irq vector: 23 level: 1',
        '30206@1795148743.780129:ioapic_set_remote_irr set remote irr for pin 23',
        "30206@1795148743.780131:memory_region_ops_write cpu 1 mr 0x55a5606c0790 addr 0xfee00270 value 0x8017 size 4 name 'vtd-ir'",
        '30206@1795148743.780134:vtd_ir_remap_msi_req addr 0xfee00270 data 0x8017',
        '30206@1795148743.780135:vtd_ir_irte_get index 19 low 0x4ff00 high 0x30000250009',
        '30206@1795148743.780136:vtd_ir_remap index 19 trigger 0 vector 37 deliver 0 dest 0x3 mode 0',
        '30206@1795148743.780138:vtd_ir_remap_type IOAPIC',
        '30206@1795148743.780141:vtd_ir_remap_msi (addr 0xfee00270, data 0x8017) -> (addr 0xfee03008, data 0x4025)',
        '30206@1795148743.780143:apic_deliver_irq dest 3 dest_mode 0 delivery_mode 0 vector 37 trigger_mode 0',
        '30206@1795148743.780807:ioapic_set_irq vector: 23 level: 0',
        '30208@1795148743.780932:ioapic_eoi_broadcast EOI broadcast for vector 23',
        '',
      ].join('\n'),
    );
    const path = pathAt(trace, stepOf(trace, 7))!;
    assert.equal(stages(path), 'cause cause message message remap remap remap remap accept eoi');
    assert.equal(path.hops.at(-1)!.object, 'ioapic/0/pin/23');
    assert.equal(path.delivered, true);
  });

  it('several vectors of a function at once: each message goes to its own cause', () => {
    const simulation = start({ devices: [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 2 }], workload: [] });
    simulation.run();
    const { machine } = simulation;
    const { trace } = simulation;
    const entries = [0, 1].map((i) => machine.world.object(msixEntry, `device/0000:03:00.0/msix/${i}`));
    for (const entry of entries) machine.emit(devRaise, entry, {});
    const [a, b] = stepsOf(trace, 'dev.raise') as [number, number];
    for (const entry of [...entries].reverse()) machine.emit(msgSend, entry, { address: 0xfee00000, data: 0x20 });
    const [second, first] = stepsOf(trace, 'send') as [number, number];
    assert.deepEqual(
      pathAt(trace, a)!
        .hops.slice(0, 2)
        .map((hop) => hop.step),
      [a, first],
    );
    assert.deepEqual(
      pathAt(trace, b)!
        .hops.slice(0, 2)
        .map((hop) => hop.step),
      [b, second],
    );
  });

  it('posted: from the descriptor of the virtual CPU, without the host (scenario posted-interrupts)', () => {
    const { trace } = run(bundled('posted-interrupts'));
    const [post] = stepsOf(trace, 'pi.post') as [number];
    const path = pathAt(trace, post)!;
    assert.match(stages(path), /^cause message remap (remap )?post post accept inject/);
    assert.equal(path.hops.find((hop) => hop.stage === 'post')!.object, 'vcpu/0/pi');
    assert.ok(
      !path.hops.some((hop) => hop.stage === 'handler' && hop.object.startsWith('irq/')),
      'no handler of the host',
    );
  });

  it('nested: the handler of the host passes the interrupt on, and the handler of the guest ends it (scenario ims-queue-memory)', () => {
    const { trace } = run(bundled('ims-queue-memory'));
    const guest = stepsOf(trace, 'irq.entry').find((step) =>
      trace.world.path(trace.table.object(step)).startsWith('guest/'),
    )!;
    const path = pathAt(trace, guest)!;
    const objects = path.hops.filter((hop) => hop.stage === 'handler').map((hop) => hop.object);
    assert.match(objects[0]!, /^irq\/\d+$/);
    assert.match(objects.at(-1)!, /^guest\/0\/irq\/\d+$/);
    assert.equal(path.hops[0]!.stage, 'cause');
    assert.equal(path.delivered, true);
  });

  it('an EOI before the handler, as in the edge flow of x86: the handler belongs to the interrupt', () => {
    const trace = made(`
      1@0 vec.config irq/24 vector=32 cpu=0 apicDest=0x0
      10@0 cpu.accept cpu/0/vector/32
      11@0 cpu.take cpu/0/vector/32
      12@0 cpu.eoi cpu/0/vector/32
      13@0 irq.entry irq/24 name=eth0
      14@0 irq.exit irq/24 handled=true
      20@0 cpu.accept cpu/0/vector/32
      21@0 cpu.take cpu/0/vector/32
      22@0 cpu.eoi cpu/0/vector/32
      23@0 irq.entry irq/24 name=eth0
      24@0 irq.exit irq/24 handled=true
    `);
    for (const [from, steps] of [
      [1, [1, 2, 3, 4, 5]],
      [6, [6, 7, 8, 9, 10]],
    ] as const)
      for (const step of steps)
        assert.deepEqual(
          pathAt(trace, step)!.hops.map((hop) => hop.step),
          steps,
          `step ${step} of the interrupt that begins at ${from}`,
        );
  });

  it('a cause of an entry whose mask nothing shows is not told as lost', () => {
    const trace = made(`
      1 dev.raise device/0000:03:00.0/msix/0 vector=0
      2 send device/0000:03:00.0/msix/1 address=0xfee00000 data=0x21
      9 dev.raise device/0000:04:00.0/msix/0 vector=0
    `);
    const path = pathAt(trace, 0)!;
    assert.equal(path.delivered, null);
    assert.match(path.reason!, /does not tell whether the entry is masked/);
  });

  it('a cause behind the mask of an IMS entry, and one while MSI is off, tell what keeps them', () => {
    const trace = made(`
      1 ims.store device/0000:03:00.0/ims/0 offset=0xc size=4 value=0x1
      2 dev.raise device/0000:03:00.0/ims/0 vector=0
      3 cfg.read device/0000:04:00.0 offset=0x34 size=1 value=0x50
      4 cfg.read device/0000:04:00.0 offset=0x50 size=4 value=0x800005
      5 dev.raise device/0000:04:00.0/msi vector=0
    `);
    const ims = pathAt(trace, 1)!;
    assert.equal(ims.delivered, false);
    assert.match(ims.reason!, /^IMS entry 0 is masked since step 0 .*, pending set, no unmask follows$/);
    const off = pathAt(trace, 4)!;
    assert.equal(off.delivered, false);
    assert.match(off.reason!, /^MSI is disabled since step 3 /);
  });
});
