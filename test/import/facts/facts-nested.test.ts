// Facts of the nested capture: a host that runs KVM with an nvme assigned through VFIO (ftrace text: N3, N4, N6, N10) and the
// log of its QEMU (N7, N8, N9, N11, N12, N14). Expected values come from the same bytes.
import assert from 'node:assert/strict';
import { type EventView, viewEvent } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureLines, fixtureTrace, grep, type SourceLine } from '../../helpers/fixtures.ts';
import { accessOf } from './fold.ts';

const HOST = 'x86-nested/l1-ftrace.txt';
const QEMU = 'x86-nested/l2-qemu.log';
const host = fixtureTrace(HOST);
const qemu = fixtureTrace(QEMU);

const tally = (trace: Trace): Map<string, number> => {
  const out = new Map<string, number>();
  for (let step = 0; step < trace.length; step++) {
    const { name } = trace.table.kind(step);
    out.set(name, (out.get(name) ?? 0) + 1);
  }
  return out;
};

/** The events of the record on a line. */
function eventsOn(trace: Trace, line: SourceLine): EventView[] {
  const out: EventView[] = [];
  for (let step = trace.lastAtLine(line.line); step >= 0 && trace.table.line(step) === line.line; step--)
    out.unshift(viewEvent(trace, step));
  return out;
}

const heldAt = (trace: Trace, line: SourceLine, path: string): unknown =>
  pathValue(trace.stateAt(trace.lastAtLine(line.line)), path);

describe('nested capture, the host', () => {
  it('N3: every VFIO irq becomes one injected MSI: 78, 78, 80 wake-ups, 1 INTx handler', () => {
    const printed = (name: string): number => grep(HOST, new RegExp(` ${name}: `)).length;
    const counts = ['vfio_msihandler', 'kvm_msi_set_irq', 'irqfd_wakeup', 'vfio_intx_handler'].map(printed);
    assert.deepEqual(counts, [78, 78, 80, 1]);
    const kinds = tally(host);
    assert.equal(kinds.get('kvm.msi'), counts[1]);
    assert.equal(kinds.get('irqfd.wakeup'), counts[2]);
    assert.equal(pathValue(host.head, 'kvm/0/messages'), counts[1]);
    const fires = [0, 1, 2].map((v) => pathValue(host.head, `vfio/0000:00:03.0/msix/${v}/fires`) as number);
    assert.equal(fires[0]! + fires[1]! + fires[2]!, counts[0]);
    assert.equal(pathValue(host.head, 'vfio/0000:00:03.0/intx/0/fires'), counts[3]);
  });

  it('N6: 42, 21 and 15 of them on irqs 28, 29, 30, which are vectors 0, 1, 2 of 0000:00:03.0', () => {
    for (const [vector, irq] of [28, 29, 30].entries()) {
      const handlers = grep(HOST, new RegExp(`vfio_msihandler: .* irq=${irq}$`)).length;
      assert.equal(handlers, [42, 21, 15][vector]);
      assert.equal(pathValue(host.head, `irq/${irq}/handled`), grep(HOST, new RegExp(`_entry: irq=${irq} `)).length);
      assert.equal(pathValue(host.head, `vfio/0000:00:03.0/2/${vector}/fires`), handlers);
      assert.equal(pathValue(host.head, `vfio/0000:00:03.0/2/${vector}/irq`), irq);
    }
    const entry = grep(HOST, /irq_handler_entry: irq=30 name=vfio-msix\[2\]/)[0]!;
    assert.equal(heldAt(host, entry, 'irq/30/device'), '0000:00:03.0');
    assert.equal(heldAt(host, entry, 'irq/30/hwirq'), 2);
  });

  it('N4: the first delivery, hop by hop with its times: irq 28, irqfd, vector 34, injection 0x22, EOI 34', () => {
    const lines = fixtureLines(HOST);
    // Not the first irq 28 of the selection but the first whose surroundings are whole.
    const start = lines.find((l) => / 49\.708666: irq_handler_entry: irq=28 name=vfio-msix/.test(l.text))!;
    const after28 = lines.slice(start.line - 1, start.line + 26);
    const hops = after28.filter((l) =>
      /irq=28|irqfd|kvm_msi|accept_irq: apicid 0 vec 34|inj_virq: IRQ 0x22|kvm_eoi: apicid 0 vector 34/.test(l.text),
    );
    const times = hops.map((l) => / (\d+\.\d{6}): /.exec(l.text)![1]!);
    const events = hops.map((l) => eventsOn(host, l));
    assert.deepEqual(
      events.map((e) => e.map((x) => `${x.kind} ${x.object}`).join('; ')),
      [
        'irq.entry irq/28; irq.identify irq/28; vfio.use vfio/0000:00:03.0/2/0; vfio.fire vfio/0000:00:03.0/2/0',
        'probe probe',
        'irqfd.wakeup kvm/0/irqfd',
        'kvm.msi kvm/0',
        'apic.accept vcpu/0/vector/34',
        'irq.exit irq/28',
        'apic.inj vcpu/0/vector/34',
        'apic.eoi vcpu/0/vector/34',
      ],
    );
    assert.deepEqual(
      events.map((e) => e[0]!.time),
      times,
    );
    assert.deepEqual([times[0], times.at(-1)], ['49.708666', '49.709833']);
    const msi = events[3]![0]!;
    assert.deepEqual(msi.fields, { dest: '0x0', vector: 34, mode: 'Fixed|physical|edge' });
    const of = (i: number, key: string): unknown => heldAt(host, hops[i]!, `vcpu/0/vector/34/${key}`);
    assert.deepEqual([of(4, 'requested'), of(4, 'inService')], [true, null], 'nothing has told of its service yet');
    assert.deepEqual([of(6, 'requested'), of(6, 'inService')], [false, true]);
    assert.deepEqual([of(7, 'requested'), of(7, 'inService')], [false, false]);
  });

  it('N10: irq 30 moves with its affinity; what the guest sees of it stays', () => {
    const moves = grep(HOST, / vector_update: irq=30 /);
    for (const line of moves) {
      const m = /vector=(\d+) cpu=(\d+) prev_vector=(\d+) prev_cpu=(\d+)/.exec(line.text)!.slice(1).map(Number);
      // 0 is none.
      const [vector, cpu, prevVector, prevCpu] = m;
      const irq = heldAt(host, line, 'irq/30') as Record<string, unknown>;
      assert.deepEqual(
        [irq['vector'], irq['cpu'], irq['prevVector'], irq['prevCpu']],
        [vector, cpu, prevVector || null, prevCpu],
        line.text,
      );
    }
    assert.ok(moves.length >= 5);
  });
});

