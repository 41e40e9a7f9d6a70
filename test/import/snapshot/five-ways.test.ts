// Every snapshot fixture is read in five ways (test/helpers/five-ways.ts). A new fixture needs one line here.
import assert from 'node:assert/strict';
import { fiveWays, type Summary } from '../../helpers/five-ways.ts';
import { snapshotFixtures } from '../../helpers/fixtures.ts';

/** /proc/interrupts: all lines but the header are records, and each becomes one event of an irq or of a label. */
const INTERRUPTS: Summary = {
  format: 'proc-interrupts',
  record: /^ *\w+: /,
  counts: { 'snap.irq': /^ *\d+: /, 'snap.count': /^ *[A-Z]\w+: / },
};

/** Lines `path:value` of the four files of an irq that hold lists and masks of CPUs; a folder of an action; `ls` with one name of an action. */
const PROC_IRQ: Summary = {
  format: 'proc-irq',
  record: /^\/proc\/irq\//,
  counts: {
    'snap.irq':
      /^\/proc\/irq\/\d+\/(?:(?:smp|effective)_affinity(?:_list)?:|[^/]+\/$|: (?:affinity_hint |effective_affinity |effective_affinity_list |node |smp_affinity |smp_affinity_list |spurious )*(?!(?:affinity_hint|effective_affinity|effective_affinity_list|node|smp_affinity|smp_affinity_list|spurious) )\S)/,
    'snap.descriptor': /^\/proc\/irq\/\d+\/(?:affinity_hint|node|spurious):/,
  },
};

const IRQ_SYSFS: Summary = {
  format: 'irq-sysfs',
  record: /^\/sys\/kernel\/irq\//,
  counts: {
    'snap.irq': /\/(?:per_cpu_count|chip_name|type|actions):|\/(?:hwirq|name): ?\S/,
    'snap.descriptor': /\/wakeup:/,
  },
};

/** Dumps of irqs and domains: all lines but those with the paths. */
const IRQ_DEBUGFS: Summary = {
  format: 'irq-debugfs',
  record: /^(?!==)/,
  counts: {
    'snap.irq': /^handler: /,
    'snap.state': /^handler: /,
    'snap.descriptor': /^handler: /,
    'snap.vector': /^ *Vector: /,
    'snap.matrix': /^System: /,
  },
};

/** lspci -vvv: all lines but the empty ones (and what lspci says of itself). The first 16 rows of a hex dump have offsets of two digits. */
const LSPCI: Summary = {
  format: 'lspci',
  record: /^(?!lspci: |pcilib: )./,
  counts: {
    'snap.command': /^\tControl: /,
    'snap.bar': /^\t(?:Region \d: |Expansion ROM at )/,
    'snap.msix': /^\tCapabilities: \[..\] MSI-X: |^\t\t(?:Vector table|PBA): BAR=/,
    'snap.msi': /^\tCapabilities: \[..\] MSI: |^\t\tAddress: /,
    'snap.config': /^[\da-f]{2}:(?: [\da-f]{2}){16}$/,
    'snap.differs': /^(?!)/,
  },
};

const FIXTURES: Readonly<Record<string, Summary>> = {
  'arm64-a/snap-lspci-text.txt': LSPCI,
  'arm64-a/snap-lspci.txt': LSPCI,
  'arm64-a/snap-pci-config.txt': {
    format: 'config-space',
    // `hexdump -C`: rows, the star for rows like the one before, the end.
    record: /^[\da-f]{8}|^\*$/,
    counts: {},
  },
  'arm64-irqdebugfs/snap-debug-irq.txt': IRQ_DEBUGFS,
  'arm64-irqdebugfs/snap-interrupts.txt': INTERRUPTS,
  'arm64-irqdebugfs/snap-pci-sysfs.txt': {
    format: 'msi-irqs',
    record: /^msi_irqs\/|^driver: .*\/drivers\//,
    counts: { 'snap.irq': /^msi_irqs\//, 'dev.seen': /^driver: .*\/drivers\// },
  },
  'arm64-irqdebugfs/snap-proc-irq.txt': PROC_IRQ,
  'arm64-irqdebugfs/snap-sys-kernel-irq.txt': IRQ_SYSFS,
  'x86-nested/snap-l1-lspci-nn.txt': {
    format: 'lspci',
    record: /^[\da-f]{2}:/,
    counts: { 'snap.function': /^[\da-f]{2}:/ },
  },
  'x86-nested/snap-l1-lspci.txt': LSPCI,
  'x86-vtd/snap-interrupts-before.txt': INTERRUPTS,
  'x86-vtd/snap-interrupts-cpu1-off.txt': INTERRUPTS,
  'x86-vtd/snap-interrupts-cpu13-off.txt': INTERRUPTS,
  'x86-vtd/snap-interrupts-final.txt': INTERRUPTS,
  'x86-vtd/snap-interrupts-nvme-unbound.txt': INTERRUPTS,
  'x86-vtd/snap-lspci-before.txt': LSPCI,
  'x86-vtd/snap-lspci-edu.txt': LSPCI,
  'x86-vtd/snap-lspci-funcmasked.txt': LSPCI,
  'x86-vtd/snap-lspci-nvme-unbound.txt': LSPCI,
  'x86-x2apic/ir_translation_struct.txt': {
    format: 'iommu-debugfs',
    record: /^ \d+ |^ IR table address:/,
    counts: { 'snap.irte': /^ \d+ /, 'snap.unit': /^ IR table address:/, 'snap.irtes': /^\*{4}$/ },
  },
  'x86-x2apic/snap-debug-irq-cpu1-off.txt': IRQ_DEBUGFS,
  'x86-x2apic/snap-debug-irq.txt': IRQ_DEBUGFS,
  'x86-x2apic/snap-interrupts-cpu1-off.txt': INTERRUPTS,
  'x86-x2apic/snap-msi-irqs.txt': {
    format: 'msi-irqs',
    record: /^\/sys\/bus\/pci\/devices\//,
    counts: { 'snap.irq': /\/msi_irqs\//, 'snap.descriptor': /\/msi_irqs\//, 'dev.seen': /\/driver:/ },
  },
  'x86-x2apic/snap-proc-irq-cpu1-off.txt': PROC_IRQ,
  'x86-x2apic/snap-proc-irq.txt': PROC_IRQ,
  'x86-x2apic/snap-softirqs.txt': {
    format: 'proc-softirqs',
    record: /^ *[A-Z_]+: /,
    counts: { 'snap.count': /^ *[A-Z_]+: / },
  },
  'x86-x2apic/snap-sys-kernel-irq.txt': IRQ_SYSFS,
};

describe('five ways of snapshots', () => {
  for (const [name, summary] of Object.entries(FIXTURES)) fiveWays(name, summary);

  it('every snapshot fixture is among them', () => {
    assert.deepEqual(Object.keys(FIXTURES), snapshotFixtures());
  });
});
