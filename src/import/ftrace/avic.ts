import { avicDoorbell, avicIncompleteIpi, avicWake } from '../../model/events/platform/avic.ts';
import { type Ftrace, type FtraceRule, rule } from './context.ts';

/** A virtual CPU that a record names and that another thread runs. */
function named(f: Ftrace, vcpu: number): number {
  const own = f.named(vcpu);
  return own >= 0 ? own : f.object('vcpu/unknown/avic');
}

/**
 * Records of AVIC (arch/x86/kvm/trace.h). `vcpuid` of the GA log is the index of the virtual CPU in its machine from Linux 6.17 on and its id before: one
 * number where a machine has no gaps.
 */
export const avicRules: readonly FtraceRule[] = [
  rule(
    'kvm_avic_ga_log',
    'vmid={vm:u}, vcpuid={vcpu:u}',
    (f, c, s) => {
      f.emit(avicWake.put().vm(c.lo[s.vm]!).index(c.lo[s.vcpu]!), named(f, c.lo[s.vcpu]!));
    },
    { vmid: 'vm', vcpuid: 'vcpu' },
  ),
  rule(
    'kvm_avic_doorbell',
    'vcpuid={vcpu:u}, apicid={apic:u}',
    (f, c, s) => {
      f.emit(avicDoorbell.put().apicId(c.lo[s.apic]!), named(f, c.lo[s.vcpu]!));
    },
    { vcpuid: 'vcpu', apicid: 'apic' },
  ),
  rule(
    'kvm_avic_incomplete_ipi',
    'vcpu={vcpu:u}, icrh:icrl={high:x}:{low:x}, id={id:u}, index={index:u}',
    (f, c, s) => {
      const own = f.runs(c.lo[s.vcpu]!);
      const event = avicIncompleteIpi.put().high(c.lo[s.high]!).low(c.lo[s.low]!);
      f.emit(event.reason(c.lo[s.id]!).index(c.lo[s.index]!), own >= 0 ? own : f.object('vcpu/unknown/avic'));
    },
    { icrh: 'high', icrl: 'low' },
  ),
];
