import type { OperationArg, OperationSpec } from '../operation.ts';
import type { Setup } from '../setup.ts';
import { type QueueFrontEnds, queueFrontEnds } from './front-ends.ts';
import type { FrontEnd } from './queues.ts';
import { revocation } from './revocation.ts';

const user = { layer: 'user', name: 'operator', cpu: 0 } as const;

const OWNER: OperationArg = {
  name: 'owner',
  type: 'text',
  default: 'process/1000',
  meaning: 'Who asks, as kind/name: process/1000, mdev/vm0, kernel/idxd, netdev/eth0.',
};
const FRONT: OperationArg = {
  name: 'front',
  type: 'choice',
  choices: ['cdev', 'vfio', 'kernel'],
  default: 'cdev',
  meaning: 'Through which interface: a user interface, or the kernel itself.',
};
const AS_OWNER: OperationArg = {
  name: 'owner',
  type: 'text',
  optional: true,
  meaning: 'The requester; by default the creator of the queue.',
};
const AS_FRONT: OperationArg = {
  name: 'front',
  type: 'choice',
  choices: ['cdev', 'vfio', 'kernel'],
  optional: true,
  meaning: 'Through which user interface; the one that it was created through when absent.',
};
const PASID = (optional: boolean, meaning: string): OperationArg => ({
  name: 'pasid',
  type: 'number',
  min: 0,
  max: 0xfffff,
  optional,
  meaning,
});

function frontsOf(setup: Setup, object: string): QueueFrontEnds | undefined {
  return setup.find(queueFrontEnds)?.get(object.split('/')[1] ?? '');
}

const refuses = (setup: Setup, object: string): string | undefined => {
  const fronts = frontsOf(setup, object);
  if (!fronts) return `the system has no function ${object.split('/')[1]} with queues`;
  const n = object.split('/')[3];
  return n === undefined || /^\d{1,7}$/.test(n) ? undefined : `${object} is no queue: its number is decimal`;
};

/** The queue that an operation is done to, and who asks. */
function target(setup: Setup, object: string, values: Readonly<Record<string, unknown>>) {
  const fronts = frontsOf(setup, object)!;
  const n = Number(object.split('/')[3]);
  const { queues } = fronts;
  const front = (values['front'] as FrontEnd | undefined) ?? queues.front(n);
  const owner = (values['owner'] as string | undefined) ?? (queues.owner(n) || 'process/1000');
  return { fronts, queues, n, front, owner };
}

const QUEUE = ['device/*/queue/*'];
const FUNCTION = ['device/*'];

