import { hex64 } from '../../base/hex.ts';
import type { ObjectId } from '../../base/ids.ts';
import { vmsiSet } from '../../model/events/iommufd.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { msgSend } from '../../model/events/msix.ts';
import { smmuFault } from '../../model/events/smmu.ts';
import { vmsi } from '../../model/things/ims.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import type { Rule } from '../rule.ts';
import { functionOf, pageOf } from './doorbell.ts';
import { vectorKey, vectorName, vmsiKey } from './vmsi.ts';

/** A message that is due is written in this time, ns; what is taken down sooner needs none. */
const SOON = 100_000;

/** F73. */
export const rewritesMessage: Rule<'F73'> = {
  id: 'F73',
  names: ['INV-FORCE'],
  title: 'New message address did not reach the device',
  meaning:
    'When user space changes the message address of a vector in use, the message is written again, also when its target stays the same.',
  severity: 'error',
  reference: 'proposal of per-vector addresses (2024-11): a cached message must be written again after an update',
  kinds: [vmsiSet, msgWrite, msgSend, smmuFault],
  needs: [[vmsiSet], [msgWrite]],
  needsAll: false,
  needsTime: true,
  confirm: 'a kprobe on __pci_write_msi_msg after the update',
  watch(report, scene) {
    /** Page that each vector was programmed with last, by device and index. */
    const programmed = new Map<string, number>();
    /** Addresses that were changed and not written yet. */
    const open = new LastEvents();
    const keys = new Map<string, ObjectId>();
    const now = new Now();
    let judged = 0;
    const tell = (target: ObjectId, what: string, address: string): void => {
      const step = open.step(target)!;
      const key = vmsiKey(scene.world, target);
      const ago = before(scene, open.ago(target, now.last), open.step(target), step);
      open.forget(target);
      report({
        step,
        object: target,
        title: `The new message address of ${vectorName(key)} never reached the device`,
        text: `User space gave ${address} for ${vectorName(key)}, which is in use, and no message was written since: ${what}${ago === '' ? '' : `, ${ago.replace(/ before$/, '')} later`}. The device goes on with the old address.`,
        evidence: steps(),
        absent: { since: step, kinds: [msgWrite] },
      });
    };
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        const time = now.at(happened);
        const { world } = state;
        if (kind === vmsiSet) {
          const { iova, ret } = vmsiSet.read(words, at);
          const key = vmsiKey(world, object);
          const page = programmed.get(key);
          if ((ret !== undefined && ret !== 0) || page === undefined) return;
          judged++;
          keys.set(key, object);
          if (open.has(object)) tell(object, 'it was changed once more', addressOf(-1, -1));
          if (pageOf(iova(0), iova(1)) === page || (iova(0) === 0 && iova(1) === 0)) open.forget(object);
          else open.note(object, step, time);
        } else if (kind === msgWrite) {
          const { address } = msgWrite.read(words, at);
          const key = vectorKey(state, object);
          if (key === '') return;
          if (address(0) === 0 && address(1) === 0) programmed.delete(key);
          else programmed.set(key, pageOf(address(0), address(1)));
          const target = keys.get(key);
          if (target === undefined || !open.has(target)) return;
          if (address(0) === 0 && address(1) === 0 && open.ago(target, time) > SOON)
            tell(target, 'it was taken down with the old one', addressOf(-1, -1));
          open.forget(target);
        } else if (kind === smmuFault) {
          const fn = functionOf(world, object);
          for (const target of [...open.objects()])
            if (world.node(target)?.parent?.segment === world.node(fn)?.segment)
              tell(
                target,
                'a message went to the old one and was refused',
                addressOf(state.num(target, vmsi.at.iova + 1), state.num(target, vmsi.at.iova)),
              );
        }
      },
      lost: () => open.clear(),
      end(_last, state) {
        for (const target of [...open.objects()])
          tell(
            target,
            'up to the end of the trace',
            addressOf(state.num(target, vmsi.at.iova + 1), state.num(target, vmsi.at.iova)),
          );
      },
      get judged() {
        return judged;
      },
    };
  },
};

const addressOf = (hi: number, lo: number): string => (hi < 0 || lo < 0 ? 'a new address' : hex64(hi, lo));
