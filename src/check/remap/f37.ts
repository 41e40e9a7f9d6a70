import { irteRead, irteWrite } from '../../model/events/remap.ts';
import { vtdIrte } from '../../model/registers/vtd.ts';
import { irte } from '../../model/things/remap.ts';
import { each } from '../history.ts';
import type { Rule } from '../rule.ts';
import { irteName } from './names.ts';

const { present, fpd } = vtdIrte.f;

/** F37. */
export const reportsFaults: Rule<'F37'> = {
  id: 'F37',
  names: ['INV-FPD'],
  title: 'Faults of an entry are not reported',
  meaning: 'Fault Processing Disable is clear, so that the unit reports what it refuses.',
  severity: 'info',
  reference: 'VT-d 9.10 (FPD), 5.1.4.1: faults 0x22, 0x24, 0x26 to 0x28 are qualified by FPD',
  kinds: [irteRead, irteWrite],
  needs: [[irteRead, irteWrite]],
  needsAll: false,
  confirm: '/sys/kernel/debug/iommu/intel/ir_translation_struct: bit 1 of the low half of the entry',
  watch(report) {
    /** Entries of which it was said. */
    const silent = new Set<number>();
    return each((step, { kind, object }, state) => {
      const cell = kind === irteRead ? irte.at.value : irte.at.table;
      if (fpd.flag(state, object, cell) !== true) {
        silent.delete(object);
        return true;
      }
      if (silent.has(object)) return true;
      silent.add(object);
      const there = present.flag(state, object, cell) === true ? 'present' : 'not present';
      report({
        step,
        object,
        title: `${irteName(state.world, object)} does not report its faults (FPD is set)`,
        text: `${irteName(state.world, object)} is ${there} and has Fault Processing Disable set: messages that it refuses vanish without a record, no log shows them.`,
        evidence: [],
      });
      return true;
    });
  },
};
