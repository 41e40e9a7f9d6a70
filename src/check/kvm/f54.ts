import type { ObjectId, Step } from '../../base/ids.ts';
import { apicAccept } from '../../model/events/apic.ts';
import { irqExit } from '../../model/events/irq.ts';
import { dropped } from '../../model/events/outcome.ts';
import { irqfdWakeup, kvmLine, kvmMsi } from '../../model/events/virt.ts';
import { vcpuVector } from '../../model/things/virt.ts';
import type { World } from '../../model/world.ts';
import { Pairs } from '../pairs.ts';
import type { Rule } from '../rule.ts';

/** A message that KVM delivers. */
interface Sent {
  readonly step: Step;
  readonly time: number;
  readonly object: number;
  readonly dest: number;
  readonly vector: number;
  /** What brought it. */
  readonly by: 'eventfd' | 'line';
}

/**
 * F54. Several signals that become one interrupt are legal: the IRR has one bit for each vector. So counts are never compared;
 * what must not be is that a delivered message, the last one above all, reaches no local APIC.
 */
export const messageIsAccepted: Rule<'F54'> = {
  id: 'F54',
  names: ['INV-COAL'],
  title: 'Message that no local APIC accepted',
  meaning:
    'A message that KVM delivers is accepted by a local APIC, or met its IRR bit still set (coalesced): interrupts may become fewer, the last one is honoured.',
  severity: 'error',
  reference: 'arch/x86/kvm/irq_comm.c kvm_irq_delivery_to_apic; arch/x86/kvm/lapic.c __apic_accept_irq',
  kinds: [irqfdWakeup, kvmMsi, kvmLine, apicAccept, irqExit, dropped],
  needs: [[kvmMsi], [apicAccept], [irqfdWakeup, kvmLine]],
  needsAll: false,
  needsTime: true,
  confirm: 'the local APIC of the destination: its id, whether it is enabled (kvm_apic, debug dump of the VMM)',
  watch(report, scene) {
    const { world } = scene;
    const pairs = new Pairs<Sent>(scene, ({ step, object, dest, vector }, proof) =>
      report({
        step,
        object,
        title: `The message to ${dest} with vector ${vector} reached no local APIC`,
        text: `KVM delivered a message to destination ${dest} with vector ${vector}, and no local APIC accepted it: no virtual CPU has this id, or its local APIC is off.`,
        evidence: proof === step ? [] : [proof],
        absent: { since: step, kinds: [apicAccept] },
        lost: true,
      }),
    );
    /**
     * By the number of the recording CPU plus one: what delivers (an eventfd, or a line), and the message that waits. A simulation tells
     * everything in order, and the acceptance from the CPU of the virtual CPU.
     */
    const delivers: ('eventfd' | 'line' | undefined)[] = [];
    const sent: (Sent | undefined)[] = [];
    let judged = 0;
    const missed = (slot: number, step: Step): void => {
      const open = sent[slot];
      if (open === undefined) return;
      sent[slot] = undefined;
      pairs.miss(open, step);
    };
    /**
     * A line brought a message. Where KVM cannot deliver that of an eventfd at once, it leaves it to a worker, which raises the line of the GSI
     * and decodes the message again (virt/kvm/eventfd.c irqfd_inject): this one has to be accepted then.
     */
    const retried = (dest: number, vector: number): void => {
      const same = (open: Sent | undefined): boolean =>
        open?.by === 'eventfd' && open.dest === dest && open.vector === vector;
      for (const slot of sent.keys()) if (same(sent[slot])) sent[slot] = undefined;
      pairs.excuse(same);
    };
    return {
      event(step, { kind, object, cpu, time, words, at }) {
        if (cpu < 0 && !scene.complete) return;
        const slot = scene.complete ? 0 : cpu + 1;
        if (kind === apicAccept) {
          pairs.proved(step, time);
          // Interrupts of the host come in between and bring messages of their own: only one with the same vector is accepted here.
          const vector = acceptedVector(world, object, apicAccept.read(words, at).vector);
          const is = (open: Sent): boolean => Number.isNaN(vector) || open.vector === vector;
          if (sent[slot] === undefined || !is(sent[slot])) pairs.excuse(is);
          else {
            sent[slot] = undefined;
            pairs.close();
          }
        } else if (kind === kvmMsi) {
          const message = kvmMsi.read(words, at);
          // The same message once more is the same delivery.
          if (sent[slot]?.dest === message.dest && sent[slot].vector === message.vector) return;
          missed(slot, step);
          // KVM also decodes messages when routes change; only one that a signal or a line brought is delivered.
          const by = delivers[slot];
          if (by === undefined) return;
          delivers[slot] = undefined;
          judged++;
          const { dest, vector, mode } = message;
          if (by === 'line') retried(dest, vector);
          if (SETS_REQUEST.test(world.strings.text(mode))) sent[slot] = { step, time, object, dest, vector, by };
        } else if (kind === dropped) sent[slot] = undefined;
        else {
          missed(slot, step);
          delivers[slot] =
            kind === irqfdWakeup ? 'eventfd' : kind === kvmLine && kvmLine.read(words, at).level ? 'line' : undefined;
        }
      },
      lost() {
        sent.length = 0;
        delivers.length = 0;
        pairs.excuse();
      },
      end(last) {
        for (const slot of sent.keys()) missed(slot, last);
      },
      get judged() {
        return judged;
      },
    };
  },
};

/** The vector that a local APIC accepted; NaN: the trace does not tell it. */
const acceptedVector = (world: World, object: ObjectId, told: number | undefined): number =>
  told ?? (world.type(object) === vcpuVector ? Number(world.node(object)?.segment) : Number.NaN);

/** Delivery modes that set a bit of the IRR. */
const SETS_REQUEST = /^(fixed|lowprio)/i;
