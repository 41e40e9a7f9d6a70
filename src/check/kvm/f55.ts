import { piPost, piWrite } from '../../model/events/posted.ts';
import { kvmEntry } from '../../model/events/virt.ts';
import { piDescriptor } from '../../model/things/ims.ts';
import type { Rule } from '../rule.ts';
import { controlOf, descriptorOf, isHalted, NOTIFY, vcpuOf } from './descriptors.ts';

/** F55. */
export const suppressionEnds: Rule<'F55'> = {
  id: 'F55',
  names: ['INV-SN'],
  title: 'Notifications suppressed for a virtual CPU that waits or runs',
  meaning:
    'A blocked virtual CPU has SN 0 and the wakeup vector; a running one SN 0 and the notification vector. SN is 1 only while it could run and does not.',
  severity: 'error',
  reference: 'arch/x86/kvm/vmx/posted_intr.c vmx_vcpu_pi_load, vmx_vcpu_pi_put, pi_enable_wakeup_handler',
  kinds: [piPost, piWrite, kvmEntry],
  needs: [[piWrite]],
  needsAll: false,
  confirm: 'probes at vmx_vcpu_pi_put and vmx_vcpu_pi_load with the control word of the descriptor',
  watch(report, { world }) {
    let judged = 0;
    /** The last write of each descriptor: what a judgement stands on. */
    const writes = new Map<number, number>();
    const evidence = (descriptor: number): number[] => [writes.get(descriptor) ?? -1].filter((step) => step >= 0);
    return {
      event(step, { kind, object, words, at }, state) {
        if (kind === piWrite) writes.set(object, step);
        else if (kind === piPost) {
          const { set, notified, vector } = piPost.read(words, at);
          if (!set || world.type(object) !== piDescriptor) return;
          const cpu = vcpuOf(world, object);
          judged++;
          if (notified || controlOf(state, object, 'sn') !== 1 || !isHalted(state, cpu)) return;
          report({
            step,
            object,
            title: `Vector ${vector} was posted to ${world.path(cpu)}, which is halted with SN set: nothing wakes it`,
            text: `${world.path(cpu)} left the guest because it halted, and its descriptor suppresses notifications (SN 1): vector ${vector} stands in the PIR and no notification was sent. The virtual CPU sleeps until something else wakes it.`,
            evidence: evidence(object),
            lost: true,
          });
        } else {
          const descriptor = descriptorOf(world, object);
          const sn = controlOf(state, descriptor, 'sn');
          const nv = controlOf(state, descriptor, 'nv');
          if (sn < 0 || nv < 0) return;
          judged++;
          if (sn === 0 && nv === NOTIFY) return;
          report({
            step,
            object: descriptor,
            title: `${world.path(object)} runs with SN ${sn} and notification vector 0x${nv.toString(16)}`,
            text: `${world.path(object)} entered the guest, but its descriptor has SN ${sn} and notification vector 0x${nv.toString(16)} (0x${NOTIFY.toString(16)} is that of a running one): what is posted does not reach it before its next exit.`,
            evidence: evidence(descriptor),
          });
        }
      },
      lost: () => writes.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
