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

function accept(name: string, posted: boolean): FtraceRule {
  // "apicid" is really the vcpu id (arch/x86/kvm/lapic.c).
  return rule(
    name,
    'apicid {vcpu:x} vec {vector:u} ({mode:s})…',
    (f, c, s) => {
      f.emit(
        apic.apicAccept.put().mode(f.str(s.mode)).posted(posted),
        vcpuVectorObject(f.out.world, c.lo[s.vcpu]! & 0xffffff, c.lo[s.vector]! & 0xff),
      );
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
        apic.apicEoi.put(),
        vector < 0 ? vcpuObject(f.out.world, vcpu) : vcpuVectorObject(f.out.world, vcpu, vector & 0xff),
      );
    },
    { apicid: 'vcpu' },
  );
}

export function inject(f: Ftrace, vector: number, reinjected: boolean): undefined {
  f.emit(
    apic.apicInject.put().reinjected(reinjected),
    f.vcpu < 0 ? f.object('vcpu/unknown/injection') : vcpuVectorObject(f.out.world, f.vcpu, vector & 0xff),
  );
}

function exit(f: Ftrace, vcpu: number, reason: number): void {
  if (vcpu >= 0) f.runs(vcpu);
  const known = vcpu >= 0 ? vcpu : f.vcpu;
  f.emit(ev.kvmExit.put().reason(reason), known >= 0 ? vcpuObject(f.out.world, known) : f.object('vcpu/unknown/exit'));
}

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
    f.object(`${VM}/mmio`),
  );
}

