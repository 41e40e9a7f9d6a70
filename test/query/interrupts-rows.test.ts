// What holds of the list of interrupts in every trace, and how it is joined and ordered in small ones.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Interrupt, interrupts } from '../../src/query/interrupts/list.ts';
import { type InterruptRow, STATUSES } from '../../src/query/interrupts/row.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { fixtureBytes, fixtureLines, fixtureTrace, importBytes, traceFixtures } from '../helpers/fixtures.ts';
import { story } from '../helpers/story.ts';
import { bundled, run } from '../sim/run.ts';

/** Types of the objects that each are in one row, in the columns of entries and of irqs. */
const ENTRIES = new Set(['msix', 'msi', 'ims']);

/** Paths of what is present after a step and has to be in one row, found by the types of all objects. */
function present(trace: Trace, step: number): string[] {
  const state = trace.stateAt(step);
  const found: string[] = [];
  for (let object = 0; object < trace.world.objects; object++) {
    const { name } = trace.world.type(object)!;
    if (state.present(object) && (ENTRIES.has(name) || name === 'irq')) found.push(trace.world.path(object));
  }
  return found.sort();
}

/** What a row says of objects that are there. An entry that only domain and hwirq of the irq name is none. */
const named = ({ row, joined }: Interrupt): string[] => {
  const entry = joined.entry < 0 && joined.guestEntry < 0 ? null : row.entry;
  return [entry, row.guestEntry, row.irq, row.guestIrq].filter((path) => path !== null);
};

function checkRows(trace: Trace, step: number, complete: boolean): void {
  const list = interrupts(trace, step, { complete });
  assert.deepEqual(list.flatMap(named).sort(), present(trace, step), `after step ${step}`);
  const others = list.flatMap(({ row }) => [row.vfio, row.gsi].filter((path) => path !== null));
  assert.equal(new Set(others).size, others.length, 'a vector of VFIO and a GSI are in one row');
  for (const { row } of list) {
    assert.ok(STATUSES.includes(row.status));
    assert.ok(row.last === null || row.last.step <= step);
    for (const key of ['raises', 'sends'] as const)
      assert.ok(row[key] === null || row.entry !== null || row.irte !== null, `${key} without entry`);
    assert.ok(row.handled === null || row.irq !== null || row.guestIrq !== null, 'handled without irq');
  }
}

/** The last event about any of the objects of a row at or before a step, by looking at every event. */
function lastByScan(trace: Trace, paths: ReadonlySet<string>, step: number): number {
  for (let at = step; at >= 0; at--) if (paths.has(trace.world.path(trace.table.object(at)))) return at;
  return -1;
}

const placesIn = (trace: Trace): number[] => {
  const last = trace.length - 1;
  return [...new Set([last, 0, ...[0.1, 0.3, 0.5, 0.7, 0.9].map((part) => Math.floor(last * part))])];
};

