// What fields of records become: the same as what the kernel prints of them. Each row holds the format of an event, the values of one record,
// and the text that the kernel would print; both are imported.
import assert from 'node:assert/strict';
import { traceInfo } from '../../../src/query/info.ts';
import { checkIntegrity } from '../../../src/trace/integrity.ts';
import { importBytes } from '../../helpers/fixtures.ts';
import {
  Bytes,
  type Dat,
  datV6,
  type FieldSpec,
  formatText,
  LITTLE,
  type Machine,
  recordOf,
} from '../../helpers/trace-dat.ts';
import { ftraceEvents, texts } from '../samples.ts';

const ID = 400;
/** The offset of the first field behind the common ones. */
const COMMON = 8;

interface Row {
  /** The name that the kernel prints, and that of the format where it is another one. */
  readonly event: string;
  readonly format?: string;
  readonly fields: readonly FieldSpec[];
  readonly print: string;
  readonly values: readonly (number | bigint | string | Uint8Array)[];
  /** What the kernel prints behind the name. */
  readonly text: string;
  /** Parts of events that fields tell and the text does not. */
  readonly more?: readonly string[];
  readonly system?: string;
  readonly dat?: Partial<Dat>;
}

const align = (n: number, size: number): number => Math.ceil(n / size) * size;

/** The data of a record; texts of `__data_loc` and `__rel_loc` fields stand behind all fields. */
function dataOf({ fields, values }: Row, machine: Machine): Uint8Array {
  let at = COMMON;
  const places = fields.map(([, size]) => {
    at = align(at, Math.max(1, Math.min(8, size)));
    const place = at;
    at += size;
    return place;
  });
  const tail = new Bytes(machine.big);
  const end = at;
  const numbers = values.map((value, i) => {
    const [declared, size] = fields[i]!;
    if (typeof value === 'string' && size > 4) return new Bytes(machine.big).text(value).align(size).bytes;
    if (typeof value !== 'string' && typeof value !== 'object') return value;
    if (size === 0) {
      if (typeof value === 'string') tail.text(`${value}\0`);
      else tail.raw(value);
      return new Uint8Array(0);
    }
    const start = end + tail.size;
    const length = typeof value === 'string' ? value.length + 1 : value.length;
    if (typeof value === 'string') tail.text(`${value}\0`);
    else tail.raw(value);
    const from = declared.startsWith('__rel_loc') ? places[i]! + 4 : 0;
    return (length << 16) | (start - from);
  });
  return recordOf(machine, ID, 77, fields, numbers, tail.bytes);
}

function fileOf(row: Row, machine: Machine): Uint8Array {
  const entries = [{ after: 0, data: dataOf(row, machine) }];
  return datV6({
    machine,
    formats: [[row.system ?? 'any', formatText(row.format ?? row.event, ID, row.fields, row.print)]],
    // The record of the text stands on CPU 2, and its process has no name.
    rings: [{ cpus: [{ cpu: 2, pages: [{ stamp: 10_934_596_000n, entries }] }] }],
    ...row.dat,
  });
}

/** Without what only fields tell. */
const without = (event: string, more: readonly string[]): string =>
  event
    .split(' ')
    .filter((word) => !more.some((name) => word.startsWith(`${name}=`)))
    .join(' ');

function check(row: Row): void {
  for (const machine of [LITTLE, { big: true, long: 8 } as const]) {
    const trace = importBytes(fileOf(row, machine));
    assert.deepEqual(checkIntegrity(trace), []);
    const info = traceInfo(trace);
    assert.deepEqual([info.unknown, info.skipped, info.problem], [{}, {}, null], row.event);
    assert.equal(info.understood, 1);
    const expected = ftraceEvents(`${row.event}: ${row.text}`);
    assert.deepEqual(
      texts(trace).map((event) => without(event, row.more ?? [])),
      expected,
      `${row.event}, ${machine.big ? 'big' : 'little'}-endian`,
    );
    if (expected.length === 0) assert.deepEqual(info.withoutEffect, { [row.event]: 1 });
  }
}

const u32 = (name: string): FieldSpec => [`unsigned int ${name}`, 4];
const i32 = (name: string): FieldSpec => [`int ${name}`, 4, true];
const u64 = (name: string): FieldSpec => [`u64 ${name}`, 8];
const str = (name: string): FieldSpec => [`__data_loc char[] ${name}`, 4];

