import { eventKind, refused } from '../event.ts';
import { ioasMap } from '../things/ims.ts';
import { smmuStream } from '../things/remap.ts';

const S = smmuStream.at;

/** An access through an SMMU. Object: the stream. */
export const smmuTrans = eventKind(
  'smmu.trans',
  'translate',
  [smmuStream],
  'An SMMU translated an access.',
  { iova: 'xx', output: 'xx', perm: 'x', stage: 'u?' },
  (state, e, a) => {
    state.count(e.object, S.translations);
    for (let i = 0; i < 2; i++) {
      state.set(e.object, S.iova + i, a.iova(i));
      state.set(e.object, S.output + i, a.output(i));
    }
  },
);

export const smmuBypass = eventKind(
  'smmu.bypass',
  'translate',
  [smmuStream],
  'An access passed an SMMU untranslated.',
  { iova: 'xx', write: 'flag', reason: 's' },
  (state, e, a) => {
    for (let i = 0; i < 2; i++) state.set(e.object, S.iova + i, a.iova(i));
    state.forget(e.object, S.output);
    state.forget(e.object, S.output + 1);
  },
);

export const smmuAbort = eventKind(
  'smmu.abort',
  'fault',
  [smmuStream],
  'An SMMU aborted an access.',
  { iova: 'xx', write: 'flag' },
  (state, e, a) => {
    state.count(e.object, S.aborts);
    for (let i = 0; i < 2; i++) state.set(e.object, S.iova + i, a.iova(i));
    state.forget(e.object, S.output);
    state.forget(e.object, S.output + 1);
  },
);

export const smmuFault = eventKind(
  'smmu.fault',
  'fault',
  [smmuStream],
  'An SMMU recorded an event for a stream: the access at `iova` was refused, for this reason.',
  { event: 's', iova: 'xx?', reason: 's?' },
  (state, e, a) => {
    state.count(e.object, S.faults);
    state.set(e.object, S.lastEvent, a.event);
    if (!a.has.iova) return;
    for (let i = 0; i < 2; i++) state.set(e.object, S.iova + i, a.iova(i));
    state.forget(e.object, S.output);
    state.forget(e.object, S.output + 1);
  },
);

/** Stages of a stream. Object: the stream. */
export const smmuConfig = eventKind(
  'smmu.config',
  'configure',
  [smmuStream],
  'The stream table entry of a requester was set: which stages translate its accesses.',
  { config: 's' },
  (state, e, a) => state.set(e.object, S.config, a.config),
);

/** Stage 1 tables. Object: the mapping, `smmu/<n>/stream/<id>/s1/<hex iova>`. */
export const smmuMap = eventKind(
  'smmu.map',
  'configure',
  [ioasMap],
  'The owner of stage 1 of a stream (a guest, or the host kernel) mapped a range, or that was refused (negative errno).',
  { output: 'xx', size: 'xx', ret: 'i?' },
  (state, e, a) => {
    if (refused(a.ret)) return;
    for (let i = 0; i < 2; i++) {
      state.set(e.object, ioasMap.at.output + i, a.output(i));
      state.set(e.object, ioasMap.at.size + i, a.size(i));
    }
  },
);

export const smmuUnmap = eventKind(
  'smmu.unmap',
  'configure',
  [ioasMap],
  'The owner of stage 1 of a stream unmapped a range, or that was refused (negative errno).',
  { ret: 'i?' },
  (state, e, a) => {
    if (!refused(a.ret)) state.remove(e.object);
  },
);

export const smmuEvents = [smmuTrans, smmuBypass, smmuAbort, smmuFault, smmuConfig, smmuMap, smmuUnmap];
