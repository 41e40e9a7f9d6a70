// What a trace shows of an interrupt, and what it cannot show: neither a status nor a count may claim more.
import assert from 'node:assert/strict';
import { joinTraces } from '../../src/import/join/join.ts';
import { type Interrupt, interrupts } from '../../src/query/interrupts/list.ts';
import type { InterruptRow } from '../../src/query/interrupts/row.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { importText } from '../helpers/fixtures.ts';
import { story } from '../helpers/story.ts';

const end = (trace: Trace): number => trace.length - 1;

/** The interrupt of which some id is a path. */
function at(trace: Trace, path: string, step = end(trace), options = {}): Interrupt {
  const found = interrupts(trace, step, options).filter(({ row }) => Object.values(row).includes(path));
  assert.equal(found.length, 1, `${found.length} rows have ${path}`);
  return found[0]!;
}

const row = (...args: Parameters<typeof at>): InterruptRow => at(...args).row;

/** A route that sends vector 34 to virtual CPU 0, which has left the guest. */
const ROUTE = `
  route.set kvm/0/route/24 device=0000:00:01.0 vector=0 address=0xfee00000 data=0x22
  kvm.entry vcpu/0
  kvm.exit vcpu/0 reason=HLT`;
const accept = (mode: string, posted = true): string => `apic.accept vcpu/0/vector/34 mode=${mode} posted=${posted}`;
const ENTRY = 'kvm.entry vcpu/0';
const EXIT = 'kvm.exit vcpu/0 reason=HLT';

/** The status of the route after each of some events. */
function statuses(events: readonly string[], options = {}): string[] {
  const trace = story(`${ROUTE}\n${events.join('\n')}`);
  return events.map((_, i) => row(trace, 'kvm/0/route/24', i + 3, options).status);
}

describe('interrupts that the processor takes by itself (APICv)', () => {
  it('edge: pending until the virtual CPU runs; then nothing is known of it', () => {
    assert.deepEqual(statuses([accept('Fixed|edge'), ENTRY, EXIT]), ['pending', 'unknown', 'unknown']);
    // The state is what the records say: the IRR bit is as the accept left it.
    story(`${ROUTE}\n${accept('Fixed|edge')}\n${ENTRY}\n= vcpu/0/vector/34/requested true`);
  });

  it('edge: what comes after the run pends again', () => {
    const events = [accept('Fixed|edge'), ENTRY, EXIT, accept('Fixed|edge'), ENTRY];
    assert.deepEqual(statuses(events), ['pending', 'unknown', 'unknown', 'pending', 'unknown']);
  });

  it('edge: a virtual CPU that runs is told at once', () => {
    assert.deepEqual(statuses([ENTRY, accept('Fixed|edge'), EXIT]).slice(1), ['unknown', 'unknown']);
    const trace = story(`
      route.set kvm/0/route/24 device=0000:00:01.0 vector=0 address=0xfee00000 data=0x22
      ${accept('Fixed|edge')}
      ${EXIT}`);
    // An exit after the accept: it ran between, also where its entry is not in the trace.
    assert.deepEqual(
      [1, 2].map((step) => row(trace, 'kvm/0/route/24', step).status),
      ['pending', 'unknown'],
    );
  });

  it('edge: the run of another virtual CPU tells nothing of it', () => {
    assert.deepEqual(statuses([accept('Fixed|edge'), 'kvm.entry vcpu/1']), ['pending', 'pending']);
  });

  it('level, and what is not posted, pend until a record shows that they were taken', () => {
    const eoi = 'apic.eoi vcpu/0/vector/34';
    assert.deepEqual(statuses([accept('Fixed|level'), ENTRY, EXIT, eoi]), ['pending', 'pending', 'pending', 'idle']);
    const inject = 'apic.inj vcpu/0/vector/34 reinjected=false';
    assert.deepEqual(statuses([accept('Fixed|edge', false), inject, ENTRY, eoi]), [
      'pending',
      'in-service',
      'in-service',
      'idle',
    ]);
    assert.deepEqual(statuses([accept('Fixed|edge', false), ENTRY]), ['pending', 'pending']);
  });

  it('a trace that shows every event shows what takes it', () => {
    assert.deepEqual(statuses([accept('Fixed'), ENTRY], { complete: true }), ['pending', 'pending']);
  });

  it('a healthy one does not stand above those that wait', () => {
    const trace = story(`${ROUTE}
      ${accept('Fixed|edge')}
      ${ENTRY}
      irq.status irq/23 disabled=true pending=true`);
    const list = interrupts(trace, end(trace));
    assert.deepEqual(
      list.map((one) => [one.row.gsi ?? one.row.irq, one.waiting]),
      [
        ['irq/23', true],
        ['kvm/0/route/24', false],
      ],
    );
  });

  it('ends of level-triggered vectors say nothing of the ends of an edge-triggered one', () => {
    const text = [
      ENTRY,
      EXIT,
      'apic.accept vcpu/0/vector/129 mode=Fixed|level posted=true',
      ENTRY,
      EXIT,
      'apic.eoi vcpu/0/vector/129',
      accept('Fixed|edge'),
      ENTRY,
    ];
    assert.equal(statuses(text).at(-1), 'unknown');
    // The level-triggered one itself: its ends are shown.
    const trace = story(`
      route.set kvm/0/route/24 device=0000:00:01.0 vector=0 address=0xfee00000 data=0x81
      route.set kvm/0/route/25 device=0000:00:01.0 vector=1 address=0xfee00000 data=0x22
      ${text.join('\n')}`);
    assert.equal(row(trace, 'kvm/0/route/24').status, 'idle');
    assert.equal(row(trace, 'kvm/0/route/25').status, 'unknown');
  });

  it('the handler of the host ends nothing at a virtual CPU', () => {
    const trace = story(`
      irq.entry irq/28 name=vfio-msix[0](0000:00:03.0)
      vfio.fire vfio/0000:00:03.0/2/0 irq=28
      vfio.route vfio/0000:00:03.0/2/0 virq=24
      irq.exit irq/28 handled=true${ROUTE}
      ${accept('Fixed|edge')}
      ${ENTRY}`);
    assert.equal(row(trace, 'irq/28', 3).status, 'idle');
    assert.equal(row(trace, 'irq/28', 7).status, 'pending');
    assert.notEqual(row(trace, 'irq/28').status, 'in-flight');
    assert.notEqual(row(trace, 'irq/28').status, 'pending');
  });
});

