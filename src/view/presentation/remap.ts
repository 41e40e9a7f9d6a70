import type { ObjectId } from '../../base/ids.ts';
import { amdIrte128 } from '../../model/registers/amd.ts';
import { vtdIrte } from '../../model/registers/vtd.ts';
import type { State } from '../../model/state.ts';
import type * as things from '../../model/things/remap.ts';
import {
  amdIrte,
  gicFrame,
  irte,
  its,
  itsCollection,
  itsDevice,
  itsEvent,
  itsVpe,
  lpiConfig,
  remapUnit,
  smmuStream,
} from '../../model/things/remap.ts';
import { UNKNOWN } from '../values.ts';
import { bitLayer, flagLayer, mapped, present, stale, strip } from './layer.ts';
import type { Presentation, PresentationsOf } from './presentation.ts';
import { counted, flag, key, list, many, number, numbered, wide } from './words.ts';

const unitView: Presentation = {
  unit: ['unit', 'units'],
  label: (segment) => `Interrupt remapping ${segment}`,
  alone: (segment) => (/^\d+$/.test(segment) ? `unit ${segment}` : segment),
  detail: (state, object) => state.text(object, remapUnit.at.kind),
  icon: 'shield',
  describe: (state, object) => {
    const enabled = state.flag(object, remapUnit.at.enabled);
    return list(
      state.text(object, remapUnit.at.kind),
      enabled !== undefined && (enabled ? 'on' : 'off'),
      counted(state, object, remapUnit.at.requests, 'request'),
      counted(state, object, remapUnit.at.faults, 'fault'),
    );
  },
  layers: [flagLayer({ name: 'remapping', on: 'on', off: 'off', style: 'hold' }, remapUnit.at.enabled)],
};

/** Where an entry that is present leads. */
function routeOf(state: State, object: ObjectId): string {
  const vector = key(state, object, 'vector');
  if (flag(state, object, 'posted') === true) return `posted, virtual vector ${vector}`;
  return `vector ${vector} to APIC id ${key(state, object, 'dest')}`;
}

/** What is known of the entry itself; `table` is the cell that says in which table it was written. */
function presenceOf(state: State, object: ObjectId, table: number): string {
  const is = flag(state, object, 'present');
  if (is !== null) return is ? routeOf(state, object) : 'not present';
  return state.known(object, table) === 0xffffffff ? 'written, not read by the unit yet' : UNKNOWN;
}

const irteSignal = (state: State, object: ObjectId): string => {
  const is = flag(state, object, 'present');
  return is === null ? 'question' : is ? 'arrow-right' : 'circle-slash';
};

const irteView: Presentation = {
  unit: ['entry', 'entries'],
  label: (segment) => `IRTE ${numbered(segment)}`,
  alone: (segment) => `IRTE ${segment}`,
  icon: 'arrow-right',
  signal: irteSignal,
  describe: (state, object) =>
    list(
      presenceOf(state, object, irte.at.table),
      flag(state, object, 'present') === true && key(state, object, 'requester'),
      state.flag(object, irte.at.stale) === true && 'stale',
    ),
  layers: [bitLayer(present, vtdIrte.f.present, irte.at.value), strip(flagLayer(stale, irte.at.stale))],
};

const amdIrteView: Presentation = {
  ...irteView,
  describe: (state, object) =>
    list(presenceOf(state, object, amdIrte.at.table), state.flag(object, amdIrte.at.stale) === true && 'stale'),
  layers: [bitLayer(present, amdIrte128.f.present, amdIrte.at.value), strip(flagLayer(stale, amdIrte.at.stale))],
};

const itsView: Presentation = {
  unit: ['ITS', 'ITSs'],
  label: (segment) => `ITS ${segment}`,
  icon: 'shield',
  describe: (state, object) =>
    list(
      counted(state, object, its.at.commands, 'command'),
      counted(state, object, its.at.translations, 'translation'),
      counted(state, object, its.at.errors, 'error'),
    ),
};

const itsDeviceView: Presentation = {
  unit: ['device', 'devices'],
  label: (segment) => `DeviceID ${segment}`,
  alone: (segment) => `device ${segment}`,
  icon: 'circuit-board',
  signal: (state, object) => (state.flag(object, itsDevice.at.valid) === false ? 'circle-slash' : 'circuit-board'),
  describe: (state, object) => {
    if (state.flag(object, itsDevice.at.valid) === false) return 'not mapped';
    const size = state.num(object, itsDevice.at.size);
    return list(size >= 0 && many(2 ** (size + 1), 'event'), `ITT ${wide(state, object, itsDevice.at.itt)}`);
  },
  layers: [flagLayer(mapped, itsDevice.at.valid)],
};

