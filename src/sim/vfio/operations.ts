import { mark } from '../../model/events/notes.ts';
import { queueSubmit } from '../../model/events/queue.ts';
import { queue as queueType } from '../../model/things/ims.ts';
import { VFIO_INDEX } from '../../model/vfio-index.ts';
import { permissionFor } from '../device/completion-handles.ts';
import { errno } from '../irq/domain.ts';
import type { OperationSpec, OperationValues } from '../operation.ts';
import type { Setup } from '../setup.ts';
import { type AssignedDevice, assignedDevices } from './assigned-devices.ts';
import type { Eventfd } from './eventfd.ts';
import { eventfdsOf } from './eventfds.ts';
import { enableMsi } from './qemu-msi.ts';
import type { Vdcm } from './vdcm.ts';

const vmm = { layer: 'vmm', name: 'operator', cpu: 0 } as const;
const guest = { layer: 'guest-driver', name: 'operator', cpu: 0 } as const;
const hardware = { layer: 'device', name: 'operator', cpu: -1 } as const;

const DEVICE = ['vfio/*'];
const VECTOR = ['vfio/*/*/*'];

/** The assigned device whose path an object has or lies under. */
function assigned(setup: Setup, object: string): AssignedDevice | undefined {
  return setup.find(assignedDevices)?.get(object.split('/')[1] ?? '');
}

const noDevice = (setup: Setup, object: string): string | undefined =>
  assigned(setup, object) ? undefined : `no device ${object.split('/')[1]} is assigned`;

/** Index and number of an interrupt from its path. */
const interruptOf = (object: string): { readonly index: number; readonly vector: number } => {
  const [, , index, vector] = object.split('/');
  return { index: Number(index), vector: Number(vector) };
};

const noVector = (setup: Setup, object: string): string | undefined => {
  const at = assigned(setup, object);
  if (!at) return noDevice(setup, object);
  const { index, vector } = interruptOf(object);
  return vector < (at.device.spec.irqs[index] ?? 0) ? undefined : `${object} is no interrupt of the device`;
};

const noVdcm = (setup: Setup, object: string): string | undefined =>
  noDevice(setup, object) ?? (assigned(setup, object)!.vdcm ? undefined : 'the device is no IDXD device with IMS');

const vdcmOf = (setup: Setup, object: string): Vdcm => assigned(setup, object)!.vdcm!;

function fdsOf(setup: Setup, values: OperationValues): (Eventfd | number)[] | undefined {
  const { fds } = values;
  if (!Array.isArray(fds)) return undefined;
  return (fds as readonly number[]).map((fd) => (fd < 0 ? fd : eventfdsOf(setup).open(fd)));
}

/** Offset of the entry of a vector in the permission table of a device. */
function permissionOffset(vdcm: Vdcm, vector: number): number {
  return vdcm.spec.map.registers.find((r) => r.kind === 'trapped')!.offset + 8 * vector;
}

