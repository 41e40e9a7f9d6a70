// Comparisons of short traces whose differences are told by hand.
import assert from 'node:assert/strict';
import { compareTraces } from '../../../src/query/diff/compare.ts';
import { compareStates } from '../../../src/query/diff/states.ts';
import { rowsBetween, traceOf } from './helper.ts';

/** The life of an MSI-X interrupt under VT-d: entry, remapping entry, irq, vector, one interrupt, teardown. */
function life(irq: number, irte: number, bdf: string, name: string, { cpu = 0, vector = 33 } = {}): string[] {
  const device = `device/${bdf}`;
  // VT-d 5.1.2.2: bits 19:5 of the address hold the handle, bit 4 says remappable, bit 3 says subhandle.
  const address = `0x${(0xfee00018 + irte * 32).toString(16)}`;
  return [
    `vec.reserve irq/${irq} ret=0`,
    `vec.setup irq/${irq} legacy=false ret=0`,
    `irq.identify irq/${irq} device=${bdf} hwirq=0 domain=IR-PCI-MSIX-${bdf}`,
    `vec.update irq/${irq} vector=${vector} cpu=${cpu} prevVector=0 prevCpu=0`,
    `irte.write irte/0/${irte} value=0x${vector.toString(16)}0009`,
    `tbl.write ${device}/msix/0 offset=0x0 size=4 value=${address}`,
    `tbl.write ${device}/msix/0 offset=0x4 size=4 value=0x0`,
    `tbl.write ${device}/msix/0 offset=0x8 size=4 value=0x0`,
    `tbl.write ${device}/msix/0 offset=0xc size=4 value=0x0`,
    `dev.raise ${device}/msix/0 vector=0`,
    `send ${device}/msix/0 address=${address} data=0x0`,
    `ir.remap irte/0/${irte} vector=${vector} dest=0x${cpu}`,
    `cpu${cpu} irq.entry irq/${irq} name=${name}`,
    `cpu${cpu} irq.exit irq/${irq} handled=true`,
    `vec.teardown irq/${irq} managed=false reserved=false`,
  ];
}

const seen = 'ir.seen irte/0 kind=VT-d';
const good = [seen, ...life(41, 20, '0000:00:04.0', 'eth0'), ...life(42, 21, '0000:00:05.0', 'nvme0q0')];