describe('rows of interrupts', () => {
  for (const name of traceFixtures())
    it(`${name}: every entry and every irq is in one row`, () => {
      const trace = fixtureTrace(name);
      for (const step of placesIn(trace)) checkRows(trace, step, false);
    });

  const folder = resolve(import.meta.dirname, '../../examples/scenarios');
  const scenarios = readdirSync(folder)
    .filter((file) => file.endsWith('.scenario.json'))
    .map((file) => file.replace('.scenario.json', ''));
  for (const name of scenarios)
    it(`scenario ${name}: every entry and every irq is in one row`, () => {
      const { trace } = run(bundled(name));
      for (const step of placesIn(trace)) checkRows(trace, step, true);
    });

  it('the last event is that of a scan of all events', () => {
    for (const name of ['x86-vtd/qemu.log', 'arm64-a/qemu.log', 'x86-nested/l1-ftrace.txt']) {
      const trace = fixtureTrace(name);
      for (const step of placesIn(trace))
        for (const { row, joined } of interrupts(trace, step)) {
          const own = Object.entries(joined)
            .filter(([part]) => part !== 'cpu' && part !== 'vcpu' && part !== 'domain')
            .map(([, object]) => trace.world.path(object));
          assert.equal(row.last?.step ?? -1, lastByScan(trace, new Set(own.filter((path) => path !== '')), step));
        }
    }
  });

  it('a list after some step is that of a file which ends there', () => {
    for (const name of ['x86-vtd/qemu.log', 'x86-vtd/ftrace.txt', 'arm64-a/qemu.log', 'x86-nested/l1-ftrace.txt']) {
      const whole = fixtureTrace(name);
      const line = Math.floor(fixtureLines(name).length * 0.7);
      const bytes = fixtureBytes(name);
      const cut = importBytes(bytes.subarray(0, fixtureLines(name)[line]!.offset), undefined, name);
      const step = whole.lastAtLine(line);
      const joined = (trace: Trace) =>
        interrupts(trace, step)
          .map(({ row: { raises: _r, sends: _s, handled: _h, ...row } }) => row)
          .sort((x, y) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1));
      assert.equal(cut.length, step + 1, name);
      assert.deepEqual(joined(whole), joined(cut), name);
    }
  });
});

const rows = (trace: Trace, step = trace.length - 1, options = {}): InterruptRow[] =>
  interrupts(trace, step, options).map(({ row }) => row);

const ENABLE = 'msix.ctrl device/0000:00:03.0 enable=true fmask=false';

describe('joins of interrupts', () => {
  it('an action names the vector of VFIO; another action on the same number does not', () => {
    const trace = story(`
      irq.entry irq/28 name=vfio-msix[2](0000:00:03.0)
      vfio.fire vfio/0000:00:03.0/2/2 irq=28
      irq.exit irq/28 handled=true
      irq.entry irq/28 name=nvme0q1
      irq.exit irq/28 handled=true
      irq.entry irq/28 name=nvme0q1
      irq.exit irq/28 handled=true`);
    assert.equal(rows(trace, 2)[0]!.vfio, 'vfio/0000:00:03.0/2/2');
    assert.equal(rows(trace, 2).length, 1);
    // An action that runs twice in a row is the only one.
    const later = rows(trace, 6);
    assert.equal(later.length, 2);
    assert.equal(later.find(({ irq }) => irq === 'irq/28')!.vfio, null);
  });

  it('an entry and an irq with the same message are one interrupt, unless a third has it too', () => {
    const entry = (i: number): string => `
      tbl.write device/0000:00:03.0/msix/${i} offset=0x0 size=8 value=0xfee01000
      tbl.write device/0000:00:03.0/msix/${i} offset=0x8 size=4 value=0x25`;
    const message = 'msg.write irq/40 address=0xfee01000 data=0x25';
    assert.deepEqual(
      rows(story(`${entry(0)}\n${message}`)).map(({ entry: path, irq }) => [path, irq]),
      [['device/0000:00:03.0/msix/0', 'irq/40']],
    );
    assert.equal(rows(story(`${entry(0)}\n${entry(1)}\n${message}`)).length, 3);
  });

  it('an irq of an MSI function has the capability; of several irqs the first', () => {
    const trace = story(`
      irq.identify irq/50 device=0000:00:1f.2 hwirq=0 domain=PCI-MSI-0000:00:1f.2
      irq.identify irq/51 device=0000:00:1f.2 hwirq=1 domain=PCI-MSI-0000:00:1f.2
      dev.raise device/0000:00:1f.2/msi`);
    assert.deepEqual(
      rows(trace).map(({ entry, irq }) => [entry, irq]),
      [
        ['device/0000:00:1f.2/msi', 'irq/50'],
        [null, 'irq/51'],
      ],
    );
  });

  it('an irq that was given back leaves its entry to the next one', () => {
    const trace = story(`
      irq.identify irq/24 device=0000:00:05.0 hwirq=0 domain=ITS-PCI-MSIX-0000:00:05.0 lpi=8192
      dom.alloc irq/24 domain=ITS free=true
      tbl.write device/0000:00:05.0/msix/0 offset=0xc size=4 value=0x0
      irq.identify irq/26 device=0000:00:05.0 hwirq=0 domain=ITS-PCI-MSIX-0000:00:05.0 lpi=8192
      dom.alloc irq/26 domain=ITS free=false`);
    const irqOf = (step: number): string | null => rows(trace, step).find(({ entry }) => entry !== null)!.irq;
    assert.deepEqual([irqOf(2), irqOf(4)], ['irq/24', 'irq/26']);
  });

  it('a number that a guest gave for its own irq does not join the irq of the host with that number', () => {
    const trace = story(`
      irq.identify irq/24 device=0000:02:00.0 hwirq=0 domain=PCI-MSIX-0000:02:00.0
      irq.identify guest/0/irq/24 device=0000:03:00.0 hwirq=0 domain=QUEUE-IMS-0000:03:00.0
      ims.store device/0000:03:00.0/ims/0 offset=0x0 size=4 value=0xfee00358 virq=24`);
    assert.deepEqual(
      rows(trace).map(({ entry, irq, guestIrq }) => [entry, irq, guestIrq]),
      [
        ['device/0000:03:00.0/ims/0', null, 'guest/0/irq/24'],
        ['device/0000:02:00.0/msix/0', 'irq/24', null],
      ],
    );
  });

  it('events of an ITS join an entry and the irq with its LPI', () => {
    const trace = story(`
      its.mapd its/0/device/0x10 size=4 itt=0x47000000 valid=true
      its.mapc its/0/collection/1 target=1 valid=true
      its.mapti its/0/device/0x10/event/3 lpi=8203 collection=1
      cpu.online cpu/1
      tbl.write device/0000:00:02.0/msix/3 offset=0x0 size=8 value=0xfffff040
      tbl.write device/0000:00:02.0/msix/3 offset=0x8 size=4 value=0x3
      irq.identify irq/33 lpi=8203`);
    const [row] = rows(trace);
    assert.deepEqual(
      [row!.entry, row!.irq, row!.irte, row!.cpu],
      ['device/0000:00:02.0/msix/3', 'irq/33', 'its/0/device/0x10/event/3', 'cpu/1'],
    );
  });
});

