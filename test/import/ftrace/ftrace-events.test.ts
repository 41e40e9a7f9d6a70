// What each ftrace event of vectors, irqs, IPIs and IOMMUs becomes, in every wording that kernels have printed. Wordings: the
// TP_printk lines of arch/x86/include/asm/trace/irq_vectors.h, include/trace/events/{irq_matrix,irq,ipi,iommu}.h, drivers/iommu/intel/trace.h, over their versions.
import assert from 'node:assert/strict';
import { pathValue } from '../../../src/query/state.ts';
import { ftraceRows as all, FTRACE_HEAD as HEAD, ftraceEvents as of, sample, wholly } from '../samples.ts';

const GLOBALS = 'online_maps=4 global_avl=786, global_rsvd=11, total_alloc=23';
const SHOWN = 'onlineMaps=4';

describe('irq_vectors events', () => {
  it('entries and exits of system vectors', () => {
    const names = [
      'local_timer',
      'spurious_apic',
      'error_apic',
      'x86_platform_ipi',
      'irq_work',
      'reschedule',
      'call_function',
      'call_function_single',
      'threshold_apic',
      'deferred_error_apic',
      'thermal_apic',
    ];
    for (const name of names) {
      all([
        [`${name}_entry: vector=251`, `vector.entry cpu/2/vector/251 name=${name}`],
        [`${name}_exit: vector=251`, `vector.exit cpu/2/vector/251 name=${name}`],
      ]);
    }
  });

  it('the life of a vector', () => {
    all([
      ['vector_setup: irq=26 is_legacy=0 ret=0', 'vec.setup irq/26 legacy=false ret=0'],
      ['vector_setup: irq=0 is_legacy=1 ret=-22', 'vec.setup irq/0 legacy=true ret=-22'],
      ['vector_teardown: irq=26 is_managed=0 has_reserved=1', 'vec.teardown irq/26 managed=false reserved=true'],
      ['vector_reserve: irq=4 ret=0', 'vec.reserve irq/4 ret=0'],
      ['vector_reserve_managed: irq=27 ret=-28', 'vec.reserveManaged irq/27 ret=-28'],
      ['vector_alloc: irq=4 vector=33 reserved=1 ret=0', 'vec.alloc irq/4 vector=33 reserved=true ret=0'],
      ['vector_alloc: irq=0 vector=0 reserved=0 ret=-22', 'vec.alloc irq/0 vector=0 reserved=false ret=-22'],
      ['vector_alloc_managed: irq=27 vector=34 ret=0', 'vec.allocManaged irq/27 vector=34 ret=0'],
      [
        'vector_update: irq=41 vector=39 cpu=1 prev_vector=38 prev_cpu=2',
        'vec.update irq/41 vector=39 cpu=1 prevVector=38 prevCpu=2 interrupt=true',
      ],
      [
        'vector_clear: irq=41 vector=42 cpu=2 prev_vector=0 prev_cpu=2',
        'vec.clear irq/41 vector=42 cpu=2 prevVector=0 prevCpu=2',
      ],
      [
        'vector_config: irq=41 vector=239 cpu=0 apicdest=0x00000100',
        'vec.config irq/41 vector=239 cpu=0 apicDest=0x100',
      ],
      [
        'vector_activate: irq=26 is_managed=0 can_reserve=1 reserve=1',
        'vec.activate irq/26 managed=false canReserve=true reserve=true',
      ],
      [
        'vector_deactivate: irq=26 is_managed=1 can_reserve=0 reserve=0',
        'vec.deactivate irq/26 managed=true canReserve=false reserve=false',
      ],
      ['vector_free_moved: irq=41 cpu=2 vector=38 is_managed=0', 'vec.freeMoved irq/41 cpu=2 vector=38 managed=false'],
    ]);
  });

  it('the first published header: `early` for `reserve`, `reserved` and `ret` swapped, an errno as vector', () => {
    all([
      [
        'vector_activate: irq=26 is_managed=0 can_reserve=1 early=1',
        'vec.activate irq/26 managed=false canReserve=true reserve=true',
      ],
      [
        'vector_deactivate: irq=26 is_managed=0 can_reserve=1 early=0',
        'vec.deactivate irq/26 managed=false canReserve=true reserve=false',
      ],
      // reserved 1, ret 0, as they were meant.
      ['vector_alloc: irq=4 vector=33 reserved=0 ret=1', 'vec.alloc irq/4 vector=33 reserved=true ret=0'],
      // reserved 1, ret -28.
      ['vector_alloc: irq=4 vector=4294967268 reserved=1 ret=1', 'vec.alloc irq/4 vector=0 reserved=true ret=-28'],
      ['vector_alloc: irq=4 vector=4294967268 reserved=1 ret=0', 'vec.alloc irq/4 vector=0 reserved=false ret=-28'],
    ]);
  });

  it('the case of a broken affinity, as it was reported', () => {
    const m = 'online_maps=104 global_avl=20687, global_rsvd=341, total_alloc=217';
    const { trace } = wholly(
      [
        '# tracer: nop',
        `irqbalance-1994    [017] d...    74.912799: irq_matrix_alloc: bit=33 cpu=26 online=1 avl=198 alloc=3 managed=1 ${m}`,
        'irqbalance-1994    [017] d...    74.912802: vector_alloc: irq=4 vector=33 reserved=0 ret=0',
        'irqbalance-1994    [017] d...    74.912804: vector_update: irq=4 vector=33 cpu=26 prev_vector=33 prev_cpu=7',
        'irqbalance-1994    [017] d...    74.912805: vector_config: irq=4 vector=33 cpu=26 apicdest=0x00000040',
        '    <idle>-0       [007] d.h.    74.970733: vector_free_moved: irq=4 cpu=7 vector=33 is_managed=0',
        `    <idle>-0       [007] d.h.    74.970738: irq_matrix_free: bit=33 cpu=7 online=1 avl=200 alloc=1 managed=1 ${m}`,
        '  (agetty)-3004    [047] d...    81.731231: vector_deactivate: irq=4 is_managed=0 can_reserve=1 reserve=0',
        '  (agetty)-3004    [047] d...    81.738035: vector_clear: irq=4 vector=33 cpu=26 prev_vector=0 prev_cpu=7',
        '  (agetty)-3004    [047] d...    81.766739: vector_reserve: irq=4 ret=0',
        '  (agetty)-3004    [047] d...    81.766741: vector_config: irq=4 vector=239 cpu=0 apicdest=0x00000000',
      ].join('\n'),
    );
    const at = (time: string, path: string): unknown => pathValue(trace.stateAt(trace.stepAtTime(time)!), path);
    assert.deepEqual(
      ['cpu', 'vector', 'prevCpu', 'prevVector', 'moving'].map((k) => at('74.912805', `irq/4/${k}`)),
      [26, 33, 7, 33, true],
    );
    assert.deepEqual([at('74.912805', 'cpu/7/vector/33/irq'), at('74.912805', 'cpu/26/vector/33/irq')], [4, 4]);
    assert.equal(at('74.970738', 'irq/4/moving'), false);
    assert.deepEqual(
      [at('74.970738', 'cpu/7/vector/33/irq'), at('74.970738', 'cpu/7/vector/33/allocated')],
      [null, false],
    );
    assert.deepEqual(
      ['vector', 'activated', 'reserved'].map((k) => at('81.766741', `irq/4/${k}`)),
      [239, false, true],
    );
    assert.equal(at('81.766741', 'cpu/26/vector/33/irq'), null);
  });
});

