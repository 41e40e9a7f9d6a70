import { bytesAt, bytesOf, bytesWithin, isDigit, Scanner } from '../../base/bytes.ts';
import { hex64 } from '../../base/hex.ts';
import * as apic from '../../model/events/apic.ts';
import { kvmHypercall } from '../../model/events/hypervisor.ts';
import * as ev from '../../model/events/virt.ts';
import { vmxInterruption } from '../../model/registers/x86.ts';
import { kvmGsi, vcpuVector } from '../../model/things/virt.ts';
import { vectorOfVcpu } from '../objects.ts';
import type { Captures } from '../pattern.ts';
import { type Ftrace, type FtraceRule, rule, VM } from './context.ts';

/** Parts of the virtual machine: many records are of them, and a path that is put together for each takes time. */
const MMIO = `${VM}/mmio`;
const IOAPIC = `${VM}/ioapic`;
const IRQCHIP = `${VM}/irqchip`;
const HYPERCALL = `${VM}/hypercall`;

const scanner = new Scanner();

/** The fields option prints these events in a form that raw.ts reads. */
const textOnly = (): boolean => false;

/** A local APIC accepts an interrupt, or INIT, which resets it. `mode`: text number of the words in the brackets. */
export function accepted(f: Ftrace, vcpu: number, vector: number, mode: number, posted: boolean): void {
  const { world } = f.out;
  const event = apic.apicAccept.put().mode(mode).posted(posted);
  f.notes();
  const own = f.named(vcpu);
  if (own < 0) {
    f.emit(event.vector(vector & 0xff), f.object('vcpu/unknown/accept'));
    return;
  }
  f.emit(event, vectorOfVcpu(world, own, vector & 0xff));
  if (world.strings.text(mode).startsWith('INIT')) f.emit(ev.vcpuReset.put().by(f.intern('INIT')), own);
}

function accept(name: string, posted: boolean): FtraceRule {
  // "apicid" is really the vcpu id (arch/x86/kvm/lapic.c).
  return rule(
    name,
    'apicid {vcpu:x} vec {vector:u} ({mode:s})…',
    (f, c, s) => accepted(f, c.lo[s.vcpu]!, c.lo[s.vector]!, f.str(s.mode), posted),
    {},
    textOnly,
  );
}

function eoi(name: string): FtraceRule {
  return rule(
    name,
    'apicid {vcpu:x} vector {vector:d}',
    (f, c, s) => {
      const vector = c.lo[s.vector]! | 0;
      const vcpu = f.runs(c.lo[s.vcpu]!);
      if (vcpu < 0) return false;
      if (name === 'kvm_eoi') f.ended(vcpu, vector);
      else if (f.toldEnd(vcpu, vector)) return false;
      f.emit(apic.apicEoi.put(), vector < 0 ? vcpu : vectorOfVcpu(f.out.world, vcpu, vector & 0xff));
      return undefined;
    },
    { apicid: 'vcpu' },
  );
}

/** Vectors below are no vectors of a local APIC (SDM vol. 3, "Valid Interrupt Vectors"). */
const FIRST_APIC_VECTOR = 16;

/**
 * KVM injects the vector of the PIC (kvm_cpu_get_extint of arch/x86/kvm/irq.c) or of the local APIC; the record does not tell
 * which. A vector that the local APIC was seen to accept is its own; one of an input of the PIC is the PIC's.
 */
export function inject(f: Ftrace, vector: number, reinjected: boolean): undefined {
  const event = apic.apicInject.put().reinjected(reinjected);
  const { vcpu } = f;
  if (vcpu < 0) {
    f.emit(event.vector(vector & 0xff), f.object('vcpu/unknown/injection'));
    return;
  }
  const object = vectorOfVcpu(f.out.world, vcpu, vector & 0xff);
  const accepted = f.out.state.flag(object, vcpuVector.at.requested) === true;
  if (!reinjected && (vector < FIRST_APIC_VECTOR || (!accepted && f.picVector(vector)))) event.extint(true);
  f.emit(event, object);
}

const MASKED = bytesOf('masked');
const COALESCED = bytesOf('(coalesced)');
const EXTERNAL_INTERRUPT = bytesOf('EXTERNAL_INTERRUPT');
/** The same exit reason as the fields option prints it. */
const EXIT_EXTERNAL = bytesOf('0x1');
const INTR_INFO = bytesOf('intr_info ');
const INFO = bytesOf('info ');

/**
 * The host vector that ended the guest run, where the VM-exit interruption information is valid and tells of an external
 * interrupt. -1 otherwise, and for SVM, which does not tell it.
 */
