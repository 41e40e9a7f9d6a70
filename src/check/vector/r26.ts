import type { ObjectId, Step } from '../../base/ids.ts';
import { msgSend } from '../../model/events/msix.ts';
import { imsicClaim, imsicEnable, imsicFree, imsicPend, imsicVector } from '../../model/events/platform/imsic.ts';
import type { State } from '../../model/state.ts';
import { irq } from '../../model/things/irq.ts';
import { imsicId } from '../../model/things/riscv.ts';
import { Now } from '../history.ts';
import type { Rule } from '../rule.ts';
import { irqName } from './places.ts';

/** Nanoseconds after which the old hart of a move has looked for what pends there: its timer comes with the next jiffy, 10 ms at the longest. */
const SETTLED = 10e6;

/** Messages that are on their way at most; those that were dropped elsewhere are forgotten, the oldest first. */
const MOST_SENT = 4096;

/** A message that nobody will claim. */
interface Stray {
  /** When it made its identity pending. */
  readonly step: Step;
  /** Since when its identity is not enabled and has no irq. */
  readonly time: number;
  /** What the finding is about: the entry or capability that sent it, where that is known, else the identity. */
  readonly about: ObjectId;
}

/** A message with a cause, and the function that sent it. */
interface Sent {
  readonly step: Step;
  /** The entry or capability. */
  readonly from: ObjectId;
  readonly device: string;
}

/** R26. */
export const identityIsServed: Rule<'R26'> = {
  id: 'R26',
  names: [],
  title: 'Message for an identity that no irq has, or that of another function',
  meaning:
    'What becomes pending in the interrupt file of a hart belongs to an irq there, or the kernel takes it back when a move ends. An identity that is not enabled and has no irq is never claimed; what another function raised runs the wrong handler.',
  severity: 'error',
  reference:
    'RISC-V AIA chapter 3; drivers/irqchip/irq-riscv-imsic-state.c __imsic_local_sync; Linux 6.15 for the two steps',
  kinds: [msgSend, imsicPend, imsicClaim, imsicEnable, imsicVector, imsicFree],
  needs: [[imsicPend], [imsicEnable]],
  needsAll: false,
  needsTime: true,
  confirm:
    'the message that the device held in between (lspci -vv, QEMU memory_region_ops_write of riscv.imsic), and who moved its irq',
  watch(report, scene) {
    const { world } = scene;
    const open = new Map<ObjectId, Stray>();
    /** Senders of messages by cause, and the causes that made identities pending. */
    const senders = new Map<number, Sent>();
    const pending = new Map<ObjectId, number>();
    /** Since when identities are pending. */
    const arrived = new Map<ObjectId, Step>();
    const now = new Now();
    let judged = 0;
    const settled = (state: State, object: ObjectId): boolean =>
      state.flag(object, imsicId.at.requested) !== true || state.flag(object, imsicId.at.enabled) === true;
    const judge = (last: Step, state: State): void => {
      for (const [object, { step, time, about }] of open) {
        if (settled(state, object) || state.num(object, imsicId.at.irq) >= 0) open.delete(object);
        else if (now.last - time >= SETTLED) {
          open.delete(object);
          const node = world.node(object);
          const place = `identity ${node?.segment} at hart ${node?.parent?.parent?.segment}`;
          report({
            step,
            object: about,
            title: `a message arrived for ${place}, which no irq has`,
            text: `A message made ${place} pending. No irq has that identity there, and it is not enabled: in the ${scene.span(now.last - time, step, last)} since, nobody claimed it or took it back. The interrupt is lost: its message was written in one pass while its irq moved, or the kernel did not look at the old hart when the move ended, or the irq was freed.`,
            evidence: [],
            absent: { since: step, kinds: [imsicClaim, imsicEnable, imsicPend] },
            lost: true,
          });
        }
      }
    };
    /** The hart claims an identity: whose message that was, and whose handler runs. */
    const claimed = (step: Step, object: ObjectId, state: State): void => {
      const cause = pending.get(object);
      pending.delete(object);
      const sent = cause === undefined ? undefined : senders.get(cause);
      if (cause !== undefined) senders.delete(cause);
      const target = world.objectAt(`irq/${state.num(object, imsicId.at.irq)}`);
      if (sent === undefined || target < 0) return;
      const device = state.text(target, irq.at.device);
      if (device === '' || device === sent.device) return;
      report({
        step,
        object,
        title: `a message of ${sent.device} ran the handler of ${irqName(world, target)} of ${device}`,
        text: `${sent.device} sent a message that names identity ${world.node(object)?.segment} at hart ${world.node(object)?.parent?.parent?.segment}. That is ${irqName(world, target)} of ${device}, whose handler finds nothing to do. The interrupt of ${sent.device} is lost: its message changed in one pass, page and identity one after the other.`,
        evidence: [sent.step],
        lost: true,
      });
    };
    /** Opens a case when an identity is pending, not enabled and nobody's. */
    const strays = (object: ObjectId, state: State): void => {
      const step = arrived.get(object);
      if (step === undefined || open.has(object)) return;
      // Of an identity that was never told of, only a trace that shows everything says that it is not enabled and that no irq has it.
      const enabled = state.flag(object, imsicId.at.enabled);
      const off = enabled === false || (enabled === undefined && scene.complete);
      if (!off || state.num(object, imsicId.at.irq) >= 0) return;
      const sent = senders.get(pending.get(object) ?? 0);
      open.set(object, { step, time: now.last, about: sent?.from ?? object });
    };
    return {
      event(step, happened, state) {
        now.at(happened);
        const { kind, object, words, at } = happened;
        if (kind === msgSend) {
          const { cause } = msgSend.read(words, at);
          const [root, device] = world.path(object).split('/');
          if (cause === undefined || root !== 'device') return;
          senders.set(cause, { step, from: object, device: device! });
          if (senders.size > MOST_SENT) senders.delete(senders.keys().next().value!);
          return;
        }
        judge(step, state);
        if (kind === imsicClaim) {
          arrived.delete(object);
          claimed(step, object, state);
        } else if (kind === imsicPend) {
          const { pending: set, cause } = imsicPend.read(words, at);
          if (!set) {
            arrived.delete(object);
            pending.delete(object);
            return;
          }
          judged++;
          if (!arrived.has(object)) arrived.set(object, step);
          if (cause !== undefined && !pending.has(object)) pending.set(object, cause);
          strays(object, state);
        } else if (kind === imsicEnable) strays(object, state);
        else if (kind === imsicFree) {
          const { cpu, identity } = imsicFree.read(words, at);
          strays(world.objectAt(`cpu/${cpu}/imsic/${identity}`), state);
        }
      },
      lost() {
        open.clear();
        arrived.clear();
        senders.clear();
        pending.clear();
      },
      end(last, state) {
        judge(last, state);
      },
      get judged() {
        return judged;
      },
    };
  },
};
