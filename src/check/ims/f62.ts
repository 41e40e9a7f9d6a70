import { hex64, hexText } from '../../base/hex.ts';
import type { ObjectId } from '../../base/ids.ts';
import { hcallGrant } from '../../model/events/hypervisor.ts';
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
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        const time = now.at(happened);
        if (kind !== hcallGrant) {
          grants.note(step, happened, state);
          return;
        }
        const { address, data, release } = hcallGrant.read(words, at);
        const message = `${hex64(address(1), address(0))}/${hexText(data)}`;
        if (release) {
          const grant = grants.granted(message);
          if (grant !== undefined) {
            dangling.set(message, grant);
            taken.note(object, step, time);
          }
          grants.note(step, happened, state);
          return;
        }
        grants.note(step, happened, state);
        judged++;
        const old = dangling.get(message);
        const fresh = grants.granted(message)!;
        dangling.delete(message);
        if (old === undefined || (old.vm === fresh.vm && old.device === fresh.device)) return;
        const held = [...grants.holding(message)].find(([, { vm, device }]) => vm === old.vm && device === old.device);
        if (held === undefined) return;
        const [entry, stored] = held as readonly [ObjectId, { readonly step: number }];
        const ago = before(scene, taken.ago(old.object, time));
        report({
          step,
          object,
          title: `${message} was granted to ${vmName(fresh.vm)} while ${entryName(state.world, entry)} of ${vmName(old.vm)} still holds it`,
          text: `The hypervisor took ${message} back from ${vmName(old.vm)}${ago === '' ? '' : ` ${ago}`} and granted it to ${vmName(fresh.vm)} for ${fresh.device}. ${entryName(state.world, entry)} still holds it: its next message raises the interrupt of the new owner.`,
          evidence: steps(stored.step, taken.step(old.object)),
        });
      },
      lost() {},
      get judged() {
        return judged;
      },
    };
  },
};
