/** The trace events of Linux that the capture kit records, where the kernel has them. */

/** Events of one system of tracefs. */
export interface KitEvents {
  /** The folder under `events/`. */
  readonly system: string;
  /** Their names; `*` for all of the system. */
  readonly names: readonly string[];
  /** Recorded only with this option of the script. */
  readonly option?: 'exits' | 'sched';
}

/**
 * Interrupts from the vector to the handler, KVM's part of them, and what the IOMMU does with messages. Sources: the headers under
 * include/trace/events, arch/x86/include/asm/trace, arch/x86/kvm/trace.h, arch/arm64/kvm and drivers/iommu/intel/trace.h.
 */
export const KIT_EVENTS: readonly KitEvents[] = [
  { system: 'irq_vectors', names: ['*'] },
  { system: 'irq_matrix', names: ['*'] },
  { system: 'msi', names: ['*'] },
  { system: 'irq', names: ['irq_handler_entry', 'irq_handler_exit'] },
  { system: 'printk', names: ['console'] },
  {
    system: 'kvm',
    names: [
      'kvm_set_irq',
      'kvm_msi_set_irq',
      'kvm_ioapic_set_irq',
      'kvm_ioapic_delayed_eoi_inj',
      'kvm_pic_set_irq',
      'kvm_irq_line',
      'kvm_ack_irq',
      'kvm_apic_accept_irq',
      'kvm_apicv_accept_irq',
      'kvm_apicv_inhibit_changed',
      'kvm_apic_ipi',
      'kvm_inj_virq',
      'kvm_eoi',
      'kvm_pv_eoi',
      'kvm_pi_irte_update',
      'kvm_avic_incomplete_ipi',
      'kvm_avic_unaccelerated_access',
      'kvm_avic_ga_log',
      'kvm_avic_kick_vcpu_slowpath',
      'kvm_avic_doorbell',
      'kvm_hypercall',
      'kvm_hv_hypercall',
      'kvm_hv_hypercall_done',
      'kvm_hv_synic_set_irq',
      'kvm_hv_synic_send_eoi',
      'kvm_hv_notify_acked_sint',
      'kvm_xen_hypercall',
      'kvm_mmio',
      'kvm_userspace_exit',
      'vgic_update_irq_pending',
    ],
  },
  // They name the virtual CPU of a thread, which most of the others do not.
  { system: 'kvm', names: ['kvm_entry', 'kvm_exit'], option: 'exits' },
  { system: 'iommu', names: ['map', 'io_page_fault', 'attach_device_to_domain', 'add_device_to_group'] },
  { system: 'intel_iommu', names: ['qi_submit'] },
  // When the threads of irqs are woken and run; of all threads with the option.
  { system: 'sched', names: ['sched_switch', 'sched_waking', 'sched_wakeup'] },
  { system: 'sched', names: ['sched_migrate_task'], option: 'sched' },
];

/** A filter, without which an event would fill the buffer with what is not about interrupts. */
export interface KitFilter {
  readonly system: string;
  readonly name: string;
  readonly filter: string;
}

/**
 * `map`: only the software MSI window of the IOMMU drivers (MSI_IOVA_BASE 0x8000000, MSI_IOVA_LENGTH 0x100000; iommufd and VFIO use the same).
 * `qi_submit`: only descriptors of type 4, the interrupt entry cache (VT-d 6.5.2.7: the low four bits are the type; types 5, 6 and 7
 * have one of the low two bits). Of the scheduler: only the threads that handle irqs, which the kernel names `irq/<virq>-<action>`
 * (setup_irq_thread of kernel/irq/manage.c).
 */
export const KIT_FILTERS: readonly KitFilter[] = [
  { system: 'iommu', name: 'map', filter: 'iova >= 0x8000000 && iova < 0x8100000' },
  { system: 'intel_iommu', name: 'qi_submit', filter: '(qw0 & 4) && !(qw0 & 3)' },
  { system: 'sched', name: 'sched_switch', filter: 'prev_comm ~ "irq/*" || next_comm ~ "irq/*"' },
  { system: 'sched', name: 'sched_waking', filter: 'comm ~ "irq/*"' },
  { system: 'sched', name: 'sched_wakeup', filter: 'comm ~ "irq/*"' },
];

/** The table of the script: option or `always`, system, names. */
export function eventTable(): string {
  return KIT_EVENTS.map(({ system, names, option }) => `${option ?? 'always'} ${system} ${names.join(' ')}`).join('\n');
}

/** The table of the script: system, name, filter. */
export function filterTable(): string {
  return KIT_FILTERS.map(({ system, name, filter }) => `${system} ${name} ${filter}`).join('\n');
}
