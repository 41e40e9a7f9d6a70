// How a row of the list is joined where numbers are used by several: hwirqs of two eras of Linux, units, PCI segments.
import assert from 'node:assert/strict';
import { interrupts } from '../../src/query/interrupts/list.ts';
import type { InterruptRow } from '../../src/query/interrupts/row.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { importText } from '../helpers/fixtures.ts';
import { story } from '../helpers/story.ts';

const rows = (trace: Trace, step = trace.length - 1): InterruptRow[] => interrupts(trace, step).map(({ row }) => row);

/** Of each row that has an entry: the entry, and what stands in another column. */
const besideEntries = (trace: Trace, column: keyof InterruptRow): Record<string, unknown> =>
  Object.fromEntries(rows(trace).flatMap((row) => (row.entry === null ? [] : [[row.entry, row[column]]])));

describe('hwirqs of PCI/MSI domains', () => {
  it('before Linux 6.2 one domain serves all functions: its hwirq holds segment, BDF and index', () => {
    // drivers/pci/msi/irqdomain.c pci_msi_domain_calc_hwirq: index | pci_dev_id << 11 | pci_domain_nr << 27.
    const hwirq = (segment: number, bus: number, slot: number, index: number): number =>
      index + ((bus << 8) | (slot << 3)) * 2 ** 11 + segment * 2 ** 27;
    assert.equal(hwirq(0, 1, 0, 0), 524288, 'the example of /proc/interrupts: IR-PCI-MSI 524288-edge is 0000:01:00.0');
    for (const [domain, shared] of [
      ['IR-PCI-MSI', true],
      ['PCI-MSI', true],
      ['PCI-MSI-2', true],
      ['INTEL-IR-MSI-1-2', true],
      ['ITS-MSI', true],
      ['DMAR-MSI', false],
      ['VMD-MSI', false],
    ] as const) {
      const trace = story(`
        dev.raise device/0000:01:00.0/msix/0
        dev.raise device/0000:01:00.0/msix/2
        dev.raise device/0001:01:00.0/msix/0
        irq.identify irq/30 hwirq=524288 domain=${domain}
        irq.identify irq/31 hwirq=${hwirq(0, 1, 0, 2)} domain=${domain}
        irq.identify irq/32 hwirq=${hwirq(1, 1, 0, 0)} domain=${domain}
        = irq/32/device ${shared ? '"0001:01:00.0"' : 'null'}`);
      assert.deepEqual(
        besideEntries(trace, 'irq'),
        {
          'device/0000:01:00.0/msix/0': shared ? 'irq/30' : null,
          'device/0000:01:00.0/msix/2': shared ? 'irq/31' : null,
          'device/0001:01:00.0/msix/0': shared ? 'irq/32' : null,
        },
        domain,
      );
    }
  });

  it('a domain of one function names it, and its hwirq is the index', () => {
    for (const domain of ['IR-PCI-MSIX-0000:01:00.0', 'PCI-MSIX-0000:01:00.0-12', 'ITS-PCI-MSIX-0000:01:00.0']) {
      const trace = story(`
        dev.raise device/0000:01:00.0/msix/2
        irq.identify irq/30 hwirq=2 domain=${domain}
        = irq/30/device "0000:01:00.0"`);
      assert.deepEqual(besideEntries(trace, 'irq'), { 'device/0000:01:00.0/msix/2': 'irq/30' }, domain);
    }
  });

  it('a domain of MSI and MSI-X: `msi_irqs` of the function tells which of the two, also when both are off', () => {
    for (const [mode, entry] of [
      ['msix', 'device/0000:00:07.0/msix/0'],
      ['msi', 'device/0000:00:07.0/msi'],
      [undefined, null],
    ] as const) {
      const trace = story(`
        dev.raise device/0000:00:07.0/msix/0
        snap.msi device/0000:00:07.0 at=0x50 enable=false
        snap.msix device/0000:00:07.0 at=0x68 enable=false fmask=false size=15
        irq.identify irq/48 hwirq=114688 domain=IR-PCI-MSI
        ${mode === undefined ? '' : `snap.descriptor irq/48/descriptor msi=${mode}`}`);
      assert.equal(rows(trace).find(({ irq }) => irq === 'irq/48')?.entry, entry, mode);
    }
  });

  it('a message that a probe shows joins by the hwirq of either era', () => {
    const text = (hwirq: string): string => `# tracer: nop
          <idle>-0       [002] d.h1.    10.934596: w: (__pci_write_msi_msg+0x0/0x10) irq=28 hwirq=${hwirq} lo=0xfee00298 hi=0x0 data=0x0
`;
    const device = (hwirq: string): unknown => {
      const trace = importText(text(hwirq));
      const object = trace.world.objectAt('irq/28');
      const [name, index] = ['device', 'hwirq'].map((key) => trace.world.type(object)!.at[key]!);
      return [trace.head.text(object, name!), trace.head.num(object, index!)];
    };
    assert.deepEqual(device('0x80002'), ['0000:01:00.0', 2]);
    assert.deepEqual(device('2'), ['', 2], 'an index alone names no function');
  });

  it('a hwirq and a device that contradict each other join nothing', () => {
    for (const line of [
      'irq.identify irq/30 device=0000:03:00.0 hwirq=524288 domain=IR-PCI-MSI',
      'irq.identify irq/30 device=0000:03:00.0 hwirq=0 domain=PCI-MSIX-0000:01:00.0',
      'irq.identify irq/30 device=0000:03:00.0 hwirq=524288',
      // A number that no table has as an index, of a domain that is not known.
      'irq.identify irq/30 hwirq=524288',
    ]) {
      const list = rows(story(`dev.raise device/0000:01:00.0/msix/0\ndev.raise device/0000:03:00.0/msix/0\n${line}`));
      assert.equal(list.length, 3, line);
    }
  });

  it('in a domain of all functions MSI is told from MSI-X by what the function has enabled', () => {
    const both = `
      cfg.read device/0000:01:00.0 offset=0x34 size=1 value=0x60
      cfg.read device/0000:01:00.0 offset=0x60 size=4 value=0x800005
      dev.raise device/0000:01:00.0/msix/0
      msix.ctrl device/0000:01:00.0 enable=false fmask=false
      irq.identify irq/30 hwirq=524288 domain=IR-PCI-MSI`;
    const entryOf = (text: string): string | null => rows(story(text)).find(({ irq }) => irq === 'irq/30')!.entry;
    assert.equal(entryOf(both), null, 'not told');
    assert.equal(
      entryOf(`${both}\ncfg.write device/0000:01:00.0 offset=0x62 size=2 value=0x81`),
      'device/0000:01:00.0/msi',
    );
    assert.equal(
      entryOf(`${both}\nmsix.ctrl device/0000:01:00.0 enable=true fmask=false`),
      'device/0000:01:00.0/msix/0',
    );
  });

  it('a walk of the hierarchy tells numbers of other domains, too', () => {
    story(`
      irq.identify irq/30 hwirq=2 domain=IR-PCI-MSIX-0000:01:00.0
      dom.alloc irq/30 domain=INTEL-IR-1-13 free=false hwirq=2424832
      = irq/30/hwirq 2
      dom.alloc irq/31 domain=VECTOR free=false hwirq=31
      = irq/31/hwirq null
      dom.alloc irq/31 domain=IR-PCI-MSIX-0000:01:00.0 free=false hwirq=3
      = irq/31/hwirq 3`);
  });

  it('a number that is set up again is of no domain before one is told', () => {
    story(`
      irq.identify irq/30 hwirq=524288 domain=IR-PCI-MSI owner=nvme
      vec.teardown irq/30 managed=false reserved=false
      vec.setup irq/30 legacy=false ret=0
      = irq/30/domain null
      = irq/30/owner null
      irq.mask irq/30 masked=true hwirq=1
      = irq/30/device null`);
  });
});

