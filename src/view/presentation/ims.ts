import { imsControl } from '../../model/registers/ims.ts';
import { postedControl } from '../../model/registers/posted.ts';
import type { State } from '../../model/state.ts';
import type * as things from '../../model/things/ims.ts';
import { grant, imsEntry, ioas, ioasMap, piDescriptor, queue, vmsi } from '../../model/things/ims.ts';
import { OFF, ON, UNKNOWN as UNKNOWN_VALUE } from '../lanes/values.ts';
import { messageTarget, UNKNOWN } from '../values.ts';
import { bitLayer, flagLayer, pending, strip } from './layer.ts';
import type { Presentation, PresentationsOf } from './presentation.ts';
import { counted, join, key, list, told, wide } from './words.ts';

/** The mask bit of an entry; undefined when it is not known. */
const maskBit = (state: State, entry: number): boolean | undefined =>
  imsControl.f.mask.flag(state, entry, imsEntry.at.control);
const isPending = (state: State, entry: number): boolean => state.flag(entry, imsEntry.at.pending) === true;

const entryView: Presentation = {
  unit: ['entry', 'entries'],
  label: (segment) => `entry ${segment}`,
  alone: (segment) => `IMS ${segment}`,
  icon: 'bell',
  signal: (state, object) => {
    const masked = maskBit(state, object);
    if (isPending(state, object)) return 'bell-dot';
    return masked === undefined ? 'question' : masked ? 'bell-slash' : 'bell';
  },
  describe: (state, object) => {
    const masked = maskBit(state, object);
    const pasid = imsControl.f.pasid.get(state, object, imsEntry.at.control);
    const target = messageTarget(state, object, imsEntry.at.address, imsEntry.at.data);
    return join(
      `${key(state, object, 'address')} / ${key(state, object, 'data')}`,
      list(
        masked === undefined ? 'mask ?' : masked ? 'masked' : 'unmasked',
        isPending(state, object) && 'pending',
        pasid > 0 && `PASID ${pasid}`,
        state.text(object, imsEntry.at.store),
      ),
      target !== '' && `→ ${target}`,
    );
  },
  layers: [
    bitLayer({ name: 'mask', on: 'masked', off: 'open', style: 'mask' }, imsControl.f.mask, imsEntry.at.control),
    strip(flagLayer(pending, imsEntry.at.pending)),
  ],
};

const queueView: Presentation = {
  unit: ['queue', 'queues'],
  label: (segment) => `queue ${segment}`,
  icon: 'list-ordered',
  describe: (state, object) =>
    list(
      state.text(object, queue.at.state),
      state.text(object, queue.at.front),
      told('PASID', state.num(object, queue.at.pasid)),
      counted(state, object, queue.at.failed, 'failure'),
    ),
  layers: [
    {
      name: 'queue',
      on: 'enabled',
      off: 'not enabled',
      style: 'hold',
      place: 'band',
      value: (state, object) => {
        const text = state.text(object, queue.at.state);
        return text === '' ? UNKNOWN_VALUE : text === 'enabled' ? ON : OFF;
      },
      cells: [queue.at.state],
    },
  ],
};

const { on, sn } = postedControl.f;

const descriptorView: Presentation = {
  unit: ['descriptor', 'descriptors'],
  label: () => 'Posted-interrupt descriptor',
  alone: () => 'posted descriptor',
  icon: 'mail',
  describe: (state, object) =>
    list(
      on.flag(state, object, piDescriptor.at.control) === true && 'notified',
      sn.flag(state, object, piDescriptor.at.control) === true && 'suppressed',
    ),
  layers: [
    bitLayer(
      { name: 'notification', on: 'suppressed', off: 'not suppressed', style: 'mask' },
      sn,
      piDescriptor.at.control,
    ),
    strip(
      bitLayer(
        { name: 'outstanding', on: 'outstanding', off: 'not outstanding', style: 'pending' },
        on,
        piDescriptor.at.control,
      ),
    ),
  ],
};

const mapView: Presentation = {
  unit: ['mapping', 'mappings'],
  label: (segment) => segment,
  alone: (segment) => `mapping of ${segment}`,
  icon: 'arrow-right',
  describe: (state, object) => `→ ${wide(state, object, ioasMap.at.output)}`,
  layers: [
    { name: 'mapped', on: 'mapped', off: 'not mapped', style: 'hold', place: 'band', value: () => ON, cells: [] },
  ],
};

/** IMS and what belongs to it: permission tables, queues, posted descriptors, address spaces, granted messages. */
export const imsPresentations: PresentationsOf<typeof things> = {
  imsEntry: entryView,
  permission: {
    unit: ['entry', 'entries'],
    label: (segment) => `entry ${segment}`,
    alone: (segment) => `permission ${segment}`,
    icon: 'key',
    describe: (state, object) => key(state, object, 'value'),
  },
  queue: queueView,
  piDescriptor: descriptorView,
  ioas: {
    unit: ['address space', 'address spaces'],
    label: (segment) => `IOAS ${segment}`,
    icon: 'map',
    describe: (state, object) => counted(state, object, ioas.at.maps, 'map') || '',
  },
  ioasMap: mapView,
  vmsi: {
    unit: ['address', 'addresses'],
    label: (segment) => `index ${segment}`,
    icon: 'arrow-right',
    describe: (state, object) => wide(state, object, vmsi.at.iova),
    layers: [
      flagLayer(
        { name: 'window', on: 'another address in the device', off: 'as given', style: 'stale' },
        vmsi.at.window,
      ),
    ],
  },
  grant: {
    unit: ['message', 'messages'],
    label: (segment) => `grant ${segment}`,
    icon: 'key',
    describe: (state, object) =>
      join(
        state.text(object, grant.at.device) || UNKNOWN,
        `${wide(state, object, grant.at.address)} / ${key(state, object, 'data')}`,
      ),
  },
};