describe('nested capture, QEMU', () => {
  const lines = fixtureLines(QEMU);
  const entry = 'device/0000:00:01.0/msix';
  const first = (pattern: RegExp, from = 0): SourceLine => lines.find((l) => l.line > from && pattern.test(l.text))!;

  it('N7: the guest programs entry 0 with the placeholder 0xef, then 0x22, unmasks; vector 0 is used; route 2', () => {
    const enable = first(/vfio_msix_enable /);
    const data = lines.filter((l) => {
      const a = accessOf(l.text);
      return l.line > enable.line && a?.write && a.region === 'msix-table' && (a.address & 0xfff) === 8;
    });
    const [placeholder, real] = data as [SourceLine, SourceLine];
    const value = (l: SourceLine): string => (heldAt(qemu, l, `${entry}/0/data`) as { value: string }).value;
    assert.deepEqual([value(placeholder), value(real)], ['0xef', '0x22']);
    const unmask = first(/addr 0x\S+c value 0x0 .*msix-table/, real.line);
    assert.equal(heldAt(qemu, unmask, `${entry}/0/control.mask`), false);
    const used = first(/vfio_msix_vector_do_use .*vector 0 used/, unmask.line);
    assert.equal(heldAt(qemu, used, 'vfio/0000:00:03.0/msix/0/used'), true);
    const add = first(/kvm_irqchip_add_msi_route /, used.line);
    const virq = Number(/virq (\d+)/.exec(add.text)![1]);
    const route = heldAt(qemu, add, `kvm/0/route/${virq}`) as Record<string, unknown>;
    assert.equal(virq, 2);
    assert.deepEqual(
      [route['device'], route['vector'], route['address'], route['data'], route['current']],
      ['0000:00:01.0', 0, '0xfee00000', '0x22', true],
    );
    assert.equal(heldAt(qemu, add, 'vfio/0000:00:03.0/2/0/virq'), virq);
  });

  it('N8: vectors 0, 1, 2 get routes 2, 24, 25', () => {
    const adds = grep(QEMU, /kvm_irqchip_add_msi_route/).slice(1, 4);
    const printed = adds.map((l) => /vector (\d+) virq (\d+)/.exec(l.text)!.slice(1).map(Number));
    assert.deepEqual(printed, [
      [0, 2],
      [1, 24],
      [2, 25],
    ]);
    for (const [i, [vector, virq]] of printed.entries()) {
      assert.equal(heldAt(qemu, adds[i]!, `vfio/0000:00:03.0/2/${vector}/virq`), virq);
      assert.equal(heldAt(qemu, adds[i]!, `kvm/0/route/${virq}/vector`), vector);
    }
  });

  it('N9: the guest sees as 0000:00:01.0 what the host calls 0000:00:03.0, and either leads to the other', () => {
    const [guest, hostLine] = grep(QEMU, /:(pci_cfg_write vfio-pci|vfio_pci_write_config).*@0x42/) as [
      SourceLine,
      SourceLine,
    ];
    const guestBdf = /vfio-pci (\S+) /.exec(guest.text)![1]!;
    const hostBdf = /\(([0-9a-f:.]+),/.exec(hostLine.text)![1]!;
    assert.equal(heldAt(qemu, hostLine, `device/0000:${guestBdf}/vfio`), hostBdf);
    assert.equal(heldAt(qemu, hostLine, `vfio/${hostBdf}/guest`), `0000:${guestBdf}`);
    assert.equal(pathValue(qemu.head, `device/${hostBdf}/msix`), undefined, 'no table under the BDF of the host');
  });

  it('N11: vector 2 is released and used again 3.1 s later with the same route, updated', () => {
    const [release, use, update] = grep(QEMU, /vector 2 (used|released)|virq=25/).slice(1, 4) as [
      SourceLine,
      SourceLine,
      SourceLine,
    ];
    assert.match(release.text, /released/);
    const vector = 'vfio/0000:00:03.0/msix/2';
    assert.deepEqual([heldAt(qemu, release, `${vector}/used`), heldAt(qemu, use, `${vector}/used`)], [false, true]);
    const stamp = (l: SourceLine): number => Number(/@(\d+\.\d+):/.exec(l.text)![1]);
    assert.equal((stamp(use) - stamp(release)).toFixed(1), '3.1');
    const step = qemu.lastAtLine(update.line);
    const before = pathValue(qemu.stateAt(step - 1), 'kvm/0/route/25') as Record<string, unknown>;
    const now = heldAt(qemu, update, 'kvm/0/route/25') as Record<string, unknown>;
    assert.equal((now['updates'] as number) - (before['updates'] as number), 1);
    assert.equal(now['vector'], 2);
    // What the entry held at that moment: the last writes to its data register above the line.
    const data = lines.findLast((l) => {
      const a = accessOf(l.text);
      return l.line < update.line && a?.write && a.region === 'msix-table' && (a.address & 0xfff) === 0x28;
    })!;
    assert.equal(now['data'], `0x${accessOf(data.text)!.value.toString(16)}`);
    assert.equal(now['current'], true);
    assert.equal(heldAt(qemu, update, `${vector}/virq`), 25, 'no new route');
  });

  it('N12: the driver switches MSI-X on and off four times', () => {
    const switches = grep(QEMU, /vfio_msix_(enable|disable) /);
    assert.equal(switches.length, 8);
    for (const line of switches) {
      const device = heldAt(qemu, line, 'vfio/0000:00:03.0') as Record<string, unknown>;
      assert.equal(device['msix'], line.text.includes('_enable '), line.text);
    }
  });

  it('N14: 8 routes added and released, 2 updates, 11 commits; none is left', () => {
    const printed = (name: string): number => grep(QEMU, new RegExp(`:${name}`)).length;
    const counts = ['add_msi_route', 'release_virq', 'update_msi_route', 'commit_routes'].map((n) =>
      printed(`kvm_irqchip_${n}`),
    );
    assert.deepEqual(counts, [8, 8, 2, 11]);
    const kinds = tally(qemu);
    assert.deepEqual(
      ['route.set', 'route.release', 'route.update', 'route.commit'].map((k) => kinds.get(k)),
      counts,
    );
    assert.equal(pathValue(qemu.head, 'kvm/0/commits'), counts[3]);
    assert.equal(pathValue(qemu.head, 'kvm/0/route'), null);
  });
});
