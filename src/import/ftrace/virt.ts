import * as apic from '../../model/events/apic.ts';
import { kvmHypercall } from '../../model/events/hypervisor.ts';
import { iecInvalidate, iommuAttach, iommuFault, iommuMap, iommuUnmap, irSeen } from '../../model/events/remap.ts';
import * as ev from '../../model/events/virt.ts';
import { IEC_TYPE, iecDescriptor } from '../../model/registers/vtd.ts';
import { irte, remapUnit } from '../../model/things/remap.ts';
import { kvmGsi } from '../../model/things/virt.ts';
import { vcpuObject, vcpuVectorObject } from '../objects.ts';
import type { Captures } from '../pattern.ts';
import { type Ftrace, type FtraceRule, rule } from './context.ts';

/** The text does not tell virtual machines apart. */
export const VM = 'kvm/0';

/** The fields option prints these events in a form that raw.ts reads. */
const textOnly = (): boolean => false;

const text = (f: Ftrace, t: string): number => f.out.world.strings.intern(t);

function put64(words: Uint32Array, at: number, c: Captures, slot: number): void {
  words[at] = c.lo[slot]!;
  words[at + 1] = c.hi[slot]!;
}

function accept(name: string, posted: boolean): FtraceRule {
  // "apicid" is really the vcpu id (arch/x86/kvm/lapic.c).
  return rule(
    name,
    'apicid {vcpu:x} vec {vector:u} ({mode:s})…',
    (f, c, s, w) => {
      w[apic.apicAccept.at.mode] = f.str(s.mode);
      w[apic.apicAccept.at.posted] = posted ? 1 : 0;
      f.emit(apic.apicAccept, vcpuVectorObject(f.out.world, c.lo[s.vcpu]! & 0xffffff, c.lo[s.vector]! & 0xff));
    },
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
      const vcpu = c.lo[s.vcpu]! & 0xffffff;
      f.emit(
        apic.apicEoi,
        vector < 0 ? vcpuObject(f.out.world, vcpu) : vcpuVectorObject(f.out.world, vcpu, vector & 0xff),
      );
    },
    { apicid: 'vcpu' },
  );
}

export function inject(f: Ftrace, vector: number, reinjected: boolean): undefined {
  f.out.words[apic.apicInject.at.reinjected] = reinjected ? 1 : 0;
  f.emit(
    apic.apicInject,
    f.vcpu < 0 ? f.object('vcpu/unknown/injection') : vcpuVectorObject(f.out.world, f.vcpu, vector & 0xff),
  );
}

function exit(f: Ftrace, vcpu: number, reason: number): void {
  if (vcpu >= 0) f.runs(vcpu);
  const known = vcpu >= 0 ? vcpu : f.vcpu;
  f.out.words[ev.kvmExit.at.reason] = reason;
  f.emit(ev.kvmExit, known >= 0 ? vcpuObject(f.out.world, known) : f.object('vcpu/unknown/exit'));
}

function mmio(
  f: Ftrace,
  c: Captures,
  s: { readonly size: number; readonly gpa: number; readonly value: number },
  write: boolean,
): void {
  const { words: w } = f.out;
  w[ev.kvmMmio.at.write] = write ? 1 : 0;
  w[ev.kvmMmio.at.size] = c.lo[s.size]!;
  put64(w, ev.kvmMmio.at.address, c, s.gpa);
  put64(w, ev.kvmMmio.at.value, c, s.value);
  f.emit(ev.kvmMmio, f.object(`${VM}/mmio`));
}

function entry(f: Ftrace, vcpu: number): void {
  f.runs(vcpu);
  f.out.words[0] = 0;
  f.emit(ev.kvmEntry, vcpuObject(f.out.world, vcpu & 0xffffff));
}

const BDF = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;

/** A device as the IOMMU layer names it: a PCI function, or some other device of which only the name is known. */
function iommuDevice(f: Ftrace, name: string): number {
  return f.object(BDF.test(name) ? `device/${name}` : `iommu/device/${name}`);
}

/** Descriptor types of the queued invalidation interface that concern interrupts. */
const IEC = 'iec_inv';
const { type: typeField, granularity, mask: maskField, index: indexField } = iecDescriptor.f;