describe('comparison of two traces', () => {
  it('knows an interrupt again under another irq and another remapping entry, at another time', () => {
    const other = [seen, ...life(43, 30, '0000:00:04.0', 'eth0'), ...life(44, 20, '0000:00:05.0', 'nvme0q0')];
    const comparison = compareTraces(traceOf(good), traceOf(other, 5000));
    assert.deepEqual(comparison.differences, []);
    const [eth, nvme] = ['0000:00:04.0', '0000:00:05.0'].map((bdf) =>
      comparison.subjects.find(({ path }) => path === `device/${bdf}/msix/0`),
    );
    assert.deepEqual(eth!.renumbered, [
      ['irq/41', 'irq/43'],
      ['irte/0/20', 'irte/0/30'],
    ]);
    assert.deepEqual(eth!.actions, ['eth0']);
    assert.deepEqual(nvme!.renumbered, [
      ['irq/42', 'irq/44'],
      ['irte/0/21', 'irte/0/20'],
    ]);
  });

  it('tells a real change of vector and CPU, each field of its own, the first divergence first', () => {
    const other = [
      seen,
      ...life(43, 30, '0000:00:04.0', 'eth0', { cpu: 1, vector: 37 }),
      ...life(44, 20, '0000:00:05.0', 'nvme0q0'),
    ];
    const rows = rowsBetween(traceOf(good), traceOf(other));
    const at = (step: number) => ({ a: step, b: step });
    const changed = (step: number, object: string, field: string, a: unknown, b: unknown) => ({
      at: at(step),
      kind: 'changed',
      object,
      field,
      a,
      b,
    });
    assert.deepEqual(rows, [
      changed(4, 'irq/41', 'vector', 33, 37),
      changed(4, 'irq/41', 'cpu', 0, 1),
      changed(5, 'irte/0/20', 'value', '0x210009', '0x250009'),
      changed(12, 'irte/0/20', 'vector', 33, 37),
      changed(12, 'irte/0/20', 'dest', '0x0', '0x1'),
      changed(13, 'irq/41', 'cpu', 0, 1),
    ]);
  });

  it('does not mind the order of independent interrupts', () => {
    const [a, b] = [life(41, 20, '0000:00:04.0', 'eth0'), life(42, 21, '0000:00:05.0', 'nvme0q0')];
    const mixed = [seen, ...a.flatMap((event, i) => [b[i]!, event])];
    assert.deepEqual(rowsBetween(traceOf(good), traceOf(mixed)), []);
  });

  it('minds the order of the events of one interrupt', () => {
    // The unmask (step 9) comes before the raise (step 10), or after it.
    const late = [...good.slice(0, 9), good[10]!, good[9]!, ...good.slice(11)];
    const rows = rowsBetween(traceOf(good), traceOf(late));
    assert.equal(rows.length, 2);
    assert.deepEqual(new Set(rows.map(({ kind }) => kind)), new Set(['only-a', 'only-b']));
    assert.equal(new Set(rows.map(({ a, b }) => a ?? b)).size, 1, 'the same event, at another place');
  });

  it('tells what is missing at the end of a trace that was cut short', () => {
    const cut = 20;
    const rows = rowsBetween(traceOf(good), traceOf(good.slice(0, cut)));
    // irq.identify only says which irq it is.
    const missing = good.flatMap((event, step) => (step >= cut && !event.startsWith('irq.identify') ? [step] : []));
    assert.deepEqual(
      rows.map(({ at, kind }) => ({ at, kind })),
      missing.map((step) => ({ at: { a: step, b: null }, kind: 'only-a' })),
    );
    assert.equal(rows[0]!.object, 'irte/0/21');
    assert.equal(rows[0]!.a, 'irte.write value=0x210009');
    assert.equal(rows[0]!.b, null);
  });

  it('knows an irq by the name of its handler where no function is told, also when one trace has more of them', () => {
    const named = (irq: number, name: string): string[] => [
      `vec.setup irq/${irq} legacy=false ret=0`,
      `cpu0 irq.entry irq/${irq} name=${name}`,
    ];
    const a = traceOf([...named(30, 'eth0-rx-0'), ...named(31, 'eth0-rx-1')]);
    const b = traceOf([...named(30, 'usb1'), ...named(31, 'eth0-rx-0'), ...named(32, 'eth0-rx-1')]);
    assert.deepEqual(
      rowsBetween(a, b).map(({ at, kind, object }) => ({ at, kind, object })),
      [0, 1].map((step) => ({ at: { a: null, b: step }, kind: 'only-b', object: 'irq/30' })),
    );
  });

  it('knows an irq by function and vector also where one trace does not tell its domain', () => {
    const life = (irq: number, vector: number, domain: string): string[] => [
      `vec.setup irq/${irq} legacy=false ret=0`,
      `irq.identify irq/${irq} device=0000:00:04.0 hwirq=${vector}${domain}`,
      `vec.update irq/${irq} vector=${40 + vector} cpu=0 prevVector=0 prevCpu=0`,
    ];
    const a = traceOf([0, 1].flatMap((vector) => life(30 + vector, vector, ' domain=PCI-MSIX-0000:00:04.0')));
    const b = traceOf([1, 0].flatMap((vector) => life(60 + vector, vector, '')));
    assert.deepEqual(rowsBetween(a, b), []);
    // MSI and MSI-X vector 0 of one function are two interrupts.
    const msi = traceOf(life(50, 0, ' domain=PCI-MSI-0000:00:04.0'));
    assert.equal(rowsBetween(traceOf(life(30, 0, ' domain=PCI-MSIX-0000:00:04.0')), msi).length, 4);
  });

  it('keeps interrupts apart whose entries hold the message of another one for a moment, and reads of invalid entries', () => {
    // Software writes address before data: entry 1 then holds EventID 0, which is that of entry 0.
    const entry = (index: number, lpi: number): string[] => [
      `its.mapti its/0/device/0x20/event/${index} lpi=${lpi} collection=0`,
      `tbl.write device/0000:00:04.0/msix/${index} offset=0x8 size=4 value=0x0`,
      `tbl.write device/0000:00:04.0/msix/${index} offset=0x0 size=4 value=0x8090040`,
      `tbl.write device/0000:00:04.0/msix/${index} offset=0x4 size=4 value=0x0`,
      `tbl.write device/0000:00:04.0/msix/${index} offset=0x8 size=4 value=0x${index}`,
      `its.ite its/0/device/0x20/event/${index} write=false valid=false lpi=0 collection=0`,
      `send device/0000:00:04.0/msix/${index} address=0x8090040 data=0x${index}`,
    ];
    const events = [...entry(0, 8192), ...entry(1, 8193)];
    const comparison = compareTraces(traceOf(events), traceOf(events.slice(0, -1)));
    const paths = comparison.subjects.filter(({ interrupt }) => interrupt).map(({ path }) => path);
    assert.deepEqual(paths.toSorted(), ['device/0000:00:04.0/msix/0', 'device/0000:00:04.0/msix/1']);
    assert.deepEqual(
      comparison.subjects.filter(({ differences }) => differences.length > 0).map(({ path }) => path),
      ['device/0000:00:04.0/msix/1'],
    );
  });

  it('knows whose interrupt a virtual CPU accepts, by the message in the entry', () => {
    // Vector 0x21 for APIC id 0, vector 0x22 for APIC id 1: bits 19:12 of the address hold the id.
    const entry = (index: number, address: string, data: string): string[] => [
      `tbl.write device/0000:00:04.0/msix/${index} offset=0x0 size=4 value=${address}`,
      `tbl.write device/0000:00:04.0/msix/${index} offset=0x4 size=4 value=0x0`,
      `tbl.write device/0000:00:04.0/msix/${index} offset=0x8 size=4 value=${data}`,
    ];
    const taken = (cpu: number, vector: number): string[] => [
      `kvm.msi kvm/0 dest=0x${cpu} vector=${vector} mode=Fixed|physical|edge`,
      `apic.accept vcpu/${cpu}/vector/${vector} mode=Fixed posted=false`,
      `apic.inj vcpu/${cpu}/vector/${vector} reinjected=false`,
      `apic.eoi vcpu/${cpu}/vector/${vector}`,
    ];
    const events = [
      ...entry(0, '0xfee00000', '0x21'),
      ...entry(1, '0xfee01000', '0x22'),
      ...taken(0, 33),
      ...taken(1, 34),
    ];
    const comparison = compareTraces(traceOf(events), traceOf(events.slice(0, -4)));
    assert.deepEqual(
      comparison.subjects.filter((s) => s.differences.length > 0).map((s) => [s.path, s.differences.length]),
      [['device/0000:00:04.0/msix/1', 4]],
    );
  });

  it('finds the handler that never ran, of an irq that has no name then', () => {
    const lost = good.filter(
      (event) => !/irq\.(?:entry|exit) irq\/41/.test(event) && !event.startsWith('irq.identify'),
    );
    const named = good.filter((event) => !event.startsWith('irq.identify'));
    assert.deepEqual(
      rowsBetween(traceOf(named), traceOf(lost)).map(({ kind, object, a }) => [kind, object, a]),
      [
        ['only-a', 'irq/41', 'irq.entry name=eth0'],
        ['only-a', 'irq/41', 'irq.exit handled=true'],
      ],
    );
  });

  it('leaves out reads, timers and runs of virtual CPUs', () => {
    const noise = [
      'tbl.read device/0000:00:04.0/msix/0 offset=0xc size=4 value=0x0',
      'cpu1 vector.entry cpu/1/vector/236 name=local_timer',
      'kvm.entry vcpu/0',
      'kvm.exit vcpu/0 reason=HLT',
      'apic.accept vcpu/0/vector/236 mode=Fixed posted=false',
    ];
    assert.deepEqual(rowsBetween(traceOf(good), traceOf([...good.slice(0, 9), ...noise, ...good.slice(9)])), []);
  });

  it('counts, and measures the time from cause to handler', () => {
    const events = [
      'dev.raise device/0000:00:04.0/msix/0 vector=0',
      'cpu0 irq.entry irq/41 name=eth0',
      'tbl.write device/0000:00:04.0/msix/0 offset=0xc size=4 value=0x1',
      'tbl.write device/0000:00:04.0/msix/0 offset=0xc size=4 value=0x0',
      'send device/0000:00:04.0/msix/0 address=0xfee00000 data=0x21',
      'its.movi its/0/device/0x20/event/0 collection=1',
    ];
    const identify = [
      'tbl.write device/0000:00:04.0/msix/0 offset=0xc size=4 value=0x0',
      'irq.identify irq/41 device=0000:00:04.0 hwirq=0 domain=PCI-MSIX-0000:00:04.0',
    ];
    const comparison = compareTraces(
      traceOf([...identify, ...events.slice(0, 5), ...events.slice(0, 3)]),
      traceOf([...identify, events[0]!, 'mark marker/0 text=late', events[1]!]),
    );
    const subject = comparison.subjects.find(({ path }) => path === 'device/0000:00:04.0/msix/0')!;
    const [a, b] = comparison.tallies(subject);
    // No record of either trace tells of moves, and none of B of messages.
    assert.deepEqual(a.counts, { raises: 2, sends: 1, handled: 2, moves: null, masks: 2 });
    assert.deepEqual(b.counts, { raises: 1, sends: null, handled: 1, moves: null, masks: 0 });
    // Events of the test stand a millisecond apart.
    assert.deepEqual(a.latency, { count: 2, p50: 1e6, p99: 1e6, max: 1e6 });
    assert.deepEqual(b.latency, { count: 1, p50: 2e6, p99: 2e6, max: 2e6 });
  });

  it('does not count what no record of that system tells, also where those of another system do', () => {
    const entry = 'device/0000:00:04.0/msix/0';
    const machine = [`tbl.write ${entry} offset=0xc size=4 value=0x0`, `dev.raise ${entry} vector=0`];
    const other = ['dev.raise device/0000:00:05.0/msix/0 vector=0', 'cpu0 irq.entry guest:irq/41 name=eth0'];
    const comparison = compareTraces(
      traceOf([...machine, ...other]),
      traceOf(['cpu0 irq.entry irq/7 name=eth1', machine[0]!, other[0]!]),
    );
    const subject = comparison.subjects.find(({ path }) => path === entry)!;
    const [a, b] = comparison.tallies(subject);
    assert.deepEqual(a.counts, { raises: 1, sends: null, handled: null, moves: null, masks: 0 });
    // Causes of another function show that its cause would have been recorded.
    assert.deepEqual(b.counts, { raises: 0, sends: null, handled: 0, moves: null, masks: 0 });
  });

  it('adds the subhandle: the entry of a message is not the one of the handle alone', () => {
    // Handle in bits 19:5, format in bit 4, SHV in bit 3 of the address; the subhandle is the data (VT-d 5.1.2.2).
    const block = (handle: number): string[] => {
      const address = `0x${(0xfee00018 + handle * 32).toString(16)}`;
      const entry = 'device/0000:00:04.0/msix/0';
      return [
        seen,
        `irte.write irte/0/${handle + 1} value=0x210009`,
        `tbl.write ${entry} offset=0x0 size=4 value=${address}`,
        `tbl.write ${entry} offset=0x4 size=4 value=0x0`,
        `tbl.write ${entry} offset=0x8 size=4 value=0x1`,
        `send ${entry} address=${address} data=0x1`,
      ];
    };
    // B also tells of the first entry of its block.
    const [a, b] = [traceOf(block(20)), traceOf([...block(30), 'irte.write irte/0/30 value=0x250009'])];
    const rows = rowsBetween(a, b);
    assert.deepEqual(
      rows.filter(({ at }) => at.a === 5 || at.b === 5),
      [],
    );
    const states = compareStates(a, 5, b, 5).filter(({ object }) => object === 'device/0000:00:04.0/msix/0');
    assert.deepEqual(states, []);
  });

  it('says in which phase a difference stands', () => {
    const other = good.filter((event) => !/irq\/41 vector|msix\/0 vector=0|teardown irq\/41/.test(event));
    const comparison = compareTraces(traceOf(good), traceOf(other));
    const phases = comparison.differences.map((d) => [d.a, comparison.phase(d)]);
    assert.deepEqual(phases.slice(0, 3), [
      [4, 'set-up'],
      [10, 'running'],
      [15, 'teardown'],
    ]);
  });
});

