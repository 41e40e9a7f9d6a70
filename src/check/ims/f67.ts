import type { ObjectId } from '../../base/ids.ts';
import { vfioBind } from '../../model/events/vfio.ts';
import { LastEvents, steps } from '../history.ts';
import type { Rule } from '../rule.ts';

/** F67. */
export const backsVectors: Rule<'F67'> = {
  id: 'F67',
  names: ['INV-EMU'],
  title: 'Vector with the wrong kind of interrupt behind it',
  meaning:
    'A vector that the VMM emulates has no interrupt of the host behind it; every other one has exactly one of its own.',
  severity: 'error',
  reference: 'VFIO over IMS (RFC 2023-11): vector 0 is emulated, I/O vectors are backed by IMS',
  kinds: [vfioBind],
  needs: [[vfioBind]],
  needsAll: false,
  confirm: '/proc/interrupts (actions vfio-ims) beside the vectors that the guest uses',
  watch(report) {
    /** The vector that each host irq is bound to. */
    const holders = new Map<number, ObjectId>();
    const irqs = new Map<ObjectId, number>();
    const binds = new LastEvents();
    let judged = 0;
    return {
      event(step, { object, words, at, time }, state) {
        const { backend, irq, eventfd } = vfioBind.read(words, at);
        const { world } = state;
        const kind = backend === undefined ? '' : world.strings.text(backend);
        const old = irqs.get(object);
        if (old !== undefined && holders.get(old) === object) holders.delete(old);
        irqs.delete(object);
        // Nothing signals a vector without an eventfd: it needs no interrupt.
        if (irq === undefined && (kind === '' || eventfd === undefined)) return;
        judged++;
        const node = world.node(object);
        const name = `vector ${node?.segment ?? '?'} of ${node?.parent?.parent?.segment ?? '?'}`;
        const other = irq === undefined ? undefined : holders.get(irq);
        const tell = (title: string, text: string, evidence: readonly number[] = []): void =>
          report({ step, object, title, text, evidence });
        if (kind === 'emulated' && irq !== undefined)
          tell(
            `${name} is emulated and has irq ${irq} behind it`,
            `${name} is one that the VMM raises itself, and irq ${irq} of the host was bound to it: what the device sends is taken for an event of the VMM.`,
          );
        else if (kind === 'ims' && node?.segment === '0')
          tell(
            `${name} is backed by the interrupt message storage`,
            `${name} stands for errors, commands and the device as a whole, which the VMM raises; ${irq === undefined ? 'an entry' : `irq ${irq}`} of the interrupt message storage of one queue was bound to it.`,
          );
        // Without an eventfd the vector has nothing to signal: its interrupt was given back.
        else if (kind !== 'emulated' && irq === undefined && eventfd !== undefined)
          tell(
            `${name} has no interrupt of the host behind it`,
            `${name} is bound to the backend ${kind}, and no irq of the host was allocated for it: nothing can signal it.`,
          );
        else if (other !== undefined && other !== object)
          tell(
            `irq ${irq ?? '?'} is behind ${name} and vector ${world.node(other)?.segment ?? '?'}`,
            `Two vectors were bound to irq ${irq ?? '?'} of the host: an interrupt of one queue arrives at the vector of the other, or at both.`,
            steps(binds.step(other)),
          );
        if (irq !== undefined) {
          holders.set(irq, object);
          irqs.set(object, irq);
        }
        binds.note(object, step, time);
      },
      lost: () => holders.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
