import type { ObjectId, Step } from '../../base/ids.ts';
import { tblWrite } from '../../model/events/msix.ts';
import { cfgWrite } from '../../model/events/pci.ts';
import { tableKinds } from '../kinds.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';
import { ADDRESS, DATA } from './held.ts';
import { LiveChanges } from './updates.ts';

/** A pass over the words of one message: they are written from the lowest offset up. */
interface Pass {
  step: Step;
  offset: number;
  parts: number;
  before: string;
}

/** F05. */
export const changesAtOnce: Rule<'F05'> = {
  id: 'F05',
  names: ['INV-ATOM'],
  title: 'Torn message',
  meaning:
    'While a vector is not masked its message changes in one part only: address, or data. Both together take two writes, and between them the function can send a message that nobody composed.',
  reference:
    'PCIe 7.7.2.6; two steps in arch/x86/kernel/apic/msi.c msi_set_affinity, since 6.15 in imsic_irq_set_affinity',
  severity: 'error',
  kinds: tableKinds,
  needs: [[tblWrite, cfgWrite]],
  needsAll: false,
  confirm: 'an interrupt on a vector without a handler, or one that is missing, right after it (irq_vectors, dmesg)',
  watch(report, scene) {
    const live = new LiveChanges();
    const passes = new Map<ObjectId, Pass>();
    return {
      event(step, happened, state) {
        const change = live.look(step, happened, state);
        if (change === undefined) {
          if (passes.size > 0 && happened.kind === tblWrite) {
            const pass = passes.get(happened.object);
            const { offset } = tblWrite.read(happened.words, happened.at);
            if (pass !== undefined && offset <= pass.offset) passes.delete(happened.object);
          }
          return;
        }
        const { object, parts, offset, before } = change;
        let pass = passes.get(object);
        if (pass === undefined || offset <= pass.offset)
          passes.set(object, (pass = { step, offset, parts: 0, before }));
        pass.parts |= parts;
        pass.offset = offset;
        if (pass.parts !== (ADDRESS | DATA)) return;
        passes.delete(object);
        const name = entryName(scene.world, object);
        report({
          step,
          object,
          title: `address and data of ${name} were changed while nothing masked it`,
          text: `The message of ${name} was ${pass.before}; its address and its data were written one after the other while it could send. A message sent in between has the one new and the other old: it goes to a CPU and vector that nobody prepared.`,
          evidence: pass.step === step ? [] : [pass.step],
        });
      },
      lost() {
        live.lose();
        passes.clear();
      },
      get judged() {
        return live.judged;
      },
    };
  },
};
