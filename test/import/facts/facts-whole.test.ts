// Facts of whole captures, of which several files tell together: kernel, emulated machine, snapshots, recordings of them. Each is one question.
// Expected values come from the files' own lines.
import assert from 'node:assert/strict';
import { whole } from '../../../src/base/slices.ts';
import { chooseFiles } from '../../../src/import/files/choose.ts';
import { joinTraces } from '../../../src/import/join/join.ts';
import { pathAt } from '../../../src/query/delivery/path.ts';
import { type EventView, viewEvent } from '../../../src/query/events.ts';
import { parseFilter } from '../../../src/query/filter/parse.ts';
import { compileFilter } from '../../../src/query/filter/pass.ts';
import { joinedInfo } from '../../../src/query/info.ts';
import { interrupts } from '../../../src/query/interrupts/list.ts';
import { pathValue } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes, grep, importBytes } from '../../helpers/fixtures.ts';

/** The files of a folder, as a user opens it. */
function folder(files: Readonly<Record<string, string>>) {
  const given = Object.entries(files).map(([file, fixture]) => ({
    file,
    modified: undefined,
    trace: importBytes(fixtureBytes(fixture), undefined, file),
    problem: undefined,
    system: undefined,
    vantage: undefined,
    offset: undefined,
    from: 0,
    asked: false,
  }));
  const chosen = whole(chooseFiles(given))!;
  return { trace: joinTraces(chosen.parts), duplicates: chosen.duplicates };
}

/** The events for which a filter holds. */
function found(trace: Trace, text: string): EventView[] {
  const matches = compileFilter(parseFilter(text), trace);
  const all: EventView[] = [];
  for (let step = 0; step < trace.length; step++) if (matches(step)) all.push(viewEvent(trace, step));
  return all;
}

const at = (trace: Trace, step: number, path: string): unknown => pathValue(trace.stateAt(step), path) ?? null;
const stamp = (text: string): number => Number(/(?:@|\s)(\d+\.\d+):/.exec(text)![1]);

const KERNEL = 'x86-vtd/ftrace.txt';
const MACHINE = 'x86-vtd/qemu.log';

