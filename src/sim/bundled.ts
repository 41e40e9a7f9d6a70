// Made by scripts/scenarios.ts from examples/scenarios; not to be edited.
import s0 from '../../examples/scenarios/adversarial-writer.scenario.json' with { type: 'json' };
import s1 from '../../examples/scenarios/affinity-move.scenario.json' with { type: 'json' };
import s2 from '../../examples/scenarios/aplic-level.scenario.json' with { type: 'json' };
import s3 from '../../examples/scenarios/arm-faults.scenario.json' with { type: 'json' };
import s4 from '../../examples/scenarios/avic.scenario.json' with { type: 'json' };
import s5 from '../../examples/scenarios/avic-faults.scenario.json' with { type: 'json' };
import s6 from '../../examples/scenarios/avic-log-overflow.scenario.json' with { type: 'json' };
import s7 from '../../examples/scenarios/balance-faults.scenario.json' with { type: 'json' };
import s8 from '../../examples/scenarios/boot-timer.scenario.json' with { type: 'json' };
import s9 from '../../examples/scenarios/bridge-faults.scenario.json' with { type: 'json' };
import s10 from '../../examples/scenarios/bypass-faults.scenario.json' with { type: 'json' };
import s11 from '../../examples/scenarios/cache-faults.scenario.json' with { type: 'json' };
import s12 from '../../examples/scenarios/cdev-vfio-peers.scenario.json' with { type: 'json' };
import s13 from '../../examples/scenarios/chain-basic.scenario.json' with { type: 'json' };
import s14 from '../../examples/scenarios/chain-hypercall.scenario.json' with { type: 'json' };
import s15 from '../../examples/scenarios/chain-remap.scenario.json' with { type: 'json' };
import s16 from '../../examples/scenarios/chain-trapped.scenario.json' with { type: 'json' };
import s17 from '../../examples/scenarios/chain-vpci.scenario.json' with { type: 'json' };
import s18 from '../../examples/scenarios/chain-xen.scenario.json' with { type: 'json' };
import s19 from '../../examples/scenarios/cpu-masks.scenario.json' with { type: 'json' };
import s20 from '../../examples/scenarios/cpu-offline.scenario.json' with { type: 'json' };
import s21 from '../../examples/scenarios/device-faults.scenario.json' with { type: 'json' };
import s22 from '../../examples/scenarios/driver-faults.scenario.json' with { type: 'json' };
import s23 from '../../examples/scenarios/first-run.scenario.json' with { type: 'json' };
import s24 from '../../examples/scenarios/gicv2m.scenario.json' with { type: 'json' };
import s25 from '../../examples/scenarios/gicv4-faults.scenario.json' with { type: 'json' };
import s26 from '../../examples/scenarios/gicv4-forwarding.scenario.json' with { type: 'json' };
import s27 from '../../examples/scenarios/guest-flr.scenario.json' with { type: 'json' };
import s28 from '../../examples/scenarios/guest-msi.scenario.json' with { type: 'json' };
import s29 from '../../examples/scenarios/handle-revocation.scenario.json' with { type: 'json' };
import s30 from '../../examples/scenarios/hidden-vm.scenario.json' with { type: 'json' };
import s31 from '../../examples/scenarios/hung-guest.scenario.json' with { type: 'json' };
import s32 from '../../examples/scenarios/idxd-steady-state.scenario.json' with { type: 'json' };
import s33 from '../../examples/scenarios/ims-faults.scenario.json' with { type: 'json' };
import s34 from '../../examples/scenarios/ims-permission-after.scenario.json' with { type: 'json' };
import s35 from '../../examples/scenarios/ims-permission-before.scenario.json' with { type: 'json' };
import s36 from '../../examples/scenarios/ims-queue-bare-metal.scenario.json' with { type: 'json' };
import s37 from '../../examples/scenarios/ims-queue-memory.scenario.json' with { type: 'json' };
import s38 from '../../examples/scenarios/ims-queue-memory-refused.scenario.json' with { type: 'json' };
import s39 from '../../examples/scenarios/imsic-faults.scenario.json' with { type: 'json' };
import s40 from '../../examples/scenarios/imsic-move.scenario.json' with { type: 'json' };
import s41 from '../../examples/scenarios/interrupt-storm.scenario.json' with { type: 'json' };
import s42 from '../../examples/scenarios/invalidation-wait.scenario.json' with { type: 'json' };
import s43 from '../../examples/scenarios/its-basic.scenario.json' with { type: 'json' };
import s44 from '../../examples/scenarios/its-faults.scenario.json' with { type: 'json' };
import s45 from '../../examples/scenarios/its-moves.scenario.json' with { type: 'json' };
import s46 from '../../examples/scenarios/its-queue.scenario.json' with { type: 'json' };
import s47 from '../../examples/scenarios/its-two.scenario.json' with { type: 'json' };
import s48 from '../../examples/scenarios/kernel-eras.scenario.json' with { type: 'json' };
import s49 from '../../examples/scenarios/kvm-assigned-pending.scenario.json' with { type: 'json' };
import s50 from '../../examples/scenarios/kvm-entry-updated.scenario.json' with { type: 'json' };
import s51 from '../../examples/scenarios/kvm-mask-in-flight.scenario.json' with { type: 'json' };
import s52 from '../../examples/scenarios/kvm-mask-per-interrupt.scenario.json' with { type: 'json' };
import s53 from '../../examples/scenarios/kvm-memory-decode-off.scenario.json' with { type: 'json' };
import s54 from '../../examples/scenarios/kvm-migration.scenario.json' with { type: 'json' };
import s55 from '../../examples/scenarios/kvm-pba-polling.scenario.json' with { type: 'json' };
import s56 from '../../examples/scenarios/kvm-qword-split.scenario.json' with { type: 'json' };
import s57 from '../../examples/scenarios/kvm-vhost-pending.scenario.json' with { type: 'json' };
import s58 from '../../examples/scenarios/kvm-viommu.scenario.json' with { type: 'json' };
import s59 from '../../examples/scenarios/large-host.scenario.json' with { type: 'json' };
import s60 from '../../examples/scenarios/mdev-intx.scenario.json' with { type: 'json' };
import s61 from '../../examples/scenarios/ntb-stale-message.scenario.json' with { type: 'json' };
import s62 from '../../examples/scenarios/pf-msix-vs-ims.scenario.json' with { type: 'json' };
import s63 from '../../examples/scenarios/posted-interrupts.scenario.json' with { type: 'json' };
import s64 from '../../examples/scenarios/posted-msi.scenario.json' with { type: 'json' };
import s65 from '../../examples/scenarios/queue-limits.scenario.json' with { type: 'json' };
import s66 from '../../examples/scenarios/queues-10000.scenario.json' with { type: 'json' };
import s67 from '../../examples/scenarios/remap-faults.scenario.json' with { type: 'json' };
import s68 from '../../examples/scenarios/rogue-messages.scenario.json' with { type: 'json' };
import s69 from '../../examples/scenarios/sparse-mmap-hole.scenario.json' with { type: 'json' };
import s70 from '../../examples/scenarios/tdx-guest.scenario.json' with { type: 'json' };
import s71 from '../../examples/scenarios/tdx-private-store.scenario.json' with { type: 'json' };
import s72 from '../../examples/scenarios/vector-faults.scenario.json' with { type: 'json' };
import s73 from '../../examples/scenarios/vector-space.scenario.json' with { type: 'json' };
import s74 from '../../examples/scenarios/vfio-intx.scenario.json' with { type: 'json' };
import s75 from '../../examples/scenarios/vfio-msi.scenario.json' with { type: 'json' };
import s76 from '../../examples/scenarios/vgpu-emulated.scenario.json' with { type: 'json' };
import s77 from '../../examples/scenarios/viommu-events.scenario.json' with { type: 'json' };
import s78 from '../../examples/scenarios/viommu-faults.scenario.json' with { type: 'json' };
import s79 from '../../examples/scenarios/vmm-faults.scenario.json' with { type: 'json' };
import s80 from '../../examples/scenarios/vmm-grants.scenario.json' with { type: 'json' };
import s81 from '../../examples/scenarios/vmsi-affinity.scenario.json' with { type: 'json' };
import s82 from '../../examples/scenarios/vmsi-flat.scenario.json' with { type: 'json' };
import s83 from '../../examples/scenarios/vmsi-missing-mapping.scenario.json' with { type: 'json' };
import s84 from '../../examples/scenarios/vmsi-nested.scenario.json' with { type: 'json' };
import s85 from '../../examples/scenarios/vmsi-update-without-rewrite.scenario.json' with { type: 'json' };
import s86 from '../../examples/scenarios/vtd-remap-faults.scenario.json' with { type: 'json' };
import s87 from '../../examples/scenarios/xen-faults.scenario.json' with { type: 'json' };

