// What records of ftrace mean: the cases of test/fixtures/cases with their right values, and variants of each kind.
import assert from 'node:assert/strict';
import { Case, file } from '../case.ts';

/** Records of the thread of a virtual CPU, a microsecond apart. */
const thread = (...payloads: readonly string[]): Case => {
  const lines = payloads.map((p, i) => `     CPU 0/KVM-77    [003] d..1. 10.${String(i + 1).padStart(6, '0')}: ${p}\n`);
  return new Case(lines.join(''));
};

describe('interrupts of virtual CPUs (x86)', () => {
  it('kvm-not-a-request.txt: only Fixed and Lowest Priority make a vector pend', () => {
    const c = file('kvm-not-a-request.txt');
    assert.equal(c.info.records, 4);
    assert.notEqual(c.at('vcpu/1/vector/16/requested'), true);
    assert.notEqual(c.at('vcpu/1/vector/0/requested'), true);
    assert.equal(c.at('vcpu/1/vector/49/requested'), true);
  });

  it('kvm-not-a-request: each delivery mode, in both wordings', () => {
    // Table of arch/x86/kvm/trace.h; SDM: Fixed and Lowest Priority set the IRR, the others do not.
    for (const [number, [mode, requests]] of Object.entries(
      Object.entries({
        Fixed: true,
        LowPrio: true,
        SMI: false,
        Res3: false,
        NMI: false,
        INIT: false,
        SIPI: false,
        ExtINT: false,
      }),
    )) {
      for (const name of ['kvm_apic_accept_irq', 'kvm_apicv_accept_irq']) {
        const text = thread(`${name}: apicid 3 vec 200 (${mode}|edge)`);
        assert.equal(text.at('vcpu/3/vector/200/requested') === true, requests, `${name} ${mode}`);
        const fields = thread(
          `${name}: apicid=0x3 (3) dm=0x${number}00 (${Number(number) * 256}) tm=0x0 (0) vec=0xc8 (200)`,
        );
        assert.equal(fields.at('vcpu/3/vector/200/requested') === true, requests, `${name} ${mode}, fields`);
      }
    }
  });

  it('kvm-pic-vector.txt: a vector of the PIC is never in service at the local APIC', () => {
    const c = file('kvm-pic-vector.txt');
    assert.equal(c.info.records, 6);
    assert.notEqual(c.at('vcpu/0/vector/8/inService'), true);
    assert.equal(c.at('vcpu/0/vector/8/taken'), 1);
  });

  it('kvm-pic-vector: told by the number of the vector, by the input, by the acknowledge; not where the local APIC accepted it', () => {
    const entry = 'kvm_entry: vcpu 0, rip 0x1';
    const inService = (vector: string, ...before: readonly string[]): unknown =>
      thread(entry, ...before, `kvm_inj_virq: IRQ ${vector}`).at(`vcpu/0/vector/${Number(vector)}/inService`);
    // No record before tells of the PIC: vectors 0 to 15 are the PIC's all the same.
    assert.notEqual(inService('0xf'), true);
    assert.notEqual(inService('0x34', 'kvm_pic_set_irq: chip 0 pin 4 (edge)'), true);
    assert.notEqual(inService('0x74', 'kvm_pic_set_irq: chip 1 pin 4 (level)'), true);
    assert.notEqual(inService('0x74', 'kvm_ack_irq: irqchip PIC slave pin 4'), true);
    // A masked input sends nothing, an input of another number sends another vector.
    assert.equal(inService('0x34', 'kvm_pic_set_irq: chip 0 pin 4 (edge|masked)'), true);
    assert.equal(inService('0x34', 'kvm_pic_set_irq: chip 0 pin 5 (edge)'), true);
    const accepted = 'kvm_apic_accept_irq: apicid 0 vec 52 (Fixed|edge)';
    assert.equal(inService('0x34', 'kvm_pic_set_irq: chip 0 pin 4 (edge)', accepted), true);
    // One input gives one vector.
    const both = thread(
      entry,
      'kvm_pic_set_irq: chip 0 pin 4 (edge)',
      'kvm_inj_virq: IRQ 0x34',
      'kvm_inj_virq: IRQ 0x44',
    );
    assert.equal(both.at('vcpu/0/vector/68/inService'), true);
  });

  it('kvm-apicv-eoi.txt: the end of an interrupt proves that hardware took it', () => {
    const c = file('kvm-apicv-eoi.txt');
    assert.equal(c.info.records, 4);
    assert.equal(c.at('vcpu/0/vector/129/requested', 1), true);
    assert.equal(c.at('vcpu/0/vector/129/requested'), false);
    assert.equal(c.at('vcpu/0/vector/129/inService'), false);
  });

  it('kvm-apicv-eoi: what came twice may still be requested; what was injected keeps what came behind it', () => {
    const accept = 'kvm_apicv_accept_irq: apicid 0 vec 129 (Fixed|edge)';
    const eoi = 'kvm_eoi: apicid 0 vector 129';
    const requested = (...payloads: readonly string[]): unknown =>
      thread('kvm_entry: vcpu 0, rip 0x1', ...payloads).at('vcpu/0/vector/129/requested');
    assert.equal(requested(accept, accept, eoi), null);
    assert.equal(requested(accept, accept, eoi, eoi), false);
    assert.equal(requested(accept, eoi, accept), true);
    assert.equal(requested(accept, 'kvm_inj_virq: IRQ 0x81', accept, eoi), true);
    assert.equal(requested(accept, 'kvm_pv_eoi: apicid 0 vector 129'), false);
    // Nothing tells whether something is requested where nothing was accepted.
    assert.equal(requested(eoi), null);
  });

  it('kvm-apicv-eoi: an injection again is the same interrupt', () => {
    const c = thread(
      'kvm_entry: vcpu 0, rip 0x1',
      'kvm_apic_accept_irq: apicid 0 vec 209 (Fixed|edge)',
      'kvm_inj_virq: IRQ 0xd1',
      'kvm_apic_accept_irq: apicid 0 vec 209 (Fixed|edge)',
      'kvm_inj_virq: IRQ 0xd1 [reinjected]',
      'kvm_inj_virq: IRQ 0xd1 [reinjected]',
    );
    assert.equal(c.at('vcpu/0/vector/209/taken'), 1);
    assert.equal(c.at('vcpu/0/injections'), 1);
    // The second request pends behind the first, which is delivered again.
    assert.equal(c.at('vcpu/0/vector/209/requested'), true);
    assert.equal(c.at('vcpu/0/vector/209/inService'), true);
  });

  it('kvm-exit-vector.txt: an exit keeps the vector of the host that ended the run', () => {
    const c = file('kvm-exit-vector.txt');
    for (const line of [2, 4]) {
      assert.equal(c.views(line)[0]!.fields['vector'], 0xf2, `line ${line}`);
      assert.equal(c.at('vcpu/0/exitVector', line), 0xf2);
    }
    assert.deepEqual(c.events(2), ['kvm.exit vcpu/0']);
  });

  it('kvm-exit-vector: only external interrupts of VMX tell it, and only where the information is valid', () => {
    const vector = (payload: string): unknown => thread(payload).views(1)[0]!.fields['vector'] ?? null;
    const exit = (reason: string, intr: string): string =>
      `kvm_exit: vcpu 2 reason ${reason} rip 0x1 info1 0x0000000000000001 info2 0x0000000080000055 intr_info ${intr} error_code 0x00000000`;
    assert.equal(vector(exit('EXTERNAL_INTERRUPT', '0x800000ec')), 0xec);
    assert.equal(vector(`${exit('EXTERNAL_INTERRUPT', '0x800000ec')} requests 0x0000000000000000`), 0xec);
    assert.equal(vector('kvm_exit: vcpu 2 reason EXTERNAL_INTERRUPT rip 0x1 info 0 800000fd'), 0xfd);
    assert.equal(vector('kvm_exit: reason EXTERNAL_INTERRUPT rip 0x22da info 0 800000f6'), 0xf6);
    assert.equal(vector(exit('EXTERNAL_INTERRUPT', '0x000000ec')), null);
    assert.equal(vector(exit('EPT_VIOLATION', '0x800000ec')), null);
    assert.equal(vector(exit('EXCEPTION_NMI', '0x80000202')), null);
    // EXITINTINFO of SVM: what was being delivered.
    assert.equal(vector(exit('interrupt', '0x800000ec')), null);
    const fields =
      'kvm_exit: exit_reason=0x1 (1) guest_rip=0x1 (1) isa=0x1 (1) info1=0x0 (0) info2=0x0 (0) intr_info=0x800000ec (2147483884) error_code=0x0 (0) vcpu_id=0x2 (2)';
    assert.equal(vector(fields), 0xec);
  });

  it('kvm-vcpu-from-page-fault.txt: any record of a thread names its virtual CPU from then on', () => {
    const c = file('kvm-vcpu-from-page-fault.txt');
    assert.equal(c.info.records, 4);
    assert.equal(c.info.understood, 4);
    assert.deepEqual(c.events(3), ['apic.inj vcpu/0/vector/209']);
    // What stands before the record that names it belongs to no known one.
    assert.equal(c.at('vcpu/0/exits'), 0);
    assert.equal(c.at('vcpu/0/vector/209', 2), null);
    assert.notEqual(c.at('vcpu/0/vector/209', 3), null);
  });

  it('kvm-vcpu-from-page-fault: each record that names it, whatever the thread is called, and no thread for another', () => {
    for (const naming of [
      'kvm_page_fault: vcpu 5 rip 0x1 address 0x2 error_code 0x3',
      'kvm_entry: vcpu 5',
      'kvm_exit: vcpu 5 reason HLT rip 0x1 info 0 0',
      'kvm_nested_vmexit: vcpu 5 reason HLT rip 0x1 info1 0x0 info2 0x0 intr_info 0x0 error_code 0x0',
      'kvm_wait_lapic_expire: vcpu 5: delta -7 (early)',
      'kvm_halt_poll_ns: vcpu 5: halt_poll_ns 10000 (grow 0)',
      'kvm_eoi: apicid 5 vector 52',
    ]) {
      const c = thread(naming, 'kvm_inj_virq: IRQ 0xd1');
      assert.equal(c.info.understood, 2, naming);
      assert.deepEqual(c.events(2), ['apic.inj vcpu/5/vector/209'], naming);
      // The first virtual CPU is number 0.
      const first = thread(naming.replace(/(vcpu|apicid) 5/, '$1 0'), 'kvm_inj_virq: IRQ 0xd1');
      assert.deepEqual(first.events(2), ['apic.inj vcpu/0/vector/209'], naming);
    }
    const renamed = new Case(
      [
        '           <...>-77      [003] d..1.    10.000001: kvm_entry: vcpu 5, rip 0x1',
        '     CPU 5/KVM-77      [003] d..1.    10.000002: kvm_inj_virq: IRQ 0xd1',
        '     CPU 6/KVM-78      [003] d..1.    10.000003: kvm_inj_virq: IRQ 0xd2',
        '',
      ].join('\n'),
    );
    assert.deepEqual(renamed.events(2), ['apic.inj vcpu/5/vector/209']);
    // The name of the thread is no number of a virtual CPU. The vector is kept.
    assert.deepEqual(renamed.events(3), ['apic.inj vcpu/unknown/injection']);
    assert.equal(renamed.views(3)[0]!.fields['vector'], 0xd2);
  });

  it('kvm-vcpu-from-page-fault: the older page fault names none and is understood', () => {
    const c = thread('kvm_page_fault: address fee00300 error_code 2', 'kvm_inj_virq: IRQ 0xd1');
    assert.equal(c.info.understood, 2);
    assert.deepEqual(c.events(2), ['apic.inj vcpu/unknown/injection']);
  });

  it('an exit to user space: the virtual CPU is not in the guest', () => {
    // The exit itself was not recorded.
    const c = thread('kvm_entry: vcpu 0, rip 0x1', 'kvm_userspace_exit: reason KVM_EXIT_INTR (10)');
    assert.equal(c.at('vcpu/0/inGuest', 1), true);
    assert.equal(c.at('vcpu/0/inGuest'), false);
    assert.equal(c.at('vcpu/0/exits'), 0);
    const unknown = thread('kvm_userspace_exit: reason restart (4)');
    assert.equal(unknown.at('vcpu/0'), null);
  });
});

