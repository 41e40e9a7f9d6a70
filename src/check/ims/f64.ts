import { imsFree } from '../../model/events/ims.ts';
import { handleRevoke, queueComplete } from '../../model/events/queue.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import type { Rule } from '../rule.ts';
import { completionOf, HANDLE_INVALID, pasidText } from './handles.ts';

/** F64. */
export const namesGrantedHandles: Rule<'F64'> = {
  id: 'F64',
  names: ['INV-HND'],
  title: 'Interrupt handle that is not granted',
  meaning: 'Descriptors name only interrupt handles that are granted at that time.',
  severity: 'error',
  reference: 'DSA 3.7.2, 9.2.16 (INTCAUSE bit 31, handles revoked); drivers/dma/idxd/irq.c idxd_int_handle_revoke',
  kinds: [queueComplete, imsFree, handleRevoke],
  needs: [[queueComplete]],
  needsAll: false,
  confirm: 'INTCAUSE (handles revoked) and the commands request and release interrupt handle of the driver',
  watch(report, scene) {
    /** Entries that were given back. */
    const freed = new LastEvents();
    /** Functions that revoked their handles. */
    const revoked = new LastEvents();
    const now = new Now();
    let judged = 0;
    return {
      event(step, happened, state) {
        const { kind, object } = happened;
        const time = now.at(happened);
        if (kind === handleRevoke) {
          revoked.note(object, step, time);
          return;
        }
        if (kind === imsFree) {
          freed.note(object, step, time);
          return;
        }
        const done = completionOf(happened, state);
        if (done === undefined) return;
        judged++;
        // Whether an entry whose PASID is not known lets the descriptor pass cannot be told.
        if (done.status !== HANDLE_INVALID || (done.entry >= 0 && done.wants !== done.pasid)) return;
        const { world } = state;
        const fn = world.node(object)?.parent?.parent;
        const gone = fn?.children.get('ims')?.children.get(String(done.handle))?.object ?? -1;
        const ago = before(scene, freed.ago(gone, time), freed.step(gone), step);
        const of = fn?.object ?? -1;
        const since = before(scene, revoked.ago(of, time), revoked.step(of), step);
        const why =
          done.revoked && since !== ''
            ? `The device revoked its handles ${since}`
            : done.entry >= 0
              ? 'The entry of that number exists and is for that PASID, so the device holds the handle as revoked'
              : ago === ''
                ? 'No entry of that number exists'
                : `The entry of that number was given back ${ago}`;
        report({
          step,
          object,
          title: `A descriptor of ${world.path(object)} named interrupt handle ${done.handle}, which is not granted`,
          text: `A descriptor with ${pasidText(done.pasid)} named interrupt handle ${done.handle} and completed with status 0x19: no interrupt. ${why}: the handle is stale until it is requested again.`,
          evidence: steps(revoked.step(of), freed.step(gone)),
          lost: true,
        });
      },
      lost: () => {
        freed.clear();
        revoked.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
