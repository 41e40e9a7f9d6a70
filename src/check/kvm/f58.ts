import { piUpdate, routeRelease, routeSet, routeUpdate } from '../../model/events/virt.ts';
import { linksOf } from '../../model/references.ts';
import { vtdAddress, x86Data } from '../../model/registers/x86.ts';
import { kvmRoute } from '../../model/things/virt.ts';
import type { Rule } from '../rule.ts';

/** F58. */
export const postsRoutedVector: Rule<'F58'> = {
  id: 'F58',
  names: ['INV-GV'],
  title: 'Interrupt posted with an old guest vector',
  meaning: 'The vector that is posted for a GSI is the vector of the message of its route.',
  severity: 'error',
  reference: 'arch/x86/kvm/irq.c kvm_pi_update_irte; x86 message data bits 7:0',
  kinds: [piUpdate, routeSet, routeUpdate, routeRelease],
  needs: [[piUpdate], [routeSet]],
  needsAll: false,
  oneMachine: true,
  confirm: 'kvm_pi_irte_update beside kvm_irqchip_update_msi_route, in that order',
  watch(report, { world }) {
    const routes = new Map<number, number>();
    let judged = 0;
    return {
      event(step, { kind, object, words, at }, state) {
        if (kind !== piUpdate) {
          routes.set(object, step);
          return;
        }
        const { enable, vector, hostIrq, vcpu } = piUpdate.read(words, at);
        const route = linksOf(state, object).find(({ name }) => name === 'route')?.target ?? -1;
        if (!enable || route < 0 || !state.present(route)) return;
        const routed = x86Data.f.vector.get(state, route, kvmRoute.at.data);
        // A message for the remapping unit of the guest has no vector of its own.
        if (routed < 0 || vtdAddress.f.format.flag(state, route, kvmRoute.at.address) !== false) return;
        judged++;
        if (routed === vector) return;
        const gsi = world.node(object)?.segment;
        report({
          step,
          object,
          title: `GSI ${gsi} is posted as vector ${vector}, its route says ${routed}`,
          text: `Host irq ${hostIrq} was set up to post vector ${vector} to virtual CPU ${vcpu}; the route of GSI ${gsi} has the message data 0x${state.get(route, kvmRoute.at.data).toString(16)}, vector ${routed}: the guest gets an interrupt that it does not expect there.`,
          evidence: [routes.get(route) ?? -1].filter((s) => s >= 0),
        });
      },
      lost: () => routes.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