describe('a whole capture of a machine with VT-d', () => {
  const { trace, duplicates } = folder({
    'c/guest/boot.txt': KERNEL,
    'c/guest/interrupts-before.txt': 'x86-vtd/snap-interrupts-before.txt',
    'c/guest/interrupts-cpu1-off.txt': 'x86-vtd/snap-interrupts-cpu1-off.txt',
    'c/guest/interrupts-cpu13-off.txt': 'x86-vtd/snap-interrupts-cpu13-off.txt',
    'c/guest/interrupts-nvme-unbound.txt': 'x86-vtd/snap-interrupts-nvme-unbound.txt',
    'c/guest/interrupts-final.txt': 'x86-vtd/snap-interrupts-final.txt',
    'c/guest/report.txt': 'x86-vtd/trace-cmd-report.txt',
    'c/guest/trace.dat': 'x86-vtd/trace.dat',
    'c/host/qemu.log': MACHINE,
  });
  const { systems, sources, clocks } = joinedInfo(trace);

  it('is one machine, told by its kernel and its hardware; a report of a recording is no second one', () => {
    assert.deepEqual(systems, []);
    assert.equal(sources[0]!.file, 'c/guest/boot.txt');
    assert.deepEqual(
      duplicates.map(({ file, of }) => [file.file, of]),
      [['c/guest/report.txt', 'c/guest/trace.dat']],
    );
    const seen = new Set(sources.map(({ vantage }) => vantage));
    assert.deepEqual([...seen].sort(), ['hardware', 'kernel']);
  });

  it('its snapshots stand in the order in which they were taken', () => {
    const places = ['before', 'cpu1-off', 'cpu13-off', 'nvme-unbound', 'final'].map((name) => {
      const clock = clocks.find(({ file }) => file === `c/guest/interrupts-${name}.txt`)!;
      assert.equal(clock.place, 'its counts');
      return clock.evidence[0]!.steps[0];
    });
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    );
  });

  it('A5: the handle 20 of a message, its invalidation before, and the way to vector 33', () => {
    const [first] = found(trace, 'kind == ir.remap && object == irte/0/20');
    assert.ok(grep(MACHINE, /vtd_ir_remap index 20 /)[0]!.text.includes('vector 33 deliver 0 dest 0x0'));
    const path = pathAt(trace, first!.step)!;
    const stages = path.hops.map(({ stage }) => stage);
    for (const stage of ['message', 'remap', 'accept', 'handler'] as const) assert.ok(stages.includes(stage), stage);
    assert.equal(path.delivered, true);
    assert.ok(path.hops.some(({ object }) => object === 'device/0000:00:03.0/msix/0'));
    assert.ok(path.hops.some(({ object, detail }) => object === 'irte/0/20' && detail.includes('vector 33')));
    const [invalidated] = found(trace, 'kind == iec.inv && index == 20');
    assert.ok(invalidated!.step < first!.step);
  });

  it('A11: a migration on a CPU that goes offline is not traced: nobody claims that the irq stayed', () => {
    const last = found(trace, 'kind == vec.update && object == irq/41 && vector == 39').at(-1)!;
    const [clear] = found(trace, `kind == vec.clear && object == irq/41 && vector == 42`);
    assert.deepEqual([at(trace, last.step, 'irq/41/cpu'), at(trace, last.step, 'irq/41/vector')], [3, 39]);
    assert.ok(clear!.step > last.step);
    assert.ok([null, 42].includes(at(trace, clear!.step - 1, 'irq/41/vector') as null));
    assert.ok([null, 2].includes(at(trace, clear!.step - 1, 'irq/41/cpu') as null));
  });

  it('A12: the entry of the remapping table shows where it went: vector 42 of CPU 2', () => {
    const [read] = grep(MACHINE, /vtd_ir_irte_get index 35 low 0x40020 high 0x200002a0009/);
    const [told] = found(trace, 'kind == irte.read && object == irte/0/35 && irte.vector == 42');
    assert.equal(told!.source.line, read!.line);
    assert.deepEqual(
      [at(trace, told!.step, 'irte/0/35/vector'), at(trace, told!.step, 'irte/0/35/present')],
      [42, true],
    );
    // The kernel traced no such update until then.
    const updates = found(trace, 'kind == vec.update && object == irq/41 && vector == 42');
    assert.ok(updates.every(({ step }) => step > told!.step));
  });

  it('A21: the stores of messages of virtio-net are as many in the kernel as in the table', () => {
    const kernel = grep(KERNEL, /msiwrite: .* irq=(?:38|39|40) /).length;
    const machine = grep(MACHINE, /_write .*addr 0xfe7c80[0-9a-f]0 .*msix-table/).length;
    assert.deepEqual([kernel, machine], [6, 6]);
    assert.equal(found(trace, 'kind == msg.write && vantage == kernel && object in irq/38, irq/39, irq/40').length, 6);
    assert.equal(found(trace, 'kind == tbl.write && device == 00:05.0 && offset == 0').length, 6);
  });

  /** Marks of the script in the kernel, and the same as bytes in the log. */
  const mark = (n: number): [number, number] => [
    stamp(grep(KERNEL, new RegExp(`tracing_mark_write: MARK ${n} `))[0]!.text),
    stamp(grep(MACHINE, new RegExp(`value 0x${n.toString(16)} .*isa-debugcon`))[0]!.text),
  ];
  const between = (name: string, form: RegExp, from: number, to: number): number =>
    grep(name, form).filter(({ text }) => stamp(text) >= from && stamp(text) < to).length;

  it('A25: between marks 12 and 14 the machine sees 18 invalidations, the kernel traces 4', () => {
    const [[from, seenFrom], [to, seenTo]] = [mark(12), mark(14)];
    assert.equal(between(KERNEL, /qi_submit: iec/, from, to), 4);
    assert.equal(between(MACHINE, /vtd_inv_desc_iec/, seenFrom, seenTo), 18);
    const window = `time >= ${from} && time < ${to}`;
    assert.equal(found(trace, `kind == iec.inv && vantage == kernel && ${window}`).length, 4);
    // The window of the kernel, on the clock of the trace.
    assert.equal(found(trace, `kind == iec.inv && vantage == hardware && ${window}`).length, 18);
  });

  it('A24: so the kernel traces fewer in all', () => {
    const [to, seenTo] = mark(22);
    const [traced, seen] = [between(KERNEL, /qi_submit: iec/, 0, to), between(MACHINE, /vtd_inv_desc_iec/, 0, seenTo)];
    assert.equal(seen - traced, 14);
    const count = (vantage: string): number =>
      found(trace, `kind == iec.inv && vantage == ${vantage} && time < ${to}`).length;
    assert.deepEqual([count('kernel'), count('hardware')], [traced, seen]);
  });
});