describe('masks of functions', () => {
  /** The capability lies at 0x50, the list begins with it. Its header with Message Control, then the mask bits at 0x60 (64 bit) are read. */
  const msi = (control: number, mask?: number): string => `
    cfg.read device/0000:00:1f.2 offset=0x34 size=1 value=0x50
    cfg.read device/0000:00:1f.2 offset=0x50 size=4 value=0x${(((control << 16) | 0x05) >>> 0).toString(16)}
    ${mask === undefined ? '' : `cfg.read device/0000:00:1f.2 offset=0x60 size=4 value=0x${mask.toString(16)}`}`;
  const status = (control: number, mask?: number): string =>
    row(story(msi(control, mask)), 'device/0000:00:1f.2/msi').status;
  // Message Control: bit 0 Enable, 6:4 Multiple Message Enable, 7 64-bit, 8 per-vector masking.
  const ENABLE = 0x181;
  const granted = (log2: number): number => ENABLE | (log2 << 4);

  it('MSI: masked when it is off, or when the bits of all vectors in use are set', () => {
    assert.equal(status(0x180, 0), 'masked');
    assert.equal(status(ENABLE, 1), 'masked');
    assert.equal(status(ENABLE, 0), 'idle');
    assert.equal(status(granted(2), 0xf), 'masked');
    assert.equal(status(granted(2), 0x7), 'idle', 'vector 3 is not masked');
    assert.equal(status(granted(2), 0xfffffff0), 'idle', 'bits of vectors that are not in use');
    assert.equal(status(granted(5), 0xffffffff), 'masked');
    assert.equal(status(granted(5), 0x7fffffff), 'idle');
  });

  it('MSI: without mask bits nothing masks it; mask bits that nothing shows are not known', () => {
    assert.equal(status(0x81), 'idle');
    assert.equal(status(ENABLE), 'unknown');
  });

  it('IMS: the mask bit of the entry', () => {
    const ims = (control: string): string =>
      row(story(`ims.store device/0000:03:00.0/ims/0 offset=0xc size=4 value=${control}`), 'device/0000:03:00.0/ims/0')
        .status;
    assert.equal(ims('0x1'), 'masked');
    assert.equal(ims('0x0'), 'idle');
  });
});

