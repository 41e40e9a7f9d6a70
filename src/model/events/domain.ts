import { eventKind, refused } from '../event.ts';
import { isInnermost } from '../irq-source.ts';
import { domain, irq } from '../things/irq.ts';

const I = irq.at;

/** Composition of a message, the second of the four jobs of a domain hierarchy. Object: the irq. */
export const domCompose = eventKind(
  'dom.compose',
  'configure',
  [irq],
  'An irq domain composed the message of an irq, which will be stored for the device.',
  { domain: 's', address: 'xx', data: 'x', ret: 'i?' },
);

export const domCreate = eventKind(
  'dom.create',
  'configure',
  [domain],
  'An irq domain was created on top of another, or that was refused (negative errno). Flag 1: messages lie in queue memory; 2: in memory that only the guest reaches. Side: of the boundary in the bridge, cpu (of the architecture) or bus (agnostic).',
  {
    parent: 's?',
    flags: 'x?',
    ret: 'i',
    side: 's?',
  },
  (state, e, a) => {
    if (a.ret !== 0) return;
    state.touch(e.object);
    if (a.parent !== undefined) state.set(e.object, domain.at.parent, a.parent);
    if (a.side !== undefined) state.set(e.object, domain.at.side, a.side);
  },
);

/** The owner of the translation of a device names the address for its messages. Object: the irq. */
export const msiPrepare = eventKind(
  'msi.prepare',
  'configure',
  [irq],
  'The irq core asked the owner of the translation of a device for the address at which the device reaches a doorbell. A negative errno: there is none.',
  { provider: 's', device: 's', index: 'u', doorbell: 'xx', iova: 'xx?', ret: 'i?' },
);

/** Walks of the domain hierarchy, where a probe shows them. Object: the irq. */
export const domAlloc = eventKind(
  'dom.alloc',
  'allocate',
  [irq],
  'An irq domain allocated or freed what it holds for the irq, or could not (negative errno).',
  { domain: 's', free: 'flag', hwirq: 'u?', vector: 'u?', cpu: 'u?', ret: 'i?' },
  (state, e, a) => {
    if (refused(a.ret)) return;
    state.setFlag(e.object, I.allocated, !a.free);
    if (a.free) state.setFlag(e.object, I.activated, false);
    else state.set(e.object, I.handledSinceSetup, 0);
    if (a.hwirq !== undefined && isInnermost(state, e.object, state.world.strings.text(a.domain)))
      state.set(e.object, I.hwirq, a.hwirq);
    if (a.vector !== undefined) state.set(e.object, I.vector, a.vector);
    if (a.cpu !== undefined) state.set(e.object, I.cpu, a.cpu);
  },
);

export const domActivate = eventKind(
  'dom.activate',
  'configure',
  [irq],
  'An irq domain programmed its hardware for the irq, or took that back.',
  { domain: 's', activate: 'flag', reserve: 'flag?', ret: 'i?' },
  (state, e, a) => {
    if (refused(a.ret)) return;
    if (a.reserve === true) return;
    state.setFlag(e.object, I.activated, a.activate);
  },
);

export const domainEvents = [domAlloc, domActivate, domCompose, domCreate, msiPrepare];