describe('a whole capture of a host that runs in a machine, and its guest', () => {
  const HOST = 'x86-nested/l1-ftrace.txt';
  const { trace } = folder({
    'n/host/qemu.log': 'x86-nested/l0-machine.log',
    'n/l1/interrupts-mid.txt': 'x86-nested/interrupts-mid.txt',
    'n/l1/qemu.log': 'x86-nested/l2-qemu.log',
    'n/l1/trace.txt': HOST,
  });
  const { systems, sources, clocks } = joinedInfo(trace);
  const about = (file: string) => sources.find((source) => source.file === file)!;

  it('is two machines: what tells of each is found', () => {
    assert.deepEqual(systems, ['l1', 'l2']);
    assert.deepEqual([about('n/l1/trace.txt').system, about('n/l1/trace.txt').vantage], ['l1', 'kernel']);
    assert.deepEqual([about('n/host/qemu.log').system, about('n/host/qemu.log').vantage], ['l1', 'hardware']);
    assert.deepEqual([about('n/l1/qemu.log').system, about('n/l1/qemu.log').vantage], ['l2', 'hardware']);
    assert.equal(about('n/l1/interrupts-mid.txt').system, 'l1');
  });

  it('the clocks of both logs are brought to that of the kernel', () => {
    // The store of an address in the kernel, and in the table that its machine emulates.
    const stores = grep(HOST, /msiwrite: .* irq=28 .*lo=0xfee00298/);
    const seen = grep('x86-nested/l0-machine.log', /addr 0xc000002000 value 0xfee00298 .*msix-table/);
    const clock = clocks.find(({ file }) => file === 'n/host/qemu.log')!;
    assert.ok(Number(clock.uncertainty) < 0.001, clock.uncertainty ?? 'none');
    const brought = seen.map(({ text }) => stamp(text) + Number(clock.offset));
    assert.ok(stores.length >= 3 && seen.length >= stores.length);
    for (const { text } of stores)
      assert.ok(
        brought.some((time) => Math.abs(time - stamp(text)) < 0.001),
        `${text}: no store in the table within a millisecond`,
      );
    assert.ok(clocks.find(({ file }) => file === 'n/l1/qemu.log')!.uncertainty !== null);
  });

  it('N1, N9: one row has the entry of the function, the entry that the guest sees, the irq and the vector of VFIO', () => {
    const [mid] = clocks.filter(({ file }) => file === 'n/l1/interrupts-mid.txt');
    const step = mid!.evidence[0]!.steps[0];
    const rows = interrupts(trace, step).map(({ row }) => row);
    for (const [index, irq] of [28, 29, 30].entries()) {
      assert.ok(
        grep(
          'x86-nested/interrupts-mid.txt',
          new RegExp(`^ ${irq}: .*0000:00:03.0 +${index}-edge +vfio-msix\\[${index}\\]`),
        ).length === 1,
      );
      const row = rows.find((one) => one.irq === `irq/${irq}`)!;
      assert.deepEqual(
        [row.entry, row.guestEntry, row.vfio],
        [`device/0000:00:03.0/msix/${index}`, `l2:device/0000:00:01.0/msix/${index}`, `vfio/0000:00:03.0/2/${index}`],
      );
    }
  });

  it('N15: the host stores remappable messages into the table, its guest others', () => {
    const [entry] = found(
      trace,
      'kind == tbl.write && system == l1 && object == device/0000:00:03.0/msix/0 && value == 0xfee00298',
    );
    assert.ok(entry !== undefined);
    const guest = found(trace, 'kind == tbl.write && system == l2 && value in 0xfee00000, 0xfee01000').map(
      ({ object }) => object,
    );
    assert.ok(guest.length > 0 && guest.every((object) => object.startsWith('l2:')), guest.join());
    assert.equal(guest.length, grep('x86-nested/l2-qemu.log', /write .*value 0xfee0[01]000 .*msix-table/).length);
  });

  it('N3, N6: 42, 21 and 15 interrupts of the three irqs', () => {
    for (const [index, irq] of [28, 29, 30].entries())
      assert.equal(found(trace, `kind == irq.entry && object == irq/${irq}`).length, [42, 21, 15][index]);
  });

  it('N11: the guest takes a CPU off, and its VMM releases the vector and uses it again', () => {
    const released = grep('x86-nested/l2-qemu.log', /vector 2 (?:used|released)/).map(({ text }) =>
      text.endsWith('used'),
    );
    const told = found(trace, 'kind == vfio.use && system == l2 && object == l2:vfio/0000:00:03.0/2/2');
    assert.equal(told.length, released.length);
  });
});

