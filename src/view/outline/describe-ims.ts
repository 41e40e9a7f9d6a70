import type { State } from '../../model/state.ts';
import { grant, imsEntry, ioas, ioasMap, permission, piDescriptor, queue, vmsi } from '../../model/things/ims.ts';
import { ntbCopy, pasidEntry, queueUser } from '../../model/things/queue.ts';
import { counted, type Describers, join, key, list, type Summary, text, wide } from './describe.ts';
import { messageTarget, registerField, UNKNOWN } from './values.ts';

function describeIms(state: State, object: number, segment: string): Summary {
  const masked = registerField(state, object, 'control', 'mask') ?? null;
  const pending = state.flag(object, imsEntry.at.pending) === true;
  const pasid = registerField(state, object, 'control', 'pasid') ?? null;
  const target = messageTarget(state, object, imsEntry.at.address, imsEntry.at.data);
  return {
    label: `entry ${segment}`,
    description: join(
      `${key(state, object, 'address')} / ${key(state, object, 'data')}`,
      list(
        masked === null ? 'mask ?' : masked ? 'masked' : 'unmasked',
        pending && 'pending',
        pasid !== null && pasid !== 0 && `PASID ${pasid}`,
        text(state, object, imsEntry.at.store),
      ),
      target !== '' && `→ ${target}`,
    ),
    icon: pending ? 'bell-dot' : masked === null ? 'question' : masked ? 'bell-slash' : 'bell',
  };
}

/** IMS and what belongs to it: permission tables, queues, posted descriptors, address spaces, granted messages. */
export const imsDescribers: Describers = [
  [imsEntry, describeIms],
  [permission, (s, o, segment) => ({ label: `entry ${segment}`, description: key(s, o, 'value'), icon: 'key' })],
  [
    queue,
    (s, o, segment) => {
      const pasid = s.num(o, queue.at.pasid);
      return {
        label: `queue ${segment}`,
        description: list(
          text(s, o, queue.at.state),
          text(s, o, queue.at.front),
          pasid >= 0 && `PASID ${pasid}`,
          counted(s, o, queue.at.failed, 'failure'),
        ),
        icon: 'list-ordered',
      };
    },
  ],
  [
    queueUser,
    (s, o, segment) => ({
      label: `PASID ${segment}`,
      description: list(text(s, o, queueUser.at.front), text(s, o, queueUser.at.owner)),
      icon: 'person',
    }),
  ],
  [
    pasidEntry,
    (s, o, segment) => ({
      label: `PASID ${segment}`,
      description: join(text(s, o, pasidEntry.at.owner), `→ ${text(s, o, pasidEntry.at.table) || UNKNOWN}`),
      icon: 'key',
    }),
  ],
  [
    ntbCopy,
    (s, o, segment) => ({
      label: `descriptor ${segment}`,
      description: join(`${key(s, o, 'offset')} / ${key(s, o, 'data')}`, counted(s, o, ntbCopy.at.triggers, 'trigger')),
      icon: 'link-external',
    }),
  ],
  [
    piDescriptor,
    (s, o) => ({
      label: 'Posted-interrupt descriptor',
      description: list(
        registerField(s, o, 'control', 'on') === true && 'notified',
        registerField(s, o, 'control', 'sn') === true && 'suppressed',
      ),
      icon: 'mail',
    }),
  ],
  [
    ioas,
    (s, o, segment) => ({
      label: `IOAS ${segment}`,
      description: counted(s, o, ioas.at.maps, 'map') || '',
      icon: 'map',
    }),
  ],
  [
    ioasMap,
    (s, o, segment) => ({ label: segment, description: `→ ${wide(s, o, ioasMap.at.output)}`, icon: 'arrow-right' }),
  ],
  [
    vmsi,
    (s, o, segment) => ({ label: `index ${segment}`, description: wide(s, o, vmsi.at.iova), icon: 'arrow-right' }),
  ],
  [
    grant,
    (s, o, segment) => ({
      label: `grant ${segment}`,
      description: join(
        text(s, o, grant.at.device) || UNKNOWN,
        `${wide(s, o, grant.at.address)} / ${key(s, o, 'data')}`,
      ),
      icon: 'key',
    }),
  ],
];