describe('what is recorded of one kernel says nothing of another', () => {
  const HOST = `
    irq.entry irq/28 name=eth0
    irq.exit irq/28 handled=true`;

  for (const guest of ['guest:irq/25', 'guest/0/irq/25'])
    it(`handlers of the host do not count those of ${guest}`, () => {
      const trace = story(`${HOST}
        irq.identify ${guest} device=0000:00:01.0 hwirq=0 domain=PCI-MSIX-0000:00:01.0
        irq.identify irq/29 device=0000:00:03.0 hwirq=0 domain=PCI-MSIX-0000:00:03.0`);
      assert.equal(row(trace, guest).handled, null);
      assert.equal(row(trace, guest).status, 'unknown');
      assert.equal(at(trace, guest).neverUsed, false);
      assert.equal(row(trace, 'irq/28').handled, 1);
      // Another irq of the host has none, and that is shown.
      assert.equal(row(trace, 'irq/29').handled, 0);
      assert.equal(at(trace, 'irq/29').neverUsed, true);
      // Where every event is shown, the guest has had none.
      assert.equal(row(trace, guest, end(trace), { complete: true }).handled, 0);
    });

  it('of an interrupt that both kernels handle, the count is that of the one whose handlers are recorded', () => {
    const join = `
      vfio.fire host:vfio/0000:00:03.0/2/0 irq=28
      vfio.route host:vfio/0000:00:03.0/2/0 virq=24
      route.set host:kvm/0/route/24 device=0000:00:01.0 vector=0 address=0xfee01000 data=0x22
      apic.accept host:vcpu/1/vector/34 mode=Fixed posted=false
      vec.update irq/25 vector=34 cpu=1 prevVector=0 prevCpu=0
      irq.identify host:irq/28 device=0000:00:03.0 hwirq=0 domain=PCI-MSIX-0000:00:03.0`;
    const guest = `
      irq.entry irq/25 name=nvme0q1
      irq.exit irq/25 handled=true`;
    assert.equal(row(story(join), 'host:irq/28').handled, null);
    const joined = row(story(join + guest), 'host:irq/28');
    assert.deepEqual([joined.guestIrq, joined.handled], ['irq/25', 1]);
  });

  it('signals of VFIO', () => {
    const used = (path: string, more = ''): boolean =>
      !at(
        story(`
        vfio.fire vfio/0000:00:03.0/2/0 irq=28
        vfio.use ${path} used=false${more}`),
        path,
      ).neverUsed;
    // Of the same system: its signals are counted, and this one had none.
    assert.equal(used('vfio/0000:00:03.0/2/1'), false);
    assert.equal(used('l2:vfio/0000:00:05.0/2/1'), true);
    assert.equal(used('l2:vfio/0000:00:05.0/2/1', '\nvfio.fire l2:vfio/0000:00:05.0/2/0 irq=9'), false);
  });

  it('messages that arrive at the table of a machine', () => {
    const entry = (system: string, event: number): string => `
      its.mapd ${system}its/0/device/0x10 size=4 itt=0x47000000 valid=true
      its.mapti ${system}its/0/device/0x10/event/${event} lpi=8203 collection=0
      tbl.write ${system}device/0000:00:02.0/msix/${event} offset=0x0 size=8 value=0xfffff040
      tbl.write ${system}device/0000:00:02.0/msix/${event} offset=0x8 size=8 value=0x${event}`;
    const trace = story(`${entry('', 3)}\n${entry('', 4)}\n${entry('b:', 5)}
      its.trans its/0/device/0x10/event/3 device=0x10 event=0x3 size=4
      gic.eoi vcpu/0/intid/8203`);
    const sends = (path: string): number | null => row(trace, path).sends;
    assert.equal(sends('device/0000:00:02.0/msix/3'), 1);
    assert.equal(sends('device/0000:00:02.0/msix/4'), 0);
    assert.equal(sends('b:device/0000:00:02.0/msix/5'), null);
  });

  it('ends at the GIC', () => {
    const other = (system: string): string => `
      its.mapti ${system}its/0/device/0x10/event/3 lpi=8203 collection=0
      tbl.write ${system}device/0000:00:02.0/msix/3 offset=0x0 size=8 value=0xfffff040
      tbl.write ${system}device/0000:00:02.0/msix/3 offset=0x8 size=4 value=0x3
      its.trans ${system}its/0/device/0x10/event/3 device=0x10 event=0x3 size=4`;
    const eoi = '\ngic.eoi vcpu/0/intid/8200';
    assert.equal(row(story(other('') + eoi), 'device/0000:00:02.0/msix/3').status, 'in-flight');
    assert.equal(row(story(eoi + other('b:')), 'b:device/0000:00:02.0/msix/3').status, 'unknown');
  });
});

describe('handlers, where their source is only a part of the trace', () => {
  const source = (...events: readonly string[]): Trace =>
    importText(`#irqtrace 1\n#clock seconds digits=6 test\n${events.join('\n')}\n`);
  const entry = 'device/0000:00:03.0/msix/1';
  const send = (time: number): string => `${time}.000000 - - send ${entry} address=0xfee00318 data=0x0 size=4`;
  const run = (time: number): readonly string[] => [
    `${time}.000000 cpu0 - irq.entry irq/31 name=nvme0q1`,
    `${time}.000001 cpu0 - irq.exit irq/31 handled=true`,
  ];
  /** The status at a time, after messages at some times; the kernel recorded from 9 s to 20 s. */
  const statusAt = (time: number, ...sends: readonly number[]): string => {
    const kernel = source(
      '9.000000 - - irq.identify irq/31 device=0000:00:03.0 hwirq=1 domain=IR-PCI-MSIX-0000:00:03.0',
      ...run(10),
      ...run(20),
    );
    const trace = joinTraces([{ trace: kernel }, { trace: source(...sends.map(send), send(50)), offset: 0n }]);
    return row(trace, entry, trace.stepAtTime(`${time}.000000`)).status;
  };

  it('a message while the kernel records is in flight until its handler runs', () => {
    assert.equal(statusAt(15, 15), 'in-flight');
    assert.equal(statusAt(20, 15), 'in-service');
  });

  it('of a message behind the last record, or in front of the first, nobody knows whether it was handled', () => {
    assert.equal(statusAt(30, 30), 'unknown');
    assert.equal(statusAt(9, 5), 'unknown');
  });
});