/** A scenario that comes with the product. */
export interface BundledScenario {
  /** Name of its file without the ending. */
  readonly id: string;
  /** The JSON document, to be read with `readScenario`. */
  readonly document: unknown;
}

/** All of them, by name. */
export const bundledScenarios: readonly BundledScenario[] = [
  { id: 'adversarial-writer', document: s0 },
  { id: 'affinity-move', document: s1 },
  { id: 'aplic-level', document: s2 },
  { id: 'arm-faults', document: s3 },
  { id: 'avic', document: s4 },
  { id: 'avic-faults', document: s5 },
  { id: 'avic-log-overflow', document: s6 },
  { id: 'balance-faults', document: s7 },
  { id: 'boot-timer', document: s8 },
  { id: 'bridge-faults', document: s9 },
  { id: 'bypass-faults', document: s10 },
  { id: 'cache-faults', document: s11 },
  { id: 'cdev-vfio-peers', document: s12 },
  { id: 'chain-basic', document: s13 },
  { id: 'chain-hypercall', document: s14 },
  { id: 'chain-remap', document: s15 },
  { id: 'chain-trapped', document: s16 },
  { id: 'chain-vpci', document: s17 },
  { id: 'chain-xen', document: s18 },
  { id: 'cpu-masks', document: s19 },
  { id: 'cpu-offline', document: s20 },
  { id: 'device-faults', document: s21 },
  { id: 'driver-faults', document: s22 },
  { id: 'first-run', document: s23 },
  { id: 'gicv2m', document: s24 },
  { id: 'gicv4-faults', document: s25 },
  { id: 'gicv4-forwarding', document: s26 },
  { id: 'guest-flr', document: s27 },
  { id: 'guest-msi', document: s28 },
  { id: 'handle-revocation', document: s29 },
  { id: 'hidden-vm', document: s30 },
  { id: 'hung-guest', document: s31 },
  { id: 'idxd-steady-state', document: s32 },
  { id: 'ims-faults', document: s33 },
  { id: 'ims-permission-after', document: s34 },
  { id: 'ims-permission-before', document: s35 },
  { id: 'ims-queue-bare-metal', document: s36 },
  { id: 'ims-queue-memory', document: s37 },
  { id: 'ims-queue-memory-refused', document: s38 },
  { id: 'imsic-faults', document: s39 },
  { id: 'imsic-move', document: s40 },
  { id: 'interrupt-storm', document: s41 },
  { id: 'invalidation-wait', document: s42 },
  { id: 'its-basic', document: s43 },
  { id: 'its-faults', document: s44 },
  { id: 'its-moves', document: s45 },
  { id: 'its-queue', document: s46 },
  { id: 'its-two', document: s47 },
  { id: 'kernel-eras', document: s48 },
  { id: 'kvm-assigned-pending', document: s49 },
  { id: 'kvm-entry-updated', document: s50 },
  { id: 'kvm-mask-in-flight', document: s51 },
  { id: 'kvm-mask-per-interrupt', document: s52 },
  { id: 'kvm-memory-decode-off', document: s53 },
  { id: 'kvm-migration', document: s54 },
  { id: 'kvm-pba-polling', document: s55 },
  { id: 'kvm-qword-split', document: s56 },
  { id: 'kvm-vhost-pending', document: s57 },
  { id: 'kvm-viommu', document: s58 },
  { id: 'large-host', document: s59 },
  { id: 'mdev-intx', document: s60 },
  { id: 'ntb-stale-message', document: s61 },
  { id: 'pf-msix-vs-ims', document: s62 },
  { id: 'posted-interrupts', document: s63 },
  { id: 'posted-msi', document: s64 },
  { id: 'queue-limits', document: s65 },
  { id: 'queues-10000', document: s66 },
  { id: 'remap-faults', document: s67 },
  { id: 'rogue-messages', document: s68 },
  { id: 'sparse-mmap-hole', document: s69 },
  { id: 'tdx-guest', document: s70 },
  { id: 'tdx-private-store', document: s71 },
  { id: 'vector-faults', document: s72 },
  { id: 'vector-space', document: s73 },
  { id: 'vfio-intx', document: s74 },
  { id: 'vfio-msi', document: s75 },
  { id: 'vgpu-emulated', document: s76 },
  { id: 'viommu-events', document: s77 },
  { id: 'viommu-faults', document: s78 },
  { id: 'vmm-faults', document: s79 },
  { id: 'vmm-grants', document: s80 },
  { id: 'vmsi-affinity', document: s81 },
  { id: 'vmsi-flat', document: s82 },
  { id: 'vmsi-missing-mapping', document: s83 },
  { id: 'vmsi-nested', document: s84 },
  { id: 'vmsi-update-without-rewrite', document: s85 },
  { id: 'vtd-remap-faults', document: s86 },
  { id: 'xen-faults', document: s87 },
];
