// Every fixture is read in five ways (test/helpers/five-ways.ts). A new fixture needs one line here.
import assert from 'node:assert/strict';
import { fiveWays, type Summary } from '../helpers/five-ways.ts';
import { traceFixtures } from '../helpers/fixtures.ts';

/** An ftrace record of one name; the name stands behind the stamp. */
const ftrace = (name: string): RegExp => new RegExp(`^.*?\\[\\d+\\].* [\\d.]+: ${name}: `);
/** A QEMU log record of one name, with or without thread and stamp in front. */
const qemu = (rest: string): RegExp => new RegExp(`^(?:\\d+@[\\d.]+:)?${rest}`);
const access = (how: string, region: string): RegExp => qemu(`memory_region_ops_${how} .*name '${region}'`);

const FTRACE: Summary = {
  format: 'ftrace-text',
  // Comm and pid, CPU in brackets, perhaps flags, a stamp with a colon.
  record: /^ *\S.*-\d+ +\[\d+\].* +[\d.]+: /,
  counts: {
    'irq.entry': ftrace('irq_handler_entry'),
    'irq.exit': ftrace('irq_handler_exit'),
    'vec.setup': ftrace('vector_setup'),
    'vec.teardown': ftrace('vector_teardown'),
    'vec.update': ftrace('vector_update'),
    'vec.config': ftrace('vector_config'),
    'vec.clear': ftrace('vector_clear'),
    'vec.freeMoved': ftrace('vector_free_moved'),
    'mtx.alloc': ftrace('irq_matrix_alloc'),
    'mtx.free': ftrace('irq_matrix_free'),
    'mtx.reserve': ftrace('irq_matrix_reserve'),
    'kvm.msi': ftrace('kvm_msi_set_irq'),
    'kvm.entry': ftrace('kvm_entry'),
    'kvm.exit': ftrace('kvm_exit'),
    mark: ftrace('tracing_mark_write'),
    'thread.wake': /: sched_waking: +comm=irq\/\d+-/,
    'thread.entry': /: sched_switch: .*next_comm=irq\/\d+-/,
    lost: /^CPU:\d+ \[LOST \d+ EVENTS\]/,
  },
};

/** A record of perf script: comm, thread, CPU, stamp, and a name of two parts. */
const perf = (name: string): RegExp => new RegExp(`^.*?\\d \\[\\d+\\] +[\\d.]+: +[a-z_]+:${name}: `);

const PERF: Summary = {
  format: 'perf-script',
  record: /^.*?\d \[\d+\] +[\d.]+: +[a-z_]+:\w+:/,
  counts: {
    'irq.entry': perf('irq_handler_entry'),
    'irq.exit': perf('irq_handler_exit'),
    'vec.setup': perf('vector_setup'),
    'vec.teardown': perf('vector_teardown'),
    'vec.update': perf('vector_update'),
    'vec.config': perf('vector_config'),
    'vec.clear': perf('vector_clear'),
    'vec.freeMoved': perf('vector_free_moved'),
    'mtx.alloc': perf('irq_matrix_alloc'),
    'mtx.free': perf('irq_matrix_free'),
    'vector.entry': perf('(?:local_timer|reschedule|call_function|call_function_single|irq_work)_entry'),
    'thread.wake': /:sched_waking: +comm=irq\/\d+-/,
    'thread.entry': /:sched_switch: .*next_comm=irq\/\d+-/,
    lost: /PERF_RECORD_LOST lost \d+/,
  },
};

