import type { ObjectId, Step } from '../../base/ids.ts';
import { avicDoorbell, avicEntry, avicPost } from '../../model/events/platform/avic.ts';
import { avicPhysicalId } from '../../model/registers/amd.ts';
import { avic } from '../../model/things/avic.ts';
import type { Rule } from '../rule.ts';
import { isHalted, vcpuOf } from './descriptors.ts';

const { isRunning, host } = avicPhysicalId.f;

/** R21. */
export const entriesFollowVcpu: Rule<'R21'> = {
  id: 'R21',
  names: [],
  title: 'Doorbell for a virtual CPU that does not run there',
  meaning:
    'IsRun and Destination of guest entries follow the virtual CPU: the doorbell goes to the CPU that runs it, and to none while none does.',
  severity: 'error',
  reference: 'arch/x86/kvm/svm/avic.c avic_vcpu_load, avic_vcpu_put; drivers/iommu/amd/iommu.c amd_iommu_update_ga',
  kinds: [avicPost, avicDoorbell, avicEntry],
  needs: [[avicPost], [avicEntry]],
  needsAll: false,
  confirm:
    'probes at amd_iommu_update_ga and avic_vcpu_put; the table entry (debugfs iommu/amd, where the kernel has it)',
  watch(report, { world }) {
    /** The last write of the entry of each virtual CPU, and whether any said that it runs. */
    const entries = new Map<ObjectId, { readonly step: Step; readonly ran: boolean; told: boolean }>();
    let judged = 0;
    const tell = (step: Step, page: ObjectId, title: string, why: string): void => {
      const entry = entries.get(page);
      // Until KVM writes the entry again, every doorbell shows the same.
      if (entry?.told === true) return;
      if (entry) entry.told = true;
      report({
        step,
        object: page,
        title,
        text: `${why} A CPU that does not run the virtual CPU ignores the doorbell, and nothing else tells the host: the interrupt waits in the backing page until the virtual CPU enters the guest for another reason.`,
        evidence: entry ? [entry.step] : [],
      });
    };
    return {
      event(step, { kind, object, words, at }, state) {
        if (kind === avicEntry) {
          const ran = entries.get(object)?.ran === true || isRunning.flag(state, object, avic.at.entry) === true;
          entries.set(object, { step, ran, told: false });
          return;
        }
        if (kind === avicDoorbell) {
          const page = world.node(object)?.children.get('avic')?.object ?? -1;
          const { apicId } = avicDoorbell.read(words, at);
          const on = page < 0 ? -1 : host.get(state, page, avic.at.entry);
          if (on < 0) return;
          judged++;
          if (on === apicId) return;
          const name = world.path(object);
          tell(
            step,
            page,
            `Doorbell for ${name} went to APIC id ${apicId}, it was loaded on ${on}`,
            `${name} was loaded on the CPU with APIC id ${on}, and the doorbell went to ${apicId}.`,
          );
          return;
        }
        const { set, vector, signal } = avicPost.read(words, at);
        if (!set || signal === undefined || world.strings.text(signal) !== 'doorbell') return;
        judged++;
        const owner = vcpuOf(world, object);
        const put = entries.get(object)?.ran === true && isRunning.flag(state, object, avic.at.entry) === false;
        if (!put && !isHalted(state, owner)) return;
        const name = world.path(owner);
        tell(
          step,
          object,
          `Vector ${vector} for ${name} rang a doorbell, but no CPU runs it`,
          `KVM had taken ${name} off its CPU, and the table entry still says that it runs (IsRun 1).`,
        );
      },
      lost: () => entries.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