/** The processor that a collection of the ITS of an event leads to, or -1. */
function targetOf(state: State, event: number, collection: number): number {
  const unit = state.world.node(event)?.parent?.parent?.parent?.parent;
  const object = unit?.children.get('collection')?.children.get(String(collection))?.object ?? -1;
  return object < 0 ? -1 : state.num(object, itsCollection.at.target);
}

const itsEventView: Presentation = {
  unit: ['event', 'events'],
  label: (segment) => `event ${segment}`,
  detail: (state, object) => {
    const vlpi = state.num(object, itsEvent.at.vlpi);
    if (vlpi >= 0) return `virtual LPI ${vlpi}`;
    const lpi = state.num(object, itsEvent.at.lpi);
    return lpi < 0 ? '' : `LPI ${lpi}`;
  },
  icon: 'arrow-right',
  signal: (state, object) => (state.flag(object, itsEvent.at.valid) === false ? 'circle-slash' : 'arrow-right'),
  describe: (state, object) => {
    if (state.flag(object, itsEvent.at.valid) === false) return 'not mapped';
    const vpe = state.num(object, itsEvent.at.vpe);
    if (vpe >= 0) return `virtual LPI ${number(state.num(object, itsEvent.at.vlpi))} → vPE ${vpe}`;
    const collection = state.num(object, itsEvent.at.collection);
    const target = collection < 0 ? -1 : targetOf(state, object, collection);
    const where = `collection ${number(collection)}${target < 0 ? '' : ` (CPU ${target})`}`;
    return `LPI ${number(state.num(object, itsEvent.at.lpi))} → ${where}`;
  },
  layers: [flagLayer(mapped, itsEvent.at.valid)],
};

const itsCollectionView: Presentation = {
  unit: ['collection', 'collections'],
  label: (segment) => `collection ${segment}`,
  icon: 'symbol-array',
  describe: (state, object) =>
    state.flag(object, itsCollection.at.valid) === false
      ? 'not mapped'
      : `→ CPU ${number(state.num(object, itsCollection.at.target))}`,
  layers: [flagLayer(mapped, itsCollection.at.valid)],
};

const itsVpeView: Presentation = {
  unit: ['vPE', 'vPEs'],
  label: (segment) => `vPE ${segment}`,
  icon: 'vm',
  describe: (state, object) => {
    if (state.flag(object, itsVpe.at.valid) === false) return 'not mapped';
    const resident = state.flag(object, itsVpe.at.resident);
    return list(
      `→ CPU ${number(state.num(object, itsVpe.at.target))}`,
      resident === undefined ? UNKNOWN : resident ? 'resident' : 'not resident',
    );
  },
  layers: [
    flagLayer(mapped, itsVpe.at.valid),
    strip(flagLayer({ name: 'resident', on: 'resident', off: 'not resident', style: 'hold' }, itsVpe.at.resident)),
  ],
};

const lpiView: Presentation = {
  unit: ['LPI', 'LPIs'],
  label: (segment) => `LPI ${segment}`,
  icon: 'zap',
  signal: (state, object) => (state.flag(object, lpiConfig.at.enabled) === false ? 'bell-slash' : 'zap'),
  describe: (state, object) => {
    const enabled = state.flag(object, lpiConfig.at.enabled);
    return list(
      enabled === undefined ? UNKNOWN : enabled ? 'enabled' : 'disabled',
      state.flag(object, lpiConfig.at.cached) !== enabled && 'not yet read by the redistributor',
    );
  },
  layers: [flagLayer({ name: 'enabled', on: 'enabled', off: 'disabled', style: 'hold' }, lpiConfig.at.enabled)],
};

const streamView: Presentation = {
  unit: ['stream', 'streams'],
  label: (segment) => `stream ${segment}`,
  icon: 'arrow-swap',
  signal: (state, object) => (state.get(object, smmuStream.at.faults) > 0 ? 'warning' : 'arrow-swap'),
  describe: (state, object) =>
    list(
      counted(state, object, smmuStream.at.translations, 'translation'),
      counted(state, object, smmuStream.at.aborts, 'abort'),
      counted(state, object, smmuStream.at.faults, 'fault'),
    ),
};

/** Interrupt remapping, ITS and SMMU. */
export const remapPresentations: PresentationsOf<typeof things> = {
  remapUnit: unitView,
  irte: irteView,
  amdIrte: amdIrteView,
  its: itsView,
  itsDevice: itsDeviceView,
  itsEvent: itsEventView,
  itsCollection: itsCollectionView,
  itsVpe: itsVpeView,
  lpiConfig: lpiView,
  gicFrame: {
    unit: ['frame', 'frames'],
    label: (segment) => `frame ${segment}`,
    icon: 'inbox',
    describe: (state, object) => `doorbell ${wide(state, object, gicFrame.at.doorbell)}`,
  },
  smmuStream: streamView,
};
