import type { ObjectId, Step } from '../../base/ids.ts';
import { msgSend } from '../../model/events/msix.ts';
import { dropped } from '../../model/events/outcome.ts';
import { irFault, irRemap } from '../../model/events/remap.ts';
import { imsEntry } from '../../model/things/ims.ts';
import { steps } from '../history.ts';
import { entryName } from '../names.ts';
import { irteName } from '../remap/names.ts';
import type { Rule } from '../rule.ts';
import { Grants, grantKinds, messageOf, vmName } from './grants.ts';

/** F61. */
export const deliversToOwner: Rule<'F61'> = {
  id: 'F61',
  names: ['INV-OWN'],
  title: 'Message of one guest raised an interrupt of another',
  meaning: 'A message that is delivered belongs to the guest whose queue sent it.',
  severity: 'security',
  reference: 'VT-d 5.1.4: the requester is checked, not the queue; discussion of the hypercall domain (2020-11)',
  kinds: [...grantKinds, msgSend, irRemap, irFault, dropped],
  needs: [[msgSend], [irRemap]],
  needsAll: true,
  confirm:
    'the owner of the table entry (ir_translation_struct and its irq) beside that of the queue whose memory holds the message',
  watch(report) {
    const grants = new Grants();
    let sender: ObjectId = -1;
    let sent: Step = -1;
    /** The store that was told of, by entry. */
    const told = new Map<ObjectId, Step>();
    let judged = 0;
    return {
      event(step, happened, state) {
        const { kind, object } = happened;
        if (kind === msgSend) {
          sender = state.world.type(object) === imsEntry ? object : -1;
          sent = step;
        } else if (kind === irFault || kind === dropped) sender = -1;
        else if (kind === irRemap) {
          const stored = sender < 0 ? undefined : grants.stored(sender);
          if (stored === undefined) return;
          judged++;
          const message = messageOf(state, sender);
          const grant = grants.granted(message);
          const from = sender;
          sender = -1;
          if (grant === undefined || grant.vm < 0 || stored.vm < 0 || grant.vm === stored.vm) return;
          if (told.get(from) === stored.step) return;
          told.set(from, stored.step);
          const name = entryName(state.world, from);
          report({
            step,
            object: from,
            title: `${name} of ${vmName(stored.vm)} raised an interrupt of ${vmName(grant.vm)}`,
            text: `${vmName(stored.vm)} stored ${message} in ${name}; that message was granted to ${vmName(grant.vm)}, and ${irteName(state.world, object)} let it pass: both guests stand behind the same requester, which is all that the unit checks.`,
            evidence: steps(grant.step, stored.step, sent),
          });
        } else grants.note(step, happened, state);
      },
      lost() {},
      get judged() {
        return judged;
      },
    };
  },
};