describe('what is known of vectors', () => {
  const known = (...records: readonly [cpu: number, payload: string][]): ((path: string) => unknown) => {
    const lines = records.map(([n, p], i) => `  sh-7 [00${n}] d..1. 1.00000${i}: ${p}`);
    const { trace } = wholly(`# tracer: nop\n${lines.join('\n')}\n`);
    return (path) => pathValue(trace.head, path);
  };

  it('an irq that shows up elsewhere has left the vector that it was last seen on', () => {
    const get = known(
      [0, 'vector_update: irq=5 vector=34 cpu=1 prev_vector=0 prev_cpu=0'],
      [0, 'vector_update: irq=5 vector=36 cpu=2 prev_vector=0 prev_cpu=0'],
    );
    assert.deepEqual([get('cpu/1/vector/34/irq'), get('cpu/2/vector/36/irq')], [null, 5]);
    assert.equal(get('irq/5/moving'), false);
  });

  it('a move away from an offline CPU is done at once: nothing is left to clean up', () => {
    const get = known(
      [0, 'vector_update: irq=5 vector=34 cpu=1 prev_vector=0 prev_cpu=0'],
      [1, `irq_matrix_offline: ${GLOBALS}`],
      [0, 'vector_update: irq=5 vector=36 cpu=2 prev_vector=34 prev_cpu=1'],
    );
    assert.deepEqual([get('irq/5/moving'), get('irq/5/prevVector'), get('irq/5/prevCpu')], [false, 34, 1]);
    assert.deepEqual([get('cpu/1/vector/34/irq'), get('cpu/2/vector/36/irq'), get('cpu/1/online')], [null, 5, false]);
  });

  it('vector 239 is a placeholder and no assignment', () => {
    const get = known(
      [0, 'vector_update: irq=5 vector=239 cpu=1 prev_vector=0 prev_cpu=0'],
      [0, 'vector_update: irq=6 vector=40 cpu=1 prev_vector=239 prev_cpu=0'],
    );
    assert.equal(get('cpu/1/vector/239'), undefined);
    assert.deepEqual([get('irq/5/vector'), get('irq/6/moving')], [239, false]);
  });
});

