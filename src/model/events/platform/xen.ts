import { eventKind } from '../../event.ts';
import { evtchn, pirq } from '../../things/xen.ts';

const P = pirq.at;
const C = evtchn.at;

/** Object: the PIRQ. */
export const xenPirq = eventKind(
  'xen.pirq',
  'allocate',
  [pirq],
  'Xen gave an interrupt of a function a PIRQ of a domain (PHYSDEVOP_map_pirq), or (`release`) took it back.',
  { device: 's', entry: 'u', irq: 'u?', release: 'flag' },
  (state, e, a) => {
    if (a.release) {
      state.remove(e.object);
      return;
    }
    state.set(e.object, P.device, a.device);
    state.set(e.object, P.entry, a.entry);
    if (a.irq !== undefined) state.set(e.object, P.irq, a.irq);
  },
);

/** Object: the PIRQ. */
export const xenNeedsEoi = eventKind(
  'xen.needsEoi',
  'configure',
  [pirq],
  'Whether a domain has to end interrupts of a PIRQ by hypercall, as Xen tells it (PHYSDEVOP_irq_status_query, or the EOI map of a PV domain).',
  { needed: 'flag' },
  (state, e, a) => state.setFlag(e.object, P.needsEoi, a.needed),
);

/** Object: the PIRQ. */
export const xenHold = eventKind(
  'xen.hold',
  'mask',
  [pirq],
  'Xen masked an interrupt that came while its event still waited, or (`held` false) lets it come again: by an EOI, or after 1 ms.',
  { held: 'flag', by: 's?' },
  (state, e, a) => {
    state.setFlag(e.object, P.held, a.held);
    if (a.held) state.count(e.object, P.holds);
  },
);

/** Object: the PIRQ. */
export const xenEoi = eventKind(
  'xen.eoi',
  'deliver',
  [pirq],
  'A domain ended an interrupt of a PIRQ (PHYSDEVOP_eoi).',
  {},
  (state, e) => state.count(e.object, P.eois),
);

/** Object: the channel. */
export const xenBind = eventKind(
  'xen.bind',
  'configure',
  [evtchn],
  'An event channel was bound to a PIRQ (EVTCHNOP_bind_pirq), or closed. It is bound to virtual CPU 0, and masked.',
  { pirq: 'u', vcpu: 'u', closed: 'flag' },
  (state, e, a) => {
    if (a.closed) {
      state.remove(e.object);
      return;
    }
    state.setFlag(e.object, C.bound, true);
    state.setFlag(e.object, C.masked, true);
    state.setFlag(e.object, C.pending, false);
    state.set(e.object, C.pirq, a.pirq);
    state.set(e.object, C.vcpu, a.vcpu);
  },
);

/** Object: the channel. */
export const xenVcpu = eventKind(
  'xen.vcpu',
  'configure',
  [evtchn],
  'An event channel tells another virtual CPU of its events (EVTCHNOP_bind_vcpu).',
  { vcpu: 'u' },
  (state, e, a) => state.set(e.object, C.vcpu, a.vcpu),
);

/** Object: the channel. */
export const xenMask = eventKind(
  'xen.mask',
  'mask',
  [evtchn],
  'The mask bit of an event channel was set or cleared, in memory that the domain shares with Xen.',
  { masked: 'flag' },
  (state, e, a) => state.setFlag(e.object, C.masked, a.masked),
);

/** Object: the channel. */
export const xenPend = eventKind(
  'xen.pend',
  'deliver',
  [evtchn],
  'Xen set the pending bit of an event channel; it was set already where the event is merged.',
  { cause: 'u?' },
  (state, e) => {
    state.setFlag(e.object, C.pending, true);
    state.count(e.object, C.events);
  },
);

/** Object: the channel. */
export const xenTake = eventKind(
  'xen.take',
  'deliver',
  [evtchn],
  'The kernel of a domain acknowledged an event: it cleared the pending bit, and runs the handler of its irq.',
  {},
  (state, e) => {
    state.setFlag(e.object, C.pending, false);
    state.count(e.object, C.taken);
  },
);

export const xenEvents = [xenPirq, xenNeedsEoi, xenHold, xenEoi, xenBind, xenVcpu, xenMask, xenPend, xenTake];