/** Operations on queues and PASIDs. */
export const queueOperations: readonly OperationSpec[] = [
  {
    name: 'pasid.bind',
    title: 'Bind a PASID',
    meaning:
      'The IOMMU driver points an entry of the PASID table of the function at an I/O page table. -EBUSY when it is in use.',
    on: FUNCTION,
    args: [
      PASID(false, 'PASID, 1 to 0xfffff.'),
      OWNER,
      {
        name: 'table',
        type: 'text',
        optional: true,
        meaning: 'I/O page table; that of the owner when absent: it mirrors the page table of the process.',
      },
    ],
    actor: user,
    refuses,
    *run(setup, object, { pasid, owner, table }) {
      const { pasids } = frontsOf(setup, object)!.queues;
      pasids.bind(Number(pasid), String(owner), table === undefined ? `mm/${String(owner)}` : String(table));
    },
  },
  {
    name: 'pasid.unbind',
    title: 'Clear a PASID',
    meaning: 'The IOMMU driver clears an entry of the PASID table. Work that still carries the PASID faults (0x59).',
    on: FUNCTION,
    args: [PASID(false, 'PASID.')],
    actor: user,
    refuses,
    *run(setup, object, { pasid }) {
      frontsOf(setup, object)!.queues.pasids.unbind(Number(pasid));
    },
  },
  {
    name: 'handle.revoke',
    title: 'Revoke interrupt handles',
    meaning:
      'The function revokes all of its interrupt handles (INTCAUSE bit 31). Descriptors that name one complete with status 0x19 until the driver requested it again (policy handleCommand).',
    on: FUNCTION,
    args: [],
    actor: user,
    refuses,
    *run(setup, object) {
      const { queues } = frontsOf(setup, object)!;
      const { machine, handles, fn, core } = queues;
      machine.as(fn.actor, () => handles.revoke());
      machine.spawn(core, revocation(queues));
    },
  },
  {
    name: 'queue.create',
    title: 'Create a queue',
    meaning: 'Asks the function for queues. -ENOSPC above its limits, -EPERM for a privilege that only the kernel has.',
    on: FUNCTION,
    args: [
      FRONT,
      OWNER,
      { name: 'privileged', type: 'flag', default: false, meaning: 'Descriptors may act with supervisor privilege.' },
      { name: 'shared', type: 'flag', default: false, meaning: 'Several PASIDs may submit to it.' },
      { name: 'count', type: 'number', min: 1, max: 1_000_000, default: 1, meaning: 'How many; stops when refused.' },
    ],
    actor: user,
    refuses,
    *run(setup, object, { front, owner, privileged, shared, count }) {
      const fronts = frontsOf(setup, object)!;
      const request = {
        front: front as FrontEnd,
        owner: String(owner),
        privileged: privileged === true,
        shared: shared === true,
      };
      for (let i = 0; i < Number(count); i++) if ((yield* fronts.create(request)) < 0) return;
    },
  },
  {
    name: 'queue.open',
    title: 'Open a queue',
    meaning: 'Create, bind to a PASID, get an interrupt if asked for, enable: the whole way of a user to a queue.',
    on: FUNCTION,
    args: [
      FRONT,
      OWNER,
      PASID(false, 'PASID of the owner.'),
      { name: 'interrupt', type: 'flag', default: true, meaning: 'Whether it gets an IMS interrupt.' },
      { name: 'shared', type: 'flag', default: false, meaning: 'Several PASIDs may submit to it.' },
      { name: 'count', type: 'number', min: 1, max: 1_000_000, default: 1, meaning: 'How many; stops when refused.' },
    ],
    actor: user,
    refuses,
    *run(setup, object, { front, owner, pasid, interrupt, shared, count }) {
      const fronts = frontsOf(setup, object)!;
      const request = { front: front as FrontEnd, owner: String(owner), shared: shared === true };
      for (let i = 0; i < Number(count); i++)
        if ((yield* fronts.open(request, Number(pasid), interrupt === true)) < 0) return;
    },
  },
  {
    name: 'queue.bind',
    title: 'Bind the queue to a PASID',
    meaning:
      'Binds the queue to a PASID. -EPERM for the PASID of another owner, -EBUSY when the queue has one and is not shared.',
    on: QUEUE,
    args: [PASID(false, 'PASID.'), AS_FRONT, AS_OWNER],
    actor: user,
    refuses,
    *run(setup, object, values) {
      const { fronts, n, front, owner } = target(setup, object, values);
      yield* fronts.bind(front, owner, n, Number(values['pasid']));
    },
  },
  {
    name: 'queue.interrupt',
    title: 'Get an interrupt for the queue',
    meaning: 'Allocates an IMS interrupt for a user of the queue. Refused (-EPERM) while the queue has no PASID.',
    on: QUEUE,
    args: [
      PASID(true, 'Which user of the queue; the first when absent.'),
      AS_FRONT,
      AS_OWNER,
      {
        name: 'label',
        type: 'text',
        optional: true,
        meaning: 'Who the interrupt belongs to, as kind/name; the queue when absent.',
      },
    ],
    actor: user,
    refuses,
    *run(setup, object, values) {
      const { fronts, n, front, owner } = target(setup, object, values);
      const { pasid, label } = values;
      yield* fronts.interrupt(front, owner, n, pasid as number | undefined, label as string | undefined);
    },
  },
  {
    name: 'queue.enable',
    title: 'Enable the queue',
    meaning: 'From now on it takes descriptors. -EINVAL before it has a PASID.',
    on: QUEUE,
    args: [AS_FRONT, AS_OWNER],
    actor: user,
    refuses,
    *run(setup, object, values) {
      const { fronts, n, front, owner } = target(setup, object, values);
      yield* fronts.enable(front, owner, n);
    },
  },
  {
    name: 'queue.submit',
    title: 'Submit a descriptor',
    meaning:
      'The user writes a descriptor to the portal of the queue, no kernel involved. Not taken (-EINVAL) before it is enabled, -EAGAIN when full. With a handle of another PASID it completes with status 0x19 and no interrupt.',
    on: QUEUE,
    args: [
      PASID(true, 'PASID that the submission carries; that of the first user when absent.'),
      {
        name: 'handle',
        type: 'number',
        min: 0,
        max: 0xffff,
        optional: true,
        meaning: 'Interrupt handle; the one of the user when absent.',
      },
      { name: 'interrupt', type: 'flag', default: true, meaning: 'Whether its completion interrupts.' },
      { name: 'record', type: 'hex', default: '0x7f0000001000', meaning: 'Address of the completion record.' },
    ],
    actor: user,
    refuses,
    *run(setup, object, values) {
      const { fronts, queues, n } = target(setup, object, values);
      const pasid = (values['pasid'] as number | undefined) ?? queues.users(n)[0] ?? 0;
      const own = queues.handle(n, pasid);
      const handle = (values['handle'] as number | undefined) ?? (own >= 0 ? own : undefined);
      const descriptor = {
        pasid,
        handle: values['interrupt'] === true ? handle : undefined,
        record: Number(values['record']),
      };
      const { front, owner } = queues.submitter(n, pasid);
      queues.machine.as(fronts.actor(front, owner), () => queues.work.submit(n, descriptor));
    },
  },
  {
    name: 'queue.destroy',
    title: 'Destroy the queue',
    meaning:
      'Waits for the work that the queue holds, then gives its interrupts and PASIDs back. -EPERM if the requester is not its owner.',
    on: QUEUE,
    args: [AS_FRONT, AS_OWNER],
    actor: user,
    refuses,
    *run(setup, object, values) {
      const { fronts, n, front, owner } = target(setup, object, values);
      yield* fronts.destroy(front, owner, n);
    },
  },
];
