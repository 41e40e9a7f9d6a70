import type { ObjectId, Step } from '../../base/ids.ts';
import { devRaise } from '../../model/events/msix.ts';
import { vfioBind, vfioFire, vfioMode, vfioReset, vfioReturn, vfioSet } from '../../model/events/vfio.ts';
import { vfioVector } from '../../model/things/virt.ts';
import type { Rule } from '../rule.ts';
import {
  deviceOfCall,
  isArmed,
  isMessageIndex,
  ownerOfVector,
  SETS_EVENTFDS,
  vectorName,
  vectorOf,
} from './vectors.ts';

/** A switch of the eventfd of a vector that was armed. */
interface Window {
  readonly vector: ObjectId;
  readonly device: ObjectId;
  /** The entry of the host function that sends for it, or -1. */
  readonly entry: ObjectId;
  readonly from: Step;
  readonly time: number;
  /** The call returned. */
  to: Step;
  until: number;
  /** The last cause of the device inside, which nothing has served yet; -1 for none. */
  cause: Step;
}

/** F40. */
export const switchLosesNothing: Rule<'F40'> = {
  id: 'F40',
  names: ['INV-SWITCH'],
  title: 'Window without a handler while an eventfd is switched',
  meaning:
    'While VFIO_DEVICE_SET_IRQS gives an armed vector another eventfd, the kernel frees the irq and requests it again: a cause inside that window comes back afterwards.',
  severity: 'warning',
  reference: 'drivers/vfio/pci/vfio_pci_intrs.c vfio_msi_set_vector_signal',
  kinds: [vfioSet, vfioReturn, vfioFire, vfioMode, vfioReset, devRaise],
  needs: [[vfioSet]],
  needsAll: false,
  confirm:
    'the causes that the device counts itself, and a probe at the return of vfio_pci_set_irqs_ioctl (vfio.return)',
  watch(report, scene) {
    const { world } = scene;
    /** The last window of each vector, until what came in it was served. */
    const open = new Map<ObjectId, Window>();
    /** Vectors of which an exposure was told since their index was switched on. */
    const told = new Set<ObjectId>();
    let judged = 0;

    const lose = (window: Window, step: Step): void => {
      const name = vectorName(world, window.vector);
      const { cause, from } = window;
      window.cause = -1;
      report({
        step,
        object: window.vector,
        severity: 'error',
        title: `${name} lost an interrupt while its eventfd was switched`,
        text: `The device raised ${name} while SET_IRQS switched its eventfd${length(window)}; no interrupt was signalled after the call.`,
        evidence: [from, cause, ...(window.to >= 0 ? [window.to] : [])].sort((a, b) => a - b),
        absent: { since: cause, kinds: [vfioFire] },
        lost: true,
      });
    };
    const length = ({ time, until, from, to }: Window): string => {
      const ns = until - time;
      return Number.isNaN(ns) ? '' : `, ${scene.span(ns, from, to)} without a handler`;
    };
    /** The window is over. Where the trace shows every cause, one in which none fell harmed nothing. */
    const close = (window: Window, step: Step): void => {
      judged++;
      if (scene.complete || told.has(window.vector)) return;
      told.add(window.vector);
      const name = vectorName(world, window.vector);
      report({
        step,
        object: window.vector,
        title: `${name} had no handler while its eventfd was switched${length(window)}`,
        text: `${name} was armed when SET_IRQS gave it another eventfd: the kernel frees its irq and requests it again${length(window)}. What the device sends in between is lost unless the function keeps a pending bit; this trace does not show the causes of the device. Later switches of the same vector are not told again.`,
        evidence: window.to >= 0 ? [window.from, window.to] : [window.from],
      });
    };
    return {
      event(step, { kind, object, time, words, at }, state) {
        if (kind === vfioSet) {
          const { flags, index, start, count, ret } = vfioSet.read(words, at);
          if (flags !== SETS_EVENTFDS || !isMessageIndex(index) || ret !== undefined) return;
          const device = deviceOfCall(world, object, index);
          for (let v = start; v < start + Math.min(count, 2048); v++) {
            const vector = vectorOf(world, device, index, v);
            if (!isArmed(state, vector, scene.recorded(vfioBind))) continue;
            const entry = state.num(vector, vfioVector.at.entry);
            // A cause of the window before that nothing served yet still waits.
            const cause = open.get(vector)?.cause ?? -1;
            const window = { vector, device, entry, from: step, time, to: -1, until: Number.NaN, cause };
            open.set(vector, window);
            if (!scene.recorded(vfioReturn)) close(window, step);
          }
        } else if (kind === vfioReturn) {
          const { index } = vfioReturn.read(words, at);
          const device = deviceOfCall(world, object, index);
          for (const window of open.values()) {
            if (window.device !== device || window.to >= 0) continue;
            window.to = step;
            window.until = time;
            close(window, step);
          }
        } else if (kind === vfioFire) {
          const window = open.get(object);
          if (window !== undefined && window.to >= 0) open.delete(object);
        } else if (kind === devRaise) {
          for (const window of open.values()) {
            if (window.entry !== object) continue;
            if (window.to < 0) window.cause = step;
            else if (window.cause >= 0) lose(window, step);
          }
        } else if (kind === vfioReset || !vfioMode.read(words, at).enabled) {
          for (const vector of open.keys()) if (ownerOfVector(world, vector) === object) open.delete(vector);
          for (const vector of told) if (ownerOfVector(world, vector) === object) told.delete(vector);
        }
      },
      lost: () => open.clear(),
      end(last) {
        for (const window of open.values()) if (window.to >= 0 && window.cause >= 0) lose(window, last);
      },
      get judged() {
        return judged;
      },
    };
  },
};
