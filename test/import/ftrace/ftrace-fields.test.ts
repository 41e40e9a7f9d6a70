// The `fields` option of ftrace: ` name=value` pairs in the order of the record's structure, numbers of 1 byte as `(dec)` or
// `'c'(dec)`, of 2 and 4 bytes as `0xhex (dec)`, of 8 bytes as `symbol (dec)` (kernel/trace/trace_output.c print_fields).
// Each event must become what its usual text becomes.
import assert from 'node:assert/strict';
import { wholly } from '../samples.ts';

const HEAD = '          <idle>-0       [002] d.h1.    10.934596: ';

type Field = readonly [name: string, bytes: 1 | 2 | 4 | 8 | 's', value: number | bigint | string];

/** A payload as print_fields writes it; signed 4-byte values are given as negative numbers. */
function fields(...list: readonly Field[]): string {
  return list
    .map(([name, bytes, value]) => {
      if (bytes === 's') return ` ${name}=${value}`;
      const n = BigInt(value);
      if (bytes === 1) {
        const char = Number(n);
        return char >= 32 && char < 127 ? ` ${name}='${String.fromCharCode(char)}'(${char})` : ` ${name}=(${char})`;
      }
      const hex = BigInt.asUintN(bytes * 8, n).toString(16);
      if (bytes === 8) return ` ${name}=0x${hex} (${BigInt.asIntN(64, n)})`;
      return ` ${name}=0x${hex} (${BigInt.asIntN(bytes * 8, n)})`;
    })
    .join('');
}

const eventsOf = (payload: string, before = ''): string[] => {
  const { events, info } = wholly(`# tracer: nop\n${before === '' ? '' : `${HEAD}${before}\n`}${HEAD}${payload}\n`);
  assert.equal(info.understood, info.records);
  return events;
};

/** Rows of an event: its usual text, and its fields. */
type Row = readonly [name: string, text: string, fields: readonly Field[]];

const i4 = (name: string, value: number): Field => [name, 4, value];
const b1 = (name: string, value: number): Field => [name, 1, value];
const q8 = (name: string, value: number | bigint): Field => [name, 8, value];
const str = (name: string, value: string): Field => [name, 's', value];

const TEXT = 'online_maps=4 global_avl=786, global_rsvd=11, total_alloc=23';
const MAPS = [i4('online_maps', 4), i4('global_available', 786), i4('global_reserved', 11), i4('total_allocated', 23)];
const CPU_TEXT = `bit=34 cpu=3 online=1 avl=198 alloc=3 managed=2 ${TEXT}`;
const CPU = [
  i4('bit', 34),
  i4('cpu', 3),
  b1('online', 1),
  i4('available', 198),
  i4('allocated', 3),
  i4('managed', 2),
  ...MAPS,
];
const ACTIVATE = [i4('irq', 26), b1('is_managed', 0), b1('can_reserve', 1)];

