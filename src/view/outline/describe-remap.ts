import type { State } from '../../model/state.ts';
import {
  amdIrte,
  irte,
  its,
  itsCollection,
  itsDevice,
  itsEvent,
  lpiConfig,
  remapUnit,
  smmuStream,
} from '../../model/things/remap.ts';
import { counted, type Describers, flag, key, list, number, numbered, type Summary, text, wide } from './describe.ts';
import { UNKNOWN } from './values.ts';

function describeIrte(state: State, object: number, segment: string): Summary {
  const present = flag(state, object, 'present');
  const posted = flag(state, object, 'posted') === true;
  const type = state.world.type(object);
  const stale = state.flag(object, type === amdIrte ? amdIrte.at.stale : irte.at.stale) === true;
  const table = type === amdIrte ? amdIrte.at.table : irte.at.table;
  const written = state.known(object, table) === 0xffffffff;
  const route = `vector ${key(state, object, 'vector')} to APIC id ${key(state, object, 'dest')}`;
  return {
    label: `IRTE ${numbered(segment)}`,
    description: list(
      present === null
        ? written
          ? 'written, not read by the unit yet'
          : UNKNOWN
        : !present
          ? 'not present'
          : posted
            ? `posted, virtual vector ${key(state, object, 'vector')}`
            : route,
      type === irte && present === true && key(state, object, 'requester'),
      stale && 'stale',
    ),
    icon: present === null ? 'question' : present ? 'arrow-right' : 'circle-slash',
  };
}

function describeItsEvent(state: State, object: number, segment: string): Summary {
  const valid = state.flag(object, itsEvent.at.valid);
  const id = state.num(object, itsEvent.at.collection);
  const unit = state.world.node(object)?.parent?.parent?.parent?.parent;
  const collection = id < 0 ? -1 : (unit?.children.get('collection')?.children.get(String(id))?.object ?? -1);
  const target = collection < 0 ? -1 : state.num(collection, itsCollection.at.target);
  return {
    label: `event ${segment}`,
    description:
      valid === false
        ? 'not mapped'
        : `LPI ${number(state.num(object, itsEvent.at.lpi))} → collection ${number(id)}${target < 0 ? '' : ` (CPU ${target})`}`,
    icon: valid === false ? 'circle-slash' : 'arrow-right',
  };
}

/** Interrupt remapping, ITS and SMMU. */
export const remapDescribers: Describers = [
  [
    remapUnit,
    (s, o, segment) => ({
      label: `Interrupt remapping ${segment}`,
      description: list(
        text(s, o, remapUnit.at.kind),
        s.flag(o, remapUnit.at.enabled) === true ? 'on' : s.flag(o, remapUnit.at.enabled) === false && 'off',
        counted(s, o, remapUnit.at.requests, 'request'),
        counted(s, o, remapUnit.at.faults, 'fault'),
      ),
      icon: 'shield',
    }),
  ],
  [irte, describeIrte],
  [amdIrte, describeIrte],
  [
    its,
    (s, o, segment) => ({
      label: `ITS ${segment}`,
      description: list(
        counted(s, o, its.at.commands, 'command'),
        counted(s, o, its.at.translations, 'translation'),
        counted(s, o, its.at.errors, 'error'),
      ),
      icon: 'shield',
    }),
  ],
  [
    itsDevice,
    (s, o, segment) => {
      const valid = s.flag(o, itsDevice.at.valid);
      const size = s.num(o, itsDevice.at.size);
      return {
        label: `DeviceID ${segment}`,
        description: list(
          valid === false && 'not mapped',
          valid !== false && size >= 0 && `${2 ** (size + 1)} events`,
          valid !== false && `ITT ${wide(s, o, itsDevice.at.itt)}`,
        ),
        icon: valid === false ? 'circle-slash' : 'circuit-board',
      };
    },
  ],
  [itsEvent, describeItsEvent],
  [
    lpiConfig,
    (s, o, segment) => {
      const enabled = s.flag(o, lpiConfig.at.enabled);
      const cached = s.flag(o, lpiConfig.at.cached);
      return {
        label: `LPI ${segment}`,
        description: list(
          enabled === undefined ? UNKNOWN : enabled ? 'enabled' : 'disabled',
          cached !== enabled && 'not yet read by the redistributor',
        ),
        icon: enabled === false ? 'bell-slash' : 'zap',
      };
    },
  ],
  [
    itsCollection,
    (s, o, segment) => ({
      label: `collection ${segment}`,
      description:
        s.flag(o, itsCollection.at.valid) === false
          ? 'not mapped'
          : `→ CPU ${number(s.num(o, itsCollection.at.target))}`,
      icon: 'symbol-array',
    }),
  ],
  [
    smmuStream,
    (s, o, segment) => ({
      label: `stream ${segment}`,
      description: list(
        counted(s, o, smmuStream.at.translations, 'translation'),
        counted(s, o, smmuStream.at.aborts, 'abort'),
        counted(s, o, smmuStream.at.faults, 'fault'),
      ),
      icon: s.get(o, smmuStream.at.faults) > 0 ? 'warning' : 'arrow-swap',
    }),
  ],
];
