import type { PciFunction } from '../device/pci-function.ts';
import { deviceOf, entryOf } from '../find-function.ts';
import type { Irq } from '../irq/domain.ts';
import { host } from '../irq/host.ts';
import type { OperationSpec } from '../operation.ts';
import type { Setup } from '../setup.ts';
import { smmuUnit } from './arm-host.ts';
import { iommufd } from './iommufd.ts';
import { type IommufdIrqs, iommufdIrqs } from './iommufd-irqs.ts';

const vmm = { layer: 'vmm', name: 'qemu', cpu: 0 } as const;
const guest = { layer: 'guest-kernel', name: 'smmu', cpu: -1 } as const;
const kernel = { layer: 'irq-core', name: 'operator', cpu: 0 } as const;

const ADDRESS = { type: 'hex', min: 0, max: Number.MAX_SAFE_INTEGER } as const;
const SIZE = { name: 'size', ...ADDRESS, default: 0x1000, meaning: 'Bytes, whole pages.' } as const;

const noIommufd = (setup: Setup): string | undefined =>
  setup.find(iommufd) ? undefined : 'the system has no iommufd (section iommufd of the scenario)';

const noIoas = (setup: Setup, object: string): string | undefined =>
  noIommufd(setup) ?? (object === 'iommufd/1/ioas/1' ? undefined : `there is no ${object}: it is iommufd/1/ioas/1`);

function noStream(setup: Setup, object: string): string | undefined {
  if (!setup.find(smmuUnit)) return 'the system has no SMMU (platform.smmu, or section iommufd)';
  const known = /^smmu\/0\/stream\/0x(0|[1-9a-f][0-9a-f]{0,3})$/.test(object);
  return known ? undefined : `there is no ${object}: streams are smmu/0/stream/0x<requester ID>`;
}

/** The function of an object, when user space owns its translation; else why not. */
function owned(setup: Setup, object: string): string | undefined {
  const { fn, problem } = deviceOf(setup, object);
  if (!fn) return problem;
  const fd = setup.find(iommufd);
  return fd?.owns(fn) ? undefined : (noIommufd(setup) ?? `${fn.bdf} is not attached to iommufd`);
}

const functionOf = (setup: Setup, object: string): PciFunction => deviceOf(setup, object).fn!;

/** The stream ID of `smmu/<n>/stream/<hex>`. */
const streamOf = (object: string): number => Number(object.split('/')[3]);

function irqOf(setup: Setup, object: string): Irq | undefined {
  return setup.find(host)?.core.irq(Number(object.split('/')[1]));
}

function* write(irqs: IommufdIrqs, irq: Irq, by: 'vfio' | 'restore' | 'kvm', from: string) {
  if (from === 'doorbell') yield* irqs.bypass(irq, by);
  else yield* irqs.rewrite(irq, by);
}