/** Operations on devices that are assigned through VFIO. */
export const vfioOperations: readonly OperationSpec[] = [
  {
    name: 'vfio.setIrqs',
    title: 'VFIO_DEVICE_SET_IRQS',
    meaning:
      'User space calls VFIO_DEVICE_SET_IRQS. A wrong argument returns -EINVAL; an action that the index does not have returns -ENOTTY; if there are too few vectors, the call returns how many are possible.',
    on: DEVICE,
    args: [
      {
        name: 'flags',
        type: 'hex',
        min: 0,
        max: 0xffffffff,
        meaning: 'Data: 1 none, 2 bool, 4 eventfd. Action: 8 mask, 0x10 unmask, 0x20 trigger.',
      },
      {
        name: 'index',
        type: 'number',
        min: 0,
        max: 0xffffffff,
        meaning: '0 INTx, 1 MSI, 2 MSI-X, 3 error, 4 request.',
      },
      { name: 'start', type: 'number', min: 0, max: 0xffffffff, default: 0, meaning: 'First interrupt.' },
      { name: 'count', type: 'number', min: 0, max: 0xffffffff, default: 1, meaning: 'How many.' },
      {
        name: 'fds',
        type: 'numbers',
        min: -1,
        max: 0xffff,
        optional: true,
        meaning: 'Eventfds, -1 for none. A number that is none yet becomes an eventfd that user space reads.',
      },
      { name: 'bools', type: 'numbers', min: 0, max: 1, optional: true, meaning: 'Values for data bool.' },
      {
        name: 'argsz',
        type: 'number',
        min: 0,
        max: 0xffffffff,
        optional: true,
        meaning: 'Bytes that user space says it passes; enough when absent.',
      },
    ],
    actor: vmm,
    refuses: noDevice,
    *run(setup, object, values) {
      const { flags, index, start, count, bools, argsz } = values;
      const fds = fdsOf(setup, values);
      yield* assigned(setup, object)!.device.setIrqs({
        flags: Number(flags),
        index: Number(index),
        start: Number(start),
        count: Number(count),
        ...(fds ? { fds } : {}),
        ...(Array.isArray(bools) ? { bools: bools as readonly number[] } : {}),
        ...(argsz === undefined ? {} : { argsz: Number(argsz) }),
      });
    },
  },
  {
    name: 'vfio.enableMsi',
    title: 'Enable MSI as QEMU does',
    meaning:
      'QEMU asks for so many MSI vectors. Where the answer is positive, so many are possible and none is on: it asks again for those. An errno ends it.',
    on: DEVICE,
    args: [{ name: 'count', type: 'number', min: 1, max: 32, default: 1, meaning: 'Vectors.' }],
    actor: vmm,
    refuses: noDevice,
    *run(setup, object, { count }) {
      yield* enableMsi(assigned(setup, object)!.device, eventfdsOf(setup), Number(count));
    },
  },
  {
    name: 'vfio.raise',
    title: 'Raise behind the vector',
    meaning:
      'The device has a cause for a vector of the guest: the entry that stands behind it sends, or software signals.',
    on: VECTOR,
    args: [],
    actor: hardware,
    refuses: (setup, object) =>
      noVector(setup, object) ??
      ([VFIO_INDEX.msi, VFIO_INDEX.msix].includes(interruptOf(object).index as 1 | 2)
        ? undefined
        : 'only MSI and MSI-X have entries; use vfio.intx or vfio.fire'),
    *run(setup, object) {
      const { index, vector } = interruptOf(object);
      assigned(setup, object)!.device.backendOf(index).raise(vector);
    },
  },
  {
    name: 'vfio.fire',
    title: 'Signal the eventfd',
    meaning: 'Software signals the eventfd of an interrupt: no irq of the host stands behind it.',
    on: VECTOR,
    args: [],
    actor: { layer: 'vfio', name: 'operator', cpu: 0 },
    refuses: noVector,
    *run(setup, object) {
      const { index, vector } = interruptOf(object);
      assigned(setup, object)!.device.fire(index, vector);
    },
  },
  {
    name: 'vfio.intx',
    title: 'Drive INTx',
    meaning: 'The device asserts or deasserts its INTx line. An interrupt masks itself; its server unmasks it.',
    on: DEVICE,
    args: [{ name: 'level', type: 'flag', meaning: 'Asserted.' }],
    actor: hardware,
    refuses: (setup, object) =>
      noDevice(setup, object) ??
      (assigned(setup, object)!.device.spec.irqs[0] > 0 ? undefined : 'the device has no INTx pin'),
    *run(setup, object, { level }) {
      assigned(setup, object)!.device.intx(level === true);
    },
  },
  {
    name: 'vfio.resample',
    title: 'Signal an eventfd',
    meaning: 'Signals an eventfd by number: a resample eventfd unmasks INTx.',
    on: DEVICE,
    args: [{ name: 'fd', type: 'number', min: 0, max: 0xffff, meaning: 'Eventfd.' }],
    actor: { layer: 'kvm', name: 'resample', cpu: 0 },
    refuses: (setup, object, { fd }) =>
      noDevice(setup, object) ??
      (eventfdsOf(setup).get(Number(fd)) ? undefined : `no eventfd has the number ${String(fd)}`),
    *run(setup, _object, { fd }) {
      eventfdsOf(setup).get(Number(fd))!.signal(0);
    },
  },
  {
    name: 'perm.write',
    title: 'Write the permission table',
    meaning:
      'The guest writes an entry of the MSI-X permission table: the PASID that descriptors must carry that name the vector. Trapped, it is copied to the IMS entry.',
    on: DEVICE,
    args: [
      { name: 'vector', type: 'number', min: 0, max: 2047, meaning: 'MSI-X vector.' },
      {
        name: 'pasid',
        type: 'hex',
        min: 0,
        max: 0xfffff,
        optional: true,
        meaning: 'PASID of the guest; absent: cleared.',
      },
    ],
    actor: guest,
    refuses: noVdcm,
    *run(setup, object, { vector, pasid }) {
      const vdcm = vdcmOf(setup, object);
      const value = pasid === undefined ? 0 : permissionFor(Number(pasid));
      yield* setup.machine.within(vdcm.spec.cpu, vdcm.access(permissionOffset(vdcm, Number(vector)), 4, value));
    },
  },
  {
    name: 'vfio.access',
    title: 'Access BAR 0',
    meaning:
      'The guest reads or writes BAR 0. In a mapped page only the device sees the access; in a hole the access exits.',
    on: DEVICE,
    args: [
      { name: 'offset', type: 'hex', min: 0, max: 0xfffc, meaning: 'Offset, a multiple of 4.' },
      { name: 'size', type: 'number', min: 4, max: 8, default: 4, meaning: 'Bytes.' },
      {
        name: 'value',
        type: 'hex',
        min: 0,
        max: 0xffffffff,
        optional: true,
        meaning: 'What is written; absent: a read.',
      },
    ],
    actor: guest,
    refuses: noVdcm,
    *run(setup, object, { offset, size, value }) {
      const vdcm = vdcmOf(setup, object);
      const at = Number(offset) & ~3;
      const access = value === undefined ? vdcm.access(at, Number(size)) : vdcm.access(at, Number(size), Number(value));
      yield* setup.machine.within(vdcm.spec.cpu, access);
    },
  },
  {
    name: 'vfio.bindPasid',
    title: 'Bind a PASID',
    meaning:
      'A PASID of the guest gets one of the host: permission entries that waited for it reach their IMS entries.',
    on: DEVICE,
    args: [
      { name: 'guest', type: 'hex', min: 1, max: 0xfffff, meaning: 'PASID of the guest.' },
      { name: 'host', type: 'hex', min: 1, max: 0xfffff, meaning: 'PASID of the host.' },
    ],
    actor: { layer: 'vfio', name: 'operator', cpu: 0 },
    refuses: noVdcm,
    *run(setup, object, { guest: from, host: to }) {
      yield* vdcmOf(setup, object).bindPasid(Number(from), Number(to));
    },
  },
  {
    name: 'vfio.submit',
    title: 'Submit a descriptor',
    meaning:
      'A process of the guest submits a descriptor to a queue. A handle that is not valid for its PASID completes with status 0x19, without an interrupt.',
    on: DEVICE,
    args: [
      { name: 'queue', type: 'number', min: 0, max: 127, default: 0, meaning: 'Queue of the function.' },
      {
        name: 'pasid',
        type: 'hex',
        min: 1,
        max: 0xfffff,
        optional: true,
        meaning: 'PASID of the guest; absent: its kernel.',
      },
      { name: 'vector', type: 'number', min: 0, max: 2047, optional: true, meaning: 'Vector whose handle it got.' },
      { name: 'handle', type: 'number', min: 0, max: 0xffff, optional: true, meaning: 'Or the handle itself.' },
    ],
    actor: guest,
    refuses: noVdcm,
    *run(setup, object, { queue, pasid, vector, handle }) {
      const { machine } = setup;
      const vdcm = vdcmOf(setup, object);
      const at = machine.world.child(queueType, vdcm.ims.fn.object, 'queue', Number(queue));
      const got = vector === undefined ? undefined : vdcm.requestHandle(Number(vector), false);
      const named = handle !== undefined ? Number(handle) : got && 'handle' in got ? got.handle : undefined;
      if (got && 'error' in got)
        machine.emit(mark, at, { text: `Request Interrupt Handle: error 0x${got.error.toString(16)}` });
      const ok = vdcm.submit(at, pasid === undefined ? undefined : Number(pasid), named);
      if (!ok) machine.emit(queueSubmit, at, { pasid: Number(pasid ?? 0), ret: errno.EINVAL });
    },
  },
  {
    name: 'vfio.report',
    title: 'Report trapped accesses',
    meaning:
      'Writes into the trace how often each register was hit by trapped accesses, which of them are hot, and from the second report on their rate since the last.',
    on: DEVICE,
    args: [],
    actor: { layer: 'vfio', name: 'operator', cpu: 0 },
    refuses: noVdcm,
    *run(setup, object) {
      const { machine } = setup;
      const vdcm = vdcmOf(setup, object);
      for (const text of vdcm.report()) machine.emit(mark, vdcm.device.object, { text });
    },
  },
];