describe('interrupts of several machines', () => {
  for (const [host, guest] of [
    ['', 'guest:'],
    ['host:', ''],
  ] as const)
    it(`a vector of VFIO, its GSI, the virtual CPU and the irq of the guest are one interrupt (${host || guest})`, () => {
      const [row, ...more] = rows(
        story(`
        irq.entry ${host}irq/28 name=vfio-msix[0](0000:00:03.0)
        vfio.fire ${host}vfio/0000:00:03.0/2/0 irq=28
        vfio.route ${host}vfio/0000:00:03.0/2/0 virq=24
        route.set ${host}kvm/0/route/24 device=0000:00:01.0 vector=0 address=0xfee01000 data=0x22
        apic.accept ${host}vcpu/1/vector/34 mode=fixed posted=false
        irq.exit ${host}irq/28 handled=true
        vec.update ${guest}irq/25 vector=34 cpu=1 prevVector=0 prevCpu=0
        irq.entry ${guest}irq/25 name=nvme0q1
        irq.exit ${guest}irq/25 handled=true`),
      );
      assert.equal(more.length, 0);
      assert.deepEqual(
        [row!.irq, row!.vfio, row!.gsi, row!.vcpu, row!.guestIrq, row!.action],
        [
          `${host}irq/28`,
          `${host}vfio/0000:00:03.0/2/0`,
          `${host}kvm/0/route/24`,
          `${host}vcpu/1`,
          `${guest}irq/25`,
          'vfio-msix[0](0000:00:03.0)',
        ],
      );
    });

  it('the kernel of the host, the log of the machine that it runs, and the kernel in that: one interrupt', () => {
    const [row, ...more] = rows(
      story(`
      irq.entry irq/28 name=vfio-msix[0](0000:00:03.0)
      vfio.fire vfio/0000:00:03.0/2/0 irq=28
      irq.exit irq/28 handled=true
      vfio.guest l2:vfio/0000:00:03.0 guest=0000:00:01.0
      tbl.write l2:device/0000:00:01.0/msix/0 offset=0x0 size=8 value=0xfee01000
      tbl.write l2:device/0000:00:01.0/msix/0 offset=0x8 size=4 value=0x22
      vfio.use l2:vfio/0000:00:03.0/2/0 used=true
      route.set l2:kvm/0/route/24 device=0000:00:01.0 vector=0 entry=l2:device/0000:00:01.0/msix/0
      vfio.route l2:vfio/0000:00:03.0/2/0 virq=24
      msg.write l2:irq/25 address=0xfee01000 data=0x22
      irq.entry l2:irq/25 name=nvme0q0`),
    );
    assert.equal(more.length, 0);
    assert.deepEqual(
      [row!.entry, row!.irq, row!.vfio, row!.gsi, row!.guestIrq],
      ['l2:device/0000:00:01.0/msix/0', 'irq/28', 'vfio/0000:00:03.0/2/0', 'l2:kvm/0/route/24', 'l2:irq/25'],
    );
  });

  it('the log of a machine and its kernel: one interrupt, one processor', () => {
    // VT-d 9.10: present, vector 0x21, destination 0 in xAPIC format; source 0000:00:03.0.
    const irte = '0x00000000000400180000000000210001';
    const [row, ...more] = rows(
      story(`
      ir.enable irte/0 enable=true
      tbl.write device/0000:00:03.0/msix/0 offset=0x0 size=8 value=0xfee00298
      tbl.write device/0000:00:03.0/msix/0 offset=0x8 size=4 value=0x0
      irte.read irte/0/20 value=${irte}
      iec.inv irte/dmar0/20 global=false index=20 mask=0
      cpu.online cpu/0
      vec.update irq/26 vector=33 cpu=0 prevVector=0 prevCpu=0
      vec.config irq/26 vector=33 cpu=0 apicDest=0x0
      msg.write irq/26 address=0xfee00298 data=0x0
      apic.deliver vcpu/0/vector/33 dest=0 destMode=0 deliveryMode=0 vector=33 trigger=0
      irq.entry irq/26 name=nvme0q0`),
    );
    assert.equal(more.length, 0);
    assert.deepEqual(
      [row!.entry, row!.irq, row!.irte, row!.cpu, row!.vector, row!.vcpu],
      ['device/0000:00:03.0/msix/0', 'irq/26', 'irte/0/20', 'cpu/0', 'cpu/0/vector/33', 'vcpu/0'],
    );
  });
});

