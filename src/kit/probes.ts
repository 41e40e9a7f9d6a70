/**
 * The probes (kprobe events) that the capture kit sets where the kernel has no trace event: writes of MSI messages and IRTEs, masks,
 * VFIO_DEVICE_SET_IRQS, irqfds, ITS commands. The importer knows a probe by its function and the names of its arguments.
 */

/**
 * What must hold for the arguments of a probe to be read at the right places:
 * - `args`: the kernel or the script can name the arguments of functions (`@1` is the first);
 * - `layouts`: a 64-bit kernel since 4.4; since then `struct irq_data` begins mask, irq, hwirq, and `irq_2_iommu`, `irte` and
 *   `its_collection` did not change either;
 * - `msi-list`, `msi-xarray`: `struct msi_desc` begins with its list head (to 5.16), or with `irq` (later). The function `msi_next_desc`
 *   came with the change, also into kernels of distributions with an older number;
 * - `cpus64`: no CPU above 63, so that the first word of a CPU mask is all of it;
 * - `btf`: the kernel finds members by their names, from its own type information.
 */
export type Need = 'args' | 'layouts' | 'msi-list' | 'msi-xarray' | 'cpus64' | 'btf';

/** One way to probe a function. */
export interface KitProbe {
  /** The kernel function; it also names the event (`…_ret` for its return). */
  readonly function: string;
  readonly kind: 'entry' | 'return';
  readonly needs: readonly Need[];
  /** Fetched arguments of a kprobe event; `@1` stands for the first argument of the function. */
  readonly args: string;
}

const MESSAGE = 'lo=+0(@2):x32 hi=+4(@2):x32 data=+8(@2):x32';
const LAYOUTS: readonly Need[] = ['args', 'layouts'];

const entry = (name: string, needs: readonly Need[], args: string): KitProbe => ({
  function: name,
  kind: 'entry',
  needs,
  args,
});

/** A function with a `struct irq_data *` as one of its arguments; without it the probe still says that the function ran. */
const ofIrqData = (name: string, args: string): KitProbe[] => [entry(name, LAYOUTS, args), entry(name, [], '')];

const irqAndHwirq = (at: number, hwirq: string): string => `irq=+4(@${at}):u32 ${hwirq}=+8(@${at}):u64`;

/**
 * The ways to probe each function, the best first: the script takes the first whose needs hold and that the kernel accepts.
 * Arguments of which no kernel tells the place are left out. Layouts: include/linux/irq.h, include/linux/msi.h,
 * drivers/iommu/intel/irq_remapping.c (struct irq_2_iommu), include/linux/dmar.h (struct irte), include/uapi/linux/kvm.h
 * (struct kvm_irqfd), drivers/irqchip/irq-gic-v3-its.c (struct its_collection).
 */
