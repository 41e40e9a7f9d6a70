// /proc/interrupts: what its lines become, held against the bytes of captures, and lines of kernels of which there is no capture.
import assert from 'node:assert/strict';
import { traceInfo } from '../../../src/query/info.ts';
import { interrupts } from '../../../src/query/interrupts/list.ts';
import { pathValue } from '../../../src/query/state.ts';
import { fixtureBytes, fixtureLines, fixtureTrace, importBytes, importText } from '../../helpers/fixtures.ts';
import { file } from '../case.ts';
import { sample, texts, wholly } from '../samples.ts';

/** What a key of an irq holds at the end of a text. */
const key = (text: string, path: string): unknown => pathValue(importText(text).head, path) ?? null;

const HEADER = '           CPU0       CPU1       ';

/** The keys of irq 5 that a line tells, the header being that of two CPUs. */
function row(line: string): Record<string, unknown> {
  const trace = importText(`${HEADER}\n${line}\n`);
  const value = pathValue(trace.head, 'irq/5') as Record<string, unknown>;
  const { chip, hwirq, device, flow, level, actions, handled, perCpu } = value;
  return { chip, hwirq, device, flow, level, actions, handled, perCpu };
}

describe('/proc/interrupts', () => {
  for (const name of [
    'x86-vtd/snap-interrupts-before.txt',
    'x86-vtd/snap-interrupts-cpu13-off.txt',
    'arm64-irqdebugfs/snap-interrupts.txt',
  ])
    it(`${name}: counts, chips and actions of every line`, () => {
      const { head } = fixtureTrace(name);
      const [header, ...lines] = fixtureLines(name);
      const cpus = header!.text.match(/\d+/g)!;
      for (const { text } of lines) {
        const [label, ...words] = text.trim().split(/\s+/);
        const id = label!.slice(0, -1);
        const counts = words.slice(
          0,
          words.findIndex((word) => !/^\d+$/.test(word)),
        );
        const path = /^\d/.test(id) ? `irq/${id}` : `arch/${id}`;
        const value = pathValue(head, path) as Record<string, unknown>;
        if (counts.length < cpus.length) {
          // ERR, MIS and Err have one number for all CPUs.
          assert.deepEqual([value['handled'], value['perCpu']], [Number(words[0]), null], text);
          continue;
        }
        const perCpu = Object.fromEntries(cpus.map((cpu, i) => [cpu, Number(counts[i])]));
        assert.deepEqual(value['perCpu'], perCpu, text);
        assert.equal(
          value['handled'],
          Object.values(perCpu).reduce((a, b) => a + b, 0),
          text,
        );
        if (path.startsWith('arch/')) assert.equal(value['text'], words.slice(cpus.length).join(' '), text);
        else assert.equal(value['chip'], words[cpus.length], text);
      }
    });

  it('an irq of a function is the entry of its table', () => {
    const { head } = fixtureTrace('x86-vtd/snap-interrupts-before.txt');
    // " 29: … IR-PCI-MSIX-0000:00:03.0   3-edge      nvme0q3"
    assert.equal(pathValue(head, 'irq/29/device'), '0000:00:03.0');
    assert.equal(pathValue(head, 'irq/29/hwirq'), 3);
    assert.deepEqual(pathValue(head, 'irq/29/actions'), ['nvme0q3']);
    assert.deepEqual(pathValue(head, 'irq/25/actions'), ['PCIe PME', 'aerdrv']);
    assert.equal(pathValue(head, 'irq/25/name'), 'PCIe PME, aerdrv');
  });

  it('what it does not tell is unknown', () => {
    const { head } = fixtureTrace('x86-vtd/snap-interrupts-before.txt');
    for (const path of ['cpu', 'vector', 'affinity', 'effectiveAffinity', 'domain', 'masked', 'activated', 'managed'])
      assert.equal(pathValue(head, `irq/41/${path}`), null, path);
  });

  it('has no time, and the CPUs of its header', () => {
    const info = traceInfo(fixtureTrace('x86-vtd/snap-interrupts-cpu13-off.txt'));
    assert.deepEqual([info.start, info.end, info.clock, info.cpus], [null, null, 'none', 2]);
  });

  it('CPUs of the header are online; others that are known are not', () => {
    const whole = Buffer.from(fixtureBytes('x86-vtd/snap-interrupts-cpu1-off.txt')).toString();
    const trace = importText(`${whole}\n${Buffer.from(fixtureBytes('x86-vtd/snap-interrupts-cpu13-off.txt'))}`);
    const online = (step: number): unknown[] =>
      [0, 1, 2, 3].map((n) => pathValue(trace.stateAt(step), `cpu/${n}/online`) ?? null);
    assert.deepEqual(online(0), [true, null, true, true]);
    assert.deepEqual(online(trace.length - 1), [true, null, true, false]);
    // Of the CPU that went offline nothing is known any more: 41 had 0, 67, 88 on CPUs 0, 2, 3, then 0, 76 on 0, 2.
    assert.deepEqual(pathValue(trace.head, 'irq/41/perCpu'), { 0: 0, 2: 76 });
  });

  it('interrupts lists its irqs with names and counts, and claims nothing of their state', () => {
    const trace = fixtureTrace('x86-vtd/snap-interrupts-before.txt');
    const rows = interrupts(trace, trace.length - 1).map(({ row: r }) => [r.irq, r.action, r.handled, r.status]);
    assert.equal(rows.length, 26);
    assert.deepEqual(
      rows.find(([irq]) => irq === 'irq/26'),
      ['irq/26', 'nvme0q0', 16, 'unknown'],
    );
  });

  it('an irq that a later list lacks is gone, when the list is whole', () => {
    const before = Buffer.from(fixtureBytes('x86-vtd/snap-interrupts-before.txt')).toString();
    const after = Buffer.from(fixtureBytes('x86-vtd/snap-interrupts-nvme-unbound.txt')).toString();
    const both = importText(before + after);
    assert.equal(pathValue(both.head, 'irq/26'), null);
    assert.deepEqual(pathValue(both.head, 'irq/31/actions'), ['virtio1-config']);
    // Lines that someone left out: nothing says that the irqs are gone.
    const part = after
      .split('\n')
      .filter((line) => !/ (?:31|32|33):/.test(line))
      .filter((line) => !/^(?:NMI|ERR)/.test(line))
      .join('\n');
    assert.deepEqual(pathValue(importText(before + part).head, 'irq/26/actions'), ['nvme0q0']);
  });

  it('reads the chips and flow handlers of all architectures and eras', () => {
    const counts = { handled: 7, perCpu: { 0: 3, 1: 4 } };
    const none = { device: null, hwirq: null, flow: null, level: null };
    for (const [tail, told] of [
      ['  IR-IO-APIC   9-fasteoi   acpi', { chip: 'IR-IO-APIC', hwirq: 9, flow: 'fasteoi', actions: ['acpi'] }],
      // Linux 7.2 aligns chips to the left.
      [
        ' IR-PCI-MSIX-0000:02:00.0     1-edge      enp2s0-TxRx-0',
        {
          chip: 'IR-PCI-MSIX-0000:02:00.0',
          device: '0000:02:00.0',
          hwirq: 1,
          flow: 'edge',
          level: false,
          actions: ['enp2s0-TxRx-0'],
        },
      ],
      ['   GICv3  27 Level     arch_timer', { chip: 'GICv3', hwirq: 27, level: true, actions: ['arch_timer'] }],
      [
        '   ITS-MSI 524288 Edge      eth0',
        { chip: 'ITS-MSI', device: '0000:01:00.0', hwirq: 0, level: false, actions: ['eth0'] },
      ],
      [
        '   IR-PCI-MSI 114690-edge      xhci_hcd',
        { chip: 'IR-PCI-MSI', device: '0000:00:07.0', hwirq: 2, flow: 'edge', level: false, actions: ['xhci_hcd'] },
      ],
      [
        '  Hyper-V PCIe MSI 1073741824-edge      mlx5_async0@pci:0002:00:02.0',
        {
          chip: 'Hyper-V PCIe MSI',
          hwirq: 1073741824,
          flow: 'edge',
          level: false,
          actions: ['mlx5_async0@pci:0002:00:02.0'],
        },
      ],
      ['  xen-pirq    -msi-x     nvme0q1', { chip: 'xen-pirq', flow: 'msi-x', actions: ['nvme0q1'] }],
      ['  xen-percpu    -virq      timer0', { chip: 'xen-percpu', flow: 'virq', actions: ['timer0'] }],
      ['   IO-APIC-edge      i8042', { chip: 'IO-APIC', flow: 'edge', level: false, actions: ['i8042'] }],
      ['  XIVE-IRQ 4096 Level     IPI', { chip: 'XIVE-IRQ', hwirq: 4096, level: true, actions: ['IPI'] }],
      [
        '  SiFive PLIC   8 Level     virtio0, virtio 1',
        { chip: 'SiFive PLIC', hwirq: 8, level: true, actions: ['virtio0', 'virtio 1'] },
      ],
      [
        '  RISC-V INTC   5 Edge      riscv-timer',
        { chip: 'RISC-V INTC', hwirq: 5, level: false, actions: ['riscv-timer'] },
      ],
      ['      MIPS   7  timer', { chip: 'MIPS', hwirq: 7, actions: ['timer'] }],
      [
        '  GICv2m-PCI-MSIX-0000:00:02.0   0 Edge      nvme0q0',
        { chip: 'GICv2m-PCI-MSIX-0000:00:02.0', device: '0000:00:02.0', hwirq: 0, level: false, actions: ['nvme0q0'] },
      ],
      [
        '  IR-IO-APIC  16-fasteoi   i801_smbus, idma64.0, ehci_hcd:usb1',
        { chip: 'IR-IO-APIC', hwirq: 16, flow: 'fasteoi', actions: ['i801_smbus', 'idma64.0', 'ehci_hcd:usb1'] },
      ],
      // An irq without an action that was handled before.
      [
        '   PCI-MSIX-0000:00:1f.3   0-edge',
        { chip: 'PCI-MSIX-0000:00:1f.3', device: '0000:00:1f.3', hwirq: 0, flow: 'edge', level: false, actions: [] },
      ],
      ['  2300000.gpio   3 Edge      button', { chip: '2300000.gpio', hwirq: 3, level: false, actions: ['button'] }],
      ['  None', { chip: 'None', actions: [] }],
    ] as const)
      assert.deepEqual(row(`  5:          3          4 ${tail}`), { ...none, ...counts, ...told }, tail);
  });

  it('reads lines whose hwirq holds the function', () => {
    // The file of the cases: `PCI-MSI 180225` is 0x2c001, requester 0x58 (00:0b.0), index 1.
    const known = file('proc-interrupts-large-hwirq.txt');
    const { info } = known;
    const at = (path: string): unknown => known.at(path);
    assert.deepEqual([info.records, info.understood], [6, 6]);
    for (const [irq, hwirq] of [
      [4, 114688],
      [6, 180225],
      [9, 131072],
    ] as const) {
      const [requester, index] = [hwirq >> 11, hwirq & 0x7ff];
      const bdf = `0000:00:${(requester >> 3).toString(16).padStart(2, '0')}.${requester & 7}`;
      assert.deepEqual([at(`irq/${irq}/device`), at(`irq/${irq}/hwirq`)], [bdf, index]);
    }
    assert.deepEqual(at('irq/5/actions'), ['iwlwifi: default queue']);
  });

  it('reads lines of a mail: quoted, without a header, among prose', () => {
    const { events, info } = sample(
      'The counters do not move:\n> 41:          0         67         88  IR-PCI-MSIX-0000:00:04.0   0-edge      eth1-rx-0\n>LOC:       1359       1261       1208   Local timer interrupts\nAny idea? It was 12: 5 before.\n',
    );
    assert.deepEqual(events, [
      'snap.irq irq/41 chip=IR-PCI-MSIX-0000:00:04.0 hwirq=0 device=0000:00:04.0 flow=edge level=false actions=eth1-rx-0 counts=0 67 88',
      'snap.count arch/LOC text=Local timer interrupts counts=1359 1261 1208',
    ]);
    assert.deepEqual([info.records, info.understood, info.others['text'], info.undone], [2, 2, 2, ['quoted']]);
  });

  it('without a header the CPUs are not known, their sum is', () => {
    const text = ' 41:          0         67         88  IR-PCI-MSIX-0000:00:04.0   0-edge      eth1-rx-0\n';
    assert.equal(key(text, 'irq/41/handled'), 155);
    assert.equal(key(text, 'irq/41/perCpu'), null);
  });

  it('joins lines that a mail program broke', () => {
    const { events, info } = sample(
      '           CPU0       CPU1       CPU2\n           CPU3\n 41:          0         67         88\n          5  IR-PCI-MSIX-0000:00:04.0   0-edge      eth1-rx-0\n',
    );
    assert.deepEqual(events.slice(1), [
      'snap.irq irq/41 chip=IR-PCI-MSIX-0000:00:04.0 hwirq=0 device=0000:00:04.0 flow=edge level=false actions=eth1-rx-0 cpus=0-3 counts=0 67 88 5',
    ]);
    assert.deepEqual([info.records, info.skipped], [1, {}]);
  });

  it('sums beyond 32 bits: of an irq unknown, of a label whole', () => {
    const most = '4294967295';
    const text = `${HEADER}\n  5: ${most} ${most}  GICv3  27 Level     arch_timer\nLOC: ${most} ${most}   Local timer interrupts\n`;
    assert.equal(key(text, 'irq/5/handled'), null);
    assert.equal(key(text, 'arch/LOC/handled'), 8589934590);
  });

  it('POWER prints a label twice', () => {
    const text = `${HEADER}\nLOC:  1  2   Local timer interrupts for timer event device\nLOC:  3  4   Local timer interrupts for others\n`;
    assert.equal(key(text, 'arch/LOC/handled'), 3);
    assert.equal(key(text, 'arch/LOC.2/handled'), 7);
  });

  it('counts of many CPUs', () => {
    const cpus = Array.from({ length: 200 }, (_, n) => n).filter((n) => n !== 64);
    const text = `${''.padEnd(11)}${cpus.map((n) => `CPU${n}`.padEnd(11)).join('')}\n 5: ${cpus.map((n) => String(n * 3).padStart(10)).join(' ')}  GICv3  27 Level     x\n`;
    const trace = importText(text);
    assert.deepEqual(pathValue(trace.head, 'irq/5/perCpu'), Object.fromEntries(cpus.map((n) => [n, n * 3])));
    assert.equal(pathValue(trace.head, 'snapshot/interrupts/cpus'), '0-63,65-199');
  });

  it('takes no line of other formats', () => {
    for (const line of [
      '7@1.000000:msix_write_config dev nvme enabled 1 masked 1',
      '          <idle>-0       [002] d.h1.    10.934596: irq_handler_entry: irq=41 name=eth1-rx-0',
    ]) {
      const trace = importText(`${HEADER}\n${line}\n`);
      assert.notEqual(trace.first.format, 'proc-interrupts', line);
      assert.deepEqual(texts(trace).length > 0, true, line);
    }
    // Numbers behind a word, long after a header.
    const text = `${HEADER}\nTotal: 1 2 things\nprose\n  5: 3 4  GICv3  27 Level     x\n`;
    assert.deepEqual(wholly(text).info.records, 1);
  });

  it('a header alone is no snapshot', () => {
    assert.throws(() => importBytes(new TextEncoder().encode(`${HEADER}\n`)), /no line of it is a trace record/);
  });

  it('rows that a mail program broke behind the chip, or in its name: with a header and without one, quoted or not', () => {
    const row = (irq: number, index: number, name: string): string[] => [
      ` ${irq}:          0          0          3          0 IR-PCI-MSIX-0000:08:00.0`,
      ` ${index}-edge      ${name}`,
    ];
    const whole = [...row(167, 0, 'eno2'), ...row(168, 1, 'eno2-rx-0')];
    const dashed = whole.flatMap((line) => line.replace('MSIX-0000', 'MSIX-\n0000').split('\n'));
    const header = '            CPU0       CPU1       CPU2       CPU3';
    for (const lines of [whole, dashed])
      for (const text of [
        lines,
        lines.map((line) => `> > ${line}`),
        lines.map((line) => `> |${line.trim()}`),
        [header, ...lines],
      ]) {
        const trace = importText(`Hi,\n\n${text.join('\n')}\n`);
        const told = [167, 168].map((irq) =>
          ['device', 'hwirq', 'name', 'handled'].map((name) => pathValue(trace.head, `irq/${irq}/${name}`)),
        );
        assert.deepEqual(
          told,
          [
            ['0000:08:00.0', 0, 'eno2', 3],
            ['0000:08:00.0', 1, 'eno2-rx-0', 3],
          ],
          text.join('\n'),
        );
      }
  });
});