describe('irq_matrix events', () => {
  it('of the whole matrix', () => {
    for (const [name, kind] of [
      ['online', 'online'],
      ['offline', 'offline'],
      ['reserve', 'reserve'],
      ['remove_reserved', 'removeReserved'],
    ]) {
      const shown = `${SHOWN} available=786 reserved=11 total=23`;
      // What becomes of the vectors of a CPU that goes offline, no record tells.
      const unsure = name === 'offline' ? ['mtx.unsure cpu/2'] : [];
      all([[`irq_matrix_${name}: ${GLOBALS}`, `mtx.${kind} domain/VECTOR ${shown}`, ...unsure]]);
    }
    all([
      [
        `irq_matrix_assign_system: bit=128 ${GLOBALS}`,
        `mtx.assignSystem domain/VECTOR vector=128 ${SHOWN} available=786 reserved=11 total=23`,
      ],
    ]);
  });

  it('of one CPU', () => {
    for (const [name, kind] of [
      ['reserve_managed', 'reserveManaged'],
      ['remove_managed', 'removeManaged'],
      ['alloc_managed', 'allocManaged'],
      ['alloc_reserved', 'allocReserved'],
      ['assign', 'assign'],
      ['alloc', 'alloc'],
      ['free', 'free'],
    ]) {
      all([
        [
          `irq_matrix_${name}: bit=34 cpu=3 online=1 avl=198 alloc=3 managed=2 ${GLOBALS}`,
          `mtx.${kind} domain/VECTOR vector=34 cpu=3 online=true available=198 allocated=3 managed=2 ${SHOWN} globalAvailable=786 reserved=11 total=23`,
        ],
      ]);
    }
  });
});