const IRQ_ENTRY = '"irq=%d name=%s", REC->irq, __get_str(name)';
const VMX = '{ 0, "EXCEPTION_NMI" }, { 1, "EXTERNAL_INTERRUPT" }, { 48, "EPT_VIOLATION" }';
const SVM = '{ 0x060, "interrupt" }, { 0x400, "npf" }';
/** KVM_EXIT of arch/x86/kvm/trace.h since Linux 5.10. */
const EXIT_PRINT =
  '"vcpu %u reason %s%s%s rip 0x%lx info1 0x%016llx info2 0x%016llx intr_info 0x%08x error_code 0x%08x", REC->vcpu_id, ' +
  `(REC->isa == 1) ? __print_symbolic(REC->exit_reason & 0xffff, ${VMX}) : __print_symbolic(REC->exit_reason, ${SVM}), ` +
  '(REC->isa == 1 && REC->exit_reason & ~0xffff) ? " " : "", ' +
  '(REC->isa == 1) ? __print_flags(REC->exit_reason & ~0xffff, " ", { 0x80000000, "FAILED_VMENTRY" }) : "", ' +
  'REC->guest_rip, REC->info1, REC->info2, REC->intr_info, REC->error_code';
const EXIT_FIELDS: readonly FieldSpec[] = [
  u32('exit_reason'),
  ['unsigned long guest_rip', 8],
  ['u32 isa', 4],
  u64('info1'),
  u64('info2'),
  ['u32 intr_info', 4],
  ['u32 error_code', 4],
  u32('vcpu_id'),
];
const MASK = '__data_loc unsigned long[] cpumask';
const KALLSYMS =
  'ffffffff81000000 T _stext\nffffffff81001000 T generic_exec_single\nffffffff81001200 t flush_smp_call_function_queue\n' +
  'ffffffff81001200 t an_alias\nffffffff81002000 T tracing_mark_write\nffffffff81002400 T vfio_ioctl\nffffffff81002800 T behind_it\nffffffffc0001000 t other_fn\t[some_mod]\n' +
  'ffffffffc0001100 t vfio_pci_set_irqs_ioctl\t[vfio_pci_core]\nffffffffc0001230 t behind\t[vfio_pci_core]\n';
const PRINTK =
  '0xffffffff82000010 : "Rescheduling interrupts"\n0xffffffff82000020 : "n is %d, %s at %ps, %c, %llx\\n"\n0xffffffff82000030 : "just \\"this\\"\\n"\n';

