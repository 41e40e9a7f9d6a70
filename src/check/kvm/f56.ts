import type { ObjectId, Step } from '../../base/ids.ts';
import { piPost } from '../../model/events/posted.ts';
import { kvmEntry, kvmExit } from '../../model/events/virt.ts';
import type { State } from '../../model/state.ts';
import { piDescriptor } from '../../model/things/ims.ts';
import { vcpu } from '../../model/things/virt.ts';
import type { Rule } from '../rule.ts';
import { controlOf, descriptorOf, holdsRequest, vcpuOf } from './descriptors.ts';

/** Nanoseconds within which a notification reaches a CPU and the processor takes what is posted. */
const SOON = 100e3;

/** A post that was notified and that the virtual CPU has to take. */
interface Open {
  readonly step: Step;
  readonly vector: number;
  /** Since when the virtual CPU runs with it, NaN while it does not. */
  since: number;
}

/** F56. */
export const notificationIsServed: Rule<'F56'> = {
  id: 'F56',
  names: ['INV-ON'],
  title: 'Outstanding notification never served',
  meaning:
    'While ON is set, a notification is on its way or the virtual CPU takes its posted interrupts at its next entry; one that runs has taken them at once.',
  severity: 'error',
  reference: 'SDM vol. 3 "Posted-interrupt processing"; arch/x86/kvm/vmx/vmx.c vmx_sync_pir_to_irr',
  kinds: [piPost, kvmEntry, kvmExit],
  needs: [[piPost], [kvmEntry, kvmExit]],
  needsAll: false,
  needsTime: true,
  confirm: 'a probe at vmx_sync_pir_to_irr, and the PIN row of /proc/interrupts',
  watch(report, scene) {
    const { world } = scene;
    const open = new Map<ObjectId, Open>();
    let judged = 0;
    const judge = (descriptor: ObjectId, step: Step, time: number, state: State): void => {
      const one = open.get(descriptor);
      if (one === undefined || !(time - one.since > SOON)) return;
      if (controlOf(state, descriptor, 'on') !== 1 || !holdsRequest(state, descriptor)) return;
      open.delete(descriptor);
      const name = world.path(vcpuOf(world, descriptor));
      report({
        step: one.step,
        object: descriptor,
        title: `${name} ran ${scene.span(time - one.since, one.step, step)} and did not take posted vector ${one.vector}`,
        text: `ON is set and vector ${one.vector} stands in the PIR while ${name} runs in the guest for ${scene.span(time - one.since, one.step, step)}: the notification was lost or not served, and while ON is 1 no other is sent.`,
        evidence: [step],
        absent: { since: one.step, kinds: [piPost] },
      });
    };
    let last = Number.NaN;
    return {
      event(step, { kind, object, time, words, at }, state) {
        last = time;
        if (kind === piPost) {
          const { set, notified, vector } = piPost.read(words, at);
          if (world.type(object) !== piDescriptor || vcpuOf(world, object) < 0) return;
          if (!set) {
            if (!holdsRequest(state, object)) open.delete(object);
            return;
          }
          judged++;
          const runs = state.flag(vcpuOf(world, object), vcpu.at.inGuest) === true;
          if (notified && !open.has(object)) open.set(object, { step, vector, since: runs ? time : Number.NaN });
          return;
        }
        const descriptor = descriptorOf(world, object);
        const one = open.get(descriptor);
        if (one === undefined) return;
        if (kind === kvmEntry) one.since = time;
        else {
          judge(descriptor, step, time, state);
          one.since = Number.NaN;
        }
      },
      lost: () => open.clear(),
      end(step, state) {
        for (const descriptor of open.keys()) judge(descriptor, step, last, state);
      },
      get judged() {
        return judged;
      },
    };
  },
};