const rows: readonly Row[] = [
  ['local_timer_entry', 'vector=236', [i4('vector', 236)]],
  [
    'vector_config',
    'irq=41 vector=39 cpu=1 apicdest=0x00000200',
    [i4('irq', 41), i4('vector', 39), i4('cpu', 1), i4('apicdest', 512)],
  ],
  [
    'vector_update',
    'irq=41 vector=39 cpu=1 prev_vector=38 prev_cpu=2',
    [i4('irq', 41), i4('vector', 39), i4('cpu', 1), i4('prev_vector', 38), i4('prev_cpu', 2)],
  ],
  [
    'vector_clear',
    'irq=41 vector=39 cpu=1 prev_vector=0 prev_cpu=2',
    [i4('irq', 41), i4('vector', 39), i4('cpu', 1), i4('prev_vector', 0), i4('prev_cpu', 2)],
  ],
  ['vector_reserve', 'irq=4 ret=0', [i4('irq', 4), i4('ret', 0)]],
  ['vector_reserve_managed', 'irq=4 ret=-28', [i4('irq', 4), i4('ret', -28)]],
  [
    'vector_alloc',
    'irq=4 vector=33 reserved=1 ret=0',
    [i4('irq', 4), i4('vector', 33), b1('reserved', 1), i4('ret', 0)],
  ],
  [
    'vector_alloc',
    'irq=4 vector=0 reserved=0 ret=-28',
    [i4('irq', 4), i4('vector', 0), b1('reserved', 0), i4('ret', -28)],
  ],
  ['vector_alloc_managed', 'irq=27 vector=34 ret=0', [i4('irq', 27), i4('vector', 34), i4('ret', 0)]],
  ['vector_activate', 'irq=26 is_managed=0 can_reserve=1 reserve=1', [...ACTIVATE, b1('reserve', 1)]],
  ['vector_activate', 'irq=26 is_managed=0 can_reserve=1 early=1', [...ACTIVATE, b1('early', 1)]],
  ['vector_deactivate', 'irq=26 is_managed=0 can_reserve=1 reserve=0', [...ACTIVATE, b1('reserve', 0)]],
  [
    'vector_teardown',
    'irq=26 is_managed=0 has_reserved=1',
    [i4('irq', 26), b1('is_managed', 0), b1('has_reserved', 1)],
  ],
  ['vector_setup', 'irq=26 is_legacy=1 ret=0', [i4('irq', 26), b1('is_legacy', 1), i4('ret', 0)]],
  [
    'vector_free_moved',
    'irq=41 cpu=2 vector=38 is_managed=0',
    [i4('irq', 41), i4('cpu', 2), i4('vector', 38), b1('is_managed', 0)],
  ],
  ['irq_matrix_online', TEXT, MAPS],
  ['irq_matrix_offline', TEXT, MAPS],
  ['irq_matrix_reserve', TEXT, MAPS],
  ['irq_matrix_remove_reserved', TEXT, MAPS],
  ['irq_matrix_assign_system', `bit=128 ${TEXT}`, [i4('bit', 128), ...MAPS]],
  ['irq_matrix_reserve_managed', CPU_TEXT, CPU],
  ['irq_matrix_remove_managed', CPU_TEXT, CPU],
  ['irq_matrix_alloc_managed', CPU_TEXT, CPU],
  ['irq_matrix_assign', CPU_TEXT, CPU],
  ['irq_matrix_alloc', CPU_TEXT, CPU],
  ['irq_matrix_free', CPU_TEXT, CPU],
  ['irq_handler_entry', 'irq=26 name=nvme0q0', [i4('irq', 26), str('name', 'nvme0q0')]],
  ['irq_handler_entry', 'irq=24 name=PCIe PME, pciehp', [i4('irq', 24), str('name', 'PCIe PME, pciehp')]],
  [
    'irq_handler_entry',
    'irq=35 name=vfio-msix[2](0000:17:00.3)',
    [i4('irq', 35), str('name', 'vfio-msix[2](0000:17:00.3)')],
  ],
  ['irq_handler_exit', 'irq=26 ret=handled', [i4('irq', 26), i4('ret', 1)]],
  ['irq_handler_exit', 'irq=26 ret=unhandled', [i4('irq', 26), i4('ret', 0)]],
  ['irq_handler_exit', 'irq=26 ret=handled', [i4('irq', 26), i4('ret', 2)]],
  [
    'map',
    'IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x0000000008090000 size=4096',
    [q8('iova', 0xfffff000n), q8('paddr', 0x8090000n), q8('size', 4096)],
  ],
  [
    'unmap',
    'IOMMU: iova=0xfffffffffffff000 - 0x0000000000000000 size=4096 unmapped_size=4096',
    [q8('iova', 0xfffffffffffff000n), q8('size', 4096), q8('unmapped_size', 4096)],
  ],
  [
    'qi_submit',
    'iec_inv dmar0: 0x2500000014 0x0 0x0 0x0',
    [q8('qw0', 0x2500000014n), q8('qw1', 0), q8('qw2', 0), q8('qw3', 0), str('iommu', 'dmar0')],
  ],
  ['kvm_entry', 'vcpu 1, rip 0xfff0', [i4('vcpu_id', 1), q8('rip', 0xfff0), b1('immediate_exit', 0)]],
  [
    'kvm_apic_accept_irq',
    'apicid 1f vec 34 (Fixed|edge)',
    [i4('apicid', 31), [...(['dm', 2, 0] as const)], [...(['tm', 2, 0] as const)], b1('vec', 34)],
  ],
  [
    'kvm_apicv_accept_irq',
    'apicid 1 vec 236 (LowPrio|level)',
    [i4('apicid', 1), [...(['dm', 2, 0x100] as const)], [...(['tm', 2, 1] as const)], b1('vec', 236)],
  ],
  ['kvm_eoi', 'apicid a vector 34', [i4('apicid', 10), i4('vector', 34)]],
  ['kvm_pv_eoi', 'apicid 0 vector -1', [i4('apicid', 0), i4('vector', -1)]],
  ['kvm_set_irq', 'gsi 4 level 1 source 0', [i4('gsi', 4), i4('level', 1), i4('irq_source_id', 0)]],
  [
    'kvm_ioapic_set_irq',
    'pin 4 dst 12 vec 36 (LowPrio|logical|level|masked)',
    [q8('e', 0x1200_0000_0001_8924n), i4('pin', 4), b1('coalesced', 0)],
  ],
  [
    'kvm_mmio',
    'mmio write len 4 gpa 0xfebfa00c val 0x0',
    [i4('type', 2), i4('len', 4), q8('gpa', 0xfebfa00cn), q8('val', 0)],
  ],
  [
    'kvm_mmio',
    'mmio read len 8 gpa 0xc000002000 val 0xfee00000fee01000',
    [i4('type', 1), i4('len', 8), q8('gpa', 0xc000002000n), q8('val', 0xfee00000fee01000n)],
  ],
  ['kvm_fast_mmio', 'fast mmio at gpa 0xfe003000', [q8('gpa', 0xfe003000n)]],
  ['kvm_apic_ipi', 'dst 3 vec 253 (Fixed|physical|assert|edge|dst)', [i4('icr_low', 0x40fd), i4('dest_id', 3)]],
  [
    'kvm_pi_irte_update',
    'PI is enabled and being updated for irq 42, vcpu 1, gsi: 0x18, gvec: 0x22, pi_desc_addr: 0x10a4c3000',
    [
      i4('host_irq', 42),
      i4('vcpu_id', 1),
      i4('gsi', 24),
      i4('gvec', 34),
      q8('pi_desc_addr', 0x10a4c3000n),
      b1('set', 1),
    ],
  ],
  [
    'kvm_pi_irte_update',
    'PI is disabled for irq 42, vcpu 1, gsi: 0x18, gvec: 0x22',
    [i4('host_irq', 42), i4('vcpu_id', 1), i4('gsi', 24), i4('gvec', 34), b1('set', 0)],
  ],
  ['kvm_hypercall', 'nr 0x5 a0 0x1', [q8('nr', 5), q8('a0', 1), q8('a1', 0), q8('a2', 0), q8('a3', 0)]],
  [
    'kvm_hv_hypercall',
    'code 0x7e slow var_cnt 0x2 rep_cnt 0x0 idx 0x0 in 0x1234000 out 0x0',
    [
      [...(['rep_cnt', 2, 0] as const)],
      [...(['rep_idx', 2, 0] as const)],
      q8('ingpa', 0x1234000),
      q8('outgpa', 0),
      [...(['code', 2, 0x7e] as const)],
      [...(['var_cnt', 2, 2] as const)],
      b1('fast', 0),
    ],
  ],
  [
    'kvm_irq_line',
    'Inject VGIC SPI interrupt (2), vcpu->idx: 0, num: 35, level: 1',
    [i4('type', 2), i4('vcpu_idx', 0), i4('irq_num', 35), i4('level', 1)],
  ],
  ['vgic_update_irq_pending', 'VCPU: 0, IRQ 35, level: 1', [q8('vcpu_id', 0), i4('irq', 35), b1('level', 1)]],
];

