import type { ObjectId, Step } from '../../base/ids.ts';
import { vfioReturn, vfioSet, vfioUse } from '../../model/events/vfio.ts';
import { VFIO_INDEX, vfioIndexTitle } from '../../model/vfio-index.ts';
import type { Rule } from '../rule.ts';
import { deviceName, deviceOfCall, isMessageIndex, SET_IRQS, vectorName } from './vectors.ts';

/** So many releases of one vector within so many nanoseconds are a guest that masks per interrupt. */
const OFTEN = 16;
const WITHIN = 1e9;

/** Releases of one vector in the span that began last. */
interface Flapping {
  first: Step;
  since: number;
  count: number;
  /** It was used since the last release: when MSI-X goes off, QEMU prints a release for every vector. */
  used: boolean;
  told: boolean;
}

/** F47. */
export const masksNotThroughVfio: Rule<'F47'> = {
  id: 'F47',
  names: [],
  title: 'Masking of an MSI-X vector through VFIO',
  meaning:
    'MSI and MSI-X vectors are not masked through VFIO: MASK and UNMASK give -ENOTTY, and a guest that masks per interrupt costs a switch of the eventfd each time.',
  severity: 'warning',
  reference: 'drivers/vfio/pci/vfio_pci_intrs.c vfio_pci_set_irqs_ioctl ("need masking support exported")',
  kinds: [vfioSet, vfioUse, vfioReturn],
  needs: [[vfioSet, vfioUse]],
  needsAll: false,
  needsTime: true,
  confirm: 'the result of the call (vfio.return), and the rate of interrupts of the vector beside that of its releases',
  watch(report, scene) {
    const { world } = scene;
    const flapping = new Map<ObjectId, Flapping>();
    let judged = 0;
    return {
      event(step, { kind, object, time, words, at }) {
        if (kind === vfioSet) {
          const { flags, index, start, count } = vfioSet.read(words, at);
          if (!isMessageIndex(index)) return;
          judged++;
          // A call with two actions is refused before anyone looks at the interrupts.
          const action = flags & (SET_IRQS.mask | SET_IRQS.unmask | SET_IRQS.trigger);
          const masks = action === SET_IRQS.mask;
          if (!masks && action !== SET_IRQS.unmask) return;
          const known = deviceOfCall(world, object, index);
          const device = known < 0 ? object : known;
          const vectors = count === 1 ? `vector ${start}` : `vectors ${start} to ${start + count - 1}`;
          report({
            step,
            object: device,
            title: `SET_IRQS was asked to ${masks ? 'mask' : 'unmask'} ${vfioIndexTitle(String(index))} ${vectors} of ${deviceName(world, device)}`,
            text: `The call has flags 0x${flags.toString(16)} for ${vfioIndexTitle(String(index))} ${vectors}: VFIO does not export masking of message signalled interrupts and answers -ENOTTY; the vector stays as it was.`,
            evidence: [],
          });
        } else if (kind === vfioUse) {
          const { used } = vfioUse.read(words, at);
          const known = flapping.get(object);
          if (used === true && known !== undefined) known.used = true;
          if (used !== false || world.node(object)?.parent?.segment !== MSIX || known?.used === false) return;
          judged++;
          if (known === undefined) {
            flapping.set(object, { first: step, since: time, count: 1, used: false, told: false });
            return;
          }
          known.used = false;
          if (!(time - known.since <= WITHIN)) {
            known.first = step;
            known.since = time;
            known.count = 0;
          }
          if (++known.count < OFTEN || known.told) return;
          known.told = true;
          const span = scene.span(time - known.since, known.first, step);
          report({
            step,
            object,
            severity: 'info',
            title: `${vectorName(world, object)} was masked ${known.count} times in ${span}: each mask switches its eventfd`,
            text: `The guest masked ${vectorName(world, object)} ${known.count} times within ${span}. Each mask and each unmask is a SET_IRQS that frees and requests the host irq.`,
            evidence: [known.first],
          });
        }
      },
      lost: () => flapping.clear(),
      get judged() {
        return judged;
      },
    };
  },
};

const MSIX = String(VFIO_INDEX.msix);