export const virtRules: readonly FtraceRule[] = [
  rule(
    'kvm_entry',
    ['vcpu {vcpu:u}…', 'PC: {pc:x}'] as const,
    (f, c, s, w) => {
      if (s.vcpu !== undefined && c.got[s.vcpu]) {
        entry(f, c.lo[s.vcpu]!);
        return;
      }
      w[0] = 0;
      f.emit(ev.kvmEntry, f.vcpu >= 0 ? vcpuObject(f.out.world, f.vcpu) : f.object('vcpu/unknown/entry'));
    },
    { vcpu_id: 'vcpu' },
    (c, s, named) => named.has('vcpu_id') || c.got[s.vcpu] === 1,
  ),
  rule(
    'kvm_exit',
    ['vcpu {vcpu:u} reason {reason:w}…', 'reason {reason:w}…', '{reason:s}: HSR_EC:…'] as const,
    (f, c, s) => {
      const vcpu = s.vcpu !== undefined && c.got[s.vcpu] ? c.lo[s.vcpu]! : -1;
      exit(f, vcpu, f.str(s.reason));
    },
    { vcpu_id: 'vcpu', exit_reason: 'reason' },
  ),
  rule('kvm_userspace_exit', 'reason {reason:r}', (f, _c, s, w) => {
    w[ev.kvmUserspace.at.reason] = f.str(s.reason);
    f.emit(ev.kvmUserspace, f.vcpu >= 0 ? vcpuObject(f.out.world, f.vcpu) : f.object('vcpu/unknown/exit'));
  }),
  accept('kvm_apic_accept_irq', false),
  accept('kvm_apicv_accept_irq', true),
  eoi('kvm_eoi'),
  eoi('kvm_pv_eoi'),
  rule(
    'kvm_inj_virq',
    // Hexadecimal today, decimal up to 5.18.
    ['{what:w} 0x{vector:x}{rest:r}', 'irq {vector:u}'] as const,
    (f, c, s) => {
      const software = s.what !== undefined && f.text(s.what).startsWith('Soft');
      const again = s.rest !== undefined && f.text(s.rest).includes('reinjected');
      return software ? false : inject(f, c.lo[s.vector]!, again);
    },
    {},
    textOnly,
  ),
  rule(
    'kvm_msi_set_irq',
    // The oldest kernels print the destination decimal and the vector hexadecimal; only a letter shows that.
    ['dst {dest:x} vec {vector:u} ({mode:s})', 'dst {dest:u} vec {vector:x} ({mode:s})'] as const,
    (f, c, s, w) => {
      const { at } = ev.kvmMsi;
      w[0] = 0;
      w[at.dest] = c.lo[s.dest]!;
      w[at.vector] = c.lo[s.vector]!;
      w[at.mode] = f.str(s.mode);
      f.emit(ev.kvmMsi, f.object(VM));
    },
    {},
    textOnly,
  ),
  rule(
    'kvm_set_irq',
    'gsi {gsi:u} level {level:d} source {source:d}',
    (f, c, s, w) => {
      w[ev.kvmLine.at.level] = c.lo[s.level]!;
      w[ev.kvmLine.at.source] = c.lo[s.source]!;
      f.emit(
        ev.kvmLine,
        f.out.world.byNumbers(kvmGsi, c.lo[s.gsi]! & 0x3ffffff, 0, (n) => `${VM}/gsi/${n}`),
      );
    },
    { irq_source_id: 'source' },
  ),
  rule(
    'kvm_ioapic_set_irq',
    [
      'pin {pin:u} dst {dest:x} vec {vector:u} ({mode:s})…',
      'pin {pin:u} dst {dest:x} vec={vector:u} ({mode:s})…',
    ] as const,
    (f, c, s, w) => {
      const { at } = ev.kvmIoapic;
      w[at.pin] = c.lo[s.pin]!;
      w[at.dest] = c.lo[s.dest]!;
      w[at.vector] = c.lo[s.vector]!;
      w[at.mode] = f.str(s.mode);
      f.emit(ev.kvmIoapic, f.object(`${VM}/ioapic`));
    },
  ),
  rule('kvm_ioapic_delayed_eoi_inj', '{text:r}', () => false),
  rule('kvm_pic_set_irq', '{text:r}', () => false),
  rule(
    'kvm_ack_irq',
    ['irqchip {chip:s} pin {pin:u}'] as const,
    (f, c, s, w) => {
      w[ev.kvmAck.at.chip] = f.str(s.chip);
      w[ev.kvmAck.at.pin] = c.lo[s.pin]!;
      f.emit(ev.kvmAck, f.object(`${VM}/irqchip`));
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
    (f, c, s, w) => {
      w[ev.kvmMmio.at.write] = 1;
      w[ev.kvmMmio.at.size] = 0;
      put64(w, ev.kvmMmio.at.address, c, s.gpa);
      w[ev.kvmMmio.at.value] = 0;
      w[ev.kvmMmio.at.value + 1] = 0;
      f.emit(ev.kvmMmio, f.object(`${VM}/mmio`));
    },
    { fast_mmio: 'gpa' },
  ),
  rule('kvm_apic_ipi', 'dst {dest:x} vec {vector:u} ({mode:s})', (f, c, s, w) => {
    w[apic.kvmIpi.at.dest] = c.lo[s.dest]!;
    w[apic.kvmIpi.at.vector] = c.lo[s.vector]!;
    w[apic.kvmIpi.at.mode] = f.str(s.mode);
    f.emit(apic.kvmIpi, f.vcpu >= 0 ? vcpuObject(f.out.world, f.vcpu) : f.object('vcpu/unknown/ipi'));
  }),
  rule(
    'kvm_pi_irte_update',
    [
      '«VT-d »PI is {what:s} for irq {irq:u}, vcpu {vcpu:d}, gsi: {gsi:x}, gvec: {gvec:x}«, pi_desc_addr: {desc:x}»',
      '«VT-d »PI is {what:s} for this irq, vcpu {vcpu:d}, gsi: {gsi:x}, gvec: {gvec:x}«, pi_desc_addr: {desc:x}»',
    ] as const,
    (f, c, s, w) => {
      const { at, bit } = ev.piUpdate;
      const host = s.irq !== undefined && c.got[s.irq] ? c.lo[s.irq]! : 0;
      w[0] = c.got[s.desc] ? bit.descriptor : 0;
      w[at.enable] = f.text(s.what).startsWith('enabled') || c.lo[s.what] === 1 ? 1 : 0;
      w[at.hostIrq] = host;
      w[at.vcpu] = c.lo[s.vcpu]!;
      w[at.vector] = c.lo[s.gvec]!;
      put64(w, at.descriptor, c, s.desc);
      f.emit(ev.piUpdate, f.object(`${VM}/irqfd/${c.lo[s.gsi]!}`));
    },
    { host_irq: 'irq', vcpu_id: 'vcpu', pi_desc_addr: 'desc', set: 'what' },
    (c, s) => c.got[s.gsi] === 1 && c.got[s.gvec] === 1,
  ),
  rule('kvm_hypercall', 'nr {nr:x}…', (f, c, s, w) => {
    w[0] = 0;
    put64(w, kvmHypercall.at.number, c, s.nr);
    f.emit(kvmHypercall, f.object(`${VM}/hypercall`));
  }),
  rule('kvm_xen_hypercall', '«cpl {cpl:u} »nr {nr:x}…', (f, c, s, w) => {
    w[0] = 0;
    put64(w, kvmHypercall.at.number, c, s.nr);
    f.emit(kvmHypercall, f.object(`${VM}/hypercall`));
  }),
  rule(
    'kvm_hv_hypercall',
    [
      'code {nr:x} {speed:w} «var_cnt {vars:x} »«rep_cnt {reps:x} »«cnt {cnt:x} »idx {idx:x} in {input:x} out {output:x}',
    ] as const,
    (f, c, s, w) => {
      const { at, bit } = kvmHypercall;
      w[0] = bit.input | bit.output;
      put64(w, at.number, c, s.nr);
      put64(w, at.input, c, s.input);
      put64(w, at.output, c, s.output);
      f.emit(kvmHypercall, f.object(`${VM}/hypercall`));
    },
    { code: 'nr', ingpa: 'input', outgpa: 'output' },
    (c, s) => c.got[s.nr] === 1,
  ),
  rule(
    'kvm_irq_line',
    'Inject {what:s} interrupt ({type:u}), vcpu->idx: {vcpu:d}, num: {num:d}, level: {level:u}',
    (f, c, s, w) => {
      w[ev.kvmLine.at.level] = c.lo[s.level]!;
      w[ev.kvmLine.at.source] = 0;
      f.emit(
        ev.kvmLine,
        f.out.world.byNumbers(kvmGsi, c.lo[s.num]! & 0x3ffffff, 0, (n) => `${VM}/gsi/${n}`),
      );
    },
    { irq_num: 'num', vcpu_idx: 'vcpu' },
    (c, s) => c.got[s.num] === 1 && c.got[s.level] === 1,
  ),
  rule(
    'vgic_update_irq_pending',
    'VCPU: {vcpu:d}, IRQ {num:d}, level: {level:u}',
    (f, c, s, w) => {
      w[ev.kvmLine.at.level] = c.lo[s.level]!;
      w[ev.kvmLine.at.source] = 0;
      f.emit(
        ev.kvmLine,
        f.out.world.byNumbers(kvmGsi, c.lo[s.num]! & 0x3ffffff, 0, (n) => `${VM}/gsi/${n}`),
      );
    },
    { vcpu_id: 'vcpu', irq: 'num' },
  ),
  rule(
    'map',
    [
      'IOMMU: iova={iova:x} - {end:x} paddr={paddr:x} size={size:u}',
      'IOMMU: iova={iova:x} paddr={paddr:x} size={size:u}',
      'IOMMU: dev={dev:w} iova={iova:x} - {end:x} paddr={paddr:x} size={size:u}',
    ] as const,
    (f, c, s, w) => {
      put64(w, iommuMap.at.iova, c, s.iova);
      put64(w, iommuMap.at.paddr, c, s.paddr);
      put64(w, iommuMap.at.size, c, s.size);
      f.emit(iommuMap, f.object('iommu'));
    },
    {},
    (c, s) => c.got[s.iova] === 1 && c.got[s.paddr] === 1 && c.got[s.size] === 1,
  ),
  rule(
    'unmap',
    [
      'IOMMU: iova={iova:x} - {end:x} size={size:u}…',
      'IOMMU: iova={iova:x} size={size:u}…',
      'IOMMU: dev={dev:w} iova={iova:x} - {end:x} size={size:u}…',
    ] as const,
    (f, c, s, w) => {
      put64(w, iommuUnmap.at.iova, c, s.iova);
      put64(w, iommuUnmap.at.size, c, s.size);
      f.emit(iommuUnmap, f.object('iommu'));
    },
    {},
    (c, s) => c.got[s.iova] === 1 && c.got[s.size] === 1,
  ),
  rule('io_page_fault', 'IOMMU:{driver:w} {device:w} iova={iova:x} flags={flags:x}', (f, c, s, w) => {
    w[iommuFault.at.device] = f.str(s.device);
    put64(w, iommuFault.at.iova, c, s.iova);
    w[iommuFault.at.flags] = c.lo[s.flags]!;
    f.emit(iommuFault, f.object('iommu'));
  }),
  rule('add_device_to_group', 'IOMMU: groupID={gid:d} device={device:w}', (f, c, s, w) => {
    w[0] = iommuAttach.bit.group;
    w[iommuAttach.at.group] = c.lo[s.gid]!;
    f.emit(iommuAttach, iommuDevice(f, f.text(s.device)));
  }),
  rule('remove_device_from_group', '{text:r}', () => false),
  rule('attach_device_to_domain', 'IOMMU: device={device:w}', (f, _c, s, w) => {
    w[0] = 0;
    f.emit(iommuAttach, iommuDevice(f, f.text(s.device)));
  }),
  rule('detach_device_from_domain', '{text:r}', () => false),
  rule(
    'qi_submit',
    '{type:w} {unit:w}: {qw0:x} {qw1:x} {qw2:x} {qw3:x}',
    (f, c, s, w) => {
      if (c.got[s.type] ? f.text(s.type) !== IEC : typeField.of(c.lo[s.qw0]!) !== IEC_TYPE) return false;
      const name = f.text(s.unit);
      const global = !granularity.in(c.lo[s.qw0]!);
      const mask = maskField.of(c.lo[s.qw0]!);
      const index = indexField.of(c.hi[s.qw0]!);
      const unit = f.out.world.object(remapUnit, `irte/${name}`);
      if (!f.out.state.present(unit)) {
        w[irSeen.at.kind] = text(f, 'VT-d');
        f.emit(irSeen, unit);
      }
      w[iecInvalidate.at.global] = global ? 1 : 0;
      w[iecInvalidate.at.index] = index;
      w[iecInvalidate.at.mask] = mask;
      f.emit(iecInvalidate, global ? unit : f.out.world.byNumbers(irte, unit, index, (_u, i) => `irte/${name}/${i}`));
      return undefined;
    },
    { iommu: 'unit' },
    (c, s) => c.got[s.qw0] === 1 && c.got[s.unit] === 1,
  ),
  ...[
    'prq_report',
    'cache_tag_assign',
    'cache_tag_unassign',
    'cache_tag_flush_all',
    'cache_tag_flush_range',
    'cache_tag_flush_range_np',
  ].map((name) => rule(name, '{text:r}', () => false)),
];
