import type { ObjectId, Step } from '../../base/ids.ts';
import { cpuTake } from '../../model/events/cpu.ts';
import { irqEntry } from '../../model/events/irq.ts';
import { xenBind, xenMask, xenPend, xenTake } from '../../model/events/platform/xen.ts';
import { Now } from '../history.ts';
import type { Rule } from '../rule.ts';

/** Nanoseconds for which a driver may have its interrupt disabled, and a virtual CPU may be kept from its upcall. */
const PATIENCE = 10e6;

/** An event that was not acknowledged yet. */
interface Waiting {
  readonly step: Step;
  readonly time: number;
}

/** R22. */
export const eventsAreTaken: Rule<'R22'> = {
  id: 'R22',
  names: [],
  title: 'Event of an event channel never taken',
  meaning:
    'An event that pends at an event channel of Xen is taken: the port is not left masked, and the virtual CPU that it tells looks for it. Until then every further interrupt merges with it.',
  severity: 'error',
  reference:
    'drivers/xen/events/events_base.c do_mask, do_unmask, xen_rebind_evtchn_to_cpu; xen/common/event_2l.c evtchn_2l_set_pending',
  // Other interrupts show that time goes on, where nothing more happens at the event channels.
  kinds: [xenBind, xenMask, xenPend, xenTake, cpuTake, irqEntry],
  needs: [[xenPend], [xenTake]],
  needsAll: false,
  needsTime: true,
  confirm:
    'xl debug-keys e (ports with [pending/masked]) in the log of Xen, and the count of the irq (xen-pirq) in /proc/interrupts of the domain',
  watch(report, scene) {
    const { world } = scene;
    const open = new Map<ObjectId, Waiting>();
    const masks = new Map<ObjectId, { readonly step: Step; readonly masked: boolean }>();
    /** Channels of which it was said: what merges with the event is no other finding. */
    const told = new Set<ObjectId>();
    const now = new Now();
    let judged = 0;
    const late = (channel: ObjectId, { step, time }: Waiting, last: Step): void => {
      open.delete(channel);
      told.add(channel);
      const node = world.node(channel);
      const name = `event channel ${node?.segment} of domain ${node?.parent?.parent?.segment}`;
      const mask = masks.get(channel);
      const why =
        mask === undefined
          ? 'Whether the port is masked is not known'
          : mask.masked
            ? 'The port is masked'
            : 'The port is not masked';
      report({
        step,
        object: channel,
        title: `an event of ${name} is not taken${mask?.masked === true ? ': the port is masked' : ''}`,
        text: `An event came at ${name}. In the ${scene.span(now.last - time, step, last)} since, the domain did not acknowledge it. ${why}. Every further interrupt of its PIRQ merges with the event; none reaches a handler.`,
        evidence: mask === undefined || mask.step > step ? [] : [mask.step],
        absent: { since: step, kinds: [xenTake] },
        lost: true,
      });
    };
    const judge = (last: Step): void => {
      for (const [channel, at] of open) if (now.last - at.time >= PATIENCE) late(channel, at, last);
    };
    return {
      event(step, happened) {
        now.at(happened);
        // What is due is judged as it was before this event, which may be the one that ends it.
        judge(step);
        const { kind, object, words, at } = happened;
        if (kind === xenPend) {
          judged++;
          if (!open.has(object) && !told.has(object)) open.set(object, { step, time: now.last });
        } else if (kind === xenTake) {
          open.delete(object);
          told.delete(object);
        } else if (kind === xenMask) masks.set(object, { step, masked: xenMask.read(words, at).masked });
        else if (kind === xenBind && xenBind.read(words, at).closed) {
          open.delete(object);
          told.delete(object);
          masks.delete(object);
        } else if (kind === xenBind) masks.set(object, { step, masked: true });
      },
      lost() {
        open.clear();
        told.clear();
        masks.clear();
      },
      end(last) {
        judge(last);
      },
      get judged() {
        return judged;
      },
    };
  },
};
