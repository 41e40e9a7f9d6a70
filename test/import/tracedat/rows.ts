// Events as the kernel describes them, the values of one record of each, and the text that the kernel prints of it.
import type { Dat, FieldSpec } from '../../helpers/trace-dat.ts';
import { KALLSYMS, PRINTK } from './kernel.ts';

export interface Row {
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

export const u32 = (name: string): FieldSpec => [`unsigned int ${name}`, 4];
export const i32 = (name: string): FieldSpec => [`int ${name}`, 4, true];
export const u64 = (name: string): FieldSpec => [`u64 ${name}`, 8];
export const str = (name: string): FieldSpec => [`__data_loc char[] ${name}`, 4];

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
export const ROWS: Readonly<Record<string, Row>> = {
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
  'a mapping of the IOMMU layer': {
    event: 'map',
    fields: [u64('iova'), u64('paddr'), ['size_t size', 8]],
    print:
      '"IOMMU: iova=0x%016llx - 0x%016llx paddr=0x%016llx size=%zu", REC->iova, REC->iova + REC->size, REC->paddr, REC->size',
    values: [0x8000000n, 0xfee00000n, 4096n],
    text: 'IOMMU: iova=0x0000000008000000 - 0x0000000008001000 paddr=0x00000000fee00000 size=4096',
  },
  'a fault of the IOMMU layer': {
    event: 'io_page_fault',
    fields: [str('device'), str('driver'), u64('iova'), i32('flags')],
    print: '"IOMMU:%s %s iova=0x%016llx flags=0x%04x", __get_str(driver), __get_str(device), REC->iova, REC->flags',
    values: ['0000:00:03.0', 'vfio-pci', 0xfee00000n, 1],
    text: 'IOMMU:vfio-pci 0000:00:03.0 iova=0x00000000fee00000 flags=0x0001',
  },
  'a hypercall of Hyper-V': {
    event: 'kvm_hv_hypercall',
    fields: [
      ['__u16 rep_cnt', 2],
      ['__u16 rep_idx', 2],
      u64('ingpa'),
      u64('outgpa'),
      ['__u16 code', 2],
      ['bool fast', 1],
    ],
    print:
      '"code 0x%x %s cnt 0x%x idx 0x%x in 0x%llx out 0x%llx", REC->code, REC->fast ? "fast" : "slow", REC->rep_cnt, REC->rep_idx, REC->ingpa, REC->outgpa',
    values: [1, 0, 0x1000n, 0x2000n, 0x7e, 0],
    text: 'code 0x7e slow cnt 0x1 idx 0x0 in 0x1000 out 0x2000',
  },
  'an interrupt line of arm64': {
    event: 'kvm_irq_line',
    fields: [u32('type'), i32('vcpu_idx'), i32('irq_num'), i32('level')],
    print:
      '"Inject %s interrupt (%d), vcpu->idx: %d, num: %d, level: %d", (REC->type == 0) ? "CPU" : (REC->type == 1) ? "VGIC PPI" : (REC->type == 2) ? "VGIC SPI" : "UNKNOWN", REC->type, REC->vcpu_idx, REC->irq_num, REC->level',
    values: [2, 0, 40, 1],
    text: 'Inject VGIC SPI interrupt (2), vcpu->idx: 0, num: 40, level: 1',
  },
  'an event that says nothing, with texts': {
    event: 'cache_tag_assign',
    fields: [str('iommu'), str('dev'), ['u16 type', 2]],
    print:
      '"%s/%s type %s", __get_str(iommu), __get_str(dev), __print_symbolic(REC->type, { CACHE_TAG_IOTLB, "iotlb" })',
    values: ['dmar0', '0000:00:03.0', 0],
    text: 'dmar0/0000:00:03.0 type iotlb',
  },
  'a switch of tasks, of which none is known to run a virtual CPU': {
    event: 'sched_switch',
    fields: [
      ['char prev_comm[16]', 16],
      ['pid_t prev_pid', 4, true],
      i32('prev_prio'),
      ['long prev_state', 8, true],
      ['char next_comm[16]', 16],
      ['pid_t next_pid', 4, true],
      i32('next_prio'),
    ],
    print:
      '"prev_comm=%s prev_pid=%d prev_prio=%d prev_state=%s%s ==> next_comm=%s next_pid=%d next_prio=%d", REC->prev_comm, REC->prev_pid, REC->prev_prio, (REC->prev_state & 0xff) ? __print_flags(REC->prev_state & 0xff, "|", { 0x1, "S" }, { 0x2, "D" }) : "R", REC->prev_state & 0x100 ? "+" : "", REC->next_comm, REC->next_pid, REC->next_prio',
    values: ['a b', 12, 120, 0x100n, 'swapper/2', 0, 120],
    text: 'prev_comm=a b prev_pid=12 prev_prio=120 prev_state=R+ ==> next_comm=swapper/2 next_pid=0 next_prio=120',
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