const ROWS: Readonly<Record<string, Row>> = {
  'numbers of four bytes': {
    event: 'vector_config',
    fields: [u32('irq'), u32('vector'), u32('cpu'), u32('apicdest')],
    print: '"irq=%u vector=%u cpu=%u apicdest=0x%08x", REC->irq, REC->vector, REC->cpu, REC->apicdest',
    values: [4, 33, 26, 0x40],
    text: 'irq=4 vector=33 cpu=26 apicdest=0x00000040',
  },
  'fields in another order, wider and narrower, with others between them': {
    event: 'vector_config',
    fields: [['u8 vector', 1], u64('irq'), ['char pad[3]', 3], ['u16 cpu', 2], ['__be32 extra', 4], u64('apicdest')],
    print: '"irq=%llu vector=%hhu cpu=%hu apicdest=0x%08llx", REC->irq, REC->vector, REC->cpu, REC->apicdest',
    values: [33, 4, new Uint8Array(3), 26, 99, 0x40],
    text: 'irq=4 vector=33 cpu=26 apicdest=0x00000040',
  },
  'negative numbers': {
    event: 'vector_alloc',
    fields: [u32('irq'), u32('vector'), ['bool reserved', 1], i32('ret')],
    print: '"irq=%u vector=%u reserved=%d ret=%d", REC->irq, REC->vector, REC->reserved, REC->ret',
    values: [4, 0, 1, -28],
    text: 'irq=4 vector=0 reserved=1 ret=-28',
  },
  'a negative number of two bytes': {
    event: 'vector_setup',
    fields: [u32('irq'), ['bool is_legacy', 1], ['s16 ret', 2, true]],
    print: '"irq=%u is_legacy=%d ret=%d", REC->irq, REC->is_legacy, REC->ret',
    values: [4, 0, -22],
    text: 'irq=4 is_legacy=0 ret=-22',
  },
  'an event of an old kernel, whose field has another name': {
    event: 'vector_activate',
    fields: [u32('irq'), ['bool is_managed', 1], ['bool can_reserve', 1], ['bool early', 1]],
    print: '"irq=%u is_managed=%d can_reserve=%d early=%d", REC->irq, REC->is_managed, REC->can_reserve, REC->early',
    values: [9, 0, 1, 1],
    text: 'irq=9 is_managed=0 can_reserve=1 early=1',
  },
  'a text behind the fields': {
    event: 'irq_handler_entry',
    fields: [i32('irq'), str('name')],
    print: IRQ_ENTRY,
    values: [30, 'vfio-msix[2](0000:00:04.0)'],
    text: 'irq=30 name=vfio-msix[2](0000:00:04.0)',
  },
  'a text at a place that is counted from the field': {
    event: 'irq_handler_entry',
    fields: [i32('irq'), ['__rel_loc char[] name', 4]],
    print: '"irq=%d name=%s", REC->irq, __get_rel_str(name)',
    values: [30, 'nvme0q1'],
    text: 'irq=30 name=nvme0q1',
  },
  'a text in the field itself': {
    event: 'irq_handler_entry',
    fields: [['char name[16]', 16], i32('irq')],
    print: '"irq=%d name=%s", REC->irq, REC->name',
    values: ['i2c, idma64.0', 16],
    text: 'irq=16 name=i2c, idma64.0',
  },
  'the return of a handler': {
    event: 'irq_handler_exit',
    fields: [i32('irq'), i32('ret')],
    print: '"irq=%d ret=%s", REC->irq, REC->ret ? "handled" : "unhandled"',
    values: [16, 0],
    text: 'irq=16 ret=unhandled',
  },
  'a mask of CPUs, and addresses': {
    event: 'ipi_send_cpumask',
    fields: [
      [MASK, 4],
      ['void * callsite', 8],
      ['void * callback', 8],
    ],
    print: '"cpumask=%s callsite=%pS callback=%pS", __get_bitmask(cpumask), REC->callsite, REC->callback',
    values: ['mask', 0xffffffff81001010n, 0xffffffff81001200n],
    text: 'cpumask=00000001,00008005 callsite=generic_exec_single+0x10/0x200 callback=flush_smp_call_function_queue+0x0/0xe00',
    dat: { kallsyms: KALLSYMS },
  },
  'an address without a name': {
    event: 'ipi_send_cpu',
    fields: [u32('cpu'), ['void * callsite', 8], ['void * callback', 8]],
    print: '"cpu=%u callsite=%pS callback=%pS", REC->cpu, REC->callsite, REC->callback',
    values: [3, 0x1234n, 0n],
    text: 'cpu=3 callsite=0x1234 callback=0x0',
  },
  'a text in the memory of the kernel': {
    event: 'ipi_entry',
    fields: [['const char * reason', 8]],
    print: '"(%s)", REC->reason',
    values: [0xffffffff82000010n],
    text: '(Rescheduling interrupts)',
    dat: { printk: PRINTK },
  },
  'an exit of VMX that tells the vector of the host': {
    event: 'kvm_exit',
    fields: EXIT_FIELDS,
    print: EXIT_PRINT,
    values: [1, 0xffffffff81001000n, 1, 0n, 0n, 0x800000ec, 0, 2],
    text: 'vcpu 2 reason EXTERNAL_INTERRUPT rip 0xffffffff81001000 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x800000ec error_code 0x00000000',
  },
  'an exit with a flag in its reason': {
    event: 'kvm_exit',
    fields: EXIT_FIELDS,
    print: EXIT_PRINT,
    values: [0x80000030, 0n, 1, 0n, 0n, 0, 0, 2],
    text: 'vcpu 2 reason EPT_VIOLATION FAILED_VMENTRY rip 0x0 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000',
  },
  'an exit of SVM': {
    event: 'kvm_exit',
    fields: EXIT_FIELDS,
    print: EXIT_PRINT,
    values: [0x400, 0n, 2, 0n, 0n, 0, 0, 0],
    text: 'vcpu 0 reason npf rip 0x0 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000',
  },
  'an exit before Linux 5.10: no virtual CPU, and the vector in the second number': {
    event: 'kvm_exit',
    fields: [u32('exit_reason'), ['unsigned long guest_rip', 8], ['u32 isa', 4], u64('info1'), u64('info2')],
    print: `"reason %s rip 0x%lx info %llx %llx", (REC->isa == 1) ? __print_symbolic(REC->exit_reason, ${VMX}) : __print_symbolic(REC->exit_reason, ${SVM}), REC->guest_rip, REC->info1, REC->info2`,
    values: [1, 0x100n, 1, 0n, 0x800000ecn],
    text: 'reason EXTERNAL_INTERRUPT rip 0x100 info 0 800000ec',
  },
  'an exit of arm64': {
    event: 'kvm_exit',
    fields: [i32('ret'), u32('esr_ec'), ['unsigned long vcpu_pc', 8]],
    print:
      '"%s: HSR_EC: 0x%04x (%s), PC: 0x%016lx", __print_symbolic(((REC->ret) & ~(1 << (31))), {0, "IRQ" }, {1, "SERROR" }, {2, "TRAP" }), REC->esr_ec, __print_symbolic(REC->esr_ec, { 0x24, "DABT_LOW" }), REC->vcpu_pc',
    values: [2, 0x24, 0xffff800010000000n],
    text: 'TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: 0xffff800010000000',
  },
  'an entry of arm64': {
    event: 'kvm_entry',
    fields: [['unsigned long vcpu_pc', 8]],
    print: '"PC: 0x%016lx", REC->vcpu_pc',
    values: [0xffff800010000000n],
    text: 'PC: 0xffff800010000000',
  },
  'an entry': {
    event: 'kvm_entry',
    fields: [u32('vcpu_id'), ['unsigned long rip', 8], ['bool immediate_exit', 1]],
    print: '"vcpu %u, rip 0x%lx%s", REC->vcpu_id, REC->rip, REC->immediate_exit ? "[immediate exit]" : ""',
    values: [3, 0n, 1],
    text: 'vcpu 3, rip 0x0[immediate exit]',
  },
  'the reason why a program must act': {
    event: 'kvm_userspace_exit',
    fields: [
      ['__u32 reason', 4],
      ['int errno', 4, true],
    ],
    print:
      '"reason %s (%d)", REC->errno < 0 ? (REC->errno == -4 ? "restart" : "error") : __print_symbolic(REC->reason, { 6, "KVM_EXIT_MMIO" }), REC->errno < 0 ? -REC->errno : REC->reason',
    values: [0, -4],
    text: 'reason restart (4)',
  },
  'the same with its reason': {
    event: 'kvm_userspace_exit',
    fields: [
      ['__u32 reason', 4],
      ['int errno', 4, true],
    ],
    print:
      '"reason %s (%d)", REC->errno < 0 ? (REC->errno == -4 ? "restart" : "error") : __print_symbolic(REC->reason, { 6, "KVM_EXIT_MMIO" }), REC->errno < 0 ? -REC->errno : REC->reason',
    values: [6, 0],
    text: 'reason KVM_EXIT_MMIO (6)',
  },
  'an access to memory that is read': {
    event: 'kvm_mmio',
    fields: [u32('type'), u32('len'), u64('gpa'), u64('val')],
    print:
      '"mmio %s len %u gpa 0x%llx val 0x%llx", __print_symbolic(REC->type, { 0, "unsatisfied-read" }, { 1, "read" }, { 2, "write" }), REC->len, REC->gpa, REC->val',
    values: [1, 4, 0xfe003000n, 7n],
    text: 'mmio read len 4 gpa 0xfe003000 val 0x7',
  },
  'one that is written': {
    event: 'kvm_mmio',
    fields: [u32('type'), u32('len'), u64('gpa'), u64('val')],
    print:
      '"mmio %s len %u gpa 0x%llx val 0x%llx", __print_symbolic(REC->type, { 0, "unsatisfied-read" }, { 1, "read" }, { 2, "write" }), REC->len, REC->gpa, REC->val',
    values: [2, 4, 0xfe003000n, 0x1_0000_0007n],
    text: 'mmio write len 4 gpa 0xfe003000 val 0x100000007',
  },
  'a message: the text does not tell address and data': {
    event: 'kvm_msi_set_irq',
    fields: [u64('address'), u64('data')],
    print:
      '"dst %llx vec %u (%s|%s|%s%s)", (u8)((REC->address >> 12) & 0xff) | ((REC->address >> 32) & 0xffffff00), (u8)REC->data, __print_symbolic((REC->data >> 8 & 0x7), {0x0, "Fixed"}), (REC->address & (1<<2)) ? "logical" : "physical", (REC->data & (1<<15)) ? "level" : "edge", (REC->address & (1<<3)) ? "|rh" : ""',
    values: [0xfee0200cn, 0x23n],
    text: 'dst 2 vec 35 (Fixed|logical|edge|rh)',
    more: ['address', 'data'],
  },
  'an acknowledged input': {
    event: 'kvm_ack_irq',
    fields: [u32('irqchip'), u32('pin')],
    print:
      '"irqchip %s pin %u", __print_symbolic(REC->irqchip, {0, "PIC master"}, {1, "PIC slave"}, {2, "IOAPIC"}), REC->pin',
    values: [2, 4],
    text: 'irqchip IOAPIC pin 4',
  },
  'an injected vector up to Linux 5.18': {
    event: 'kvm_inj_virq',
    fields: [u32('irq')],
    print: '"irq %u", REC->irq',
    values: [236],
    text: 'irq 236',
  },
  'one that is injected again': {
    event: 'kvm_inj_virq',
    fields: [u32('vector'), ['bool soft', 1], ['bool reinjected', 1]],
    print: '"%s 0x%x%s", REC->soft ? "Soft/INTn" : "IRQ", REC->vector, REC->reinjected ? " [reinjected]" : ""',
    values: [236, 0, 1],
    text: 'IRQ 0xec [reinjected]',
  },
  'an interrupt that is posted': {
    event: 'kvm_pi_irte_update',
    fields: [u32('host_irq'), u32('vcpu_id'), u32('gsi'), u32('gvec'), u64('pi_desc_addr'), ['bool set', 1]],
    print:
      '"VT-d PI is %s for irq %u, vcpu %u, gsi: 0x%x, gvec: 0x%x, pi_desc_addr: 0x%llx", REC->set ? "enabled and being updated" : "disabled", REC->host_irq, REC->vcpu_id, REC->gsi, REC->gvec, REC->pi_desc_addr',
    values: [58, 1, 24, 0x31, 0x123456780n, 1],
    text: 'VT-d PI is enabled and being updated for irq 58, vcpu 1, gsi: 0x18, gvec: 0x31, pi_desc_addr: 0x123456780',
  },
  'an invalidation of the interrupt entry cache': {
    event: 'qi_submit',
    fields: [u64('qw0'), u64('qw1'), u64('qw2'), u64('qw3'), str('iommu')],
    print:
      '"%s %s: 0x%llx 0x%llx 0x%llx 0x%llx", __print_symbolic(REC->qw0 & 0xf, { 0x4, "iec_inv" }), __get_str(iommu), REC->qw0, REC->qw1, REC->qw2, REC->qw3',
    values: [0x2500000014n, 0n, 0n, 0n, 'dmar0'],
    text: 'iec_inv dmar0: 0x2500000014 0x0 0x0 0x0',
  },
  'a line of the kernel log': {
    event: 'console',
    fields: [str('msg')],
    print: '"%s", __get_str(msg)',
    values: ['DMAR: DRHD: handling fault status reg 2'],
    text: 'DMAR: DRHD: handling fault status reg 2',
  },
  'a level of a GIC': {
    event: 'vgic_update_irq_pending',
    fields: [
      ['unsigned long vcpu_id', 8],
      ['__u32 irq', 4],
      ['bool level', 1],
    ],
    print: '"VCPU: %ld, IRQ %d, level: %d", REC->vcpu_id, REC->irq, REC->level',
    values: [1, 27, 1],
    text: 'VCPU: 1, IRQ 27, level: 1',
  },
  'an event without effect': {
    event: 'kvm_fpu',
    fields: [['u32 load', 4]],
    print: '"%s", __print_symbolic(REC->load, { 0, "unload" }, { 1, "load" })',
    values: [1],
    text: 'load',
  },
  'a probe at a function that nothing is known of': {
    event: 'myprobe',
    system: 'kprobes',
    fields: [['unsigned long __probe_ip', 8], ['u32 dfd', 4], ['s64 mode', 8, true], str('name')],
    print: '"(%lx) dfd=%u mode=%lld name=\\"%s\\"", REC->__probe_ip, REC->dfd, REC->mode, __get_str(name)',
    values: [0xffffffffc0001004n, 3, -5n, 'x y'],
    text: '(other_fn+0x4/0x100 [some_mod]) dfd=3 mode=-5 name="x y"',
    dat: { kallsyms: KALLSYMS },
  },
  'a probe that tells of a device by its name': {
    event: 'p',
    system: 'mine',
    fields: [
      ['unsigned long __probe_func', 8],
      ['unsigned long __probe_ret_ip', 8],
      ['u64 retval', 8],
    ],
    print: '"(%lx <- %lx) retval=0x%llx", REC->__probe_func, REC->__probe_ret_ip, REC->retval',
    values: [0xffffffffc0001000n, 0xffffffff81002410n, 7n],
    text: '(vfio_ioctl+0x10/0x400 <- other_fn) retval=0x7',
    dat: { kallsyms: KALLSYMS },
  },
  'what a program wrote into the trace': {
    event: 'tracing_mark_write',
    format: 'print',
    system: 'ftrace',
    fields: [
      ['unsigned long ip', 8],
      ['char buf[]', 0],
    ],
    print: '"%ps: %s", (void *)REC->ip, REC->buf',
    values: [0xffffffff81002010n, 'MARK 12 cpu1 off\n'],
    text: 'MARK 12 cpu1 off',
    dat: { kallsyms: KALLSYMS },
  },
};

