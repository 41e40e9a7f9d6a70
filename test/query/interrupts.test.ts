// The list of interrupts on the captures. Each expected value was found in the bytes of the capture; the search stands beside it.
import assert from 'node:assert/strict';
import { type Interrupt, interrupts } from '../../src/query/interrupts/list.ts';
import type { InterruptRow } from '../../src/query/interrupts/row.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { fixtureTrace, grep, type SourceLine } from '../helpers/fixtures.ts';

/** The row of which some id is a path. */
function rowOf(list: readonly Interrupt[], path: string): InterruptRow {
  const found = list.filter(({ row }) => [row.entry, row.guestEntry, row.irq, row.guestIrq, row.vfio].includes(path));
  assert.equal(found.length, 1, `${found.length} rows have ${path}`);
  return found[0]!.row;
}

/** The row of a path after the event of a line. */
function rowAt(name: string, line: number, path: string): InterruptRow {
  const trace = fixtureTrace(name);
  return rowOf(interrupts(trace, trace.lastAtLine(line)), path);
}

const end = (trace: Trace): number => trace.length - 1;

/** How many of some lines stand at or before another. */
const upTo = (lines: readonly SourceLine[], line: number): number => lines.filter((l) => l.line <= line).length;

describe('interrupts of x86-vtd/qemu.log', () => {
  const name = 'x86-vtd/qemu.log';

  it('joins the entry, its IRTE, and the vector of the virtual CPU (FACTS A5)', () => {
    // grep -n -A5 'vtd_ir_remap_msi_req addr 0xfee00298' | head -6: index 20, vector 33, dest 0; then apic_deliver_irq
    const request = grep(name, /vtd_ir_remap_msi_req addr 0xfee00298/)[0]!.line;
    const deliver = grep(name, /apic_deliver_irq dest 0 .*vector 33/).find((l) => l.line > request)!;
    const { last, ...row } = rowAt(name, deliver.line, 'device/0000:00:03.0/msix/0');
    assert.deepEqual(row, {
      entry: 'device/0000:00:03.0/msix/0',
      guestEntry: null,
      irq: null,
      domain: null,
      irte: 'irte/0/20',
      cpu: null,
      vector: 'vcpu/0/vector/33',
      vfio: null,
      gsi: null,
      vcpu: 'vcpu/0',
      guestIrq: null,
      action: null,
      // grep -c 'pci_nvme_irq_msix raising MSI-X IRQ vector 0' of the lines before
      raises: upTo(grep(name, /pci_nvme_irq_msix raising MSI-X IRQ vector 0$/), deliver.line),
      // grep -c "addr 0xfee00298 .*'vtd-ir'" of the lines before
      sends: upTo(grep(name, /_write .*addr 0xfee00298 .*'vtd-ir'/), deliver.line),
      handled: null,
      status: 'idle',
      findings: [],
    });
    assert.equal(last?.time, /@(\d+\.\d+):/.exec(deliver.text)![1]);
    assert.ok(row.sends === 1 && row.raises === 1);
  });

  it('vectors 0 and 1 of the e1000e pend while the function mask is set, and are sent when it is cleared (A15, A16)', () => {
    // grep -n 'pci_cfg_write e1000e 00:04.0 @0xa2': the mask is set by 0xc004 for the second time, cleared by 0x8004
    const set = grep(name, /pci_cfg_write e1000e 00:04.0 @0xa2 <- 0xc004/).at(-1)!.line;
    const clear = grep(name, /pci_cfg_write e1000e 00:04.0 @0xa2 <- 0x8004/).at(-1)!.line;
    const later = grep(name, /apic_deliver_irq/).filter((l) => l.line > clear)[1]!.line;
    for (const [vector, address] of [
      [0, '0xfee00478'],
      [1, '0xfee00498'],
    ] as const) {
      const path = `device/0000:00:04.0/msix/${vector}`;
      const sent = grep(name, new RegExp(`_write .*addr ${address} .*'vtd-ir'`));
      const before = rowAt(name, clear - 1, path);
      assert.equal(before.status, 'pending', path);
      assert.equal(before.sends, upTo(sent, clear));
      assert.equal(upTo(sent, clear), upTo(sent, set), 'nothing is sent while masked');
      assert.notEqual(rowAt(name, later, path).status, 'pending');
      assert.equal(rowAt(name, later, path).sends, upTo(sent, later));
    }
    const trace = fixtureTrace(name);
    const first = interrupts(trace, trace.lastAtLine(clear - 1)).slice(0, 2);
    assert.deepEqual(
      first.map(({ row }) => row.status),
      ['pending', 'pending'],
      'what pends stands first',
    );
  });

  it('an entry that was never used is told apart (A2: entry 5 of the nvme)', () => {
    const trace = fixtureTrace(name);
    const list = interrupts(trace, end(trace));
    const entry = list.find(({ row }) => row.entry === 'device/0000:00:03.0/msix/5')!;
    assert.equal(entry.neverUsed, true);
    // No message of it: grep -c for one gives 0, as its message is never written.
    assert.equal(entry.row.sends, 0);
    // A device model without trace events of causes: grep -c 'virtio.*irq' gives none that name a vector.
    assert.equal(rowOf(list, 'device/0000:00:06.0/msix/1').raises, null);
  });
});

