// How a row of the list is joined where numbers are used by several: hwirqs of two eras of Linux, units, segments, eventfds.
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
