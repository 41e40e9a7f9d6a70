import { hex64, hexText } from '../../base/hex.ts';
import { hcallGrant, hcallReturn } from '../../model/events/hypervisor.ts';
import type { State } from '../../model/state.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';
import { type Granted, Grants, grantKinds, vmName } from './grants.ts';

/** F62. */
export const reusesOnlyForgotten: Rule<'F62'> = {
  id: 'F62',
  names: ['INV-REUSE'],
  title: 'Message granted again while an old holder still has it',
  meaning: 'A message that was taken back is granted to nobody else while a queue may still hold it.',
  severity: 'security',
  reference: 'discussion of the hypercall domain (2020-11): messages in queue memory outlive their table entry',
  kinds: grantKinds,
  needs: [[hcallGrant]],
  needsAll: true,
  confirm: 'the content of the queue memory of the first guest, and when its queue was drained or destroyed',
  watch(report, scene) {
    const grants = new Grants();
    /** Grants that were taken back while an entry holds their message, by the message. */
    const dangling = new Map<string, Granted>();
    const taken = new LastEvents();
    const now = new Now();
    let judged = 0;
    /** A message that was granted again, until the hypercall returns: then it is known to whom. */
    let again: { readonly old: Granted; readonly fresh: Granted; readonly message: string } | undefined;
    const tell = (state: State, time: number): void => {
      const { old, fresh, message } = again!;
      again = undefined;
      if (old.vm === fresh.vm && old.device === fresh.device) return;
      for (const [entry, stored] of grants.holding(message)) {
        if (stored.vm !== old.vm || stored.device !== old.device) continue;
        const ago = before(scene, taken.ago(old.object, time), taken.step(old.object), fresh.step);
        const name = entryName(state.world, entry);
        report({
          step: fresh.step,
          object: fresh.object,
          title: `${message} was granted to ${vmName(fresh.vm)} while ${name} of ${vmName(old.vm)} still holds it`,
          text: `The hypervisor took ${message} back from ${vmName(old.vm)}${ago === '' ? '' : ` ${ago}`} and granted it to ${vmName(fresh.vm)} for ${fresh.device}. ${name} still holds it: its next message raises the interrupt of the new owner.`,
          evidence: steps(stored.step, taken.step(old.object)),
        });
        return;
      }
    };
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        const time = now.at(happened);
        if (kind !== hcallGrant) {
          grants.note(step, happened, state);
          if (kind === hcallReturn && again !== undefined) tell(state, time);
          return;
        }
        const { address, data, release } = hcallGrant.read(words, at);
        const message = `${hex64(address(1), address(0))}/${hexText(data)}`;
        const grant = grants.granted(message);
        grants.note(step, happened, state);
        if (release) {
          if (grant === undefined) return;
          dangling.set(message, grant);
          taken.note(object, step, time);
          return;
        }
        judged++;
        const old = dangling.get(message);
        dangling.delete(message);
        if (old !== undefined) again = { old, fresh: grants.granted(message)!, message };
      },
      lost() {},
      get judged() {
        return judged;
      },
    };
  },
};
