import { eventKind } from '../../event.ts';
import { aplic, aplicSource } from '../../things/riscv.ts';

const A = aplic.at;
const S = aplicSource.at;

/** Object: the APLIC. */
export const aplicDomain = eventKind(
  'aplic.domain',
  'configure',
  [aplic],
  'Software wrote domaincfg of an APLIC: whether it delivers, and whether as messages.',
  { config: 'x' },
  (state, e, a) => state.set(e.object, A.config, a.config),
);

/** Object: the source. */
export const aplicConfigure = eventKind(
  'aplic.source',
  'configure',
  [aplicSource],
  'Software wrote sourcecfg of a source of an APLIC.',
  { config: 'x' },
  (state, e, a) => state.set(e.object, S.config, a.config),
);

/** Object: the source. */
export const aplicRetarget = eventKind(
  'aplic.target',
  'store',
  [aplicSource],
  'Software wrote target of a source of an APLIC: the whole message changes with that one write.',
  { target: 'x' },
  (state, e, a) => state.set(e.object, S.target, a.target),
);

/** Object: the source. */
export const aplicMap = eventKind(
  'aplic.map',
  'allocate',
  [aplicSource],
  'A source of an APLIC is that of a Linux irq, or (no `irq`) of none any more.',
  { irq: 'u?' },
  (state, e, a) => {
    if (a.irq === undefined) state.forget(e.object, S.irq);
    else state.set(e.object, S.irq, a.irq);
  },
);

/** Object: the source. */
export const aplicEnable = eventKind(
  'aplic.enable',
  'mask',
  [aplicSource],
  'The enable bit of a source of an APLIC was set (setienum) or cleared (clrienum): what pends meanwhile waits.',
  { enabled: 'flag' },
  (state, e, a) => state.setFlag(e.object, S.enabled, a.enabled),
);

/** Object: the source. */
export const aplicLine = eventKind(
  'aplic.line',
  'raise',
  [aplicSource],
  'The rectified input of a source of an APLIC changed: `input` true where its wire asserts an interrupt.',
  { input: 'flag' },
  (state, e, a) => state.setFlag(e.object, S.input, a.input),
);

/** Object: the source. */
export const aplicPend = eventKind(
  'aplic.pend',
  'deliver',
  [aplicSource],
  'The pending bit of a source of an APLIC was set or cleared. `by`: `line`, or the register that software wrote.',
  { pending: 'flag', by: 's' },
  (state, e, a) => state.setFlag(e.object, S.requested, a.pending),
);

/** Object: the source. */
export const aplicSend = eventKind(
  'aplic.send',
  'message',
  [aplicSource],
  'A source of an APLIC sent its message: that clears its pending bit.',
  { cpu: 'u', identity: 'u' },
  (state, e) => {
    state.setFlag(e.object, S.requested, false);
    state.count(e.object, S.sent);
  },
);

export const aplicEvents = [
  aplicDomain,
  aplicConfigure,
  aplicRetarget,
  aplicMap,
  aplicEnable,
  aplicLine,
  aplicPend,
  aplicSend,
];
