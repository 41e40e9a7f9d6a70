// Which stages an interrupt passes, which of them a trace can show, and what would open the others.
import type { EventKind } from '../../model/event.ts';
import {
  apicAccept,
  apicDeliver,
  apicEoi,
  apicInject,
  gicAck,
  gicDeactivate,
  gicEoi,
  vcpuTake,
} from '../../model/events/apic.ts';
import { cpuAccept, cpuEoi, cpuTake, gicPend, lineSet } from '../../model/events/cpu.ts';
import { irqEntry } from '../../model/events/irq.ts';
import { itsTrans } from '../../model/events/its.ts';
import { devRaise, intx, msgSend } from '../../model/events/msix.ts';
import { avicPost } from '../../model/events/platform/avic.ts';
import { imsicClaim, imsicPend } from '../../model/events/platform/imsic.ts';
import { xenPend, xenTake } from '../../model/events/platform/xen.ts';
import { piPost } from '../../model/events/posted.ts';
import { irRemap, irRequest } from '../../model/events/remap.ts';
import { smmuTrans } from '../../model/events/smmu.ts';
import { vfioFire } from '../../model/events/vfio.ts';
import { irqfdWakeup, kvmIoapic, kvmLine, kvmMsi } from '../../model/events/virt.ts';
import { STAGES, type Stage } from './delivery.ts';

/** The events by which a trace shows a stage. */
const SHOWN_BY: Readonly<Record<Stage, readonly EventKind[]>> = {
  cause: [devRaise, intx, lineSet],
  message: [msgSend],
  remap: [irRequest, irRemap, itsTrans, smmuTrans],
  post: [piPost, avicPost],
  accept: [cpuAccept, apicAccept, apicDeliver, gicPend, imsicPend, xenPend],
  signal: [vfioFire, irqfdWakeup, kvmLine],
  route: [kvmMsi, kvmIoapic],
  inject: [apicInject, cpuTake, gicAck, vcpuTake, imsicClaim, xenTake],
  handler: [irqEntry],
  eoi: [apicEoi, cpuEoi, gicEoi, gicDeactivate],
};

/** The input or the probe that shows a stage. */
const OPENED_BY: Readonly<Record<Stage, string>> = {
  cause:
    "QEMU's trace events of the device model (pci_nvme_irq_msix, e1000e_irq_msix_notify_vec, virtio_notify), or a probe in the device",
  message: 'QEMU with -trace memory_region_ops_write (the write of the doorbell), or a PCIe analyser',
  remap:
    'QEMU with -trace vtd_ir_*, amdvi_ir_*, gicv3_its_* or smmuv3_*; on hardware the fault log (dmesg: DMAR, AMD-Vi, SMMU) and debugfs ir_translation_struct',
  post: 'ftrace kvm:kvm_pi_irte_update, and a probe on the posted-interrupt descriptor; hardware posts without a record',
  accept: 'ftrace kvm:kvm_apic_accept_irq of the host, or QEMU with -trace apic_deliver_irq',
  signal: 'ftrace with probes on vfio_msihandler and irqfd_wakeup in the host',
  route: 'ftrace kvm:kvm_msi_set_irq and kvm:kvm_set_irq of the host',
  inject: 'ftrace kvm:kvm_inj_virq of the host, QEMU with -d int (x86), or -trace gicv3_icc_iar1_read (Arm)',
  handler: 'ftrace irq:irq_handler_entry and irq:irq_handler_exit of the kernel that handles it',
  eoi: 'ftrace kvm:kvm_eoi of the host; QEMU with -trace gicv3_icc_eoir_write (Arm), or with -d int and -trace apic_register_write (x86)',
};

/** A stage that no source records. */
export interface BlindStage {
  readonly stage: Stage;
  /** The input or probe that would show it. */
  readonly opens: string;
}

/** Whether a trace holds events that show a stage. */
export const shows = (stage: Stage, recorded: (kind: EventKind) => boolean): boolean => SHOWN_BY[stage].some(recorded);

/** The order in which an interrupt of an assigned device passes them: the handler of the host signals the guest. */
const THROUGH_HOST: readonly Stage[] = [
  'cause',
  'message',
  'remap',
  'post',
  'handler',
  'signal',
  'route',
  'accept',
  'inject',
  'eoi',
];

/** Stages that only a virtual machine has. */
const VIRTUAL: readonly Stage[] = ['signal', 'route'];

/**
 * The stages that an interrupt passes: those that it was seen at, and those that every interrupt of its kind has. A message
 * is remapped only where a unit is seen at work; it passes KVM only where VFIO, an eventfd or KVM is.
 */
export function stagesOf(seen: ReadonlySet<Stage>, recorded: (kind: EventKind) => boolean): Stage[] {
  const virtual = VIRTUAL.some((stage) => seen.has(stage));
  return (virtual ? THROUGH_HOST : STAGES).filter((stage) => {
    if (seen.has(stage)) return true;
    if (stage === 'post') return false;
    if (VIRTUAL.includes(stage)) return virtual;
    if (stage === 'remap') return shows('remap', recorded);
    return true;
  });
}

/** Stages of an interrupt that no source of the trace records. */
export function blindStages(seen: ReadonlySet<Stage>, recorded: (kind: EventKind) => boolean): BlindStage[] {
  return stagesOf(seen, recorded)
    .filter((stage) => !seen.has(stage) && !shows(stage, recorded))
    .map((stage) => ({ stage, opens: OPENED_BY[stage] }));
}
