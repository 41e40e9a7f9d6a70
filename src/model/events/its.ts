import type { ObjectId } from '../../base/ids.ts';
import { eventKind } from '../event.ts';
import type { State } from '../state.ts';
import { gicFrame, its, itsCollection, itsDevice, itsEvent, lpiConfig } from '../things/remap.ts';

const D = itsDevice.at;

const E = itsEvent.at;

/** The device of an ITT entry. */
const deviceOf = (state: State, entry: number): number =>
  state.world.object(itsDevice, state.world.node(entry)!.parent!.parent!.path);

/** Adds one to a counter of the ITS that an object belongs to. */
export function counted(state: State, object: ObjectId, cell: number): void {
  const path = state.world.path(object).split('/').slice(0, 2).join('/');
  state.count(state.world.object(its, path), cell);
}

function eachEvent(state: State, dev: ObjectId, use: (entry: number) => void): void {
  const children = state.world.node(dev)?.children.get('event')?.children;
  if (children) for (const node of children.values()) if (state.present(node.object)) use(node.object);
}

function setDevice(state: State, dev: ObjectId, valid: boolean, size: number, lo: number, hi: number): void {
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

export function unmap(state: State, entry: number): void {
  state.setFlag(entry, E.valid, false);
  state.forget(entry, E.lpi);
  state.forget(entry, E.collection);
  noVirtual(state, entry);
}

/** The entry maps no virtual LPI. */
function noVirtual(state: State, entry: number): void {
  for (const cell of [E.vpe, E.vlpi, E.vdoorbell]) state.forget(entry, cell);
}

/** Commands of an ITS (Arm IHI 0069, chapter 5). Object: what the command works on. */
export const itsMapd = eventKind(
  'its.mapd',
  'configure',
  [itsDevice],
  'MAPD: a device gets its interrupt translation table, or loses it (valid 0).',
  { size: 'u', itt: 'xx', valid: 'flag' },
  (state, e, a) => {
    counted(state, e.object, its.at.commands);
    setDevice(state, e.object, a.valid, a.size, a.itt(0), a.itt(1));
  },
);

export const itsMapc = eventKind(
  'its.mapc',
  'configure',
  [itsCollection],
  'MAPC: a collection is mapped to a redistributor, or unmapped (valid 0).',
  { target: 'u', valid: 'flag' },
  (state, e, a) => {
    counted(state, e.object, its.at.commands);
    state.setFlag(e.object, itsCollection.at.valid, a.valid);
    if (a.valid) state.set(e.object, itsCollection.at.target, a.target);
    else state.forget(e.object, itsCollection.at.target);
  },
);

export const itsMapti = eventKind(
  'its.mapti',
  'configure',
  [itsEvent],
  'MAPTI or MAPI: an EventID is mapped to an LPI and a collection.',
  { lpi: 'u', collection: 'u' },
  (state, e, a) => {
    counted(state, e.object, its.at.commands);
    if (state.flag(deviceOf(state, e.object), D.valid) === false) {
      counted(state, e.object, its.at.errors);
      return;
    }
    state.setFlag(e.object, E.valid, true);
    state.set(e.object, E.lpi, a.lpi);
    state.set(e.object, E.collection, a.collection);
    noVirtual(state, e.object);
  },
);

export const itsMovi = eventKind(
  'its.movi',
  'move',
  [itsEvent],
  'MOVI: an EventID is moved to another collection.',
  { collection: 'u' },
  (state, e, a) => {
    counted(state, e.object, its.at.commands);
    if (state.flag(e.object, E.valid) === false) counted(state, e.object, its.at.errors);
    else state.set(e.object, E.collection, a.collection);
  },
);

export const itsDiscard = eventKind(
  'its.discard',
  'configure',
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
  'invalidate',
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
  'raise',
  [itsEvent],
  'INT or CLEAR: software sets or clears the pending state of an EventID.',
  { set: 'flag' },
  (state, e) => {
    counted(state, e.object, its.at.commands);
    state.touch(e.object);
  },
);

/** A command in the queue of an ITS (Arm IHI 0069, 5.3.1). Object: the ITS. Only simulated traces tell this. */
export const itsQueue = eventKind(
  'its.queue',
  'store',
  [its],
  'Software put a command into the queue of an ITS, at a byte offset: its four doublewords. The ITS may take it later.',
  { name: 's', offset: 'x', dw0: 'xx', dw1: 'xx', dw2: 'xx', dw3: 'xx' },
  (state, e) => {
    state.count(e.object, its.at.queued);
  },
);

/** Commands without an effect on what is modelled. Object: the ITS. */
export const itsCommand = eventKind(
  'its.cmd',
  'configure',
  [its],
  'Another ITS command.',
  { name: 's', text: 's?' },
  (state, e) => {
    counted(state, e.object, its.at.commands);
  },
);

/** A write to GITS_TRANSLATER. Object: the ITT entry. */
export const itsTrans = eventKind(
  'its.trans',
  'translate',
  [itsEvent, itsDevice, its],
  'A doorbell write: EventID as data, DeviceID from the bus.',
  { device: 'x', event: 'x', size: 'u' },
  (state, e) => {
    counted(state, e.object, its.at.translations);
    if (state.world.type(e.object) === itsEvent) state.count(e.object, E.translations);
  },
);

/** The ITS read or wrote one of its tables. What it saw there is the true content. */
export const itsDteAccess = eventKind(
  'its.dte',
  'look',
  [itsDevice],
  'The ITS accessed a device table entry.',
  { write: 'flag', valid: 'flag', size: 'u', itt: 'xx' },
  (state, e, a) => {
    setDevice(state, e.object, a.valid, a.size, a.itt(0), a.itt(1));
  },
);

export const itsIteAccess = eventKind(
  'its.ite',
  'look',
  [itsEvent],
  'The ITS accessed an interrupt translation table entry.',
  { write: 'flag', valid: 'flag', lpi: 'u', collection: 'u' },
  (state, e, a) => {
    if (a.valid) {
      state.setFlag(e.object, E.valid, true);
      state.set(e.object, E.lpi, a.lpi);
      state.set(e.object, E.collection, a.collection);
    } else {
      unmap(state, e.object);
    }
  },
);

export const itsCteAccess = eventKind(
  'its.cte',
  'look',
  [itsCollection],
  'The ITS accessed a collection table entry.',
  { write: 'flag', valid: 'flag', target: 'u' },
  (state, e, a) => {
    state.setFlag(e.object, itsCollection.at.valid, a.valid);
    if (a.valid) state.set(e.object, itsCollection.at.target, a.target);
    else state.forget(e.object, itsCollection.at.target);
  },
);

/** The ITS refused a command or a translation. Object: the ITT entry, or the ITS. */
export const itsError = eventKind(
  'its.error',
  'fault',
  [its, itsDevice, itsEvent],
  'The ITS refused a command or a translation. `reason`: what it found, in words.',
  { text: 's', reason: 's?' },
  (state, e) => {
    counted(state, e.object, its.at.errors);
  },
);

/** A GICv2m frame was seen at work, or set up. Object: the frame. */
export const gicFrameSeen = eventKind(
  'gic.frame',
  'look',
  [gicFrame],
  'A GICv2m frame answered the first message that was written to it, or the kernel named its doorbell. `typer`: MSI_TYPER, where it was read.',
  { doorbell: 'xx', typer: 'x?' },
  (state, e, a) => {
    state.set(e.object, gicFrame.at.doorbell, a.doorbell(0));
    state.set(e.object, gicFrame.at.doorbell + 1, a.doorbell(1));
    if (a.typer !== undefined) state.set(e.object, gicFrame.at.typer, a.typer);
  },
);

/** A doorbell became known. Object: the ITS. */
export const itsDoorbell = eventKind(
  'its.doorbell',
  'look',
  [its],
  'Where GITS_TRANSLATER lies.',
  { address: 'xx' },
  (state, e, a) => {
    state.set(e.object, its.at.doorbell, a.address(0));
    state.set(e.object, its.at.doorbell + 1, a.address(1));
  },
);

/** Configuration of an LPI, `gic/<n>/lpi/<INTID>`. */
export const lpiWrite = eventKind(
  'lpi.config',
  'configure',
  [lpiConfig],
  'Software wrote the configuration byte of an LPI in memory; the redistributor need not know before an INV.',
  { enabled: 'flag', priority: 'x' },
  (state, e, a) => {
    state.setFlag(e.object, lpiConfig.at.enabled, a.enabled);
    state.set(e.object, lpiConfig.at.priority, a.priority);
  },
);

export const lpiLoad = eventKind(
  'lpi.load',
  'look',
  [lpiConfig],
  'The redistributor read the configuration byte of an LPI (INV, INVALL, or the first use of it).',
  {},
  (state, e) => {
    const enabled = state.flag(e.object, lpiConfig.at.enabled);
    if (enabled === undefined) state.forget(e.object, lpiConfig.at.cached);
    else state.setFlag(e.object, lpiConfig.at.cached, enabled);
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
  itsQueue,
  itsCommand,
  itsTrans,
  itsDteAccess,
  itsIteAccess,
  itsCteAccess,
  itsError,
  itsDoorbell,
  gicFrameSeen,
  lpiWrite,
  lpiLoad,
];
