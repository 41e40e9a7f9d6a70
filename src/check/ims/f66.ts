import type { ObjectId, Step } from '../../base/ids.ts';
import { imsFree, imsStore } from '../../model/events/ims.ts';
import { imsControl } from '../../model/registers/ims.ts';
import { imsEntry } from '../../model/things/ims.ts';
import { LastEvents, steps } from '../history.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';
import { pasidText } from './handles.ts';

const { mask, pasidEnable, pasid } = imsControl.f;
const CONTROL = imsEntry.at.control;
/** The bits that masking leaves alone. */
const KEPT = (pasidEnable.mask | pasid.mask) >>> 0;

/** F66. */
export const keepsAuxiliary: Rule<'F66'> = {
  id: 'F66',
  names: ['INV-AUX'],
  title: 'Mask write changed the PASID of an entry',
  meaning: 'Masking and unmasking an entry of the interrupt message storage keeps PASID enable and PASID.',
  severity: 'error',
  reference: 'DSA "Interrupt Message Storage": control dword; irq-ims-msi driver: bits 31:3 are auxiliary data',
  kinds: [imsStore, imsFree],
  needs: [[imsStore]],
  needsAll: false,
  confirm: 'a probe on the mask and unmask callbacks of the IMS chip: do they write the whole control dword?',
  watch(report) {
    /** The control dword of each entry before the event at hand. */
    const last = new Map<ObjectId, number>();
    const writes = new LastEvents();
    let judged = 0;
    return {
      event(step: Step, { kind, object, time }, state) {
        if (kind === imsFree) {
          last.delete(object);
          return;
        }
        const value = state.num(object, CONTROL);
        if (value < 0) return;
        const old = last.get(object);
        last.set(object, value);
        if (old === undefined || old === value) return;
        const since = writes.step(object);
        writes.note(object, step, time);
        if (mask.of(old) === mask.of(value)) return;
        judged++;
        const changed = ((old ^ value) & KEPT) >>> 0;
        if (changed === 0) return;
        const name = entryName(state.world, object);
        const now = pasidEnable.in(value) ? pasidText(pasid.of(value)) : 'no PASID';
        const was = pasidEnable.in(old) ? pasidText(pasid.of(old)) : 'no PASID';
        report({
          step,
          object,
          title: `${name} lost its PASID when it was ${mask.in(value) ? 'masked' : 'unmasked'}`,
          text: `One write ${mask.in(value) ? 'masked' : 'unmasked'} ${name} and changed its PASID from ${was} to ${now}: who masks must read, change bit 0, and write back. Descriptors of the right PASID now complete with status 0x19 and no interrupt.`,
          evidence: steps(since),
        });
      },
      lost: () => last.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
