import type { ObjectId, Step } from '../../base/ids.ts';
import { type Destinations, destinationsOf } from '../../model/apic-ids.ts';
import { piPost, piWrite } from '../../model/events/posted.ts';
import { vecConfig } from '../../model/events/vector.ts';
import { kvmEntry } from '../../model/events/virt.ts';
import { destinationOf } from '../../model/registers/vtd.ts';
import { piDescriptor } from '../../model/things/ims.ts';
import { vcpu } from '../../model/things/virt.ts';
import type { Rule } from '../rule.ts';
import { controlOf, vcpuOf } from './descriptors.ts';

/** F57. */
export const notifiesCpuOfVcpu: Rule<'F57'> = {
  id: 'F57',
  names: [],
  title: 'Notification sent to the CPU that the virtual CPU left',
  meaning: 'While a virtual CPU runs, NDST of its descriptor is the CPU that it runs on.',
  severity: 'error',
  reference: 'arch/x86/kvm/vmx/posted_intr.c vmx_vcpu_pi_load',
  kinds: [piPost, piWrite, kvmEntry, vecConfig],
  needs: [[piPost], [piWrite], [kvmEntry]],
  needsAll: false,
  confirm: 'a probe at vmx_vcpu_pi_load, and the PIN row of /proc/interrupts, which rises on the wrong CPU',
  watch(report, { world, complete }) {
    /** The CPU on which each virtual CPU entered the guest last. */
    const cpus = new Map<ObjectId, number>();
    const writes = new Map<ObjectId, Step>();
    /** The APIC ids of the CPUs of the host, as set-ups of irqs show them: the two are different numbers, except in simulations. */
    let ids: Destinations | undefined;
    let judged = 0;
    return {
      event(step, { kind, object, cpu, words, at }, state) {
        if (kind === kvmEntry) {
          if (cpu >= 0) cpus.set(object, cpu);
          return;
        }
        if (kind === vecConfig) {
          ids = undefined;
          return;
        }
        if (world.type(object) !== piDescriptor) return;
        if (kind === piWrite) {
          writes.set(object, step);
          return;
        }
        const { set, notified, vector } = piPost.read(words, at);
        const owner = vcpuOf(world, object);
        const runsOn = cpus.get(owner);
        const ndst = controlOf(state, object, 'ndst');
        if (!set || !notified || runsOn === undefined || ndst < 0) return;
        if (state.flag(owner, vcpu.at.inGuest) !== true) return;
        ids ??= destinationsOf(state, owner);
        const known = ids.apicIdOf(runsOn);
        const own = known < 0 && complete ? runsOn : known;
        if (own < 0) return;
        judged++;
        // In xAPIC mode the id stands in bits 15:8.
        if (ndst === own || ndst === destinationOf(own, false)) return;
        const name = world.path(owner);
        report({
          step,
          object,
          title: `Vector ${vector} for ${name} notified APIC id ${ndst}, the virtual CPU runs on CPU ${runsOn}`,
          text: `${name} runs on CPU ${runsOn}; NDST of its descriptor is ${ndst}, the APIC id of another CPU (its own has ${own}). The notification interrupts that one, and ${name} takes vector ${vector} only at its next exit.`,
          evidence: [writes.get(object) ?? -1].filter((s) => s >= 0),
        });
      },
      lost() {
        cpus.clear();
        writes.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
