// What records of ftrace mean: the cases of test/fixtures/cases with their right values, and variants of each kind.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { viewEvent } from '../../src/query/events.ts';
import { type TraceInfo, traceInfo } from '../../src/query/info.ts';
import { pathValue } from '../../src/query/state.ts';
import { checkIntegrity } from '../../src/trace/integrity.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { importText } from '../helpers/fixtures.ts';

const folder = resolve(import.meta.dirname, '../fixtures/cases');

/** A trace of ftrace text, with what the tests ask of it. */
class Case {
  readonly trace: Trace;
  readonly info: TraceInfo;

  constructor(text: string) {
    this.trace = importText(text);
    assert.deepEqual(checkIntegrity(this.trace), []);
    this.info = traceInfo(this.trace);
  }

  /** The value at a path, null when unknown or absent: at the end, or after a line. */
  at(path: string, line?: number): unknown {
    const state = line === undefined ? this.trace.head : this.trace.stateAt(this.trace.lastAtLine(line));
    return pathValue(state, path) ?? null;
  }

  /** The events of a line, `kind object`. */
  events(line: number): string[] {
    return this.views(line).map((view) => `${view.kind} ${view.object}`);
  }

  views(line: number): ReturnType<typeof viewEvent>[] {
    return Array.from({ length: this.trace.length }, (_, step) => viewEvent(this.trace, step)).filter(
      (view) => view.source.line === line && view.kind !== 'cpu.online',
    );
  }
}

/** A file of the cases. */
const file = (name: string): Case => new Case(readFileSync(join(folder, name), 'utf8'));

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
