import { noun } from '../../base/counted.ts';
import type { ObjectId, Step } from '../../base/ids.ts';
import { veventqRead, veventqReport } from '../../model/events/arm/nested.ts';
import { steps } from '../history.ts';
import type { Rule } from '../rule.ts';

/** Sequence numbers are 0 to INT_MAX; the one after that is 0. */
const SEQUENCES = 2 ** 31;

/** F7E. */
export const keepsGuestEvents: Rule<'F7E'> = {
  id: 'F7E',
  names: [],
  title: 'Events of a guest were lost',
  meaning:
    'The VMM reads the event queue of a virtual IOMMU before it is full: each record has the sequence number after the one before it, and none says that events were lost.',
  severity: 'error',
  reference: 'include/uapi/linux/iommufd.h struct iommufd_vevent_header; drivers/iommu/iommufd/driver.c',
  kinds: [veventqRead, veventqReport],
  needs: [[veventqRead]],
  needsAll: false,
  confirm: 'the depth of IOMMU_VEVENTQ_ALLOC, and what the thread of the VMM that reads the queue did meanwhile',
  watch(report) {
    /** Sequence number of the last record of each queue, and its step. */
    const read = new Map<ObjectId, { readonly sequence: number; readonly step: Step }>();
    /** The first event that found no room since, by queue. */
    const full = new Map<ObjectId, Step>();
    let judged = 0;
    return {
      event(step, { kind, object, words, at }, { world }) {
        if (kind === veventqReport) {
          if (veventqReport.read(words, at).full && !full.has(object)) full.set(object, step);
          return;
        }
        const { sequence, lost } = veventqRead.read(words, at);
        const last = read.get(object);
        read.set(object, { sequence, step });
        judged++;
        const passed = last === undefined ? undefined : (sequence - last.sequence + SEQUENCES) % SEQUENCES;
        // The note counts itself: it has the number of the last event that was lost.
        const missing = passed === undefined ? undefined : lost ? passed : passed - 1;
        if (missing === 0 || (missing === undefined && !lost)) return;
        const many = missing === undefined ? 'Events' : `${missing} ${noun(missing, 'event')}`;
        const parent = world.node(object)?.parent?.path ?? '?';
        report({
          step,
          object,
          title: `${many} of the guest of ${parent} ${missing === 1 ? 'was' : 'were'} lost: its queue was full`,
          text: `${lost ? `The record ${sequence} says that events were lost` : `The record ${sequence} follows ${last?.sequence}`}: ${many.toLowerCase()} found the event queue of ${parent} full before the VMM read it. The guest does not hear of them.`,
          evidence: steps(last?.step, full.get(object)),
        });
        full.delete(object);
      },
      lost: () => {
        read.clear();
        full.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