/** An MSI-X entry with its message. */
const entry = (bdf: string, i: number, address: string, data: number): string => `
  tbl.write device/${bdf}/msix/${i} offset=0x0 size=8 value=${address}
  tbl.write device/${bdf}/msix/${i} offset=0x8 size=4 value=0x${data.toString(16)}`;

describe('units of one kind', () => {
  const mapped = (unit: number, device: string, event: number, lpi: number): string => `
    its.mapd its/${unit}/device/${device} size=4 itt=0x4700${unit}000 valid=true
    its.mapti its/${unit}/device/${device}/event/${event} lpi=${lpi} collection=0`;
  const FIRST = '0x8090040';
  const SECOND = '0x48090040';
  const doorbells = `
    its.doorbell its/0 address=${FIRST}
    its.doorbell its/1 address=${SECOND}`;

  it('an entry belongs to the ITS whose doorbell its message goes to (a DeviceID is a number of one ITS)', () => {
    const text = `
      ${mapped(0, '0x10', 3, 8200)}
      ${mapped(1, '0x10', 3, 8300)}
      irq.identify irq/40 lpi=8200
      irq.identify irq/41 lpi=8300
      ${entry('0000:00:02.0', 3, SECOND, 3)}`;
    const [row] = rows(story(`${doorbells}${text}`)).filter(({ entry: path }) => path !== null);
    assert.deepEqual([row!.irte, row!.irq], ['its/1/device/0x10/event/3', 'irq/41']);
    // Both know a device 0x10, and nothing tells where the address leads.
    const [none] = rows(story(text)).filter(({ entry: path }) => path !== null);
    assert.deepEqual([none!.irte, none!.irq], [null, null]);
  });

  it('an entry belongs to the only ITS that knows its function', () => {
    const trace = story(`
      ${mapped(0, '0x18', 3, 8200)}
      ${mapped(1, '0x10', 3, 8300)}
      ${entry('0000:00:02.0', 3, '0xfffff040', 3)}`);
    assert.deepEqual(besideEntries(trace, 'irte'), { 'device/0000:00:02.0/msix/3': 'its/1/device/0x10/event/3' });
  });

  it('what an SMMU makes of the address tells the ITS', () => {
    const trace = story(`
      ${doorbells}
      ${mapped(0, '0x10', 3, 8200)}
      ${mapped(1, '0x10', 3, 8300)}
      ${entry('0000:00:02.0', 3, '0xfffff040', 3)}
      smmu.trans smmu/0/stream/0x10 iova=0xfffff040 output=${SECOND} perm=0x3`);
    assert.deepEqual(besideEntries(trace, 'irte'), { 'device/0000:00:02.0/msix/3': 'its/1/device/0x10/event/3' });
  });

  it('an LPI that events of two ITSs raise joins no irq', () => {
    const trace = story(`
      ${doorbells}
      ${mapped(0, '0x10', 0, 8200)}
      ${mapped(1, '0x18', 0, 8200)}
      irq.identify irq/40 lpi=8200
      ${entry('0000:00:02.0', 0, FIRST, 0)}
      ${entry('0000:00:03.0', 0, SECOND, 0)}`);
    assert.deepEqual(besideEntries(trace, 'irq'), {
      'device/0000:00:02.0/msix/0': null,
      'device/0000:00:03.0/msix/0': null,
    });
  });

  it('an LPI that events of two systems raise joins the irq of each', () => {
    const own = (system: string, virq: number): string => `
      its.mapd ${system}its/0/device/0x10 size=4 itt=0x47000000 valid=true
      its.mapti ${system}its/0/device/0x10/event/0 lpi=8200 collection=0
      irq.identify ${system}irq/${virq} lpi=8200
      ${entry('0000:00:02.0', 0, FIRST, 0).replaceAll('device/', `${system}device/`)}`;
    const found = rows(story(`${own('', 40)}\n${own('guest:', 41)}`)).filter(({ entry: path }) => path !== null);
    assert.deepEqual(
      found.map((row) => [row.entry, row.irq, row.guestIrq]),
      [
        ['device/0000:00:02.0/msix/0', 'irq/40', null],
        ['guest:device/0000:00:02.0/msix/0', null, 'guest:irq/41'],
      ],
    );
  });

  it('an LPI of another system is not that of the row', () => {
    const trace = story(`
      ${mapped(0, '0x10', 3, 8200)}
      its.mapc its/0/collection/0 target=0 valid=true
      ${entry('0000:00:02.0', 3, FIRST, 3)}
      gic.ack guest:vcpu/0/intid/8200`);
    const [row] = rows(trace).filter(({ entry: path }) => path !== null);
    assert.equal(row!.last!.step, trace.length - 2);
  });

  it('VT-d: of two units the entry is in the one that lets the function through (sid, sq, svt)', () => {
    // P = 1, vector 0x21; svt 1 and sq 0 in bits 83:80, sid in bits 79:64.
    const irte = (unit: number, sid: number): string =>
      `irte.read irte/dmar${unit}/5 value=0x${(0x4_0000 + sid).toString(16)}0000000000210001`;
    const units = 'ir.seen irte/dmar0 kind=VT-d\nir.seen irte/dmar1 kind=VT-d';
    // Handle 5 in bits 19:5, bit 4: remappable format.
    const message = entry('0000:03:00.0', 0, '0xfee000b0', 0);
    const irteOf = (text: string): unknown => besideEntries(story(text), 'irte')['device/0000:03:00.0/msix/0'];
    assert.equal(irteOf(`${units}\n${irte(1, 0x300)}\n${message}`), 'irte/dmar1/5');
    assert.equal(irteOf(`${units}\n${irte(0, 0x400)}\n${message}`), null, 'entry 5 of the unit of another function');
    assert.equal(irteOf(`${units}\n${irte(0, 0x400)}\n${irte(1, 0x300)}\n${message}`), 'irte/dmar1/5');
    assert.equal(irteOf(`${units}\n${irte(0, 0x300)}\n${irte(1, 0x300)}\n${message}`), null, 'either');
  });
});

