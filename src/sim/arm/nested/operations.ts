import { deviceOf } from '../../find-function.ts';
import { type Vm, vms } from '../../kvm/vm.ts';
import type { OperationSpec } from '../../operation.ts';
import type { Setup } from '../../setup.ts';
import { iommufd } from '../iommufd.ts';
import { itsUnits } from '../units/its-units.ts';
import { type GuestCommand, OF_STREAM, Viommu, type ViommuType, viommus } from './viommu.ts';

const vmm = { layer: 'vmm', name: 'qemu', cpu: 0 } as const;
const guest = { layer: 'guest-kernel', name: 'smmu', cpu: -1 } as const;

const STREAM = {
  type: 'hex',
  min: 0,
  max: 0xffff,
  meaning: 'StreamID in the SMMU that the guest sees: the requester ID there.',
} as const;

/** The virtual IOMMU; why there is none. */
function noViommu(setup: Setup, object: string): string | undefined {
  const found = setup.find(viommus);
  if (!found) return 'the system has no iommufd (section iommufd of the scenario)';
  return object === found.path ? undefined : `there is no ${object}: it is ${found.path}`;
}

const notMade = (setup: Setup, object: string): string | undefined =>
  noViommu(setup, object) ??
  (setup.use(viommus).allocated ? undefined : `${object} was not allocated yet (viommu.alloc)`);

/** Why a function has no place in the virtual IOMMU. */
function notOwned(setup: Setup, object: string): string | undefined {
  const { fn, problem } = deviceOf(setup, object);
  if (!fn) return problem;
  const found = setup.find(viommus);
  if (!found) return 'the system has no iommufd (section iommufd of the scenario)';
  if (!setup.use(iommufd).owns(fn)) return `${fn.bdf} is not attached to iommufd`;
  return notMade(setup, found.path);
}

const guestOf = (setup: Setup): Vm | undefined => [...(setup.find(vms)?.values() ?? [])][0];
const noGuest = (setup: Setup): string | undefined =>
  guestOf(setup) ? undefined : 'there is no guest (section vms of the scenario)';

