import type { ObjectId, Step } from '../../base/ids.ts';
import { irqfdAssign, routeRelease, routeSet } from '../../model/events/virt.ts';
import type { Rule } from '../rule.ts';
import { isIrqfd } from './gsi.ts';

/** F51. */
export const routeOutlivesIrqfd: Rule<'F51'> = {
  id: 'F51',
  names: ['INV-ORDER2'],
  title: 'irqfd without its route',
  meaning: 'A GSI gets its route before its irqfd, and loses its irqfd before its route.',
  severity: 'error',
  reference: 'virt/kvm/eventfd.c; kernel a80ced6ea514 "KVM: SVM: fix panic on out-of-bounds guest IRQ"',
  kinds: [irqfdAssign, routeSet, routeRelease],
  needs: [[irqfdAssign], [routeSet, routeRelease]],
  needsAll: false,
  oneMachine: true,
  confirm: 'the order of KVM_SET_GSI_ROUTING and KVM_IRQFD of the VMM (probe kvm_irqfd, QEMU kvm_irqchip_*)',
  watch(report, { world }) {
    /** By the number of the GSI: whether it has a route (as far as seen), and the irqfd that is tied to it. */
    const routed = new Map<string, boolean>();
    const tied = new Map<string, { readonly step: Step; readonly object: ObjectId; readonly bare: boolean }>();
    let judged = 0;
    return {
      event(step, { kind, object, words, at }) {
        const gsi = world.node(object)?.segment;
        if (gsi === undefined || (kind === irqfdAssign && !isIrqfd(world, object))) return;
        const key = `${world.node(object)?.parent?.parent?.path} ${gsi}`;
        const irqfd = tied.get(key);
        if (kind === irqfdAssign) {
          if (irqfdAssign.read(words, at).release === true) tied.delete(key);
          else {
            judged++;
            tied.set(key, { step, object, bare: routed.get(key) === false || !routed.has(key) });
          }
        } else if (kind === routeSet) {
          routed.set(key, true);
          // A route that comes behind the irqfd, where there was none for certain or none was ever seen.
          if (irqfd?.bare !== true) return;
          tied.delete(key);
          report({
            step,
            object: irqfd.object,
            title: `The irqfd of GSI ${gsi} was assigned before GSI ${gsi} had a route`,
            text: `An eventfd was tied to GSI ${gsi} and only afterwards the GSI got its route: what was signalled in between is lost, and kernels without a80ced6ea514 can panic on AMD at the next routing update.`,
            evidence: [irqfd.step],
          });
        } else {
          routed.set(key, false);
          if (irqfd === undefined) return;
          tied.delete(key);
          report({
            step,
            object: irqfd.object,
            title: `The route of GSI ${gsi} was taken away while its irqfd is assigned`,
            text: `The route of GSI ${gsi} went while an eventfd is tied to the GSI: what is signalled now is lost.`,
            evidence: [irqfd.step],
          });
        }
      },
      lost() {
        routed.clear();
        tied.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