describe('vectors of CPUs that go offline', () => {
  const matrix = (op: string, bit: number, n: number, alloc: number, maps: number, total: number, online = 1): string =>
    `irq_matrix_${op}: bit=${bit} cpu=${n} online=${online} avl=200 alloc=${alloc} managed=0 online_maps=${maps} global_avl=400, global_rsvd=0, total_alloc=${total}`;
  const update = (irq: number, vector: number, n: number, prev = 0, prevN = 0): string =>
    `vector_update: irq=${irq} vector=${vector} cpu=${n} prev_vector=${prev} prev_cpu=${prevN}`;
  const globals = (op: string, maps: number, total: number): string =>
    `irq_matrix_${op}: online_maps=${maps} global_avl=200, global_rsvd=0, total_alloc=${total}`;
  const entry = (irq: number): string => `irq_handler_entry: irq=${irq} name=nic`;

  /** Records, each with the CPU that prints it. */
  const records = (...lines: readonly (readonly [number, string])[]): Case =>
    new Case(
      lines
        .map(([n, p], i) => `          <idle>-0       [00${n}] d.h1.    10.${String(i).padStart(6, '0')}: ${p}\n`)
        .join(''),
    );

  /** CPU 1 with irq 30 on vector 36 and irq 31 on vector 37. */
  const start: readonly (readonly [number, string])[] = [
    [0, matrix('alloc', 36, 1, 1, 2, 1)],
    [0, update(30, 36, 1)],
    [0, matrix('alloc', 37, 1, 2, 2, 2)],
    [0, update(31, 37, 1)],
  ];

  it('cpu-offline.txt: what is not known of a CPU that was away is unknown', () => {
    const c = file('cpu-offline.txt');
    assert.equal(c.info.records, 8);
    assert.equal(c.at('irq/30/cpu', 3), 1);
    assert.equal(c.at('cpu/1/vector/36/allocated', 3), true);
    assert.ok([0, null].includes(c.at('irq/30/cpu') as number | null));
    assert.equal(c.at('cpu/1/vector/33/allocated'), true);
    assert.notEqual(c.at('cpu/1/vector/36/allocated'), true);
    assert.equal(c.at('cpu/1/allocated'), 1);
    // The record that tells it, before any other contradicts.
    assert.equal(c.at('irq/30/cpu', 4), null);
    assert.equal(c.at('cpu/1/online', 4), false);
    assert.notEqual(c.at('cpu/1/vector/36/irq', 4), 30);
    assert.equal(c.at('cpu/1/allocated', 4), null);
  });

  it('cpu-offline: a CPU that comes online, or is seen offline, though no record told that it went', () => {
    const again = records(...start, [1, globals('online', 2, 2)]);
    assert.equal(again.at('irq/30/cpu', 4), 1);
    assert.equal(again.at('irq/30/cpu'), null);
    assert.equal(again.at('cpu/1/vector/37/allocated'), null);
    const away = records(...start, [0, matrix('free', 36, 1, 1, 1, 1, 0)]);
    assert.equal(away.at('cpu/1/online'), false);
    assert.equal(away.at('irq/31/cpu'), null);
    assert.equal(away.at('cpu/1/vector/36/allocated'), false);
    assert.equal(away.at('cpu/1/vector/37/allocated'), null);
    // The first time that a CPU comes online, nothing was away.
    const first = records([1, globals('online', 2, 0)], ...start);
    assert.equal(first.at('irq/30/cpu'), 1);
  });

  it('cpu-offline: a map less without a record: who is online is not known, until it prints one', () => {
    const c = records(...start, [1, entry(30)], [0, globals('reserve', 1, 2)], [1, entry(30)]);
    assert.equal(c.at('cpu/1/online', 5), true);
    assert.equal(c.at('cpu/0/online', 6), true);
    assert.equal(c.at('cpu/1/online', 6), null);
    assert.equal(c.at('cpu/1/online', 7), true);
  });

  it('cpu-offline: not more vectors are allocated than the kernel counts, of a CPU and in all', () => {
    const one = records(...start, [0, matrix('alloc', 40, 1, 1, 2, 2)]);
    assert.equal(one.at('cpu/1/vector/40/allocated'), true);
    assert.equal(one.at('cpu/1/vector/36/allocated'), null);
    assert.equal(one.at('cpu/1/vector/37/irq'), null);
    assert.equal(one.at('irq/31/vector'), null);
    const all = records(...start, [0, globals('reserve', 2, 1)]);
    assert.equal(all.at('cpu/1/vector/36/allocated'), null);
    assert.equal(all.at('domain/VECTOR/allocated'), 1);
    const fits = records(...start, [0, matrix('alloc', 40, 1, 3, 2, 3)], [0, globals('reserve', 2, 3)]);
    for (const vector of [36, 37, 40]) assert.equal(fits.at(`cpu/1/vector/${vector}/allocated`), true);
  });

  it('cpu-offline: a handler on another CPU contradicts the place of its irq, except for the old place of a move', () => {
    const c = records(...start, [0, entry(30)]);
    assert.equal(c.at('irq/30/cpu'), null);
    assert.equal(c.at('irq/30/vector'), null);
    assert.equal(c.at('cpu/1/vector/36/allocated'), null);
    assert.equal(c.at('irq/31/cpu'), 1);
    assert.equal(c.at('cpu/1/vector/37/allocated'), true);
    const moving = records(...start, [0, update(30, 40, 0, 36, 1)], [1, entry(30)]);
    assert.equal(moving.at('irq/30/cpu'), 0);
    assert.equal(moving.at('irq/30/moving'), true);
    const moved = records(
      ...start,
      [0, update(30, 40, 0, 36, 1)],
      [0, 'vector_free_moved: irq=30 cpu=1 vector=36 is_managed=0'],
      [1, entry(30)],
    );
    assert.equal(moved.at('irq/30/cpu'), null);
  });

  it('cpu-offline: a vector that another irq gets has left the one that had it', () => {
    const c = records(...start, [0, update(50, 36, 1)]);
    assert.equal(c.at('cpu/1/vector/36/irq'), 50);
    assert.equal(c.at('irq/30/cpu'), null);
    assert.equal(c.at('irq/30/vector'), null);
    assert.equal(c.at('irq/31/vector'), 37);
  });
});
