import { domAlloc } from '../../model/events/domain.ts';
import { mark, message } from '../../model/events/notes.ts';
import { remapUnit } from '../../model/things/remap.ts';
import { each, steps } from '../history.ts';
import { textOf } from '../names.ts';
import type { Rule } from '../rule.ts';
import { numbered } from './names.ts';

/** -ENOSPC, -ENOMEM. */
const EXHAUSTED: readonly number[] = [-28, -12];

/** What the VT-d driver says where an irq gets none; the number is that of the unit (iommu->seq_id), which the kernel calls `dmar<n>` too. */
const REFUSED = /\bIR(\d+): can't allocate an IRTE\b|\bFailed to allocate IRTE\b/;

/** F36. */
export const hasFreeEntries: Rule<'F36'> = {
  id: 'F36',
  names: ['INV-IRTCAP'],
  title: 'Remapping table is full',
  meaning: 'An irq that is set up gets an entry of the interrupt remapping table.',
  severity: 'error',
  reference:
    'drivers/iommu/intel/irq_remapping.c alloc_irte (65536 entries a unit), drivers/iommu/amd/iommu.c alloc_irq_index (512 or 2048 a function)',
  kinds: [domAlloc],
  needs: [[domAlloc]],
  alone: [message, mark],
  needsAll: false,
  confirm:
    '/sys/kernel/debug/iommu/intel/ir_translation_struct (entries in use), and dmesg for "can\'t allocate an IRTE"',
  watch(report) {
    return each((step, happened, state) => {
      const { kind, object, words, at } = happened;
      if (kind === message || kind === mark) {
        const text = textOf(state.world, happened);
        const refused = REFUSED.exec(text);
        if (refused === null) return false;
        const unit = refused[1] === undefined ? -1 : state.here.objectAt(`irte/dmar${refused[1]}`);
        report({
          step,
          object: unit >= 0 ? unit : object,
          title: `An irq got no entry of the remapping table${refused[1] === undefined ? '' : ` of dmar${refused[1]}`}`,
          text: `The kernel says: ${text.trim()}. The driver that asked for this interrupt fails, or goes on with fewer.`,
          evidence: [],
        });
        return true;
      }
      const { domain, free, ret } = domAlloc.read(words, at);
      const name = state.world.strings.text(domain);
      if (free || !/(?:^|[^A-Z])IR(?:[^A-Z]|$)|remap/.test(name)) return false;
      if (ret === undefined || !EXHAUSTED.includes(ret)) return true;
      const units = [...(state.world.find('irte')?.children.values() ?? [])];
      const sizes = units
        .filter((unit) => state.num(unit.object, remapUnit.at.entries) >= 0)
        .map((unit) => `${unit.segment} has ${state.num(unit.object, remapUnit.at.entries)} entries`);
      report({
        step,
        object,
        title: `${numbered('irq', state.world, object)} got no entry of the remapping table (${ret})`,
        text: `The domain ${name} could not give ${numbered('irq', state.world, object)} an entry: error ${ret}.${sizes.length > 0 ? ` ${sizes.join(', ')}.` : ''} The driver that asked for this interrupt fails, or goes on with fewer.`,
        evidence: steps(),
      });
      return true;
    });
  },
};
