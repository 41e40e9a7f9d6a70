import type { ObjectId, Step } from '../../base/ids.ts';
import { tblWrite } from '../../model/events/msix.ts';
import { cfgWrite } from '../../model/events/pci.ts';
import type { State } from '../../model/state.ts';
import { device } from '../../model/things/pci.ts';
import { tableKinds } from '../kinds.ts';
import { entryName } from '../names.ts';
import type { Happened, Rule } from '../rule.ts';
import { ADDRESS, DATA } from './held.ts';
import { LiveChanges } from './updates.ts';

/** Offsets in an MSI capability: its message address, and what comes behind its data. */
const MSI_ADDRESS = 4;
const MSI_MASK = 0x10;

/** A pass over the words of one message: they are written from the lowest offset up. */
interface Pass {
  step: Step;
  offset: number;
  parts: number;
  before: string;
}

/** The word of a message that an access writes, also where it changes nothing: the entry or the capability, and the offset. */
function wordOf(
  { kind, object, words, at }: Happened,
  state: State,
): (Pick<Pass, 'offset'> & { object: ObjectId }) | undefined {
  if (kind === tblWrite) return { object, offset: tblWrite.read(words, at).offset };
  const cap = state.world.node(object)?.children.get('msi')?.object ?? -1;
  const start = state.num(object, device.at.msiAt);
  if (kind !== cfgWrite || cap < 0 || start < 0 || state.world.type(object) !== device) return undefined;
  const { offset } = cfgWrite.read(words, at);
  return offset >= start + MSI_ADDRESS && offset < start + MSI_MASK ? { object: cap, offset } : undefined;
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
          const written = passes.size === 0 ? undefined : wordOf(happened, state);
          const pass = written && passes.get(written.object);
          if (pass && written.offset <= pass.offset) passes.delete(written.object);
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