function hostVector(f: Ftrace, c: Captures, reason: number, rest: number): number {
  const { buf } = f;
  const end = c.end[rest]!;
  const [from, to] = [c.start[reason]!, c.end[reason]!];
  const isNumber = to - from === EXIT_EXTERNAL.length && bytesAt(buf, from, to, EXIT_EXTERNAL);
  if (!isNumber && !bytesAt(buf, from, to, EXTERNAL_INTERRUPT)) return -1;
  for (let at = c.start[rest]!; at < end; at++) {
    if (bytesAt(buf, at, end, INTR_INFO)) scanner.on(buf, at + INTR_INFO.length, end);
    else if (bytesAt(buf, at, end, INFO)) {
      // Before Linux 5.10 the second number is this information.
      if (!scanner.on(buf, at + INFO.length, end).hex()) return -1;
      scanner.on(buf, scanner.pos + 1, end);
    } else if (at > c.start[rest]! || !isDigit(buf[at])) continue;
    // The fields option prints the number alone.
    else scanner.on(buf, at, end);
    if (!scanner.hex()) return -1;
    const { valid, type, vector } = vmxInterruption.f;
    return valid.in(scanner.lo) && type.of(scanner.lo) === 0 ? vector.of(scanner.lo) : -1;
  }
  return -1;
}

function exit(f: Ftrace, vcpu: number, reason: number, vector: number): void {
  const known = vcpu >= 0 ? f.runs(vcpu) : f.vcpu;
  const event = ev.kvmExit.put().reason(reason);
  if (vector >= 0) event.vector(vector);
  f.emit(event, known >= 0 ? known : f.object('vcpu/unknown/exit'));
}

/** Records of a virtual CPU's own thread that name it, and say nothing of interrupts. */
const NAMING = [
  ['kvm_page_fault', 'vcpu {vcpu:u} …'],
  ['kvm_nested_vmexit', 'vcpu {vcpu:u} …'],
  ['kvm_halt_poll_ns', 'vcpu {vcpu:u}:…'],
  ['kvm_wait_lapic_expire', 'vcpu {vcpu:u}:…'],
  ['kvm_ple_window', 'vcpu {vcpu:u}…'],
  ['kvm_ple_window_update', 'vcpu {vcpu:u}…'],
] as const;

function mmio(
  f: Ftrace,
  c: Captures,
  s: { readonly size: number; readonly gpa: number; readonly value: number },
  write: boolean,
): void {
  f.emit(
    ev.kvmMmio
      .put()
      .write(write)
      .size(c.lo[s.size]!)
      .address(c.lo[s.gpa]!, c.hi[s.gpa]!)
      .value(c.lo[s.value]!, c.hi[s.value]!),
    f.object(MMIO),
  );
}

/** Where a processor begins after a reset: offset FFF0H in the segment at FFFF0000H (SDM vol. 3 "First Instruction Executed"). */
const RESET_VECTOR = 0xfff0;

/** A virtual CPU enters the guest. `atReset`: at the reset vector, which it may do several times until it leaves that. */
function entry(f: Ftrace, vcpu: number, atReset: boolean): void {
  const object = f.runs(vcpu);
  if (object < 0) {
    f.emit(ev.kvmEntry.put(), f.object('vcpu/unknown/entry'));
    return;
  }
  if (atReset && !f.atReset.has(object)) f.emit(ev.vcpuReset.put().by(f.intern('reset vector')), object);
  if (atReset) f.atReset.add(object);
  else f.atReset.delete(object);
  f.emit(ev.kvmEntry.put(), object);
}

