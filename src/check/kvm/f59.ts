import type { ObjectId, Step } from '../../base/ids.ts';
import { vfioFire } from '../../model/events/vfio.ts';
import { irqfdAssign, irqfdWakeup, piUpdate } from '../../model/events/virt.ts';
import type { Rule } from '../rule.ts';
import { vectorName } from '../vfio/vectors.ts';

/** A host irq that is no longer posted. */
interface Off {
  readonly step: Step;
  readonly time: number;
  readonly irqfd: ObjectId;
}

/** F59. */
export const postingStaysOn: Rule<'F59'> = {
  id: 'F59',
  names: [],
  title: 'Posting given up: interrupts go through the host',
  meaning:
    'A GSI whose message goes to one virtual CPU is posted; with several destinations, or another delivery mode, every interrupt takes the way through the host.',
  severity: 'info',
  reference: 'arch/x86/kvm/irq.c kvm_pi_update_irte (kvm_intr_is_single_vcpu)',
  kinds: [piUpdate, irqfdAssign, irqfdWakeup, vfioFire],
  needs: [[piUpdate], [vfioFire], [irqfdWakeup]],
  needsAll: false,
  confirm: 'destination and mode of kvm_msi_set_irq for the GSI: logical or lowest priority with several virtual CPUs',
  watch(report, scene) {
    const { world } = scene;
    const off = new Map<number, Off>();
    /** By the number of the recording CPU plus one: the host irq whose handler runs, and its vector. */
    const irqs: number[] = [];
    const vectors: ObjectId[] = [];
    let judged = 0;
    return {
      event(step, { kind, object, cpu, time, words, at }) {
        if (kind === piUpdate) {
          const { enable, hostIrq } = piUpdate.read(words, at);
          judged++;
          if (enable) off.delete(hostIrq);
          else off.set(hostIrq, { step, time, irqfd: object });
        } else if (kind === irqfdAssign) {
          for (const [irq, { irqfd }] of off) if (irqfd === object) off.delete(irq);
        } else if (kind === vfioFire) {
          irqs[cpu + 1] = vfioFire.read(words, at).irq ?? -1;
          vectors[cpu + 1] = object;
        } else {
          // Without a wakeup the eventfd is one that the VMM reads itself: the vector is masked.
          const irq = irqs[cpu + 1] ?? -1;
          irqs[cpu + 1] = -1;
          const since = off.get(irq);
          if (since === undefined) return;
          off.delete(irq);
          const vector = vectors[cpu + 1]!;
          const gsi = world.node(since.irqfd)?.segment;
          report({
            step,
            object: vector,
            title: `${vectorName(world, vector)} is not posted: its interrupts go through host irq ${irq}`,
            text: `Posting of host irq ${irq} to the guest (GSI ${gsi}) was switched off, ${scene.span(time - since.time)} before this interrupt, which the host took and handed on. KVM posts only to a single virtual CPU.`,
            evidence: [since.step],
          });
        }
      },
      lost() {
        off.clear();
        irqs.length = 0;
      },
      get judged() {
        return judged;
      },
    };
  },
};
