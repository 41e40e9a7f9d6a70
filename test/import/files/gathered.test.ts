// Folders of /proc, /sys and debugfs with files of single irqs: expected values are those that the files hold.
import assert from 'node:assert/strict';
import { FileRun } from '../../../src/import/files/file-run.ts';
import { folderOf } from '../../../src/import/files/gathered.ts';
import { stateTree } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { tarOf } from '../../helpers/tar.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are JSON, looked at as users do.
type Json = any;

const stateAtEnd = (trace: Trace): Json => stateTree(trace.stateAt(trace.length - 1));

/** The files of one irq, as a kernel 6.x shows them. */
const FILES: Readonly<Record<string, string>> = {
  'proc/irq/41/effective_affinity_list': '1\n',
  'proc/irq/41/node': '0\n',
  // A file whose last line does not end.
  'proc/irq/41/smp_affinity_list': '0-1',
  'proc/irq/41/spurious': 'count 12\nunhandled 0\nlast_unhandled 0 ms\n',
  'proc/irq/42/smp_affinity_list': '3\n',
  'sys/bus/pci/devices/0000:00:03.0/msi_irqs/41': 'msix\n',
  'sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.0/msi_irqs/42': 'msi\n',
  'sys/kernel/debug/irq/irqs/41':
    'handler:  handle_edge_irq\ndevice:   0000:00:03.0\nstatus:   0x00000000\nistate:   0x00000000\nddepth:   0\nwdepth:   0\n' +
    'dstate:   0x01401200\n\t    IRQD_ACTIVATED\nnode:     -1\naffinity: 0-1\neffectiv: 1\ndomain:  IR-PCI-MSIX-0000:00:03.0-12\n hwirq:   0x2\n chip:    IR-PCI-MSIX-0000:00:03.0\n',
  'sys/kernel/irq/41/actions': 'eth0\n',
  'sys/kernel/irq/41/hwirq': '2\n',
  'sys/kernel/irq/41/per_cpu_count': '5,7\n',
};

function read(files: Readonly<Record<string, string>>) {
  const run = new FileRun('heap.tar');
  run.push(tarOf(Object.entries(files).map(([name, data]) => ({ name: `host/${name}`, data }))));
  return run.end();
}

describe('folders of files that each tell of one irq', () => {
  it('are known by the path of their files', () => {
    for (const [path, folder] of [
      ['proc/irq/41/smp_affinity', 'proc/irq'],
      ['/proc/irq/default_smp_affinity', '/proc/irq'],
      ['before/proc/irq/41/nvme0q1', 'before/proc/irq'],
      ['sos/sys/kernel/irq/41/chip_name', 'sos/sys/kernel/irq'],
      ['x/sys/kernel/debug/irq/domains/VECTOR', 'x/sys/kernel/debug/irq'],
      ['x/debug_irq/irqs/41', 'x/debug_irq'],
      ['sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.0/msi_irqs/42', 'sys/devices'],
      ['proc/interrupts', undefined],
      ['proc/irq/41', undefined],
      ['sys/bus/pci/devices/0000:00:03.0/config', undefined],
      ['sys/kernel/debug/iommu/intel/ir_translation_struct', undefined],
      ['my proc/irq/41/node', undefined],
      ['notes/irq/41', undefined],
    ] as const)
      assert.equal(folderOf(path), folder, path);
  });

  it('of an archive: each folder is one source, with the lines of all its files', () => {
    const found = read(FILES);
    assert.deepEqual(
      found.map(({ file, files, trace, modified }) => [file, files, trace?.first.format, modified]),
      [
        ['heap.tar/host/proc/irq', 5, 'proc-irq', 1_700_000_000_000],
        ['heap.tar/host/sys/bus/pci/devices', 1, 'msi-irqs', 1_700_000_000_000],
        ['heap.tar/host/sys/devices', 1, 'msi-irqs', 1_700_000_000_000],
        ['heap.tar/host/sys/kernel/debug/irq', 1, 'irq-debugfs', 1_700_000_000_000],
        ['heap.tar/host/sys/kernel/irq', 3, 'irq-sysfs', 1_700_000_000_000],
      ],
    );
    for (const { trace } of found) {
      const { records, understood, unknown, others } = trace!.first.accounting;
      assert.deepEqual([understood, unknown.size, [...others.keys()]], [records, 0, ['path']]);
    }
    const [proc, bus, devices, debug, sys] = found.map(({ trace }) => stateAtEnd(trace!));
    assert.deepEqual(
      [proc.irq['41'].affinity, proc.irq['41'].effectiveAffinity, proc.irq['42'].affinity],
      ['0-1', '1', '3'],
    );
    assert.deepEqual([proc.irq['41'].descriptor.node, proc.irq['41'].descriptor.spuriousCount], [0, 12]);
    assert.deepEqual([bus.irq['41'].device, devices.irq['42'].device], ['0000:00:03.0', '0000:02:00.0']);
    // The number of the irq stands in the path alone.
    assert.deepEqual([debug.irq['41'].hwirq, debug.irq['41'].descriptor.flowHandler], [2, 'handle_edge_irq']);
    assert.deepEqual([sys.irq['41'].name, sys.irq['41'].handled], ['eth0', 12]);
  });

  it('a single file is read by its path, too', () => {
    const run = new FileRun('copy/proc/irq/41/smp_affinity_list');
    run.push(new TextEncoder().encode('2-3\n'));
    assert.equal(stateAtEnd(run.end()[0]!.trace!).irq['41'].affinity, '2-3');
  });

  it('a folder with nothing that tells of interrupts is no trace, and says so', () => {
    const [found] = read({ 'proc/irq/41/wchan': 'x\n' });
    assert.deepEqual([found!.file, found!.trace], ['heap.tar/host/proc/irq', undefined]);
    assert.match(found!.problem!, /no line of it is a trace record/);
  });
});