describe('comparison of two states', () => {
  it('tells the fields that differ between two steps of one trace', () => {
    const trace = traceOf(good);
    // Before and after the unmask of entry 0: nothing of the control dword is known before.
    const at = { a: 8, b: 9 };
    const entry = { at, kind: 'changed', object: 'device/0000:00:04.0/msix/0' };
    assert.deepEqual(compareStates(trace, 8, trace, 9), [
      { ...entry, field: 'control.mask', a: null, b: false },
      // Bits 31:16 hold a steering tag where the function keeps its tags in the table.
      { ...entry, field: 'control.stLower', a: null, b: 0 },
      { ...entry, field: 'control.stUpper', a: null, b: 0 },
      { ...entry, field: 'writes', a: 3, b: 4 },
    ]);
    assert.deepEqual(compareStates(trace, 9, trace, 9), []);
  });

  it('tells objects that only one state has', () => {
    const trace = traceOf(good);
    const rows = compareStates(trace, 4, trace, 5);
    assert.deepEqual(
      rows.filter(({ object }) => object === 'irte/0/20').map(({ kind, field, a }) => [kind, field, a]),
      [['only-b', null, null]],
    );
  });

  it('matches the objects of two traces: numbers are no differences, counts and values are', () => {
    const other = [seen, ...life(43, 30, '0000:00:04.0', 'eth0'), ...life(44, 20, '0000:00:05.0', 'nvme0q0')];
    const [a, b] = [traceOf(good), traceOf(other)];
    assert.deepEqual(compareStates(a, a.length - 1, b, b.length - 1), []);
    assert.deepEqual(
      // Before and after the handler of eth0.
      compareStates(a, 12, b, 14).map(({ object, field, a: x, b: y }) => [object, field, x, y]),
      [
        ['irq/41', 'name', null, 'eth0'],
        ['irq/41', 'handled', 0, 1],
        ['irq/41', 'handledSinceSetup', 0, 1],
      ],
    );
  });
});