describe('interrupts of x86-vtd/ftrace.txt', () => {
  const name = 'x86-vtd/ftrace.txt';

  it('joins irq 41 with its IRTE, CPU and vector before and after its move (A6, A7, A27)', () => {
    // grep ' vector_update: irq=41': vector 38 of CPU 2, then 39 of CPU 1; vector_free_moved ends the move
    const moved = grep(name, / vector_update: irq=41 vector=39 cpu=1 /)[0]!.line;
    const freed = grep(name, / vector_free_moved: irq=41 cpu=2 vector=38/)[0]!.line;
    const handlers = grep(name, / irq_handler_entry: irq=41 /);
    const before = rowAt(name, moved - 1, 'irq/41');
    assert.deepEqual([before.cpu, before.vector], ['cpu/2', 'cpu/2/vector/38']);
    const row = rowAt(name, freed, 'irq/41');
    assert.deepEqual([row.cpu, row.vector], ['cpu/1', 'cpu/1/vector/39']);
    // msiwrite irq=41 ... lo=0xfee00478: handle 0x478 >> 5 = 35; the unit that qi_submit names is dmar0
    assert.equal(row.irte, 'irte/dmar0/35');
    assert.equal(row.action, /name=(\S+)/.exec(handlers[0]!.text)![1]);
    assert.equal(row.handled, upTo(handlers, freed));
    // The kernel sees no causes and no messages.
    assert.deepEqual([row.raises, row.sends], [null, null]);
    assert.equal(row.last?.time, /(\d+\.\d+): vector_free_moved/.exec(grep(name, /./)[freed - 1]!.text)![1]);
  });

  it('is in service between entry and exit of a handler', () => {
    const entry = grep(name, / irq_handler_entry: irq=41 /)[3]!.line;
    const exit = grep(name, / irq_handler_exit: irq=41 /).find((l) => l.line > entry)!.line;
    assert.equal(rowAt(name, entry, 'irq/41').status, 'in-service');
    assert.equal(rowAt(name, exit - 1, 'irq/41').status, 'in-service');
    assert.equal(rowAt(name, exit, 'irq/41').status, 'idle');
  });

  it('joins MSI of an assigned device by the name of its action (A17)', () => {
    // grep 'irq_handler_entry: irq=44 name=vfio-msi[0](0000:00:07.0)'
    const trace = fixtureTrace(name);
    const row = rowOf(interrupts(trace, end(trace)), 'irq/44');
    assert.equal(row.vfio, 'vfio/0000:00:07.0/1/0');
    assert.equal(row.handled, grep(name, / irq_handler_entry: irq=44 name=vfio-msi\[0\]/).length);
    assert.equal(rowOf(interrupts(trace, end(trace)), 'irq/23').vfio, 'vfio/0000:00:07.0/0/0');
  });
});

