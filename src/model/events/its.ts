import { eventKind, has } from '../event.ts';
import type { State } from '../state.ts';
import { ioasMap } from '../things/ims.ts';
import { gicFrame, its, itsCollection, itsDevice, itsEvent, lpiConfig, smmuStream } from '../things/remap.ts';

const D = itsDevice.at;
const E = itsEvent.at;

/** The device of an ITT entry. */
const deviceOf = (state: State, entry: number): number =>
  state.world.object(itsDevice, state.world.node(entry)!.parent!.parent!.path);

/** Adds one to a counter of the ITS that an object belongs to. */
function counted(state: State, object: number, cell: number): void {
  const path = state.world.path(object).split('/').slice(0, 2).join('/');
  state.count(state.world.object(its, path), cell);
}

function eachEvent(state: State, dev: number, use: (entry: number) => void): void {
  const children = state.world.node(dev)?.children.get('event')?.children;
  if (children) for (const node of children.values()) if (state.present(node.object)) use(node.object);
}

function setDevice(state: State, dev: number, valid: boolean, size: number, lo: number, hi: number): void {
  const moved = state.num(dev, D.itt) !== lo || state.num(dev, D.itt + 1) !== hi;
  state.setFlag(dev, D.valid, valid);
  if (valid) {
    state.set(dev, D.size, size);
    state.set(dev, D.itt, lo);
    state.set(dev, D.itt + 1, hi);
    // Another table: software must clear it before MAPD (IHI 0069 5.2), so nothing is mapped in it yet.
    if (moved) eachEvent(state, dev, (entry) => unmap(state, entry));
  } else {
    eachEvent(state, dev, (entry) => unmap(state, entry));
  }
}

function unmap(state: State, entry: number): void {
  state.setFlag(entry, E.valid, false);
  state.forget(entry, E.lpi);
  state.forget(entry, E.collection);
}

/** Commands of an ITS (Arm IHI 0069, chapter 5). Object: what the command works on. */
export const itsMapd = eventKind(
  'its.mapd',
  [itsDevice],
  'MAPD: a device gets its interrupt translation table, or loses it (valid 0).',
  { size: 'u', itt: 'xx', valid: 'flag' },
  (state, e, at) => {
    const w = e.words;
    counted(state, e.object, its.at.commands);
    setDevice(state, e.object, w[e.at + at.valid] !== 0, w[e.at + at.size]!, w[e.at + at.itt]!, w[e.at + at.itt + 1]!);
  },
);

export const itsMapc = eventKind(
  'its.mapc',
  [itsCollection],
  'MAPC: a collection is mapped to a redistributor, or unmapped (valid 0).',
  { target: 'u', valid: 'flag' },
  (state, e, at) => {
    counted(state, e.object, its.at.commands);
    state.setFlag(e.object, itsCollection.at.valid, e.words[e.at + at.valid] !== 0);
    if (e.words[e.at + at.valid]) state.set(e.object, itsCollection.at.target, e.words[e.at + at.target]!);
    else state.forget(e.object, itsCollection.at.target);
  },
);

export const itsMapti = eventKind(
  'its.mapti',
  [itsEvent],
  'MAPTI or MAPI: an EventID is mapped to an LPI and a collection.',
  { lpi: 'u', collection: 'u' },
  (state, e, at) => {
    counted(state, e.object, its.at.commands);
    if (state.flag(deviceOf(state, e.object), D.valid) === false) {
      counted(state, e.object, its.at.errors);
      return;
    }
    state.setFlag(e.object, E.valid, true);
    state.set(e.object, E.lpi, e.words[e.at + at.lpi]!);
    state.set(e.object, E.collection, e.words[e.at + at.collection]!);
  },
);

export const itsMovi = eventKind(
  'its.movi',
  [itsEvent],
  'MOVI: an EventID is moved to another collection.',
  { collection: 'u' },
  (state, e, at) => {
    counted(state, e.object, its.at.commands);
    if (state.flag(e.object, E.valid) === false) counted(state, e.object, its.at.errors);
    else state.set(e.object, E.collection, e.words[e.at + at.collection]!);
  },
);

export const itsDiscard = eventKind(
  'its.discard',
  [itsEvent],
  'DISCARD: an EventID is unmapped and its pending state dropped.',
  {},
  (state, e) => {
    counted(state, e.object, its.at.commands);
    unmap(state, e.object);
  },
);

export const itsInv = eventKind(
  'its.inv',
  [itsEvent],
  'INV: the cached configuration of an LPI is invalidated.',
  {},
  (state, e) => {
    counted(state, e.object, its.at.commands);
    state.count(e.object, E.invalidations);
  },
);

export const itsInt = eventKind(
  'its.int',
  [itsEvent],
  'INT or CLEAR: software sets or clears the pending state of an EventID.',
  { set: 'flag' },
  (state, e) => {
    counted(state, e.object, its.at.commands);
    state.touch(e.object);
  },
);

/** Commands without an effect on what is modelled. Object: the ITS. */
export const itsCommand = eventKind('its.cmd', [its], 'Another ITS command.', { name: 's', text: 's?' }, (state, e) => {
  counted(state, e.object, its.at.commands);
});

/** A write to GITS_TRANSLATER. Object: the ITT entry. */
export const itsTrans = eventKind(
  'its.trans',
  [itsEvent, itsDevice, its],
  'A doorbell write: EventID as data, DeviceID from the bus.',
  { device: 'x', event: 'x', size: 'u' },
  (state, e) => {
    counted(state, e.object, its.at.translations);
    if (state.world.type(e.object) === itsEvent) state.count(e.object, E.translations);
  },
);

