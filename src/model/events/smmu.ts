import { eventKind, has } from '../event.ts';
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
  (state, e, at) => {
    const w = e.words;
    state.count(e.object, S.translations);
    for (let i = 0; i < 2; i++) {
      state.set(e.object, S.iova + i, w[e.at + at.iova + i]!);
      state.set(e.object, S.output + i, w[e.at + at.output + i]!);
    }
  },
);

export const smmuBypass = eventKind(
  'smmu.bypass',
  'translate',
  [smmuStream],
  'An access passed an SMMU untranslated.',
  { iova: 'xx', write: 'flag', reason: 's' },
  (state, e, at) => {
    for (let i = 0; i < 2; i++) state.set(e.object, S.iova + i, e.words[e.at + at.iova + i]!);
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
  (state, e, at) => {
    state.count(e.object, S.aborts);
    for (let i = 0; i < 2; i++) state.set(e.object, S.iova + i, e.words[e.at + at.iova + i]!);
    state.forget(e.object, S.output);
    state.forget(e.object, S.output + 1);
  },
);

export const smmuFault = eventKind(
  'smmu.fault',
  'fault',
  [smmuStream],
  'An SMMU recorded an event for a stream.',
  { event: 's' },
  (state, e, at) => {
    state.count(e.object, S.faults);
    state.set(e.object, S.lastEvent, e.words[e.at + at.event]!);
  },
);

/** Stages of a stream. Object: the stream. */
export const smmuConfig = eventKind(
  'smmu.config',
  'configure',
  [smmuStream],
  'The stream table entry of a requester was set: which stages translate its accesses.',
  { config: 's' },
  (state, e, at) => state.set(e.object, S.config, e.words[e.at + at.config]!),
);

/** Stage 1 tables. Object: the mapping, `smmu/<n>/stream/<id>/s1/<hex iova>`. */
export const smmuMap = eventKind(
  'smmu.map',
  'configure',
  [ioasMap],
  'The owner of stage 1 of a stream (a guest, or the host kernel) mapped a range, or that was refused (negative errno).',
  { output: 'xx', size: 'xx', ret: 'i?' },
  (state, e, at, bit) => {
    const w = e.words;
    if (has(e, bit.ret) && w[e.at + at.ret] !== 0) return;
    for (let i = 0; i < 2; i++) {
      state.set(e.object, ioasMap.at.output + i, w[e.at + at.output + i]!);
      state.set(e.object, ioasMap.at.size + i, w[e.at + at.size + i]!);
    }
  },
);

export const smmuUnmap = eventKind(
  'smmu.unmap',
  'configure',
  [ioasMap],
  'The owner of stage 1 of a stream unmapped a range, or that was refused (negative errno).',
  { ret: 'i?' },
  (state, e, at, bit) => {
    if (!has(e, bit.ret) || e.words[e.at + at.ret] === 0) state.remove(e.object);
  },
);

export const smmuEvents = [smmuTrans, smmuBypass, smmuAbort, smmuFault, smmuConfig, smmuMap, smmuUnmap];
