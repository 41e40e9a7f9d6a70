import type { ObjectId, Step } from '../../base/ids.ts';
import { devReset } from '../../model/events/function.ts';
import {
  devRaise,
  devUse,
  devWithdraw,
  msgSend,
  pbaRead,
  tblBind,
  tblRead,
  tblShift,
  tblWrite,
} from '../../model/events/msix.ts';
import { cfgRead, cfgWrite } from '../../model/events/pci.ts';
import { effectivelyMasked } from '../../model/masking.ts';
import type { State } from '../../model/state.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** What a wrong pending bit looks like when index and place were mixed up: the bit that is set instead, and how. */
const MIX_UPS: readonly (readonly [string, (index: number) => number])[] = [
  ['the index was taken for a byte offset (times 8)', (i) => i * 8],
  ['the bit was looked up by the byte that holds it (index / 8)', (i) => i >>> 3],
  ['the two dwords of the qword are swapped', (i) => i ^ 32],
  ['the bytes of the qword are swapped', (i) => i ^ 56],
  ['the index was taken for a byte offset of an entry (times 16)', (i) => i * 16],
];

/** F02. */
export const pbaShowsPending: Rule<'F02'> = {
  id: 'F02',
  names: ['INV-PBA'],
  title: 'Pending bit not shown',
  meaning: 'A read of the pending bit array shows 1 for an entry exactly while a cause waits behind its mask.',
  reference: 'PCIe 7.7.2.9, 6.1.4.5',
  severity: 'error',
  kinds: [
    pbaRead,
    devRaise,
    devWithdraw,
    devUse,
    msgSend,
    tblWrite,
    tblRead,
    tblBind,
    tblShift,
    cfgWrite,
    cfgRead,
    devReset,
  ],
  needs: [[pbaRead], [devRaise]],
  needsAll: false,
  confirm: 'what the device model counts itself, and the state of the eventfd behind the vector (poll) at the read',
  watch(report) {
    /** The first cause that waits behind the mask of each entry, by entry, in the order of the functions. */
    const waiting = new Map<ObjectId, Step>();
    let judged = 0;
    const forget = (state: State, entry: ObjectId): void => {
      if (waiting.has(entry) && effectivelyMasked(state, entry) !== true) waiting.delete(entry);
    };
    const judge = (step: Step, device: ObjectId, state: State, first: number, bytes: number, words: number[]): void => {
      const { world } = state;
      const bit = (index: number): boolean =>
        (((words[(index - first) >>> 5] ?? 0) >>> ((index - first) & 31)) & 1) === 1;
      const entries = world.node(device)?.children.get('msix')?.children;
      for (const [entry, since] of waiting) {
        const node = world.node(entry);
        if (node?.parent?.children !== entries) continue;
        const index = Number(node?.segment);
        if (index < first || index >= first + bytes * 8) continue;
        judged++;
        if (bit(index)) continue;
        waiting.delete(entry);
        const expected = (other: number): boolean => {
          const object = entries?.get(String(other))?.object;
          return object !== undefined && waiting.has(object);
        };
        const mixed = MIX_UPS.find(([, at]) => {
          const other = at(index);
          return other !== index && other >= first && other < first + bytes * 8 && bit(other) && !expected(other);
        });
        const name = entryName(world, entry);
        report({
          step,
          object: entry,
          title: mixed
            ? `the pending bit of ${name} shows at index ${mixed[1](index)}: ${mixed[0]}`
            : `the pending bit of ${name} reads 0 while a cause waits`,
          text: mixed
            ? `${name} is masked and its cause waits, but the read shows 0 at bit ${index} and 1 at bit ${mixed[1](index)}, where none waits: ${mixed[0]}.`
            : `${name} is masked and its cause waits, but the read of the pending bit array shows 0 at bit ${index}: software that polls it waits for ever.`,
          evidence: [since],
        });
      }
    };
    return {
      event(step, { kind, object, words, at }, state) {
        if (kind === pbaRead) {
          const read = pbaRead.read(words, at);
          judge(step, object, state, read.first, Math.min(8, read.size), [read.value(0), read.value(1)]);
          return;
        }
        if (kind === devRaise) {
          if (state.world.type(object) !== msixEntry || effectivelyMasked(state, object) !== true) return;
          if (state.flag(object, msixEntry.at.pending) === true && !waiting.has(object)) waiting.set(object, step);
          return;
        }
        if (waiting.size === 0) return;
        if (kind === devWithdraw || kind === msgSend) waiting.delete(object);
        else if (kind === tblBind || kind === tblShift || kind === devReset) waiting.clear();
        else if (state.world.type(object) === msixEntry) forget(state, object);
        else for (const entry of waiting.keys()) forget(state, entry);
      },
      lost: () => waiting.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