describe('fields of trace.dat', () => {
  const mask = (machine: Machine): Uint8Array => new Bytes(machine.big).n(8, 0x1_0000_8005n).bytes;
  for (const [name, row] of Object.entries(ROWS)) {
    it(`${row.event}: ${name}`, () => {
      if (!row.values.includes('mask')) return check(row);
      // The bytes of a mask depend on the machine.
      for (const machine of [LITTLE, { big: true, long: 8 } as const]) {
        const trace = importBytes(
          fileOf({ ...row, values: row.values.map((v) => (v === 'mask' ? mask(machine) : v)) }, machine),
        );
        assert.deepEqual(texts(trace), ftraceEvents(`${row.event}: ${row.text}`));
      }
      return undefined;
    });
  }

  /** The events of records of several formats, in their order. */
  interface Given {
    readonly format: readonly [system: string, name: string, fields: readonly FieldSpec[], print: string];
    readonly values: readonly (number | bigint | Uint8Array)[];
    readonly pid?: number;
  }
  function several(given: readonly Given[], dat: Partial<Dat> = {}) {
    const formats = [...new Set(given.map(({ format }) => format))];
    const entries = given.map(({ format: [, , fields], values, pid, format }) => ({
      after: 1000,
      data: recordOf(LITTLE, ID + formats.indexOf(format), pid ?? 77, fields, values),
    }));
    const bytes = datV6({
      formats: formats.map(([system, name, fields, print], i) => [system, formatText(name, ID + i, fields, print)]),
      rings: [{ cpus: [{ cpu: 2, pages: [{ stamp: 10_000_000_000n, entries }] }] }],
      ...dat,
    });
    const trace = importBytes(bytes);
    assert.deepEqual(checkIntegrity(trace), []);
    return { trace, info: traceInfo(trace), told: texts(trace) };
  }
  const raw = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);
  const PRINT = [
    'ftrace',
    'print',
    [
      ['unsigned long ip', 8],
      ['char buf[]', 0],
    ],
    '"%ps: %s", (void *)REC->ip, REC->buf',
  ] as const;

  it('what the kernel wrote into the trace is told with the function that wrote it', () => {
    const { told } = several([{ format: PRINT, values: [0xffffffff81001010n, raw('hello\n')] }], {
      kallsyms: KALLSYMS,
    });
    assert.deepEqual(told, ['mark marker text=generic_exec_single: hello']);
  });

  it('without names of addresses a mark is its text', () => {
    const { told } = several([{ format: PRINT, values: [0xffffffff81001010n, raw('hello\n')] }]);
    assert.deepEqual(told, ['mark marker text=hello']);
  });

  it('trace_printk() in binary: the format is in the kernel, the arguments are in the record', () => {
    const format = [
      'ftrace',
      'bprint',
      [
        ['unsigned long ip', 8],
        ['const char * fmt', 8],
        ['u32 buf[]', 0],
      ],
      '"%ps: %s", (void *)REC->ip, REC->fmt',
    ] as const;
    // n is %d, %s at %ps, %c, %llx: a number, a text, an address at a multiple of four, a byte, a number at a multiple of four.
    const args = new Bytes(false)
      .n(4, -3)
      .text('abc\0')
      .n(8, 0xffffffff81002400n)
      .n(1, 120)
      .align(4)
      .n(8, 2n ** 40n);
    const { told, info } = several([{ format, values: [0xffffffff81001010n, 0xffffffff82000020n, args.bytes] }], {
      kallsyms: KALLSYMS,
      printk: PRINTK,
    });
    assert.deepEqual(told, ['mark marker text=generic_exec_single: n is -3, abc at vfio_ioctl, x, 10000000000']);
    assert.equal(info.understood, 1);
  });

  it('trace_puts(): the text is in the kernel', () => {
    const format = [
      'ftrace',
      'bputs',
      [
        ['unsigned long ip', 8],
        ['const char * str', 8],
      ],
      '"%ps: %s", (void *)REC->ip, REC->str',
    ] as const;
    const { told } = several([{ format, values: [0xffffffff81001010n, 0xffffffff82000030n] }], {
      kallsyms: KALLSYMS,
      printk: PRINTK,
    });
    assert.deepEqual(told, ['mark marker text=generic_exec_single: just "this"']);
  });

  it('functions, unknown events and events without a description are counted', () => {
    const func = [
      'ftrace',
      'function',
      [
        ['unsigned long ip', 8],
        ['unsigned long parent_ip', 8],
      ],
      '" %ps <-- %ps", (void *)REC->ip, (void *)REC->parent_ip',
    ] as const;
    const other = ['sched', 'sched_waking', [i32('pid')], '"pid=%d", REC->pid'] as const;
    const bytes = datV6({
      formats: [
        ['ftrace', formatText('function', ID, func[2], func[3])],
        ['sched', formatText('sched_waking', ID + 1, other[2], other[3])],
      ],
      rings: [
        {
          cpus: [
            {
              cpu: 0,
              pages: [
                {
                  stamp: 1n,
                  entries: [
                    { after: 1, data: recordOf(LITTLE, ID, 1, func[2], [1n, 2n]) },
                    { after: 1, data: recordOf(LITTLE, ID + 1, 1, other[2], [3]) },
                    { after: 1, data: recordOf(LITTLE, ID + 2, 1, other[2], [3]) },
                    { after: 1, data: recordOf(LITTLE, ID, 1, func[2], [1n, 2n]) },
                  ],
                },
              ],
            },
          ],
        },
      ],
    });
    const info = traceInfo(importBytes(bytes));
    assert.equal(info.records, 4);
    assert.equal(info.understood, 2);
    assert.deepEqual(info.withoutEffect, { function: 2 });
    assert.deepEqual(info.unknown, { sched_waking: 1 });
    assert.deepEqual(info.skipped, { [`event ${ID + 2}, which the file does not describe`]: 1 });
  });

  it('an event whose fields are none that its rule knows is skipped, and so is a record that lacks a field', () => {
    const odd = ['x', 'vector_config', [u32('foo')], '"foo=%u", REC->foo'] as const;
    const { info: first } = several([{ format: odd, values: [1] }]);
    assert.deepEqual(first.skipped, { 'vector_config: fields not as expected': 1 });
    const row = ROWS['numbers of four bytes']!;
    const whole = dataOf(row, LITTLE);
    const entries = [{ after: 0, data: whole.subarray(0, whole.length - 4) }];
    const bytes = datV6({
      formats: [['irq_vectors', formatText(row.event, ID, row.fields, row.print)]],
      rings: [{ cpus: [{ cpu: 0, pages: [{ stamp: 1n, entries }] }] }],
    });
    assert.deepEqual(traceInfo(importBytes(bytes)).skipped, { 'vector_config: fields not as expected': 1 });
  });

  it('VFIO_DEVICE_SET_IRQS from probes at the function and at its return', () => {
    const begin = [
      'kprobes',
      'b',
      [['unsigned long __probe_ip', 8], u32('flags'), u32('index'), u32('start'), u32('count')],
      '"(%lx) flags=%u index=%u start=%u count=%u", REC->__probe_ip, REC->flags, REC->index, REC->start, REC->count',
    ] as const;
    const end = [
      'kprobes',
      'e',
      [
        ['unsigned long __probe_func', 8],
        ['unsigned long __probe_ret_ip', 8],
        ['s32 ret', 4, true],
      ],
      '"(%lx <- %lx) ret=%d", REC->__probe_func, REC->__probe_ret_ip, REC->ret',
    ] as const;
    const { told } = several(
      [
        { format: begin, values: [0xffffffffc0001100n, 0x24, 2, 0, 3] },
        { format: end, values: [0xffffffffc0001100n, 0xffffffff81002410n, -22] },
      ],
      { kallsyms: KALLSYMS },
    );
    assert.deepEqual(told, [
      'vfio.set vfio/ioctl flags=0x24 index=2 start=0 count=3',
      'vfio.return vfio/ioctl index=2 start=0 count=3 ret=-22',
    ]);
  });

  it('a doorbell belongs to the controller that the probed call returns to', () => {
    const begin = [
      'kprobes',
      'b',
      [['unsigned long __probe_ip', 8], u64('doorbell')],
      '"(%lx) doorbell=0x%Lx", REC->__probe_ip, REC->doorbell',
    ] as const;
    const end = [
      'kprobes',
      'e',
      [
        ['unsigned long __probe_func', 8],
        ['unsigned long __probe_ret_ip', 8],
      ],
      '"(%lx <- %lx)", REC->__probe_func, REC->__probe_ret_ip',
    ] as const;
    const [called, its, frame] = [0xffffffff81001000n, 0xffffffff81002000n, 0xffffffff81003000n];
    const kallsyms = [
      [called, 'iommu_dma_prepare_msi'],
      [its, 'its_irq_domain_alloc'],
      [frame, 'gicv2m_irq_domain_alloc'],
      [frame + 0x1000n, 'behind_it'],
    ]
      .map(([address, name]) => `${address!.toString(16)} t ${name}\n`)
      .join('');
    const { told } = several(
      [
        { format: begin, values: [called, 0x8090040n] },
        { format: end, values: [called, its + 0xecn] },
        { format: begin, values: [called, 0x8020040n] },
        { format: end, values: [called, frame + 0x114n] },
      ],
      { kallsyms },
    );
    assert.deepEqual(
      told.filter((text) => !text.startsWith('probe ')),
      ['its.doorbell its/0 address=0x8090040', 'gic.frame gic/0/frame/0 doorbell=0x8020040'],
    );
  });

  it('a virtual CPU is known from records of its thread, and from the option that tells of guests', () => {
    const inject = [
      'kvm',
      ...Object.values(ROWS)
        .filter(({ event }) => event === 'kvm_inj_virq')
        .map(({ fields, print }) => [fields, print] as const),
    ] as const;
    const [, [fields, print]] = inject as unknown as [string, [readonly FieldSpec[], string]];
    const format = ['kvm', 'kvm_inj_virq', fields, print] as const;
    const guest = new Bytes(false).text('vm\0').n(8, 5).n(4, 2).n(4, 0).n(4, 900).n(4, 1).n(4, 901);
    const { told } = several(
      [
        { format, values: [50], pid: 901 },
        { format, values: [50], pid: 902 },
      ],
      { options: [[13, guest.bytes]] },
    );
    assert.deepEqual(
      told.map((text) => text.split(' ').slice(0, 2).join(' ')),
      ['apic.inj vcpu/1/vector/50', 'apic.inj vcpu/unknown/injection'],
    );
  });

  it('inputs of the virtual PIC are known: a vector of one of them is injected for it', () => {
    const pic = [
      'kvm',
      'kvm_pic_set_irq',
      [
        ['__u8 chip', 1],
        ['__u8 pin', 1],
        ['__u8 elcr', 1],
        ['__u8 imr', 1],
        ['bool coalesced', 1],
      ],
      '"chip %u pin %u (%s%s)%s", REC->chip, REC->pin, (REC->elcr & (1 << REC->pin)) ? "level":"edge", (REC->imr & (1 << REC->pin)) ? "|masked":"", REC->coalesced ? " (coalesced)" : ""',
    ] as const;
    const entry = ['kvm', 'kvm_entry', [u32('vcpu_id')], '"vcpu %u", REC->vcpu_id'] as const;
    const inject = ['kvm', 'kvm_inj_virq', [u32('irq')], '"irq %u", REC->irq'] as const;
    const { told, info } = several([
      { format: entry, values: [0] },
      { format: pic, values: [0, 4, 0, 0, 0] },
      { format: pic, values: [0, 3, 0, 1 << 3, 0] },
      { format: inject, values: [0x34] },
      { format: inject, values: [0x33] },
    ]);
    assert.deepEqual(
      told.slice(1).map((text) => /extint=true/.test(text)),
      [true, false],
    );
    assert.deepEqual(info.withoutEffect, { kvm_pic_set_irq: 2 });
  });

  it('a probe at an event is noted', () => {
    const format = ['eprobes', 'mine', [u64('desc')], '" desc=0x%Lx", REC->desc'] as const;
    const { told, info } = several([{ format, values: [255n] }]);
    assert.deepEqual(told, ['probe probe name=mine text=desc=0xff']);
    assert.equal(info.understood, 1);
  });
});
