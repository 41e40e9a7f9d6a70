import type { ObjectId, Step } from '../../base/ids.ts';
import { apicAccept } from '../../model/events/apic.ts';
import { irqExit } from '../../model/events/irq.ts';
import { vfioFire } from '../../model/events/vfio.ts';
import {
  irqfdWakeup,
  kvmIoapic,
  kvmLine,
  kvmMsi,
  kvmSeveral,
  routeRelease,
  routeSet,
} from '../../model/events/virt.ts';
import type { State } from '../../model/state.ts';
import { Pairs } from '../pairs.ts';
import type { Rule } from '../rule.ts';
import { isMessageIndex, vectorName } from '../vfio/vectors.ts';
import { isIrqfd, sameGsi } from './gsi.ts';

/** Lines below are those of the I/O APIC, where a masked or coalesced pin leaves no record. */
const FIRST_MESSAGE_GSI = 24;

/** A signal or a line that has to lead to a message. */
interface Due {
  readonly step: Step;
  readonly time: number;
  readonly object: ObjectId;
  /** The interrupt of the assigned device behind the signal, or -1. */
  readonly vector: ObjectId;
}

/** F50. */
export const signalFindsRoute: Rule<'F50'> = {
  id: 'F50',
  names: ['INV-ROUTE'],
  title: 'Interrupt without a GSI route',
  meaning:
    'Every signal of an irqfd and every raise of a GSI finds exactly one route; without one the interrupt vanishes silently.',
  severity: 'error',
  reference: 'virt/kvm/irqchip.c kvm_set_irq; virt/kvm/eventfd.c irqfd_wakeup',
  kinds: [irqfdWakeup, kvmLine, kvmMsi, kvmIoapic, vfioFire, irqExit, routeSet, routeRelease],
  beside: [apicAccept],
  needs: [
    [irqfdWakeup, kvmLine],
    [kvmMsi, routeSet],
  ],
  needsAll: false,
  needsTime: true,
  confirm: 'the routing table of the VMM (QEMU: kvm_irqchip_*), and the result of kvm_set_irq by a probe at its return',
  watch(report, scene) {
    const { world, complete } = scene;
    const lines = new Pairs<Due>(scene, (due, step) => {
      const gsi = world.node(due.object)?.segment;
      tell(
        due,
        step,
        `GSI ${gsi} was raised and no route took it`,
        `GSI ${gsi} was raised; KVM sent no message for it, as where it has no route.`,
      );
    });
    const signals = new Pairs<Due>({ ...scene, complete: false }, (due, step) => {
      const name = vectorName(world, due.vector);
      tell(
        due,
        step,
        `${name} signalled its irqfd and KVM sent no message`,
        `The handler of ${name} signalled an eventfd of KVM; neither a message nor a line followed, as where its GSI has no route.`,
      );
    });
    const tell = ({ step: since, object, vector }: Due, step: Step, title: string, text: string): void =>
      report({
        step: since,
        object: vector >= 0 ? vector : object,
        title,
        text,
        evidence: step === since ? [] : [step],
        lost: true,
        ...(step === since && vector < 0 ? {} : { absent: { since, kinds: [kvmMsi, kvmLine] } }),
      });
    /** By the number of the recording CPU plus one: the line raised last, the signal given last, the handler that runs. */
    const raised: (Due | undefined)[] = [];
    const woken: (Due | undefined)[] = [];
    const fired: ObjectId[] = [];
    let judged = 0;
    const missed = (slot: number, step: Step): void => {
      const due = raised[slot];
      if (due === undefined) return;
      raised[slot] = undefined;
      lines.miss(due, step);
    };
    /** Routes that were seen to go. */
    const released = new Set<ObjectId>();
    let routes = false;
    const several = !complete && scene.recorded(kvmSeveral);
    const signal = (step: Step, time: number, object: ObjectId, slot: number, state: State): void => {
      if (isIrqfd(world, object)) {
        // Of several virtual machines the route may be that of another one.
        if (several) return;
        judged++;
        const route = sameGsi(world, object, 'route');
        if (!(route >= 0 && state.present(route)) && (released.has(route) || (complete && routes))) {
          const gsi = world.node(object)?.segment;
          const title = `The irqfd of GSI ${gsi} was signalled while GSI ${gsi} has no route`;
          tell({ step, time, object, vector: -1 }, step, title, `${title}: the interrupt is lost.`);
        }
        return;
      }
      const vector = fired[slot] ?? -1;
      if (vector >= 0) woken[slot] = { step, time, object, vector };
    };
    return {
      event(step, { kind, object, cpu, time, words, at }, state) {
        const slot = cpu + 1;
        if (kind === kvmLine) {
          missed(slot, step);
          const { level } = kvmLine.read(words, at);
          // The slow path of an irqfd raises its line from a worker.
          if (level) signals.excuse();
          else signals.proved(step, time);
          if (!level) return;
          if (Number(world.node(object)?.segment) >= FIRST_MESSAGE_GSI && cpu >= 0) {
            judged++;
            raised[slot] = { step, time, object, vector: -1 };
          }
        } else if (kind === kvmMsi || kind === kvmIoapic) {
          if (raised[slot] !== undefined) {
            raised[slot] = undefined;
            lines.close();
          }
          if (kind === kvmIoapic) return;
          if (woken[slot] !== undefined) {
            woken[slot] = undefined;
            judged++;
            signals.close();
          }
          lines.proved(step, time);
          signals.proved(step, time);
        } else if (kind === apicAccept) {
          // The local APIC that accepts is served by the CPU that signals: the message was sent, also where no record shows it.
          if (woken[slot] === undefined) return;
          woken[slot] = undefined;
          judged++;
        } else if (kind === irqfdWakeup) signal(step, time, object, slot, state);
        else if (kind === routeSet) {
          routes = true;
          released.delete(object);
        } else if (kind === routeRelease) released.add(object);
        else if (kind === vfioFire)
          fired[slot] = isMessageIndex(Number(world.node(object)?.parent?.segment)) ? object : -1;
        else if (kind === irqExit) {
          const due = woken[slot];
          woken[slot] = undefined;
          fired[slot] = -1;
          if (due !== undefined) signals.miss(due, step);
        }
      },
      lost() {
        raised.length = 0;
        woken.length = 0;
        lines.excuse();
        signals.excuse();
      },
      get judged() {
        return judged;
      },
    };
  },
};