describe('PCI segments', () => {
  const both = (text: (bdf: string) => string): string => `${text('0000:03:00.0')}\n${text('0001:03:00.0')}`;
  const A = 'device/0000:03:00.0/msix/0';
  const B = 'device/0001:03:00.0/msix/0';

  it('AMD-Vi: the table of a requester ID is that of one of two functions, and it is not known of which', () => {
    const irte = `
      irte.readAmd irte/amdvi-0x300/2 low=0x210001
      ir.seen irte/amdvi-0x300 kind=AMD-Vi`;
    const one = story(`${irte}\n${entry('0000:03:00.0', 0, '0xfee00000', 2)}`);
    assert.deepEqual(besideEntries(one, 'irte'), { [A]: 'irte/amdvi-0x300/2' });
    const two = story(`${irte}\n${both((bdf) => entry(bdf, 0, '0xfee00000', 2))}`);
    assert.deepEqual(besideEntries(two, 'irte'), { [A]: null, [B]: null });
  });

  it('VT-d: a unit serves one segment, and it is not known which', () => {
    const irte = 'irte.read irte/dmar0/5 value=0x403000000000000210001\nir.seen irte/dmar0 kind=VT-d';
    const one = story(`${irte}\n${entry('0001:03:00.0', 0, '0xfee000b0', 0)}`);
    assert.deepEqual(besideEntries(one, 'irte'), { [B]: 'irte/dmar0/5' });
    const two = story(`${irte}\n${both((bdf) => entry(bdf, 0, '0xfee000b0', 0))}`);
    assert.deepEqual(besideEntries(two, 'irte'), { [A]: null, [B]: null });
    // What comes later does not change what is known now.
    const first = rows(two, two.length - 3).find(({ entry: path }) => path === A);
    assert.equal(first!.irte, 'irte/dmar0/5');
  });

  it('ITS: functions of two segments are known by the doorbells that they write to', () => {
    const device = (unit: number, id: string, lpi: number): string => `
      its.mapd its/${unit}/device/${id} size=4 itt=0x4700${unit}000 valid=true
      its.mapti its/${unit}/device/${id}/event/0 lpi=${lpi} collection=0`;
    const shared = story(`${device(0, '0x300', 8200)}\n${both((bdf) => entry(bdf, 0, '0x8090040', 0))}`);
    assert.deepEqual(besideEntries(shared, 'irte'), { [A]: null, [B]: null });
    const own = story(`
      its.doorbell its/0 address=0x8090040
      its.doorbell its/1 address=0x48090040
      ${device(0, '0x300', 8200)}
      ${device(1, '0x300', 8300)}
      irq.identify irq/50 lpi=8200
      irq.identify irq/51 lpi=8300
      ${entry('0000:03:00.0', 0, '0x8090040', 0)}
      ${entry('0001:03:00.0', 0, '0x48090040', 0)}`);
    assert.deepEqual(besideEntries(own, 'irte'), {
      [A]: 'its/0/device/0x300/event/0',
      [B]: 'its/1/device/0x300/event/0',
    });
    assert.deepEqual(besideEntries(own, 'irq'), { [A]: 'irq/50', [B]: 'irq/51' });
    // Firmware adds a base to the requester IDs of other host bridges: msi-map = <0x0 &its 0x10000 0x10000>.
    const based = story(`${device(0, '0x10300', 8200)}\n${entry('0001:03:00.0', 0, '0x8090040', 0)}`);
    assert.deepEqual(besideEntries(based, 'irte'), { [B]: 'its/0/device/0x10300/event/0' });
    const other = story(`${device(0, '0x10300', 8200)}\n${entry('0000:03:00.0', 0, '0x8090040', 0)}`);
    assert.deepEqual(besideEntries(other, 'irte'), { [A]: null });
  });

  it('the requester of an IRTE is the function that the trace knows by that ID; of two it is none', () => {
    const irte = 'irte.read irte/dmar0/5 value=0x403000000000000210001';
    story(`${irte}
      = irte/dmar0/5/requester "0000:03:00.0"
      dev.raise device/0001:03:00.0/msix/0
      = irte/dmar0/5/requester "0001:03:00.0"
      dev.raise device/0000:03:00.0/msix/0
      = irte/dmar0/5/requester null`);
  });
});