function entry(f: Ftrace, vcpu: number): void {
  f.runs(vcpu);
  f.emit(ev.kvmEntry.put(), vcpuObject(f.out.world, vcpu & 0xffffff));
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
    (f, c, s) => {
      if (s.vcpu !== undefined && c.got[s.vcpu]) {
        entry(f, c.lo[s.vcpu]!);
        return;
      }
      f.emit(ev.kvmEntry.put(), f.vcpu >= 0 ? vcpuObject(f.out.world, f.vcpu) : f.object('vcpu/unknown/entry'));
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
  rule('kvm_userspace_exit', 'reason {reason:r}', (f, _c, s) => {
    f.emit(
      ev.kvmUserspace.put().reason(f.str(s.reason)),
      f.vcpu >= 0 ? vcpuObject(f.out.world, f.vcpu) : f.object('vcpu/unknown/exit'),
    );
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
    (f, c, s) => {
      f.emit(ev.kvmMsi.put().dest(c.lo[s.dest]!).vector(c.lo[s.vector]!).mode(f.str(s.mode)), f.object(VM));
    },
    {},
    textOnly,
  ),
  rule(
    'kvm_set_irq',
    'gsi {gsi:u} level {level:d} source {source:d}',
    (f, c, s) => {
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
      'pin {pin:u} dst {dest:x} vec {vector:u} ({mode:s})…',
      'pin {pin:u} dst {dest:x} vec={vector:u} ({mode:s})…',
    ] as const,
    (f, c, s) => {
      f.emit(
        ev.kvmIoapic.put().pin(c.lo[s.pin]!).dest(c.lo[s.dest]!).vector(c.lo[s.vector]!).mode(f.str(s.mode)),
        f.object(`${VM}/ioapic`),
      );
    },
  ),
  rule('kvm_ioapic_delayed_eoi_inj', '{text:r}', () => false),
  rule('kvm_pic_set_irq', '{text:r}', () => false),
  rule(
    'kvm_ack_irq',
    ['irqchip {chip:s} pin {pin:u}'] as const,
    (f, c, s) => {
      f.emit(ev.kvmAck.put().chip(f.str(s.chip)).pin(c.lo[s.pin]!), f.object(`${VM}/irqchip`));
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
      f.emit(
        ev.kvmMmio.put().write(true).size(0).value(0, 0).address(c.lo[s.gpa]!, c.hi[s.gpa]!),
        f.object(`${VM}/mmio`),
      );
    },
    { fast_mmio: 'gpa' },
  ),
  rule('kvm_apic_ipi', 'dst {dest:x} vec {vector:u} ({mode:s})', (f, c, s) => {
    f.emit(
      apic.kvmIpi.put().dest(c.lo[s.dest]!).vector(c.lo[s.vector]!).mode(f.str(s.mode)),
      f.vcpu >= 0 ? vcpuObject(f.out.world, f.vcpu) : f.object('vcpu/unknown/ipi'),
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
      const event = ev.piUpdate
        .put()
        .enable(f.text(s.what).startsWith('enabled') || c.lo[s.what] === 1)
        .hostIrq(host)
        .vcpu(c.lo[s.vcpu]!)
        .vector(c.lo[s.gvec]!);
      if (c.got[s.desc]) event.descriptor(c.lo[s.desc]!, c.hi[s.desc]!);
      f.emit(event, f.object(`${VM}/irqfd/${c.lo[s.gsi]!}`));
    },
    { host_irq: 'irq', vcpu_id: 'vcpu', pi_desc_addr: 'desc', set: 'what' },
    (c, s) => c.got[s.gsi] === 1 && c.got[s.gvec] === 1,
  ),
  rule('kvm_hypercall', 'nr {nr:x}…', (f, c, s) => {
    f.emit(kvmHypercall.put().number(c.lo[s.nr]!, c.hi[s.nr]!), f.object(`${VM}/hypercall`));
  }),
  rule('kvm_xen_hypercall', '«cpl {cpl:u} »nr {nr:x}…', (f, c, s) => {
    f.emit(kvmHypercall.put().number(c.lo[s.nr]!, c.hi[s.nr]!), f.object(`${VM}/hypercall`));
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
        f.object(`${VM}/hypercall`),
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
  rule(
    'map',
    [
      'IOMMU: iova={iova:x} - {end:x} paddr={paddr:x} size={size:u}',
      'IOMMU: iova={iova:x} paddr={paddr:x} size={size:u}',
      'IOMMU: dev={dev:w} iova={iova:x} - {end:x} paddr={paddr:x} size={size:u}',
    ] as const,
    (f, c, s) => {
      f.emit(
        iommuMap
          .put()
          .iova(c.lo[s.iova]!, c.hi[s.iova]!)
          .paddr(c.lo[s.paddr]!, c.hi[s.paddr]!)
          .size(c.lo[s.size]!, c.hi[s.size]!),
        f.object('iommu'),
      );
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
    (f, c, s) => {
      f.emit(iommuUnmap.put().iova(c.lo[s.iova]!, c.hi[s.iova]!).size(c.lo[s.size]!, c.hi[s.size]!), f.object('iommu'));
    },
    {},
    (c, s) => c.got[s.iova] === 1 && c.got[s.size] === 1,
  ),
  rule('io_page_fault', 'IOMMU:{driver:w} {device:w} iova={iova:x} flags={flags:x}', (f, c, s) => {
    f.emit(
      iommuFault.put().device(f.str(s.device)).flags(c.lo[s.flags]!).iova(c.lo[s.iova]!, c.hi[s.iova]!),
      f.object('iommu'),
    );
  }),
  rule('add_device_to_group', 'IOMMU: groupID={gid:d} device={device:w}', (f, c, s) => {
    f.emit(iommuAttach.put().group(c.lo[s.gid]!), iommuDevice(f, f.text(s.device)));
  }),
  rule('remove_device_from_group', '{text:r}', () => false),
  rule('attach_device_to_domain', 'IOMMU: device={device:w}', (f, _c, s) => {
    f.emit(iommuAttach.put(), iommuDevice(f, f.text(s.device)));
  }),
  rule('detach_device_from_domain', '{text:r}', () => false),
  rule(
    'qi_submit',
    '{type:w} {unit:w}: {qw0:x} {qw1:x} {qw2:x} {qw3:x}',
    (f, c, s) => {
      if (c.got[s.type] ? f.text(s.type) !== IEC : typeField.of(c.lo[s.qw0]!) !== IEC_TYPE) return false;
      const name = f.text(s.unit);
      const global = !granularity.in(c.lo[s.qw0]!);
      const mask = maskField.of(c.lo[s.qw0]!);
      const index = indexField.of(c.hi[s.qw0]!);
      const unit = f.out.world.object(remapUnit, `irte/${name}`);
      if (!f.out.state.present(unit)) {
        f.emit(irSeen.put().kind(f.intern('VT-d')), unit);
      }
      f.emit(
        iecInvalidate.put().global(global).index(index).mask(mask),
        global ? unit : f.out.world.byNumbers(irte, unit, index, (_u, i) => `irte/${name}/${i}`),
      );
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