/** The ITS read or wrote one of its tables; what it saw there is what is true. */
export const itsDte = eventKind(
  'its.dte',
  [itsDevice],
  'The ITS accessed a device table entry.',
  { write: 'flag', valid: 'flag', size: 'u', itt: 'xx' },
  (state, e, at) => {
    const w = e.words;
    setDevice(state, e.object, w[e.at + at.valid] !== 0, w[e.at + at.size]!, w[e.at + at.itt]!, w[e.at + at.itt + 1]!);
  },
);

export const itsIte = eventKind(
  'its.ite',
  [itsEvent],
  'The ITS accessed an interrupt translation table entry.',
  { write: 'flag', valid: 'flag', lpi: 'u', collection: 'u' },
  (state, e, at) => {
    const w = e.words;
    if (w[e.at + at.valid]) {
      state.setFlag(e.object, E.valid, true);
      state.set(e.object, E.lpi, w[e.at + at.lpi]!);
      state.set(e.object, E.collection, w[e.at + at.collection]!);
    } else {
      unmap(state, e.object);
    }
  },
);

export const itsCte = eventKind(
  'its.cte',
  [itsCollection],
  'The ITS accessed a collection table entry.',
  { write: 'flag', valid: 'flag', target: 'u' },
  (state, e, at) => {
    const w = e.words;
    state.setFlag(e.object, itsCollection.at.valid, w[e.at + at.valid] !== 0);
    if (w[e.at + at.valid]) state.set(e.object, itsCollection.at.target, w[e.at + at.target]!);
    else state.forget(e.object, itsCollection.at.target);
  },
);

/** The ITS refused a command or a translation. Object: the ITT entry, or the ITS. */
export const itsError = eventKind(
  'its.error',
  [its, itsDevice, itsEvent],
  'The ITS refused a command or a translation.',
  { text: 's' },
  (state, e) => {
    counted(state, e.object, its.at.errors);
  },
);

/** A GICv2m frame was seen at work. Object: the frame. */
export const gicFrameSeen = eventKind(
  'gic.frame',
  [gicFrame],
  'A GICv2m frame answered the first message that was written to it.',
  { doorbell: 'xx' },
  (state, e, at) => {
    state.set(e.object, gicFrame.at.doorbell, e.words[e.at + at.doorbell]!);
    state.set(e.object, gicFrame.at.doorbell + 1, e.words[e.at + at.doorbell + 1]!);
  },
);

/** A doorbell became known. Object: the ITS. */
export const itsDoorbell = eventKind(
  'its.doorbell',
  [its],
  'Where GITS_TRANSLATER lies.',
  { address: 'xx' },
  (state, e, at) => {
    state.set(e.object, its.at.doorbell, e.words[e.at + at.address]!);
    state.set(e.object, its.at.doorbell + 1, e.words[e.at + at.address + 1]!);
  },
);

/** Configuration of an LPI, `gic/<n>/lpi/<INTID>`. */
export const lpiWrite = eventKind(
  'lpi.config',
  [lpiConfig],
  'Software wrote the configuration byte of an LPI in memory; the redistributor need not know before an INV.',
  { enabled: 'flag', priority: 'x' },
  (state, e, at) => {
    state.setFlag(e.object, lpiConfig.at.enabled, e.words[e.at + at.enabled] !== 0);
    state.set(e.object, lpiConfig.at.priority, e.words[e.at + at.priority]!);
  },
);

export const lpiLoad = eventKind(
  'lpi.load',
  [lpiConfig],
  'The redistributor read the configuration byte of an LPI (INV, INVALL, or the first use of it).',
  {},
  (state, e) => {
    const enabled = state.flag(e.object, lpiConfig.at.enabled);
    if (enabled === undefined) state.forget(e.object, lpiConfig.at.cached);
    else state.setFlag(e.object, lpiConfig.at.cached, enabled);
  },
);

const S = smmuStream.at;

/** An access through an SMMU. Object: the stream. */
export const smmuTrans = eventKind(
  'smmu.trans',
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
  [smmuStream],
  'The stream table entry of a requester was set: which stages translate its accesses.',
  { config: 's' },
  (state, e, at) => state.set(e.object, S.config, e.words[e.at + at.config]!),
);

/** Stage 1 tables. Object: the mapping, `smmu/<n>/stream/<id>/s1/<hex iova>`. */
export const smmuMap = eventKind(
  'smmu.map',
  [ioasMap],
  'Whoever owns stage 1 of a stream (a guest, or the host kernel) mapped a range, or that was refused (negative errno).',
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
  [ioasMap],
  'Whoever owns stage 1 of a stream unmapped a range, or that was refused (negative errno).',
  { ret: 'i?' },
  (state, e, at, bit) => {
    if (!has(e, bit.ret) || e.words[e.at + at.ret] === 0) state.remove(e.object);
  },
);

export const itsEvents = [
  itsMapd,
  itsMapc,
  itsMapti,
  itsMovi,
  itsDiscard,
  itsInv,
  itsInt,
  itsCommand,
  itsTrans,
  itsDte,
  itsIte,
  itsCte,
  itsError,
  itsDoorbell,
  gicFrameSeen,
  lpiWrite,
  lpiLoad,
  smmuTrans,
  smmuBypass,
  smmuAbort,
  smmuFault,
  smmuConfig,
  smmuMap,
  smmuUnmap,
];
