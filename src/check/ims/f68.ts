import { hexText } from '../../base/hex.ts';
import type { Step } from '../../base/ids.ts';
import { hcallReturn, kvmHypercall } from '../../model/events/hypervisor.ts';
import { steps } from '../history.ts';
import type { Rule } from '../rule.ts';

/** Hypercalls about interrupts of devices (include/hyperv/hvgdk_mini.h), and what a failure leaves behind. */
const CALLS: Readonly<Record<number, readonly [name: string, left: string]>> = {
  124: ['HVCALL_MAP_DEVICE_INTERRUPT', 'the guest has no message for the interrupt: it cannot be programmed'],
  125: ['HVCALL_UNMAP_DEVICE_INTERRUPT', 'the message stays granted'],
  126: ['HVCALL_RETARGET_INTERRUPT', 'the interrupt stays with its old target, or unrouted: the guest only logs it'],
};

/** F68. */
export const hypercallsSucceed: Rule<'F68'> = {
  id: 'F68',
  names: ['INV-RETGT'],
  title: 'Hypercall for an interrupt failed',
  meaning:
    'Hypercalls that map, unmap and retarget interrupts of devices succeed; before an unmask the last retarget did.',
  severity: 'error',
  reference:
    'drivers/pci/controller/pci-hyperv.c hv_irq_unmask, arch/x86/hyperv/irqdomain.c; hvgdk_mini.h for the status',
  kinds: [kvmHypercall, hcallReturn],
  needs: [[hcallReturn]],
  needsAll: false,
  confirm: 'dmesg of the guest ("... failed: 0x..."), kvm:kvm_hv_hypercall and kvm_hv_hypercall_done of the host',
  watch(report) {
    let asked: Step | undefined;
    let judged = 0;
    return {
      event(step, { kind, object, words, at }, state) {
        if (kind === kvmHypercall) {
          asked = step;
          return;
        }
        const { number, ret } = hcallReturn.read(words, at);
        const call = number(1) === 0 ? CALLS[number(0)] : undefined;
        if (call === undefined) return;
        judged++;
        if (ret === 0) return;
        const [name, left] = call;
        const status = ret < 0 ? String(ret) : hexText(ret);
        report({
          step,
          object,
          title: `${name} failed with ${status}`,
          text: `The hypercall ${name} (${hexText(number(0))}) of ${state.world.path(object)} returned ${status}: ${left}.`,
          evidence: steps(asked),
        });
      },
      lost() {
        asked = undefined;
      },
      get judged() {
        return judged;
      },
    };
  },
};
