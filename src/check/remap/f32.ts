import type { ObjectId } from '../../base/ids.ts';
import { irRemap, irteWrite } from '../../model/events/remap.ts';
import { piUpdate } from '../../model/events/virt.ts';
import { linksOf } from '../../model/references.ts';
import { vtdIrte } from '../../model/registers/vtd.ts';
import type { State } from '../../model/state.ts';
import { irq } from '../../model/things/irq.ts';
import { irte } from '../../model/things/remap.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import type { Rule } from '../rule.ts';
import { irteName, numbered } from './names.ts';

/** The table entry that the message of a host irq leads to, or -1. */
function entryOf(state: State, hostIrq: number): ObjectId {
  const object = state.here.byNumbers(irq, hostIrq, 0, (n) => `irq/${n}`);
  const link = linksOf(state, object).find(({ name }) => name === 'message');
  return link !== undefined && state.world.type(link.target) === irte ? link.target : -1;
}

/** F32. */
export const keepsPosted: Rule<'F32'> = {
  id: 'F32',
  names: ['INV-PST'],
  title: 'Posted entry overwritten by the host',
  meaning:
    'While an irq posts to a virtual CPU, its table entry stays in posted format: an affinity change of the host does not touch it.',
  severity: 'error',
  reference:
    'arch/x86/kvm/irq.c kvm_pi_update_irte; drivers/iommu/intel/irq_remapping.c intel_ir_set_affinity (posted entries keep their format)',
  kinds: [irteWrite, piUpdate, irRemap],
  needs: [[piUpdate], [irteWrite]],
  needsAll: false,
  confirm:
    'kvm:kvm_pi_irte_update beside a kprobe on modify_irte, and irq_vectors:vector_config for the affinity change',
  watch(report, scene) {
    /** Entries that post, by the update that said so, and the GSI of each. */
    const posting = new LastEvents();
    const gsis = new Map<ObjectId, ObjectId>();
    /** Writes that took an entry out of the posted format, until an update says that it was meant. */
    const taken = new LastEvents();
    const now = new Now();
    let judged = 0;
    const tell = (entry: ObjectId): void => {
      const name = irteName(scene.world, entry);
      const step = taken.step(entry)!;
      const gsi = gsis.get(entry)!;
      const ago = before(scene, posting.ago(entry, now.last), posting.step(entry), step);
      taken.forget(entry);
      report({
        step,
        object: entry,
        title: `${name} lost its posted format while ${numbered('GSI', scene.world, gsi)} still posts`,
        text: `${name} was set up to post for ${numbered('GSI', scene.world, gsi)}${ago === '' ? '' : ` ${ago}`}, and was overwritten in remapped format; no update took the posting back. Interrupts go through the host again, or to a vector that nobody serves.`,
        evidence: steps(posting.step(entry)),
        absent: { since: step, kinds: [piUpdate] },
      });
    };
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        const time = now.at(happened);
        if (kind === piUpdate) {
          const { enable, hostIrq } = piUpdate.read(words, at);
          const entry = entryOf(state, hostIrq);
          if (entry < 0) return;
          taken.forget(entry);
          if (enable) {
            posting.note(entry, step, time);
            gsis.set(entry, object);
          } else posting.forget(entry);
        } else if (posting.has(object)) {
          if (kind === irRemap) {
            if (taken.has(object)) tell(object);
            return;
          }
          judged++;
          if (vtdIrte.f.posted.flag(state, object, irte.at.table) === false) taken.note(object, step, time);
          else taken.forget(object);
        }
      },
      lost() {
        posting.clear();
        taken.clear();
      },
      end() {
        for (const entry of [...taken.objects()]) tell(entry);
      },
      get judged() {
        return judged;
      },
    };
  },
};