describe('an irq that moves', () => {
  // arch/x86/kernel/apic/vector.c: the old vector stays allocated until vector_free_moved; what was sent before arrives there.
  const MOVED = `
    vec.config irq/41 vector=38 cpu=2 apicDest=0x2
    vec.update irq/41 vector=38 cpu=2 prevVector=0 prevCpu=0
    vec.update irq/41 vector=39 cpu=1 prevVector=38 prevCpu=2`;
  const row = (text: string): InterruptRow => rows(story(`${MOVED}\n${text}`)).find(({ irq }) => irq === 'irq/41')!;

  it('pends while its old vector pends on the old CPU', () => {
    const before = story(`${MOVED.replace(/\n.*prevVector=38.*/, '')}
      cpu.accept cpu/2/vector/38
      vec.update irq/41 vector=39 cpu=1 prevVector=38 prevCpu=2`);
    const [moved] = rows(before);
    assert.deepEqual([moved!.vector, moved!.cpu, moved!.status], ['cpu/1/vector/39', 'cpu/1', 'pending']);
    // It arrived at the old CPU after the move.
    const late = row('cpu.accept cpu/2/vector/38');
    assert.deepEqual([late.vector, late.status, late.last?.step], ['cpu/1/vector/39', 'pending', 3]);
    assert.equal(row('cpu.accept cpu/2/vector/38\ncpu.take cpu/2/vector/38').status, 'in-service');
  });

  it('has nothing to do with its old vector once that is freed', () => {
    const freed = row('vec.freeMoved irq/41 cpu=2 vector=38 managed=false\ncpu.accept cpu/2/vector/38');
    assert.deepEqual([freed.status, freed.last?.step], ['unknown', 3], 'nothing is known of its new vector');
    // Another irq gets the vector.
    const list = rows(
      story(`${MOVED}
        vec.freeMoved irq/41 cpu=2 vector=38 managed=false
        vec.update irq/50 vector=38 cpu=2 prevVector=0 prevCpu=0
        cpu.accept cpu/2/vector/38`),
    );
    assert.deepEqual(
      list.map(({ irq, vector, status }) => [irq, vector, status]),
      [
        ['irq/50', 'cpu/2/vector/38', 'pending'],
        ['irq/41', 'cpu/1/vector/39', 'unknown'],
      ],
    );
  });

  it('an IRTE that was invalidated leads nowhere that is known; what it sent before still pends where it went', () => {
    // P = 1, vector in bits 23:16, xAPIC id in bits 47:40 (VT-d 9.10).
    const irte = (vector: number, apicId: number): string =>
      `0x${(apicId * 2 ** 40 + vector * 2 ** 16 + 1).toString(16).padStart(16, '0')}`;
    const sent = `
      ir.seen irte/0 kind=VT-d
      ${entry('0000:03:00.0', 0, '0xfee00298', 0)}
      irte.read irte/0/20 value=${irte(38, 2)}
      ir.remap irte/0/20 vector=38 dest=0x2 destMode=0
      apic.accept vcpu/2/vector/38 mode=Fixed posted=false`;
    const of = (text: string): unknown[] => {
      const [only] = rows(story(text));
      return [only!.irte, only!.vector, only!.vcpu, only!.status];
    };
    assert.deepEqual(of(sent), ['irte/0/20', 'vcpu/2/vector/38', 'vcpu/2', 'pending']);
    const moved = `${sent}\niec.inv irte/0/20 global=false index=20 mask=0`;
    assert.deepEqual(of(moved), ['irte/0/20', null, null, 'pending']);
    const arrived = `${moved}
      irte.read irte/0/20 value=${irte(39, 1)}
      ir.remap irte/0/20 vector=39 dest=0x1 destMode=0
      apic.accept vcpu/1/vector/39 mode=Fixed posted=false`;
    assert.deepEqual(of(arrived), ['irte/0/20', 'vcpu/1/vector/39', 'vcpu/1', 'pending']);
  });
});