describe('interrupts of x86-nested', () => {
  const l1 = 'x86-nested/l1-ftrace.txt';

  it('L1: irq, vector of VFIO and virtual CPU of the first delivery, from handler to end of interrupt (FACTS N4)', () => {
    // grep -m1 -A26 'irq_handler_entry: irq=28 name=vfio-msix'
    const entry = grep(l1, / irq_handler_entry: irq=28 name=vfio-msix\[0\]\(0000:00:03.0\)/)[0]!.line;
    const next = (pattern: RegExp): number => grep(l1, pattern).find((l) => l.line > entry)!.line;
    const at = (line: number): InterruptRow => rowAt(l1, line, 'irq/28');
    const exit = at(next(/irq_handler_exit: irq=28 /));
    assert.equal(exit.vfio, 'vfio/0000:00:03.0/2/0');
    // kvm_apic_accept_irq: apicid 0 vec 34
    assert.equal(exit.vcpu, 'vcpu/0');
    assert.equal(exit.status, 'pending', 'accepted, not taken');
    assert.equal(exit.handled, 1);
    assert.equal(at(next(/kvm_inj_virq: IRQ 0x22$/)).status, 'in-service');
    assert.equal(at(next(/kvm_eoi: apicid 0 vector 34/)).status, 'idle');
    // The vector of L1: grep -B999 of the last vector_update or vector_config of irq 28 before
    const [, vector, cpu] = grep(l1, / vector_config: irq=28 vector=\d+ cpu=\d+/)
      .filter((l) => l.line < entry)
      .map((l) => /vector=(\d+) cpu=(\d+)/.exec(l.text)!)
      .at(-1)!;
    assert.equal(exit.vector, `cpu/${cpu}/vector/${vector}`);
  });

  it('L1: handlers of each irq (N6)', () => {
    const trace = fixtureTrace(l1);
    const list = interrupts(trace, end(trace));
    for (const [irq, vector] of [
      [28, 0],
      [29, 1],
      [30, 2],
    ] as const) {
      const row = rowOf(list, `irq/${irq}`);
      assert.equal(row.vfio, `vfio/0000:00:03.0/2/${vector}`);
      assert.equal(row.handled, grep(l1, new RegExp(` irq_handler_entry: irq=${irq} `)).length);
      assert.deepEqual([row.raises, row.sends], [null, null]);
    }
    assert.deepEqual(
      [28, 29, 30].map((irq) => rowOf(list, `irq/${irq}`).handled),
      [42, 21, 15],
    );
  });

  it('L2: entry as the guest sees it, vector of the host, GSI (N8, N9)', () => {
    const name = 'x86-nested/l2-qemu.log';
    // grep kvm_irqchip_add_msi_route: vectors 0, 1, 2 have virq 2, 24, 25
    const routes = grep(name, /kvm_irqchip_add_msi_route dev vfio-pci vector \d+ virq \d+/);
    const third = routes.findIndex((l) => l.text.includes('vector 2 virq 25'));
    for (const line of routes.slice(third - 2, third + 1)) {
      const [, vector, virq] = /vector (\d+) virq (\d+)/.exec(line.text)!;
      const row = rowAt(name, routes[third]!.line, `vfio/0000:00:03.0/2/${vector}`);
      assert.equal(row.entry, `device/0000:00:01.0/msix/${vector}`);
      assert.equal(row.gsi, `kvm/0/route/${virq}`);
      // The hardware sends and the kernel handles: the log of L2 sees neither.
      assert.deepEqual([row.raises, row.sends, row.handled], [null, null, null]);
    }
  });
});

