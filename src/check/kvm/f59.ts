import type { ObjectId, Step } from '../../base/ids.ts';
import { mark, message } from '../../model/events/notes.ts';
import { vfioFire } from '../../model/events/vfio.ts';
import { irqfdAssign, irqfdWakeup, piUpdate } from '../../model/events/virt.ts';
import { textOf } from '../names.ts';
import type { Rule } from '../rule.ts';
import { vectorName } from '../vfio/vectors.ts';

/** What VFIO and KVM say where producer and consumer of an interrupt do not find together (virt/lib/irqbypass.c); older kernels say token. */
const NO_BYPASS = /\birq bypass (producer|consumer) \((?:token|eventfd)[^)]*\) registration fails: (-?\d+)/;

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
  alone: [message, mark],
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
      event(step, happened) {
        const { kind, object, cpu, time, words, at } = happened;
        if (kind === message || kind === mark) {
          const failed = NO_BYPASS.exec(textOf(world, happened));
          if (failed === null) return;
          judged++;
          report({
            step,
            object,
            title: `The ${failed[1]} of an interrupt could not be registered (${failed[2]}): it is not posted`,
            text: `The kernel says: ${failed[0]}. The interrupt of that eventfd takes the way through the host.`,
            evidence: [],
          });
        } else if (kind === piUpdate) {
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
            text: `Posting of host irq ${irq} to the guest (GSI ${gsi}) was switched off, ${scene.span(time - since.time, since.step, step)} before this interrupt, which the host took and handed on. KVM posts only to a single virtual CPU.`,
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
