import type { ObjectId } from '../../base/ids.ts';
import { msgSend, tblWrite } from '../../model/events/msix.ts';
import { effectivelyMasked, ownerOf } from '../../model/masking.ts';
import type { State } from '../../model/state.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { entriesOf, messageText } from '../device/entries.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** Another entry of the function that holds the same message and is not masked, or -1. */
function twin(state: State, entry: ObjectId): ObjectId {
  const A = msixEntry.at;
  const [lo, hi, data] = [state.num(entry, A.address), state.num(entry, A.address + 1), state.num(entry, A.data)];
  if (lo < 0 || hi < 0 || data < 0 || (lo === 0 && hi === 0)) return -1;
  for (const other of entriesOf(state, ownerOf(state, entry)))
    if (
      other !== entry &&
      state.num(other, A.address) === lo &&
      state.num(other, A.address + 1) === hi &&
      state.num(other, A.data) === data &&
      effectivelyMasked(state, other) === false
    )
      return other;
  return -1;
}

/** Offset of Vector Control in an entry; the message lies before it. */
const CONTROL = 12;

/** R10. */
export const sendsOwnMessage: Rule<'R10'> = {
  id: 'R10',
  names: [],
  title: 'Crossed vectors',
  meaning:
    'Two entries of a function that are in use hold different messages, so that each vector arrives at its own handler.',
  severity: 'warning',
  reference: 'PCIe 6.1.4.2 lets software give several entries the same message; Linux never does',
  kinds: [msgSend, tblWrite],
  needs: [[msgSend]],
  needsAll: false,
  confirm:
    'the messages of both entries (lspci -vvv shows none; read the table), and which handler ran (/proc/interrupts)',
  watch(report, scene) {
    /** The last write of each entry that changed its message, and that message. */
    const writes = new LastEvents();
    const messages = new Map<ObjectId, string | undefined>();
    const told = new Set<ObjectId>();
    const now = new Now();
    let judged = 0;
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        const time = now.at(happened);
        if (state.world.type(object) !== msixEntry) return;
        if (kind === tblWrite) {
          if (tblWrite.read(words, at).offset >= CONTROL) return;
          const message = messageText(state, object);
          if (message !== undefined && messages.get(object) === message) return;
          messages.set(object, message);
          writes.note(object, step, time);
          told.delete(object);
          return;
        }
        judged++;
        if (told.has(object)) return;
        const other = twin(state, object);
        if (other < 0) return;
        // Of the two, the one that got the message later has what belongs to the other one.
        const [own, its] = [writes.step(object) ?? -1, writes.step(other) ?? -1];
        if (its > own) return;
        told.add(object);
        if (its === own) told.add(other);
        const { world } = state;
        const index = world.node(other)?.segment ?? '?';
        const ago = before(scene, writes.ago(object, time));
        report({
          step,
          object,
          title: `${entryName(world, object)} sent the message of entry ${index} (${messageText(state, object) ?? ''})`,
          text: `${entryName(world, object)} and entry ${index} hold the same message ${messageText(state, object) ?? ''} and both are in use: this interrupt arrives at the handler of entry ${index}.${ago === '' ? '' : ` ${entryName(world, object)} was last written ${ago}.`}`,
          evidence: steps(writes.step(object), writes.step(other)),
        });
      },
      lost() {
        writes.clear();
        messages.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