describe('irq and ipi events', () => {
  it('handlers, with any name of an action', () => {
    all([
      ['irq_handler_entry: irq=26 name=nvme0q0', 'irq.entry irq/26 name=nvme0q0'],
      ['irq_handler_entry: irq=16 name=i2c_designware.0, idma64.0', 'irq.entry irq/16 name=i2c_designware.0, idma64.0'],
      ['irq_handler_entry: irq=24 name=PCIe PME, pciehp', 'irq.entry irq/24 name=PCIe PME, pciehp'],
      ['irq_handler_entry: irq=26 handler=eth0', 'irq.entry irq/26 name=eth0'],
      ['irq_handler_exit: irq=26 ret=handled', 'irq.exit irq/26 handled=true'],
      ['irq_handler_exit: irq=26 ret=unhandled', 'irq.exit irq/26 handled=false'],
      ['irq_handler_exit: irq=26 return=handled', 'irq.exit irq/26 handled=true'],
    ]);
  });

  it('names that VFIO gives tell function and vector', () => {
    all([
      [
        'irq_handler_entry: irq=35 name=vfio-msix[2](0000:17:00.3)',
        'irq.entry irq/35 name=vfio-msix[2](0000:17:00.3)',
        'irq.identify irq/35 device=0000:17:00.3 hwirq=2',
        'vfio.use vfio/0000:17:00.3/2/2 used=true',
        'vfio.fire vfio/0000:17:00.3/2/2 irq=35',
      ],
      [
        'irq_handler_entry: irq=44 name=vfio-msi[0](0000:00:07.0)',
        'irq.entry irq/44 name=vfio-msi[0](0000:00:07.0)',
        'irq.identify irq/44 device=0000:00:07.0 hwirq=0',
        'vfio.use vfio/0000:00:07.0/1/0 used=true',
        'vfio.fire vfio/0000:00:07.0/1/0 irq=44',
      ],
      [
        'irq_handler_entry: irq=23 name=vfio-intx(0000:00:07.0)',
        'irq.entry irq/23 name=vfio-intx(0000:00:07.0)',
        'irq.identify irq/23 device=0000:00:07.0',
        'vfio.use vfio/0000:00:07.0/0/0 used=true',
        'vfio.fire vfio/0000:00:07.0/0/0 irq=23',
      ],
      ['irq_handler_entry: irq=23 name=vfio-other', 'irq.entry irq/23 name=vfio-other'],
    ]);
  });

  it('softirqs are those of the CPU; tasklets are known and without effect', () => {
    all([
      ['softirq_raise: vec=7 [action=SCHED]', 'softirq.raise cpu/2/softirq/SCHED'],
      ['softirq_entry: vec=1 [action=TIMER]', 'softirq.entry cpu/2/softirq/TIMER'],
      ['softirq_exit: vec=1 [action=TIMER]', 'softirq.exit cpu/2/softirq/TIMER'],
      ['tasklet_entry: tasklet=foo function=bar'],
      ['tasklet_exit: tasklet=foo function=bar'],
    ]);
  });

  it('inter-processor interrupts', () => {
    all([
      [
        'ipi_send_cpu: cpu=1 callsite=ttwu_queue_wakelist+0x103/0x150 callback=sched_ttwu_pending+0x0/0xf0',
        'ipi.send cpu/1 reason=ttwu_queue_wakelist+0x103/0x150',
      ],
      [
        'ipi_send_cpu: cpu=3 callsite=kvm_vcpu_kick+0x5c/0x90 [kvm] callback=0x0',
        'ipi.send cpu/3 reason=kvm_vcpu_kick+0x5c/0x90 [kvm]',
      ],
      [
        'ipi_send_cpumask: cpumask=0-1,3 callsite=on_each_cpu_cond_mask+0x2f/0x50 callback=kvm_ack_flush+0x0/0x10 [kvm]',
        'ipi.send cpu/2 targets=0-1,3 reason=on_each_cpu_cond_mask+0x2f/0x50',
      ],
      [
        'ipi_raise: target_mask=00000000,00000002 (Rescheduling interrupts)',
        'ipi.send cpu/2 targets=00000000,00000002 reason=Rescheduling interrupts',
      ],
      ['ipi_entry: (Function call interrupts)', 'ipi.entry cpu/2 reason=Function call interrupts'],
      ['ipi_exit: (Function call interrupts)', 'ipi.exit cpu/2 reason=Function call interrupts'],
    ]);
  });
});

