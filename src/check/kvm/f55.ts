import type { ObjectId } from '../../base/ids.ts';
import { mark, message } from '../../model/events/notes.ts';
import { piPost, piWrite } from '../../model/events/posted.ts';
import { kvmEntry, kvmExit, kvmUserspace, vcpuSched } from '../../model/events/virt.ts';
import { piDescriptor } from '../../model/things/ims.ts';
import { textOf } from '../names.ts';
import type { Rule } from '../rule.ts';
import { controlOf, descriptorOf, isHalted, NOTIFY, vcpuOf } from './descriptors.ts';

/** What KVM warns of when it puts a virtual CPU on the wakeup list (pi_enable_wakeup_handler). */
const WARNED = /\bPI descriptor SN field set before blocking\b/;

/**
 * F55. Linux sets SN when it takes a virtual CPU off its processor that could go on (preempted, also while it was about to halt), and clears it
 * when that runs again (vmx_vcpu_pi_put, vmx_vcpu_pi_load). A halt alone therefore proves nothing: the thread must sleep, in KVM and not in
 * the VMM. Where the trace does not tell that, the rule is undecidable.
 */
export const suppressionEnds: Rule<'F55'> = {
  id: 'F55',
  names: ['INV-SN'],
  title: 'Notifications suppressed for a virtual CPU that waits or runs',
  meaning:
    'A blocked virtual CPU has SN 0 and the wakeup vector; a running one SN 0 and the notification vector. SN is 1 only while it could run and does not.',
  severity: 'error',
  reference: 'arch/x86/kvm/vmx/posted_intr.c vmx_vcpu_pi_load, vmx_vcpu_pi_put, pi_enable_wakeup_handler',
  kinds: [piPost, piWrite, kvmEntry],
  beside: [kvmExit, kvmUserspace, vcpuSched],
  needs: [[piWrite]],
  alone: [message, mark],
  needsAll: false,
  confirm:
    'probes at vmx_vcpu_pi_put and vmx_vcpu_pi_load with the control word of the descriptor; sched_switch of the thread of the virtual CPU (prev_state S: blocked, R: preempted)',
  watch(report, { world, complete }) {
    let judged = 0;
    /** Virtual CPUs that left the guest because they halted, and are in KVM since. */
    const halted = new Set<ObjectId>();
    /** Whether the thread of a virtual CPU sleeps, where the trace tells it. A simulated host takes no halted one off its processor otherwise. */
    const asleep = new Map<ObjectId, boolean | undefined>();
    /** The last write of each descriptor: what a judgement stands on. */
    const writes = new Map<number, number>();
    /** Descriptors that were told of, until a write puts them right: every entry until then shows the same fault. */
    const told = new Set<ObjectId>();
    const evidence = (descriptor: number): number[] => [writes.get(descriptor) ?? -1].filter((step) => step >= 0);
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        if (kind === message || kind === mark) {
          const text = textOf(world, happened);
          if (!WARNED.test(text)) return;
          judged++;
          report({
            step,
            object,
            title: 'A virtual CPU blocks with SN set',
            text: `KVM warns: ${text.trim()}. What is posted to that virtual CPU from now on wakes nobody.`,
            evidence: [],
          });
        } else if (kind === piWrite) {
          writes.set(object, step);
          if (controlOf(state, object, 'sn') === 0 && controlOf(state, object, 'nv') === NOTIFY) told.delete(object);
        } else if (kind === kvmUserspace) halted.delete(object);
        else if (kind === kvmExit) {
          if (isHalted(state, object)) halted.add(object);
          else halted.delete(object);
        } else if (kind === vcpuSched) {
          const { on, sleeps } = vcpuSched.read(words, at);
          asleep.set(object, on ? false : sleeps);
        } else if (kind === piPost) {
          const { set, notified, vector } = piPost.read(words, at);
          const cpu = vcpuOf(world, object);
          if (!set || cpu < 0 || world.type(object) !== piDescriptor) return;
          judged++;
          if (notified || controlOf(state, object, 'sn') !== 1 || !halted.has(cpu)) return;
          const blocked = asleep.get(cpu) ?? (complete ? true : undefined);
          if (blocked === false) return;
          report({
            step,
            object,
            title: `Vector ${vector} was posted to ${world.path(cpu)}, which is halted with SN set: nothing wakes it`,
            text: `${world.path(cpu)} left the guest because it halted, its thread sleeps, and its descriptor suppresses notifications (SN 1): vector ${vector} stands in the PIR and no notification was sent. The virtual CPU sleeps until something else wakes it.`,
            evidence: evidence(object),
            // That it was not preempted is not known, and no kind of event proves it: the rule is undecidable.
            ...(blocked === true ? {} : { absent: { since: step, kinds: [] } }),
            lost: true,
          });
        } else {
          halted.delete(object);
          if (asleep.has(object)) asleep.set(object, false);
          const descriptor = descriptorOf(world, object);
          const sn = controlOf(state, descriptor, 'sn');
          const nv = controlOf(state, descriptor, 'nv');
          if (sn < 0 || nv < 0) return;
          judged++;
          if ((sn === 0 && nv === NOTIFY) || told.has(descriptor)) return;
          told.add(descriptor);
          report({
            step,
            object: descriptor,
            title: `${world.path(object)} runs with SN ${sn} and notification vector 0x${nv.toString(16)}`,
            text: `${world.path(object)} entered the guest, but its descriptor has SN ${sn} and notification vector 0x${nv.toString(16)} (0x${NOTIFY.toString(16)} is that of a running one): what is posted does not reach it before its next exit.`,
            evidence: evidence(descriptor),
          });
        }
      },
      lost() {
        writes.clear();
        told.clear();
        halted.clear();
        asleep.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