describe('status and order of interrupts', () => {
  const trace = story(`
    irq.entry irq/20 name=a
    irq.exit irq/20 handled=true
    irq.entry irq/20 name=a
    irq.exit irq/20 handled=true
    irq.entry irq/21 name=b
    irq.exit irq/21 handled=true
    irq.mask irq/22 masked=true
    irq.status irq/23 disabled=true pending=true
    vec.setup irq/24 legacy=false ret=0
    cpu0 irq.entry irq/25 name=c`);
  const order = (options = {}): (string | null)[] => rows(trace, trace.length - 1, options).map(({ irq }) => irq);

  it('masked with a cause waiting stands before the busiest', () => {
    assert.deepEqual(order(), ['irq/23', 'irq/20', 'irq/21', 'irq/25', 'irq/22', 'irq/24']);
    const status = new Map(rows(trace).map((row) => [row.irq, row.status]));
    assert.equal(status.get('irq/23'), 'masked');
    assert.equal(status.get('irq/22'), 'masked');
    assert.equal(status.get('irq/20'), 'idle');
    assert.equal(status.get('irq/25'), 'in-service');
  });

  it('what was never used is told apart, and what pends is not', () => {
    const never = interrupts(trace, trace.length - 1).filter(({ neverUsed }) => neverUsed);
    assert.deepEqual(
      never.map(({ row }) => row.irq),
      ['irq/22', 'irq/24'],
    );
  });

  it('a finding about a loss makes it lost and the first; another finding does not', () => {
    const object = trace.world.objectAt('irq/21');
    const lost = new Map([[object, [{ rule: 'F01', lost: true }]]]);
    assert.equal(order({ findings: lost })[0], 'irq/21');
    assert.equal(rows(trace, trace.length - 1, { findings: lost })[0]!.status, 'lost');
    const other = new Map([[object, [{ rule: 'F84', lost: false }]]]);
    const row = rows(trace, trace.length - 1, { findings: other }).find(({ irq }) => irq === 'irq/21')!;
    assert.deepEqual([row.status, row.findings], ['idle', ['F84']]);
  });

  it('a trace without handlers has no count of them, and nothing is said not to be used', () => {
    const other = story('vec.setup irq/24 legacy=false ret=0');
    assert.equal(rows(other)[0]!.handled, null);
    assert.equal(rows(other)[0]!.status, 'unknown');
    assert.equal(interrupts(other, 0)[0]!.neverUsed, false);
  });

  it('an LPI that was ended at one CPU is idle when it moves to another', () => {
    const moves = story(`
      its.mapd its/0/device/0x10 size=4 itt=0x47000000 valid=true
      its.mapc its/0/collection/0 target=0 valid=true
      its.mapc its/0/collection/1 target=1 valid=true
      its.mapti its/0/device/0x10/event/3 lpi=8203 collection=0
      tbl.write device/0000:00:02.0/msix/3 offset=0x0 size=8 value=0xfffff040
      tbl.write device/0000:00:02.0/msix/3 offset=0x8 size=8 value=0x3
      its.trans its/0/device/0x10/event/3 device=0x10 event=0x3 size=4
      gic.ack vcpu/0/intid/8203
      gic.eoi vcpu/0/intid/8203
      its.movi its/0/device/0x10/event/3 collection=1`);
    const status = (step: number): string =>
      rows(moves, step).find(({ entry }) => entry === 'device/0000:00:02.0/msix/3')!.status;
    assert.deepEqual([6, 7, 8, 9].map(status), ['in-flight', 'in-service', 'idle', 'idle']);
  });

  it('what ended on the way is in flight no more', () => {
    const ended = story(`
      its.mapti its/0/device/0x10/event/3 lpi=8203 collection=0
      tbl.write device/0000:00:02.0/msix/3 offset=0x0 size=8 value=0xfffff040
      tbl.write device/0000:00:02.0/msix/3 offset=0x8 size=8 value=0x3
      its.trans its/0/device/0x10/event/3 device=0x10 event=0x3 size=4
      its.error its/0/device/0x10/event/3 text="invalid ITE"
      gic.eoi vcpu/0/intid/8200`);
    const status = (step: number): string => rows(ended, step)[0]!.status;
    assert.deepEqual([3, 4].map(status), ['in-flight', 'idle']);
  });

  it('a cause that is kept pending is pending, and idle when it was sent', () => {
    const pends = story(`${ENABLE}
      tbl.write device/0000:00:03.0/msix/0 offset=0xc size=4 value=0x1
      dev.raise device/0000:00:03.0/msix/0
      tbl.write device/0000:00:03.0/msix/0 offset=0xc size=4 value=0x0
      send device/0000:00:03.0/msix/0 address=0xfee00000 data=0x21`);
    assert.deepEqual(
      [1, 2, 3, 4].map((step) => rows(pends, step)[0]!.status),
      ['masked', 'pending', 'idle', 'idle'],
    );
    assert.deepEqual([rows(pends)[0]!.raises, rows(pends)[0]!.sends], [1, 1]);
  });
});