/** Operations on iommufd, vMSI addresses, SMMU tables, and the interrupts of devices that VFIO holds through them. */
export const iommufdOperations: readonly OperationSpec[] = [
  {
    name: 'iommufd.map',
    title: 'Map in the I/O address space',
    meaning:
      'The VMM maps a range of its I/O address space: stage 2 of the devices. Refused: part of a page or inside the software MSI window (EINVAL), mapped already (EEXIST).',
    on: ['iommufd/*/ioas/*'],
    args: [
      { name: 'iova', ...ADDRESS, meaning: 'First address; of a guest: guest-physical.' },
      { name: 'output', ...ADDRESS, meaning: 'Physical address that it leads to.' },
      SIZE,
    ],
    actor: vmm,
    refuses: noIoas,
    *run(setup, _object, { iova, output, size }) {
      setup.use(iommufd).map(Number(iova), Number(output), Number(size));
    },
  },
  {
    name: 'iommufd.unmap',
    title: 'Unmap in the I/O address space',
    meaning: 'The VMM takes back the mapping that starts at an address. Refused with ENOENT when none does.',
    on: ['iommufd/*/ioas/*'],
    args: [{ name: 'iova', ...ADDRESS, meaning: 'First address of the mapping.' }],
    actor: vmm,
    refuses: noIoas,
    *run(setup, _object, { iova }) {
      setup.use(iommufd).unmap(Number(iova));
    },
  },
  {
    name: 'iommufd.setVmsi',
    title: 'Give the message address of a vector',
    meaning:
      'The VMM gives the page at which the device must reach its doorbell with this vector; 0 takes that back. For a vector in use affinity is set again afterwards, so that the message is written (policy forceWrite).',
    on: ['device/*/msix/*'],
    args: [{ name: 'iova', ...ADDRESS, meaning: 'Page, as the device addresses it.' }],
    actor: vmm,
    refuses: (setup, object) => entryOf(setup, object).problem ?? owned(setup, object),
    *run(setup, object, { iova }) {
      const { fn, index } = entryOf(setup, object);
      yield* setup.use(iommufdIrqs).update(fn!, index, Number(iova));
    },
  },
  {
    name: 'iommufd.setIrqs',
    title: 'Set up interrupts through VFIO',
    meaning:
      'VFIO_DEVICE_SET_IRQS for MSI-X of a device of iommufd: allocates, activates and requests so many interrupts; 0 frees them. Fails when a message address is missing.',
    on: ['device/*'],
    args: [{ name: 'vectors', type: 'number', min: 0, max: 2048, meaning: 'Vectors from 0 on.' }],
    actor: vmm,
    refuses: owned,
    *run(setup, object, { vectors }) {
      yield* setup.use(iommufdIrqs).setIrqs(functionOf(setup, object), Number(vectors));
    },
  },
  {
    name: 'msi.write',
    title: 'Write the message of an interrupt',
    meaning:
      'A writer other than activation and affinity writes the message of an interrupt that VFIO made: the cached message, or (a path without a hook) one with the physical doorbell.',
    on: ['irq/*'],
    args: [
      {
        name: 'by',
        type: 'choice',
        choices: ['vfio', 'restore', 'kvm'],
        default: 'restore',
        meaning: 'The writer: VFIO without the irq core, the restore after a reset, or KVM.',
      },
      {
        name: 'from',
        type: 'choice',
        choices: ['cache', 'doorbell'],
        default: 'cache',
        meaning: 'The message that the irq core remembers, or one with the physical doorbell.',
      },
    ],
    actor: kernel,
    refuses: (setup, object) =>
      noIommufd(setup) ?? (irqOf(setup, object) ? undefined : `there is no ${object} in the host`),
    *run(setup, object, { by, from }) {
      yield* write(setup.use(iommufdIrqs), irqOf(setup, object)!, by as 'vfio' | 'restore' | 'kvm', String(from));
    },
  },
  {
    name: 'smmu.mapS1',
    title: 'Map in stage 1',
    meaning:
      'The guest maps a range of its stage 1. Refused: part of a page (EINVAL), mapped already (EEXIST). Without it a nested device faults.',
    on: ['smmu/*/stream/*'],
    args: [
      { name: 'iova', ...ADDRESS, meaning: 'First address, as the device writes it.' },
      { name: 'output', ...ADDRESS, meaning: 'Guest-physical address that it leads to.' },
      SIZE,
    ],
    actor: guest,
    refuses: noStream,
    *run(setup, object, { iova, output, size }) {
      setup.use(smmuUnit).map(streamOf(object), Number(iova), Number(output), Number(size));
    },
  },
  {
    name: 'smmu.unmapS1',
    title: 'Unmap in stage 1',
    meaning:
      'The guest takes back the mapping of its stage 1 that starts at an address. Refused with ENOENT when none does.',
    on: ['smmu/*/stream/*'],
    args: [{ name: 'iova', ...ADDRESS, meaning: 'First address of the mapping.' }],
    actor: guest,
    refuses: noStream,
    *run(setup, object, { iova }) {
      setup.use(smmuUnit).unmap(streamOf(object), Number(iova));
    },
  },
];