/** Operations of VMM and guest on the virtual IOMMU. */
export const nestedOperations: readonly OperationSpec[] = [
  {
    name: 'viommu.alloc',
    title: 'Allocate a virtual IOMMU',
    meaning:
      'IOMMU_VIOMMU_ALLOC. Refused: stage 2 cannot carry a nested stage 1 (EINVAL, policy nested), a type that the hardware lacks (EOPNOTSUPP, policy vcmdq), a second one (EEXIST; the model has one).',
    on: ['iommufd/*/viommu/*'],
    args: [
      {
        name: 'type',
        type: 'choice',
        choices: ['auto', 'ARM_SMMUV3', 'TEGRA241_CMDQV'],
        default: 'auto',
        meaning: 'TEGRA241_CMDQV has HW queues; auto: that, and ARM_SMMUV3 where it is refused.',
      },
    ],
    actor: vmm,
    refuses: noViommu,
    *run(setup, _object, { type }) {
      if (type === 'auto') setup.use(viommus).allocBest();
      else setup.use(viommus).alloc(type as ViommuType);
    },
  },
  {
    name: 'vdevice.alloc',
    title: 'Allocate a virtual device',
    meaning:
      'IOMMU_VDEVICE_ALLOC: the VMM says which ID a function has in the SMMU of the guest. Its events and the commands about it carry that ID. Refused with EEXIST: it has one already, or another function has that.',
    on: ['device/*'],
    args: [{ name: 'id', ...STREAM }],
    actor: vmm,
    refuses: notOwned,
    *run(setup, object, { id }) {
      setup.use(viommus).allocDevice(deviceOf(setup, object).fn!, Number(id));
    },
  },
  {
    name: 'vdevice.destroy',
    title: 'Destroy a virtual device',
    meaning:
      'IOMMU_DESTROY of the virtual device of a function. Events go to the ID that it had until the guest writes its stream table entry again.',
    on: ['device/*'],
    args: [],
    actor: vmm,
    refuses: (setup, object) =>
      notOwned(setup, object) ??
      (setup.use(viommus).hasDevice(deviceOf(setup, object).fn!) ? undefined : `${object} has no virtual device`),
    *run(setup, object) {
      setup.use(viommus).destroyDevice(deviceOf(setup, object).fn!);
    },
  },
  {
    name: 'veventq.alloc',
    title: 'Allocate the event queue',
    meaning:
      'IOMMU_VEVENTQ_ALLOC: events of stage 1 wait there for the VMM, which reads them 20 us later and hands them to the guest. Without it they stay with the host. Refused: depth 0 (EINVAL), a second one (EEXIST).',
    on: ['iommufd/*/viommu/*'],
    args: [{ name: 'depth', type: 'number', min: 0, max: 0xffff, default: 64, meaning: 'Events that it holds.' }],
    actor: vmm,
    refuses: notMade,
    *run(setup, _object, { depth }) {
      setup.use(viommus).allocEvents(Number(depth));
    },
  },
  {
    name: 'hwqueue.alloc',
    title: 'Give a command queue of the guest to the hardware',
    meaning:
      'IOMMU_HW_QUEUE_ALLOC. Refused: no bytes (EINVAL), the virtual IOMMU has none (EOPNOTSUPP), its pages are not mapped in the I/O address space (ENOENT) or not in one piece (EFAULT), the index is taken (EEXIST), the one before it is not (EIO), the length is no power of 2 from 32 on or the address no multiple of it (EINVAL).',
    on: ['iommufd/*/viommu/*'],
    args: [
      { name: 'index', type: 'number', min: 0, max: 127, default: 0, meaning: 'Which queue.' },
      { name: 'address', type: 'hex', min: 0, max: Number.MAX_SAFE_INTEGER, meaning: 'Guest-physical address.' },
      { name: 'length', type: 'hex', min: 0, max: 0x100000, default: 0x1000, meaning: 'Bytes.' },
    ],
    actor: vmm,
    refuses: notMade,
    *run(setup, _object, { index, address, length }) {
      setup.use(viommus).allocHardware(Number(index), Number(address), Number(length));
    },
  },
  {
    name: 'hwqueue.destroy',
    title: 'Take a command queue of the guest back from the hardware',
    meaning:
      'IOMMU_DESTROY of a HW queue. Refused: there is none (ENOENT), a queue with a higher index exists, which must go first (EBUSY).',
    on: ['iommufd/*/viommu/*'],
    args: [{ name: 'index', type: 'number', min: 0, max: 127, default: 0, meaning: 'Which queue.' }],
    actor: vmm,
    refuses: notMade,
    *run(setup, _object, { index }) {
      setup.use(viommus).destroyHardware(Number(index));
    },
  },
  {
    name: 'guest.ste',
    title: 'Guest: write a stream table entry',
    meaning:
      'The guest writes the stream table entry of an assigned function and CFGI_STE, which exits: the VMM attaches the function to the stage 1 of the guest. Refused with ENOENT: to translate it needs a virtual device.',
    on: ['device/*'],
    args: [
      { name: 'stream', ...STREAM },
      {
        name: 'config',
        type: 'choice',
        choices: ['translate', 'bypass'],
        default: 'translate',
        meaning: 'What the entry says.',
      },
    ],
    actor: guest,
    refuses: (setup, object) => notOwned(setup, object) ?? noGuest(setup),
    *run(setup, object, { stream, config }) {
      yield* setup.use(viommus).setStream(guestOf(setup)!, deviceOf(setup, object).fn!, Number(stream), String(config));
    },
  },
  {
    name: 'guest.invalidate',
    title: 'Guest: commands for its SMMU',
    meaning:
      'The guest writes commands into a queue of its SMMU and their producer index. In a HW queue the hardware takes TLBI_NH_VA, TLBI_NH_ASID and ATC_INV by itself; else the write exits, and the VMM hands all of them to the kernel (IOMMU_HWPT_INVALIDATE). A StreamID that no virtual device has is refused (EIO).',
    on: ['iommufd/*/viommu/*'],
    args: [
      {
        name: 'command',
        type: 'choice',
        choices: ['TLBI_NH_VA', 'TLBI_NH_ASID', 'TLBI_NSNH_ALL', 'ATC_INV', 'CFGI_CD'],
        default: 'TLBI_NH_VA',
        meaning: 'The command.',
      },
      { name: 'stream', ...STREAM, default: 0 },
      { name: 'count', type: 'number', min: 1, max: 256, default: 1, meaning: 'How many of them at once.' },
    ],
    actor: guest,
    refuses: (setup, object) => notMade(setup, object) ?? noGuest(setup),
    *run(setup, _object, { command, stream, count }) {
      const named = OF_STREAM.has(String(command)) ? Number(stream) : undefined;
      yield* setup.use(viommus).invalidate(guestOf(setup)!, command as GuestCommand, named, Number(count));
    },
  },
];

/** Gives a host with iommufd the virtual IOMMU that a VMM can allocate. */
export function installNested(setup: Setup): void {
  const fd = setup.find(iommufd);
  if (!fd || !setup.find(itsUnits)) return;
  setup.provide(viommus, new Viommu(setup.machine, fd, () => setup.design.vcmdq === 'tegra241'));
}