describe('a whole capture of an Arm machine with an ITS', () => {
  const [AFFINITY, HOTPLUG, VFIO, LOG] = [
    'arm64-a/ftrace-03-affinity.txt',
    'arm64-a/ftrace-04-hotplug.txt',
    'arm64-a/ftrace-06-vfio.txt',
    'arm64-a/qemu.log',
  ] as const;
  const { trace } = folder({
    'a/ftrace/03-affinity.txt': AFFINITY,
    'a/ftrace/04-hotplug.txt': HOTPLUG,
    'a/ftrace/06-vfio.txt': VFIO,
    'a/guest/dmesg.txt': 'arm64-a/dmesg.txt',
    'a/guest/lspci.txt': 'arm64-a/snap-lspci.txt',
    'a/qemu.log': LOG,
  });
  const { systems, clocks } = joinedInfo(trace);
  /** What is added to a time of the kernel to get that of the log, measured when both were recorded, to 0.2 ms. */
  const AHEAD = 1795149097.0412;

  it('is one machine; the clock of its log is found from messages that both sides saw', () => {
    assert.deepEqual(systems, []);
    const clock = clocks.find(({ file }) => file === 'a/qemu.log')!;
    assert.ok(Math.abs(Number(clock.offset) + AHEAD) < 0.0002, clock.offset);
    assert.ok(clock.evidence.length >= 10 && Number(clock.uncertainty) < 0.0002);
    // dmesg is 1.59 s ahead of the clock that was chosen for ftrace, which its text does not tell.
    assert.equal(clocks.find(({ file }) => file === 'a/guest/dmesg.txt')!.uncertainty, null);
  });

  it('each handler of an LPI leads back to a doorbell write, also where the error of the clocks puts the handler in front of the acknowledge', () => {
    const mapped = new Map(
      grep(LOG, /its_cmd_mapti /).map(({ text }) => {
        const [, device, event, lpi] = /DeviceID (0x\w+) EventID (0x\w+) .* pINTID (0x\w+)/.exec(text)!;
        return [Number(lpi), { device, event }] as const;
      }),
    );
    const writes = grep(LOG, /translation_write /).map(({ text, line }) => {
      const [, event, device] = /data (0x\w+) .*requester_id (0x\w+)$/.exec(text)!;
      return { time: stamp(text) - AHEAD, line, device, event };
    });
    const handlers = found(trace, 'kind == irq.entry');
    let [checked, early] = [0, 0];
    for (const [file, fixture] of [
      ['a/ftrace/03-affinity.txt', AFFINITY],
      ['a/ftrace/04-hotplug.txt', HOTPLUG],
    ] as const) {
      // The kernel hands the LPI to the core, and then the handler runs on that CPU.
      const handed = new Map<string, number>();
      for (const { text, line } of grep(fixture, /(?: handle: |irq_handler_entry: )/)) {
        const cpu = /\[(\d+)\]/.exec(text)![1]!;
        const lpi = /hwirq=(\d+)$/.exec(text)?.[1];
        if (lpi !== undefined) {
          handed.set(cpu, Number(lpi));
          continue;
        }
        const at = mapped.get(handed.get(cpu)!);
        const time = stamp(text);
        // The log is an excerpt; an interrupt is handled within two milliseconds.
        const own = writes.filter(
          (write) =>
            write.device === at?.device && write.event === at?.event && time > write.time && time - write.time < 0.002,
        );
        if (own.length === 0) continue;
        const { step } = handlers.find(({ source }) => source.file === file && source.line === line)!;
        const path = pathAt(trace, step)!;
        const message = path.hops.find(({ stage }) => stage === 'message');
        assert.ok(message !== undefined, `${file}:${line} leads to no message`);
        const told = viewEvent(trace, message.step).source.line;
        assert.ok(
          own.some((write) => Math.abs(write.line - told) <= 1),
          `${file}:${line} leads to line ${told} of the log`,
        );
        assert.equal(path.delivered, true);
        checked++;
        if (path.hops.find(({ stage }) => stage === 'inject')!.step > step) early++;
      }
    }
    assert.ok(checked >= 45 && early >= 30, `${checked} checked, ${early} of them early`);
  });
});