describe('interrupts of the Arm captures', () => {
  const qemu = 'arm64-a/qemu.log';

  it('the first MSI of virtio0-req.1: entry, event of the ITS, LPI and virtual CPU (fact 6)', () => {
    // grep -m1 -A5 gicv3_its_translation_write: requester 0x20, data 2; then ICC_IAR1 of CPU 1 reads 0x2002 = 8194
    const write = grep(qemu, /gicv3_its_translation_write/)[0]!.line;
    const ack = grep(qemu, /gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x2002/)[0]!.line;
    const eoi = grep(qemu, /gicv3_icc_eoir_write .* cpu 0x1 value 0x2002/)[0]!.line;
    const row = rowAt(qemu, ack, 'device/0000:00:04.0/msix/2');
    assert.equal(row.irte, 'its/0/device/0x20/event/2');
    assert.equal(row.vector, 'vcpu/1/intid/8194');
    assert.equal(row.vcpu, 'vcpu/1');
    assert.equal(row.sends, 1);
    assert.equal(row.status, 'in-service');
    assert.equal(rowAt(qemu, ack - 1, 'device/0000:00:04.0/msix/2').status, 'in-flight');
    assert.equal(rowAt(qemu, eoi, 'device/0000:00:04.0/msix/2').status, 'idle');
    assert.ok(write < ack && ack < eoi);
  });

  it('messages of each entry are the doorbell writes of its requester and EventID (fact 8)', () => {
    const trace = fixtureTrace(qemu);
    const list = interrupts(trace, end(trace));
    // grep translation_write | awk '{print $NF,$(NF-4)}' | sort | uniq -c, for functions that use MSI-X all the time
    for (const [requester, bdf, event] of [
      ['0x20', '0000:00:04.0', 1],
      ['0x20', '0000:00:04.0', 2],
      ['0x28', '0000:00:05.0', 1],
      ['0x28', '0000:00:05.0', 2],
      ['0x10', '0000:00:02.0', 0],
      ['0x10', '0000:00:02.0', 1],
      ['0x10', '0000:00:02.0', 2],
    ] as const) {
      const writes = grep(qemu, new RegExp(`translation_write .*data 0x${event} size \\d requester_id ${requester}$`));
      assert.equal(rowOf(list, `device/${bdf}/msix/${event}`).sends, writes.length, `${bdf} ${event}`);
    }
  });

  it('GICv2m: the message leads to an SPI', () => {
    const name = 'arm64-gicv2m/qemu.log';
    const trace = fixtureTrace(name);
    const row = rowOf(interrupts(trace, end(trace)), 'device/0000:00:04.0/msix/1');
    // grep -c "addr 0x8020040 value 0x51 .*'gicv2m'": SPI 0x51 = 81
    const writes = grep(name, /addr 0x8020040 value 0x51 .*'gicv2m'/);
    assert.equal(row.sends, writes.length);
    assert.equal(row.vector, 'gic/0/spi/81');
    assert.equal(row.irte, null);
  });

  it('VFIO of the kernel: irqs by the names of their actions (format surprise 8)', () => {
    const name = 'arm64-a/ftrace-06-vfio.txt';
    const trace = fixtureTrace(name);
    const list = interrupts(trace, end(trace));
    // The last name of each irq: numbers are used again, by MSI-X, MSI and INTx.
    const names = new Map(
      grep(name, / irq_handler_entry: irq=\d+ name=vfio-/).map((l) => {
        const [, irq, kind, vector = '0'] = /irq=(\d+) name=vfio-(msix|msi|intx)(?:\[(\d+)\])?/.exec(l.text)!;
        return [irq, `${['intx', 'msi', 'msix'].indexOf(kind!)}/${vector}`];
      }),
    );
    assert.ok(names.size > 1);
    for (const [irq, vector] of names) assert.equal(rowOf(list, `irq/${irq}`).vfio, `vfio/0000:00:03.0/${vector}`);
  });
});
