import { imsStore } from '../../model/events/ims.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';
import { deviceOf, Grants, grantKinds, inQueueMemory, messageOf, vmName } from './grants.ts';

/** Offset of Message Data in an entry: what is written last. */
const DATA = 8;

/** F60. */
export const storesGranted: Rule<'F60'> = {
  id: 'F60',
  names: ['INV-HCALL'],
  title: 'Guest stored a message that was not granted',
  meaning:
    'Where a guest writes messages without a trap, each one is one that the hypervisor composed for that function.',
  severity: 'security',
  reference:
    'discussion of the hypercall domain (2020-11): a guest that stores its own message needs a parent with hypercall support',
  kinds: grantKinds,
  needs: [[imsStore]],
  needsAll: true,
  confirm: 'the hypercalls of the guest (kvm:kvm_hypercall, hyperv:*) and the content of the queue memory',
  watch(report) {
    const grants = new Grants();
    let judged = 0;
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        grants.note(step, happened, state);
        if (kind !== imsStore || !inQueueMemory(state, object)) return;
        const { offset, size } = imsStore.read(words, at);
        const message = messageOf(state, object);
        if (message === '' || offset > DATA || offset + size <= DATA) return;
        judged++;
        const grant = grants.granted(message);
        const device = deviceOf(state.world, object);
        if (grant?.device === device) return;
        const stored = grants.stored(object);
        const who = vmName(stored?.vm ?? -1);
        const name = entryName(state.world, object);
        report({
          step,
          object,
          title: `${who} stored ${message} in ${name}, which no hypervisor granted`,
          text: `${who} wrote the message ${message} into ${name} in its queue memory, where no one sees it. ${grant === undefined ? 'It is none of the messages that are granted now' : `It is granted to ${grant.device} only`}. Without a remapping unit that refuses it, the device can raise any interrupt of the host with it.`,
          evidence: grant === undefined ? [] : [grant.step],
        });
      },
      lost() {},
      get judged() {
        return judged;
      },
    };
  },
};