describe('the fields option', () => {
  for (const [name, text, list] of rows) {
    it(`${name}: ${text.slice(0, 70)}`, () => {
      assert.deepEqual(eventsOf(`${name}:${fields(...list)}`), eventsOf(`${name}: ${text}`), fields(...list));
    });
  }

  it('kvm_exit: the reason is a number', () => {
    assert.deepEqual(eventsOf(`kvm_exit:${fields(i4('exit_reason', 12), q8('guest_rip', 1), i4('vcpu_id', 3))}`), [
      'kvm.exit vcpu/3 reason=0xc',
    ]);
  });

  it('kvm_inj_virq: today’s and the older structure', () => {
    const entry = 'kvm_entry: vcpu 1, rip 0x1';
    const on = (...list: readonly Field[]): string[] => eventsOf(`kvm_inj_virq:${fields(...list)}`, entry).slice(1);
    assert.deepEqual(on(i4('vector', 34), b1('soft', 0), b1('reinjected', 0)), [
      'apic.inj vcpu/1/vector/34 reinjected=false',
    ]);
    assert.deepEqual(on(i4('vector', 34), b1('soft', 0), b1('reinjected', 1)), [
      'apic.inj vcpu/1/vector/34 reinjected=true',
    ]);
    assert.deepEqual(on(i4('vector', 3), b1('soft', 1), b1('reinjected', 0)), []);
    assert.deepEqual(on(i4('irq', 236)), ['apic.inj vcpu/1/vector/236 reinjected=false']);
  });

  it('kvm_msi_set_irq: shows the message itself, which no other form does', () => {
    // Address 0xfee01004, data 0x4023: destination 1, logical, no redirection hint, vector 0x23, Fixed, edge.
    assert.deepEqual(eventsOf(`kvm_msi_set_irq:${fields(q8('address', 0xfee01004n), q8('data', 0x4023))}`), [
      'kvm.msi kvm/0 dest=0x1 vector=35 mode=Fixed|logical|edge address=0xfee01004 data=0x4023',
    ]);
  });

  it('small 8-byte numbers print as symbols of the lowest addresses', () => {
    const payload = 'kvm_msi_set_irq: address=0xfee00000 (4276092928) data=fixed_percpu_data+0x22/0x1000 (34)';
    assert.deepEqual(eventsOf(payload), [
      'kvm.msi kvm/0 dest=0x0 vector=34 mode=Fixed|physical|edge address=0xfee00000 data=0x22',
    ]);
  });

  it('qi_submit of other invalidations is without effect', () => {
    const other = fields(q8('qw0', 0x300f2), q8('qw1', 0xfff40044n), q8('qw2', 0), q8('qw3', 0), str('iommu', 'dmar0'));
    assert.deepEqual(eventsOf(`qi_submit:${other}`), []);
  });

  it('is told in the variant', () => {
    const { info } = wholly(`# tracer: nop\n${HEAD}vector_reserve:${fields(i4('irq', 4), i4('ret', 0))}\n`);
    assert.match(info.variant, /fields option/);
    const plain = wholly(`# tracer: nop\n${HEAD}vector_reserve: irq=4 ret=0\n`).info;
    assert.doesNotMatch(plain.variant, /fields option/);
  });
});