const QEMU: Summary = {
  format: 'qemu-log',
  record: qemu('[a-z][a-z0-9]*_[a-z0-9_]+ '),
  counts: {
    'tbl.write': access('write', 'msix-table'),
    'tbl.read': access('read', 'msix-table'),
    'msix.ctrl': qemu('msix_write_config '),
    'bar.map': qemu('pci_update_mappings_add '),
    'bar.unmap': qemu('pci_update_mappings_del '),
    'ir.request': qemu('(?:vtd|amdvi)_ir_remap_msi_req '),
    'ir.remap': qemu('vtd_ir_remap '),
    'irte.read': qemu('vtd_ir_irte_get '),
    'iec.inv': qemu('vtd_inv_desc_iec '),
    'apic.deliver': qemu('apic_deliver_irq '),
    'its.mapd': qemu('gicv3_its_cmd_mapd '),
    'its.mapti': qemu('gicv3_its_cmd_mapti '),
    'its.movi': qemu('gicv3_its_cmd_movi '),
    'its.trans': qemu('gicv3_its_translation_write '),
    'smmu.trans': qemu('smmuv3_translate_success '),
    'smmu.fault': qemu('smmuv3_record_event '),
    'gic.eoi': qemu('gicv3_icc_eoir_write '),
    'route.set': qemu('kvm_irqchip_add_msi_route '),
    'route.commit': qemu('kvm_irqchip_commit_routes'),
    'line.set': qemu('(?:ioapic_set_irq|gic_set_irq) '),
  },
};

/** A line of a kernel log behind its stamp. */
const said = (rest: string): RegExp => new RegExp(`^\\[ *\\d+\\.\\d{6}\\] (?:${rest})`);

const X86_LOG =
  'IOAPIC\\[0\\]: |DMAR: IOMMU enabled|NR_IRQS|APIC: Switch|DMAR: dmar0: reg_base|DMAR-IR: |\\.\\.TIMER|ACPI: .*\\bIRQ \\d+$|.*\\b(?:irq|IRQ) \\d+(?:,\\d+)?$|.*\\(irq = |nvme nvme0: pci function|.* default/read/poll queues|smpboot: (?:CPU \\d|Booting Node)';
const ARM_LOG =
  'NR_IRQS|GICv3: |ITS[@ ]|arm-smmu-v3 \\S+: ias \\d+-bit|psci: CPU1 killed|CPU1: Booted secondary|.*\\(irq = |nvme nvme0: pci function|.* default/read/poll queues';
const DMESG: Summary = {
  format: 'dmesg',
  record: said(X86_LOG),
  counts: { message: said('DMAR: DRHD: handling'), 'ir.enable': said('DMAR-IR: Enabled IRQ') },
};

const FIXTURES: Readonly<Record<string, Summary>> = {
  'arm64-a/dmesg.txt': {
    format: 'dmesg',
    record: said(`${ARM_LOG}|arm-smmu-v3 .*(?:event 0x10 received:|\\t0x[0-9a-f]{16}$)`),
    counts: { 'kernel.fact': said(ARM_LOG), 'smmu.fault': said('arm-smmu-v3 .*event 0x') },
  },
  'arm64-a/ftrace-03-affinity.txt': FTRACE,
  'arm64-a/ftrace-04-hotplug.txt': FTRACE,
  'arm64-a/ftrace-06-vfio.txt': FTRACE,
  'arm64-a/qemu.log': QEMU,
  'arm64-gicv2m/qemu.log': QEMU,
  'riscv-aia/qemu.log': QEMU,
  'x86-amd/qemu.log': QEMU,
  'x86-lost/perf-script.txt': PERF,
  'x86-lost/trace-overrun.txt': FTRACE,
  'x86-lost/trace_pipe.txt': FTRACE,
  'x86-nested/l1-ftrace.txt': FTRACE,
  'x86-nested/l2-qemu.log': QEMU,
  'x86-panic/qemu.log': QEMU,
  'x86-threads/ftrace-oneshot.txt': FTRACE,
  'x86-threads/perf-script.txt': PERF,
  'x86-threads/trace-cmd-report.txt': { ...FTRACE, format: 'trace-cmd-report' },
  'x86-vtd/dmesg.txt': DMESG,
  'x86-vtd/ftrace.txt': FTRACE,
  'x86-vtd/perf-script.txt': PERF,
  'x86-vtd/qemu.log': QEMU,
  'x86-vtd/trace-cmd-report.txt': { ...FTRACE, format: 'trace-cmd-report' },
  'x86-x2apic/qemu.log': QEMU,
};

describe('five ways', () => {
  for (const [name, summary] of Object.entries(FIXTURES)) fiveWays(name, summary);

  it('every fixture with records is among them', () => {
    assert.deepEqual(Object.keys(FIXTURES), traceFixtures());
  });
});