describe('iommu events', () => {
  it('mappings with and without their end, and with a device', () => {
    const mapped = 'iommu.map iommu iova=0xfffff000 paddr=0x8090000 size=0x1000';
    const unmapped = 'iommu.unmap iommu iova=0xfffff000 size=0x1000';
    all([
      ['map: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x0000000008090000 size=4096', mapped],
      ['map: IOMMU: iova=0x00000000fffff000 paddr=0x0000000008090000 size=4096', mapped],
      [
        'map: IOMMU: dev=0000:00:04.0 iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x0000000008090000 size=4096',
        mapped,
      ],
      ['unmap: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 size=4096 unmapped_size=4096', unmapped],
      ['unmap: IOMMU: iova=0x00000000fffff000 size=4096 unmapped_size=4096', unmapped],
    ]);
  });

  it('groups, domains, faults', () => {
    all([
      ['add_device_to_group: IOMMU: groupID=5 device=0000:00:03.0', 'iommu.attach device/0000:00:03.0 group=5'],
      ['attach_device_to_domain: IOMMU: device=0000:00:03.0', 'iommu.attach device/0000:00:03.0'],
      ['remove_device_from_group: IOMMU: groupID=5 device=0000:00:03.0'],
      ['detach_device_from_domain: IOMMU: device=0000:00:03.0'],
      [
        'io_page_fault: IOMMU:amd_iommu 0000:00:03.0 iova=0x0000000012345000 flags=0x0020',
        'iommu.fault iommu device=0000:00:03.0 iova=0x12345000 flags=0x20',
      ],
    ]);
  });

  it('qi_submit: of the queued invalidations those of the interrupt entry cache count', () => {
    all([
      [
        'qi_submit: iec_inv dmar0: 0x2500000014 0x0 0x0 0x0',
        'ir.seen irte/dmar0 kind=VT-d',
        'iec.inv irte/dmar0/37 global=false index=37 mask=0',
      ],
      [
        'qi_submit: iec_inv dmar1: 0x4018000014 0x0 0x0 0x0',
        'ir.seen irte/dmar1 kind=VT-d',
        'iec.inv irte/dmar1/64 global=false index=64 mask=3',
      ],
      [
        'qi_submit: iec_inv dmar0: 0x4 0x0 0x0 0x0',
        'ir.seen irte/dmar0 kind=VT-d',
        'iec.inv irte/dmar0 global=true index=0 mask=0',
      ],
      ['qi_submit: iotlb_inv dmar0: 0x300f2 0xfff40044 0x0 0x0'],
      ['qi_submit: inv_wait dmar0: 0x200000025 0x1 0x0 0x0'],
      [
        'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 3 [0xfffff000-0xffffffff] addr 0xfffff000 pages 0x1 mask 0x0',
      ],
    ]);
  });
});

describe('records whose text is not as any version prints it', () => {
  it('are skipped by name, never taken half', () => {
    for (const payload of [
      'vector_update: irq=41 vector=39 cpu=1 prev_vector=38',
      'vector_update: irq=x vector=39 cpu=1 prev_vector=38 prev_cpu=2',
      'irq_handler_entry: irq= name=x',
      'kvm_msi_set_irq: dst 0 vec (Fixed)',
      'irq_matrix_alloc: bit=34 cpu=3 online=1',
      'map: IOMMU: iova=0x1000 size=4096',
    ]) {
      const { info, events } = sample(`# tracer: nop\n${HEAD}${payload}\n`);
      const name = payload.replace(/:.*/, '');
      assert.deepEqual(info.skipped, { [`${name}: arguments not as expected`]: 1 }, payload);
      assert.deepEqual(events, [], payload);
    }
  });

  it('numbers too large for a trace make no nonsense objects', () => {
    assert.equal(of('vector_update: irq=41 vector=999999 cpu=99999999 prev_vector=38 prev_cpu=2').length, 1);
    const { trace } = wholly(
      `# tracer: nop\n${HEAD}vector_update: irq=41 vector=999999 cpu=99999999 prev_vector=0 prev_cpu=0\n`,
    );
    assert.deepEqual(Object.keys(pathValue(trace.head, 'cpu') as object), ['2']);
  });
});
