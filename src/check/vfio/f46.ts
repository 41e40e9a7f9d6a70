import type { ObjectId, Step } from '../../base/ids.ts';
import { kvmAck, kvmLine } from '../../model/events/virt.ts';
import type { World } from '../../model/world.ts';
import { RESAMPLER } from '../kvm/gsi.ts';
import type { Rule } from '../rule.ts';

/** Nanoseconds after which the line must be down: kvm_notify_acked_irq calls the notifiers at once. */
const AT_ONCE = 1e6;

/** An acknowledge of a line that the resampler holds up. */
interface Acknowledged {
  readonly gsi: ObjectId;
  readonly step: Step;
  readonly time: number;
}

/** F46. */
export const acknowledgeLowersLine: Rule<'F46'> = {
  id: 'F46',
  names: ['INV-RESAMPLE'],
  title: 'Level interrupt not lowered at its end',
  meaning:
    'The end of a level-triggered interrupt of an irqfd with resample lowers its line, signals the resample eventfd and so unmasks the device, once each, in this order.',
  severity: 'error',
  reference: 'virt/kvm/eventfd.c irqfd_resampler_ack',
  kinds: [kvmLine, kvmAck],
  needs: [[kvmLine], [kvmAck]],
  needsAll: false,
  oneMachine: true,
  needsTime: true,
  confirm: 'kvm_set_irq with source 1, kvm_ack_irq and a probe at irqfd_resampler_ack',
  watch(report, scene) {
    const { world } = scene;
    /** Lines that the resampler holds up, and since when. */
    const up = new Map<ObjectId, Step>();
    const open = new Map<ObjectId, Acknowledged>();
    let judged = 0;
    const tell = ({ gsi, step: ack }: Acknowledged, step: Step): void => {
      open.delete(gsi);
      const raised = up.get(gsi);
      const number = world.node(gsi)?.segment;
      report({
        step,
        object: gsi,
        title: `GSI ${number} stayed up after the guest ended its interrupt`,
        text: `The guest ended the interrupt of GSI ${number}, whose irqfd has a resample eventfd; the line was not lowered, so the device is not unmasked and raises nothing more, or the same interrupt comes again and again.`,
        evidence: raised === undefined ? [ack] : [raised, ack],
        absent: { since: ack, kinds: [kvmLine] },
      });
    };
    const late = (step: Step, time: number): void => {
      for (const one of open.values()) if (time - one.time > AT_ONCE) tell(one, step);
    };
    return {
      event(step, { kind, object, time, words, at }) {
        if (open.size > 0) late(step, time);
        if (kind === kvmLine) {
          const { level, source } = kvmLine.read(words, at);
          if (source !== RESAMPLER) return;
          if (level) up.set(object, step);
          else {
            up.delete(object);
            open.delete(object);
          }
          return;
        }
        if (up.size === 0) return;
        const { chip, pin } = kvmAck.read(words, at);
        const gsi = gsiOf(world, object, world.strings.text(chip), pin);
        if (!up.has(gsi)) return;
        judged++;
        const before = open.get(gsi);
        if (before) tell(before, step);
        open.set(gsi, { gsi, step, time });
      },
      lost() {
        up.clear();
        open.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};

/** The line of an input of a virtual interrupt controller, as KVM connects them by default; -1 when the trace never named it. */
function gsiOf(world: World, chip: ObjectId, name: string, pin: number): ObjectId {
  const number = name.startsWith('PIC') ? (name.endsWith('slave') ? 8 : 0) + pin : pin === 2 ? 0 : pin;
  return world.node(chip)?.parent?.children.get('gsi')?.children.get(String(number))?.object ?? -1;
}