export const virtRules: readonly FtraceRule[] = [
  rule(
    'kvm_entry',
    // trace-cmd prints no comma; older kernels print no rip.
    ['vcpu {vcpu:u}«,» rip {rip:x}…', 'vcpu {vcpu:u}…', 'PC: {pc:x}'] as const,
    (f, c, s) => {
      if (s.vcpu !== undefined && c.got[s.vcpu]) {
        const atReset = s.rip !== undefined && c.got[s.rip] === 1 && c.lo[s.rip] === RESET_VECTOR && c.hi[s.rip] === 0;
        entry(f, c.lo[s.vcpu]!, atReset);
        return;
      }
      f.emit(ev.kvmEntry.put(), f.vcpu >= 0 ? f.vcpu : f.object('vcpu/unknown/entry'));
    },
    { vcpu_id: 'vcpu' },
    (c, s, named) => named.has('vcpu_id') || c.got[s.vcpu] === 1,
  ),
  rule(
    'kvm_exit',
    [
      'vcpu {vcpu:u} reason {reason:w}{rest:r}',
      'reason {reason:w}{rest:r}',
      '{reason:s}: HSR_EC:…',
      'SEPC:{pc:x}, SCAUSE:{reason:w}, STVAL:…',
    ] as const,
    (f, c, s) => {
      const vcpu = s.vcpu !== undefined && c.got[s.vcpu] ? c.lo[s.vcpu]! : -1;
      const told = s.rest !== undefined && c.got[s.rest];
      exit(f, vcpu, f.str(s.reason), told ? hostVector(f, c, s.reason, s.rest!) : -1);
    },
    { vcpu_id: 'vcpu', exit_reason: 'reason', scause: 'reason', intr_info: 'rest' },
    (c, s) => c.got[s.reason] === 1,
  ),
  ...NAMING.map(([name, format]) =>
    rule(
      name,
      [format, '{text:r}'] as const,
      (f, c, s) => {
        if (s.vcpu !== undefined) f.runs(c.lo[s.vcpu]!);
        return false;
      },
      { vcpu_id: 'vcpu' },
    ),
  ),
  rule('kvm_userspace_exit', 'reason {reason:r}', (f, _c, s) => {
    f.emit(ev.kvmUserspace.put().reason(f.str(s.reason)), f.vcpu >= 0 ? f.vcpu : f.object('vcpu/unknown/exit'));
  }),
  accept('kvm_apic_accept_irq', false),
  accept('kvm_apicv_accept_irq', true),
  eoi('kvm_eoi'),
  eoi('kvm_pv_eoi'),
  rule(
    'kvm_inj_virq',
    // Hexadecimal today, decimal up to 5.18.
    ['{what:w} 0x{vector:x}« [{again:w}]»', 'irq {vector:u}'] as const,
    (f, c, s) => {
      const software = s.what !== undefined && f.text(s.what).startsWith('Soft');
      const again = s.again !== undefined && c.got[s.again] === 1 && f.text(s.again) === 'reinjected';
      return software ? false : inject(f, c.lo[s.vector]!, again);
    },
    {},
    textOnly,
  ),
  rule(
    'kvm_msi_set_irq',
    // The oldest kernels print the destination decimal and the vector hexadecimal; only a letter shows that.
    ['dst {dest:x} vec {vector:u} ({mode:s})', 'dst {dest:u} vec {vector:x} ({mode:s})'] as const,
    (f, c, s) => {
      f.notes();
      f.emit(ev.kvmMsi.put().dest(c.lo[s.dest]!).vector(c.lo[s.vector]!).mode(f.str(s.mode)), f.object(VM));
    },
    {},
    textOnly,
  ),
  rule(
    'kvm_set_irq',
    'gsi {gsi:u} level {level:d} source {source:d}',
    (f, c, s) => {
      f.notes();
      f.emit(
        ev.kvmLine
          .put()
          .level(c.lo[s.level] !== 0)
          .source(c.lo[s.source]!),
        f.out.world.byNumbers(kvmGsi, c.lo[s.gsi]! & 0x3ffffff, 0, (n) => `${VM}/gsi/${n}`),
      );
    },
    { irq_source_id: 'source' },
  ),
  rule(
    'kvm_ioapic_set_irq',
    [
      'pin {pin:u} dst {dest:x} vec {vector:u} ({mode:s}){more:r}',
      'pin {pin:u} dst {dest:x} vec={vector:u} ({mode:s}){more:r}',
    ] as const,
    (f, c, s) => {
      const event = ev.kvmIoapic
        .put()
        .pin(c.lo[s.pin]!)
        .dest(c.lo[s.dest]!)
        .vector(c.lo[s.vector]!)
        .mode(f.str(s.mode));
      if (bytesWithin(f.buf, c.start[s.more]!, c.end[s.more]!, COALESCED)) event.coalesced(true);
      f.emit(event, f.object(IOAPIC));
    },
  ),
  rule(
    'kvm_pic_set_irq',
    ['chip {chip:u} pin {pin:u} ({how:s})…', '{text:r}'] as const,
    (f, c, s) => {
      const isMasked = s.pin !== undefined && bytesWithin(f.buf, c.start[s.how]!, c.end[s.how]!, MASKED);
      if (s.pin !== undefined && !isMasked) f.picInput(c.lo[s.chip]! * 8 + c.lo[s.pin]!);
      return false;
    },
    {},
    textOnly,
  ),
  rule(
    'kvm_ack_irq',
    ['irqchip {chip:s} pin {pin:u}'] as const,
    (f, c, s) => {
      const chip = f.text(s.chip);
      f.notes();
      if (chip.startsWith('PIC')) f.picInput((chip.endsWith('slave') ? 8 : 0) + c.lo[s.pin]!);
      f.emit(ev.kvmAck.put().chip(f.str(s.chip)).pin(c.lo[s.pin]!), f.object(IRQCHIP));
    },
    { irqchip: 'chip' },
  ),
  rule(
    'kvm_mmio',
    'mmio {what:w} len {size:u} gpa {gpa:x} val {value:x}',
    (f, c, s) => {
      const what = f.text(s.what);
      mmio(f, c, s, what === 'write' || c.lo[s.what] === 2);
    },
    { type: 'what', len: 'size', val: 'value' },
  ),
  rule(
    'kvm_fast_mmio',
    'fast mmio at gpa {gpa:x}',
    (f, c, s) => {
      f.emit(ev.kvmMmio.put().write(true).size(0).value(0, 0).address(c.lo[s.gpa]!, c.hi[s.gpa]!), f.object(MMIO));
    },
    { fast_mmio: 'gpa' },
  ),
  rule('kvm_apic_ipi', 'dst {dest:x} vec {vector:u} ({mode:s})', (f, c, s) => {
    f.emit(
      apic.kvmIpi.put().dest(c.lo[s.dest]!).vector(c.lo[s.vector]!).mode(f.str(s.mode)),
      f.vcpu >= 0 ? f.vcpu : f.object('vcpu/unknown/ipi'),
    );
  }),
  rule(
    'kvm_pi_irte_update',
    [
      '«VT-d »PI is {what:s} for irq {irq:u}, vcpu {vcpu:d}, gsi: {gsi:x}, gvec: {gvec:x}«, pi_desc_addr: {desc:x}»',
      '«VT-d »PI is {what:s} for this irq, vcpu {vcpu:d}, gsi: {gsi:x}, gvec: {gvec:x}«, pi_desc_addr: {desc:x}»',
    ] as const,
    (f, c, s) => {
      const host = s.irq !== undefined && c.got[s.irq] ? c.lo[s.irq]! : 0;
      const enable = f.text(s.what).startsWith('enabled') || c.lo[s.what] === 1;
      f.notes();
      if (enable && c.got[s.desc]) f.vcpus.liesAt(c.lo[s.vcpu]!, hex64(c.hi[s.desc]!, c.lo[s.desc]!));
      const event = ev.piUpdate.put().enable(enable).hostIrq(host).vcpu(c.lo[s.vcpu]!).vector(c.lo[s.gvec]!);
      if (c.got[s.desc]) event.descriptor(c.lo[s.desc]!, c.hi[s.desc]!);
      f.emit(event, f.object(`${VM}/irqfd/${c.lo[s.gsi]!}`));
    },
    { host_irq: 'irq', vcpu_id: 'vcpu', pi_desc_addr: 'desc', set: 'what' },
    (c, s) => c.got[s.gsi] === 1 && c.got[s.gvec] === 1,
  ),
  rule('kvm_hypercall', 'nr {nr:x}…', (f, c, s) => {
    f.emit(kvmHypercall.put().number(c.lo[s.nr]!, c.hi[s.nr]!), f.object(HYPERCALL));
  }),
  rule('kvm_xen_hypercall', '«cpl {cpl:u} »nr {nr:x}…', (f, c, s) => {
    f.emit(kvmHypercall.put().number(c.lo[s.nr]!, c.hi[s.nr]!), f.object(HYPERCALL));
  }),
  rule(
    'kvm_hv_hypercall',
    [
      'code {nr:x} {speed:w} «var_cnt {vars:x} »«rep_cnt {reps:x} »«cnt {cnt:x} »idx {idx:x} in {input:x} out {output:x}',
    ] as const,
    (f, c, s) => {
      f.emit(
        kvmHypercall
          .put()
          .number(c.lo[s.nr]!, c.hi[s.nr]!)
          .input(c.lo[s.input]!, c.hi[s.input]!)
          .output(c.lo[s.output]!, c.hi[s.output]!),
        f.object(HYPERCALL),
      );
    },
    { code: 'nr', ingpa: 'input', outgpa: 'output' },
    (c, s) => c.got[s.nr] === 1,
  ),
  rule(
    'kvm_irq_line',
    'Inject {what:s} interrupt ({type:u}), vcpu->idx: {vcpu:d}, num: {num:d}, level: {level:u}',
    (f, c, s) => {
      f.emit(
        ev.kvmLine
          .put()
          .level(c.lo[s.level] !== 0)
          .source(0),
        f.out.world.byNumbers(kvmGsi, c.lo[s.num]! & 0x3ffffff, 0, (n) => `${VM}/gsi/${n}`),
      );
    },
    { irq_num: 'num', vcpu_idx: 'vcpu' },
    (c, s) => c.got[s.num] === 1 && c.got[s.level] === 1,
  ),
  rule(
    'vgic_update_irq_pending',
    'VCPU: {vcpu:d}, IRQ {num:d}, level: {level:u}',
    (f, c, s) => {
      f.emit(
        ev.kvmLine
          .put()
          .level(c.lo[s.level] !== 0)
          .source(0),
        f.out.world.byNumbers(kvmGsi, c.lo[s.num]! & 0x3ffffff, 0, (n) => `${VM}/gsi/${n}`),
      );
    },
    { vcpu_id: 'vcpu', irq: 'num' },
  ),
];
