// What kernels of three eras have: drivers/pci/msi/irqdomain.c of 6.1 (pci_msi_domain_calc_hwirq), domains of one function since 6.2, IMS from 6.2 to 6.9.
import assert from 'node:assert/strict';
import { pathValue } from '../../../src/query/state.ts';
import { bundled, events, run } from '../run.ts';

const DOC = bundled('kernel-eras');

/** Domain and hwirq of each irq, in the order in which they were allocated. */
const identified = (era: string) =>
  events(run(DOC, { settings: { 'kernel.era': era } }))
    .filter((e) => e.kind === 'irq.identify')
    .map((e) => `${String(e.fields['domain'])} ${String(e.fields['hwirq'])}`);

const refused = (era: string) =>
  events(run(DOC, { settings: { 'kernel.era': era } }))
    .filter((e) => e.kind.endsWith('.refused'))
    .map((e) => [e.kind, e.object, e.fields['ret']]);

describe('simulator: eras of the kernel', () => {
  it('6.2 to 6.9: a domain for each function and index as hwirq; entries are added, IMS is there', () => {
    assert.deepEqual(identified('v6.2'), [
      'IR-PCI-MSIX-0000:00:03.0 0',
      'IR-PCI-MSIX-0000:00:03.0 1',
      'IR-PCI-MSIX-0000:6a:01.0 0',
      'IR-PCI-MSIX-0000:00:03.0 2',
      'IR-PCI-MSI-0000:00:04.0 0',
      'IR-PCI-IMS-0000:6a:01.0 0',
    ]);
    assert.deepEqual(refused('v6.2'), []);
  });

  it('before: one domain; hwirqs hold segment << 27, requester id << 11 and index', () => {
    const hwirq = (requester: number, index: number): string => `IR-PCI-MSI ${requester * 2048 + index}`;
    assert.deepEqual(identified('v6.1'), [hwirq(0x18, 0), hwirq(0x18, 1), hwirq(0x6a08, 0), hwirq(0x20, 0)]);
    assert.deepEqual(refused('v6.1'), [
      ['msix.refused', 'device/0000:00:03.0', -95],
      ['ims.refused', 'device/0000:6a:01.0', -95],
    ]);
    const plain = run({ ...DOC, platform: { cpus: 2 } }, { settings: { 'kernel.era': 'v6.1' } });
    assert.equal(pathValue(plain.trace.head, 'irq/24/domain'), 'PCI-MSI', 'without remapping');
  });

  it('before: interrupts are still joined to the entries that send them, and reach their handlers', () => {
    const { ledger, state } = run(DOC, { settings: { 'kernel.era': 'v6.1' } }).machine;
    assert.equal(ledger.tally().delivered, 2);
    assert.equal(pathValue(state, 'irq/25/handled'), 2);
  });

  it('6.10: IMS is gone, entries are still added', () => {
    assert.equal(identified('v6.10').length, 5);
    assert.deepEqual(refused('v6.10'), [['ims.refused', 'device/0000:6a:01.0', -95]]);
  });

  it('before: VFIO cannot add a vector to those that are on', () => {
    const doc = bundled('bypass-faults');
    const flags = (era: string) => {
      const asked = events(run(doc, { settings: { 'kernel.era': era } })).filter((e) => e.kind === 'vfio.set');
      return asked.some((e) => e.fields['start'] === 0 && Number(e.fields['count']) > 1);
    };
    assert.deepEqual([flags('v6.2'), flags('v6.1')], [false, true], 'all are switched on again at once');
  });

  it('names of domains begin with IR- behind a remapping unit of either maker, in a guest behind its own', () => {
    const bdf = '0000:03:00.0';
    const inGuest = '0000:00:04.0';
    const names = (remap: string, era: string, viommu: string): unknown[] => {
      const document = {
        platform: { cpus: 2, remap },
        devices: [{ bdf, name: 'dev', vectors: 1 }],
        vms: [{ vcpus: 1, devices: [{ bdf: inGuest, name: 'net', vectors: 1 }] }],
      };
      const all = events(run(document, { settings: { 'kernel.era': era, viommu } }));
      const of = (path: string): unknown =>
        all.find((e) => e.kind === 'irq.identify' && e.object === path)?.fields['domain'];
      return [of('irq/24'), of('guest/0/irq/24')];
    };
    // /proc/interrupts of Linux 6.1 and 6.12 (arch/x86/kernel/apic/msi.c; msi_parent_ops.prefix of both drivers).
    for (const remap of ['vtd', 'amd']) {
      assert.deepEqual(names(remap, 'v6.1', 'none'), ['IR-PCI-MSI', `PCI-MSIX-${inGuest}`]);
      assert.deepEqual(names(remap, 'v6.2', 'none'), [`IR-PCI-MSIX-${bdf}`, `PCI-MSIX-${inGuest}`]);
    }
    assert.deepEqual(names('none', 'v6.1', 'none'), ['PCI-MSI', `PCI-MSIX-${inGuest}`]);
    assert.deepEqual(names('none', 'v6.2', 'present'), [`PCI-MSIX-${bdf}`, `IR-PCI-MSIX-${inGuest}`]);
  });
});
