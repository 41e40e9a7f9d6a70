import { FIRST_LPI, lpiConfig } from '../../model/registers/its.ts';
import type { OperationArg, OperationSpec, OperationValues } from '../operation.ts';
import type { Setup } from '../setup.ts';
import type { ItsCommand } from './its-command.ts';
import { itsUnits } from './units/its-units.ts';

const driver = { layer: 'irq-core', name: 'its-driver', cpu: 0 } as const;

export const DEVICE: OperationArg = {
  name: 'device',
  type: 'hex',
  min: 0,
  max: 0xffffffff,
  meaning: 'DeviceID (requester ID).',
};
export const EVENT: OperationArg = { name: 'event', type: 'number', min: 0, max: 0xffffffff, meaning: 'EventID.' };
const COLLECTION: OperationArg = {
  name: 'collection',
  type: 'number',
  min: 0,
  max: 0xffff,
  meaning: 'Collection (ICID).',
};
export const VALID: OperationArg = {
  name: 'valid',
  type: 'flag',
  default: true,
  meaning: 'V: map, or take the mapping back.',
};
const CPU = (name: string, meaning: string): OperationArg => ({ name, type: 'number', min: 0, max: 0xffff, meaning });

/** One operation of an ITS command. */
function command(
  op: ItsCommand['op'],
  title: string,
  meaning: string,
  args: readonly OperationArg[],
  order: (values: OperationValues) => ItsCommand,
): OperationSpec {
  return {
    name: `its.${op.toLowerCase()}`,
    title,
    meaning: `${op}: ${meaning} A command that is refused changes nothing; its error code is shown.`,
    on: ['its/*'],
    args,
    actor: driver,
    refuses: missingIts,
    *run(setup, object, values) {
      setup.use(itsUnits).at(object)!.its.command(order(values));
    },
  };
}

/** Why an ITS does not take a command; undefined: it does. */
export function missingIts(setup: Setup, object: string): string | undefined {
  const units = setup.find(itsUnits);
  if (!units) return 'the system has no ITS (platform.arch arm64, and platform.remap its)';
  if (units.at(object)) return undefined;
  const count = units.all.length;
  return `there is no ${object}: the system has ${count === 1 ? 'one ITS, its/0' : `${count} ITSs, from its/0 on`}`;
}

const notLpi = (object: string): string | undefined =>
  /^gic\/0\/lpi\/[1-9]\d{3,7}$/.test(object) && Number(object.split('/')[3]) >= FIRST_LPI
    ? undefined
    : `${object} is no LPI: gic/0/lpi/<INTID> from ${FIRST_LPI} on`;

const n = (value: OperationValues[string]): number => Number(value);

/** An operation on one EventID of a device. */
const onEvent = (op: 'DISCARD' | 'INV' | 'INT' | 'CLEAR', title: string, meaning: string): OperationSpec =>
  command(op, title, meaning, [DEVICE, EVENT], (v) => ({ op, device: n(v['device']), event: n(v['event']) }));

/** Commands of an ITS, legal or not; and the configuration of LPIs. */
export const itsOperations: readonly OperationSpec[] = [
  command(
    'MAPD',
    'Map a device',
    'a device gets its translation table, or loses it with all that is mapped in it.',
    [
      DEVICE,
      { name: 'size', type: 'number', min: 0, max: 31, default: 1, meaning: 'EventID bits minus one.' },
      { name: 'itt', type: 'hex', min: 0, default: 0, meaning: 'Address of the table, a multiple of 256.' },
      VALID,
    ],
    (v) => ({ op: 'MAPD', device: n(v['device']), size: n(v['size']), itt: n(v['itt']), valid: v['valid'] === true }),
  ),
  command(
    'MAPC',
    'Map a collection',
    'a collection leads to a processor, or nowhere.',
    [COLLECTION, CPU('target', 'Processor.'), VALID],
    (v) => ({ op: 'MAPC', collection: n(v['collection']), target: n(v['target']), valid: v['valid'] === true }),
  ),
  command(
    'MAPTI',
    'Map an EventID',
    'an EventID of a device raises an LPI at the processor of a collection.',
    [
      DEVICE,
      EVENT,
      { name: 'lpi', type: 'number', min: 0, max: 0xffffffff, meaning: 'INTID, 8192 or more.' },
      COLLECTION,
    ],
    (v) => ({
      op: 'MAPTI',
      device: n(v['device']),
      event: n(v['event']),
      lpi: n(v['lpi']),
      collection: n(v['collection']),
    }),
  ),
  command(
    'MAPI',
    'Map an EventID to the INTID of its own number',
    'MAPTI with the EventID as INTID.',
    [DEVICE, EVENT, COLLECTION],
    (v) => ({ op: 'MAPI', device: n(v['device']), event: n(v['event']), collection: n(v['collection']) }),
  ),
  command(
    'MOVI',
    'Move an EventID',
    'an EventID goes to another collection, with its pending state.',
    [DEVICE, EVENT, COLLECTION],
    (v) => ({ op: 'MOVI', device: n(v['device']), event: n(v['event']), collection: n(v['collection']) }),
  ),
  onEvent('DISCARD', 'Discard an EventID', 'an EventID is unmapped and its pending state dropped.'),
  onEvent('INV', 'Invalidate an EventID', 'the redistributor reads the configuration of the LPI again.'),
  onEvent('INT', 'Raise an EventID', 'software makes the LPI pend.'),
  onEvent('CLEAR', 'Clear an EventID', 'software takes the pending state back.'),
  command('INVALL', 'Invalidate a collection', 'as INV for every EventID of a collection.', [COLLECTION], (v) => ({
    op: 'INVALL',
    collection: n(v['collection']),
  })),
  command(
    'MOVALL',
    'Move what pends',
    'all that pends at one processor moves to another.',
    [CPU('from', 'Processor that it leaves.'), CPU('to', 'Processor that it goes to.')],
    (v) => ({ op: 'MOVALL', from: n(v['from']), to: n(v['to']) }),
  ),
  command(
    'SYNC',
    'Wait for a redistributor',
    'earlier commands have reached a processor when the ITS takes the next one.',
    [CPU('target', 'Processor.')],
    (v) => ({ op: 'SYNC', target: n(v['target']) }),
  ),
  {
    name: 'lpi.configure',
    title: 'Write the configuration of an LPI',
    meaning:
      'Software writes the enable bit and priority of an LPI in memory. The redistributor uses what it read before until an INV.',
    on: ['gic/*/lpi/*'],
    args: [
      { name: 'enabled', type: 'flag', meaning: 'Enable bit.' },
      { name: 'priority', type: 'hex', min: 0, max: 0xfc, default: 0xa0, meaning: 'Bits 7:2 of the byte, in place.' },
    ],
    actor: driver,
    refuses: (setup, object) => missingIts(setup, 'its/0') ?? notLpi(object),
    *run(setup, object, { enabled, priority }) {
      setup
        .use(itsUnits)
        .gic.configure(Number(object.split('/')[3]), enabled === true, Number(priority) & lpiConfig.f.priority.mask);
    },
  },
];
