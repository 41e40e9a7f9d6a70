import type * as things from '../../model/things/xen.ts';
import { evtchn, pirq } from '../../model/things/xen.ts';
import { flagLayer, pending, strip } from './layer.ts';
import type { PresentationsOf } from './presentation.ts';
import { counted, list, told } from './words.ts';

/** What domains of Xen have of interrupts. */
export const xenPresentations: PresentationsOf<typeof things> = {
  pirq: {
    unit: ['PIRQ', 'PIRQs'],
    label: (segment) => `PIRQ ${segment}`,
    icon: 'symbol-number',
    describe: (state, object) =>
      list(
        state.text(object, pirq.at.device),
        told('entry', state.num(object, pirq.at.entry)),
        state.flag(object, pirq.at.held) === true && 'masked by Xen',
      ),
    layers: [flagLayer({ name: 'held', on: 'masked by Xen', off: 'not held', style: 'hold' }, pirq.at.held)],
  },
  evtchn: {
    unit: ['event channel', 'event channels'],
    label: (segment) => `port ${segment}`,
    alone: (segment) => `event channel ${segment}`,
    icon: 'plug',
    signal: (state, object) => (state.flag(object, evtchn.at.pending) === true ? 'bell-dot' : 'plug'),
    describe: (state, object) =>
      list(
        told('PIRQ', state.num(object, evtchn.at.pirq)),
        told('vCPU', state.num(object, evtchn.at.vcpu)),
        state.flag(object, evtchn.at.masked) === true && 'masked',
        state.flag(object, evtchn.at.pending) === true && 'pending',
        counted(state, object, evtchn.at.events, 'event'),
      ),
    layers: [
      flagLayer({ name: 'mask', on: 'masked', off: 'not masked', style: 'hold' }, evtchn.at.masked),
      strip(flagLayer(pending, evtchn.at.pending)),
    ],
  },
};