export const KIT_PROBES: readonly KitProbe[] = [
  // MSI messages that are written to a device, and its mask bits.
  ...['entry', 'desc'].map((desc) =>
    entry('__pci_write_msi_msg', ['args', 'btf'], `irq=${desc}->irq:u32 msi_index=${desc}->msi_index:u16 ${MESSAGE}`),
  ),
  entry('__pci_write_msi_msg', ['args', 'msi-xarray'], `irq=+0(@1):u32 ${MESSAGE}`),
  entry('__pci_write_msi_msg', ['args', 'msi-list'], `irq=+16(@1):u32 ${MESSAGE}`),
  entry('__pci_write_msi_msg', ['args'], MESSAGE),
  ...['pci_irq_mask_msix', 'pci_irq_unmask_msix', 'pci_irq_mask_msi', 'pci_irq_unmask_msi'].flatMap((name) =>
    ofIrqData(name, irqAndHwirq(1, 'hwirq')),
  ),
  ...['pci_msi_mask_irq', 'pci_msi_unmask_irq'].flatMap((name) => ofIrqData(name, irqAndHwirq(1, 'hwirq'))),
  // Entries of the remapping tables.
  entry('modify_irte', LAYOUTS, 'index=+8(@1):u16 subhandle=+10(@1):u16 low=+0(@2):x64 high=+8(@2):x64'),
  ...['intel_ir_set_affinity', 'amd_ir_set_affinity'].flatMap((name) => ofIrqData(name, 'irq=+4(@1):u32')),
  ...['intel_irq_remapping_activate', 'intel_irq_remapping_deactivate'].flatMap((name) =>
    ofIrqData(name, 'irq=+4(@2):u32'),
  ),
  // The walk through the domains.
  ...['irq_domain_activate_irq', 'irq_domain_deactivate_irq'].flatMap((name) => ofIrqData(name, 'irq=+4(@1):u32')),
  // VFIO: what user space asks for, what it gets, and the vectors that fire.
  ...['dev=vdev->pdev->dev.kobj.name:string', ''].map((dev) =>
    entry(
      'vfio_pci_set_irqs_ioctl',
      dev === '' ? ['args'] : ['args', 'btf'],
      `vdev=@1:x64 ${dev}${dev === '' ? '' : ' '}flags=@2:x32 index=@3:u32 start=@4:u32 count=@5:u32 fd0=+0(@6):s32`,
    ),
  ),
  { function: 'vfio_pci_set_irqs_ioctl', kind: 'return', needs: [], args: 'ret=$retval:s32' },
  entry('vfio_msihandler', ['args'], 'irq=@1:s32'),
  // KVM: eventfds, routes, posted interrupts.
  entry('kvm_irqfd', ['args'], 'fd=+0(@2):s32 gsi=+4(@2):u32 flags=+8(@2):x32'),
  entry('irqfd_wakeup', [], ''),
  entry('irqfd_inject', [], ''),
  entry('kvm_set_irq_routing', ['args'], 'nr=@3:u32'),
  entry('vmx_vcpu_pi_load', ['args', 'btf'], 'vcpu=vcpu->vcpu_id:s32 cpu=@2:s32'),
  entry('vmx_vcpu_pi_load', ['args'], 'cpu=@2:s32'),
  entry('vmx_vcpu_pi_put', ['args', 'btf'], 'vcpu=vcpu->vcpu_id:s32'),
  entry('vmx_vcpu_pi_put', [], ''),
  entry('pi_wakeup_handler', [], ''),
  // Arm: the ITS. Its hwirq is the LPI.
  entry('its_set_affinity', [...LAYOUTS, 'cpus64'], `${irqAndHwirq(1, 'lpi')} mask=+0(@2):x64`),
  ...ofIrqData('its_set_affinity', irqAndHwirq(1, 'lpi')),
  ...['its_irq_compose_msi_msg', 'its_mask_irq', 'its_unmask_irq'].flatMap((name) =>
    ofIrqData(name, irqAndHwirq(1, 'lpi')),
  ),
  ...['its_irq_domain_activate', 'its_irq_domain_deactivate'].flatMap((name) => ofIrqData(name, irqAndHwirq(2, 'lpi'))),
  ...['its_irq_domain_alloc', 'its_irq_domain_free'].map((name) => entry(name, ['args'], 'virq=@2:u32 nr=@3:u32')),
  ...['its_send_mapti', 'its_send_movi', 'its_send_discard'].flatMap((name) => {
    const args = {
      its_send_mapti: 'lpi=@2:u32 event=@3:u32',
      its_send_movi: 'collection=+8(@2):u16 event=@3:u32',
      its_send_discard: 'event=@2:u32',
    }[name]!;
    const needs: readonly Need[] = name === 'its_send_movi' ? LAYOUTS : ['args'];
    return [entry(name, [...needs, 'btf'], `device=dev->device_id:x32 ${args}`), entry(name, needs, args)];
  }),
  entry('iommu_dma_prepare_msi', ['args'], 'doorbell=@2:x64'),
  ...['iommu_dma_sw_msi', 'iommufd_sw_msi'].map((name) => entry(name, ['args'], 'doorbell=@3:x64')),
  // IDXD.
  entry('idxd_device_request_int_handle', ['args'], 'index=@2:s32 type=@4:u32'),
  entry('idxd_device_set_perm_entry', ['args', 'btf'], 'id=ie->id:u32 handle=ie->int_handle:u32 pasid=ie->pasid:u32'),
  entry('idxd_device_set_perm_entry', [], ''),
];

/** The table of the script: kind, function, needs, arguments. */
export function probeTable(): string {
  return KIT_PROBES.map(
    ({ kind, function: name, needs, args }) =>
      `${kind === 'entry' ? 'p' : 'r'} ${name} ${needs.length === 0 ? 'nothing' : needs.join(',')} ${args}`,
  )
    .join('\n')
    .replaceAll(/ +$/gm, '');
}
